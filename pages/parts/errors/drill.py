"""Drills on the Errors page: run one or all, show progress, compare expected and actual."""

from collections.abc import Mapping, Sequence
from contextlib import closing
from functools import cache

import streamlit as st

from oauth.catalogue import registered_for
from oauth.drills import Drill, Outcome, Setting, drills, needs_confirmation, preview, run, unavailable
from oauth.drills.schema import Authorize, Call
from oauth.flow import Client, client_from
from oauth.formatting import raw_request
from oauth.installation import current, now
from oauth.providers import Provider
from pages.parts.common import card, exchange, sandboxes, session
from pages.parts.common.markdown import escaped

__all__ = ["Setting", "by_entry", "draw", "mark", "run_all", "setting"]

OUTCOMES = "errors.outcomes"


def setting(provider: Provider) -> Setting:
    """Return the setting of drills: the provider with its ready-made client, or else the walkthrough's own."""
    walkthrough = session.get()
    if provider.clients:
        client = client_from(provider.clients[0])
    else:
        client = walkthrough.flow.client if walkthrough is not None else Client("", "")
    return Setting(
        provider=provider,
        client=client,
        redirect_uri=session.callback_address(),
        new_recorder=current().recorder,
        now=now,
        owner=session.owner(),
        flow=walkthrough.flow if walkthrough is not None else None,
        control_token=current().settings.control_token_for(session.origin()),
    )


@cache
def by_entry() -> Mapping[str, Sequence[Drill]]:
    """Return the drills of each entry of the catalogue that has any, by its id."""
    drills_of: dict[str, list[Drill]] = {}
    for item in drills():
        drills_of.setdefault(_entry(item), []).append(item)
    return drills_of


def _entry(item: Drill) -> str:
    """Return the id of the entry that a drill's response is explained by."""
    if item.number is not None:
        return f"partner/{item.number}"
    if item.entry:
        return item.entry
    last = item.steps[-1]
    endpoint = "authorization" if isinstance(last, Authorize) else "resource" if isinstance(last, Call) else "token"
    meaning = registered_for(item.code, endpoint) if item.code else None
    return meaning.entry if meaning else f"answer/{item.answer}"


def run_all(where: Setting) -> None:
    """Draw the button that runs every drill without a confirmation, and the verdicts."""
    runnable = [item for item in drills() if not unavailable(item, where) and not needs_confirmation(item, where)]
    if where.provider.control:
        sandboxes.say_whose()
    with st.container(horizontal=True, vertical_alignment="center", gap="medium"):
        is_pressed = st.button(
            f"Run all {len(runnable)} drills",
            key="errors.run_all",
            icon=":material/play_arrow:",
            disabled=not runnable,
            help="Each drill produces its error on purpose. The history keeps the exchanges under the case drill.",
        )
        outcomes = _outcomes()
        if outcomes and not is_pressed:
            passed = sum(outcome.passed for outcome in outcomes.values())
            failed = len(outcomes) - passed
            colour = "red" if failed else "green"
            st.markdown(f":{colour}-badge[{passed} passed, {failed} failed]", width="content")
    if is_pressed:
        bar = st.progress(0.0, "Starting")
        for position, item in enumerate(runnable):
            label = f"{position + 1} of {len(runnable)} · {item.title}"
            bar.progress(position / len(runnable), label)
            with closing(run(item, where)) as running:
                for progress in running:
                    if progress.is_waiting:
                        bar.progress(position / len(runnable), f"{label} · {progress.text}")
                    if progress.outcome is not None:
                        outcomes[item.id] = progress.outcome
        st.rerun()


def draw(items: Sequence[Drill], where: Setting) -> None:
    """Draw drills, each with its button and its outcome."""
    for item in items:
        with st.container(border=True, gap="small", key=f"drill.{item.id}"):
            _one(item, where)


def mark(items: Sequence[Drill]) -> str:
    """Return the outcome of an error's drills in a few words; their number before the first run."""
    outcomes = [outcome for item in items if (outcome := _outcomes().get(item.id)) is not None]
    if not outcomes:
        return str(len(items)) if items else ""
    failed = sum(not outcome.passed for outcome in outcomes)
    return f"{failed} of {len(outcomes)} failed" if failed else f"{len(outcomes)} passed"


def _one(item: Drill, where: Setting) -> None:
    reason = unavailable(item, where)
    confirmation = "" if reason else needs_confirmation(item, where)
    head = st.container(horizontal=True, vertical_alignment="center", gap="medium", wrap=False)
    # One element: an error has up to eight drills.
    head.markdown(f"**{item.title}**  \n:small[:gray[{item.shows}]]", width="stretch")
    is_confirmed = True
    if reason:
        st.caption(escaped(reason))
    elif not where.provider.control:
        with st.expander("Preview requests", key=f"drill.{item.id}.preview"):
            for request in preview(item, where):
                st.code(raw_request(request), language="http", wrap_lines=True)
        if confirmation:
            is_confirmed = st.checkbox(confirmation, key=f"drill.{item.id}.sure")
    is_pressed = head.button("Run", key=f"drill.{item.id}.run", disabled=bool(reason) or not is_confirmed)
    if is_pressed:
        # Closed when the user leaves the page, so that the drill undoes its changes.
        with st.status("Running", expanded=True) as status, closing(run(item, where)) as running:
            for progress in running:
                if progress.is_waiting:
                    status.update(label=progress.text)
                    continue
                status.update(label=f"{progress.done} of {progress.total}", expanded=True)
                st.text(progress.text)
                if progress.outcome is not None:
                    _outcomes()[item.id] = progress.outcome
        st.rerun()
    if (outcome := _outcomes().get(item.id)) is not None:
        _outcome(item, outcome)


def _outcome(item: Drill, outcome: Outcome) -> None:
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        st.badge("passed" if outcome.passed else "failed", color="green" if outcome.passed else "red")
        st.text(outcome.actual)
    if not outcome.passed:
        st.code(f"expected  {outcome.expected}\nactual    {outcome.actual}", language=None, wrap_lines=True)
    for problem in filter(None, (outcome.trouble, outcome.not_kept)):
        st.text(problem)
    if outcome.exchanges:
        with st.expander("Show exchanges", key=f"drill.{item.id}.details"):
            if outcome.explanation is not None:
                card.draw(f"drill.{item.id}", outcome.exchanges[-1], outcome.explanation, outcome.diagnosis)
            for position, item_exchange in enumerate(outcome.exchanges, 1):
                last = position == len(outcome.exchanges)
                explanation = outcome.explanation if last else None
                exchange.draw(f"drill.{item.id}.{position}", item_exchange, explanation)


def _outcomes() -> dict[str, Outcome]:
    """Return the outcomes of this session's drills, which are redacted."""
    outcomes: dict[str, Outcome] = st.session_state.setdefault(OUTCOMES, {})
    return outcomes
