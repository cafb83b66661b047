import re
import stat
from datetime import timedelta
from pathlib import Path

import pytest

from oauth.egress import NotAllowedError, Policy
from oauth.settings import PROVIDER_PREFIXES, SettingError, load, with_files


def test_key_is_generated_once_and_readable_by_its_owner_only(tmp_path: Path) -> None:
    environ = {"CONSOLE_HOME": str(tmp_path / "home")}
    first, second = load(environ), load(environ)
    assert first.key == second.key
    assert len(first.key) >= 32
    assert stat.S_IMODE((tmp_path / "home" / "key").stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "home").stat().st_mode) == 0o700
    assert [path.name for path in (tmp_path / "home").iterdir()] == ["key"]


def test_key_from_the_environment_is_used_and_not_written(tmp_path: Path) -> None:
    loaded = load({"CONSOLE_HOME": str(tmp_path), "CONSOLE_KEY": "k" * 16})
    assert loaded.key == b"k" * 16
    assert list(tmp_path.iterdir()) == []


def test_history_is_a_file_in_the_home_folder_by_default(tmp_path: Path) -> None:
    assert load({"CONSOLE_HOME": str(tmp_path)}).database_url == f"sqlite:///{tmp_path}/history.db"
    loaded = load({"CONSOLE_HOME": str(tmp_path), "CONSOLE_DATABASE_URL": "postgresql+psycopg://u:pw@h/d"})
    assert loaded.database_url == "postgresql+psycopg://u:pw@h/d"


def test_exchanges_are_kept_forever_by_default(tmp_path: Path) -> None:
    assert load({"CONSOLE_HOME": str(tmp_path)}).retention_days is None
    assert load({"CONSOLE_HOME": str(tmp_path), "CONSOLE_RETENTION_DAYS": "90"}).retention_days == 90


def test_keys_for_different_purposes_differ(tmp_path: Path) -> None:
    loaded = load({"CONSOLE_HOME": str(tmp_path)})
    assert loaded.derived_key("a") != loaded.derived_key("b")
    assert loaded.derived_key("a") == loaded.derived_key("a")


def test_token_of_the_control_goes_to_the_console_itself_only(tmp_path: Path) -> None:
    home = {"CONSOLE_HOME": str(tmp_path)}
    personal, published = load(home), load(home | {"CONSOLE_PUBLIC_URL": "https://console.example/tools"})
    assert not personal.control_needs_token
    assert published.control_needs_token
    assert published.control_token_for("https://console.example/tools") == published.control_token
    for origin in ("http://localhost:8501", "http://127.0.0.1:8080", "https://[::1]"):
        assert personal.control_token_for(origin) == personal.control_token
    # The browser said so, and a WebSocket can be opened by anybody.
    for origin in (
        "https://evil.example",
        "http://localhost.evil.example",
        "http://127.0.0.1@evil.example",
        "http://[",
    ):
        assert personal.control_token_for(origin) == published.control_token_for(origin) == ""


def test_secrets_are_not_in_the_repr(tmp_path: Path) -> None:
    environ = {
        "CONSOLE_HOME": str(tmp_path),
        "CONSOLE_KEY": "topsecretkey1234",
        "CONSOLE_DATABASE_URL": "x://u:topsecret@h",
        "CONSOLE_CLIENT_SANDBOX_SECRET": "topsecret",
        "CONSOLE_PROXY_SANDBOX": "http://u:topsecret@h",
    }
    assert "topsecret" not in repr(load(environ))


@pytest.mark.parametrize(
    ("environ", "message"),
    [
        ({"CONSOLE_KEY": "short"}, "CONSOLE_KEY is shorter than 16"),
        ({"CONSOLE_RETENTION_DAYS": "0"}, "CONSOLE_RETENTION_DAYS is '0'; it must be a number from 1 to 36500"),
        ({"CONSOLE_RETENTION_DAYS": "a week"}, "CONSOLE_RETENTION_DAYS is 'a week'"),
        ({"CONSOLE_PORT": "http"}, "CONSOLE_PORT is 'http'"),
        ({"CONSOLE_PORT": "0"}, "CONSOLE_PORT is '0'"),
        ({"CONSOLE_PORT": "65536"}, "CONSOLE_PORT is '65536'"),
        ({"CONSOLE_PUBLIC_URL": "console.example"}, "CONSOLE_PUBLIC_URL is 'console.example'; it must begin with"),
        ({"CONSOLE_PUBLIC_URL": "http://console.example"}, "must begin with https://"),
        ({"CONSOLE_PUBLIC_URL": "https://c.example:x"}, "which is not a valid URL"),
        (
            {"CONSOLE_PUBLIC_URL": "https://c.example/?a=b"},
            "must not have a user, query or fragment; write https://c.example",
        ),
        ({"CONSOLE_PUBLIC_URL": "https://u:secret-word@c.example"}, "must not have a user, query or fragment"),
    ],
)
def test_invalid_setting_is_named(tmp_path: Path, environ: dict[str, str], message: str) -> None:
    with pytest.raises(SettingError) as caught:
        load({"CONSOLE_HOME": str(tmp_path)} | environ)
    assert message in str(caught.value)
    assert "secret-word" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "public_url"),
    [
        ("https://c.example/", "https://c.example"),
        ("https://c.example:8443/console/", "https://c.example:8443/console"),
        ("http://localhost:8501", "http://localhost:8501"),
        ("http://127.0.0.2:8501/", "http://127.0.0.2:8501"),
        ("", ""),
    ],
)
def test_public_url_has_no_trailing_slash(tmp_path: Path, text: str, public_url: str) -> None:
    assert load({"CONSOLE_HOME": str(tmp_path), "CONSOLE_PUBLIC_URL": text}).public_url == public_url


