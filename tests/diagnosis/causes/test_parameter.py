"""Documented errors 1 and 3, and their siblings: a parameter that did not arrive."""

import pytest

from oauth.exchange import Request
from oauth.providers import BodyFormat
from tests.diagnosis.harness import Walk, cause, setting, text, verdict, with_body


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(
            "code",
            marks=[
                pytest.mark.proves(1, "code.left_out"),
                pytest.mark.rules_out(1, "code.empty", "code.other_name", "code.in_query", "body.unreadable"),
            ],
        ),
        pytest.param(
            "grant_type",
            marks=[
                pytest.mark.proves(3, "grant_type.left_out"),
                pytest.mark.rules_out(
                    3, "grant_type.empty", "grant_type.other_name", "grant_type.in_query", "body.unreadable"
                ),
            ],
        ),
        pytest.param("redirect_uri", marks=pytest.mark.proves("redirect_uri_mismatch", "redirect_uri.left_out")),
    ],
)
def test_missing_parameter_is_proven(walk: Walk, name: str) -> None:
    walk.authorize()
    exchange = walk.token(setting(**{name: None}))
    diagnosis = walk.diagnosed(exchange)
    missing = cause(diagnosis, f"{name}.left_out")
    assert missing.verdict == "proven"
    assert f"{name} is not in the " in text(missing)
    assert missing.fix is not None
    assert missing.fix.label == "ready"
    expected = {"code": walk.flow.code, "grant_type": "authorization_code", "redirect_uri": walk.redirect_uri}[name]
    assert walk.vault.resolve(str(missing.fix.changes[0].after)) == expected


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("code", marks=pytest.mark.proves(1, "code.empty")),
        pytest.param("grant_type", marks=pytest.mark.proves(3, "grant_type.empty")),
    ],
)
def test_empty_parameter_is_proven(walk: Walk, name: str) -> None:
    walk.authorize()
    diagnosis = walk.diagnosed(walk.token(setting(**{name: ""})))
    assert verdict(diagnosis, f"{name}.empty") == "proven"
    assert verdict(diagnosis, f"{name}.left_out") == "ruled out"


@pytest.mark.proves(1, "code.other_name")
@pytest.mark.rules_out(1, "code.left_out")
@pytest.mark.parametrize("other", ["authorization_code", "auth_code", "Code"])
def test_code_under_another_name_is_proven(walk: Walk, other: str) -> None:
    walk.authorize()
    diagnosis = walk.diagnosed(walk.token(setting(code=None, **{other: walk.flow.code})))
    renamed = cause(diagnosis, "code.other_name")
    assert renamed.verdict == "proven"
    assert f"The value is named {other}" in text(renamed)
    assert verdict(diagnosis, "code.left_out") == "ruled out"
    assert renamed.fix is not None
    assert [(change.name, change.after is None) for change in renamed.fix.changes] == [(other, True), ("code", False)]
    assert walk.vault.resolve(str(renamed.fix.changes[1].after)) == walk.flow.code


@pytest.mark.proves(3, "grant_type.other_name")
@pytest.mark.rules_out(3, "grant_type.left_out")
@pytest.mark.parametrize("other", ["grantType", "grant-type", "grant_typ"])
def test_misspelled_grant_type_is_proven(walk: Walk, other: str) -> None:
    walk.authorize()
    diagnosis = walk.diagnosed(walk.token(setting(grant_type=None, **{other: "authorization_code"})))
    assert verdict(diagnosis, "grant_type.other_name") == "proven"
    assert verdict(diagnosis, "grant_type.left_out") == "ruled out"


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("code", marks=pytest.mark.proves(1, "code.in_query")),
        pytest.param("grant_type", marks=pytest.mark.proves(3, "grant_type.in_query")),
    ],
)
def test_parameter_in_the_query_is_proven(walk: Walk, name: str) -> None:
    walk.authorize()
    value = walk.flow.code if name == "code" else "authorization_code"

    def moved(request: Request) -> Request:
        return Request(request.method, f"{request.url}?{name}={value}", request.headers, request.body)

    diagnosis = walk.diagnosed(walk.token(setting(**{name: None}), raw=moved))
    assert verdict(diagnosis, f"{name}.in_query") == "proven"
    assert verdict(diagnosis, f"{name}.left_out") == "ruled out"


