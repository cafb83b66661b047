"""Errors in free text, as client libraries and people write them: ``invalid_grant: Code not valid``.

The forms are in ``shapes.toml``. The text is read once, word by word; a form looks at a bounded part of it.
"""

import html
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from urllib.parse import parse_qsl, unquote

from oauth.catalogue.entries import CatalogueError, documented, registered
from oauth.catalogue.shapes import (
    Printed,
    bare,
    canonical_code,
    is_error_code,
    is_phrase,
    is_random,
    known_texts,
    table,
)

_GAP = re.compile(r"\W{1,6}")
KNOWN = "known text"
"""The form of a text that is known as a whole."""
ALONE = "code alone"
"""The form of a code without words."""
LONGEST_WORDS = 1200
"""Characters that a description may have."""
_NEAR = 2000
"""Characters around an error with words in which its code alone says nothing new."""
_LIST = 3
"""Different codes alone that make a text a list of codes, as in source code and documentation, and no report."""
_MOST_FIELDS = 50
_LONGEST_WORD = 80


@dataclass(frozen=True, slots=True)
class Words:
    """An error in a text, from ``start`` to ``end``, in the provider's words; empty where the text has none.

    ``status`` is the HTTP status within the form, ``is_cut`` is set where a logger cut the description off, and
    ``form`` names the way in which it is printed.
    """

    start: int
    end: int
    error: str
    description: str
    human_title: str = ""
    status: int | None = None
    is_cut: bool = False
    form: str = ""


_WORD = re.compile(r"\w{3,}")
_NUMBER = re.compile(r"(?:AADSTS|AADB2C|MSIS|IDX)\d{4,7}\Z")
_EXCEPTION = re.compile(
    r"\w{0,40}(?:auth|token|grant|client|opError|provider|refresh|access|openid|oidc|login|msal"
    r"|response|request|credential)\w{0,40}(?:exception|error)\Z|operror\Z|apierror\Z",
    re.IGNORECASE,
)
_QUERY_NAMES = frozenset({"error", "error_description", "error_reason", "error_code", "error_human_title"})
_QUERY = re.compile(
    r"(?:error|error_description|error_reason|error_code|error_human_title)=[^\s&=#\"'<>`{}]{0,1500}+"
    r"(?:(?:&amp;|\\u0026|[&#])[\w.%\[\]-]{1,64}=[^\s&=#\"'<>`{}]{0,1500}+=*+){0,12}+",
    re.IGNORECASE,
)
_QUERY_DESCRIPTIONS = ("error_description", "error_message", "message", "description", "error_reason")
_CLOSERS = {'"': '"', "'": "'", "`": "`", "“": "”", "‘": "’", "„": "”", "«": "»"}
_END = re.compile(
    r"[\r\n]|\\[nrt]|\x1b"
    r"|(?<!\s)[,;]?\s+[\w.\[\]-]{1,40}=(?=[^\s=])"  # another member of a log line
    r"|[,;]\s{0,3}\\?[\"']?(?:error_?\w{1,20}|state|status|code|scope|\w{1,20}id|\w{1,30}_\w{1,30})\\?[\"']?\s{0,3}[:=]"
    r"|,\s?(?:null|nil|None)\b|\s\[(?:\w{1,30}|HTTP \d{3})\](?:\s|\Z)"
    r"|(?<!\s)\s+(?:at\s+[\w$.<>/\[\]\\-]+(?:[(:]|\s[\[(])|(?:thrown\s+)?in\s+(?:/|[A-Z]:\\)|(?:Trace|Correlation) ID:"
    r"|for url:|Timestamp:|[{<]|\((?:at\s|https?:|[Ss]tatus|HTTP|\S{1,80}:\d)|https?://|[|]\s|--+\s|#\d)"
    r"|:?\s?\\?\"?\{(?=\\?[\"'\s]|\Z)|;\s{0,3}nested exception|\[(?=[\[\]{\"'])|</?[a-z]+>"
)
_SENTENCE = re.compile(r"(?<!\be\.g)(?<!\bi\.e)[.!?](?=\s+[A-Z\"'(\[{<«“])")
_STATUS_TAIL = re.compile(r":\s*([1-5]\d\d)\b(?:[ ][A-Z][A-Za-z -]{1,40})?(?:\s*:|\s*\Z)")
_MARK = re.compile(r"(?<!\s)\s*(?:[(\[<]?(?:\.{3}|…)?\s?truncated[^\n]{0,40}|\.{3,}|…)\s*\Z", re.IGNORECASE)
_NOTHING = frozenset(
    {"null", "none", "nil", "undefined", "true", "false", "n/a", "some", "(null)", "error", "errors", "errorcode",
     "error_code", "statuscode", "status_code", "exception", "error_description"}
)  # fmt: skip
_AFTER_KNOWN = re.compile(
    r"\s*(?:\Z|[\r\n]|[.,;!?\"'`)\]}>&|{(\[<«»“”’]|\\|-\s|--|\s(?:when|whenever|after|if|and|but|while|error|message|response|as"
    r"|because|since|every|again|so|at|in|on|from|with)\b)"
)
_CODE_AFTER = re.compile(r"\s*[(\[]([a-z]+_[a-z_]+)[)\]]")
_BRACKETS = re.compile(r"[()\[\]{}]")
_SEPARATOR = r"""(?:\]\s{1,3}|\\?["']?\)?\s{0,3}(?:=>|[:=])\s{0,3})"""
_CODE = r"(?P<error>\w+)"
_ANY = r"(?P<any>[A-Za-z][\w.-]{1,80})"


