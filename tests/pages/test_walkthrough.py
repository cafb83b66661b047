from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from streamlit.proto.TextInput_pb2 import TextInput

from oauth import flow as flows
from oauth.history.filters import Filters
from oauth.history.store import HistoryError, Row
from oauth.installation import Installation
from pages.parts.walkthrough import authorization

if TYPE_CHECKING:  # a conftest is no module to import; pytest hands out what is in it
    from tests.pages.conftest import Page


def rows(console: Installation) -> list[Row]:
    return list(console.history.rows(Filters()))


def exchange(page: "Page") -> None:
    page.paste(page.decide())
    page.press("token.send")


def test_first_run_needs_no_typing(page: "Page") -> None:
    assert page.value("authorize.field.client_id.value") == "demo-app"
    assert page.value("authorize.field.scope.value") == "read write v2"
    exchange(page)
    page.press("api.send")
    assert "200 OK" in page.text()
    assert "demo.user@example.com" in page.text()


def test_pasted_address_shows_the_state_check_with_both_fingerprints(page: "Page") -> None:
    page.paste(page.decide())
    text = page.text()
    assert "The state matches the request" in text
    fingerprint = page.value("authorize.field.state.value")
    assert f"sent     {fingerprint}\nreceived {fingerprint}" in text
    assert "Code expires in 9 min 5" in text or "Code expires in 10 min" in text


def test_bare_code_is_accepted_and_reported_as_unchecked(page: "Page") -> None:
    code = parse_qs(urlsplit(page.decide()).query)["code"][0]
    page.paste(code)
    assert "could not be checked" in page.text()
    page.press("token.send")
    assert "«access_token #" in page.text()


def test_callback_of_another_request_is_refused_and_changes_nothing(page: "Page", console: Installation) -> None:
    mine = page.value("authorize.field.state.value")
    page.paste("https://shop.example/cb?code=abc&state=another-state-of-another-tab")
    text = page.text()
    assert "refused, and nothing changed" in text
    assert mine in text
    assert "«state #" in text.replace(mine, "")
    assert "another-state-of-another-tab" not in text
    assert rows(console) == []
    page.paste(page.decide())
    assert "refused" not in page.text()


@pytest.mark.parametrize(("pasted", "reason"), [("", "Nothing was pasted"), ("https://x.example/", "neither a code")])
def test_invalid_callback_is_refused_with_a_reason(page: "Page", pasted: str, reason: str) -> None:
    page.paste(pasted)
    assert reason in page.text()


def test_callback_after_the_address_was_pasted_is_refused(page: "Page") -> None:
    import httpx

    address = page.decide()
    page.paste(address)
    assert httpx.get(address, trust_env=False).status_code == 400


def test_denied_consent_has_its_card(page: "Page") -> None:
    page.paste(page.decide("deny"))
    assert "access\\_denied" in page.text()
    assert ":red[The authorization was denied]" in page.text()


def test_omitted_field_is_documented_error_1(page: "Page") -> None:
    page.paste(page.decide())
    page.untick("token.field.code.send")
    page.press("token.send")
    assert ":red[Documented error 1] ·" in page.text()


def test_extra_field_is_sent_and_its_secret_is_redacted(page: "Page", console: Installation) -> None:
    page.press("rail.token")
    page.press("token.extra.add")
    page.type("token.extra.1.name", "code_verifier")
    page.type("token.extra.1.value", "a-verifier-of-the-best-kind")
    assert page.value("token.extra.1.value").startswith("«code_verifier #")
    page.press("token.send")
    body = rows(console)[0].exchange.request.body.decode()
    assert '"code_verifier": "«code_verifier #' in body


def test_value_can_be_changed_around_its_secret(page: "Page", console: Installation) -> None:
    page.paste(page.decide())
    page.type("token.field.code.value", page.value("token.field.code.value") + "x")
    page.press("token.send")
    assert ":red[Documented error 2] ·" in page.text()


