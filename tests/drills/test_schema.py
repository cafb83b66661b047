"""The file of drills: the errors of an invalid one, and the content of the shipped one."""

import pytest

from oauth.catalogue import documented
from oauth.drills import DrillError, drills
from oauth.drills.schema import Authorize, CodeExchange, MoveClock, fill, read

GOOD = """
[[drill]]
id = "mine"
title = "T"
shows = "S"
number = 2
steps = [{ do = "authorize" }, { do = "token" }]
"""


def test_a_drill_is_read() -> None:
    (drill,) = read(GOOD)
    assert (drill.id, drill.number, drill.proven) == ("mine", 2, ())
    assert drill.steps == (Authorize(), CodeExchange())


@pytest.mark.parametrize(
    ("was", "is_now", "said"),
    [
        ('title = "T"', "", "drill mine: Object missing required field `title`"),
        ('title = "T"', 'title = "T"\ncolour = 1', "drill mine: Object contains unknown field `colour`"),
        ('title = "T"', "title = 1", "drill mine, field title: Expected `str`, got `int`"),
        ("number = 2", "number = true", "drill mine, field number: Expected `int | null`, got `bool`"),
        ("number = 2", "number = 12", "drill mine: the field number is 12"),
        ("number = 2", 'code = "no_such_code"', "drill mine: the field code is 'no_such_code'"),
        ("number = 2", 'answer = "no_such_kind"', "drill mine: the field answer is 'no_such_kind'"),
        ("number = 2", "", "drill mine: set exactly one of the fields number, entry, code and answer"),
        (
            "number = 2",
            'number = 2\ncode = "invalid_grant"',
            "exactly one of the fields number, entry, code and answer",
        ),
        ("number = 2", "number = 2\nspends_code = 1", "drill mine, field spends_code: Expected `bool`, got `int`"),
        ("number = 2", 'number = 2\nproven = "code.used"', "drill mine, field proven: Expected `array`, got `str`"),
        ("number = 2", "number = 2\nproven = [1]", "drill mine, field proven: Expected `str`, got `int`"),
        ('{ do = "authorize" }', "{}", "drill mine, step 1: Object missing required field `do`"),
        ('{ do = "token" }', '{ do = "dance" }', "drill mine, step 2, field do: Invalid value 'dance'"),
        ('{ do = "token" }', '{ do = "token", grant = "password" }', "step 2: Object contains unknown field `grant`"),
        ('{ do = "token" }', '{ do = "token", set = 1 }', "step 2, field set: Expected `object`, got `int`"),
        (
            '{ do = "token" }',
            '{ do = "token", set = { code = 1 } }',
            "step 2, field set: Expected `str`, got `int`",
        ),
        ('{ do = "token" }', '{ do = "token", set = { code = "{password}" } }', "the field set has {password}"),
        ('{ do = "token" }', '{ do = "token", set = { code = "{code.real}" } }', "the field set has {code.real}"),
        ('{ do = "token" }', '{ do = "token", set = { code = "{code!r}" } }', "the field set has {code}"),
        ('{ do = "token" }', '{ do = "token", set = { code = "{code" } }', "the field set has unbalanced braces"),
        ('{ do = "token" }', '{ do = "token", body = "{" }', "step 2: the field body has unbalanced braces"),
        (
            '{ do = "token" }',
            '{ do = "token", body_format = "xml" }',
            "step 2, field body_format: Invalid enum value 'xml'",
        ),
        (
            '{ do = "token" }',
            '{ do = "token", leave_out = "code" }',
            "step 2, field leave_out: Expected `array`, got `str`",
        ),
        (
            '{ do = "authorize" }',
            '{ do = "authorize", decision = "shrug" }',
            "step 1, field decision: Invalid enum value 'shrug'",
        ),
        ('{ do = "authorize" }', '{ do = "clock" }', "step 1: Object missing required field `seconds`"),
        ('{ do = "token" }', '{ do = "clock", seconds = 1 }', "drill mine: the last of the steps must be a request"),
        ('steps = [{ do = "authorize" }, { do = "token" }]', "", "drill mine: Object missing required field `steps`"),
    ],
)
def test_invalid_file_is_refused_naming_drill_and_field(was: str, is_now: str, said: str) -> None:
    assert was in GOOD
    with pytest.raises(DrillError) as raised:
        read(GOOD.replace(was, is_now), "mine.toml")
    assert str(raised.value).startswith("mine.toml, drill mine")
    assert said in str(raised.value)


def test_file_without_a_list_of_drills_is_refused() -> None:
    for text in ("[[drill", "drill = 1", f"more = 1\n{GOOD}"):
        with pytest.raises(DrillError, match=r"mine\.toml"):
            read(text, "mine.toml")


def test_duplicate_id_is_refused() -> None:
    with pytest.raises(DrillError, match="drill mine: the field id is already used by another drill"):
        read(GOOD + GOOD)


def test_placeholders_are_filled() -> None:
    assert fill("{{{code:.3}, {state}}}", {"code": "abcdef", "state": "xyz"}) == "{abc, xyz}"
    assert fill("Bearer {access_token}", {}) == "Bearer "


def test_every_documented_error_has_a_drill() -> None:
    assert {drill.number for drill in drills()} >= set(documented())


def test_a_drill_that_presents_a_code_says_that_it_is_spent() -> None:
    for drill in drills():
        asked = any(isinstance(step, Authorize) for step in drill.steps[:-1])
        assert drill.spends_code is asked or drill.id == "authorize-unauthorized-client", drill.id


def test_a_drill_that_sends_wrong_credentials_says_so() -> None:
    refused = {drill.id for drill in drills() if drill.number == 6 or drill.entry == "olxgroup/client_credentials"}
    assert {drill.id for drill in drills() if drill.could_lock_account} == {*refused, "credentials-twice"}


def test_nothing_is_issued_while_the_clock_is_moved() -> None:
    """The sandbox drops what has expired when it issues: that would be everybody's."""
    moved = [drill for drill in drills() if any(isinstance(step, MoveClock) for step in drill.steps)]
    assert moved
    for drill in moved:
        assert isinstance(drill.steps[-2], MoveClock), drill.id
