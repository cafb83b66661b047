"""Draw an exchange: its outcome in one line, then Parsed, Raw and commands of the same captured bytes."""

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from oauth import formatting
from oauth.catalogue.explain import Explanation, remarks
from oauth.exchange import Exchange, Request, Response
from pages.parts.common import clock
from pages.parts.common.markdown import plain

MARK = "▶ "

USUAL_HEADERS = {"host", "user-agent", "accept", "accept-encoding", "content-length", "connection"}
"""Headers of every request, which say nothing about OAuth; only Raw shows them."""

_COMMANDS = {
    "HTTPie": (formatting.httpie, "bash"),
    "Python": (formatting.httpx_code, "python"),
}
"""Formatters of the same request for other tools, with the language of each."""


def draw(key: str, exchange: Exchange, explanation: Explanation | None, *, wide: bool = False) -> None:
    """Draw a redacted exchange, with ``wide`` request and response side by side. ``key`` begins its widget keys."""
    with st.container(border=True, key=f"{key}.exchange"):
        _headline(exchange, explanation)
        _remarks(exchange)
        tabs = st.tabs(["Parsed", "Raw", "cURL", *_COMMANDS], key=f"{key}.view")
        with tabs[0]:
            _parsed(exchange, explanation, *_places(wide))
        with tabs[1]:
            _raw(exchange, *_places(wide))
        with tabs[2]:
            draw_curl(exchange.request)
        for tab, (write, language) in zip(tabs[3:], _COMMANDS.values(), strict=True):
            with tab:
                st.caption("Secrets are placeholders: replace them with the real values before you run this.")
                st.code(write(exchange.request), language=language, wrap_lines=True)


def draw_curl(request: Request) -> None:
    """Draw a redacted request as a curl command, with shell variables in place of secrets."""
    command, variables = formatting.curl_to_run(request)
    if variables:
        st.caption(f"Set these shell variables first: {', '.join(f'`{name}`' for name in variables)}")
    st.code(command, language="bash", wrap_lines=True)


def _headline(exchange: Exchange, explanation: Explanation | None) -> None:
    row = f"row {exchange.id}" if exchange.id is not None else ""
    facts = filter(None, (clock.took(exchange), clock.at(exchange.started_at), row))
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        if exchange.response is not None:
            stated = f"{explanation.status} in the body" if explanation is not None and explanation.status else ""
            code = exchange.response.status or stated or "status unknown"  # a pasted response may have none
            status = f"{code} {plain(exchange.response.reason)}".strip()
            is_success = exchange.response.status < 400
            st.badge(status, color="red" if explanation is not None else "green" if is_success else "gray")
            if exchange.failure is not None:
                st.badge("from the proxy" if exchange.failure.kind.startswith("proxy_") else "incomplete", color="red")
        elif exchange.failure is not None:
            st.badge("no response", color="red")
        else:
            st.badge("no response recorded", color="gray")
        if "tls_unverified" in exchange.marks:
            st.badge("certificate not checked", icon=":material/no_encryption:", color="red")
        if "proxy" in exchange.marks:
            st.badge("through a proxy", color="gray")
        for mark in ("imported", "pasted"):
            if mark in exchange.marks:
                st.badge(mark, color="gray")
        if explanation is not None and explanation.error:
            st.text(explanation.error)
        st.caption(" · ".join(facts))


def _remarks(exchange: Exchange) -> None:
    """Draw the catalogue's warnings about an exchange, apart from its outcome."""
    for remark in remarks(exchange):
        show, icon = (st.error, "gpp_bad") if remark.danger else (st.warning, "info")
        remedy = "\n".join(f"- {line}" for line in remark.remedy)
        show(f"**{remark.title}**\n\n{remark.cause}\n\n{remedy}", icon=f":material/{icon}:")


def _places(wide: bool) -> tuple[DeltaGenerator, DeltaGenerator]:
    if wide:
        left, right = st.columns(2, gap="medium")
        return left, right
    return st.container(), st.container()


def _raw(exchange: Exchange, left: DeltaGenerator, right: DeltaGenerator) -> None:
    left.caption("Request")
    left.code(formatting.raw_request(exchange.request), language="http", wrap_lines=True)
    if exchange.response is not None:
        right.caption("Response")
        right.code(formatting.raw_response(exchange.response), language="http", wrap_lines=True)


def _parsed(exchange: Exchange, explanation: Explanation | None, left: DeltaGenerator, right: DeltaGenerator) -> None:
    if exchange.request.method:  # a pasted response may come without its request
        with left:
            st.caption("Request")
            target = f"{exchange.request.method} {exchange.request.url.partition('?')[0]}"
            headers = [pair for pair in exchange.request.headers if pair[0].lower() not in USUAL_HEADERS]
            lines = [f"{name}: {value}" for name, value in headers]
            lines += [f"{name} = {value}" for name, value in formatting.fields(exchange.request)]
            st.code("\n".join([target, *lines]), language=None, wrap_lines=True)
    with right:
        if exchange.response is not None:
            st.caption("Response")
            _body(exchange.response, explanation)
            if exchange.response.cut:
                st.caption(
                    "Truncated: only the first 1 MiB of the body is kept."
                    if exchange.failure is None
                    else "Truncated: the response ended here."
                )
        if exchange.failure is not None:
            st.caption("Error in the console" if exchange.failure.kind == "console_error" else "Connection error")
            st.code(exchange.failure.detail, language=None, wrap_lines=True)


def _body(response: Response, explanation: Explanation | None) -> None:
    text, language = formatting.pretty_body(response.body, response.headers)
    if not text:
        st.caption("The body is empty.")
        return
    words = explanation.matched_text if explanation is not None else ""
    if words and any(words in line for line in text.splitlines()):
        lines = (f"{MARK if words in line else '  '}{line}" for line in text.splitlines())
        st.code("\n".join(lines), language=None, wrap_lines=True)
    else:
        st.code(text, language=language, wrap_lines=True)