def find(text: str, start: int = 0, end: int | None = None) -> Iterator[Words]:
    """Yield the errors between two places of a text, in its order.

    A code alone is left out near the same code with words.
    """
    results = list(_joined(text, _all(text, start, len(text) if end is None else end)))
    alone = {words.error for words in results if words.form == ALONE}
    if len(alone) >= _LIST:
        results = [words for words in results if words.form != ALONE]
    for place, words in enumerate(results):
        if (
            words.description
            or not words.error
            or not any(
                other.error == words.error and (other.description or index < place)
                for index, other in _neighbours(results, place)
            )
        ):
            yield words


def _joined(text: str, results: Iterator[Words]) -> Iterator[Words]:
    """Yield the errors, a code and the known text right behind it as one."""
    code: Words | None = None
    for words in results:
        if code is not None and not words.error and words.form == KNOWN and _GAP.fullmatch(text, code.end, words.start):
            words = replace(words, start=code.start, error=code.error)
        elif code is not None:
            yield code
        code = words if words.form == ALONE else None
        if code is None:
            yield words
    if code is not None:
        yield code


def _neighbours(results: list[Words], place: int) -> Iterator[tuple[int, Words]]:
    """Yield the errors near one, with their places: a few, so that many codes take no square of time."""
    for index in range(max(0, place - 8), min(len(results), place + 9)):
        if index != place and abs(results[index].start - results[place].start) <= _NEAR:
            yield index, results[index]


def _all(text: str, position: int, stop: int) -> Iterator[Words]:
    readers = _Readers()
    for match in _WORD.finditer(text, position, stop):
        # Most words have no reader: this line decides how long a text takes that has no error in it.
        if not (several := readers[match[0]]) or (start := match.start()) < position:
            continue
        for read in several:
            words = read(text, start, stop)
            if words is not None:
                yield words
                position = max(words.end, start + 1)
                break


_Reader = Callable[[str, int, int], Words | None]
_KINDS = {"exception": "<exception>", "class": "<class>", "number": "<number>"}
"""Kinds of words at which forms begin, in a spelling that no word has."""
_ENDINGS = ("exception", "error")


_MOST_WORDS = 10_000
"""Words that are remembered at a time: a text may have millions of different numbers."""


class _Readers(dict[str, tuple[_Reader, ...]]):
    """The readers by the word of one text at which they begin, looked for once."""

    def __missing__(self, word: str) -> tuple[_Reader, ...]:
        if len(self) >= _MOST_WORDS:
            self.clear()
        self[word] = _readers(word, word.lower()) if len(word) <= _LONGEST_WORD else ()
        return self[word]


def _readers(word: str, lowered: str) -> tuple[_Reader, ...]:
    """Return the readers that begin at a word, in their order."""
    readers = _by_word().get(lowered, ())
    if lowered in _classes():
        return readers if word.islower() else _by_word()["<exception>"] + _by_word()["<class>"]
    if lowered.endswith(_ENDINGS) and _EXCEPTION.match(word):
        return readers + _by_word()["<exception>"]
    return readers + _by_word()["<number>"] if word[-1].isdigit() and _NUMBER.match(word) else readers


