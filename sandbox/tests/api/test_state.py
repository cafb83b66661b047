"""The data comes from the seed, and what was changed is in snapshots until a reset."""

import json
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from oauth_sandbox.configuration import Api as Interface
from oauth_sandbox.configuration import from_fields, ready_made
from oauth_sandbox.control.state import Snapshot, restore, take
from oauth_sandbox.control_client import SteeringError
from oauth_sandbox.partner import state
from oauth_sandbox.partner.routes import data_of
from oauth_sandbox.provider import Sandbox
from oauth_sandbox.response import json_text
from oauth_sandbox.testing import SteeredSandbox
from oauth_sandbox.validation import decoded

Api = Callable[..., httpx.Response]
SOURCE = Path(state.__file__).parents[2]
START = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
PROGRAM = """
from datetime import UTC, datetime
from oauth_sandbox.partner.reference import places
from oauth_sandbox.partner.routes import data_of
from oauth_sandbox.provider import Sandbox
from oauth_sandbox.response import json_text

sandbox = Sandbox(lambda: datetime(2026, 11, 23, 10, 0, tzinfo=UTC))
data_of(sandbox)
print(json_text([sandbox.partner.content(), list(places(sandbox.seed).cities.values())]))
"""


def configured(fields: dict[str, Any]) -> Sandbox:
    return Sandbox(lambda: START, configuration=from_fields(fields, ready_made(), Interface.PARTNER))


def content(sandbox: Sandbox) -> Any:
    return json.loads(json_text(data_of(sandbox).content()))


@pytest.mark.process
def test_another_process_has_the_same_data() -> None:
    command = [sys.executable, "-X", "utf8", "-c", PROGRAM]
    output = [
        subprocess.run(command, cwd=SOURCE, capture_output=True, check=True, text=True, encoding="utf-8").stdout
        for _ in range(2)
    ]
    assert output[0] == output[1]
    assert json.loads(output[0])[0] == content(Sandbox(lambda: START))


def test_another_seed_has_other_data_of_the_same_kind() -> None:
    first, second = (content(configured({"seed": seed})) for seed in (1, 2))
    ids = [{advert["id"] for advert in data["adverts"]} for data in (first, second)]
    assert ids[0].isdisjoint(ids[1])
    titles = [[advert["content"]["title"] for advert in data["adverts"]] for data in (first, second)]
    assert titles[0] != titles[1]
    assert [len(data["threads"]) for data in (first, second)] == [3, 3]


def test_data_of_a_user_does_not_depend_on_others_or_on_the_clock() -> None:
    users = [{"id": 1, "name": "One"}, {"id": 2, "name": "Two"}]
    both = configured({"users": users})
    alone = configured({"users": users[1:]})
    alone.clock.move(86_400 * 40)
    adverts = [advert for advert in content(both)["adverts"] if advert["user_id"] == 2]
    assert adverts == content(alone)["adverts"]


def test_clock_moved_before_the_first_call_makes_adverts_outdated_too(
    api: Api, steered_sandbox: SteeredSandbox, tokens: Callable[..., dict[str, Any]]
) -> None:
    steered_sandbox.clock.move(86_400 * 31)
    adverts = api("GET", "/adverts", token=tokens()["access_token"]).json()["data"]
    assert {advert["status"] for advert in adverts} == {"limited", "removed_by_user", "outdated", "moderated"}


def test_nothing_is_generated_until_it_is_needed(api: Api, sandbox: Sandbox) -> None:
    api("GET", "/users/me")
    api("GET", "/categories")
    assert sandbox.partner.adverts == {}
    api("GET", "/threads")
    assert len(sandbox.partner.adverts) == 12


def test_snapshot_has_created_changed_and_deleted_adverts_and_messages(
    api: Api, create: Callable[..., dict[str, Any]], steered_sandbox: SteeredSandbox
) -> None:
    def everything() -> list[Any]:
        lists = [api("GET", path).json()["data"] for path in ("/adverts", "/threads")]
        return [*lists, [api("GET", f"/threads/{it['id']}/messages").json()["data"] for it in lists[1]]]

    control = steered_sandbox.control
    created = create()
    api("POST", f"/adverts/{created['id']}/commands", {"command": "finish"})
    removed = next(it for it in api("GET", "/adverts").json()["data"] if it["status"] == "removed_by_user")
    api("DELETE", f"/adverts/{removed['id']}")
    thread = api("GET", "/threads").json()["data"][0]
    api("POST", f"/threads/{thread['id']}/messages", {"text": "See you on Saturday."})
    snapshot, before = control.snapshot(), everything()
    control.reset()
    assert "See you on Saturday." not in str(control.snapshot())
    control.restore(snapshot)
    assert everything() == before
    assert create()["id"] > created["id"], "an id is not given twice"


