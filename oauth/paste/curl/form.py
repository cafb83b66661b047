"""The multipart body of curl's ``-F`` (RFC 7578). Files are not read."""

import re

BOUNDARY = "-" * 24 + "0" * 16
"""As long as curl's own, which is random."""

_ATTRIBUTE = re.compile(r";\s*(?P<name>type|filename|encoder|headers)=(?P<value>\"(?:[^\"\\]|\\.)*\"|[^;]*)")
_QUOTED = re.compile(r'"((?:[^"\\]|\\["\\])*)"\s*(?=;|\Z)')


def form_body(items: list[tuple[str, str]], notes: dict[str, None]) -> tuple[bytes, str]:
    """The body and its ``Content-Type``. A file that would be read is named in ``notes`` and stands there empty."""
    parts: list[str] = []
    for option, item in items:
        name, _, content = item.partition("=")
        disposition = f'form-data; name="{_escaped(name)}"'
        media_type = ""
        if option == "form":
            content, filename, media_type = _content(content, option, notes)
            disposition += f'; filename="{_escaped(filename)}"' if filename else ""
        lines = [f"--{BOUNDARY}", f"Content-Disposition: {disposition}"]
        lines += [f"Content-Type: {media_type}"] if media_type else []
        parts.append("\r\n".join([*lines, "", content, ""]))
    body = "".join(parts) + f"--{BOUNDARY}--\r\n"
    return body.encode("utf-8", "surrogateescape"), f"multipart/form-data; boundary={BOUNDARY}"


def _content(content: str, option: str, notes: dict[str, None]) -> tuple[str, str, str]:
    """The content of one part, its file name and its media type."""
    if quoted := _QUOTED.match(content):
        plain, rest = re.sub(r"\\([\"\\])", r"\1", quoted[1]), content[quoted.end() :]
    else:
        first = _ATTRIBUTE.search(content)
        plain, rest = (content[: first.start()], content[first.start() :]) if first else (content, "")
    given = {match["name"]: match["value"].strip('"').strip() for match in _ATTRIBUTE.finditer(rest)}
    filename, media_type = given.get("filename", ""), given.get("type", "")
    if content.startswith(("@", "<")):
        file = plain[1:]
        notes.setdefault(f"the file {file} of --{option} was not read")
        if content.startswith("@"):
            filename = filename or file.replace("\\", "/").rpartition("/")[2]
            media_type = media_type or "application/octet-stream"
        plain = ""
    return plain, filename, media_type


def _escaped(name: str) -> str:
    return name.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
