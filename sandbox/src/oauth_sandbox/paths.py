"""The provider's paths."""

from collections.abc import Mapping

from oauth_sandbox import olxgroup
from oauth_sandbox.configuration import Api
from oauth_sandbox.request import OF_PARTNER_API, Endpoint

AUTHORIZE = "/oauth/authorize/"
TOKEN = "/api/open/oauth/token"
API = "/api/partner"
USER = f"{API}/users/me"
PATHS: Mapping[Api, Mapping[Endpoint, str]] = {
    Api.PARTNER: {
        Endpoint.AUTHORIZE: AUTHORIZE,
        Endpoint.TOKEN: TOKEN,
        **{endpoint: f"{API}/{endpoint}" for endpoint in OF_PARTNER_API},
        Endpoint.USER: USER,
    },
    Api.OLXGROUP: {
        Endpoint.AUTHORIZE: "/mercury/authorization/",
        Endpoint.TOKEN: "/oauth/v1/token",
        Endpoint.METADATA: f"/advert/v1/{olxgroup.UUID}/meta",
    },
    Api.GENERIC: {
        Endpoint.AUTHORIZE: "/authorize",
        Endpoint.TOKEN: "/token",
        Endpoint.USERINFO: "/userinfo",
        Endpoint.JWKS: "/jwks",
        Endpoint.REVOKE: "/revoke",
        Endpoint.INTROSPECT: "/introspect",
        Endpoint.LOGOUT: "/logout",
        Endpoint.PAR: "/par",
        Endpoint.DEVICE: "/device",
        Endpoint.ACTIVATE: "/activate",
        Endpoint.REGISTER: "/register",
        Endpoint.DISCOVERY: "/.well-known/openid-configuration",
    },
}
"""The provider's paths; below some of the partner API's there are more."""

MOUNTED: Mapping[Api, str] = {Api.OLXGROUP: "/olxgroup", Api.GENERIC: "/generic", Api.PARTNER: ""}
"""The place of each API below the console's ``/sandbox``, or below a server's address, longer ones first."""

OAUTH_METADATA = "/.well-known/oauth-authorization-server"
"""The other name of the metadata (RFC 8414 §3)."""

REAL_ESTATE = tuple(f"/{locale}/crm/authorization/" for locale in ("pl", "pt", "ro"))
"""The sister API's authorization paths at the sites for real estate."""


def authorization_paths(api: Api) -> tuple[str, ...]:
    """Return the paths of the authorization page; the sister API has one for each of its sites."""
    return (PATHS[api][Endpoint.AUTHORIZE], *(REAL_ESTATE if api is Api.OLXGROUP else ()))


def endpoints_by_path(api: Api) -> dict[str, Endpoint]:
    """Return every path of an API, with its endpoint."""
    others = {OAUTH_METADATA: Endpoint.DISCOVERY} if api is Api.GENERIC else {}
    served = dict.fromkeys(authorization_paths(api), Endpoint.AUTHORIZE)
    return served | {path: endpoint for endpoint, path in PATHS[api].items()} | others
