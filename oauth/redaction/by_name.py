"""Secrets by name: fields of URLs, forms, JSON, markup, multipart, cookies and credentials, wherever they stand.

Nothing here trusts a content type or needs a well-formed text: every rule looks for a name and reads the value behind
it, so bodies that are cut, sloppy, mislabelled or inside one another are read like any other. Every rule runs in
linear time: none starts over inside what it has read.
"""

import base64
import binascii
import html
import re
import string
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from urllib.parse import unquote, unquote_plus

from oauth.redaction.decodings import View, unescape_json
from oauth.redaction.names import secret_kind
from oauth.redaction.placeholders import HIDDEN, PATTERN

_HOLE = PATTERN
_WORD = r"[A-Za-z0-9_.$\[\]-]"

_KEY = re.compile(r"""(["'])([^"'\s{},]{1,100}+)(?<!\\)\1\s{0,99}:\s{0,99}""")
_KEY_IN_DOUBLE = re.compile(r"""(")([^"'\s{},]{1,100}+)(?<!\\)"\s{0,99}:\s{0,99}""")
"""The same where the text has no single quotes: it begins with a fixed sign, which is looked for quickly."""

_NAME_IN_DOUBLE = re.compile(r""""([^"'\s{},]{1,100}+)(?<!\\)"\s{0,99}:""")
"""The names alone: many are looked at faster than their places."""

_JSON_TOKEN = re.compile(rf"""["'{{}}\[\]]|(?:{_HOLE}|[^\s"'{{}}\[\],:])+""")
_VALUE_KEY = re.compile(r"""["']?\s{0,99},\s{0,99}["']value["']\s{0,99}:\s{0,99}""", re.IGNORECASE)
_BEFORE_QUOTE = {'"': re.compile(r'["\\]'), "'": re.compile(r"['\\]")}
_NAMED = "?name"
"""In the place of a kind: the name in the value tells it."""

_STRING_ENDS = re.compile(r"""[^\S\n]*(?:[,:}\])>;&]|["']|\n|\Z)""")
_SIMPLE_STRING = re.compile(rf'"([^"\\«]*)"(?={_STRING_ENDS.pattern})')
_ENCODED_QUOTE = re.compile(r"\\|%(?:25)*2[27]|&(?:amp;)*(?:quot|apos|#)")
_CONSTANTS = {"null", "true", "false", "None", "True", "False", "undefined"}

_PAIR = re.compile(rf"(?<!{_WORD})(?<!»)({_WORD}{{1,100}})\s{{0,3}}=(?!=)>?[^\S\n]{{0,3}}")
_BARE = re.compile(rf"""(?:(?:Bearer|DPoP|Basic)[ \t]+)?(?:{_HOLE}|[^\s&"'<>\\]|\\(?!["'/\\bfnrtu]))+""")
_BARE_IN_URL = re.compile(rf"""(?:{_HOLE}|[^\s&#"'<>\\]|\\(?!["'/\\bfnrtu]))+""")
_LINE = re.compile(
    rf"""(?m)(^[ \t]*(?:[<>*$-][ \t]+)?|[{{,]\s{{0,99}}|["'])({_WORD}{{1,100}})[ \t]{{0,9}}:[ \t]{{0,9}}"""
)
_LINE_END = re.compile(r"[\r\n]|\Z")
_COLON_BEHIND_WORD = re.compile(rf":(?<={_WORD}:|[ \t]:)")
_WORD_SIGNS = f"{string.ascii_letters}{string.digits}_.$[]-"

_URL_NAME = re.compile(r"(?<=[?&#])([^=&#?\s]{1,200})=")
_URL_VALUE = re.compile(rf"(?:{_HOLE}|[^&#])*")
_FORM_NAME = re.compile(r"(?:^|(?<=&))([^=&]{1,200})=")
_FORM_VALUE = re.compile(r"[^&]*")
_LIKE_FORM = re.compile(r"\s*[\w.%\[\]$-]{1,200}=")
_USERINFO = re.compile(r"""(?<=//)([^\s/?#"'<>\\@:]*)(?::([^\s/?#"'<>\\]*))?@""")

