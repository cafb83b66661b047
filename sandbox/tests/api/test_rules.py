"""Whatever JSON is sent as an advert, it is accepted and can be shown, or refused in the provider's forms."""

import copy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oauth_sandbox.behaviour import PRESETS, Preset
from oauth_sandbox.errors import ApiError
from oauth_sandbox.partner import rules
from oauth_sandbox.partner.reference import categories, places
from oauth_sandbox.response import json_text

from .conftest import ADVERT

SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.sampled_from([10**400, -1, 0, 21, "21", 1001]),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=80),
    st.sampled_from(["https://[::1", "https://", "http://x.invalid", "1e5", "\u0661", "features"]),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(["code", "value", "values", "url", "city_id", "currency", "x"]), inner, max_size=3
        ),
    ),
    max_leaves=8,
)
PLACES = [
    *[(name,) for name in rules.DEFAULTS],
    *[(name, member) for name, members in rules.MEMBERS.items() for member in members],
    ("attributes", 0),
    ("attributes", 0, "code"),
    ("attributes", 0, "value"),
    ("attributes", 0, "values"),
    ("images", 0),
    ("images", 0, "url"),
    ("anything",),
]
CAR = [
    {"code": "features", "values": ["abs"]},
    {"code": "state", "value": "used"},
    {"code": "year", "value": 2015},
    {"code": "petrol", "value": "hybrid"},
]
JOB = [{"code": "contract", "value": "b2b"}, {"code": "worktime", "value": "fulltime"}]
BODIES: dict[str, dict[str, Any]] = {
    "bench": ADVERT,
    "car": ADVERT | {"category_id": 41, "attributes": CAR},
    "job": ADVERT
    | {"category_id": 51, "attributes": JOB, "images": [], "salary": {"value_from": 1, "value_to": 2}, "price": None},
}


def changed(body: dict[str, Any], place: tuple[Any, ...], value: object) -> dict[str, Any]:
    body = copy.deepcopy(body)
    inner: Any = body
    for step in place[:-1]:
        default: Any = [{}] if step in ("attributes", "images") else {}
        if not isinstance(step, int) and not inner.get(step):
            inner[step] = default
        inner = inner[step]
    inner[place[-1]] = value
    return body


@pytest.mark.parametrize("name", BODIES)
def test_body_is_accepted_as_it_is(name: str) -> None:
    assert rules.checked(BODIES[name], PRESETS[Preset.STRICT], places(1))


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(PLACES), VALUES, st.sampled_from(Preset))
@pytest.mark.parametrize("name", BODIES)
def test_any_value_at_any_place(name: str, place: tuple[Any, ...], value: object, preset: Preset) -> None:
    try:
        content = rules.checked(changed(BODIES[name], place, value), PRESETS[preset], places(1))
    except ApiError as error:
        refused = error
    else:
        assert content.keys() == rules.DEFAULTS.keys()
        assert content["category_id"] in categories()
        assert json_text(content).encode()
        assert rules.checked(content, PRESETS[preset], places(1)) == content, "what is shown can be sent again"
        return
    assert refused.status == 400
    assert json_text(refused.members).encode()