@cache
def _by_word() -> Mapping[str, tuple[_Reader, ...]]:
    """Return the readers by the word, in lower case, at which they are tried."""
    readers: dict[str, list[_Reader]] = {}
    for name in _QUERY_NAMES:
        readers.setdefault(name, []).append(_query)
    for printed in table().printed:
        reader = _form(printed)
        for begin in printed.begins:
            words = [code for code in registered() if "_" in code] if begin == "code" else [_KINDS.get(begin, begin)]
            for word in words:
                readers.setdefault(word, []).append(reader)
    for reader, first in _known_readers():
        readers.setdefault(first, []).append(reader)
    return dict.fromkeys(_classes(), ()) | {word: tuple(several) for word, several in readers.items()}


@cache
def _classes() -> Mapping[str, str]:
    """Return the codes by the names of their classes: ``invalidgrant``, ``invalidgranterror``."""
    codes = (
        code
        for code in registered()
        if code.startswith(("invalid_", "unsupported_", "unauthorized_", "insufficient_")) and code != "invalid_request"
    )
    names = {code.replace("_", ""): code for code in codes}
    names |= {f"{name}{end}": code for name, code in names.items() for end in ("error", "exception")}
    return names | {"invalidrequesterror": "invalid_request"}


_OTHER_CLASSES = {"invalidrequestexception": "invalid_request"}
"""Names of classes that other libraries have too, so that they are an error only in a form of their own."""


def _form(printed: Printed) -> _Reader:
    """Return the reader of one form. Raises ``CatalogueError`` for an invalid pattern."""
    source = printed.pattern.replace("{sep}", _SEPARATOR).replace("{code}", _CODE).replace("{any}", _ANY)
    try:
        pattern = re.compile(
            source.replace("{status}", r"(?P<status>[1-5]\d\d)").replace("{words}", "(?P<words>)"), re.I
        )
    except re.error as error:
        raise CatalogueError(f"shapes.toml, printed {printed.name}: pattern: {error}.") from error
    return lambda text, start, stop: _read_form(printed, pattern, text, start, stop)


_BODY = re.compile(r"[:\s]{0,4}\\?\"?\{")
_SOURCE_BEFORE = re.compile(r"(?:[!=]==?|\bcase)\s{0,3}[\"']?\Z|(?:::|->|\$)\Z")
_SOURCE_AFTER = re.compile(r"[\"']?\s{0,3}(?:=>|\|\||&&|[!=]==?|\)\s{0,3}(?:\{|\|\||&&))|\.\w+\(")
_CONSTANT_BEFORE = re.compile(r"(?:error|code|[:=(])\W{0,4}\Z", re.IGNORECASE)


def _is_source(text: str, start: int, end: int, code: str) -> bool:
    """Return whether a code alone is a literal or a constant in source code, which names an error and is none."""
    before = text[max(0, start - 12) : start]
    if _SOURCE_BEFORE.search(before) or _SOURCE_AFTER.match(text, end, end + 40):
        return True
    return code.isupper() and not _CONSTANT_BEFORE.search(before)


def _read_form(printed: Printed, pattern: re.Pattern[str], text: str, start: int, stop: int) -> Words | None:
    match = pattern.match(text, start, stop)
    if match is None:
        return None
    groups = match.groupdict()
    code = groups.get("error") or groups.get("any") or ""
    if groups.get("any") and not _is_plausible(code):
        return None
    if groups.get("status") and is_phrase(code):
        return None  # "error 401: Unauthorized" says no more than the status
    if printed.name == ALONE and _is_source(text, match.start(), match.end(), code):
        return None
    error = _as_code(code)
    status = int(groups["status"]) if groups.get("status") else None
    words = Words(start, match.end(), error, groups.get("quoted") or "", status=status, form=printed.name)
    if groups.get("words") is None:
        return words
    at = match.end("words")
    opener = text[start - 1] if start and groups.get("error") else ""
    phrase = _take(text, at, stop, opener, is_whole="whole" in groups)
    if phrase is None:
        return words if printed.pattern.endswith(")?") else None
    first = _WORD.match(phrase.description)
    if first and first[0].lower() in registered() and not groups.get("any") and printed.begins[0] != "code":
        return None
    if groups.get("any") and code not in registered() and _BODY.match(text, phrase.end):
        return None  # the server's own words follow
    return replace(phrase, start=start, error=error, form=printed.name)