_ELEMENT = re.compile(r"<(?:[\w-]{1,50}:)?([A-Za-z][\w.-]{0,99})(?:\s[^<>]{0,2000})?>(?:<!\[CDATA\[)?")
_TAG = re.compile(r"<([A-Za-z]\w{0,20})\s[^<>]{0,8000}")
_ATTRIBUTE = re.compile(r"""\b(name|id|property|type|value|content)\s{0,9}=\s{0,9}(["']?)""", re.IGNORECASE)
_UNQUOTED = re.compile(rf"(?:{_HOLE}|[^\s>])*")

_PART = re.compile(
    r"""(?i)content-disposition:[^\r\n]*?\bname=(?:"([^"\r\n]*)"|([^;\s"]+))[^\r\n]*(?:\r?\n[^\r\n]+)*\r?\n\r?\n"""
)
_PART_END = re.compile(r"\r?\n--|\Z")

_KEY_BEGIN = re.compile(r"-----BEGIN (?:[A-Z0-9 ]{1,40} )?PRIVATE KEY(?: BLOCK)?-----")
_KEY_BODY = re.compile(r"""[^"'<>{}&]*""")
_BOUNDARY = re.compile(r"-----(?:BEGIN|(END)) [A-Z0-9 ]{1,60}-----")

SHORTEST = 8
"""Characters from which a secret is looked for by value; a shorter one would be found in plain words."""

QUOTES = ('"', "'")

AROUND = " \t\r\n\"'"
"""What stands around a secret without being a part of it."""

_EDGE = AROUND + "\\"

_SCHEMES = {"bearer", "basic", "dpop", "digest", "negotiate"}
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9._-]{0,29}[ \t]+(?=\S)")
_SENT_WITH_SCHEME = re.compile(r"(?:Bearer|DPoP|Basic)[ \t]+\S", re.IGNORECASE)
_CREDENTIAL_WORD = re.compile(r"""(?i)(?<![\w»])(?:Bearer|DPoP|Basic)[ \t]+(?=([^\s&"'<>,;\\]{8,}))""")
_BASIC_HIDDEN = re.compile(rf"(?:{_HOLE}|[^\s:])*:{_HOLE}")
_BASIC_USER = re.compile(r"""[!#-%(-9;?-\[\]-~]*""")
_COOKIE = re.compile(rf"\s*([\w!#$%&'*+.^`|~-]+=)?((?:{_HOLE}|[^;])*);?")

_JWT = re.compile(r"(?<![\w»-])eyJ[\w-]{8,}\.[\w-]{2,}(?:\.[\w-]*){1,3}")

_HEADER_LIKE = {"authorization", "proxy_authorization", "cookie", "set_cookie", "dpop"}
_URL_HEADERS = {"location", "content-location", "referer"}
_ERROR_NUMBER = re.compile(rf"-?(?:\d|{_HOLE}){{1,10}}")


@dataclass(slots=True)
class Found:
    """A secret in a text. ``readings`` are what it may stand for, the likeliest first.

    ``before`` is put in front of the placeholder. ``number`` says that the value stood without quotes in JSON.
    """

    start: int
    end: int
    kind: str
    readings: tuple[str, ...] = field(repr=False)
    before: str = ""
    number: bool = False


def in_text(views: Iterable[View], *, response: bool = False, lines: bool = True) -> list[Found]:
    """The secrets that have a name in the views of a text, with their places in the text that all views began with.

    In the body of a response a numeric ``code`` is an error number and no secret. With ``lines``, the text may be a
    whole form, and lines such as ``name: value`` are fields; that is right for a message and wrong for one field.
    """
    all_found: list[Found] = []
    for view in views:
        decoded = view.parent is not None
        for offset, end in view.leaves:
            for rule in _rules(text := view.text[offset:end], lines=lines, decoded=decoded):
                for found in rule(text):
                    if response and found.kind == "code" and _ERROR_NUMBER.fullmatch(found.readings[-1]):
                        continue
                    if decoded:
                        left, right = view.origin(offset + found.start, offset + found.end)
                        found = replace(found, start=left, end=right, number=False)
                    all_found.append(found)
    return all_found


