"""Build the multipart body of curl's ``-F`` (RFC 7578). Files are not read."""

import re
from collections.abc import Callable

BOUNDARY = "-" * 24 + "0" * 16
"""A boundary as long as curl's own, which is random."""

_ATTRIBUTE = re.compile(r";\s*(?P<name>type|filename|encoder|headers)=(?P<value>\"(?:[^\"\\]|\\.)*\"|[^;]*)")
_QUOTED = re.compile(r'"((?:[^"\\]|\\["\\])*)"\s*(?=;|\Z)')


def form_body(items: list[tuple[str, str]], leave_out: Callable[[str, str], None]) -> tuple[bytes, str]:
    """Return the body and its ``Content-Type``.

    A file is left empty and passed, with its option, to ``leave_out``.
    """
    parts: list[str] = []
    for option, item in items:
        name, _, content = item.partition("=")
        disposition = f'form-data; name="{_escaped(name)}"'
        media_type = ""
        if option == "form":
            content, filename, media_type = _content(content, option, leave_out)
            disposition += f'; filename="{_escaped(filename)}"' if filename else ""
        lines = [f"--{BOUNDARY}", f"Content-Disposition: {disposition}"]
        lines += [f"Content-Type: {media_type}"] if media_type else []
        parts.append("\r\n".join([*lines, "", content, ""]))
    body = "".join(parts) + f"--{BOUNDARY}--\r\n"
    return body.encode("utf-8", "surrogateescape"), f"multipart/form-data; boundary={BOUNDARY}"


def _content(content: str, option: str, leave_out: Callable[[str, str], None]) -> tuple[str, str, str]:
    """Return the content of one part, its file name and its media type."""
    if quoted := _QUOTED.match(content):
        plain, rest = re.sub(r"\\([\"\\])", r"\1", quoted[1]), content[quoted.end() :]
    else:
        first = _ATTRIBUTE.search(content)
        plain, rest = (content[: first.start()], content[first.start() :]) if first else (content, "")
    attributes = {match["name"]: match["value"].strip('"').strip() for match in _ATTRIBUTE.finditer(rest)}
    filename, media_type = attributes.get("filename", ""), attributes.get("type", "")
    if content.startswith(("@", "<")):
        file = plain[1:]
        leave_out(file, option)
        if content.startswith("@"):
            filename = filename or file.replace("\\", "/").rpartition("/")[2]
            media_type = media_type or "application/octet-stream"
        plain = ""
    return plain, filename, media_type


def _escaped(name: str) -> str:
    return name.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