def test_home_that_is_a_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SettingError, match="CONSOLE_HOME is"):
        load({"CONSOLE_HOME": str(tmp_path / "file")})


def test_truncated_key_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("abc")
    with pytest.raises(SettingError, match=r"key is shorter than 16"):
        load({"CONSOLE_HOME": str(tmp_path)})


def test_requests_go_anywhere_and_certificates_are_checked_by_default(tmp_path: Path) -> None:
    home = {"CONSOLE_HOME": str(tmp_path)}
    assert load(home).policy == Policy(certificates=tmp_path / "certificates")
    restricted = load(
        home | {"CONSOLE_ALLOWED_HOSTS": "*.olx.pl, 10.1.0.0/16", "CONSOLE_ALLOW_INSECURE_TLS": "1"}
    ).policy
    assert len(restricted.allowlist.rules) == 2
    assert restricted.insecure_tls
    assert load(home | {"CONSOLE_CERTIFICATES": "/etc/ssl"}).policy.certificates == Path("/etc/ssl")


@pytest.mark.parametrize(
    ("environ", "message"),
    [
        ({"CONSOLE_ALLOWED_HOSTS": "https://a.example"}, "CONSOLE_ALLOWED_HOSTS has the entry 'https://a.example'"),
        ({"CONSOLE_ALLOWED_HOSTS": ","}, "CONSOLE_ALLOWED_HOSTS has no host"),
        ({"CONSOLE_ALLOW_INSECURE_TLS": "yes"}, "CONSOLE_ALLOW_INSECURE_TLS is 'yes'; it must be 1, 0 or unset"),
    ],
)
def test_invalid_policy_is_named(tmp_path: Path, environ: dict[str, str], message: str) -> None:
    with pytest.raises(SettingError, match=re.escape(message)):
        load({"CONSOLE_HOME": str(tmp_path)} | environ)


@pytest.mark.parametrize(
    ("environ", "message"),
    [
        ({"CONSOLE_HOST": "0.0.0.0"}, "CONSOLE_HOST is '0.0.0.0', which others can reach, and CONSOLE_SIGN_IN is off"),
        ({"CONSOLE_HOST": "::"}, "CONSOLE_HOST is '::'"),
        ({"CONSOLE_SIGN_IN": "basic"}, "CONSOLE_SIGN_IN is 'basic'; it must be one of off, oidc, proxy"),
        ({"CONSOLE_SIGN_IN": "oidc"}, "which needs CONSOLE_PUBLIC_URL"),
        ({"CONSOLE_AUDIT_DAYS": "0"}, "CONSOLE_AUDIT_DAYS is '0'; it must be a number from 1"),
        ({"CONSOLE_FLOW_MINUTES": "0"}, "CONSOLE_FLOW_MINUTES is '0'; it must be a number from 1 to 1440"),
        ({"CONSOLE_FLOW_MINUTES": "1441"}, "CONSOLE_FLOW_MINUTES is '1441'"),
        ({"CONSOLE_FLOW_MINUTES": "an hour"}, "CONSOLE_FLOW_MINUTES is 'an hour'"),
    ],
)
def test_setting_that_would_open_the_console_is_refused(tmp_path: Path, environ: dict[str, str], message: str) -> None:
    with pytest.raises(SettingError, match=re.escape(message)):
        load({"CONSOLE_HOME": str(tmp_path)} | environ)


def test_console_with_sign_in_may_listen_on_any_address(tmp_path: Path) -> None:
    environ = {"CONSOLE_SIGN_IN": "proxy", "CONSOLE_PUBLIC_URL": "https://c.example", "CONSOLE_HOST": "0.0.0.0"}
    loaded = load({"CONSOLE_HOME": str(tmp_path)} | environ)
    assert (loaded.sign_in, loaded.host) == ("proxy", "0.0.0.0")
    assert load({"CONSOLE_HOME": str(tmp_path)}).host == ""


def test_flows_are_kept_for_an_hour_unless_another_time_is_set(tmp_path: Path) -> None:
    home = {"CONSOLE_HOME": str(tmp_path)}
    assert load(home).flow_lifetime == timedelta(hours=1)
    assert load(home | {"CONSOLE_FLOW_MINUTES": "15"}).flow_lifetime == timedelta(minutes=15)


