"""Passwords and client secrets in source code, commands and printed objects.

There a name and a value stand together in other ways than in JSON and ``name=value``. Behind such a name even a plain
word is a secret, but for those that describe a field and for names of fields.
"""

import re
from collections.abc import Iterator

from oauth.redaction.names import PROTOCOL_WORDS, secret_kind
from oauth.redaction.occurrences import Occurrence

_NAME = re.compile(r"(?:secret|pass|pwd)[a-z0-9_]*+")
_OPTIONS = ("pass", "passin", "passout", "storepass", "keypass")
"""Options of commands, which are names of passwords nowhere else."""

_BEFORE = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-."
_LONGEST_NAME = 60
_CONTEXT = 120
"""Characters in front of a name by which its form is known."""

_LINK = re.compile(r"[\s\"'`\]=:<,(>]")
"""The first character behind a name."""

_BARE = r"(?P<value>[^\s\"'`<>,;()\[\]{}&\\«»]{8,4000}+)"
_QUOTED = r"""(?P<quote>["'`])(?P<value>[^\s"'`<>«»]{6,4000}+)(?P=quote)"""
_CELL = (
    r"(?:</(?:t[dh]|dt|(?:param-)?name|key)>\s{0,99}<(?:td|dd|(?:param-)?value)(?:\s[^<>]{0,60})?>"
    r"|[\"']>\s{0,99}<value>)"
)

_FORMS = [
    (re.compile(behind), re.compile(rf"(?:{before})\Z"))
    for before, behind in (
        ("", rf"""["'`\]]{{1,3}}\s{{0,40}}=(?:>|(?!=))\s{{0,9}}{_QUOTED}"""),  # 'name' => 'value'
        ("", rf"[ ]?:[ ]?&?[A-Za-z]{{3,8}}\??[ ]?=[ ]?{_QUOTED}"),  # name: string = "value"
        ("", rf"\s{{0,9}}(?:<-|=>\s{{0,9}}<<)\s{{0,9}}{_QUOTED}"),  # name <- "value", name => <<"value">>
        ("", rf'\s{{0,40}}=\s{{0,9}}"[^"\n]{{0,400}}"\s{{1,9}}->\s{{1,9}}{_QUOTED}'),  # name = "old" -> "value"
        ("", r"""\s{0,40}=\s{0,9}<<[-~]?["']?\w{2,20}["']?\r?\n[ \t]{0,40}(?P<value>\S{6,4000})"""),  # name = <<END
        ("", rf"""["'\]]{{0,3}}\s{{0,20}}{_CELL}\s{{0,20}}{_BARE}(?=\s{{0,9}}[<\]])"""),  # <td>name</td><td>value
        ('"', rf'"\s{{0,9}}=\s{{0,9}}{_BARE};'),  # "name" = value;
        (r"""[(\[{]\s{0,9}["']""", rf"""["'],\s{{0,9}}{_QUOTED}\s{{0,9}}[)\]}}]"""),  # ("name", "value")
        ("", rf"[ ]?:[ ]Some\(\s{{0,40}}{_QUOTED}"),  # name: Some("value")
        ("", rf"[ ]?:[ ]Str\({_BARE}\)"),  # name: Str(value)
        (r"#define\s{1,9}|[\s{(]:", rf"[ \t]{{1,40}}{_QUOTED}"),  # #define NAME "value", :name "value"
        (r"(?:\A|\s)--?|\blogin\s{1,9}\S{1,60}\s{1,9}|set[ \t]-x[ \t]{1,9}", rf"[ \t]{{1,9}}{_BARE}"),  # --name value
        ("-pass(?:in|out)?[ =]", rf":{_BARE}"),  # -passin pass:value
        (
            r"(?m:^)[^\w\n]{0,9}(?:\$_\w{3,6}\[')?",
            rf"['\"\]]{{0,2}}(?:\t{{1,9}}|[ ]{{2,60}}){_BARE}[ \t\r]{{0,60}}(?=\n|\Z)",  # a line of two cells
        ),
        (r"[{,]\s{0,20}", rf":[ \t]{_BARE}(?=\s{{0,9}}[,}}])"),  # {name: value}
        (r"[{ ]", rf":{_BARE}(?=[ ][A-Za-z]\w{{0,60}}:|[}}\]])"),  # {name:value other:value}
        (
            r"(?i:name|key):[ \t]{1,9}[\"']?",  # name: name, and in the next line value: value
            rf"[\"']?[ \t]{{0,9}}\r?\n[ \t]{{0,40}}\w{{0,20}}[vV]alue[ \t]{{0,9}}:[ \t]{{1,9}}[\"']?{_BARE}",
        ),
    )
]
"""Forms: what stands before a name, and what behind it."""

_SETTER = re.compile(r"(?i)(?:.*\.)?(?:set|with)?_?(?:client_?secret|password|passphrase)")
_CALL = re.compile(rf"\(\s{{0,40}}{_QUOTED}")

_DESCRIPTION_WORDS = """
    confidential confirmed deprecated disabled enabled encrypted expired hashed hidden incorrect instead invalid masked
    mismatch mismatched missing nullable optional provided redacted rejected removed required sensitive string supplied
    supported undefined unknown unsupported username varchar
"""
"""Words that describe a field."""

_DESCRIPTIONS = frozenset(_DESCRIPTION_WORDS.split())


def names_password(text: str) -> bool:
    """Return whether a text may have the name of a password or a client secret."""
    lower = text.lower()
    return "secret" in lower or "pass" in lower or "pwd" in lower


def find_in_code(text: str) -> Iterator[Occurrence]:
    """Yield the values behind the names of passwords and secrets."""
    done = 0
    lower = text.lower() if text.isascii() else text.replace("İ", "I").lower()
    for named in _NAME.finditer(lower):
        end = named.end()
        if named.start() < done or not _LINK.match(text, end):
            continue
        before = text[max(0, named.start() - _LONGEST_NAME) : named.start()]
        name = before[len(before.rstrip(_BEFORE)) :].lstrip("-.") + text[named.start() : end]
        kind = secret_kind(name) or ("password" if name.lower() in _OPTIONS else None)
        if kind is None:
            continue
        start = end - len(name)
        context = text[max(0, start - _CONTEXT) : start]
        call = _CALL.match(text, end) if _SETTER.fullmatch(name) else None
        matches = (match for behind, front in _FORMS if (match := behind.match(text, end)) and front.search(context))
        value = call or next(matches, None)
        if value is not None and _is_value(value["value"]):
            done = value.end("value")
            yield Occurrence(value.start("value"), done, kind, (value["value"],))


def _is_value(value: str) -> bool:
    """Return whether a value is one, and no word about it, name, variable or mask."""
    lower = value.lower()
    if lower in _DESCRIPTIONS or lower in PROTOCOL_WORDS or secret_kind(value) is not None:
        return False
    return bool(lower.strip("x*.-")) and "***" not in value and not value.startswith(("${", "$(", "%(", "{{", "http"))