def test_form_and_basic_are_sent_as_chosen(page: "Page", console: Installation) -> None:
    page.paste(page.decide())
    page.choose("token.body", "form")
    page.choose("token.secret_in", "client_secret_basic")
    page.press("token.send")
    exchange = rows(console)[0].exchange
    assert exchange.response is not None
    assert exchange.response.status == 200
    assert dict(exchange.request.headers)["Authorization"].startswith("Basic demo-app:«client_secret")
    assert b"grant_type=authorization_code" in exchange.request.body
    assert b"client_secret" not in exchange.request.body


def test_rerun_sends_nothing_again(page: "Page", console: Installation) -> None:
    exchange(page)
    before = len(rows(console))
    page.run()
    page.press("rail.authorize")
    page.press("rail.authorize")
    assert len(rows(console)) == before


def test_refresh_reports_a_replaced_refresh_token(page: "Page") -> None:
    exchange(page)
    page.choose("call.action", "refresh")
    page.press("refresh.send")
    assert "The refresh token was replaced" in page.text()


def test_requested_and_granted_scopes_are_shown_with_the_missing_ones(page: "Page") -> None:
    page.type("authorize.field.scope.value", "read write")
    exchange(page)
    page.press("rail.authorize")
    text = page.text()
    assert "scope granted   read write\n" in text + "\n"
    assert "Not all requested scopes were granted" in text


def test_tokens_are_masked_and_revealed_one_at_a_time(page: "Page") -> None:
    exchange(page)
    tokens = page.app.session_state["console"].flow.tokens
    assert tokens.access_token not in page.text()
    page.press("tokens.reveal.access_token")
    assert tokens.access_token in page.text()
    page.press("tokens.reveal.refresh_token")
    assert tokens.refresh_token in page.text()
    assert tokens.access_token not in page.text()
    page.press("tokens.reveal.refresh_token")
    assert tokens.refresh_token not in page.text()


def test_secret_is_not_on_the_page_unless_revealed(page: "Page") -> None:
    state = page.app.session_state["console"].flow.state
    exchange(page)
    page.press("api.send")
    flow = page.app.session_state["console"].flow
    secrets = [state, flow.code, flow.tokens.access_token, flow.tokens.refresh_token, flow.client.secret]
    assert all(len(secret) > 8 for secret in secrets)
    assert [secret for secret in secrets if secret in page.text()] == []


def test_typed_client_secret_is_removed_from_the_page_at_once(page: "Page", console: Installation) -> None:
    page.pick("walkthrough.client.sandbox", "own client")
    page.type("walkthrough.client_id", "demo-app")
    page.type("walkthrough.client_secret", "demo-secret")
    assert "demo-secret" not in page.text()
    assert page.value("walkthrough.client_secret") == "«client_secret 11ch»"
    exchange(page)
    assert "«access_token #" in page.text()


def test_default_is_applied_again_after_a_stale_value(page: "Page") -> None:
    field = "authorize.field.client_id.value"
    page.pick("walkthrough.client.sandbox", "own client")
    page.type("walkthrough.client_id", "demo-app")
    page.app.text_input(key="run.shown").set_value("0")  # the browser does not show the last run yet
    page.type(field, "")
    assert page.value(field) == "demo-app"
    page.type(field, "")
    assert page.value(field) == "", "what a person types stays"


def test_case_labels_the_rows_of_the_flow(page: "Page", console: Installation) -> None:
    page.paste(page.decide())
    page.type("walkthrough.case", "T-77")
    page.press("token.send")
    assert {row.exchange.case for row in rows(console)} == {"T-77"}


def test_start_over_makes_a_fresh_state_and_keeps_the_rows(page: "Page", console: Installation) -> None:
    before = page.value("authorize.field.state.value")
    exchange(page)
    page.press("walkthrough.start_over")
    assert page.value("authorize.field.state.value") != before
    assert "«access_token" not in page.text()
    assert len(rows(console)) == 2


