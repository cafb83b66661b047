"""Texts that once stopped the console for everybody, each in the size that did, within seconds."""

import base64
import io
import json
import math
import random
from collections.abc import Callable

import pytest

from oauth import paste
from oauth.errors import InputError
from oauth.history.store import History
from oauth.imports import MOST_PROBLEMS, ImportFileError, Report, import_file
from oauth.jose import jwt, keys
from oauth.paste import result
from oauth.providers import custom
from oauth.providers.validation import ProfileError
from oauth.redaction import Vault
from tests.hostile.budget import cost
from tests.hostile.check import quick_breaches
from tests.hostile.entry_points import ENTRY_POINTS, NOW
from tests.hostile.shapes import repeated

SECONDS = 5.0
"""Processor time of a text here; before, each took from 10 s to many minutes. A busy machine makes one second two."""
CALLS: dict[str, Callable[[str], object]] = {entry.name: entry.call for entry in ENTRY_POINTS}


def base64url(number: int) -> str:
    return base64.urlsafe_b64encode(number.to_bytes(-(-number.bit_length() // 8), "big")).rstrip(b"=").decode()


def rsa_without_primes(octets: int) -> dict[str, str]:
    chance = random.Random(1)
    modulus, exponent = (chance.getrandbits(octets * 8) | 1 for _ in range(2))
    return {"kty": "RSA", "kid": "k", "n": base64url(modulus), "e": "AQAB", "d": base64url(exponent)}


@pytest.mark.parametrize(
    ("entry", "text"),
    [
        pytest.param("paste of curl's data", "a=a&" * 16_384, id="a form of curl"),
        pytest.param("paste of curl's words", "-H 'Cookie: " + "a=b; " * 20_000 + "'", id="a cookie of curl"),
        pytest.param("paste of curl's words", "".join(f"x{number}=a&" for number in range(10_000)), id="other names"),
        pytest.param("callback's form", "".join(f"a{number}=b&" for number in range(8_000))[:65_536], id="a callback"),
        pytest.param("callback's form", "a=a&" * 16_384, id="a callback that repeats"),
        pytest.param(
            "pasted callback", "https://c.example/?" + "".join(f"a{n}=b&" for n in range(10_000)), id="pasted"
        ),
        pytest.param("profile", 'a = "' + '\\"' * 50_000, id="a string without an end"),
        pytest.param("profile", '\\"' * 50_000, id="quotes of a string without a beginning"),
        pytest.param("profile", "a." * 100_000 + "a = 1", id="a dotted key"),
        pytest.param("profile", ("a." * 50 + "a = 1\n") * 2_000, id="dotted keys"),
        pytest.param("profile", "".join(f"[{'a.' * 30}b{n}]\n" for n in range(3_000)), id="dotted tables"),
    ],
)
def test_text_that_froze_the_console_is_read_or_refused_at_once(entry: str, text: str) -> None:
    assert cost(lambda: CALLS[entry](text), 20).seconds < SECONDS


@pytest.mark.parametrize(
    "unit",
    [
        pytest.param('fetch("https://\\q")', id="fetch calls that cannot be read"),
        pytest.param("Array ( [a] => x" + " \n" * 30 + "[b ", id="whitespace in print_r"),
        pytest.param('array(1) { ["a"]=> string(90000) "b" }\n', id="sizes of var_dump that are not true"),
        pytest.param("{'a': b" + " " * 200 + "c", id="whitespace in a value without quotes"),
        pytest.param('{"a": "{}', id="JSON in a text of JSON"),
        pytest.param("{" * 3 + '"a": 1,\n', id="objects that do not end"),
        pytest.param("== Info: ", id="remarks of curl in one line"),
        pytest.param("* ", id="remarks of curl -v in one line"),
        pytest.param("] truncated   (   ", id="marks of a cut text"),
        pytest.param("me@host me@host;", id="prompts"),
        pytest.param("$ curl x\ncurl ", id="commands"),
        pytest.param("curl a --next -", id="commands with --next"),
        pytest.param('{} "a" [] ', id="values in a row"),
    ],
)
@pytest.mark.parametrize("entry", ["paste", "paste of PHP's dump"])
def test_paste_of_repeated_text_is_linear(entry: str, unit: str) -> None:
    point = next(point for point in ENTRY_POINTS if point.name == entry)
    assert [breach.text for breach in quick_breaches(point, unit, repeated(unit))] == []


def test_curl_command_behind_a_long_line_is_still_read() -> None:
    text = f"{'a=a&' * 16_384}\nuser@host:~$ A=1 B=2 curl https://p.example/token -d 'code=x&{'a=a&' * 16_384}'"
    items = paste.read(text)
    assert [item.request.url for item in items if item.request] == ["https://p.example/token"]


def commands(text: str) -> list[str]:
    """Return the addresses of the curl commands in a text."""
    return [item.request.url for item in paste.read(text) if item.request and item.source == "curl command"]


@pytest.mark.parametrize(
    "line",
    [
        "curl",
        "$ curl",
        "PS C:\\Users\\me> curl",
        "C:\\Users\\me> curl",
        "me@host:~/a b$ curl",
        "cd a && curl",
        "TOKEN=x;curl",
        "A=b&c curl",
        "a;A=b sudo time curl",
        "> curl",
        "x\n  curl",
    ],
)
def test_prompt_and_assignments_may_stand_before_curl(line: str) -> None:
    assert commands(f"A comment.\n{line} https://p.example") == ["https://p.example/"]


@pytest.mark.parametrize("line", ["the curl", "A=b curly", "acurl", "x A=b curl", "A= b curl", "me@host curl"])
def test_curl_inside_a_sentence_does_not_begin_a_line(line: str) -> None:
    assert commands(f"curl https://q.example\n{line} https://p.example") == ["https://q.example/"]


@pytest.mark.parametrize("octets", [256, 1_024, 6_144, 61_440])
def test_private_key_without_primes_is_refused_and_never_factored(octets: int) -> None:
    pasted = json.dumps(rsa_without_primes(octets))

    def read() -> None:
        with pytest.raises(InputError, match=r"no primes|longer than"):
            keys.read_private_key(pasted)

    assert cost(read, 20).seconds < SECONDS


@pytest.mark.parametrize("octets", [256, 6_144, 61_440])
def test_private_members_of_a_servers_key_are_never_computed_with(octets: int) -> None:
    token = "eyJhbGciOiJSUzI1NiIsImtpZCI6ImsifQ.e30.YQ"
    checks: list[jwt.Check] = []
    call = lambda: checks.append(jwt.check_signature(token, [rsa_without_primes(octets)]))  # noqa: E731
    assert cost(call, 20).seconds < SECONDS
    assert checks[0].holds is not True


def test_large_private_key_is_refused_before_its_primes_are_checked() -> None:
    p, q = 2**9689 - 1, 2**4423 - 1  # primes of Mersenne; the check of this key takes 40 s
    d = pow(65537, -1, math.lcm(p - 1, q - 1))
    members = {
        "n": p * q,
        "e": 65537,
        "d": d,
        "p": p,
        "q": q,
        "dp": d % (p - 1),
        "dq": d % (q - 1),
        "qi": pow(q, -1, p),
    }
    pasted = json.dumps({"kty": "RSA", **{name: base64url(number) for name, number in members.items()}})

    def read() -> None:
        with pytest.raises(InputError, match="larger than 4,096 bits"):
            keys.read_private_key(pasted)

    assert cost(read, 20).seconds < SECONDS


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("order = " + "9" * 5_000, "is not valid TOML: a value cannot be read"),
        ("a." * 17 + "a = 1", "a key has more than 16 parts"),
        ("a = " + "[" * 5_000, "nested deeper than 16 levels"),
        ("a = " + "{a=" * 5_000, "nested deeper than 16 levels"),
    ],
)
def test_profile_that_toml_cannot_read_is_a_problem_of_its_file(content: str, problem: str) -> None:
    with pytest.raises(ProfileError, match=problem):
        custom.read("a", content.encode(), "a.toml")


def test_dots_and_brackets_in_texts_and_comments_of_a_profile_do_not_count() -> None:
    dotted, opened = "a." * 40, "[{" * 40
    lines = f'''# {dotted} {opened}
    scope = "{dotted} {opened} \\" {dotted}" # {opened}
    name = \'\'\'{dotted} = {opened}\'\'\'
    site = """ {dotted} "" {opened} \\""" """
    '''
    with pytest.raises(ProfileError) as refused:
        custom.read("a", lines.encode(), "a.toml")
    assert "TOML" not in str(refused.value)


def test_har_of_empty_objects_is_refused_in_little_memory() -> None:
    text = '{"log": {"entries": [' + "{}," * (8 * 1024 * 1024 // 3) + "{}]}}"

    def read() -> None:
        with pytest.raises(paste.ParseError, match="more than"):
            paste.read(text)

    spent = cost(read, 20)
    assert spent.seconds < SECONDS
    assert spent.octets < 64 * 1024 * 1024


@pytest.mark.parametrize("unit", ["POST / HTTP/1.1\n\n", "curl a;", "--> GET a b\n", '{"error":"x"}\n'])
def test_text_of_countless_exchanges_is_refused_while_it_is_read(unit: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(result, "MOST_EXCHANGES", 1_000)
    text = unit * (512 * 1024 // len(unit))

    def read() -> None:
        with pytest.raises(paste.ParseError, match="more than 1,000 exchanges"):
            paste.read(text)

    spent = cost(read, 20)
    assert spent.seconds < SECONDS
    assert spent.octets < 64 * 1024 * 1024


@pytest.mark.parametrize("unit", ["{}", "{}\n", "[1]", '"{}"\n'])
def test_text_of_countless_values_that_are_no_exchanges_is_refused_in_time(unit: str) -> None:
    text = unit * (512 * 1024 // len(unit))

    def read() -> None:
        with pytest.raises(paste.ParseError):
            paste.read(text)

    spent = cost(read, 20)
    assert spent.seconds < SECONDS
    assert spent.octets < 64 * 1024 * 1024


def test_problems_of_an_imported_file_are_described_up_to_a_limit(history: History) -> None:
    content = b'{"log": {"entries": [' + b"{}," * 20_000 + b"{}]}}"
    reports: list[Report] = []

    def read() -> None:
        reports.append(import_file(io.BytesIO(content), history, lambda: Vault(b"key"), NOW))

    spent = cost(read, 20)
    assert spent.seconds < SECONDS
    assert spent.octets < 100 * 1024 * 1024
    assert len(reports[0].problems) == MOST_PROBLEMS + 1
    assert reports[0].problems[-1] == "19,001 more entries have problems."


def test_import_of_countless_brackets_is_refused(history: History) -> None:
    content = b'{"log": {"entries": [' + b"{}," * (8 * 1024 * 1024 // 3) + b"{}]}}"

    def read() -> None:
        with pytest.raises(ImportFileError, match="more brackets than a browser writes"):
            import_file(io.BytesIO(content), history, lambda: Vault(b"key"), NOW)

    spent = cost(read, 20)
    assert spent.seconds < SECONDS
    assert spent.octets < 64 * 1024 * 1024
