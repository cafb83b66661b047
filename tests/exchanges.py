"""Exchanges that many tests send."""

from dataclasses import replace
from datetime import UTC, datetime

from oauth.exchange import Exchange, Step
from oauth.flow import Field, token_request

NOW = datetime(2026, 3, 1, 10, 0, tzinfo=UTC)
CODE = "c" * 40


def token_exchange(url: str) -> Exchange:
    """Return a token request to that address, of flow ``f1``, with a code in its body."""
    request = token_request("http://127.0.0.1/", [Field("code", CODE, "", "")])
    host = url.partition("://")[2].partition("/")[0]
    headers = tuple((name, host if name == "Host" else value) for name, value in request.headers)
    return Exchange(Step.TOKEN, replace(request, url=url, headers=headers), NOW, flow="f1", owner="local")
