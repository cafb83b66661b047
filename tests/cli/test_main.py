import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from oauth.catalogue import documented
from oauth.cli.main import main
from oauth.diagnosis.pasted import Finding, Paste
from tests.catalogue.test_catalogues import ACME

pytestmark = pytest.mark.process

ROOT = Path(__file__).parents[2]
DOCUMENTATION = ROOT / "tests" / "catalogue" / "documentation.txt"
KEYS = ["documented", "match", "status", "error", "error_description", "title", "remedy", "causes", "evidence", "step",
        "flow"]  # fmt: skip
STATUSES = [400, 400, 400, 400, 401, 400, 401, 401, 400, None, None]


def run(*arguments: str, given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([sys.executable, "-m", "oauth", *arguments], cwd=ROOT, input=given, capture_output=True)


def diagnose(given: bytes | str) -> list[dict[str, Any]]:
    done = run("diagnose", "-", "--json", given=given.encode() if isinstance(given, str) else given)
    assert (done.returncode, done.stderr) == (0, b"")
    result = json.loads(done.stdout)
    assert isinstance(result, list)
    return result


def refused(*arguments: str, given: bytes = b"") -> str:
    done = run(*arguments, given=given)
    assert (done.returncode, done.stdout) == (2, b"")
    (line,) = done.stderr.decode().splitlines()
    return line


def test_the_whole_documentation_gives_its_eleven_errors() -> None:
    done = run("diagnose", str(DOCUMENTATION))
    result = json.loads(done.stdout)
    assert done.returncode == 0
    assert [list(item) for item in result] == [KEYS] * 11
    assert [item["documented"] for item in result] == list(range(1, 12))
    assert {item["match"] for item in result} == {"exact"}
    assert [item["status"] for item in result] == STATUSES
    for item in result:
        entry = documented()[item["documented"]]
        assert (item["error"], item["error_description"]) == (entry.error or None, entry.description)
        assert (item["title"], item["remedy"]) == (entry.title, list(entry.remedy))


@pytest.mark.parametrize("number", range(1, 12))
def test_one_block_of_the_documentation_gives_one_error(number: int) -> None:
    text = DOCUMENTATION.read_text(encoding="utf-8")
    start = text.index(f"{number}. {documented()[number].title}\n")
    end = text.index(f"\n{number + 1}. ") if number < 11 else len(text)
    for given, status in ((text[start:end], STATUSES[number - 1]), (documented()[number].example, None)):
        (result,) = diagnose(given)
        assert (result["documented"], result["match"]) == (number, "exact")
        assert result["status"] == (status if number != 9 else 400)


def test_json_is_printed_with_and_without_the_flag() -> None:
    given = documented()[2].example.encode()
    assert run("diagnose", "-", given=given).stdout == run("diagnose", "-", "--json", given=given).stdout


def test_a_raw_response_is_diagnosed() -> None:
    text = "authorization code DOESN’T exist or is invalid for the client"
    body = json.dumps({"error": "invalid_grant", "error_description": text}, ensure_ascii=False)
    (result,) = diagnose(f"HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\n\r\n{body}")
    assert (result["documented"], result["match"], result["status"]) == (2, "folded", 400)
    assert result["error_description"] == text


def test_an_undocumented_text_has_no_number_and_the_codes_remedy() -> None:
    (result,) = diagnose('{"error": "invalid_grant", "error_description": "The authorization code has expired"}')
    assert (result["documented"], result["match"], result["status"]) == (None, None, None)
    assert result["title"] == "The code is not valid"
    assert result["remedy"]


def test_response_that_is_not_an_oauth_error_has_a_title_and_a_remedy() -> None:
    (result,) = diagnose("HTTP/1.1 502 Bad Gateway\r\n\r\n<html></html>")
    assert (result["documented"], result["error"], result["title"]) == (None, None, "The server failed")
    assert result["remedy"]


def test_success_has_no_explanation_and_no_secrets() -> None:
    secret = "5f3a9c0e1b7d4826aa0155e2c9d8f7b6"
    body = json.dumps({"access_token": secret, "refresh_token": secret})
    done = run("diagnose", "-", given=f"HTTP/1.1 200 OK\r\nSet-Cookie: a={secret}\r\n\r\n{body}".encode())
    (result,) = json.loads(done.stdout)
    told = {"status": 200, "remedy": [], "causes": [], "evidence": [], "step": "token", "flow": result["flow"]}
    assert result == {**dict.fromkeys(KEYS), **told}
    assert secret.encode() not in done.stdout + done.stderr


def test_several_responses_are_a_list_in_their_order() -> None:
    parts = [f"HTTP/1.1 {code} X\n\n{documented()[number].example}" for code, number in ((400, 2), (500, 7))]
    result = diagnose("\n\n".join(parts))
    assert [(item["documented"], item["status"]) for item in result] == [(2, 400), (7, 500)]


def test_request_without_problems_gives_an_empty_list() -> None:
    assert diagnose(documented()[1].example_request) == []


def test_request_alone_is_checked_before_sending() -> None:
    url = "https://www.olx.pl/api/open/oauth/token"
    (result,) = diagnose(f"curl {url} -d grant_type=authorization_code -d auth_code=abcdef -d client_id=7")
    assert [result[key] for key in KEYS[:7]] == [None, None, None, None, None, None, []]
    assert ("code.other_name", "proven") in [(cause["id"], cause["verdict"]) for cause in result["causes"]]


def test_causes_are_judged_from_the_pasted_exchanges() -> None:
    entries = [
        {
            "startedDateTime": "2026-11-23T10:00:00Z",
            "request": {"method": "GET", "url": "https://app.example/cb?code=0123456789abcdef0123&state=s1s1s1s1"},
            "response": {"status": 200, "content": {}},
        },
        *[
            {
                "startedDateTime": f"2026-11-23T10:{minute}:00Z",
                "request": {
                    "method": "POST",
                    "url": "https://www.olx.pl/api/open/oauth/token",
                    "headers": [{"name": "Content-Type", "value": "application/json"}],
                    "postData": {
                        "text": json.dumps(
                            {
                                "grant_type": "authorization_code",
                                "client_id": "7",
                                "client_secret": "a-secret-of-the-test",
                                "code": "0123456789abcdef0123",
                            }
                        )
                    },
                },
                "response": {"status": 400, "content": {"text": documented()[2].example}},
            }
            for minute in (14, 15)
        ],
    ]
    callback, first, second = diagnose(json.dumps({"log": {"entries": entries}}))
    assert (callback["documented"], first["documented"], second["documented"]) == (None, 2, 2)
    verdicts = {cause["id"]: cause["verdict"] for cause in first["causes"]}
    assert verdicts["code.expired"] == "proven"
    assert any("14 min" in fact["text"] for fact in first["evidence"])
    printed = json.dumps([callback, first, second])
    assert "0123456789abcdef0123" not in printed
    assert "a-secret-of-the-test" not in printed


def test_a_callback_with_an_error_is_diagnosed() -> None:
    (result,) = diagnose("https://app.example/cb?error=access_denied&state=s1")
    assert (result["error"], result["status"]) == ("access_denied", None)


def test_a_secret_in_the_providers_words_is_not_printed() -> None:
    secret = "0123456789abcdef0123"
    body = json.dumps({"error": "invalid_grant", "error_description": f"The code {secret} is unknown"})
    (result,) = diagnose(f"curl https://a.example/token -d grant_type=authorization_code -d code={secret}\n{body}")
    assert result["error_description"].startswith("The code «code #")
    assert secret not in json.dumps(result)


def test_utf_16_and_byte_order_marks_are_read(tmp_path: Path) -> None:
    for encoding in ("utf-16", "utf-8-sig"):
        file = tmp_path / f"{encoding}.txt"
        file.write_bytes(f"HTTP/1.1 401 No\r\n\r\n{documented()[7].example}".encode(encoding))
        (result,) = json.loads(run("diagnose", str(file)).stdout)
        assert result["documented"] == 7


def test_input_that_cannot_be_read_is_one_line_and_status_2(tmp_path: Path) -> None:
    assert "No such file" in refused("diagnose", str(tmp_path / "missing.txt"))
    assert "cannot be read" in refused("diagnose", str(tmp_path))
    assert "the text is empty" in refused("diagnose", "-")
    assert "not UTF-8" in refused("diagnose", "-", given=b"\x80\x81{}")
    assert "NUL" in refused("diagnose", "-", given=b'{"error": "\0"}')
    assert "line 2, column 1" in refused("diagnose", "-", given=b'{"error":\n}')


@pytest.mark.parametrize("flag", [(), ("--json",), ("--exit-code",)])
@pytest.mark.parametrize(
    "given",
    ["It does not work.\nPlease help.", '{"id": 1, "name": "x"}', "[]", "We call {the API} and nothing happens: {"],
)
def test_text_without_anything_known_is_an_empty_list_and_status_3(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], given: str, flag: tuple[str, ...]
) -> None:
    file = tmp_path / "ticket.txt"
    file.write_text(given, encoding="utf-8")
    assert main(["diagnose", str(file), *flag]) == 3
    printed = capsys.readouterr()
    assert json.loads(printed.out) == []
    (line,) = printed.err.splitlines()
    assert "nothing was recognised: the text has no HTTP request or response" in line


