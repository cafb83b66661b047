"""Drills over real HTTP against the sandbox, and against a provider that is none."""

import json
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from msgspec import structs

from oauth import flow as flows
from oauth.drills import (
    CASE,
    Drill,
    Outcome,
    Progress,
    Setting,
    drills,
    needs_confirmation,
    preview,
    run,
    unavailable,
)
from oauth.drills.schema import Fault, MoveClock, read
from oauth.exchange import Exchange, Response, Step
from oauth.flow import Flow, Grant
from oauth.history.filters import Filters
from oauth.history.store import History, HistoryError
from oauth.recorder import Recorder
from oauth.redaction import Vault
from oauth_sandbox.store import Kind
from oauth_sandbox.testing import RunningSandbox
from tests.drills.conftest import KEY, now

ALL = {drill.id: drill for drill in drills() if drill.catalogue == "partner"}


def outcome_of(drill: Drill, setting: Setting) -> Outcome:
    *_, last = run(drill, setting)
    assert last.outcome is not None
    return last.outcome


def run_and(drill: Drill, setting: Setting, after_one: Callable[[], None]) -> Iterator[Progress]:
    """Run a drill, and do something after its first step."""
    running = run(drill, setting)
    yield next(running)
    after_one()
    yield from running


def scripted(steps: str, **fields: str) -> Drill:
    more = "\n".join(f"{name} = {value}" for name, value in fields.items())
    text = f'[[drill]]\nid = "mine"\ntitle = "T"\nshows = "S"\nnumber = 7\n{more}\nsteps = {steps}'
    return read(text)[0]


def rows(history: History) -> list[Exchange]:
    return [row.exchange for row in reversed(history.page(Filters(), None, 1000))]


def walked(setting: Setting, *, exchange: bool = False) -> Flow:
    """The flow of a person who authorized in a browser and, if told so, exchanged the code."""
    state = "the-state-of-a-walkthrough-in-a-browser"
    flow = Flow(setting.provider, setting.client, setting.redirect_uri, state, now())
    fields = flows.authorization_fields(flow)
    flow = flows.with_authorization(flow, fields)
    request = flows.authorization_request(setting.provider.authorization_endpoint, fields)
    location = httpx.post(request.url, data={"decision": "approve"}).headers["Location"]
    flow = flows.read_callback(flow, flows.parse_pasted(location), now(), pasted=False)
    if exchange:
        sent = flows.token_request(setting.provider.token_endpoint, flows.token_fields(flow, Grant.AUTHORIZATION_CODE))
        answer = httpx.post(sent.url, content=sent.body, headers=list(sent.headers))
        kept = Exchange(Step.TOKEN, sent, now(), Response(answer.status_code, body=answer.content))
        flow = flows.read_tokens(flow, kept, Grant.AUTHORIZATION_CODE, setting.provider.scope)
        assert flow.tokens is not None
    return flow


@pytest.mark.parametrize("id", ALL)
def test_every_drill_produces_the_expected_error(
    id: str, setting: Setting, sandbox: RunningSandbox, history: History, database: Path
) -> None:
    clients = sandbox.sandbox.clients()
    vaults: list[Vault] = []

    def recorder() -> Recorder:
        vaults.append(Vault(KEY))
        return Recorder(history, vaults[-1])

    outcome = outcome_of(ALL[id], replace(setting, new_recorder=recorder))
    assert outcome.trouble == ""
    assert outcome.not_kept == ""
    assert outcome.passed, f"expected {outcome.expected}, got {outcome.actual}"
    for cause in ALL[id].proven:
        assert cause in outcome.expected
        assert cause in outcome.actual
    # Kept under the case, row by row.
    kept = rows(history)
    assert {row.case for row in kept} == {CASE}
    assert [row.id for row in kept] == [exchange.id for exchange in outcome.exchanges]
    # The cause that was proven is in the row of the failure.
    proven = outcome.diagnosis.proven if outcome.diagnosis is not None else ""
    assert [row.cause for row in history.rows(Filters()) if row.cause] == [proven] * bool(proven)
    # As it was before.
    assert sandbox.sandbox.clock.offset == timedelta()
    assert sandbox.sandbox.clients() == clients
    assert sandbox.sandbox.refresh_ends_access_tokens is False
    assert sandbox.sandbox.faults.rules == ()
    assert sandbox.sandbox.lint.drill is False
    assert all(finding.drill for finding in sandbox.sandbox.lint.findings())
    # No secret, in the history or in what is shown.
    seen = repr(outcome) + "".join(
        path.read_bytes().decode("utf-8", "replace") for path in database.parent.glob("history.db*")
    )
    secrets = [client.secret for client in clients]
    for kind in Kind:
        secrets += [secret for secret, _ in sandbox.sandbox.stored(kind)[1]]
    for vault in vaults:
        secrets += [vault.resolve(shown) for shown in vault.secrets()]
    assert len(secrets) > len(clients)
    for secret in secrets:
        assert secret not in seen


