"""The user's decision over HTTP, without a browser."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from oauth.sandbox import authorization_endpoint, endpoints
from oauth.sandbox.authorization_endpoint import Refused, RefusedByRedirect
from oauth.sandbox.configuration import USER_ID
from oauth.sandbox.control.operation import Call, Conflict, Operation
from oauth.sandbox.json_schema import table
from oauth.sandbox.pipeline import attend
from oauth.sandbox.provider import Sandbox
from oauth.sandbox.request import Endpoint, Received
from oauth.sandbox.response import Answer

PATH = "/control/consent"
BODY = table(
    {
        "url": {
            "type": "string",
            "maxLength": 10_000,
            "description": "The address of the authorization page, as the integration made it; its query counts.",
        },
        "parameters": {
            "type": "object",
            "additionalProperties": {"type": "string", "maxLength": 4000},
            "description": "Parameters of the authorization request (RFC 6749 §4.1.1), after those of url.",
        },
        "decision": {"enum": ["approve", "deny"], "description": "What the user decides."},
        "user_id": USER_ID,
    },
    ["decision"],
    "Give url, or parameters.",
    anyOf=[{"required": ["url"]}, {"required": ["parameters"]}],
)
ANSWER = table(
    {
        "location": {"type": "string", "description": "Where the browser would be sent."},
        "parameters": {
            "type": "object",
            "additionalProperties": {"type": "string"},
            "description": "The parameters in it: code and state, or error, error_description and state.",
        },
    },
    ["location", "parameters"],
    "The redirect.",
)


def _decide(sandbox: Sandbox, call: Call) -> dict[str, Any]:
    query = _query(call.body.get("url", ""), call.body.get("parameters", {}))
    received = Received(Endpoint.AUTHORIZE, "GET", query, {})
    user = str(call.body.get("user_id", ""))

    def proceed() -> Answer:
        asked = authorization_endpoint.examine(sandbox, query)
        return Answer.redirect(authorization_endpoint.decide(sandbox, asked, call.body["decision"], user))

    answer = attend(sandbox, received, PATH, lambda: endpoints.answered(proceed)).answer
    location = answer.headers.get("Location")
    if location is None:
        raise Conflict(_why(sandbox, query, user))
    return {"location": location, "parameters": dict(parse_qsl(urlsplit(location).query, errors="replace"))}


def _query(url: str, parameters: Mapping[str, str]) -> str:
    own = url.partition("#")[0].partition("?")[2]
    return "&".join(filter(None, [own, urlencode(parameters)]))


def _why(sandbox: Sandbox, query: str, user: str) -> str:
    """Why the user would see an error page."""
    try:
        asked = authorization_endpoint.examine(sandbox, query)
        authorization_endpoint.decide(sandbox, asked, "deny")
    except Refused as refused:
        return f"{refused.problem}. {refused.remedy}"
    except RefusedByRedirect:
        return "A fault struck the authorization request."
    if user and user not in map(str, sandbox.users):
        return f"There is no user {user}. There are: {', '.join(map(str, sandbox.users))}."
    return "A fault struck the authorization request."


OPERATIONS = (
    Operation(
        "POST",
        "consent",
        "Approve or deny an authorization request; what it does wrong is linted, and faults strike it",
        _decide,
        ANSWER,
        body=BODY,
        conflicts=True,
    ),
)
