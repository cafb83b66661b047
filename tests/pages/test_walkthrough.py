from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import pytest

from oauth import flow as flows
from oauth.history.filters import Filters
from oauth.history.store import HistoryError, Row
from oauth.installation import Installation
from pages.parts.walkthrough import authorization

if TYPE_CHECKING:  # a conftest is no module to import; pytest hands out what is in it
    from tests.pages.conftest import Page


def rows(console: Installation) -> list[Row]:
    return list(console.history.rows(Filters()))


def exchanged(page: "Page") -> None:
    page.paste(page.decide())
    page.press("token.send")


def test_the_first_run_needs_no_typing(page: "Page") -> None:
    assert page.value("authorize.field.client_id.value") == "demo-app"
    assert page.value("authorize.field.scope.value") == "read write v2"
    exchanged(page)
    page.press("api.send")
    assert "200 OK" in page.text()
    assert "demo.user@example.com" in page.text()


def test_a_pasted_address_shows_the_state_check_with_both_fingerprints(page: "Page") -> None:
    page.paste(page.decide())
    text = page.text()
    assert "The state is the one that was sent" in text
    fingerprint = page.value("authorize.field.state.value")
    assert f"sent {fingerprint}\ncame {fingerprint}" in text
    assert "The code lives for 9 min 5" in text or "The code lives for 10 min" in text


def test_a_bare_code_is_taken_and_said_to_be_unchecked(page: "Page") -> None:
    code = parse_qs(urlsplit(page.decide()).query)["code"][0]
    page.paste(code)
    assert "could not be checked" in page.text()
    page.press("token.send")
    assert "«access_token #" in page.text()


def test_an_answer_to_another_request_is_refused_and_changes_nothing(page: "Page", console: Installation) -> None:
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
def test_what_is_no_answer_is_refused_with_a_reason(page: "Page", pasted: str, reason: str) -> None:
    page.paste(pasted)
    assert reason in page.text()


def test_a_callback_after_the_answer_was_pasted_is_refused(page: "Page") -> None:
    import httpx

    address = page.decide()
    page.paste(address)
    assert httpx.get(address, trust_env=False).status_code == 400


def test_a_denied_consent_is_an_error_redirect_with_its_card(page: "Page") -> None:
    page.paste(page.decide("deny"))
    assert "access\\_denied" in page.text()
    assert ":red[The authorization was denied]" in page.text()


def test_a_field_left_out_is_documented_error_1(page: "Page") -> None:
    page.paste(page.decide())
    page.untick("token.field.code.send")
    page.press("token.send")
    assert ":red[Documented error 1] ·" in page.text()


def test_an_extra_field_is_sent_and_a_secret_in_it_is_hidden(page: "Page", console: Installation) -> None:
    page.press("rail.token")
    page.press("token.extra.add")
    page.type("token.extra.1.name", "code_verifier")
    page.type("token.extra.1.value", "a-verifier-of-the-best-kind")
    assert page.value("token.extra.1.value").startswith("«code_verifier #")
    page.press("token.send")
    body = rows(console)[0].exchange.request.body.decode()
    assert '"code_verifier": "«code_verifier #' in body


def test_a_value_can_be_changed_around_its_secret(page: "Page", console: Installation) -> None:
    page.paste(page.decide())
    page.type("token.field.code.value", page.value("token.field.code.value") + "x")
    page.press("token.send")
    assert ":red[Documented error 2] ·" in page.text()


def test_form_and_basic_are_sent_as_chosen(page: "Page", console: Installation) -> None:
    page.paste(page.decide())
    page.choose("token.body", "form")
    page.choose("token.secret_in", "client_secret_basic")
    page.press("token.send")
    sent = rows(console)[0].exchange
    assert sent.response is not None
    assert sent.response.status == 200
    assert dict(sent.request.headers)["Authorization"].startswith("Basic demo-app:«client_secret")
    assert b"grant_type=authorization_code" in sent.request.body
    assert b"client_secret" not in sent.request.body


def test_a_rerun_sends_nothing_again(page: "Page", console: Installation) -> None:
    exchanged(page)
    before = len(rows(console))
    page.run()
    page.press("rail.authorize")
    page.press("rail.authorize")
    assert len(rows(console)) == before


def test_a_refresh_says_whether_the_refresh_token_was_replaced(page: "Page") -> None:
    exchanged(page)
    page.choose("call.action", "refresh")
    page.press("refresh.send")
    assert "The refresh token was replaced" in page.text()