def test_older_snapshot_without_the_data_is_accepted(api: Api, steered_sandbox: SteeredSandbox) -> None:
    snapshot = steered_sandbox.control.snapshot()
    del snapshot["partner"], snapshot["settings"]["seed"]
    steered_sandbox.control.reset()
    steered_sandbox.control.restore(snapshot)
    assert len(api("GET", "/adverts").json()["data"]) == 12


def test_snapshot_of_another_seed_brings_its_data() -> None:
    first = configured({"seed": 5})
    data_of(first)
    second = Sandbox(lambda: START)
    data_of(second)
    restore(second, decoded(json_text(take(first)).encode(), Snapshot))
    assert content(second) == content(first)


def test_reset_begins_anew(api: Api, create: Callable[..., dict[str, Any]], sandbox: Sandbox) -> None:
    before = content(sandbox)
    create()
    sandbox.reset()
    assert content(sandbox) == before


def test_seed_is_a_setting_that_begins_the_data_anew(
    api: Api, create: Callable[..., dict[str, Any]], steered_sandbox: SteeredSandbox
) -> None:
    control, created = steered_sandbox.control, create()
    assert control.settings(seed=1)["seed"] == 1
    assert api("GET", f"/adverts/{created['id']}").status_code == 200
    assert control.settings(seed=2)["seed"] == 2
    assert api("GET", f"/adverts/{created['id']}").status_code == 404
    with pytest.raises(SteeringError, match=r"400 .*seed"):
        control.settings(seed=-1)
    control.reset()
    assert control.settings()["seed"] == 1


def test_sandboxes_of_their_own_share_no_adverts(steered_sandbox: SteeredSandbox) -> None:
    def adverts(url: str) -> list[dict[str, Any]]:
        with httpx.Client(base_url=url, trust_env=False) as own:
            body = {"client_id": "demo-app", "user_id": 402215, "scope": "read write v2"}
            secret = own.post("/control/access-tokens", json=body).json()["secret"]
            headers = {"Authorization": f"Bearer {secret}", "Version": "2.0"}
            found = own.get("/api/partner/adverts", headers=headers).json()["data"]
            path = f"/api/partner/adverts/{found[-1]['id']}/commands"
            own.post(path, headers=headers, json={"command": "deactivate", "is_success": True})
            result: list[dict[str, Any]] = found
            return result

    same = [adverts(steered_sandbox.control.make(seed=1)) for _ in range(2)]
    assert same[0] == same[1]
    assert adverts(steered_sandbox.control.make(seed=9)) != same[0]


def test_numbers_of_created_adverts_and_of_messages_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(state, "MOST_ADVERTS", 3)
    monkeypatch.setattr(state, "MOST_MESSAGES", 2)
    data = data_of(Sandbox(lambda: START))
    ids = [data.new_id() for _ in range(5)]
    for id in ids:
        data.add(state.Advert(id, 1, state.Status.NEW, START, START, START, START, {}))
    assert [id for id in data.adverts if id >= state.FIRST_ID] == ids[2:]
    assert len(data.adverts) == 12 + 3
    thread = next(iter(data.threads.values()))
    thread.add(state.Message(1, True, START, "last", True, []))
    assert [len(thread.messages), thread.messages[-1].text] == [2, "last"]


def test_every_one_of_many_users_has_adverts() -> None:
    users = [{"id": id, "name": f"User {id}"} for id in range(1, 1_001)]
    data = data_of(configured({"users": users}))
    assert len(data.adverts) == 12 * len(users)
    assert len({advert.user_id for advert in data.adverts.values()}) == len(users)
    ids = [thread.id for thread in data.threads.values()]
    ids += [message.id for thread in data.threads.values() for message in thread.messages]
    assert len(ids) == len(set(ids)) == 12 * len(users)
    assert max(ids) < state.FIRST_ID
