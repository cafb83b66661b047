"""Record a server of another project over HTTP: its whole flow, and every usual failure.

``python -m tests.servers.record NAME`` writes recorded/NAME.har, and recorded/NAME.toml with what is true of each
exchange. What is true comes from what was done on purpose, before anything is diagnosed.
"""

import base64
import contextlib
import hashlib
import re
import secrets
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote_plus, urlencode, urljoin, urlsplit

import httpx

from tests.servers import running
from tests.servers.har_recorder import CALLBACK, SUCCESS, Recorder, forms_of

RECORDED = Path(__file__).parent / "recorded"
LOGIN = {
    "username": "demo",
    "login": "demo",
    "user_name": "demo",
    "email": "demo@example.com",
    "password": "demo-password",
}
DEVICE = "urn:ietf:params:oauth:grant-type:device_code"
SAMPLE_HOST = "http://127.0.0.1:8501"


@dataclass(frozen=True)
class Client:
    """A registered client, and the method with which it authenticates."""

    id: str
    secret: str = ""
    method: str = "client_secret_basic"

    def authenticate(self, method: str = "") -> dict[str, Any]:
        """Return the headers and form fields of a method, by default the client's own.

        ``as_is`` is Basic without the form encoding of RFC 6749 §2.3.1.
        """
        match method or self.method:
            case "client_secret_basic" | "as_is" as chosen:
                encode = str if chosen == "as_is" else quote_plus
                pair = f"{encode(self.id)}:{encode(self.secret)}"
                return {"headers": {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}, "data": {}}
            case "client_secret_post":
                return {"headers": {}, "data": {"client_id": self.id, "client_secret": self.secret}}
            case _:
                return {"headers": {}, "data": {"client_id": self.id}}


def client(name: str, method: str = "client_secret_basic") -> Client:
    """Return one of the clients that each server is started with."""
    return Client(name, "" if method == "none" else f"{name}-secret-0123456789", method)


WEB_APP, OTHER_APP = client("web-app"), client("other-app")


@dataclass(frozen=True)
class Target:
    """A server to record. ``short`` is a client whose tokens live for a second, ``limited`` one with few rights."""

    start: Callable[[Path], AbstractContextManager[str]]
    main: Client = WEB_APP
    other: Client = OTHER_APP
    limited: Client | None = None
    short: Client | None = None
    public: Client | None = None
    device: Client | None = None
    fresh: Client | None = None
    """A client that nobody has consented to before, where the server remembers consent."""
    basic: Client | None = None
    """A client with Basic, at a server that wants its id in the body as well."""
    scope: str = "openid profile"
    more_scope: str = "openid profile email"
    api: str = ""
    guarded: str = ""
    """An API that needs a scope which ``scope`` does not have."""
    allow: tuple[str, str] | None = None
    deny: tuple[str, str] | None = None
    deny_link: str = ""
    """Pattern of a link of the consent page that denies, with its address as group 1."""
    asked: Mapping[str, str] = field(default_factory=dict)
    """Further parameters of each authorization request."""
    pause: float = 0
    """Seconds before each token request, where two tokens of one second would be the same."""
    metadata: Mapping[str, str] = field(default_factory=dict)