def test_scopes_asked_and_granted_are_shown_with_what_is_missing(page: "Page") -> None:
    page.type("authorize.field.scope.value", "read write")
    exchanged(page)
    page.press("rail.authorize")
    text = page.text()
    assert "scope granted read write\n" in text + "\n"
    assert "Not everything that was asked for was granted" in text


def test_tokens_are_masked_and_revealed_one_at_a_time(page: "Page") -> None:
    exchanged(page)
    tokens = page.app.session_state["console"].flow.tokens
    assert tokens.access_token not in page.text()
    page.press("tokens.reveal.access_token")
    assert tokens.access_token in page.text()
    page.press("tokens.reveal.refresh_token")
    assert tokens.refresh_token in page.text()
    assert tokens.access_token not in page.text()
    page.press("tokens.reveal.refresh_token")
    assert tokens.refresh_token not in page.text()


def test_no_secret_is_on_the_page_unless_it_is_revealed(page: "Page") -> None:
    state = page.app.session_state["console"].flow.state
    exchanged(page)
    page.press("api.send")
    flow = page.app.session_state["console"].flow
    secrets = [state, flow.code, flow.tokens.access_token, flow.tokens.refresh_token, flow.client.secret]
    assert all(len(secret) > 8 for secret in secrets)
    assert [secret for secret in secrets if secret in page.text()] == []


def test_an_own_client_s_secret_is_taken_off_the_page_at_once(page: "Page", console: Installation) -> None:
    page.pick("walkthrough.client.sandbox", "own client")
    page.type("walkthrough.client_id", "demo-app")
    page.type("walkthrough.client_secret", "demo-secret")
    assert "demo-secret" not in page.text()
    assert page.value("walkthrough.client_secret") == "«client_secret 11ch»"
    exchanged(page)
    assert "«access_token #" in page.text()


def test_a_value_that_a_quick_typist_never_saw_is_given_again(page: "Page") -> None:
    field = "authorize.field.client_id.value"
    page.pick("walkthrough.client.sandbox", "own client")
    page.type("walkthrough.client_id", "demo-app")
    page.app.session_state["run.whole"] = False  # the run was cut short, so the browser sends what stood there before
    page.type(field, "")
    assert page.value(field) == "demo-app"
    page.run()
    page.type(field, "")
    assert page.value(field) == "", "what a person types stays"


def test_a_case_is_kept_by_the_flow_s_rows(page: "Page", console: Installation) -> None:
    page.paste(page.decide())
    page.type("walkthrough.case", "T-77")
    page.press("token.send")
    assert {row.exchange.case for row in rows(console)} == {"T-77"}


def test_start_over_makes_a_fresh_state_and_keeps_the_rows(page: "Page", console: Installation) -> None:
    before = page.value("authorize.field.state.value")
    exchanged(page)
    page.press("walkthrough.start_over")
    assert page.value("authorize.field.state.value") != before
    assert "«access_token" not in page.text()
    assert len(rows(console)) == 2


def test_after_an_answer_the_link_of_its_state_is_gone(page: "Page") -> None:
    before = page.value("authorize.field.state.value")
    page.paste(page.decide("deny"))
    assert not any(link.key == "authorize.open" for link in page.app.link_button)
    page.press("authorize.again")
    assert page.value("authorize.field.state.value") != before
    page.paste(page.decide())
    assert "The state is the one that was sent" in page.text()


def test_another_provider_begins_another_flow(page: "Page") -> None:
    page.pick("walkthrough.provider", "olx")
    assert page.value("authorize.url") == "https://www.olx.pl/oauth/authorize/"
    assert "Credentials work on the site of one country only" in page.text()


def test_a_provider_that_refuses_localhost_leads_with_the_pasted_answer(page: "Page") -> None:
    page.pick("walkthrough.provider", "olx")
    warned = "".join(item.value for item in page.app.warning)
    assert "spends the code first" in warned
    assert page.value("authorize.field.redirect_uri.value") == ""
    assert page.app.checkbox(key="authorize.field.redirect_uri.send").value is False
    page.type("authorize.registered.olx-pl", "https://shop.example/nothing")
    assert page.value("authorize.field.redirect_uri.value") == "https://shop.example/nothing"
    assert page.app.checkbox(key="authorize.field.redirect_uri.send").value is True
    page.press("rail.callback")
    assert "**Paste it**" in page.text()
    page.type("walkthrough.client_id", "200123")
    assert page.value("authorize.field.redirect_uri.value") == "https://shop.example/nothing"