def _rules(text: str, *, lines: bool, decoded: bool) -> list[Callable[[str], Iterator[Found]]]:
    """The rules that may find something in a text.

    Most texts lack the sign that a rule cannot do without, and to look for that is much quicker than the rule. The
    order counts: of two rules that find the same, the first names its kind.
    """
    rules: list[Callable[[str], Iterator[Found]]] = []
    colon, equals, line_break = ":" in text, "=" in text, "\n" in text
    if colon and ('"' in text or "'" in text):
        rules.append(_json)
    if equals:
        rules.append(_pairs)
    if "@" in text:
        rules.append(_userinfo)
    if "<" in text:
        rules.append(_markup)
    if colon and line_break:
        rules.append(_multipart)
    if _names_scheme(text):
        rules.append(_credential_words)
    if "eyJ" in text:
        rules.append(_tokens)
    if "PRIVATE KEY" in text:
        rules.append(_private_keys)
    if lines and colon and (line_break or not decoded) and _names_line(text):
        rules.append(_lines)
    if lines and equals and not decoded and _LIKE_FORM.match(text) and "\n" not in text.strip():
        rules.append(_form)
    return rules


def _names_scheme(text: str) -> bool:
    """Whether the word for a scheme of credentials may stand in a text."""
    if not text.isascii():
        return True  # beyond ASCII more letters count as the same than lower case shows, such as the long s
    lower = text.lower()
    return "bearer" in lower or "dpop" in lower or "basic" in lower


def _names_line(text: str) -> bool:
    """Whether a colon in a text stands behind the name of a secret."""
    for colon in _COLON_BEHIND_WORD.finditer(text):
        before = text[max(0, colon.start() - 200) : colon.start()].rstrip(" \t")
        if secret_kind(before[len(before.rstrip(_WORD_SIGNS)) :]) is not None:
            return True
    return False


def in_url(url: str) -> Iterator[Found]:
    """The secrets in the query and the fragment of a URL, absolute or relative."""
    return _fields(url, _URL_NAME, _URL_VALUE)


def in_field(name: str, value: str) -> Iterator[Found]:
    """What is secret in one named field or header because of its name."""
    kind = secret_kind(name)
    if kind is not None:
        return _secret(kind, value, 0, len(value), (value,))
    return in_url(value) if name.lower() in _URL_HEADERS else iter(())


def _secret(
    kind: str, text: str, start: int, end: int, readings: tuple[str, ...], *, number: bool = False
) -> Iterator[Found]:
    """The secret parts of the value of a field that holds a secret.

    White space and quotes around it are none, and stay: they are what often is wrong with it.
    """
    written = text[start:end]
    raw = written.strip()
    if raw != written:
        start += len(written) - len(written.lstrip())
        end = start + len(raw)
    if not raw or raw.lower() in _SCHEMES:
        return
    if kind in ("cookie", "cookies", "set_cookie"):
        yield from _cookies(text, start, end, only_first=kind == "set_cookie")
    elif kind in ("authorization", "proxy_authorization") or _SENT_WITH_SCHEME.match(raw):
        decoded = next(iter(readings), raw).strip()
        yield from _credentials(kind, text, start, end, decoded)
    elif readings == (raw,) and raw[0] not in _EDGE and raw[-1] not in _EDGE:
        yield Found(start, end, kind, readings, number=number)
    else:
        start, end = _bare(text, start, end)
        stripped = (bare(reading) for reading in (*readings, text[start:end]))
        yield Found(start, end, kind, tuple(dict.fromkeys(stripped)), number=number)


def bare(value: str) -> str:
    """A value without the white space and quotes around it, if enough is left to be a secret of its own."""
    inside = value.strip(AROUND)
    return inside if len(inside) >= SHORTEST else value.strip() or value


def _bare(text: str, start: int, end: int) -> tuple[int, int]:
    """The same for a span of a text, in which a quote may be escaped by a backslash."""
    first, last = start, end
    while first < last and (text[first] in AROUND or (text[first] == "\\" and text[first + 1 : last][:1] in QUOTES)):
        first += 1
    while first < last and text[last - 1] in AROUND:
        last -= 2 if text[last - 1] in QUOTES and first < last - 1 and text[last - 2] == "\\" else 1
    return (first, last) if last - first >= SHORTEST else (start, end)