def test_the_time_that_a_drill_lets_pass_is_in_its_evidence(setting: Setting, history: History) -> None:
    outcome = outcome_of(ALL["2-expired"], setting)
    assert outcome.diagnosis is not None
    expired = next(cause for cause in outcome.diagnosis.causes if cause.id == "code.expired")
    assert expired.evidence[0].text.startswith("The code was 10 min 1 s old")
    came, sent = rows(history)[-2:]
    assert (came.step, sent.step) == (Step.CALLBACK, Step.TOKEN)
    assert timedelta(seconds=601) <= sent.started_at - came.started_at < timedelta(seconds=605)
    assert expired.evidence[0].row == came.id


@pytest.mark.parametrize("id", [id for id, drill in ALL.items() if any(isinstance(s, MoveClock) for s in drill.steps)])
def test_a_drill_that_lets_time_pass_ends_now_and_keeps_no_row_of_the_future(
    id: str, setting: Setting, history: History
) -> None:
    begun = now()
    outcome_of(ALL[id], setting)
    kept = rows(history)
    assert [row.started_at for row in kept] == sorted(row.started_at for row in kept)
    assert begun <= kept[-1].started_at <= now()


def test_the_evidence_names_the_row_of_the_first_exchange(setting: Setting) -> None:
    outcome = outcome_of(ALL["2-used"], setting)
    first = outcome.exchanges[-2]
    assert outcome.diagnosis is not None
    assert outcome.diagnosis.most_likely == f"The code was already exchanged (row {first.id})."


def test_consent_page_names_are_not_redacted(setting: Setting) -> None:
    """Redaction takes what stands in an element ``code`` for a code, and then hides it in the request too."""
    asked = outcome_of(ALL["2-used"], setting).exchanges[0]
    assert asked.response is not None
    assert b"demo-app" in asked.response.body
    assert "client_id=demo-app&" in asked.request.url


def test_progress_is_reported_after_every_step(setting: Setting) -> None:
    told = list(run(ALL["7-expired"], setting))
    assert [(item.done, item.total) for item in told] == [(1, 4), (2, 4), (3, 4), (4, 4), (4, 4)]
    assert [item.text for item in told[:-1]] == [
        "The callback arrived",
        "The token request returned 200 OK",
        "The clock was moved by 86,401 s",
        "The API call returned 401 Unauthorized",
    ]
    assert [item.outcome is None for item in told] == [True, True, True, True, False]


def test_abandoned_drill_restores_the_clock_and_the_client(setting: Setting, sandbox: RunningSandbox) -> None:
    drill = scripted(
        '[{ do = "clock", seconds = 601 }, { do = "client", id = "machine-app", active = false, scopes = ["read"] },'
        ' { do = "fault", name = "server-error" }, { do = "application" }]'
    )
    sandbox.sandbox.clock.move(1000)  # by somebody else, before
    before = sandbox.sandbox.clients()
    with closing(run(drill, setting)) as running:
        for _ in range(3):
            next(running)
        assert sandbox.sandbox.clock.offset == timedelta(seconds=1601)
        assert sandbox.sandbox.client("machine-app").active is False
        assert sandbox.sandbox.client("machine-app").scopes == ("read",)
        assert [rule.fault.kind for rule in sandbox.sandbox.faults.rules] == ["server-error"]
    assert sandbox.sandbox.clock.offset == timedelta(seconds=1000)
    assert sandbox.sandbox.clients() == before
    assert sandbox.sandbox.faults.rules == ()


