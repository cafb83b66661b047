"""The Sandbox page: clients, codes, tokens, clock, faults, lint and requests of the embedded provider."""

from collections.abc import Callable
from functools import partial, wraps
from typing import Any, ParamSpec

import streamlit as st

from oauth.access import Action
from oauth.access.audit import Event
from oauth.formatting import duration, span
from oauth.installation import current
from oauth_sandbox import (
    KINDS,
    MOUNTED,
    PATHS,
    Api,
    Endpoint,
    Finding,
    GrantType,
    Kind,
    Sandbox,
    fault_from,
    field_schemas,
    fields_of,
)
from oauth_sandbox.steering import Steering, SteeringProblem
from pages.parts.common import clock, drawing, notices, sandboxes, session, table
from pages.parts.common.markdown import escaped
from pages.parts.common.permissions import needs

MOVES = {"10 minutes": 600, "1 day": 86_400, "30 days": 2_592_000}
ANY = "any"
PROBLEM = "sandbox.problem"
APIS = {Api.PARTNER: "OLX Partner API", Api.OLXGROUP: "OLX Group API", Api.GENERIC: "OpenID Connect"}


def page() -> None:
    """Draw the page."""
    st.title("Sandbox", anchor=False)
    st.write(
        "The provider has no test environment, so the console includes one. It serves the provider's own paths and is "
        "strict: point an integration at it by changing the host."
    )
    st.segmented_control(
        "API",
        list(APIS),
        format_func=APIS.__getitem__,
        default=Api.PARTNER,
        required=True,
        key="sandbox.api",
        label_visibility="collapsed",
        help="Each has clients, tokens and a clock of its own.",
        persist_state="session",
    )
    st.text(f"{current().settings.sandbox_at(session.origin())}{MOUNTED[_api()]}")
    sandboxes.say_whose()
    _content()


P = ParamSpec("P")


def _while_it_responds(draw: Callable[P, None]) -> Callable[P, None]:
    """Draw, or say why a shared sandbox cannot be shown."""

    @wraps(draw)
    def drawn(*arguments: P.args, **named: P.kwargs) -> None:
        try:
            draw(*arguments, **named)
        except SteeringProblem as problem:
            notices.error("The sandbox cannot be shown", problem)

    return drawn


@_while_it_responds
def _content() -> None:
    _shown()
    _clock()
    tabs = st.tabs(list(TABS), key="sandbox.tab", on_change="rerun")
    for tab, draw in zip(tabs, TABS.values(), strict=True):
        if tab.open:
            with tab:
                draw()
    st.button(
        "Reset sandbox",
        key="sandbox.reset",
        icon=":material/restart_alt:",
        help="Restores the ready-made clients and real time, and removes codes, tokens and faults.",
        on_click=_reset,
    )


def _api() -> Api:
    return Api(st.session_state.get("sandbox.api") or Api.PARTNER)


def _steering() -> Steering:
    """Return the means to change the sandbox that the page shows."""
    return sandboxes.steering(_api())


def _shown() -> Sandbox:
    """Return the sandbox that the page shows, to read from. Raises ``SteeringProblem``."""
    return _steering().state()


def _change(call: Callable[P, None]) -> Callable[P, None]:
    """Decorate what a widget calls to change the sandbox: the next run says why a change was not made."""

    @needs(Action.SANDBOX, Event.SANDBOX)
    @wraps(call)
    def change(*arguments: P.args, **named: P.kwargs) -> None:
        try:
            call(*arguments, **named)
        except (ValueError, LookupError) as error:
            st.session_state[PROBLEM] = str(error.args[0])

    return change


@drawing.fragment(run_every=2)
@_while_it_responds
def _clock() -> None:
    sandbox = _shown()
    ahead = sandbox.clock.offset.total_seconds()
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        st.text(clock.on(sandbox.clock.now()) + (f", {span(ahead)} ahead" if ahead > 0 else ", real time"))
        for label, seconds in MOVES.items():
            st.button(f"Forward {label}", key=f"sandbox.clock.{seconds}", on_click=_move, args=(float(seconds),))
        st.button("Real time", key="sandbox.clock.reset", on_click=_real_time, disabled=ahead == 0)
    if problem := st.session_state.pop(PROBLEM, ""):
        st.text(problem)


@_change
def _real_time() -> None:
    _steering().reset_clock()


@_change
def _move(seconds: float) -> None:
    _steering().move_clock(seconds)