def _credentials(kind: str, text: str, start: int, end: int, decoded: str) -> Iterator[Found]:
    """The credential behind a scheme word (RFC 9110 §11.4); without a scheme word all of it.

    ``decoded`` is what the whole span reads as.
    """
    scheme = _SCHEME.match(text, start, end)
    word, start = (scheme[0].strip().lower(), scheme.end()) if scheme else ("", start)
    if word == "basic":
        yield from _basic(text, start, end, sure=True)
        return
    decoded = decoded[len(scheme[0]) :] if scheme else decoded
    if word not in ("", "bearer", "dpop"):  # their quotes are a part of them: Digest response="..."
        yield Found(start, end, kind, (decoded,))
        return
    start, end = _bare(text, start, end)
    yield Found(start, end, "access_token" if word else kind, (bare(decoded),))


def _basic(text: str, start: int, end: int, *, sure: bool) -> Iterator[Found]:
    """The password of Basic credentials (RFC 7617 §2), form-encoded first as RFC 6749 §2.3.1 asks.

    Unless it is ``sure`` that these are credentials, what cannot be decoded is left alone.
    """
    encoded = text[start:end]
    if _BASIC_HIDDEN.fullmatch(encoded):
        return
    try:
        octets = base64.b64decode(encoded.rstrip("=") + "=" * (-len(encoded.rstrip("=")) % 4), b"-_", validate=True)
        user, colon, password = octets.decode().partition(":")
    except (binascii.Error, ValueError):
        user = colon = password = ""
    if colon and _BASIC_USER.fullmatch(user):
        if password:
            yield Found(start, end, "client_secret", (unquote_plus(password), password), f"{user}:")
    elif sure:
        yield Found(start, end, "basic", (encoded,))


def _cookies(text: str, start: int, end: int, *, only_first: bool) -> Iterator[Found]:
    """The values of cookies; names and attributes are none (RFC 6265 §4)."""
    for cookie in _COOKIE.finditer(text, start, end):
        left, right = cookie.span(2)
        value = cookie[2].strip()
        if value:
            left += cookie[2].index(value)
            yield Found(left, left + len(value), "cookie", tuple(dict.fromkeys((value, unquote(value)))))
        if only_first or right == end:
            return


def _json(text: str) -> Iterator[Found]:
    done = 0
    single = "'" in text
    # Each name as it is written is looked at once: in a list of objects names repeat.
    names = {key[1] for key in _KEY.findall(text)} if single else set(_NAME_IN_DOUBLE.findall(text))
    named = _NAMED if "value" in text.lower() else None
    kinds = {name: kind for name in names if (kind := _json_kind(unescape_json(name), named))}
    if not kinds:
        return
    for key in (_KEY if single else _KEY_IN_DOUBLE).finditer(text):
        kind = kinds.get(key[2])
        if kind is None or key.start() < done:
            continue
        at = key.end()
        if kind == _NAMED:
            # {"name": "code", "value": "..."}, as in HAR and in many APIs
            if text[at : at + 1] not in QUOTES:
                continue
            named_end = _string_end(text, at)
            value_key = _VALUE_KEY.match(text, named_end)
            kind = secret_kind(unescape_json(text[at + 1 : named_end])) if value_key else None
            if kind is None or value_key is None:
                continue
            at = value_key.end()
        secrets, done = _json_value(text, at, kind)
        yield from secrets


def _json_kind(name: str, named: str | None) -> str | None:
    return secret_kind(name) or (named if name.lower() in ("name", "key") else None)