def test_failed_step_restores_everything(setting: Setting, sandbox: RunningSandbox) -> None:
    drill = scripted(
        '[{ do = "clock", seconds = 601 }, { do = "client", id = "machine-app", active = false },'
        ' { do = "application" }, { do = "api" }]',
        client='"machine-app"',
    )
    before = sandbox.sandbox.clients()
    outcome = outcome_of(drill, setting)
    assert not outcome.passed
    assert outcome.trouble == "A preparatory request failed: Client is not active."
    assert sandbox.sandbox.clock.offset == timedelta()
    assert sandbox.sandbox.clients() == before


def test_unexpected_error_does_not_pass(setting: Setting) -> None:
    outcome = outcome_of(scripted('[{ do = "application" }]'), setting)
    assert not outcome.passed
    assert outcome.expected == "documented error 7; nothing proven"
    assert outcome.actual == "it worked (200)"
    outcome = outcome_of(structs.replace(ALL["2-used"], number=11), setting)
    assert not outcome.passed
    assert outcome.actual == "documented error 2; proven: code.used"


def test_unexpected_cause_does_not_pass(setting: Setting) -> None:
    for proven in (("code.expired",), ()):
        assert not outcome_of(structs.replace(ALL["2-used"], proven=proven), setting).passed


@pytest.mark.parametrize(("status", "passes"), [(502, True), (503, False)])
def test_closed_connection_is_a_502_of_a_proxy_in_front_of_the_sandbox(
    status: int, passes: bool, setting: Setting
) -> None:
    steps = (Fault(name="server-error", fields={"status": status}), ALL["connection-reset"].steps[-1])
    outcome = outcome_of(structs.replace(ALL["connection-reset"], steps=steps), setting)
    assert outcome.passed == passes
    assert ("which a proxy reports as 502" in outcome.actual) == passes


def test_unreachable_control_ends_the_drill_with_a_sentence(setting: Setting) -> None:
    lost = replace(setting, provider=replace(setting.provider, control="http://127.0.0.1:1/control"))
    outcome = outcome_of(ALL["2-expired"], lost)
    assert not outcome.passed
    assert outcome.actual == "no result"
    assert outcome.trouble.startswith(
        "The sandbox did not begin a drill: its control at http://127.0.0.1:1/control did not respond."
    )


def test_failed_undo_is_reported(setting: Setting, sandbox: RunningSandbox) -> None:
    drill = scripted(
        '[{ do = "client", id = "machine-app", active = false }, { do = "application" }]',
        proven='["client.deactivated"]',
    )
    *_, last = run_and(drill, setting, lambda: sandbox.sandbox.remove_client("machine-app"))
    assert last.outcome is not None
    assert not last.outcome.passed
    assert last.text.startswith("The sandbox did not restore the client machine-app: it responded 404.")
    assert last.text.endswith("Correct it on the Sandbox page.")


def test_unreachable_server_does_not_pass(setting: Setting) -> None:
    gone = replace(setting.provider, token_endpoint="http://127.0.0.1:1/token")
    outcome = outcome_of(ALL["3-left-out"], replace(setting, provider=gone))
    assert not outcome.passed
    assert outcome.actual.startswith("Connection refused")