def _take(text: str, at: int, stop: int, opener: str, *, is_whole: bool = False) -> Words | None:
    """Take a description that begins at ``at``: in quotes, or up to the end of the sentence, the line or the form.

    ``opener`` is the sign before the form, whose closing sign ends it too. ``is_whole`` takes several sentences.
    """
    window = text[at : min(at + LONGEST_WORDS, stop)]
    skipped = len(window) - len(window.lstrip(" \t"))
    escaped = window.startswith("\\", skipped)
    quote = window[skipped + escaped : skipped + escaped + 1]
    if quote in _CLOSERS and quote:
        inside = _quoted(window, skipped + escaped + 1, _CLOSERS[quote], escaped)
        if inside is not None and "\n\n" not in inside[0]:
            description, length = inside
            return _made(at, at + length, description, is_whole=True, window_ends=False)
    end = len(window)
    if ending := _END.search(window, skipped):
        end = ending.start()
    closer = _CLOSERS.get(opener, "")
    if closer and (closing := _closing(window, skipped, closer)) is not None:
        end = min(end, closing)
    end = min(end, _unmatched(window, skipped, end))
    is_microsoft = is_whole or window.startswith(("AADSTS", "AADB2C"), skipped)
    if not is_microsoft and (sentence := _SENTENCE.search(window, skipped, end + 2 if end + 2 <= len(window) else end)):
        end = min(end, sentence.end())
    cut = end == len(window) == LONGEST_WORDS
    return _made(at, at + end, window[skipped:end], is_whole=is_microsoft, window_ends=cut)


def _made(at: int, end: int, description: str, *, is_whole: bool, window_ends: bool) -> Words | None:
    """Return a description as ``Words`` without a start, ``None`` where it says nothing."""
    status = None
    if not is_whole and (tail := _STATUS_TAIL.search(description)):
        status, description = int(tail[1]), description[: tail.start()]
    description = description.strip().rstrip(",;").removeprefix("=> ")
    if description.count("`") == 1:
        description = description.removesuffix("`")  # which Markdown opened before the form
    mark = _MARK.search(description, max(0, len(description) - 80))
    if mark:
        description = description[: mark.start()].rstrip()
    if description.casefold() in _NOTHING or not re.search(r"[^\W\d_]{2}", description):
        return None
    if (
        description[:1] in "{[<"
        or description.startswith(("http://", "https://"))
        or re.match(r"(?:HTTP )?[1-5]\d\d\b|see\b", description)
    ):
        return None
    if not is_whole and description.endswith("?"):
        return None
    if any(description == f"{entry.description}." for entry in documented().values()):
        description = description[:-1]
    return Words(at, end, "", description, status=status, is_cut=bool(mark) or window_ends)


def _quoted(window: str, start: int, closer: str, escaped: bool) -> tuple[str, int] | None:
    """Return the text up to a closing quote and the length of both; ``None`` where the quote is not closed."""
    if escaped:
        end = window.find("\\" + closer, start)
        return (window[start:end], end + 2) if end >= 0 else None
    position = start
    while (end := window.find(closer, position)) >= 0:
        if window[end - 1 : end] == "\\" and window[end - 2 : end - 1] != "\\":
            position = end + 1
            continue
        if closer == "'" and window[end + 1 : end + 2].isalpha():  # an apostrophe
            position = end + 1
            continue
        return _unescaped(window[start:end], closer), end + 1
    return None


def _unescaped(text: str, closer: str) -> str:
    """Return a text without the escapes of the language that it was printed in."""
    if "\\" not in text:
        return text
    try:
        return str(json.loads(f'"{text}"', strict=False))
    except ValueError:
        return text.replace("\\" + closer, closer)


def _closing(window: str, start: int, closer: str) -> int | None:
    position = start
    while (end := window.find(closer, position)) >= 0:
        after = window[end + 1 : end + 2]
        if not after.isalnum() and not (
            closer == '"' and window.find(closer, end + 1) >= 0 and after not in ",)}]; \n"
        ):
            return end
        position = end + 1
    return None


def _unmatched(window: str, start: int, end: int) -> int:
    """Return the position of the first bracket that closes none, or ``end``."""
    depth = 0
    for bracket in _BRACKETS.finditer(window, start, end):
        depth += 1 if bracket[0] in "([{" else -1
        if depth < 0:
            return bracket.start()
    return end


def _is_plausible(code: str) -> bool:
    """Return whether a text in the place of a code may be one: of several words, or one that speaks of an error."""
    if code.lower() in _NOTHING or is_random(code) or len(code) < 3 or _NUMBER.match(code):
        return False
    return bool(registered().get(canonical_code(code))) or "_" in code or is_error_code(code)