def _clients() -> None:
    st.caption("Registered redirect URIs: the console's callback, and any http URI on a loopback host.")
    for client in _shown().clients():
        with st.container(border=True, key=f"sandbox.client.{client.client_id}"):
            left, middle, right = st.columns([4, 5, 3], vertical_alignment="center")
            key = f"\nAPI key {client.api_key}" if client.api_key else ""
            secret = client.secret or "none: a public client"
            left.text(f"client_id {client.client_id}\nclient_secret {secret}{key}")
            with middle:
                st.pills(
                    "Grants",
                    list(GrantType),
                    selection_mode="multi",
                    wrap=True,
                    default=sorted(client.grants),
                    key=f"sandbox.grants.{client.client_id}",
                    on_change=_set_grants,
                    args=(client.client_id,),
                )
            with right:
                st.caption(f"Scopes: {escaped(' '.join(client.scopes))}")
                st.toggle(
                    "Active",
                    value=client.active,
                    key=f"sandbox.active.{client.client_id}",
                    on_change=_set_active,
                    args=(client.client_id,),
                )


@_change
def _set_active(client_id: str) -> None:
    _steering().change_client(client_id, active=st.session_state[f"sandbox.active.{client_id}"])


@_change
def _set_grants(client_id: str) -> None:
    _steering().change_client(client_id, grants=st.session_state[f"sandbox.grants.{client_id}"])


@drawing.fragment(run_every=2)
@_while_it_responds
def _issued() -> None:
    sandbox, vault = _shown(), current().vault()
    st.caption("Shown as: what stands for the code or token in the walkthrough and in the history.")
    for kind in Kind:
        issued, key = sandbox.issued(kind), kind.name.lower()
        st.header(f"{kind.capitalize()}s", anchor=False)
        if not issued:
            st.caption("None yet.")
            continue
        marks = sandbox.marks(kind, partial(vault.redact_value, key))
        revoke = st.column_config.ButtonColumn(
            "", width=100, pinned=True, on_click=_revoke, args=(kind,), key=f"sandbox.{key}.revoke"
        )
        table.draw(
            f"sandbox.{key}",
            {
                "no.": [item.serial for item in issued],
                "shown as": [marks.get(item.serial, "") for item in issued],
                "state": [item.state.value for item in issued],
                "client": [item.client_id for item in issued],
                "scope": [" ".join(item.scope) for item in issued],
                "owner": ["user" if item.user_id is not None else "application" for item in issued],
                "issued": [item.issued_at for item in issued],
                "expires": [item.expires_at for item in issued],
                "revoke": (revoke, [f"Revoke {item.serial}" if item.is_live else None for item in issued]),
            },
        )


@_change
def _revoke(kind: Kind) -> None:
    """Revoke what the pressed button names: its row is another one once something else was issued."""
    label = st.session_state[f"sandbox.{kind.name.lower()}.revoke"].label
    _steering().revoke(kind, int(label.removeprefix("Revoke ")))


def _faults() -> None:
    sandbox = _shown()
    st.caption("Wrong responses on purpose: once, for a share of requests, or for one client.")
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        kind = st.selectbox("Fault", list(KINDS), key="sandbox.fault.kind", width=220)
        fields = {name: _field(name, schema) for name, schema in field_schemas(kind).items()}
        times = st.number_input("Times (0: unlimited)", 0, 1000, 1, key="sandbox.fault.times", width=160)
        share = st.number_input("Share of requests", 0.01, 1.0, 1.0, key="sandbox.fault.share", width=160)
        clients = [ANY, *(client.client_id for client in sandbox.clients())]
        client = st.selectbox("Client", clients, key="sandbox.fault.client", width=160)
        endpoint = st.selectbox("Endpoint", [ANY, *PATHS[_api()]], key="sandbox.fault.endpoint", width=140)
        st.button(
            "Add fault",
            key="sandbox.fault.add",
            icon=":material/bolt:",
            on_click=_add_fault,
            args=(kind, fields, times or None, share, client, endpoint),
        )
    _fault_rules()


def _field(name: str, schema: Any) -> Any:
    key, label = f"sandbox.fault.field.{name}", name.replace("_", " ").capitalize()
    if "enum" in schema:
        longest = max(len(str(value)) for value in schema["enum"])
        return st.selectbox(label, schema["enum"], key=key, width=max(140, 60 + 9 * longest))
    if schema.get("type") == "integer":
        least, most = schema.get("minimum", 0), schema.get("maximum", 100_000)
        return st.number_input(label, least, most, schema.get("default", least), key=key, width=140)
    if schema.get("type") == "number":
        least, most = float(schema.get("minimum", 0)), float(schema.get("maximum", 1000))
        return st.number_input(label, least, most, float(schema.get("default", least)), key=key, width=140)
    return st.text_input(label, str(schema.get("default", "")), key=key, width=200)