def test_authorization_link_is_gone_after_its_callback(page: "Page") -> None:
    before = page.value("authorize.field.state.value")
    page.paste(page.decide("deny"))
    assert not any(link.key == "authorize.open" for link in page.app.link_button)
    page.press("authorize.again")
    assert page.value("authorize.field.state.value") != before
    page.paste(page.decide())
    assert "The state matches the request" in page.text()


def test_another_provider_starts_another_flow(page: "Page") -> None:
    page.pick("walkthrough.provider", "olx")
    assert page.value("authorize.url") == "https://www.olx.pl/oauth/authorize/"
    assert "Credentials work on the site of one country only" in page.text()


def test_pasting_is_recommended_where_localhost_is_refused(page: "Page") -> None:
    page.pick("walkthrough.provider", "olx")
    assert "uses the code first" in "".join(item.value for item in page.app.warning)
    assert page.value("authorize.field.redirect_uri.value") == ""
    assert page.app.checkbox(key="authorize.field.redirect_uri.send").value is False
    page.type("authorize.registered.olx-pl", "https://shop.example/nothing")
    assert page.value("authorize.field.redirect_uri.value") == "https://shop.example/nothing"
    assert page.app.checkbox(key="authorize.field.redirect_uri.send").value is True
    page.press("rail.callback")
    assert "**Paste the address**" in page.text()
    page.type("walkthrough.client_id", "200123")
    assert page.value("authorize.field.redirect_uri.value") == "https://shop.example/nothing"


def test_own_callback_is_recommended_on_localhost(page: "Page") -> None:
    callback = page.value("authorize.field.redirect_uri.value")
    assert callback.endswith("/callback")
    page.open("authorize.redirect.sandbox", True)
    assert callback in [item.value for item in page.app.code]
    page.press("rail.callback")
    assert "**Or paste the address**" in page.text()


def test_every_address_follows_the_country(page: "Page") -> None:
    page.pick("walkthrough.provider", "olx")
    page.pick("walkthrough.site.olx", "olx-kz")
    assert page.value("authorize.url") == "https://www.olx.kz/oauth/authorize/"
    page.press("rail.token")
    assert page.value("token.url") == "https://www.olx.kz/api/open/oauth/token"
    page.press("rail.call")
    assert page.value("api.url").startswith("https://www.olx.kz/api/partner/")
    assert page.app.session_state["console"].flow.provider.id == "olx-kz"


def test_token_request_has_the_defaults_of_the_profile(page: "Page") -> None:
    page.press("rail.token")
    assert page.app.segmented_control(key="token.body").value == "json"
    page.pick("walkthrough.provider", "generic")
    page.press("rail.token")
    assert page.app.segmented_control(key="token.body").value == "form"
    assert page.app.segmented_control(key="token.secret_in").value == "client_secret_basic"