@pytest.mark.parametrize(
    ("given", "status"),
    [
        (documented()[2].example, 1),
        ("HTTP/1.1 502 Bad Gateway\n\n<html></html>", 1),
        ("https://app.example/cb?error=access_denied&state=s1", 1),
        ("curl https://www.olx.pl/api/open/oauth/token -d grant_type=authorization_code -d client_id=7", 1),
        ('HTTP/1.1 200 OK\n\n{"access_token": "5f3a9c0e1b7d4826aa0155e2c9d8f7b6"}', 0),
        ('{"access_token": "5f3a9c0e1b7d4826aa0155e2c9d8f7b6"}', 0),
        ("https://app.example/cb?code=0123456789abcdef&state=s1", 0),
        ('{"error":\n}', 2),
    ],
)
def test_exit_code_says_whether_an_error_was_found(tmp_path: Path, given: str, status: int) -> None:
    file = tmp_path / "ticket.txt"
    file.write_text(given, encoding="utf-8")
    assert main(["diagnose", str(file), "--exit-code"]) == status
    assert main(["diagnose", str(file)]) == (status if status != 1 else 0)


def test_a_result_with_nothing_in_it_is_not_printed() -> None:
    texts = ['{"access_token": "5f3a9c0e1b7d4826aa0155e2c9d8f7b6"}', documented()[2].example]
    assert diagnose(texts[0]) == []
    assert [item["documented"] for item in diagnose("\n\n".join(texts))] == [2]


