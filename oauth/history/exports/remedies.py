"""What the catalogue says to do about each row, said in SQL where that is plain.

Most rows need no look of their own: they hold the number of a documented error, they plainly succeeded, or there is no
response and the kind of failure says it all. What is not plain is explained one by one, as everywhere else.
"""

from collections.abc import Callable
from datetime import UTC, datetime

from oauth.catalogue import documented
from oauth.catalogue.entries import answers
from oauth.catalogue.explain import explain
from oauth.exchange import Exchange, Failure, Request, Step
from oauth.history.exports.sql import Sql, literal

READ = ("documented_error", "step", "status", "response_headers", "response_body", "response_cut", "method", "url",
        "request_headers", "request_body", "failure", "failure_detail", "marks")  # fmt: skip
"""The columns that say what to do."""

_EARLY = datetime.min.replace(tzinfo=UTC)

# Longer JSON may hold a number of more digits than Python reads (4300), and deeper nests are not read either.
_LONGEST = 4000
_SURELY_SHALLOW = 900
_DEEPEST = 400

# For PostgreSQL, which cannot ask whether a text is JSON (RFC 8259) without failing: objects of one or two levels. It
# builds its machine anew for each text, so the expressions are as small as they can be for what most bodies are.
_PLAIN = r'"[^"\\\u0001-\u001f]*"'
_ESCAPED = r'"(?:[^"\\\u0001-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"'
_NUMBER = r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?"


def _json(text: str, *, nested: bool) -> str:
    """An expression for an object whose texts fit ``text``, with at most one space where JSON may have white space."""
    value = f"(?:{text}|{_NUMBER}|true|false|null)"
    flat = _object(text, value)
    return f"^{_object(text, f'(?:{value}|{flat})') if nested else flat}$"


def _object(text: str, value: str) -> str:
    return rf"\{{{text}: ?{value}(?:, ?{text}: ?{value})*\}}"


def remedy(exchange: Exchange, number: int | None) -> str:
    """What the catalogue says to do about one exchange, whose documented error is ``number``; empty if all is well."""
    found = documented().get(number or 0) or explain(exchange)
    return "\n".join(found.remedy) if found else ""


def known(sql: Sql, written: Callable[[str], str]) -> str:
    """The remedy of a row as an SQL expression, each text as ``written`` puts it; null where it is not plain."""
    by_number = " ".join(f"WHEN {number} THEN {written(_text(entry.remedy))}" for number, entry in documented().items())
    well = written("")
    return f"""CASE
        WHEN documented_error IS NOT NULL THEN CASE documented_error {by_number} END
        WHEN step = 'callback' THEN CASE WHEN {_came_back(sql)} THEN {well} END
        WHEN status IS NULL THEN {_unanswered(written)}
        WHEN response_cut OR failure <> '' THEN NULL
        WHEN step = 'authorize' THEN CASE WHEN {_sent_on(sql)} THEN {well} END
        WHEN status NOT BETWEEN 200 AND 299 THEN NULL
        WHEN step = 'api' THEN CASE WHEN {_api_succeeded(sql)} THEN {well} END
        WHEN step = 'token' OR step = 'refresh' THEN CASE WHEN {_token_was_given(sql)} THEN {well} END
        END"""


def _text(lines: tuple[str, ...]) -> str:
    return "\n".join(lines)


def _unanswered(written: Callable[[str], str]) -> str:
    """What to do where there is no response: only the step and the kind of the failure count."""

    def told(step: Step, kind: str) -> str:
        failure = Failure(kind) if kind else None
        return written(remedy(Exchange(step, Request("", ""), _EARLY, failure=failure), None))

    kinds = " ".join(f"WHEN {literal(kind)} THEN {told(Step.API, kind)}" for kind in answers())
    awaited = f"CASE step WHEN 'authorize' THEN {told(Step.AUTHORIZE, '')} ELSE {told(Step.API, '')} END"
    return f"CASE failure WHEN '' THEN {awaited} {kinds} ELSE {told(Step.API, 'unheard of')} END"


# Each of these says of which rows ``explain`` has surely nothing to say; of the others it may. All but the first are
# given only rows with a whole answer, the last two only successes.


def _came_back(sql: Sql) -> str:
    """The address has a code and no error, and needs no decoding to be read, placeholders aside."""
    question, fragment = sql.place("url", "?"), sql.place("url", "#")
    start = sql.before("url", "?")
    odd = " OR ".join(sql.has("url", part) for part in ("%", "error", "\t", "\r", "\n", "[", "]"))
    first = f"{question} = {sql.place('url', '?code=')}"
    later = f"{sql.has('url', '&code=')} AND NOT {sql.has(start, '&')}"
    # One by form_post has its parameters in its body.
    return f"""method <> 'POST' AND {sql.between("url", "http", "httpt")} AND NOT ({odd}) AND {question} > 0
        AND {fragment} NOT BETWEEN 1 AND {question} AND {sql.is_ascii(start)} AND ({first} OR {later})"""


def _sent_on(sql: Sql) -> str:
    telling = [sql.has_any_case("response_headers", part) for part in ("www-authenticate", "error")]
    telling.append(sql.has("response_headers", "%"))
    return f"status BETWEEN 300 AND 399 AND response_body = '' AND NOT ({' OR '.join(telling)})"


def _token_was_given(sql: Sql) -> str:
    """A flat object with one ``access_token``, which is a text and not empty."""
    name = '"access_token"'
    again = sql.has(f"substr(response_body, {sql.place('response_body', name)} + 1)", name)
    odd = (
        sql.has("substr(response_body, 2)", "{"),
        sql.has("response_body", "["),
        sql.has("response_body", '\\"'),
        again,
    )
    if sql.sqlite:
        given = " OR ".join(
            f"response_body GLOB {literal(f'*{name}:{white}{chr(34)}[^{chr(34)}]*')}" for white in ("", " ")
        )
    else:
        given = f"response_body ~ {literal(f'{name}: ?{chr(34)}[^{chr(34)}]')}"
    return f"({given}) AND NOT ({' OR '.join(odd)}) AND {_is_json(sql, nested=False)}"


def _api_succeeded(sql: Sql) -> str:
    return _is_json(sql, nested=True)


def _is_json(sql: Sql, *, nested: bool) -> str:
    """An object or a list without an error, and without escapes that could hide a name in ASCII."""
    body = "response_body"
    odd = [sql.has(body, '"error')]
    odd += [sql.has_any_case("response_headers", part) for part in ("www-authenticate", "location")]
    if sql.sqlite:
        odd.append(rf"{body} GLOB '*\u00[0-7]*'")
        opened = f"length({body}) - length(replace(replace({body}, '[', ''), '{{', ''))"
        shallow = f"length({body}) < {_SURELY_SHALLOW} OR length({body}) < {_LONGEST} AND {opened} < {_DEEPEST}"
        begins = f"{sql.between(body, '{', '|')} OR {sql.between(body, '[', chr(92))}"
        read = f"({begins}) AND ({shallow}) AND json_valid({body})"
    else:
        odd.append(rf"{body} ~ '\\u00[0-7]'")
        plain, escaped = (literal(_json(text, nested=nested)) for text in (_PLAIN, _ESCAPED))
        escapes = sql.has(body, "\\")
        fits = f"CASE WHEN {escapes} THEN {body} ~ {escaped} ELSE {body} ~ {plain} END"
        read = f"{sql.size(body)} < {_LONGEST} AND {fits}"
    return f"NOT ({' OR '.join(odd)}) AND {read}"
