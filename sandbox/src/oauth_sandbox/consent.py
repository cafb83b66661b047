"""The pages of the authorization endpoint: consent, and errors that cannot be redirected.

Input is escaped, nothing is loaded from elsewhere, and no script runs.
"""

import base64
import hashlib
from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path
from string import Template

from oauth_sandbox.authorization_endpoint import AuthorizationRequest, ErrorPage
from oauth_sandbox.clients import Client
from oauth_sandbox.configuration import User
from oauth_sandbox.response import Response

_PAGE = Template(Path(__file__).with_name("page.html").read_text(encoding="utf-8"))
_STYLE = Path(__file__).with_name("page.css").read_text(encoding="utf-8")
_STYLE_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()

_DECISION = """<form method="post" id="decision">
<button name="decision" value="deny">Deny</button>
<button class="primary" name="decision" value="approve">Approve</button>
</form>"""

# No form-action: browsers apply it to the redirect after the form too, which leads to the client. With the referrer
# policy no-referrer, browsers would state the form's origin as null, which a server cannot tell from a foreign page's.
HEADERS = {
    "Content-Security-Policy": f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; "
    "base-uri 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "same-origin",
    "X-Frame-Options": "DENY",
}


def consent_page(request: AuthorizationRequest, scopes: Iterable[tuple[str, str]], users: Sequence[User]) -> Response:
    """Return the consent page: the client, its ``scopes`` with their descriptions, the user, and two buttons."""
    client = request.client
    return _page(
        f"{client.name} asks for access",
        f"""<h1>{escape(client.name)} asks for access to your account</h1>
<p class="quiet">Client <samp>{escape(client.client_id)}</samp>. You are signed in as {_signed_in(users)}.</p>
{_abilities(scopes)}
<h2>After your decision you go to</h2>
<p><samp>{escape(request.redirect_uri)}</samp></p>
{_DECISION}""",
        status=200,
    )


def _abilities(scopes: Iterable[tuple[str, str]]) -> str:
    items = "\n".join(f"<li><span>{escape(words)}</span><samp>{escape(name)}</samp></li>" for name, words in scopes)
    return f"<h2>It will be able to</h2>\n<ul>\n{items}\n</ul>"


def _signed_in(users: Sequence[User]) -> str:
    if len(users) == 1:
        return escape(users[0]["name"])
    options = "".join(f'<option value="{user["id"]}">{escape(user["name"])}</option>' for user in users)
    return f'<select name="user" form="decision" aria-label="User">{options}</select>'


def device_page(
    code: str, client: Client | None = None, scopes: Iterable[tuple[str, str]] = (), users: Sequence[User] = ()
) -> Response:
    """Return the page that asks for the code of a device, or for consent once it has the ``client`` of one."""
    if client is None:
        problem = (
            f"<p>No device waits with the code <samp>{escape(code)}</samp>. It may have expired.</p>" if code else ""
        )
        body = f"""<h1>Connect a device</h1>
{problem}<form method="get">
<input name="user_code" aria-label="Code" placeholder="Code on the device" autocomplete="off" autofocus required>
<button class="primary">Continue</button>
</form>"""
        return _page("Connect a device", body, status=400 if code else 200)
    body = f"""<h1>{escape(client.name)} asks for access to your account</h1>
<p class="quiet">On the device that shows <samp>{escape(code)}</samp>. You are signed in as {_signed_in(users)}.</p>
{_abilities(scopes)}
{_DECISION}"""
    return _page(f"{client.name} asks for access", body, status=200)


def done_page(title: str, text: str) -> Response:
    """Return a page on which nothing is left to do."""
    return _page(title, f'<h1>{escape(title)}</h1>\n<p class="quiet">{escape(text)}</p>', status=200)


def refusal_page(refused: ErrorPage) -> Response:
    """Return the error page with the problem, the value and the remedy; status 400 and never a redirect."""
    value = f"<h2>Sent</h2>\n<p><samp>{escape(refused.value)}</samp></p>\n" if refused.value else ""
    return _page(
        "The authorization request was refused",
        f"""<h1 class="wrong">{escape(refused.problem)}</h1>
<p>The authorization request was refused. You stay here: the application's callback is not called.</p>
{value}<h2>What to do</h2>
<p>{escape(refused.remedy)}</p>""",
        status=400,
    )


def _page(title: str, body: str, status: int) -> Response:
    return Response.html(_PAGE.substitute(title=escape(title), style=_STYLE, body=body), status, HEADERS)
