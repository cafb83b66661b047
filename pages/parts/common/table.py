"""Tables: one column per name, with times in the reader's zone."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

import pandas as pd
import streamlit as st

from pages.parts.common import clock


def draw(
    key: str,
    columns: Mapping[str, list[Any] | tuple[Any, list[Any]]],
    max_height: int = 400,
    on_select: Callable[[], None] | None = None,
    selected: Sequence[int] = (),
) -> None:
    """Draw a table. A column is its values, or its width or whole configuration and its values.

    ``max_height`` is in pixels. ``on_select`` is called when a line is selected or deselected; ``selected`` has the
    line that is selected already.
    """
    if on_select is not None:
        st.session_state[key] = {"selection": {"rows": list(selected), "columns": [], "cells": []}}
    data: dict[str, Any] = {}
    configs: dict[str, Any] = {}
    for name, column in columns.items():
        config, values = column if isinstance(column, tuple) else (None, column)
        is_width = config is None or isinstance(config, str | int)
        configs[name] = st.column_config.Column(width=config) if is_width else config
        data[name] = values
        if values and isinstance(values[0], datetime):
            form = "YYYY-MM-DD HH:mm:ss"
            configs[name] = st.column_config.DatetimeColumn(width=config, format=form, timezone=clock.zone())
            data[name] = pd.to_datetime(values, utc=True)
    frame = pd.DataFrame(data)
    selection: dict[str, Any] = {"on_select": on_select, "selection_mode": "single-row"} if on_select else {}
    st.dataframe(
        frame,
        key=key,
        hide_index=True,
        placeholder="",
        height=min(max_height, 40 + 32 * len(frame)),
        row_height=32,
        column_config=configs,
        **selection,
    )


def selected_line(key: str) -> int | None:
    """Return the line that is selected in a table, from 0."""
    return next(iter(st.session_state[key]["selection"]["rows"]), None)