def _as_code(code: str) -> str:
    """Return a code as the server sent it: the name of a class or an enum stands for a registered one."""
    lowered = code.lower()
    if lowered in registered():
        return lowered
    if of_class := _classes().get(lowered) or _OTHER_CLASSES.get(lowered):
        return of_class
    canonical = canonical_code(code)
    return canonical if "_" not in code and canonical in registered() else code


def _query(text: str, start: int, stop: int) -> Words | None:
    """Read the parameters of a redirect in words (RFC 6749 §4.1.2.1)."""
    match = _QUERY.match(text, start, stop)
    if match is None:
        return None
    if not _is_worth(match[0]):
        return None
    query = match[0].rstrip(",;)]" if "+" in match[0] or "%" in match[0] else ".,;)]")
    source = html.unescape(query).replace("\\u0026", "&").replace("#", "&")
    try:
        pairs = parse_qsl(source, keep_blank_values=True, max_num_fields=_MOST_FIELDS)
    except ValueError:
        return None
    fields = {name.lower(): value for name, value in reversed(pairs)}
    error = fields.get("error", "")
    description = next((fields[name] for name in _QUERY_DESCRIPTIONS if fields.get(name)), "")
    description = unquote(description)  # a server that sends its own words on may encode them once more
    is_alone = len(fields) == 1 and not re.search(r"[+%]", source)
    if is_alone and (not error or error.lower() not in registered() or _MORE.match(text, match.end())):
        return None
    if error and not _is_plausible(error):
        return None
    if not error and "error_description" not in fields:
        return None
    title = fields.get("error_human_title", "")
    return Words(start, start + len(query), _as_code(error), description, title, form="query")


def _is_worth(query: str) -> bool:
    """Return whether parameters may be an error; parsing them takes much longer."""
    name, _, value = query[:_LONGEST_WORD].partition("&")[0].partition("=")
    has_words = "description=" in query or "message=" in query
    return has_words or name.lower() != "error" or value.rstrip(".,;)]").lower() in registered()


_MORE = re.compile(r"[\"',;\s]{1,4}(?:error_?)?(?:description|message)\s?[=:]", re.IGNORECASE)
"""The beginning of a description behind an error that is printed as ``error=code``."""


def _known_readers() -> Iterator[tuple[_Reader, str]]:
    """Yield a reader of each known text and human title, with the first word at which it begins."""
    texts = {entry.description: "" for entry in documented().values()}
    texts |= {item.text: item.error for item in table().texts}
    titles = {entry.human_title: entry.error for entry in documented().values() if entry.human_title}
    all_texts = [(text, code, False) for text, code in texts.items()]
    all_texts += [(text, code, True) for text, code in titles.items()]
    longest_first = sorted(all_texts, key=lambda item: -len(item[0]))
    for text, code, is_title in longest_first:
        first = _WORD.search(text)
        if first and first.start() == 0:
            yield _known(text, code, is_title), first[0].lower()


def _known(known: str, code: str, is_title: bool) -> _Reader:
    space = "[\\s\u200b\u200c\u200d\u2060\ufeff\u00ad\u00a0]+"
    words = [_loose(word) for word in known.rstrip(".").split()]
    source = space.join(words)

    def read(text: str, start: int, stop: int) -> Words | None:
        match = _compiled(source).match(text, start, stop)
        if match is None or not _AFTER_KNOWN.match(text, match.end(), stop):
            return None
        end, error = match.end(), code
        if after := _CODE_AFTER.match(text, end, stop):
            end, error = (after.end(), after[1]) if after[1] in registered() else (end, error)
        if is_title:
            return Words(start, end, error, "", match[0], form="human title")
        return Words(start, end, error, known if bare(match[0]) in known_texts() else match[0], form=KNOWN)

    return read


@cache
def _compiled(source: str) -> re.Pattern[str]:
    """Return the pattern of a known text, which is not compiled before a text has its first word: it takes long."""
    return re.compile(source, re.IGNORECASE)


def _loose(word: str) -> str:
    """Return a pattern of a word with any quotes, also as entities or escaped."""
    parts = re.split("(['\"])", word)
    quotes = {
        "'": r"(?:['’‘‛′`´]|&#0?39;|&apos;|&rsquo;|\\u0027|\\')",
        '"': r"(?:\\?[\"“”„‟″«»'`]|&quot;|&#34;|\\u0022)",
    }
    return "".join(quotes.get(part, re.escape(part)) for part in parts)
