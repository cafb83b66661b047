"""Errors over time, and how long each step took. A bar or a step that is clicked becomes the filter."""

from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import altair
import pandas as pd
import streamlit as st

from oauth.formatting import duration
from oauth.history.charts import PERCENTILES, Durations, Errors, durations, errors
from oauth.history.filters import Filters
from oauth.installation import current
from pages.parts.common import clock
from pages.parts.history import cache, url_state

SECONDS = 3.0
"""How long one chart may take; what is slower is drawn of the newest exchanges."""

ERRORS = "history.chart.errors"
DURATIONS = "history.chart.durations"
_WIDTH = "history.chart.width"

_TONES = ("#a3d9d2", "#52b3a7", "#17897e")
"""The accent colour of the pages, the darker the rarer."""

_UNITS: dict[timedelta, Literal["utcyearmonthdate", "utcyearmonthdatehours", "utcyearmonthdatehoursminutes"]] = {
    timedelta(days=1): "utcyearmonthdate",
    timedelta(hours=1): "utcyearmonthdatehours",
    timedelta(minutes=1): "utcyearmonthdatehoursminutes",
}


def draw(filters: Filters, resolved: Filters, version: object) -> None:
    """Draw both charts. Raises ``HistoryError``."""
    history, subject = current().history, (filters.line, version)
    st.markdown("**Documented errors over time**")
    with st.spinner("Counting errors", show_time=True):
        by_time = cache.kept("errors", subject, lambda: errors(history, resolved, SECONDS, clock.tz()))
    _errors(by_time)
    st.markdown("**How long an answer takes**")
    with st.spinner("Measuring answers", show_time=True):
        took = cache.kept("durations", subject, lambda: durations(history, resolved, SECONDS))
    _durations(took)


def _errors(found: Errors) -> None:
    if not found.bars:
        st.caption("None of these exchanges has a documented error.")
        return
    st.session_state[_WIDTH] = found.width
    # What the reader's clock shows, said to be UTC and drawn as UTC: the browser then shifts nothing.
    frame = pd.DataFrame(
        [
            (start.replace(tzinfo=UTC), f"{start:%Y-%m-%dT%H:%M}", str(number), count)
            for start, number, count in found.bars
        ],
        columns=["time", "start", "error", "count"],
    )
    bars = (
        altair.Chart(frame)
        .mark_bar()
        .encode(
            x=altair.X("time:T", timeUnit=_UNITS[found.width], title=None, scale=altair.Scale(type="utc")),
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
    st.altair_chart(bars, key=ERRORS, on_select=_error_chosen)
    _partly(found.newest)


def _durations(found: Durations) -> None:
    if not found.steps:
        st.caption("None of these exchanges has an answer.")
        return
    frame = pd.DataFrame(
        [
            (step, f"p{percentile}", max(took, 1), duration(took), f"{count:,}")
            for step, count, values in found.steps
            for percentile, took in zip(PERCENTILES, values, strict=True)
        ],
        columns=["step", "percentile", "took", "shown", "answers"],
    )
    order = [step for step, _, _ in found.steps]
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
            tooltip=["step:N", "percentile:N", "shown:N", "answers:N"],
        )
        .add_params(altair.selection_point("step", fields=["step"]))
    )
    st.altair_chart(
        (base.mark_line(opacity=0.35, color="gray").encode(detail="step:N") + marks).properties(
            height=60 + 36 * len(order)
        ),
        key=DURATIONS,
        on_select=_step_chosen,
    )
    table = [
        f"{step:<12}{count:>12,}" + "".join(f"{duration(took):>14}" for took in values)
        for step, count, values in found.steps
    ]
    heads = f"{'step':<12}{'answers':>12}" + "".join(f"{f'p{value}':>14}" for value in PERCENTILES)
    st.code("\n".join([heads, *table]), language=None)
    _partly(found.newest)


def _partly(newest: int | None) -> None:
    if newest is not None:
        st.caption(f"Drawn of the newest {newest:,} exchanges; all of them take too long. Narrow the filters for all.")


def _chosen(key: str, name: str) -> dict[str, Any]:
    points = st.session_state[key]["selection"].get(name) or [{}]
    return dict(points[0])


def _error_chosen() -> None:
    point = _chosen(ERRORS, "bar")
    if not point:
        return
    start = datetime.fromisoformat(point["start"])
    width: timedelta = st.session_state[_WIDTH]
    form = "%Y-%m-%d" if width == timedelta(days=1) else "%Y-%m-%dT%H:%M"
    end = start if width == timedelta(days=1) else start + width - timedelta(minutes=1)
    wanted = url_state.filters().put("since", f"{start:{form}}").put("until", f"{end:{form}}")
    url_state.put_filters(wanted.put("error", str(point["error"])))
    url_state.put(url_state.SHOW, None)


def _step_chosen() -> None:
    point = _chosen(DURATIONS, "step")
    if point:
        url_state.put_filters(url_state.filters().put("step", str(point["step"])))
        url_state.put(url_state.SHOW, None)