def _json_value(text: str, at: int, kind: str) -> tuple[list[Found], int]:
    """The secrets in the value at ``at``, and where it ends. In an object or a list every leaf is one."""
    found: list[Found] = []
    if _ENCODED_QUOTE.match(text, at):  # the value stands in a further view
        return found, at
    if simple := _SIMPLE_STRING.match(text, at):
        return list(_secret(kind, text, at + 1, simple.end(1), (simple[1],))), simple.end()
    depth, leaf_kind = 0, kind
    while token := _JSON_TOKEN.search(text, at):
        start, at = token.span()
        sign = token[0]
        if sign in "{[":
            depth += 1
        elif sign in "}]":
            depth -= 1
        elif sign == '"' or (sign == "'" and text[max(0, start - 99) : start].rstrip()[-1:] in ("", *"{[,:")):
            end = _string_end(text, start)
            at = min(end + 1, len(text))
            raw = text[start + 1 : end]
            if depth and _KEY.match(text, start):
                leaf_kind = secret_kind(unescape_json(raw)) or kind
            else:
                found += _secret(leaf_kind, text, start + 1, end, (unescape_json(raw),))
        elif sign not in _CONSTANTS and any(map(str.isalnum, sign)):
            found += _secret(leaf_kind, text, start, at, (sign,), number=True)
        if depth <= 0:
            break
    return found, at


def _string_end(text: str, start: int) -> int:
    """Where the string that opens at ``start`` ends. A quote that nothing sensible follows belongs to the string."""
    quote, at = text[start], start + 1
    hidden = HIDDEN.match(text, at)
    if hidden and text[hidden.end() : hidden.end() + 1] == quote:
        return hidden.end()
    while stop := _BEFORE_QUOTE[quote].search(text, at):
        at = stop.end()
        if stop[0] == "\\":
            at += 1
        elif _STRING_ENDS.match(text, at):
            return stop.start()
    return len(text)


def _quoted_end(text: str, start: int) -> int:
    """Where the quoted text that opens at ``start`` ends: at the next such quote that no backslash stands before."""
    at = start + 1
    while stop := _BEFORE_QUOTE[text[start]].search(text, at):
        if stop[0] != "\\":
            return stop.start()
        at = stop.end() + 1
    return len(text)


def _pairs(text: str) -> Iterator[Found]:
    """``name=value`` wherever it stands: in addresses inside a text, in header parameters, in attributes."""
    done = 0
    for pair in _PAIR.finditer(text):
        kind = secret_kind(pair[1])
        if kind is None or pair.start() < done:
            continue
        at, before = pair.end(), text[max(0, pair.start() - 1) : pair.start()]
        in_address = before in ("?", "&", "#")
        quote = text[at : at + 1]
        if quote in ("'", '"') and quote != before and not in_address:
            end = _quoted_end(text, at)
            at += 1
        else:
            bare = (_BARE_IN_URL if in_address else _BARE).match(text, at)
            end = at + len(bare[0].rstrip(",;)]}")) if bare else at
            if not any(map(str.isalnum, text[at:end])):
                continue
        raw = text[at:end]
        yield from _secret(kind, text, at, end, (unquote_plus(raw), unquote(raw)))
        done = end


def _form(text: str) -> Iterator[Found]:
    return _fields(text, _FORM_NAME, _FORM_VALUE)


def _fields(text: str, names: re.Pattern[str], values: re.Pattern[str]) -> Iterator[Found]:
    for name in names.finditer(text):
        kind = secret_kind(unquote_plus(name[1]))
        value = values.match(text, name.end())
        if kind is not None and value is not None:
            readings = (unquote_plus(value[0]), unquote(value[0]))
            yield from _secret(kind, text, *value.span(), readings)


def _userinfo(text: str) -> Iterator[Found]:
    """The password of ``//user:password@host``, or the user where there is none (RFC 3986 §3.2.1)."""
    for info in _USERINFO.finditer(text):
        kind, group = ("password", 2) if info[2] else ("userinfo", 1)
        if info[group]:
            readings = tuple(dict.fromkeys((unquote(info[group]), info[group])))
            yield Found(*info.span(group), kind, readings)


def _markup(text: str) -> Iterator[Found]:
    """Elements with a name that is secret, and the values of inputs and the like whose ``name`` or ``id`` is."""
    done = 0
    for element in _ELEMENT.finditer(text):
        kind = secret_kind(element[1])
        if kind is not None and element.start() >= done:
            done = _text_end(text, element.end(), cdata=element[0].endswith("["))
            yield from _escaped(kind, text, element.end(), done)
    done = 0
    for tag in _TAG.finditer(text):
        if tag.start() < done:
            continue
        kind, values = _tag(text, tag.start(), tag.end())
        if kind is None:
            continue
        if not values and tag[1].lower() in ("textarea", "output", "span", "code") and text[tag.end() :][:1] == ">":
            values = [(tag.end() + 1, _text_end(text, tag.end() + 1, cdata=False))]
        for start, done in values:
            yield from _escaped(kind, text, start, done)


