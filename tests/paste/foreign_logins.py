"""Logins at well-known servers, written by hand as browsers and proxies save them as HAR. All values are invented."""

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

STATE, CODE = "st-5f0d9c1b7a24", "c0de-9b1e77d2a4f04c1e8a3358d1"
APP = "https://app.example"
CALLBACK = f"{APP}/callback"
TOKEN = "at-7c1d0f5b9e3a4d2288aa"
ASKED = {
    "response_type": "code", "client_id": "shop", "redirect_uri": CALLBACK, "scope": "openid email", "state": STATE,
    "code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM", "code_challenge_method": "S256",
}  # fmt: skip
LANDED = f"{CALLBACK}?{urlencode({'code': CODE, 'state': STATE})}"
FORM = "application/x-www-form-urlencoded"
PASSWORD_FORM = "<html><form method=post><input name=username><input type='password' name=password></form></html>"
PAGE = "<!doctype html><html><body>Hello</body></html>"
EXCHANGE = urlencode(
    {"grant_type": "authorization_code", "code": CODE, "redirect_uri": CALLBACK, "client_id": "shop",
     "client_secret": "a-secret-of-the-shop-01", "code_verifier": "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"}
)  # fmt: skip
TOKENS = json.dumps({"access_token": TOKEN, "token_type": "Bearer", "expires_in": 300, "id_token": "eyJ0.eyJ1.c2ln"})


@dataclass(frozen=True)
class Call:
    """One entry: ``use`` is that of the browser, or ``client`` for a call of the client's own program."""

    method: str
    url: str
    status: int = 200
    answer: str = PAGE
    type: str = "text/html; charset=utf-8"
    to: str = ""
    body: str = ""
    body_type: str = FORM
    use: str = "document"
    headers: dict[str, str] = field(default_factory=dict)
    answer_headers: dict[str, str] = field(default_factory=dict)


def get(url: str, **options: Any) -> Call:
    return Call("GET", url, **options)


def redirect(url: str, to: str, status: int = 302, **options: Any) -> Call:
    return Call(options.pop("method", "GET"), url, status, options.pop("answer", ""), "", to, **options)


def form(url: str, to: str, status: int = 302, **fields: str) -> Call:
    return Call("POST", url, status, "", "", to, urlencode(fields))


def fetch(method: str, url: str, answer: Any, status: int = 200, body: Any = None, **options: Any) -> Call:
    text = "" if body is None else json.dumps(body)
    return Call(
        method, url, status, json.dumps(answer), "application/json", "", text, "application/json", "fetch", **options
    )


def files(host: str) -> list[Call]:
    """Return what a page loads: also what fails, as icons and analytics do."""
    return [
        get(f"{host}/app.css", answer="body{}", type="text/css", use="style"),
        get(f"{host}/app.js", answer="run()", type="application/javascript", use="script"),
        get(f"{host}/logo.png", answer="\x89PNG", type="image/png", use="image"),
        get(f"{host}/font.woff2", answer="wOF2", type="font/woff2", use="font"),
        get(f"{host}/favicon.ico", status=404, use="image"),
        Call("POST", "https://metrics.example/collect?v=2&error=none", 204, "", "", body="en=page", use="fetch"),
        get("https://metrics.example/pixel?code=US&state=active", answer="GIF89a", type="image/gif", use="image"),
    ]


def asked(endpoint: str, **changes: str) -> str:
    return f"{endpoint}?{urlencode(ASKED | changes)}"