@_change
def _add_fault(kind: str, fields: dict[str, Any], times: int | None, share: float, client: str, endpoint: str) -> None:
    _steering().add_fault(
        fault_from(kind, {name: value for name, value in fields.items() if value != ""}),
        times,
        share,
        None if client == ANY else client,
        None if endpoint == ANY else Endpoint(endpoint),
    )


@drawing.fragment(run_every=2)
@_while_it_responds
def _fault_rules() -> None:
    sandbox = _shown()
    with sandbox.lock:
        rules = sandbox.faults.rules
    if not rules:
        st.caption("No faults are pending.")
    for rule in rules:
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            fields = ", ".join(f"{name} {value}" for name, value in fields_of(rule.fault).items())
            remaining = "unlimited" if rule.remaining is None else f"{rule.remaining} left"
            where = " ".join(filter(None, (rule.client_id, rule.endpoint)))
            st.text(" · ".join(filter(None, (rule.fault.kind, fields, remaining, f"{rule.share:.0%}", where))))
            st.button("Remove", key=f"sandbox.fault.remove.{rule.number}", on_click=_remove_fault, args=(rule.number,))


@_change
def _remove_fault(number: int) -> None:
    _steering().remove_fault(number)


@drawing.fragment(run_every=2)
@_while_it_responds
def _lint() -> None:
    sandbox = _shown()
    st.caption("Mistakes of integrations that a stricter provider would refuse.")
    with sandbox.lock:
        findings = sandbox.lint.findings()
    if not findings:
        st.caption("No findings.")
        return
    if own := [finding for finding in findings if not finding.drill]:
        _draw_findings(own, "sandbox.lint")
    else:
        st.caption("No findings but those of drills.")
    if drills := [finding for finding in findings if finding.drill]:
        with st.expander(
            f"From drills, on purpose: {len(drills)}", key="sandbox.lint.drills", on_change="rerun"
        ) as fold:
            if fold.open:
                _draw_findings(drills, "sandbox.lint.drill")
    st.button("Clear findings", key="sandbox.lint.clear", on_click=_clear_findings)


def _draw_findings(findings: list[Finding], key: str) -> None:
    for finding in findings:
        with st.container(border=True, gap="small", key=f"{key}.{finding.client_id}.{finding.rule.name}"):
            with st.container(horizontal=True, gap="small", vertical_alignment="center"):
                st.badge(f"{finding.count} times" if finding.count > 1 else "once", color="orange")
                st.markdown(f"**{finding.rule.title}**", width="content")
                st.text(f"{finding.client_id or 'an unknown client'}, last at {clock.at(finding.last_at)}")
            st.caption(f"{finding.rule.why} {finding.rule.remedy} {finding.rule.reference}")


@_change
def _clear_findings() -> None:
    _steering().clear_findings()


@drawing.fragment(run_every=2)
@_while_it_responds
def _requests() -> None:
    sandbox = _shown()
    with sandbox.lock:
        entries = sandbox.log.entries()
    if not entries:
        st.caption("No requests yet.")
        return
    table.draw(
        "sandbox.requests",
        {
            "no.": [entry.number for entry in entries],
            "time": [entry.at for entry in entries],
            "method": [entry.method for entry in entries],
            "path": [entry.path for entry in entries],
            "client": [entry.client_id or "" for entry in entries],
            "grant": [entry.grant_type or "" for entry in entries],
            "status": [str(entry.status or "") for entry in entries],
            "error": [entry.error or "" for entry in entries],
            "fault": [entry.fault or "" for entry in entries],
            "took": [duration(round(entry.duration_ms)) for entry in entries],
            "request id": [entry.request_id for entry in entries],
        },
    )


@_change
def _reset() -> None:
    _steering().reset()
    for client in _shown().clients():
        st.session_state[f"sandbox.active.{client.client_id}"] = client.active
        st.session_state[f"sandbox.grants.{client.client_id}"] = sorted(client.grants)


TABS: dict[str, Callable[[], None]] = {
    "Clients": _clients,
    "Codes and tokens": _issued,
    "Faults": _faults,
    "Lint": _lint,
    "Requests": _requests,
}
"""The tabs with what they show, drawn while they are open."""

page()
