"""Bodies as text."""

from oauth.exchange import Headers, charset_of

_CONTROLS = bytes(octet for octet in range(32) if octet not in b"\t\n\r\f\x1b") + b"\x7f"
_UNREADABLE_SHARE = 0.05
"""Control characters, of all, from which a body that is not plain UTF-8 is no text."""

_CONTROL_SHARE = 0.3
"""The same for one that is."""


def body_text(body: bytes, headers: Headers) -> str | None:
    """A body decoded, or ``None`` when it is no text.

    UTF-8 comes first whatever the header says, for that is what redaction writes; then a byte order mark, the charset
    of ``Content-Type``, and ISO 8859-1, which reads every byte.
    """
    text = _utf8(body)
    share = 1 - len(body.translate(None, _CONTROLS)) / len(body) if body else 0
    if text is not None and "\0" not in text:
        return text if share <= _CONTROL_SHARE else None
    charset = "utf-16" if body[:2] in (b"\xff\xfe", b"\xfe\xff") else charset_of(headers)
    if charset and charset.lower() not in ("utf-8", "utf8"):
        try:
            return body.decode(charset)
        except (LookupError, ValueError):
            pass  # a charset that is unknown or wrong: read on as if there were none
    if share > _UNREADABLE_SHARE:
        return None
    return body.decode("latin-1") if text is None else text


def _utf8(body: bytes) -> str | None:
    try:
        return body.decode()
    except UnicodeDecodeError as error:
        # A body that was cut may end inside a character; that it is UTF-8 shows in the characters before.
        cut = error.reason == "unexpected end of data" and not body[: error.start].isascii()
        return body.decode("utf-8", "replace") if cut else None