@pytest.mark.proves(3, "body.unreadable")
def test_json_body_declared_as_form_is_proven(walk: Walk) -> None:
    walk.authorize()
    form = "application/x-www-form-urlencoded"
    diagnosis = walk.diagnosed(walk.token(raw=lambda request: with_body(request, request.body, form)))
    unreadable = cause(diagnosis, "body.unreadable")
    assert diagnosis.headline == "The server could not read the body: it does not match Content-Type"
    assert unreadable.verdict == "proven"
    assert f"Content-Type is {form}" in text(unreadable)
    assert "The body is written as JSON" in text(unreadable)
    assert verdict(diagnosis, "grant_type.left_out") == "ruled out"


def test_form_body_declared_as_json_is_proven(walk: Walk) -> None:
    walk.authorize()
    exchange = walk.token(
        body=BodyFormat.FORM, raw=lambda request: with_body(request, request.body, "application/json")
    )
    assert verdict(walk.diagnosed(exchange), "body.unreadable") == "proven"


@pytest.mark.proves("invalid_request", "body.unreadable")
@pytest.mark.rules_out("invalid_request", "parameter.repeated", "client.both", "request.method")
def test_json_with_a_trailing_comma_is_proven(walk: Walk) -> None:
    walk.authorize()
    exchange = walk.token(raw=lambda request: with_body(request, request.body[:-1] + b",}"))
    unreadable = cause(walk.diagnosed(exchange), "body.unreadable")
    assert unreadable.verdict == "proven"
    assert "The body is not valid JSON: line 1, column" in text(unreadable)


@pytest.mark.proves(1, "body.unreadable")
def test_json_within_a_form_is_proven(walk: Walk) -> None:
    """As ``curl -d grant_type=… -d '{"code": …}'`` sends it: a form with JSON in it. The server reads the form, so that
    ``grant_type`` arrives, and of the JSON one odd name."""
    walk.authorize()

    def mixed(request: Request) -> Request:
        return with_body(request, request.body + b'&{"code":"' + walk.flow.code.encode() + b'"}')

    exchange = walk.token(setting(code=None), body=BodyFormat.FORM, raw=mixed)
    diagnosis = walk.diagnosed(exchange)
    assert exchange.response is not None
    assert b'Missing parameter: \\"code\\"' in exchange.response.body
    lost = cause(diagnosis, "body.unreadable")
    assert lost.verdict == "proven"
    assert "Part of the body is JSON, which a server reads as a single name. It contains: code" in text(lost)
    assert verdict(diagnosis, "code.left_out") == "ruled out"
    assert lost.fix is not None
    assert [change.name for change in lost.fix.changes] == ["body", "code"]
    assert walk.vault.resolve(str(lost.fix.changes[1].after)) == walk.flow.code
    kept = cause(walk.kept(exchange), "body.unreadable")
    assert kept.verdict == "proven"
    assert walk.flow.code not in repr((diagnosis, kept))


@pytest.mark.proves("invalid_request", "parameter.repeated")
@pytest.mark.rules_out("invalid_request", "body.unreadable")
def test_repeated_parameter_is_proven(walk: Walk) -> None:
    walk.authorize()
    exchange = walk.token(
        body=BodyFormat.FORM, raw=lambda request: with_body(request, request.body + b"&grant_type=refresh_token")
    )
    repeated = cause(walk.diagnosed(exchange), "parameter.repeated")
    assert repeated.verdict == "proven"
    assert "grant_type" in text(repeated)


@pytest.mark.parametrize("number", [1, 3])
def test_correct_parameter_is_ruled_out(walk: Walk, number: int) -> None:
    """The same rules, over a request that has everything, and is refused for something else."""
    walk.authorize()
    name = "code" if number == 1 else "grant_type"
    other = "grant_type" if number == 1 else "code"
    diagnosis = walk.diagnosed(walk.token(setting(**{other: None})))
    before = walk.preflight(setting(**{other: None}))
    assert not [id for id in before if id.startswith(f"{name}.")]
    assert {verdict(diagnosis, f"{other}.{kind}") for kind in ("empty", "other_name", "in_query")} == {"ruled out"}
    assert verdict(diagnosis, "body.unreadable") == "ruled out"


def test_the_missing_refresh_token_is_named(walk: Walk) -> None:
    walk.got_tokens()
    diagnosis = walk.diagnosed(walk.refresh(setting(refresh_token=None)))
    missing = cause(diagnosis, "refresh_token.left_out")
    assert missing.verdict == "proven"
    assert missing.fix is not None
    assert walk.flow.tokens is not None
    assert walk.vault.resolve(str(missing.fix.changes[0].after)) == walk.flow.tokens.refresh_token
