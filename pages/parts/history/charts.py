"""Charts of errors over time and of durations by step. Clicking a bar or a step filters by it."""

from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import altair
import pandas as pd
import streamlit as st

from oauth.formatting import duration
from oauth.history.charts import PERCENTILES, Durations, Errors, durations, errors
from oauth.history.filters import Filters
from pages.parts.common import clock, session
from pages.parts.history import cache, url_state

SECONDS = 3.0
"""Time limit of one chart; beyond it, only the newest exchanges are drawn."""

ERRORS = "history.chart.errors"
DURATIONS = "history.chart.durations"
_WIDTH = "history.chart.width"

_TONES = ("#a3d9d2", "#52b3a7", "#17897e")
"""Shades of the accent colour, darker for higher percentiles."""

_UNITS: dict[timedelta, Literal["utcyearmonthdate", "utcyearmonthdatehours", "utcyearmonthdatehoursminutes"]] = {
    timedelta(days=1): "utcyearmonthdate",
    timedelta(hours=1): "utcyearmonthdatehours",
    timedelta(minutes=1): "utcyearmonthdatehoursminutes",
}


def draw(filters: Filters, resolved: Filters, version: object) -> None:
    """Draw both charts. Raises ``HistoryError``."""
    history, subject = session.history(), (filters.line, version)
    st.markdown("**Documented errors over time**")
    with st.spinner("Counting errors", show_time=True):
        by_time = cache.cached("errors", subject, lambda: errors(history, resolved, SECONDS, clock.tz()))
    _errors(by_time)
    st.markdown("**Response time**")
    with st.spinner("Measuring responses", show_time=True):
        took = cache.cached("durations", subject, lambda: durations(history, resolved, SECONDS))
    _durations(took)


def _errors(result: Errors) -> None:
    if not result.bars:
        st.caption("No documented errors in these exchanges.")
        return
    st.session_state[_WIDTH] = result.width
    # Local times labelled as UTC and drawn as UTC, so that the browser does not shift them.
    frame = pd.DataFrame(
        [
            (start.replace(tzinfo=UTC), f"{start:%Y-%m-%dT%H:%M}", str(number), count)
            for start, number, count in result.bars
        ],
        columns=["time", "start", "error", "count"],
    )
    bars = (
        altair.Chart(frame)
        .mark_bar()
        .encode(
            x=altair.X("time:T", timeUnit=_UNITS[result.width], title=None, scale=altair.Scale(type="utc")),
            y=altair.Y("sum(count):Q", title=None),
            color=altair.Color(
                "error:N",
                title="error",
                sort=sorted(frame["error"].unique(), key=int),
                scale=altair.Scale(scheme="tableau20"),
            ),
            tooltip=["start:N", "error:N", "count:Q"],
        )
        .add_params(altair.selection_point("bar", fields=["start", "error"]))
        .properties(height=240)
    )
    st.altair_chart(bars, key=ERRORS, on_select=_filter_by_error)
    _note_partial(result.newest)


def _durations(result: Durations) -> None:
    if not result.steps:
        st.caption("No responses in these exchanges.")
        return
    frame = pd.DataFrame(
        [
            (step, f"p{percentile}", max(took, 1), duration(took), f"{count:,}")
            for step, count, values in result.steps
            for percentile, took in zip(PERCENTILES, values, strict=True)
        ],
        columns=["step", "percentile", "took", "shown", "responses"],
    )
    order = [step for step, _, _ in result.steps]
    base = altair.Chart(frame).encode(
        y=altair.Y("step:N", title=None, sort=order),
        x=altair.X("took:Q", title="ms", scale=altair.Scale(type="log"), axis=altair.Axis(tickCount=5, grid=False)),
    )
    marks = (
        base.mark_circle(size=90)
        .encode(
            color=altair.Color(
                "percentile:N",
                title=None,
                scale=altair.Scale(domain=[f"p{value}" for value in PERCENTILES], range=list(_TONES)),
            ),
            tooltip=["step:N", "percentile:N", "shown:N", "responses:N"],
        )
        .add_params(altair.selection_point("step", fields=["step"]))
    )
    st.altair_chart(
        (base.mark_line(opacity=0.35, color="gray").encode(detail="step:N") + marks).properties(
            height=60 + 36 * len(order)
        ),
        key=DURATIONS,
        on_select=_filter_by_step,
    )
    table = [
        f"{step:<12}{count:>12,}" + "".join(f"{duration(took):>14}" for took in values)
        for step, count, values in result.steps
    ]
    heads = f"{'step':<12}{'responses':>12}" + "".join(f"{f'p{value}':>14}" for value in PERCENTILES)
    st.code("\n".join([heads, *table]), language=None)
    _note_partial(result.newest)


def _note_partial(newest: int | None) -> None:
    if newest is not None:
        st.caption(
            f"Only the newest {newest:,} exchanges are drawn: there are too many. Narrow the filters to include all."
        )


def _selected(key: str, name: str) -> dict[str, Any]:
    points = st.session_state[key]["selection"].get(name) or [{}]
    return dict(points[0])


def _filter_by_error() -> None:
    point = _selected(ERRORS, "bar")
    if not point:
        return
    start = datetime.fromisoformat(point["start"])
    width: timedelta = st.session_state[_WIDTH]
    form = "%Y-%m-%d" if width == timedelta(days=1) else "%Y-%m-%dT%H:%M"
    end = start if width == timedelta(days=1) else start + width - timedelta(minutes=1)
    filters = url_state.filters().put("since", f"{start:{form}}").put("until", f"{end:{form}}")
    url_state.put_filters(filters.put("error", str(point["error"])))
    url_state.put(url_state.SHOW, None)


def _filter_by_step() -> None:
    point = _selected(DURATIONS, "step")
    if point:
        url_state.put_filters(url_state.filters().put("step", str(point["step"])))
        url_state.put(url_state.SHOW, None)