TARGETS: dict[str, Target] = {
    "canaille": Target(
        start=lambda folder: running.canaille(folder, CALLBACK),
        public=client("public-app", "none"),
        fresh=client("post-app", "client_secret_post"),
        allow=("answer", "accept"),
        deny=("answer", "deny"),
        pause=1.1,
    ),
    "django_allauth": Target(
        start=lambda folder: running.django_allauth(folder, CALLBACK),
        limited=client("limited-app"),
        public=client("public-app", "none"),
        device=client("device-app", "none"),
        allow=("action", "grant"),
        deny=("action", "cancel"),
    ),
    "mcp_sdk": Target(
        start=lambda _: running.mcp_sdk(CALLBACK),
        main=client("web-app", "client_secret_post"),
        other=client("other-app", "client_secret_post"),
        limited=client("limited-app", "client_secret_post"),
        short=client("short-app", "client_secret_post"),
        public=client("public-app", "none"),
        basic=client("basic-app"),
        scope="notes",
        more_scope="notes admin",
        api="/api/notes",
        guarded="/api/admin",
        allow=("allowed", "true"),
        deny=("allowed", "false"),
    ),
    "node_oauth2_server": Target(
        start=lambda _: running.node_oauth2_server(CALLBACK),
        limited=client("limited-app"),
        short=client("short-app"),
        scope="profile",
        more_scope="profile photos",
        api="/me",
        guarded="/photos",
        allow=("allowed", "true"),
        deny=("allowed", "false"),
    ),
    "oidc_provider": Target(
        start=lambda _: running.oidc_provider(CALLBACK),
        public=client("public-app", "none"),
        device=client("device-app", "none"),
        limited=client("limited-app"),
        scope="openid offline_access",
        asked={"prompt": "consent"},
        more_scope="openid email offline_access",
        deny_link='href="([^"]+/abort)"',
    ),
    "django_oauth_toolkit": Target(
        start=lambda folder: running.django_oauth_toolkit(folder, CALLBACK),
        device=client("device-app", "none"),
        scope="openid read introspection",
        more_scope="openid read write introspection",
        allow=("allow", "Authorize"),
    ),
}


@dataclass
class Grant:
    """A code as it came back, and what is needed to exchange it."""

    code: str
    verifier: str


