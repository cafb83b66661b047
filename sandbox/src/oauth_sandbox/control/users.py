"""The users who can give consent, over HTTP. Fields besides the id and the name are returned by the API as they are."""

from typing import Annotated, Any

from msgspec import Meta

from oauth_sandbox.configuration import KnownUser, User, UserId, subject
from oauth_sandbox.control.operation import Call, Conflict, Operation
from oauth_sandbox.provider import Sandbox
from oauth_sandbox.validation import InvalidInput, quoted, validated

_ID = {"type": "integer", "minimum": 1, "maximum": 2**53 - 1}
_NAME = {"type": "string", "minLength": 1}
_SUB = {"type": "string", "minLength": 1, "maxLength": 255}
NewUser = Annotated[
    dict[str, Any],
    Meta(extra_json_schema={"required": ["id", "name"], "properties": {"id": _ID, "name": _NAME, "sub": _SUB}}),
]
UserChange = Annotated[
    dict[str, Any],
    Meta(min_length=1, extra_json_schema={"properties": {"name": _NAME, "sub": _SUB}, "not": {"required": ["id"]}}),
]
BY_ID = {"id": UserId}
PATH = "users/{id}"


def _list(sandbox: Sandbox, _call: Call) -> list[User]:
    return list(sandbox.users.values())


def _add(sandbox: Sandbox, call: Call) -> User:
    user: KnownUser = validated(call.body, KnownUser)
    if user.id in sandbox.users:
        raise Conflict(f"There is a user {user.id} already. Change it with PATCH.")
    _check_subject(sandbox, call.body)
    sandbox.put_user(call.body)
    return sandbox.users[user.id]


def _change(sandbox: Sandbox, call: Call) -> User:
    user_id = call.path["id"]
    if user_id not in sandbox.users:
        raise LookupError(f"There is no user {user_id}. Known users: {', '.join(map(str, sandbox.users))}.")
    if "id" in call.body:
        raise InvalidInput(("id",), "The id of a user stays. Leave it out, or add another user.")
    changed = {**sandbox.users[user_id], **call.body}
    validated(changed, KnownUser)
    _check_subject(sandbox, changed)
    sandbox.put_user(changed)
    return sandbox.users[user_id]


def _check_subject(sandbox: Sandbox, user: User) -> None:
    """Raise ``Conflict`` when another user has the same identifier: no client could tell them apart."""
    for other in sandbox.users.values():
        if other["id"] != user["id"] and subject(other) == subject(user):
            raise Conflict(f"The user {other['id']} has the sub {quoted(subject(user))}. Give each user its own.")


OPERATIONS = (
    Operation("GET", "users", "List the users; the first one is the default", _list, list[KnownUser]),
    Operation("POST", "users", "Add a user", _add, KnownUser, 201, body=NewUser, conflicts=True),
    Operation(
        "PATCH", PATH, "Change a user", _change, KnownUser, body=UserChange, path_parameters=BY_ID, conflicts=True
    ),
)
