"""The self-contained HTML page of the console's routes."""

import secrets
from collections.abc import Iterable
from html import escape

from starlette.responses import HTMLResponse

_TEMPLATE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>{title} · OAuth console</title>
<style nonce="{nonce}">
:root {{ color-scheme: light dark; --text: #1f2933; --soft: #5b6772; --line: #d9dee3; --page: #fbfcfc; --card: #ffffff;
  --accent: #0b6b5d; }}
@media (prefers-color-scheme: dark) {{ :root {{ --text: #e6eaee; --soft: #9aa6b2; --line: #313a43; --page: #12171c;
  --card: #191f26; --accent: #5cc4b1; }} }}
* {{ box-sizing: border-box; }}
body {{ margin: 0; padding: 24px 16px; background: var(--page); color: var(--text);
  font: 16px/1.5 system-ui, sans-serif; }}
main {{ max-width: 600px; margin: 8vh auto 0; padding: 24px; background: var(--card); border: 1px solid var(--line);
  border-radius: 8px; }}
h1 {{ margin: 0 0 12px; font-size: 22px; line-height: 1.3; }}
p {{ margin: 0 0 12px; overflow-wrap: anywhere; }}
dl {{ margin: 0 0 16px; border-top: 1px solid var(--line); }}
dl div {{ padding: 8px 0; border-bottom: 1px solid var(--line); }}
dt {{ color: var(--soft); font-size: 14px; overflow-wrap: anywhere; }}
dd {{ margin: 0; font: 14px/1.5 ui-monospace, monospace; overflow-wrap: anywhere; white-space: pre-wrap; }}
a {{ color: var(--accent); }}
</style>
</head>
<body>
<main>
<h1>{title}</h1>
{content}</main>
{script}</body>
</html>
"""

# The address contains the code, which should not stay in the address bar and the browser's history.
_STRIP_QUERY = '<script nonce="{nonce}">history.replaceState(null, "", location.pathname);</script>\n'


def page(
    title: str,
    paragraphs: Iterable[str],
    *,
    facts: Iterable[tuple[str, str]] = (),
    link: tuple[str, str] | None = None,
    status: int = 200,
    strip_query: bool = False,
) -> HTMLResponse:
    """Return a page of plain text: paragraphs, a list of named facts, and a link as address and text.

    Everything is escaped here. ``strip_query`` removes the query from the browser's address bar.
    """
    nonce = secrets.token_urlsafe(16)
    content = "".join(f"<p>{escape(text)}</p>\n" for text in paragraphs)
    listed = "".join(f"<div><dt>{escape(name)}</dt><dd>{escape(value)}</dd></div>\n" for name, value in facts)
    if listed:
        content += f"<dl>\n{listed}</dl>\n"
    if link:
        content += f'<p><a href="{escape(link[0])}">{escape(link[1])}</a></p>\n'
    html = _TEMPLATE.format(
        title=escape(title),
        nonce=nonce,
        content=content,
        script=_STRIP_QUERY.format(nonce=nonce) if strip_query else "",
    )
    policy = (
        f"default-src 'none'; style-src 'nonce-{nonce}'; script-src 'nonce-{nonce}'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    headers = {
        "Content-Security-Policy": policy,
        "Cache-Control": "no-store",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
    }
    return HTMLResponse(html, status, headers)
