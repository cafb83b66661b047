"""The whole diagnosis: ranking, words, fixes that may be offered, the preflight, and what is only partly known."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from oauth import flow as flows
from oauth.catalogue import documented
from oauth.catalogue.explain import Explanation, explain
from oauth.diagnosis import Change, Fix, Label, NoPast, Target, Verdict, diagnose, preflight
from oauth.diagnosis.causes.fixes import merged
from oauth.diagnosis.causes.shape import bare
from oauth.exchange import Exchange, Request, Response, Step
from oauth.flow import Grant
from oauth.parameters import read
from oauth.providers import BodyFormat, ClientAuthentication
from oauth_sandbox.store import Kind
from tests.diagnosis.harness import CALLBACK, Walk, cause, setting, text, verdict, with_header

NOW = datetime(2026, 3, 1, 10, 0, tzinfo=UTC)


def answer(error: str, description: str, status: int = 400) -> Response:
    body = json.dumps({"error": error, "error_description": description}).encode()
    return Response(status, "Bad Request", (("Content-Type", "application/json"),), body)


def explained(exchange: Exchange) -> Explanation:
    diagnosis = explain(exchange)
    assert diagnosis is not None
    return diagnosis


def test_proven_causes_and_contrary_facts_come_first(walk: Walk) -> None:
    first = walk.got_tokens()
    walk.wait(852)
    diagnosis = walk.diagnosed(walk.token())
    assert diagnosis.headline == "The code was already exchanged"
    assert diagnosis.sentence == "The code was already exchanged."
    assert diagnosis.most_likely.startswith(
        f"The code was already exchanged (row {first.id}); and the code had expired"
    )
    ranks = [list(Verdict).index(item.verdict) for item in diagnosis.causes]
    assert ranks == sorted(ranks)
    marks = [fact.holds for fact in diagnosis.evidence]
    assert marks == sorted(marks, key=[False, None, True].index)
    assert len(set(diagnosis.evidence)) == len(diagnosis.evidence)


def test_possible_cause_with_a_contrary_fact_comes_first(walk: Walk) -> None:
    walk.provider = replace(walk.provider, clients=())  # as at a provider that publishes none
    walk.begin()
    refused = walk.authorize(setting(client_id="no-such-app"))
    diagnosis = walk.diagnosed(replace(refused, response=Response(400, "Bad Request", (), b"<h1>Error</h1>")))
    possible = [item.id for item in diagnosis.causes if item.verdict is Verdict.POSSIBLE]
    assert possible[0] == "client.id_differs"
    assert "authorization.client_not_active" in possible
    assert "URL query, client_id" in text(cause(diagnosis, "client.id_differs"))


def test_causes_that_could_not_be_ruled_out_are_named(walk: Walk) -> None:
    """A refused code that is right as far as the row tells: redaction hides what may stand around it."""
    walk.authorize()
    [issued] = walk.running.sandbox.issued(Kind.CODE)
    walk.running.sandbox.revoke(Kind.CODE, issued.serial)
    most_likely = walk.kept(walk.token()).most_likely
    assert most_likely.startswith("Unknown. Not ruled out, because a fact is missing: ")
    assert "extra characters were sent around the code; the code was percent-encoded twice." in most_likely


def test_response_without_request_proves_nothing() -> None:
    exchange = Exchange(Step.TOKEN, Request("", ""), NOW, answer("invalid_grant", "Invalid refresh token"))
    diagnosis = diagnose(exchange, explained(exchange), past=NoPast())
    assert {item.verdict.value for item in diagnosis.causes} == {"unknown"}
    assert diagnosis.most_likely == "Unknown: the facts needed to tell are missing."


def test_headers_without_body_prove_nothing_about_the_body() -> None:
    headers = (("Content-Type", "application/json"), ("Content-Length", "210"))
    request = Request("POST", "https://www.olx.pl/api/open/oauth/token", headers)
    said = answer("invalid_request", 'Missing parameter: "code" is required')
    exchange = Exchange(Step.TOKEN, request, NOW, said)
    diagnosis = diagnose(exchange, explained(exchange), past=NoPast())
    assert verdict(diagnosis, "code.left_out") == "unknown"
    assert verdict(diagnosis, "body.unreadable") == "unknown"


def test_another_servers_text_for_an_expired_code_gets_the_same_causes(walk: Walk) -> None:
    walk.authorize()
    walk.wait(700)
    exchange = replace(walk.token(), response=answer("invalid_grant", "The authorization code has expired"))
    diagnosis = diagnose(exchange, explained(exchange), flow=walk.flow, past=walk.past, vault=walk.vault)
    assert verdict(diagnosis, "code.expired") == "proven"


def test_error_without_a_history_is_judged_from_the_paste_alone() -> None:
    body = b'{"grant_type":"authorization_code","client_id":"200123","client_secret":"s","code":"4f1f9bb0"}'
    request = Request("POST", "https://www.olx.pl/api/open/oauth/token", (("Content-Type", "application/json"),), body)
    exchange = Exchange(Step.TOKEN, request, NOW, answer("invalid_grant", documented()[2].description))
    diagnosis = diagnose(exchange, explained(exchange), past=NoPast())
    expired = cause(diagnosis, "code.expired")
    assert expired.verdict == "unknown"
    assert "no callback with it is known" in text(expired)
    assert "4f1f9bb0" not in repr(diagnosis)


@pytest.mark.parametrize("number", range(1, 12))
def test_every_documented_error_has_causes(number: int) -> None:
    entry = documented()[number]
    step = Step.API if entry.endpoint == "api" else Step.TOKEN
    exchange = Exchange(step, Request("", ""), NOW, Response(entry.status or 400, "", (), entry.example.encode()))
    explanation = explained(exchange)
    assert explanation.number == number
    assert diagnose(exchange, explanation, past=NoPast()).causes


# Before sending.


def test_correct_request_passes_preflight(walk: Walk) -> None:
    walk.authorize()
    assert walk.preflight() == {}


@pytest.mark.parametrize(
    ("id", "values"),
    [
        ("code.empty", {"code": ""}),
        ("code.left_out", {"code": None}),
        ("grant_type.left_out", {"grant_type": None}),
        ("redirect_uri.differs", {"redirect_uri": f"{CALLBACK}/"}),
        ("redirect_uri.left_out", {"redirect_uri": None}),
        ("scope.separators", {"scope": "read,write,v2"}),
        ("client.white_space", {"client_secret": "demo-secret "}),
        ("client.quotes", {"client_secret": "'demo-secret'"}),
        ("client.secret_differs", {"client_secret": "another-secret"}),
        ("grant.misspelt", {"grant_type": "authorisation_code"}),
    ],
)
def test_failing_request_is_reported_before_sending(walk: Walk, id: str, values: dict[str, str | None]) -> None:
    walk.authorize()
    diagnosis = walk.preflight(setting(**values))
    assert id in diagnosis, sorted(diagnosis)
    fix = diagnosis[id].fix
    assert fix is not None
    assert fix.label == "ready"


def test_expired_code_is_reported_before_sending(walk: Walk) -> None:
    first = walk.got_tokens()
    walk.wait(601)
    diagnosis = walk.preflight()
    assert diagnosis["code.used"].evidence[0].row == first.id
    assert diagnosis["code.expired"].verdict == "proven"


def test_expired_access_token_is_reported_before_sending(walk: Walk) -> None:
    walk.got_tokens()
    assert walk.flow.tokens is not None
    request = flows.api_request(f"{walk.provider.api}/users/me", flows.api_fields(walk.flow, walk.flow.tokens))

    def ids(now: datetime, request: Request) -> set[str]:
        diagnosis = preflight(request, Step.API, flow=walk.flow, past=walk.past, vault=walk.vault, now=now)
        return {item.id for item in diagnosis}

    assert ids(walk.now, request) == set()
    assert ids(walk.now, with_header(request, "Version", None)) == {"header.version_missing"}
    walk.wait(86_401)
    assert ids(walk.now, request) == {"access_token.expired"}


def test_inactive_client_is_the_first_that_is_reported_before_sending(walk: Walk) -> None:
    walk.authorize()
    causes = walk.preflight(setting(client_id="inactive-app", client_secret="inactive-secret"))
    assert (next(iter(causes)), causes["client.never_active"].verdict) == ("client.never_active", "proven")
    assert "client.never_active" not in walk.preflight()


def test_application_token_is_reported_before_a_call_about_the_user(walk: Walk) -> None:
    walk.token(grant=Grant.CLIENT_CREDENTIALS)

    def warned(path: str) -> set[str]:
        fields = flows.api_fields(walk.flow, walk.flow.application_tokens)
        request = flows.api_request(f"{walk.provider.api}{path}", fields)
        return {item.id for item in preflight(request, Step.API, flow=walk.flow, past=walk.past, now=walk.now)}

    assert warned("/users/me") == {"token.of_application"}
    assert warned("/cities") == set()


def test_token_that_this_console_never_saw_is_likely_not_one_of_the_flow(walk: Walk) -> None:
    gibberish = setting(Authorization="Bearer gibberish-of-a-person-0123456789")
    before = walk.diagnosed(walk.call(gibberish))
    assert next((cause.id, cause.verdict) for cause in before.causes) == ("access_token.another", "likely")
    walk.got_tokens()
    after = walk.diagnosed(walk.call(gibberish))
    assert next((cause.id, cause.verdict) for cause in after.causes) == ("access_token.another", "likely")
    assert after.causes[0].fix is not None


def test_replaced_refresh_token_is_reported_before_sending(walk: Walk) -> None:
    walk.got_tokens()
    assert walk.flow.tokens is not None
    old = walk.flow.tokens.refresh_token
    assert walk.preflight(grant=Grant.REFRESH_TOKEN) == {}
    walk.refresh()
    assert set(walk.preflight(setting(refresh_token=old), grant=Grant.REFRESH_TOKEN)) == {"refresh_token.replaced"}


# Properties.

SECRETS = ("code", "state", "access_token", "refresh_token", "client_secret")
NAMES = ("grant_type", "client_id", "client_secret", "code", "redirect_uri", "scope", "refresh_token", "auth_code", "x")


def secret(walk: Walk, name: str) -> str:
    tokens = walk.flow.tokens
    assert tokens is not None
    return {
        "code": walk.flow.code,
        "state": walk.flow.state,
        "access_token": tokens.access_token,
        "refresh_token": tokens.refresh_token,
        "client_secret": walk.client.secret,
    }[name]


@st.composite
def edits(draw: st.DrawFn) -> dict[str, str | None]:
    """Fields left out, or with a secret (by its name in braces), perhaps damaged, or a plain text in them."""
    wrapped = st.sampled_from(["{}", " {}", "{}\n", '"{}"', "{}&state=1", "code={}"])
    hidden = st.builds(lambda wrap, name: wrap.format("{" + name + "}"), wrapped, st.sampled_from(SECRETS))
    plain = st.sampled_from(
        ["", "authorization_code", "refresh_token", "read,write", "demo-app", CALLBACK, f"{CALLBACK}/"]
    )
    return draw(st.dictionaries(st.sampled_from(NAMES), st.one_of(st.none(), hidden, plain), max_size=4))


ERRORS = [(entry.error, entry.description) for entry in documented().values()] + [
    ("redirect_uri_mismatch", "x"),
    ("unsupported_grant_type", "x"),
    ("invalid_request", 'Missing parameter: "redirect_uri" is required'),
    ("invalid_request", "x"),
]


@pytest.fixture
def spent(new_walk: Callable[..., Walk]) -> Walk:
    """A walk whose code was exchanged."""
    walk = new_walk()
    walk.got_tokens()
    return walk


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    values=edits(),
    error=st.sampled_from(ERRORS),
    body=st.sampled_from(BodyFormat),
    by=st.sampled_from(ClientAuthentication),
    redacted=st.booleans(),
    with_vault=st.booleans(),
    with_flow=st.booleans(),
)
@example(
    values={"client_id": None, "code": "{code}&state=1"},
    error=("invalid_client", "The client credentials are invalid"),
    body=BodyFormat.JSON,
    by=ClientAuthentication.BODY,
    redacted=False,
    with_vault=True,
    with_flow=False,
)
def test_diagnosis_reveals_no_secret_and_resends_no_spent_code(
    spent: Walk,
    values: dict[str, str | None],
    error: tuple[str, str],
    body: BodyFormat,
    by: ClientAuthentication,
    redacted: bool,
    with_vault: bool,
    with_flow: bool,
) -> None:
    filled = {
        name: value and value.format(**{key: secret(spent, key) for key in SECRETS}) for name, value in values.items()
    }
    fields = setting(**filled)(flows.token_fields(spent.flow, Grant.AUTHORIZATION_CODE))
    request = flows.token_request(spent.provider.token_endpoint, fields, body, by)
    exchange = Exchange(Step.TOKEN, request, spent.now, answer(*error), provider="sandbox", client_id="demo-app")
    if redacted:
        exchange = spent.vault.redact(exchange)
    diagnosis = diagnose(
        exchange,
        explained(exchange),
        flow=spent.flow if with_flow else None,
        past=spent.past,
        vault=spent.vault if with_vault else None,
    )
    told = [secret(spent, name) for name in SECRETS if secret(spent, name) in repr(diagnosis)]
    assert not told or not (redacted or with_vault or with_flow), diagnosis
    sent = {item.name: item.value for item in fields if item.send}
    # A live code without a vault has no fingerprint to ask the history for, and a damaged one that was redacted has
    # another.
    marked = bare(read(exchange.request).value("code")) == spent.vault.placeholder("code", spent.flow.code)
    blind = not (marked or ((with_vault or with_flow) and not redacted))
    for fix in (item.fix for item in diagnosis.causes if item.fix is not None):
        assert blind or sends_no_spent_code(spent, fix, sent), fix


def sends_no_spent_code(walk: Walk, fix: Fix, sent: dict[str, str]) -> bool:
    if fix.label is Label.START_AGAIN:
        return True
    after = dict(sent)
    for change in fix.changes:
        if change.target in (Target.FIELD, Target.QUERY):
            after.pop(change.name, None)
            if change.after is not None and not change.needs:
                after[change.name] = walk.vault.resolve(change.after)
    by_code = after.get("grant_type", "") in ("", "authorization_code")
    return not by_code or walk.flow.code not in after.get("code", "")


# Several wrong values at once.


def test_fix_corrects_all_that_is_proven_wrong_so_that_the_next_send_works(walk: Walk) -> None:
    walk.authorize()
    wrong = setting(client_secret="another-secret", redirect_uri=f"{CALLBACK}/", scope="read,write,v2")
    diagnosis = walk.diagnosed(walk.token(wrong))
    fix = cause(diagnosis, "client.secret_differs").fix
    assert fix is not None
    assert fix.label == "ready"
    assert fix.title.split("; also ") == [
        "Send the right secret",
        "send the redirect URI of step 1",
        "separate the scopes by spaces",
    ]
    after = {change.name: walk.vault.resolve(change.after or "") for change in fix.changes}
    assert after == {"client_secret": "demo-secret", "redirect_uri": CALLBACK, "scope": "read write v2"}
    assert walk.token(setting(**after)).response.status == 200  # type: ignore[union-attr]


def test_value_that_the_server_may_have_accepted_is_not_changed_with_another_one(walk: Walk) -> None:
    """An error about the redirect URI says that the client was authenticated, whatever secret worked before."""
    walk.provider = replace(walk.provider, clients=())
    walk.begin()
    walk.got_tokens()
    walk.begin()
    walk.authorize()
    said = answer("invalid_grant", "The redirect_uri does not match")
    sent = walk.token(setting(client_secret="a-rotated-secret", redirect_uri=f"{CALLBACK}/"))
    diagnosis = walk.diagnosed(replace(sent, response=said))
    fix = cause(diagnosis, "redirect_uri.differs").fix
    assert fix is not None
    assert [change.name for change in fix.changes] == ["redirect_uri"]


def test_fixes_that_clash_are_not_merged() -> None:
    def fix(title: str, *changes: Change) -> Fix:
        return Fix(Label.READY, title, Step.TOKEN, changes)

    body = fix("Send a form", Change(Target.BODY_FORMAT, "Content-Type", "text/plain", "form"))
    json_body = fix("Send JSON", Change(Target.BODY_FORMAT, "body", "invalid", "json"))
    code = fix("Send code", Change(Target.FIELD, "code", None, "", "the value of code"))
    assert merged(body, [body, json_body, code]) == replace(
        body, label=Label.NEEDS_A_VALUE, title="Send a form; also send code", changes=(*body.changes, *code.changes)
    )
    assert merged(code, [body, code]) == merged(body, [body, code])
