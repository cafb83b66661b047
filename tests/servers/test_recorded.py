"""The recorded servers: what is true of each exchange, and what the diagnosis says about it."""

import json

import pytest

from tests.servers import recorded
from tests.servers.recorded import CARRIES, CAUSES, SUCCESS, UNSCORED

NAMES = recorded.names()


@pytest.mark.parametrize("name", NAMES)
def test_each_exchange_of_a_recording_has_its_truth(name: str) -> None:
    entries = json.loads((recorded.RECORDED / f"{name}.har").read_text())["log"]["entries"]
    truths = recorded.truths(name)
    assert [truth.number for truth in truths] == list(range(1, len(entries) + 1))
    assert [truth.status for truth in truths] == [entry["response"]["status"] for entry in entries]
    faults = {*CAUSES, *UNSCORED}
    unknown = {truth.truth for truth in truths} - {SUCCESS, *faults, *(f"{CARRIES}{fault}" for fault in faults)}
    assert not unknown


@pytest.mark.parametrize("name", NAMES)
def test_no_recording_names_the_machine_it_was_made_on(name: str) -> None:
    entries = json.loads((recorded.RECORDED / f"{name}.har").read_text())["log"]["entries"]
    hosts = {entry["request"]["url"].split("/")[2] for entry in entries}
    assert hosts <= {"127.0.0.1:9000", "127.0.0.1:8501"}
    assert "/tmp" not in (recorded.RECORDED / f"{name}.har").read_text()


@pytest.mark.parametrize("name", NAMES)
def test_recording_has_a_whole_flow_and_most_of_the_faults(name: str) -> None:
    truths = [truth.truth for truth in recorded.truths(name)]
    assert truths.count(SUCCESS) > 100
    assert len(set(truths) & set(CAUSES)) >= 30
