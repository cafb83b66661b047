"""The command: its options, as a process of its own."""

import argparse
import json
import re
import signal
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

import oauth_sandbox
from oauth_sandbox.certificate import make
from oauth_sandbox.command import add_arguments, run

pytestmark = pytest.mark.process

SOURCE = Path(oauth_sandbox.__file__).parents[1]
PROGRAM = """
import argparse, sys
from oauth_sandbox.command import add_arguments, run
parser = argparse.ArgumentParser()
add_arguments(parser)
sys.exit(run(parser.parse_args()))
"""
MACHINE = {"grant_type": "client_credentials", "client_id": "mine", "client_secret": "my-own-secret"}


@contextmanager
def started(*options: str | Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The process, and the address of its ready line."""
    command = [sys.executable, "-c", PROGRAM, "--port", "0", *map(str, options)]
    with subprocess.Popen(command, cwd=SOURCE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            ready = re.fullmatch(r"Sandbox ready at (https?://\S+)\n", line)
            assert ready is not None, process.stderr and process.stderr.read()
            yield process, ready[1]
        finally:
            if process.poll() is None:
                process.kill()


def stopped(process: subprocess.Popen[str]) -> tuple[str, str]:
    """What it wrote until the end, after SIGTERM."""
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=20)
    assert process.returncode == 0
    return out, err


def refused(*options: str | Path) -> str:
    """The one line on standard error, with exit status 2."""
    command = [sys.executable, "-c", PROGRAM, *map(str, options)]
    done = subprocess.run(command, cwd=SOURCE, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1
    return done.stderr


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "mine.toml"
    path.write_text(
        'refresh_token_replaced = "daily"\n[lifetimes]\naccess_token = 60\n'
        '[[users]]\nid = 1\nname = "Ann <b>"\n[[users]]\nid = 2\nname = "Bo"\n'
        '[[clients]]\nclient_id = "mine"\nsecret = "my-own-secret"\n',
        encoding="utf-8",
    )
    return path


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_a_config_file_and_a_log(config: Path, stream: str) -> None:
    with (
        started("--config", config, "--log", stream) as (process, url),
        httpx.Client(base_url=url, trust_env=False) as http,
    ):
        answer = http.post("/api/open/oauth/token", json=MACHINE)
        assert answer.json()["expires_in"] == 60
        assert http.get("/control/settings").json()["refresh_token_replaced"] == "daily"
        assert http.get("/health").json() == {"status": "ok"}
        out, err = stopped(process)
    log, other = (out, err) if stream == "stdout" else (err, out)
    (line,) = log.splitlines()
    assert json.loads(line)["client_id"] == "mine"
    assert other == ""
    assert "my-own-secret" not in log
    assert answer.json()["access_token"] not in log


def test_the_user_is_chosen_on_the_consent_page(config: Path) -> None:
    query = {"client_id": "mine", "response_type": "code", "redirect_uri": "http://localhost/back"}
    with started("--config", config) as (_, url), httpx.Client(base_url=url, trust_env=False) as http:
        page = http.get("/oauth/authorize/", params=query)
        assert '<option value="1">Ann &lt;b&gt;</option><option value="2">Bo</option>' in page.text
        answer = http.post("/oauth/authorize/", params=query, data={"decision": "approve", "user": "2"})
        code = answer.headers["location"].partition("code=")[2]
        exchange = MACHINE | {"grant_type": "authorization_code", "code": code, "redirect_uri": query["redirect_uri"]}
        token = http.post("/api/open/oauth/token", data=exchange).json()["access_token"]
        headers = {"Authorization": f"Bearer {token}", "Version": "2.0"}
        assert http.get("/api/partner/users/me", headers=headers).json() == {"data": {"id": 2, "name": "Bo"}}
        nobody = http.post("/oauth/authorize/", params=query, data={"decision": "approve", "user": "3"})
        assert nobody.status_code == 400


def test_a_self_made_certificate() -> None:
    with started("--tls-self-made") as (process, url):
        assert url.startswith("https://127.0.0.1:")
        assert process.stderr is not None
        path = process.stderr.readline().removeprefix("Certificate to trust: ").strip()
        context = ssl.create_default_context(cafile=path)
        for address in (url, url.replace("127.0.0.1", "localhost")):
            assert httpx.get(f"{address}/health", verify=context, trust_env=False).status_code == 200
        with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
            httpx.get(f"{url}/health", trust_env=False)
        assert stopped(process) == ("", "")
    assert not Path(path).exists()


def test_a_given_certificate(tmp_path: Path) -> None:
    files = make(tmp_path, "sandbox.example", datetime.now(UTC))
    assert files.key.stat().st_mode & 0o077 == 0
    with started("--tls-cert", files.certificate, "--tls-key", files.key) as (_, url):
        context = ssl.create_default_context(cafile=str(files.certificate))
        assert httpx.get(f"{url}/health", verify=context, trust_env=False).status_code == 200


def test_a_control_token_and_the_fault_header() -> None:
    with (
        started("--control-token", "t0ken", "--fault-header") as (_, url),
        httpx.Client(base_url=url, trust_env=False) as http,
    ):
        assert http.get("/control/clock").status_code == 401
        assert http.get("/control/clock", headers={"Authorization": "Bearer t0ken"}).status_code == 200
        headers = {"X-Sandbox-Fault": "too-many-requests"}
        assert http.post("/api/open/oauth/token", json=MACHINE, headers=headers).status_code == 429


def test_beyond_loopback_the_control_is_off_without_a_token() -> None:
    with started("--host", "0.0.0.0") as (_, url):
        address = url.replace("0.0.0.0", "127.0.0.1")
        assert httpx.get(f"{address}/health", trust_env=False).status_code == 200
        assert httpx.get(f"{address}/control/clock", trust_env=False).status_code == 403
    with started("--host", "0.0.0.0", "--control-token", "t0ken") as (_, url):
        address = url.replace("0.0.0.0", "127.0.0.1")
        headers = {"Authorization": "Bearer t0ken"}
        assert httpx.get(f"{address}/control/clock", headers=headers, trust_env=False).status_code == 200


def test_unusable_options_are_refused(tmp_path: Path, config: Path) -> None:
    config.write_text('[[clients]]\nclient_id = "mine"\n', encoding="utf-8")
    assert "mine.toml: [[clients]] number 1: Object missing required field `secret`" in refused("--config", config)
    assert "give both" in refused("--tls-cert", config)
    assert "drop one of them" in refused("--tls-self-made", "--tls-key", config)
    assert "Cannot use the certificate" in refused("--tls-cert", config, "--tls-key", config)
    assert "--control-token" in refused("--control-token", "")
    assert "Cannot listen" in refused("--host", "192.0.2.1")


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("--provider", 'argument --provider: "it\'s" is not one of partner, olxgroup'),
        ("--preset", 'argument --preset: "it\'s" is not one of usual, strict'),
        ("--log", 'argument --log: "it\'s" is not one of stdout, stderr'),
        ("--port", 'argument --port: "it\'s" is not a port number'),
    ],
)
def test_a_wrong_value_is_named_with_what_is_allowed(
    capsys: pytest.CaptureFixture[str], option: str, message: str
) -> None:
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    with pytest.raises(SystemExit):
        parser.parse_args([option, "it's"])
    assert message in capsys.readouterr().err


def test_invalid_port_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    with pytest.raises(SystemExit):
        parser.parse_args(["--port", "70000"])
    assert "0 to 65535" in capsys.readouterr().err
    assert run(parser.parse_args(["--config", "no-such.toml"])) == 2


def test_the_state_survives_a_restart(tmp_path: Path) -> None:
    """The clock stays as far ahead, so a token that expires while nothing runs is expired."""
    file = tmp_path / "state.json"
    options = ("--provider", "all", "--snapshot", file)
    code = {"client_id": "demo-app", "redirect_uri": "http://localhost/callback"}
    with started(*options) as (process, url):
        with httpx.Client(base_url=url, trust_env=False) as http:
            secret = http.post("/control/codes", json=code).json()["secret"]
            http.post("/control/clock/move", json={"seconds": 300})
            http.post("/olxgroup/control/clock/move", json={"seconds": -60})
            http.post("/control/clients", json={"client_id": "mine", "secret": "my-own-secret"})
            http.post("/control/faults", json={"fault": "latency", "seconds": 1, "endpoint": "user", "times": 3})
        stopped(process)
    assert file.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["state.json"]
    with started(*options) as (process, url):
        with httpx.Client(base_url=url, trust_env=False) as http:
            assert 299 <= http.get("/control/clock").json()["offset_seconds"] <= 301
            assert -61 <= http.get("/olxgroup/control/clock").json()["offset_seconds"] <= -59
            assert http.get("/control/faults").json()[0]["times"] == 3
            grant = {"grant_type": "authorization_code", "client_secret": "demo-secret", "code": secret}
            assert http.post("/api/open/oauth/token", json=grant | code).status_code == 200
            assert http.post("/api/open/oauth/token", json=MACHINE).status_code == 200
        stopped(process)


def test_the_states_of_apis_that_are_not_served_stay_in_the_file(tmp_path: Path) -> None:
    file = tmp_path / "state.json"
    with started("--provider", "all", "--snapshot", file) as (process, url):
        with httpx.Client(base_url=url, trust_env=False) as http:
            for path in ("", "/olxgroup", "/generic"):
                http.post(f"{path}/control/clients", json={"client_id": "mine", "secret": "my-own-secret"})
        stopped(process)
    before = json.loads(file.read_text())
    with started("--snapshot", file) as (process, url):
        httpx.delete(f"{url}/control/clients/mine", trust_env=False)
        stopped(process)
    after = json.loads(file.read_text())
    assert {api: after[api] == state for api, state in before.items()} == {
        "partner": False,
        "olxgroup": True,
        "generic": True,
    }


@pytest.mark.parametrize("closed", ["sys.stdout", "sys.stderr", "sys.stdout = sys.stderr"])
def test_a_closed_output_is_no_failure(closed: str, tmp_path: Path) -> None:
    """With ``>&-`` Python has ``None`` for it."""
    program = f"import sys\n{closed} = None\n{PROGRAM}"
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
    command = [sys.executable, "-c", program, "--port", str(port), "--snapshot", str(tmp_path / "state.json")]
    with subprocess.Popen(command, cwd=SOURCE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            health = httpx.HTTPTransport(retries=8)
            with httpx.Client(transport=health) as http:
                assert http.get(f"http://127.0.0.1:{port}/health").status_code == 200
            _, err = stopped(process)
            assert err == ""
        finally:
            if process.poll() is None:
                process.kill()


@pytest.mark.parametrize("content", [b"{", b"[]", b"{}", b'{"partner": {"ahead_seconds": 0}}', b"\xff"])
def test_a_damaged_state_is_named_and_left_as_it_is(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "state.json"
    file.write_bytes(content)
    message = refused("--snapshot", file)
    assert f"--snapshot: {file} cannot be used" in message
    assert "body" not in message
    assert file.read_bytes() == content


def test_a_snapshot_without_its_folder_is_refused_at_the_start(tmp_path: Path) -> None:
    file = tmp_path / "missing" / "state.json"
    assert f"--snapshot: {file} cannot be used: its folder is missing" in refused("--snapshot", file)


def test_a_redirect_uri_is_registered_also_in_a_state_of_before(tmp_path: Path) -> None:
    file, callback = tmp_path / "state.json", "https://console.example.com/callback"
    with started("--snapshot", file) as (process, _):
        stopped(process)
    with started("--snapshot", file, "--redirect-uri", callback) as (process, url):
        with httpx.Client(base_url=url, trust_env=False) as http:
            for _ in range(2):
                assert callback in http.get("/control/clients/demo-app").json()["redirect_uris"]
                http.post("/control/reset", json={})
        stopped(process)
    assert "console.example.com" in refused("--redirect-uri", "console.example.com/callback")


def test_all_apis_are_served_with_the_issuer_also_in_a_state_of_before(tmp_path: Path) -> None:
    file, issuer = tmp_path / "state.json", "https://id.example/generic"
    with started("--snapshot", file) as (process, _):
        stopped(process)
    with started("--provider", "all", "--snapshot", file, "--issuer", issuer) as (process, url):
        with httpx.Client(base_url=url, trust_env=False) as http:
            for _ in range(2):
                assert http.get("/generic/.well-known/openid-configuration").json()["issuer"] == issuer
                http.post("/generic/control/reset", json={})
            inserted = "/.well-known/oauth-authorization-server/generic"
            assert http.get(inserted).json()["issuer"] == issuer, "RFC 8414 §3.1"
            assert http.get(f"{inserted}x").status_code == 404
            assert "/olxgroup, /generic" in http.get("/nowhere").text
            for path in ("/olxgroup/control/clock", "/generic/control/clock", "/control/clock"):
                assert http.get(path).status_code == 200
        stopped(process)
    with started("--provider", "generic", "--snapshot", file) as (process, url):
        metadata = httpx.get(f"{url}/.well-known/openid-configuration", trust_env=False).json()
        assert metadata["issuer"] == issuer, "the state has it"
        stopped(process)
    assert "--issuer" in refused("--issuer", "id.example")
    assert "only the provider generic" in refused("--issuer", "https://id.example")


@pytest.mark.parametrize(
    "issuer",
    ["id.example", "https://id.example/", "https://id.example/a?b=c", "https://id.example#x", "https://u:p@id.example"],
)
def test_an_issuer_is_as_strict_as_in_the_settings(issuer: str) -> None:
    message = refused("--provider", "generic", "--issuer", issuer)
    assert f'--issuer: "{issuer}" is not an issuer such as https://id.example.com/generic.' in message


@pytest.mark.parametrize("uri", ["http://app:3000/cb#f", "http://", "//app.example", "javascript:alert(1)"])
def test_a_redirect_uri_that_cannot_be_registered_is_refused(uri: str) -> None:
    assert f'--redirect-uri: The redirect URI "{uri}" ' in refused("--redirect-uri", uri)


@pytest.mark.parametrize("is_file", [False, True])
def test_the_token_may_come_from_the_environment(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, *, is_file: bool
) -> None:
    (tmp_path / "token").write_text("from-the-environment\n")
    name, value = ("_FILE", str(tmp_path / "token")) if is_file else ("", "from-the-environment")
    monkeypatch.setenv(f"CONSOLE_SANDBOX_TOKEN{name}", value)
    with started("--host", "0.0.0.0") as (process, url):
        right = {"Authorization": "Bearer from-the-environment"}
        address = f"{url.replace('0.0.0.0', '127.0.0.1')}/control/clock"
        assert httpx.get(address, trust_env=False).status_code == 401
        assert httpx.get(address, headers=right, trust_env=False).status_code == 200
        stopped(process)