def test_on_localhost_the_consoles_own_callback_is_what_to_register(page: "Page") -> None:
    callback = page.value("authorize.field.redirect_uri.value")
    assert callback.endswith("/callback")
    assert callback in [item.value for item in page.app.code]
    page.press("rail.callback")
    assert "**Or paste it**" in page.text()


def test_all_addresses_follow_the_country(page: "Page") -> None:
    page.pick("walkthrough.provider", "olx")
    page.pick("walkthrough.site.olx", "olx-kz")
    assert page.value("authorize.url") == "https://www.olx.kz/oauth/authorize/"
    page.press("rail.token")
    assert page.value("token.url") == "https://www.olx.kz/api/open/oauth/token"
    page.press("rail.call")
    assert page.value("api.url").startswith("https://www.olx.kz/api/partner/")
    assert page.app.session_state["console"].flow.provider.id == "olx-kz"


def test_a_token_request_begins_as_the_profile_says(page: "Page") -> None:
    page.press("rail.token")
    assert page.app.segmented_control(key="token.body").value == "json"
    page.pick("walkthrough.provider", "generic")
    page.press("rail.token")
    assert page.app.segmented_control(key="token.body").value == "form"
    assert page.app.segmented_control(key="token.secret_in").value == "client_secret_basic"


def test_a_history_that_cannot_be_written_does_not_stop_the_walk(
    page: "Page", console: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> int:
        raise HistoryError("The disk is full.")

    monkeypatch.setattr(console.history, "begin", refuse)
    exchanged(page)
    text = page.text()
    assert "«access_token #" in text
    assert "the history is not keeping it" in text
    assert "The disk is full." in text


def test_an_address_that_cannot_be_requested_is_said_before_sending(page: "Page") -> None:
    page.press("rail.token")
    page.type("token.url", "not an address")
    assert "This request cannot be sent." in page.text()
    assert page.app.button(key="token.send").disabled


def test_an_unreachable_provider_has_a_card(page: "Page") -> None:
    page.press("rail.token")
    page.type("token.url", "http://127.0.0.1:9/")
    page.press("token.send")
    text = page.text()
    assert "no response" in text
    assert ":red[" in text


def test_the_diagram_shows_what_went_over_the_wire(page: "Page") -> None:
    exchanged(page)
    diagrams = [element.value for element in page.app.markdown if "sequenceDiagram" in str(element.value)]
    assert "C->>P: POST token\nP-->>C: 200" in str(diagrams[0])


def test_a_quoted_secret_is_said_before_it_is_sent_and_fixed_with_one_button(
    page: "Page", console: Installation
) -> None:
    page.paste(page.decide())
    page.type("token.field.client_secret.value", '"demo-secret"')
    assert "This would fail if it were sent as it is" in page.text()
    assert "has quotes around it" in page.text()
    page.press("token.send")
    assert ":red[Documented error 6] ·" in page.text()
    page.press("token.fix.1")
    text = page.text()
    assert "It was this" in text
    assert "before: 400, invalid_client" in text
    assert "after: 200" in text
    assert [row.exchange.response.status for row in rows(console)[:2] if row.exchange.response] == [200, 400]


def test_a_spent_code_is_proven_and_never_offered_again(page: "Page", console: Installation) -> None:
    exchanged(page)
    spent = page.value("token.field.code.value")
    page.press("token.send")
    text = page.text()
    assert "The code was already exchanged" in text
    assert "start again at step 1" in text.casefold() + str([button.label for button in page.app.button]).casefold()
    assert "Change it and send" not in [button.label for button in page.app.button]
    page.press("token.fix.1")
    assert "authorize" not in page.app.session_state["console"].shown
    page.paste(page.decide())
    assert page.value("token.field.code.value") != spent
    page.press("token.send")
    assert "It was this" in page.text()


def test_while_nothing_comes_back_the_reasons_are_offered(page: "Page") -> None:
    session = page.app.session_state["console"]
    fields = flows.authorization_fields(session.flow)
    request = flows.authorization_request(session.flow.provider.authorization_endpoint, fields)
    authorization.begin(session, request, fields)
    page.run()
    assert "nothing comes back" in str([expander.label for expander in page.app.expander])


def test_the_card_has_a_text_for_support_with_request_answer_and_request_id(page: "Page") -> None:
    page.paste(page.decide())
    page.untick("token.field.code.send")
    page.press("token.send")
    told = next(code.value for code in page.app.code if code.value.startswith("Documented error 1: "))
    assert "Request ID: " in told
    assert "Request ID: none" not in told
    assert "POST /sandbox/api/open/oauth/token HTTP/1.1" in told
    assert "HTTP/1.1 400 Bad Request" in told
    assert "demo-secret" not in told