HEAVY = {
    *("sqlalchemy", "alembic", "psycopg", "streamlit", "pandas", "numpy", "pyarrow", "starlette", "uvicorn"),
    *("httpx", "h11", "joserfc", "cryptography"),
}
"""Libraries for the pages, the database, the network and keys, which take longer to load than a text to diagnose."""


@pytest.mark.parametrize("file", [DOCUMENTATION, *sorted((ROOT / "tests" / "corpus" / "texts").glob("har-one*.txt"))])
def test_diagnose_loads_no_library_that_it_does_not_need(file: Path) -> None:
    code = (
        "import sys; from oauth.cli.main import main; main(['diagnose', '-'])\n"
        "print(*{name.partition('.')[0] for name in sys.modules}, file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, input=file.read_bytes(), capture_output=True, check=True
    )
    assert json.loads(done.stdout)
    assert HEAVY & set(done.stderr.decode().split()) == set()


def test_the_help_lists_every_exit_status(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        main(["diagnose", "--help"])
    printed = " ".join(capsys.readouterr().out.split())
    assert all(f"{status} " in printed.partition("Exit status:")[2] for status in range(4))


def test_explain_gives_every_fact_of_a_documented_error() -> None:
    for entry in documented().values():
        done = run("explain", str(entry.number))
        assert done.returncode == 0
        printed = " ".join(done.stdout.decode().split())
        assert printed.startswith(f"{entry.number}. {entry.title}")
        for text in (*entry.remedy, entry.cause, entry.description, entry.error):
            assert " ".join(text.split()) in printed


def test_explain_gives_all_errors_with_a_code_and_the_codes_meanings() -> None:
    printed = run("explain", "invalid_grant").stdout.decode()
    heads = [line for line in printed.splitlines() if line and not line.startswith(" ")]
    assert heads == [
        "2. Authorization code doesn't exist or is invalid for the client",
        "11. Invalid refresh token",
        "invalid_grant, token endpoint, RFC 6749 §5.2",
        "invalid_grant, token endpoint, RFC 7636 §4.6",
    ]


@pytest.mark.parametrize("wanted", ["0", "12", "made_up", "", "2 ", "²", "9" * 5000])
def test_explain_refuses_unknown_errors(wanted: str) -> None:
    assert "there is no error" in refused("explain", wanted)


def explained(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(["explain", *arguments]) == 0
    return capsys.readouterr().out


@pytest.mark.parametrize(
    "what",
    ["700082", "AADSTS700082", "aadsts700082", "entra/AADSTS700082", "AADSTS700082: The refresh token has expired."],
)
def test_explain_prints_the_one_entry_that_an_id_a_number_or_an_answer_names(
    capsys: pytest.CaptureFixture[str], what: str
) -> None:
    printed = explained(capsys, what)
    assert printed.startswith("entra/AADSTS700082  The refresh token has expired through inactivity\n")
    for text in (
        "Microsoft Entra ID",
        "Send the user through a new sign-in.",
        "Stands for: invalid_grant",
        "trace_id and correlation_id",
        "Source: https://learn.microsoft.com/",
        "In the console: /errors?entry=entra/AADSTS700082",
    ):
        assert text in printed


@pytest.mark.parametrize(
    ("what", "head"),
    [
        ("190/460", "facebook/190/460  "),
        ("partner/2", "2. Authorization code"),
        ("rfc6749/invalid_scope/token", "invalid_scope, token endpoint, RFC 6749 §5.2"),
        ("answer/html", "answer/html  A web page instead of JSON"),
    ],
)
def test_explain_prints_an_entry_of_any_catalogue(capsys: pytest.CaptureFixture[str], what: str, head: str) -> None:
    assert explained(capsys, what).startswith(head)


def test_explain_lists_several_entries_a_line_each(capsys: pytest.CaptureFixture[str]) -> None:
    first, *lines = explained(capsys, "refresh token expired").splitlines()
    assert first == f"{len(lines)} entries match; explain one by its id:"
    assert any(line.split(maxsplit=1) == ["partner/11", "Invalid refresh token"] for line in lines)
    assert all("/" in line.split()[0] for line in lines)
    *_, last = explained(capsys, "token").splitlines()
    assert last.endswith("more; add a word.")


def test_explain_names_the_other_providers_that_document_a_number_or_a_code(
    capsys: pytest.CaptureFixture[str],
) -> None:
    others = explained(capsys, "2").partition("Other providers document it too:\n")[2]
    assert others.split(maxsplit=1)[0] == "facebook/2"
    assert "   google/invalid_grant " in explained(capsys, "invalid_grant")


def test_explain_shows_no_control_characters_of_a_catalogue(capsys: pytest.CaptureFixture[str], home: Path) -> None:
    (home / "catalogues").mkdir(parents=True)
    hostile = ACME.replace("It was not used", "\\u001b[2J\\u0007It was not used")
    (home / "catalogues" / "acme.toml").write_text(hostile)
    printed = explained(capsys, "acme/stale")
    assert "It was not used" in printed
    assert "\x1b" not in printed
    assert "\x07" not in printed


def test_explain_writes_the_reference_as_pages(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    printed = explained(capsys, "--site", str(tmp_path / "site"))
    assert printed.endswith(f"pages were written. Open {tmp_path / 'site' / 'index.html'} in a browser.\n")
    assert (tmp_path / "site" / "partner" / "2.html").is_file()
    (tmp_path / "notes.txt").write_text("kept")
    assert main(["explain", "--site", str(tmp_path)]) == 2
    assert "Give a new or an empty folder." in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [[], ["2", "--site", "folder"]])
def test_explain_wants_an_error_or_a_folder(capsys: pytest.CaptureFixture[str], arguments: list[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["explain", *arguments])
    assert "usage:" in capsys.readouterr().err


def test_a_closed_pipe_is_quiet() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "wb") as closed:
        done = subprocess.run(
            [sys.executable, "-m", "oauth", "explain", "invalid_grant"], cwd=ROOT, stdout=closed, stderr=subprocess.PIPE
        )
    assert done.stderr == b""


def test_the_help_names_the_commands() -> None:
    printed = run("--help").stdout.decode()
    assert all(command in printed for command in ("sandbox", "explain", "diagnose"))


@pytest.mark.parametrize("program", ["oauth-console", "python -m oauth"])
def test_errors_name_the_program_as_it_was_started(capsys: pytest.CaptureFixture[str], program: str) -> None:
    assert main(["explain", "made_up"], program) == 2
    assert capsys.readouterr().err.startswith(f"{program} explain: there is no error")
    for arguments in (["history"], ["sandbox", "--port=x"]):
        with pytest.raises(SystemExit):
            main(arguments, program)
        assert capsys.readouterr().err.startswith(f"usage: {program} {arguments[0]} ")


@pytest.mark.parametrize("port", ["-1", "65536", "http", "१"])
def test_invalid_port_is_refused(port: str) -> None:
    done = run("sandbox", f"--port={port}")
    assert done.returncode == 2
    assert b"is not a port number" in done.stderr


def test_sandbox_reports_an_address_it_cannot_listen_on() -> None:
    assert "Cannot listen on 192.0.2.1" in refused("sandbox", "--host", "192.0.2.1", "--port", "0")


def test_the_sandbox_is_served_until_it_is_stopped() -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "oauth", "sandbox", "--port", "0"], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        process.terminate()
        assert process.wait() == 0
    assert line.startswith("Sandbox ready at http://127.0.0.1:")


def test_each_diagnosis_is_printed_immediately(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file, printed, findings = tmp_path / "two.txt", [], Paste.findings
    file.write_text(f"{documented()[1].example}\n{documented()[2].example}", encoding="utf-8")

    def watched(paste: Paste) -> Iterator[Finding]:
        for finding in findings(paste):
            yield finding
            printed.append(capsys.readouterr().out)

    monkeypatch.setattr(Paste, "findings", watched)
    assert main(["diagnose", str(file)]) == 0
    assert [text.count('"documented"') for text in printed] == [1, 1]
    assert len(json.loads("".join([*printed, capsys.readouterr().out]))) == 2