def test_shared_sandbox_has_its_token_and_is_always_allowed(tmp_path: Path) -> None:
    environ = {
        "CONSOLE_HOME": str(tmp_path),
        "CONSOLE_SANDBOX_URL": "https://console.example:9443/shared/",
        "CONSOLE_SANDBOX_TOKEN": "topsecret-token",
        "CONSOLE_ALLOWED_HOSTS": "www.olx.pl",
    }
    loaded = load(environ)
    assert loaded.sandbox_at("http://localhost:8501") == "https://console.example:9443/shared"
    assert loaded.control_token_for("https://anything.example") == "topsecret-token"
    loaded.policy.allowlist.check("console.example", 9443)
    assert loaded.policy.allowlist.reachable("console.example", 9443, ["10.0.0.7"]) == ["10.0.0.7"]
    with pytest.raises(NotAllowedError):
        loaded.policy.allowlist.check("console.example", 443)
    assert "topsecret" not in repr(loaded)
    own = load({"CONSOLE_HOME": str(tmp_path)})
    assert own.sandbox_at("http://localhost:8501") == "http://localhost:8501/sandbox"


@pytest.mark.parametrize(
    ("url", "token", "words"),
    [
        ("https://sandbox.example", "", "CONSOLE_SANDBOX_TOKEN"),
        ("sandbox.example", "token", "CONSOLE_SANDBOX_URL"),
        ("ftp://sandbox.example", "token", "CONSOLE_SANDBOX_URL"),
        ("https://user@sandbox.example", "token", "CONSOLE_SANDBOX_URL"),
        ("https://sandbox.example:port", "token", "CONSOLE_SANDBOX_URL"),
        ("https://[", "token", "CONSOLE_SANDBOX_URL"),
        ("https://sandbox.example?a=b", "token", "CONSOLE_SANDBOX_URL"),
    ],
)
def test_invalid_shared_sandbox_is_named(tmp_path: Path, url: str, token: str, words: str) -> None:
    environ = {"CONSOLE_HOME": str(tmp_path), "CONSOLE_SANDBOX_URL": url, "CONSOLE_SANDBOX_TOKEN": token}
    with pytest.raises(SettingError, match=words):
        load(environ)


def test_secrets_can_be_in_files(tmp_path: Path) -> None:
    texts = {
        "CONSOLE_KEY": "k" * 20,
        "CONSOLE_DATABASE_URL": "postgresql://u:pw@h/d",
        "CONSOLE_OIDC_CLIENT_SECRET": "of the sign-in",
        "CONSOLE_CLIENT_OLX_PL_SECRET": "of the client",
        "CONSOLE_CLIENT_OLX_PL_API_KEY": "of its key",
        "CONSOLE_PROXY_OLX_PL": "http://u:pw@proxy",
    }
    environ = {"CONSOLE_HOME": str(tmp_path)}
    for name, text in texts.items():
        (tmp_path / name).write_text(f"{text}\n")
        environ[f"{name}_FILE"] = str(tmp_path / name)
    loaded = load(environ)
    assert loaded.key == b"k" * 20
    assert loaded.database_url == "postgresql://u:pw@h/d"
    assert dict(loaded.providers) == {name: texts[name] for name in texts if name.startswith(PROVIDER_PREFIXES)}
    assert with_files(environ) == {"CONSOLE_HOME": str(tmp_path), **texts}


def test_proxy_of_a_provider_whose_name_ends_with_file_is_an_address(tmp_path: Path) -> None:
    environ = {"CONSOLE_HOME": str(tmp_path), "CONSOLE_PROXY_MY_FILE": "http://proxy:3128"}
    assert load(environ).providers == {"CONSOLE_PROXY_MY_FILE": "http://proxy:3128"}


def test_variable_that_is_no_secret_has_no_file(tmp_path: Path) -> None:
    (tmp_path / "port").write_text("9000")
    assert load({"CONSOLE_HOME": str(tmp_path), "CONSOLE_PORT_FILE": str(tmp_path / "port")}).port == 8501


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "CONSOLE_KEY_FILE is {path}, which cannot be read: No such file or directory."),
        (b"", "CONSOLE_KEY_FILE is {path}, which is empty."),
        (b" \n", "CONSOLE_KEY_FILE is {path}, which is empty."),
        (b"\xffsecret-word-secret", "CONSOLE_KEY_FILE is {path}, which cannot be read: it is not text in UTF-8."),
        (b"secret-word", "CONSOLE_KEY is shorter than 16 characters."),
    ],
)
def test_file_without_a_usable_secret_is_named(tmp_path: Path, content: bytes | None, message: str) -> None:
    path = tmp_path / "secret"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SettingError) as caught:
        load({"CONSOLE_HOME": str(tmp_path), "CONSOLE_KEY_FILE": str(path)})
    assert message.format(path=path) in str(caught.value)
    assert "secret-word" not in str(caught.value)


def test_secret_that_is_given_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="CONSOLE_KEY and CONSOLE_KEY_FILE are both set"):
        load({"CONSOLE_HOME": str(tmp_path), "CONSOLE_KEY": "k" * 16, "CONSOLE_KEY_FILE": "/run/secrets/key"})