def test_history_failure_is_reported(setting: Setting, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise HistoryError("The disk is full.")

    monkeypatch.setattr(History, "begin", full)
    outcome = outcome_of(ALL["1-left-out"], setting)
    assert outcome.not_kept == "The disk is full."
    assert outcome.passed


def test_drill_that_needs_the_sandbox_is_unavailable_elsewhere(elsewhere: Setting, history: History) -> None:
    reasons = {
        "2-expired": "only the sandbox allows",
        "10-never": "the sandbox's ready-made client website-app",
        "11-other-client": "the sandbox's ready-made client website-app",
        "access-denied": "only the sandbox can give",
        "8-asked-too-little": "only the sandbox can give",
        "2-used": "complete steps 1 and 2 of the walkthrough first",
    }
    for id, reason in reasons.items():
        assert reason in unavailable(ALL[id], elsewhere), id
        outcome = outcome_of(ALL[id], elsewhere)
        assert (outcome.passed, outcome.trouble) == (False, unavailable(ALL[id], elsewhere))
    assert rows(history) == []
    assert unavailable(ALL["6-secret"], elsewhere) == ""


def test_sandbox_runs_every_drill_without_confirmation(setting: Setting) -> None:
    for drill in ALL.values():
        assert unavailable(drill, setting) == ""
        assert needs_confirmation(drill, setting) == ""


def test_harmful_drill_needs_confirmation_elsewhere(elsewhere: Setting) -> None:
    flow = walked(elsewhere)
    assert "lock the account" in needs_confirmation(ALL["6-secret"], elsewhere)
    assert needs_confirmation(ALL["3-empty"], elsewhere) == ""
    with_code = replace(elsewhere, flow=flow)
    assert "It spends this flow's code" in needs_confirmation(ALL["2-used"], with_code)
    assert "It spends this flow's code" in needs_confirmation(ALL["7-no-scheme"], with_code)
    with_tokens = replace(elsewhere, flow=walked(elsewhere, exchange=True))
    assert needs_confirmation(ALL["7-no-scheme"], with_tokens) == ""
    assert "refresh token" in needs_confirmation(ALL["11-replaced"], with_tokens)


def test_drill_previews_its_requests_elsewhere(elsewhere: Setting, history: History) -> None:
    flow = walked(elsewhere)
    requests = preview(ALL["2-used"], replace(elsewhere, flow=flow))
    assert [request.method for request in requests] == ["POST", "POST"]
    for request in requests:
        assert request.url == elsewhere.provider.token_endpoint
        body = json.loads(request.body)
        assert body["grant_type"] == "authorization_code"
        assert body["code"].startswith("«code ")
        assert flow.code not in repr(request)
    assert rows(history) == []


def test_preview_has_placeholders_for_unknown_values(setting: Setting) -> None:
    requests = preview(ALL["11-replaced"], setting)
    assert [request.method for request in requests] == ["GET", "POST", "POST", "POST", "POST"]
    assert b"decision=approve" in requests[1].body
    assert "«refresh_token " in json.loads(requests[-1].body)["refresh_token"]


def test_elsewhere_a_drill_uses_the_code_of_the_walkthrough(elsewhere: Setting, history: History) -> None:
    flow = walked(elsewhere)
    outcome = outcome_of(ALL["2-used"], replace(elsewhere, flow=flow))
    assert outcome.passed, outcome.actual
    assert [row.step for row in rows(history)] == [Step.TOKEN, Step.TOKEN]
    assert {(row.provider, row.case, row.flow) for row in rows(history)} == {("elsewhere", CASE, flow.id)}


def test_elsewhere_a_drill_uses_the_tokens_of_the_walkthrough(elsewhere: Setting, history: History) -> None:
    outcome = outcome_of(ALL["7-no-scheme"], replace(elsewhere, flow=walked(elsewhere, exchange=True)))
    assert outcome.passed, outcome.actual
    assert [row.step for row in rows(history)] == [Step.API]


def test_a_flow_of_another_provider_is_not_used(elsewhere: Setting) -> None:
    flow = replace(walked(elsewhere), provider=replace(elsewhere.provider, id="a-third"))
    assert "complete steps 1 and 2" in unavailable(ALL["2-used"], replace(elsewhere, flow=flow))


def test_every_drill_has_its_own_vault(setting: Setting, history: History) -> None:
    made: list[Recorder] = []

    def recorder() -> Recorder:
        made.append(Recorder(history, Vault(KEY)))
        return made[-1]

    own = replace(setting, new_recorder=recorder)
    for id in ("1-left-out", "2-used"):
        outcome_of(ALL[id], own)
    assert len(made) == 2
    assert len({shown for one in made for shown, kind in one.vault.secrets().items() if kind == "state"}) == 2