def test_walkthrough_continues_without_a_writable_history(
    page: "Page", console: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> int:
        raise HistoryError("The disk is full.")

    monkeypatch.setattr(console.history, "begin", refuse)
    exchange(page)
    text = page.text()
    assert "«access_token #" in text
    assert "not saved in the history" in text
    assert "The disk is full." in text


def test_invalid_address_is_reported_before_sending(page: "Page") -> None:
    page.press("rail.token")
    page.type("token.url", "not an address")
    assert "This request cannot be sent." in page.text()
    assert page.app.button(key="token.send").disabled


def test_unreachable_provider_has_a_card(page: "Page") -> None:
    page.press("rail.token")
    page.type("token.url", "http://127.0.0.1:9/")
    page.press("token.send")
    text = page.text()
    assert "no response" in text
    assert ":red[" in text


def test_timeline_shows_the_exchanges_as_text(page: "Page") -> None:
    page.paste(page.decide())
    page.type("token.url", page.value("token.url") + "/<b>")
    page.press("token.send")
    bodies = [str(element.proto.body) for element in page.app.get("html")]
    rows = next(body for body in bodies if 'class="timeline"' in body).split("<tr")[1:]
    assert len(rows) == 2
    assert "Browser → Console" in rows[0]
    assert "POST /sandbox/api/open/oauth/token/&lt;b&gt;" in rows[1]
    assert 'class="failed"' in rows[1]
    assert "404" in rows[1]


def test_changed_field_is_marked_and_reset_alone(page: "Page") -> None:
    page.type("authorize.field.scope.value", "read")
    page.untick("authorize.field.state.send")
    assert page.text().count("**changed**") == 2
    page.press("authorize.field.scope.reset")
    assert page.value("authorize.field.scope.value") == "read write v2"
    assert not page.app.checkbox(key="authorize.field.state.send").value
    assert page.text().count("**changed**") == 1
    page.press("authorize.field.state.reset")
    assert page.app.checkbox(key="authorize.field.state.send").value
    assert "**changed**" not in page.text()
    page.type("authorize.url", "http://localhost:1/elsewhere")
    page.press("authorize.url.reset")
    assert page.value("authorize.url").endswith("/sandbox/oauth/authorize/")


def test_page_of_the_sandbox_that_refuses_an_authorization_is_read_by_itself(page: "Page") -> None:
    page.type("authorize.field.redirect_uri.value", "https://elsewhere.example/callback")
    url = next(link.proto.url for link in page.app.link_button if link.key == "authorize.open")
    session = page.app.session_state["console"]
    authorization.begin(session, *session.authorization)
    page.run()
    assert "No callback yet" in page.text()
    assert httpx.get(url, trust_env=False).status_code == 400
    page.run()
    page.run()
    text = page.text()
    assert "No callback yet" not in text
    assert "The redirect URI is not registered or not allowed" in text
    assert "The redirect_uri is not registered for this client" in text
    assert "HTTP status differs" not in text


def test_without_a_code_the_exchange_is_not_the_primary_button(page: "Page") -> None:
    page.paste(page.decide("deny"))
    assert "no response recorded" not in " ".join(item.value for item in page.app.text)
    page.press("rail.token")
    assert page.app.button(key="token.send").proto.type == "secondary"
    assert "The parameter code is empty" in page.text()


def test_secrets_are_not_readable_while_they_are_typed(page: "Page") -> None:
    page.pick("walkthrough.client.sandbox", "own client")
    page.press("rail.token")
    for key in ("walkthrough.client_secret", "token.field.client_secret.value"):
        assert page.app.text_input(key=key).proto.type == TextInput.PASSWORD, key


def test_quoted_secret_is_reported_before_sending_and_fixed_with_one_button(
    page: "Page", console: Installation
) -> None:
    page.paste(page.decide())
    page.type("token.field.client_secret.value", '"demo-secret"')
    assert "This request would fail" in page.text()
    assert "has quotes around it" in page.text()
    page.press("token.send")
    assert ":red[Documented error 6] ·" in page.text()
    page.press("token.fix.1")
    text = page.text()
    assert "The fix worked" in text
    assert "before: 400, invalid_client" in text
    assert "after: 200" in text
    assert [row.exchange.response.status for row in rows(console)[:2] if row.exchange.response] == [200, 400]


def test_used_code_is_proven_and_never_offered_again(page: "Page", console: Installation) -> None:
    exchange(page)
    used = page.value("token.field.code.value")
    page.press("token.send")
    text = page.text()
    assert "The code was already exchanged" in text
    assert "start again at step 1" in text.casefold() + str([button.label for button in page.app.button]).casefold()
    assert "Apply and send" not in [button.label for button in page.app.button]
    page.press("token.fix.1")
    assert "authorize" not in page.app.session_state["console"].shown
    page.paste(page.decide())
    assert page.value("token.field.code.value") != used
    page.press("token.send")
    assert "The fix worked" in page.text()


def test_reasons_are_offered_while_no_callback_arrives(page: "Page") -> None:
    session = page.app.session_state["console"]
    fields = flows.authorization_fields(session.flow)
    request = flows.authorization_request(session.flow.provider.authorization_endpoint, fields)
    authorization.begin(session, request, fields)
    page.run()
    assert "no callback arrives" in str([expander.label for expander in page.app.expander])


def test_card_has_a_support_text_with_request_response_and_request_id(page: "Page") -> None:
    page.paste(page.decide())
    page.untick("token.field.code.send")
    page.press("token.send")
    ticket = next(code.value for code in page.app.code if code.value.startswith("Documented error 1: "))
    assert "Request ID: " in ticket
    assert "Request ID: none" not in ticket
    assert "POST /sandbox/api/open/oauth/token HTTP/1.1" in ticket
    assert "HTTP/1.1 400 Bad Request" in ticket
    assert "demo-secret" not in ticket


def test_one_step_is_open_and_the_rail_opens_another_without_losing_values(page: "Page") -> None:
    page.paste(page.decide())
    page.type("token.field.scope.value", "read")
    page.press("rail.authorize")
    page.press("rail.callback")
    page.press("rail.token")
    assert page.value("token.field.scope.value") == "read"
    folded = [expander.label for expander in page.app.expander if expander.label[:3] in ("**1", "**2", "**3")]
    assert folded == [
        "**1 · Send the browser to the provider** · redirect received",
        "**2 · Receive the callback** · code received, state matches",
    ]


def test_tokens_stay_and_another_token_is_not_revealed_with_them(page: "Page") -> None:
    exchange(page)
    first = page.app.session_state["console"].flow.tokens
    page.press("tokens.reveal.access_token")
    assert first.access_token in page.text()
    page.press("rail.token")
    page.press("tokens.use")
    page.choose("call.action", "refresh")
    page.press("refresh.send")
    second = page.app.session_state["console"].flow.tokens
    assert second.access_token != first.access_token
    assert second.access_token not in page.text()
    assert "scope requested read write v2" in page.text()
    page.press("rail.token")
    assert "«access_token #" in page.text()


def test_start_over_resets_edits_and_is_undone_with_edits_and_tokens(page: "Page") -> None:
    page.type("authorize.field.scope.value", "read write")
    exchange(page)
    before = page.app.session_state["console"].flow
    page.type("token.field.client_id.value", "another")
    page.press("walkthrough.start_over")
    assert page.value("authorize.field.scope.value") == "read write v2"
    assert page.app.session_state["console"].flow.tokens is None
    page.press("rail.token")
    assert page.value("token.field.client_id.value") == "demo-app"
    page.press("walkthrough.undo")
    assert page.app.session_state["console"].flow == before
    assert page.value("authorize.field.scope.value") == "read write"
    assert page.value("token.field.client_id.value") == "another"
    assert "«access_token #" in page.text()
    assert not any(button.key == "walkthrough.undo" for button in page.app.button)
    page.press("rail.call")
    page.press("api.send")
    assert "insufficient" in page.text()


def test_tokens_come_back_after_another_client_was_chosen(page: "Page") -> None:
    exchange(page)
    before = page.app.session_state["console"].flow
    page.pick("walkthrough.client.sandbox", "own client")
    assert page.app.session_state["console"].flow.tokens is None
    page.press("walkthrough.undo")
    assert page.app.selectbox(key="walkthrough.client.sandbox").value == "demo-app"
    assert page.app.session_state["console"].flow.tokens == before.tokens
    page.press("api.send")
    assert "200 OK" in page.text()


def test_misspelt_scope_is_corrected_and_not_left_out(page: "Page") -> None:
    exchange(page)
    page.choose("call.action", "application")
    page.type("application.field.scope.value", "read wirte v2")
    page.press("application.send")
    assert ":red[Documented error 4]" in page.text()
    assert "+ scope: read write v2" in page.text()
    page.press("application.fix.1")
    assert page.app.session_state["console"].flow.application_tokens.scope == "read write v2"
    assert "The fix worked" in page.text()