class Driver:
    """Everything that is done to one server."""

    def __init__(self, target: Target, issuer: str) -> None:
        self.target, self.issuer = target, issuer
        self.recorder = Recorder("{0.scheme}://{0.netloc}".format(urlsplit(issuer)))
        self.metadata: dict[str, Any] = {}

    # What is sent

    def discover(self) -> None:
        """Read the documents of the server, and keep what they say, the first before the others."""
        path = urlsplit(self.issuer).path
        for place in (
            f"{path}/.well-known/openid-configuration",
            f"{path}/.well-known/oauth-authorization-server",
            *([f"/.well-known/oauth-authorization-server{path}"] if path else []),  # RFC 8414 §3.1
        ):
            response = self.recorder.send("no_document", "GET", place)
            if response.is_success:
                self.recorder.settle(SUCCESS)
                self.metadata = response.json() | self.metadata
        if self.target.metadata:
            self.metadata |= {name: urljoin(self.issuer, path) for name, path in self.target.metadata.items()}
        if "jwks_uri" in self.metadata:
            self.recorder.send(SUCCESS, "GET", self.metadata["jwks_uri"])

    def authorize(
        self,
        fault: str = SUCCESS,
        of: Client | None = None,
        *,
        is_allowed: bool = True,
        without: tuple[str, ...] = (),
        **changed: str,
    ) -> Grant:
        """Go through the browser's part; the answer that ends it has the fault. The code is empty without one."""
        verifier = secrets.token_urlsafe(32)
        parameters = {
            "response_type": "code",
            "client_id": (of or self.target.main).id,
            "redirect_uri": CALLBACK,
            "scope": self.target.scope,
            "state": secrets.token_urlsafe(16),
            "nonce": secrets.token_urlsafe(16),
            "code_challenge": base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("="),
            "code_challenge_method": "S256",
        }
        parameters |= {**self.target.asked, **changed}
        if "openid" not in parameters["scope"].split():
            without = (*without, "nonce")
        query = urlencode({name: value for name, value in parameters.items() if name not in without})
        browser = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
        url = f"{self.metadata['authorization_endpoint']}?{query}"
        response = self.recorder.send(SUCCESS, "GET", url, headers=browser)
        for _ in range(12):
            here = str(response.request.url)
            if response.is_redirect:
                target = urljoin(here, response.headers["location"])
                answer = dict(parse_qsl(urlsplit(target).query))
                if "error" in answer:
                    self.recorder.settle(f"carries:{fault}")
                if target.startswith(SAMPLE_HOST):
                    self.recorder.send(fault, "GET", target, headers=browser)
                    return Grant(answer.get("code", ""), verifier)
                response = self.recorder.send(SUCCESS, "GET", target, headers=browser)
            elif not is_allowed and (link := re.search(self.target.deny_link or "(?!)", response.text)):
                response = self.recorder.send(
                    SUCCESS, "GET", urljoin(here, link[1]), headers=browser | {"Referer": here}
                )
            elif response.is_success and (sent := self._filled(response, is_allowed)):
                headers = browser | {"Referer": here, "Origin": self.recorder.origin}
                response = self.recorder.send(
                    SUCCESS, "POST", urljoin(here, sent[0]) if sent[0] else here, data=sent[1], headers=headers
                )
            else:
                break
        self.recorder.settle(fault if fault != SUCCESS else "unplanned")
        return Grant("", verifier)

    def _filled(self, response: httpx.Response, is_allowed: bool) -> tuple[str, dict[str, str]] | None:
        """Return where the login or consent form of a page goes, and its fields."""
        target = self.target
        for form in forms_of(response):
            known = {name: LOGIN[name] for name in form.fields if name in LOGIN}
            if known:
                return form.action, form.fields | known | dict(form.buttons[:1])
            if target.allow in form.buttons or (target.allow is None and form.fields.get("prompt") == "consent"):
                button = target.allow if is_allowed else target.deny
                return form.action, form.fields | (dict([button]) if button else {})
        return None

    def token(
        self,
        fault: str = SUCCESS,
        of: Client | None = None,
        *,
        method: str = "",
        without: tuple[str, ...] = (),
        http: str = "POST",
        as_query: bool = False,
        as_json: bool = False,
        headers: Mapping[str, str] | None = None,
        **form: str,
    ) -> dict[str, Any]:
        """Send a token request, and return the body of a success."""
        sent = (of or self.target.main).authenticate(method)
        time.sleep(self.target.pause)
        return self.post(
            self.metadata["token_endpoint"],
            fault,
            sent,
            {name: value for name, value in form.items() if name not in without},
            http=http,
            as_query=as_query,
            as_json=as_json,
            headers=headers,
        )

    def post(
        self,
        url: str,
        fault: str,
        authentication: Mapping[str, Any],
        form: Mapping[str, str],
        *,
        http: str = "POST",
        as_query: bool = False,
        as_json: bool = False,
        headers: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        """Send a form as a client, and return the JSON of a success, or nothing."""
        fields = {**authentication["data"], **form}
        content: dict[str, Any] = {
            "headers": {"Accept": "application/json", **authentication["headers"], **(headers or {})}
        }
        if as_query or http == "GET":
            content["params"] = fields
        elif as_json:
            content["json"] = fields
        elif "Content-Type" in content["headers"]:
            content["content"] = urlencode(fields)
        else:
            content["data"] = fields
        response = self.recorder.send(fault, http, url, **content)
        with contextlib.suppress(ValueError):
            if response.is_success and isinstance(body := response.json(), dict):
                return body
        return {}

    def exchange(self, grant: Grant, fault: str = SUCCESS, of: Client | None = None, **changed: Any) -> dict[str, Any]:
        """Exchange a code."""
        form = {
            "grant_type": "authorization_code",
            "code": grant.code,
            "redirect_uri": CALLBACK,
            "code_verifier": grant.verifier,
        }
        return self.token(fault, of, **(form | changed))

    def refresh(self, token: str, fault: str = SUCCESS, of: Client | None = None, **changed: Any) -> dict[str, Any]:
        """Send a refresh token."""
        return self.token(fault, of, **({"grant_type": "refresh_token", "refresh_token": token} | changed))

    def call(self, token: str | None, fault: str = SUCCESS, url: str = "", scheme: str = "Bearer") -> None:
        """Call the API with an access token, or without one."""
        headers = {"Accept": "application/json"} | ({} if token is None else {"Authorization": f"{scheme} {token}"})
        self.recorder.send(fault, "GET", url or self.api, headers=headers)

    @property
    def api(self) -> str:
        """Address of the API: userinfo where the server has no other."""
        return self.target.api or self.metadata["userinfo_endpoint"]

    # What goes wrong

    def everything(self) -> None:
        """Run the flow, then every failure."""
        self.discover()
        if self.target.api:
            self.call(None, "access_token_left_out")
        self.whole_flow()
        for part in (
            self.registration,
            self.faults_of_client,
            self.faults_of_code,
            self.faults_of_redirect_uri,
            self.faults_of_pkce,
            self.faults_of_grant,
            self.faults_of_scope,
            self.faults_of_refresh,
            self.faults_of_access,
            self.faults_of_authorize,
            self.faults_of_request,
            self.faults_beside,
            self.faults_of_device,
        ):
            part()

    def whole_flow(self) -> None:
        """Log in, consent, exchange, call, refresh, introspect and revoke."""
        tokens = self.exchange(self.authorize())
        self.call(tokens["access_token"])
        if "refresh_token" in tokens:
            tokens |= self.refresh(tokens["refresh_token"])
            self.call(tokens["access_token"])
        self.beside("introspection_endpoint", token=tokens["access_token"])
        self.beside("revocation_endpoint", token=tokens["access_token"])
        if "revocation_endpoint" in self.metadata:
            self.call(tokens["access_token"], "access_token_revoked")
            self.beside("introspection_endpoint", token=tokens["access_token"])

    def beside(self, endpoint: str, fault: str = SUCCESS, of: Client | None = None, **form: str) -> None:
        """Send a form to an endpoint beside the flow, where the server has one."""
        if endpoint in self.metadata:
            client = of or self.target.main
            self.post(self.metadata[endpoint], fault, client.authenticate(), form)

    def registration(self) -> None:
        """Register a client and use it, then try metadata that is wrong."""
        url = self.metadata.get("registration_endpoint")
        if not url:
            return
        good = {
            "client_name": "Console",
            "redirect_uris": [CALLBACK],
            "grant_types": ["authorization_code", "refresh_token"],
            "response_types": ["code"],
            "token_endpoint_auth_method": self.target.main.method,
            "scope": self.target.scope,
        }
        response = self.recorder.send(SUCCESS, "POST", url, json=good)
        made = response.json()
        if response.is_success and "client_id" in made:
            new = Client(made["client_id"], made.get("client_secret", ""), made.get("token_endpoint_auth_method", ""))
            grant = self.authorize(of=new)
            if new.method == "client_secret_basic" and quote_plus(new.secret) != new.secret:
                self.exchange(grant, "secret_form_encoded", new)
                grant = self.authorize(of=new)
                new = Client(new.id, new.secret, "as_is")
            self.exchange(grant, of=new)
            self.exchange(self.authorize(of=new), "wrong_secret", Client(new.id, "x" * 40, new.method))
            uri = made.get("registration_client_uri")
            if uri:
                bearer = {"Authorization": f"Bearer {made['registration_access_token']}"}
                self.recorder.send(SUCCESS, "GET", uri, headers=bearer)
                self.recorder.send(
                    "registration_token_unknown", "GET", uri, headers={"Authorization": "Bearer nonsense"}
                )
                if self.recorder.send(SUCCESS, "DELETE", uri, headers=bearer).is_success:
                    self.authorize("unknown_client", of=new)
        for fault, changed in (
            ("registration_redirect_uris_left_out", {"redirect_uris": None}),
            ("registration_redirect_uri_invalid", {"redirect_uris": ["not an address"]}),
            ("registration_method_unknown", {"token_endpoint_auth_method": "magic"}),
            ("registration_grant_unknown", {"grant_types": ["magic"]}),
            ("registration_scope_unknown", {"scope": "no-such-scope"}),
        ):
            self.recorder.send(fault, "POST", url, json={k: v for k, v in (good | changed).items() if v is not None})
        self.recorder.send("registration_body_not_json", "POST", url, data={"client_name": "Console"})

    def faults_of_client(self) -> None:
        """Wrong, unknown and missing clients and secrets."""
        main, wrong = (
            self.target.main,
            Client(self.target.main.id, "not-the-secret-9876543210", self.target.main.method),
        )
        self.exchange(self.authorize(), "wrong_secret", wrong)
        self.exchange(self.authorize(), "unknown_client", Client("no-such-app", main.secret, main.method))
        self.exchange(self.authorize(), "no_client_authentication", Client(main.id, "", "nothing"))
        grant = self.authorize()
        self.post(
            self.metadata["token_endpoint"],
            "no_client_authentication",
            {"headers": {}, "data": {}},
            {
                "grant_type": "authorization_code", "code": grant.code, "redirect_uri": CALLBACK,
                "code_verifier": grant.verifier,
            },
        )  # fmt: skip
        another = "client_secret_post" if main.method == "client_secret_basic" else "client_secret_basic"
        self.exchange(self.authorize(), "wrong_authentication_method", method=another)
        self.exchange(
            self.authorize(), "two_authentications", method="client_secret_basic",
            client_id=main.id, client_secret=main.secret,
        )  # fmt: skip
        if self.target.public:
            self.exchange(self.authorize(of=self.target.public), of=self.target.public)
        if basic := self.target.basic:
            self.exchange(self.authorize(of=basic), "client_id_not_in_body", basic)
            self.exchange(self.authorize(of=basic), of=basic, client_id=basic.id)
            self.exchange(self.authorize(of=basic), "wrong_authentication_method", basic, method="client_secret_post")
        tokens = self.exchange(self.authorize())
        self.refresh(tokens.get("refresh_token", ""), "wrong_secret", wrong)

    def faults_of_code(self) -> None:
        """Codes that are missing, unknown, used or of another client."""
        self.exchange(self.authorize(), "code_left_out", without=("code",))
        self.exchange(self.authorize(), "code_left_out", code="")
        self.exchange(self.authorize(), "code_unknown", code="nonsense-" + secrets.token_urlsafe(20))
        grant = self.authorize()
        tokens = self.exchange(grant)
        self.call(tokens["access_token"])
        self.exchange(grant, "code_used_twice")
        self.call(tokens["access_token"], "token_of_replayed_code")
        if "refresh_token" in tokens:
            self.refresh(tokens["refresh_token"], "refresh_token_of_replayed_code")
        self.exchange(self.authorize(of=self.target.other), "code_of_another_client")

    def faults_of_redirect_uri(self) -> None:
        """Redirect URIs that are missing, differ or are not registered."""
        self.exchange(self.authorize(), "redirect_uri_left_out", without=("redirect_uri",))
        self.exchange(self.authorize(), "redirect_uri_other", redirect_uri=f"{CALLBACK}/other")
        self.exchange(self.authorize(), "redirect_uri_other", redirect_uri=f"{CALLBACK}/")
        self.authorize("redirect_uri_unregistered", redirect_uri="https://elsewhere.example/callback")
        self.authorize("redirect_uri_unregistered", redirect_uri=f"{CALLBACK}/")
        self.authorize("redirect_uri_not_asked", without=("redirect_uri",))

    def faults_of_pkce(self) -> None:
        """Verifiers and challenges that are missing or wrong."""
        self.exchange(self.authorize(), "verifier_left_out", without=("code_verifier",))
        self.exchange(self.authorize(), "verifier_wrong", code_verifier=secrets.token_urlsafe(32))
        self.exchange(self.authorize(), "verifier_too_short", code_verifier="short")
        self.authorize("challenge_method_unknown", code_challenge_method="S999")
        grant = self.authorize("challenge_left_out", without=("code_challenge", "code_challenge_method"))
        if grant.code:
            self.exchange(grant, "verifier_without_challenge")
        of = self.target.public
        if of:
            grant = self.authorize("challenge_left_out", of, without=("code_challenge", "code_challenge_method"))
            if grant.code:
                self.exchange(grant, "challenge_left_out", of, without=("code_verifier",))

    def faults_of_grant(self) -> None:
        """Grant types that are missing, misspelt or not allowed."""
        self.exchange(self.authorize(), "grant_type_left_out", without=("grant_type",))
        self.exchange(self.authorize(), "grant_type_misspelt", grant_type="authorisation_code")
        self.exchange(self.authorize(), "grant_type_unknown", grant_type="magic")
        self.token("grant_type_not_allowed", grant_type="client_credentials", scope=self.target.scope)
        self.token("grant_type_not_allowed", grant_type="password", username="demo", password="demo-password")
        if self.target.limited:
            self.token(
                "grant_type_not_allowed", self.target.limited, grant_type="refresh_token", refresh_token="nonsense"
            )

    def faults_of_scope(self) -> None:
        """Scopes that are unknown, or more than the client may have."""
        self.authorize("scope_unknown", scope="no-such-scope")
        self.authorize("scope_unknown", scope=f"{self.target.scope} no-such-scope")
        if self.target.limited:
            self.authorize("scope_not_registered", self.target.limited, scope=self.target.more_scope)
        tokens = self.exchange(self.authorize())
        if "refresh_token" in tokens:
            self.refresh(tokens["refresh_token"], "scope_beyond_grant", scope=self.target.more_scope)
        if self.target.guarded:
            tokens = self.exchange(self.authorize())
            self.call(tokens["access_token"], "scope_of_token", self.target.guarded)
            tokens = self.exchange(self.authorize(scope=self.target.more_scope))
            self.call(tokens["access_token"], SUCCESS, self.target.guarded)
        elif "userinfo_endpoint" in self.metadata and "openid" in self.target.scope:
            rest = self.target.more_scope.replace("openid ", "")
            grant = self.authorize("openid_left_out", scope=rest)
            if grant.code:
                tokens = self.exchange(grant)
                self.call(tokens.get("access_token", ""), "userinfo_without_openid")

    def faults_of_refresh(self) -> None:
        """Refresh tokens that are missing, unknown, used, revoked or of another client."""
        tokens = self.exchange(self.authorize())
        if "refresh_token" not in tokens:
            return
        self.refresh("", "refresh_token_left_out", without=("refresh_token",))
        self.refresh("nonsense-" + secrets.token_urlsafe(20), "refresh_token_unknown")
        self.refresh(tokens["access_token"], "access_token_as_refresh_token")
        first = tokens["refresh_token"]
        new = self.refresh(first)
        if new.get("refresh_token", first) != first:
            self.refresh(first, "refresh_token_used_twice")
        tokens = self.exchange(self.authorize())
        self.beside("revocation_endpoint", token=tokens["refresh_token"], token_type_hint="refresh_token")
        if "revocation_endpoint" in self.metadata:
            self.refresh(tokens["refresh_token"], "refresh_token_revoked")
        theirs = self.exchange(self.authorize(of=self.target.other), of=self.target.other)
        self.refresh(theirs["refresh_token"], "refresh_token_of_another_client")

    def faults_of_access(self) -> None:
        """Access tokens that are missing, unknown, expired or sent in the wrong way."""
        tokens = self.exchange(self.authorize())
        token = tokens["access_token"]
        self.call(None, "access_token_left_out")
        self.call("nonsense-" + secrets.token_urlsafe(20), "access_token_unknown")
        self.call(token, "access_token_scheme", scheme="Token")
        self.call(token, "access_token_scheme", scheme="Basic")
        self.call(token[:-4], "access_token_cut")
        self.recorder.send(
            "access_token_in_query", "GET", f"{self.api}?access_token={token}", headers={"Accept": "application/json"}
        )
        if "refresh_token" in tokens:
            self.call(tokens["refresh_token"], "refresh_token_as_access_token")
        if "id_token" in tokens:
            self.call(tokens["id_token"], "id_token_as_access_token")
        self.call(token)
        if self.target.short:
            tokens = self.exchange(self.authorize(of=self.target.short), of=self.target.short)
            self.call(tokens["access_token"])
            time.sleep(2.1)
            self.call(tokens["access_token"], "access_token_expired")

    def faults_of_authorize(self) -> None:
        """Authorization requests that are not well formed, and those that the user or the session refuses."""
        self.authorize("response_type_left_out", without=("response_type",))
        self.authorize("response_type_unknown", response_type="magic")
        self.authorize("client_id_left_out", without=("client_id",))
        self.authorize("unknown_client", Client("no-such-app"))
        self.authorize("state_left_out", without=("state",))
        self.authorize("nonce_left_out", without=("nonce",))
        if "openid" in self.target.scope:
            self.authorize("consent_required", self.target.fresh, prompt="none")
            self.recorder.forget_cookies()
            self.authorize("login_required", prompt="none")
        self.recorder.forget_cookies()
        self.authorize("access_denied", self.target.fresh, is_allowed=False)

    def faults_of_request(self) -> None:
        """Token requests in another shape than a form in a POST."""
        self.exchange(self.authorize(), "body_as_json", as_json=True)
        self.exchange(self.authorize(), "body_as_query", as_query=True)
        self.exchange(self.authorize(), "get_instead_of_post", http="GET")
        self.exchange(self.authorize(), "not_acceptable", headers={"Accept": "application/xml"})
        self.exchange(self.authorize(), "content_type_wrong", headers={"Content-Type": "text/plain"})

    def faults_beside(self) -> None:
        """Introspection and revocation of tokens that are not this client's, and without what they need."""
        theirs = self.exchange(self.authorize(of=self.target.other), of=self.target.other)
        main = self.target.main
        wrong = Client(main.id, "not-the-secret-9876543210", main.method)
        for endpoint in ("introspection_endpoint", "revocation_endpoint"):
            self.beside(endpoint, "wrong_secret", wrong, token=theirs["access_token"])
            self.beside(
                endpoint, "no_client_authentication", Client(main.id, "", "nothing"), token=theirs["access_token"]
            )
            self.beside(endpoint, "token_left_out")
            self.beside(endpoint, "token_unknown", token="nonsense-" + secrets.token_urlsafe(20))
            self.beside(endpoint, "token_of_another_client", token=theirs["access_token"])
        self.beside("revocation_endpoint", "token_type_unknown", token=theirs["access_token"], token_type_hint="magic")

    def faults_of_device(self) -> None:
        """Device codes that are pending, unknown or missing."""
        endpoint, device = self.metadata.get("device_authorization_endpoint"), self.target.device
        if not endpoint or not device:
            return
        scope = self.target.scope.split()[0]
        answer = self.post(endpoint, SUCCESS, device.authenticate(), {"scope": scope})
        self.token("authorization_pending", device, grant_type=DEVICE, device_code=answer["device_code"])
        self.token("slow_down", device, grant_type=DEVICE, device_code=answer["device_code"])
        self.token(
            "device_code_unknown", device, grant_type=DEVICE, device_code="nonsense-" + secrets.token_urlsafe(20)
        )
        self.token("device_code_left_out", device, grant_type=DEVICE)
        self.post(endpoint, "unknown_client", Client("no-such-app", "", "none").authenticate(), {"scope": scope})
        self.post(endpoint, "scope_unknown", device.authenticate(), {"scope": "no-such-scope"})


def record(name: str, folder: Path = RECORDED) -> Recorder:
    """Start a server, do everything to it, and write what came back. Raises ``KeyError`` for an unknown name."""
    target = TARGETS[name]
    with tempfile.TemporaryDirectory() as data, target.start(Path(data)) as issuer:
        driver = Driver(target, issuer)
        try:
            driver.everything()
        finally:
            driver.recorder.write(folder, name)
    return driver.recorder


def main() -> None:
    """Record the servers that are named, or all."""
    for name in sys.argv[1:] or TARGETS:
        recorder = record(name)
        print(f"{name}: {len(recorder.entries)} exchanges, {recorder.truths.count(SUCCESS)} of them successes")


if __name__ == "__main__":
    main()