def _tag(text: str, start: int, end: int) -> tuple[str | None, list[tuple[int, int]]]:
    """The kind of secret that a tag is named after, and where its values stand."""
    kind: str | None = None
    values: list[tuple[int, int]] = []
    at = start
    while (attribute := _ATTRIBUTE.search(text, at, end)) is not None:
        at = attribute.end()
        if attribute[2]:
            stop = text.find(attribute[2], at)
            stop = len(text) if stop < 0 else stop
        else:
            unquoted = _UNQUOTED.match(text, at)
            stop = unquoted.end() if unquoted else at
        if attribute[1].lower() in ("value", "content"):
            values.append((at, stop))
        elif attribute[1].lower() == "type":
            kind = kind or ("password" if text[at:stop].lower() == "password" else None)
        else:
            kind = kind or secret_kind(html.unescape(text[at:stop]).strip())
        at = stop
    return kind, values


def _text_end(text: str, start: int, *, cdata: bool) -> int:
    end = text.find("]]>" if cdata else "<", start)
    return len(text) if end < 0 else end


def _escaped(kind: str, text: str, start: int, end: int) -> Iterator[Found]:
    return _secret(kind, text, start, end, (html.unescape(text[start:end]),))


def _multipart(text: str) -> Iterator[Found]:
    """The parts of multipart/form-data (RFC 7578 §4.2)."""
    done = 0
    for part in _PART.finditer(text):
        kind = secret_kind(part[1] or part[2] or "")
        end = _PART_END.search(text, part.end()) if kind is not None and part.start() >= done else None
        if kind is not None and end is not None:
            done = end.start()
            yield from _secret(kind, text, part.end(), done, ())


def _lines(text: str) -> Iterator[Found]:
    """Lines such as ``name: value``: headers of a message, YAML, logs; and ``{name: 'value'}`` of a script."""
    done = 0
    for line in _LINE.finditer(text):
        kind = secret_kind(line[2])
        if kind is None or line.start() < done:
            continue
        at, anchor = line.end(), line[1].strip()
        if anchor in ("'", '"'):
            if kind not in _HEADER_LIKE and "-" not in line[2]:
                continue
            end = _quoted_end(text, line.start(1))
        elif text[at : at + 1] in ("'", '"'):
            end = _string_end(text, at)
            at += 1
        elif anchor in ("{", ","):
            continue
        else:
            stop = _LINE_END.search(text, at)
            end = stop.start() if stop else len(text)
        done = end
        yield from _secret(kind, text, at, end, ())


def _credential_words(text: str) -> Iterator[Found]:
    """Credentials behind their scheme word (RFC 9110 §11.4), wherever they stand."""
    for word in _CREDENTIAL_WORD.finditer(text):
        start, end = word.span(1)
        if word[0].lower().startswith("basic"):
            yield from _basic(text, start, end, sure=False)
        elif any(map(str.isdigit, word[1])):
            yield Found(start, end, "access_token", (word[1],))


def _tokens(text: str) -> Iterator[Found]:
    """Signed or encrypted tokens (RFC 7519), which show what they are."""
    for token in _JWT.finditer(text):
        yield Found(*token.span(), "jwt", (token[0],))


def _private_keys(text: str) -> Iterator[Found]:
    """Private keys as text (RFC 7468 §10 and §11, and OpenSSL's and OpenPGP's own), whole or cut off."""
    done = 0
    for begin in _KEY_BEGIN.finditer(text):
        if begin.start() < done:
            continue
        boundary = _BOUNDARY.search(text, begin.end())
        if boundary is not None and boundary[1]:
            done = boundary.end()
        else:
            body = _KEY_BODY.match(text, begin.end(), boundary.start() if boundary else len(text))
            done = body.end() if body else begin.end()
        yield Found(begin.start(), done, "private_key", (unescape_json(text[begin.start() : done]),))
