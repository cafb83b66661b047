"""Bodies as text."""

from oauth.exchange import Headers, charset_of, text_encoding

_CONTROLS = bytes(octet for octet in range(32) if octet not in b"\t\n\r\f\x1b") + b"\x7f"

_BINARY_SHARE = 0.05
"""Share of control characters above which a body that is not plain UTF-8 is binary."""

_BINARY_SHARE_IN_UTF8 = 0.3
"""The same for a body in UTF-8."""


def body_text(body: bytes, headers: Headers) -> str | None:
    """Decode a body, or return ``None`` for binary data.

    UTF-8 comes first whatever the header says, since redaction writes it; then a byte order mark, the charset of
    ``Content-Type``, and ISO 8859-1, which decodes any byte.
    """
    text = _utf8(body)
    share = 1 - len(body.translate(None, _CONTROLS)) / len(body) if body else 0
    if text is not None and "\0" not in text:
        return text if share <= _BINARY_SHARE_IN_UTF8 else None
    encoding = text_encoding("utf-16" if body[:2] in (b"\xff\xfe", b"\xfe\xff") else charset_of(headers))
    if encoding not in (None, "utf_8"):
        try:
            return body.decode(encoding)
        except ValueError:
            pass  # wrong: continue as without one
    if share > _BINARY_SHARE:
        return None
    return body.decode("latin-1") if text is None else text


def _utf8(body: bytes) -> str | None:
    try:
        return body.decode()
    except UnicodeDecodeError as error:
        # A truncated body may end inside a character; the characters before show that it is UTF-8.
        truncated = error.reason == "unexpected end of data" and not body[: error.start].isascii()
        return body.decode("utf-8", "replace") if truncated else None
