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
}
"""The provider's paths; below some of the partner API's there are more."""

SISTER = "/olxgroup"
"""The place of the sister API beside the other one."""

REAL_ESTATE = tuple(f"/{locale}/crm/authorization/" for locale in ("pl", "pt", "ro"))
"""The sister API's authorization paths at the sites for real estate."""


def authorization_paths(api: Api) -> tuple[str, ...]:
    """Return the paths of the authorization page; the sister API has one for each of its sites."""
    return (PATHS[api][Endpoint.AUTHORIZE], *(REAL_ESTATE if api is Api.OLXGROUP else ()))