def exchange(endpoint: str, *, failed: bool = False, use: str = "client") -> list[Call]:
    """Return the exchange of the code, with the preflight of a page's own call, and a call of the API."""
    preflight = Call(
        "OPTIONS", endpoint, 204, "", "", use="preflight",
        headers={"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "dpop"},
    )  # fmt: skip
    first = [preflight] if use == "fetch" else []
    if failed:
        answer = json.dumps({"error": "invalid_grant", "error_description": "PKCE verification failed"})
        return [*first, Call("POST", endpoint, 400, answer, "application/json", body=EXCHANGE, use=use)]
    api = get(
        f"{APP}/api/orders", answer="[]", type="application/json", use=use, headers={"Authorization": f"Bearer {TOKEN}"}
    )
    return [*first, Call("POST", endpoint, 200, TOKENS, "application/json", body=EXCHANGE, use=use), api]


def keycloak(failed: bool) -> list[Call]:
    host = "https://sso.example/realms/demo"
    oidc = f"{host}/protocol/openid-connect"
    fragment = urlencode({"state": STATE, "session_state": "5b1c-77", "iss": host, "code": CODE})
    login = f"{host}/login-actions/authenticate?session_code=Zq1w&execution=0aa1&client_id=shop&tab_id=uX1"
    return [
        get(f"{APP}/"),
        *files(APP),
        get(f"{oidc}/3p-cookies/step1.html"),
        get(asked(f"{oidc}/auth", response_mode="fragment"), answer=PASSWORD_FORM),
        *files("https://sso.example"),
        Call("POST", login, 200, PASSWORD_FORM, body="username=ann&password=wr0ng-pass&credentialId="),
        form(login, f"{CALLBACK}#{fragment}", username="ann", password="r1ght-pass"),
        get(CALLBACK),
        *files(APP),
        *exchange(f"{oidc}/token", failed=failed, use="fetch"),
        *(
            []
            if failed
            else [
                get(f"{oidc}/login-status-iframe.html"),
                get(f"{oidc}/login-status-iframe.html/init", status=204, answer="", type="", use="fetch"),
            ]
        ),
    ]


def auth0(failed: bool) -> list[Call]:
    host = "https://shop.eu.auth0.example"
    login = f"{host}/u/login?state=hKFo2SBxWmVs"
    return [
        redirect(asked(f"{host}/authorize"), "/u/login?state=hKFo2SBxWmVs"),
        get(login, answer=PASSWORD_FORM),
        *files(host),
        Call("POST", login, 400, PASSWORD_FORM, body="state=hKFo2SBxWmVs&username=ann&password=wr0ng-pass"),
        form(
            login, "/authorize/resume?state=hKFo2SBxWmVs", state="hKFo2SBxWmVs", username="ann", password="r1ght-pass"
        ),
        redirect(f"{host}/authorize/resume?state=hKFo2SBxWmVs", "/u/consent?state=hKFo2ABC"),
        get(f"{host}/u/consent?state=hKFo2ABC"),
        form(f"{host}/u/consent?state=hKFo2ABC", "/authorize/resume?state=hKFo2ABC", state="hKFo2ABC", action="accept"),
        redirect(f"{host}/authorize/resume?state=hKFo2ABC", LANDED),
        get(LANDED),
        *exchange(f"{host}/oauth/token", failed=failed, use="fetch"),
    ]


def okta(failed: bool) -> list[Call]:
    host = "https://dev-1.okta.example"
    idx = {"version": "1.0.0", "stateHandle": "02.id.Zx", "intent": "LOGIN"}
    wrong = idx | {"messages": {"type": "array", "value": [{"message": "Authentication failed", "class": "ERROR"}]}}
    return [
        get(asked(f"{host}/oauth2/default/v1/authorize")),
        *files(host),
        fetch("POST", f"{host}/idp/idx/introspect", idx, body={"stateToken": "eyJ6aXAi"}),
        fetch("POST", f"{host}/idp/idx/identify", idx, body={"identifier": "ann", "stateHandle": "02.id.Zx"}),
        fetch("POST", f"{host}/idp/idx/challenge/answer", wrong, 401, body={"credentials": {"passcode": "wr0ng-pass"}}),
        fetch("POST", f"{host}/idp/idx/challenge/answer", idx, body={"credentials": {"passcode": "r1ght-pass"}}),
        redirect(f"{host}/login/token/redirect?stateToken=02.id.Zx", LANDED),
        redirect(LANDED, "/"),
        get(f"{APP}/"),
        *exchange(f"{host}/oauth2/default/v1/token", failed=failed),
    ]


def entra(failed: bool) -> list[Call]:
    host = "https://login.microsoftonline.example/common"
    posted = urlencode({"code": CODE, "client_info": "eyJ1aWQi", "state": STATE, "session_state": "c1a2"})
    auto = (
        f"<html><body><form method='POST' action='{CALLBACK}'><input name='code' value='{CODE}'></form></body></html>"
    )
    return [
        redirect(f"{APP}/login", asked(f"{host}/oauth2/v2.0/authorize", response_mode="form_post")),
        get(asked(f"{host}/oauth2/v2.0/authorize", response_mode="form_post"), answer=PASSWORD_FORM),
        *files(host),
        fetch(
            "POST",
            f"{host}/GetCredentialType?mkt=en-US",
            {"Username": "ann", "IfExistsResult": 0},
            body={"username": "ann"},
        ),
        Call("POST", f"{host}/login", body="login=ann&passwd=r1ght-pass&ctx=rQQ&flowToken=AQAB"),
        Call("POST", "https://login.microsoftonline.example/kmsi", answer=auto, body="LoginOptions=1&ctx=rQQ"),
        Call("POST", CALLBACK, 302, "", "", f"{APP}/", posted, headers={"Sec-Fetch-Site": "cross-site"}),
        get(f"{APP}/"),
        *exchange(f"{host}/oauth2/v2.0/token", failed=failed),
    ]


def google(failed: bool) -> list[Call]:
    host = "https://accounts.google.example"
    params = urlencode(
        {"client_id": "shop", "continue": f"{host}/signin/oauth/consent?authuser=0", "flowName": "GeneralOAuthFlow"}
    )
    landed = {"state": STATE, "code": CODE, "scope": "email openid", "authuser": "0", "prompt": "consent"}
    back = f"{CALLBACK}?{urlencode(landed)}"
    return [
        redirect(asked(f"{host}/o/oauth2/v2/auth"), f"{host}/v3/signin/identifier?{params}"),
        get(f"{host}/v3/signin/identifier?{params}"),
        *files("https://ssl.gstatic.example"),
        Call(
            "POST",
            f"{host}/v3/signin/_/AccountsSignInUi/data/batchexecute?rpcids=MI613e",
            200,
            ")]}'\n\n[[1]]",
            "application/json",
            body="f.req=x&at=y",
            use="fetch",
        ),
        Call("POST", "https://play.google.example/log?format=json", 200, "[-1]", "text/plain", body="[]", use="fetch"),
        get(f"{host}/signin/oauth/consent?authuser=0&part=AJi8h"),
        redirect(f"{host}/signin/oauth/consent?authuser=0&part=AJi8h", back, method="POST", body="approve=true"),
        get(back),
        *exchange("https://oauth2.googleapis.example/token", failed=failed),
    ]


def lemonldap(failed: bool) -> list[Call]:
    host = "https://auth.example"
    here = asked(f"{host}/oauth2/authorize")
    return [
        get(here, status=401, answer=PASSWORD_FORM),
        *files(f"{host}/static"),
        Call("POST", here, 401, PASSWORD_FORM, body="url=&timezone=1&user=dwho&password=wr0ng-pass"),
        Call(
            "POST",
            here,
            200,
            "<html><form><input name=confirm value=1>Consent</form></html>",
            body="user=dwho&password=r1ght-pass",
        ),
        form(here, LANDED, confirm="1", lmAuth="Demo"),
        get(LANDED),
        *exchange(f"{host}/oauth2/token", failed=failed),
    ]


def glewlwyd(failed: bool) -> list[Call]:
    host = "https://glewlwyd.example"
    here = asked(f"{host}/api/glwd/auth")
    return [
        redirect(here, f"{host}/login.html?client_id=shop&callback_url=x&scope=openid"),
        get(f"{host}/login.html?client_id=shop&callback_url=x&scope=openid"),
        *files(host),
        fetch("GET", f"{host}/config", {"api_prefix": "api"}),
        Call("GET", f"{host}/api/profile_list/", 401, "", "", use="fetch"),
        Call(
            "POST",
            f"{host}/api/auth/",
            401,
            "",
            "",
            body='{"username":"ann","password":"wr0ng-pass"}',
            body_type="application/json",
            use="fetch",
        ),
        Call(
            "POST",
            f"{host}/api/auth/",
            200,
            "",
            "",
            body='{"username":"ann","password":"r1ght-pass"}',
            body_type="application/json",
            use="fetch",
        ),
        fetch("GET", f"{host}/api/auth/scheme/?scope=openid", {"scheme": "register", "error": False}),
        Call(
            "PUT",
            f"{host}/api/auth/grant/shop",
            200,
            "",
            "",
            body='{"scope":"openid"}',
            body_type="application/json",
            use="fetch",
        ),
        redirect(f"{here}&g_continue", LANDED),
        get(LANDED),
        *exchange(f"{host}/api/glwd/token", failed=failed),
    ]


def better_auth(failed: bool) -> list[Call]:
    host = "https://id.example"
    signin = asked(f"{host}/sign-in")
    return [
        fetch("GET", f"{APP}/api/auth/get-session", None),
        redirect(asked(f"{host}/api/auth/oauth2/authorize"), signin),
        get(signin),
        *files(host),
        fetch("GET", f"{host}/api/auth/get-session", None),
        fetch(
            "POST",
            f"{host}/api/auth/sign-in/email",
            {"code": "INVALID_EMAIL_OR_PASSWORD", "message": "Invalid email or password"},
            401,
            body={"email": "a@b.example", "password": "wr0ng-pass"},
        ),
        fetch(
            "POST",
            f"{host}/api/auth/sign-in/email",
            {"redirect": True, "url": f"{host}/consent?consent_code=Qm9"},
            body={"email": "a@b.example", "password": "r1ght-pass"},
        ),
        get(f"{host}/consent?consent_code=Qm9&client_id=shop"),
        fetch("POST", f"{host}/api/auth/oauth2/consent", {"redirectURI": LANDED}, body={"accept": True}),
        get(LANDED),
        *exchange(f"{host}/api/auth/oauth2/token", failed=failed, use="fetch"),
    ]


def canaille(failed: bool) -> list[Call]:
    host = "https://canaille.example"
    here = asked(f"{host}/oauth/authorize")
    return [
        redirect(here, f"{host}/login"),
        get(f"{host}/login"),
        *files(f"{host}/static"),
        form(f"{host}/login", "/auth/password", csrf_token="ImY5", login="ann"),
        get(f"{host}/auth/password", answer=PASSWORD_FORM),
        form(f"{host}/auth/password", here, csrf_token="ImY5", password="r1ght-pass"),
        get(here),
        form(here, LANDED, csrf_token="ImY5", answer="accept"),
        get(LANDED),
        *exchange(f"{host}/oauth/token", failed=failed),
    ]


def allauth(failed: bool) -> list[Call]:
    host = "https://allauth.example"
    here = asked(f"{host}/identity/o/authorize")
    login = f"{host}/accounts/login/?{urlencode({'next': here.removeprefix(host)})}"
    return [
        redirect(here, login),
        fetch(
            "GET",
            f"{host}/_allauth/browser/v1/auth/session",
            {"status": 401, "data": {"flows": [{"id": "login"}]}, "meta": {"is_authenticated": False}},
            401,
        ),
        get(login, answer=PASSWORD_FORM),
        Call("POST", login, 200, PASSWORD_FORM, body="csrfmiddlewaretoken=x1&login=ann&password=wr0ng-pass"),
        form(login, here, csrfmiddlewaretoken="x1", login="ann", password="r1ght-pass"),
        get(here),
        form(here, LANDED, csrfmiddlewaretoken="x2", scopes="openid", email="ann@b.example", action="grant"),
        get(LANDED),
        *exchange(f"{host}/identity/o/api/token", failed=failed),
    ]


def saml_broker(failed: bool) -> list[Call]:
    """A login at Keycloak that hops to another identity provider by SAML, and to one by Kerberos."""
    host = "https://sso.example/realms/corp"
    adfs = "https://adfs.example/adfs/ls/?SAMLRequest=fZJN&RelayState=x.y"
    return [
        redirect(
            asked(f"{host}/protocol/openid-connect/auth"),
            f"{host}/broker/adfs/login?client_id=shop&tab_id=x&session_code=y",
            303,
        ),
        redirect(f"{host}/broker/adfs/login?client_id=shop&tab_id=x&session_code=y", adfs),
        get(adfs, status=401, answer="", answer_headers={"WWW-Authenticate": "Negotiate"}),
        get(
            adfs,
            headers={"Authorization": "Negotiate YIIZ"},
            answer="<html><form><input name=SAMLResponse></form></html>",
        ),
        form(f"{host}/broker/adfs/endpoint", LANDED, SAMLResponse="PHNhbWxw", RelayState="x.y"),
        get(LANDED),
        *exchange(f"{host}/protocol/openid-connect/token", failed=failed),
    ]


def oidc_broker(failed: bool) -> list[Call]:
    """A login at Keycloak that hops to another OpenID provider: two authorization requests, one inside the other."""
    host, other = "https://sso.example/realms/corp", "https://other.example"
    endpoint = f"{host}/broker/other/endpoint"
    inner = {
        "client_id": "keycloak",
        "response_type": "code",
        "redirect_uri": endpoint,
        "state": "br0ker-state.Xy",
        "scope": "openid",
    }
    back = f"{endpoint}?{urlencode({'code': 'br0ker-code-1234567890', 'state': 'br0ker-state.Xy'})}"
    return [
        redirect(asked(f"{host}/protocol/openid-connect/auth"), f"{other}/authorize?{urlencode(inner)}", 303),
        get(f"{other}/authorize?{urlencode(inner)}", answer=PASSWORD_FORM),
        form(f"{other}/login", back, username="ann", password="r1ght-pass"),
        redirect(back, LANDED),
        get(LANDED),
        *exchange(f"{host}/protocol/openid-connect/token", failed=failed),
    ]


def remix_app(failed: bool) -> list[Call]:
    """An app of Remix, whose loaders are called with ``_data`` and whose actions redirect with 204."""
    host = "https://id.example"
    return [
        get(f"{APP}/login"),
        fetch("GET", f"{APP}/login?_data=root", {"user": None}),
        Call(
            "POST",
            f"{APP}/auth/id?_data=routes%2Fauth.id",
            204,
            "",
            "",
            body="",
            use="fetch",
            answer_headers={"X-Remix-Redirect": asked(f"{host}/authorize"), "X-Remix-Status": "302"},
        ),
        get(asked(f"{host}/authorize"), answer=PASSWORD_FORM),
        form(f"{host}/authorize/decision", LANDED, transaction_id="8fQ", username="ann", password="r1ght-pass"),
        redirect(LANDED, "/account"),
        get(f"{APP}/account"),
        fetch("GET", f"{APP}/account?_data=routes%2Faccount", {"name": "Ann"}),
        *exchange(f"{host}/token", failed=failed),
    ]


LOGINS = {
    login.__name__: login
    for login in (keycloak, auth0, okta, entra, google, lemonldap, glewlwyd, better_auth, canaille, allauth,
                  saml_broker, oidc_broker, remix_app)
}  # fmt: skip

SHAPES = {
    "chrome": "WebInspector", "chrome sanitized": "WebInspector", "firefox": "Firefox",
    "safari": "WebKit Web Inspector", "charles": "Charles Proxy", "fiddler": "Fiddler",
    "mitmproxy": "mitmproxy", "plain http": "mitmproxy",
}  # fmt: skip
"""Programs that save a HAR, with the name that each gives itself.

``plain http`` is a proxy's recording where no request has ``Sec-Fetch-*``.
"""

_TYPES = {"document": "document", "fetch": "fetch", "style": "stylesheet", "script": "script", "image": "image",
          "font": "font", "preflight": "preflight", "client": "other"}  # fmt: skip
_DESTINATIONS = {"fetch": "empty", "preflight": "empty"}
_ACCEPTS = {
    "document": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
    "image": "image/avif,image/webp,*/*",
    "style": "text/css,*/*;q=0.1",
}


def har(calls: list[Call], shape: str) -> str:
    """Return a HAR of the calls in the shape of a program."""
    entries = list(_entries(calls, shape))
    log = {"version": "1.2", "creator": {"name": SHAPES[shape], "version": "1.0"}, "entries": entries}
    return json.dumps({"log": log}, indent=1)


def _entries(calls: list[Call], shape: str) -> Iterator[dict[str, Any]]:
    start = datetime(2026, 11, 29, 10, tzinfo=UTC)
    for number, call in enumerate(calls):
        request: dict[str, Any] = {
            "method": call.method,
            "url": call.url,
            "httpVersion": "HTTP/1.1",
            "cookies": [],
            "queryString": [],
        }
        request |= {"headers": _request_headers(call, shape), "headersSize": -1, "bodySize": len(call.body)}
        if call.body:
            request["postData"] = {"mimeType": call.body_type, "text": call.body, "params": []}
        content: dict[str, Any] = {"size": len(call.answer), "mimeType": call.type or "x-unknown", "text": call.answer}
        if shape in ("charles", "mitmproxy") and call.use == "image":
            encoded = base64.b64encode(call.answer.encode()).decode()
            content |= {"text": encoded, "encoding": "base64"}
        headers = {"Content-Type": call.type, "Location": call.to, **call.answer_headers}
        if call.use == "document" and shape != "chrome sanitized":
            headers["Set-Cookie"] = "session=s3ss10n-c00kie-value; Path=/; HttpOnly"
        response = {
            "status": call.status,
            "statusText": "",
            "httpVersion": "HTTP/1.1",
            "cookies": [],
            "content": content,
        }
        response |= {"headers": _named(headers), "redirectURL": call.to, "headersSize": -1, "bodySize": -1}
        entry: dict[str, Any] = {"startedDateTime": (start + timedelta(seconds=number)).isoformat(), "time": 20.5}
        entry |= {
            "request": request,
            "response": response,
            "cache": {},
            "timings": {"send": 0, "wait": 20, "receive": 0},
        }
        if shape.startswith("chrome") and call.use != "client":
            entry |= {"_resourceType": _TYPES[call.use], "_priority": "High", "_initiator": {"type": "other"}}
        elif shape == "safari":
            entry |= {"_fetchType": "Network Load", "_priority": "high"}
        elif shape == "fiddler":
            entry["comment"] = "[#12]"
        yield entry


def _request_headers(call: Call, shape: str) -> list[dict[str, str]]:
    headers = {"Content-Type": call.body_type if call.body else "", **call.headers}
    if call.use == "client":
        return _named(headers | {"Accept": "*/*", "User-Agent": "python-requests/2.32"})
    headers |= {"User-Agent": "Mozilla/5.0", "Accept": _ACCEPTS.get(call.use, "*/*")}
    if call.use == "document":
        headers["Upgrade-Insecure-Requests"] = "1"
    if shape not in ("safari", "plain http"):
        headers |= {"Sec-Fetch-Dest": _DESTINATIONS.get(call.use, call.use)}
        headers |= {"Sec-Fetch-Mode": "navigate" if call.use == "document" else "cors", "Sec-Fetch-Site": "same-origin"}
    if shape == "chrome sanitized":
        headers.pop("Authorization", None)
    else:
        headers["Cookie"] = "session=s3ss10n-c00kie-value"
    return _named(headers)


def _named(headers: dict[str, str]) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in headers.items() if value]
