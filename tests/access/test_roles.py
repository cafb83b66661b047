import re
from typing import Any

import pytest

from oauth.access.person import LOCAL, Person, person_id
from oauth.access.roles import MINIMUM, Action, Role, Rules

RULES = Rules.parse(
    "admin=groups:oauth-admins, operator=realm_access.roles:operator, support=email:s@c.example, reader=*"
)


@pytest.mark.parametrize(
    ("claims", "role"),
    [
        ({}, Role.READER),
        ({"groups": ["staff", "oauth-admins"]}, Role.ADMIN),
        ({"groups": "oauth-admins"}, Role.ADMIN),
        ({"groups": "oauth-admins-not"}, Role.READER),
        ({"groups": {"oauth-admins": True}}, Role.READER),
        ({"realm_access": {"roles": ["operator"]}}, Role.OPERATOR),
        ({"realm_access.roles": ["operator"]}, Role.OPERATOR),
        ({"realm_access": ["operator"]}, Role.READER),
        ({"email": "s@c.example", "email_verified": True}, Role.SUPPORT),
        ({"email": "s@c.example"}, Role.READER),
        ({"email": "s@c.example", "email_verified": "true"}, Role.READER),
        ({"email": "s@c.example", "email_verified": True, "groups": ["oauth-admins"]}, Role.ADMIN),
    ],
)
def test_claims_give_the_highest_role_whose_rule_holds(claims: dict[str, Any], role: Role) -> None:
    assert RULES.role_of(claims) is role


def test_without_a_rule_that_holds_there_is_no_role() -> None:
    assert Rules.parse("admin=groups:a").role_of({"groups": ["b"]}) is Role.NONE


def test_only_what_the_rules_read_is_kept_of_the_claims() -> None:
    rules = Rules.parse("admin=groups:a, support=groups:b, operator=sub:7, reader=*")
    groups = [f"group {number}" for number in range(500)]
    assert rules.needed({"groups": ["a", *groups, "b"], "sub": "8", "phone": "1"}) == {"groups": ["a", "b"]}
    kept = rules.needed({"groups": ["a"], "sub": "7"})
    assert kept == {"groups": "a", "sub": "7"}
    assert rules.role_of(kept) is Role.ADMIN


@pytest.mark.parametrize("text", ["root=groups:a", "admin", "admin=groups", "admin=:a", "admin=groups:", "none=*"])
def test_invalid_rule_is_named_with_its_form(text: str) -> None:
    with pytest.raises(ValueError, match=re.escape("role=claim:value")):
        Rules.parse(f"reader=*, {text}")


def test_role_may_do_what_the_ones_before_it_may() -> None:
    assert set(MINIMUM) == set(Action)
    for action in Action:
        people = [Person("1@i", "A", role) for role in Role]
        assert [person.may(action) for person in people] == [role >= MINIMUM[action] for role in Role]
        assert not people[0].may(action)
        assert LOCAL.may(action)


def test_reader_sees_its_own_exchanges_and_support_everybodys() -> None:
    assert Person("1@i", "A", Role.READER).sees == "1@i"
    assert Person("1@i", "A", Role.SUPPORT).sees is None


def test_same_subject_of_two_issuers_is_two_people() -> None:
    assert person_id("https://a.example", "1") == "1@a.example"
    assert person_id("http://a.example", "1") == "1@http://a.example"
