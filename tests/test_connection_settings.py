import os
import ssl
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from oauth.connection_settings import ConnectionSettings, problems, proxy_of, tls_context
from tests.failures import authority, bundle, client_files

ROOT = Path("/")


@pytest.fixture
def invalid_files(tmp_path: Path) -> dict[str, str]:
    """Invalid files by what is wrong with them."""
    certificate, key = client_files()
    other = tmp_path / "other.key"
    authority().issue_cert("other@example.com").private_key_pem.write_to_path(str(other))
    texts = {
        "text": "Dear reader, this is not a certificate.",
        "empty": "",
        "damaged": "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        "encrypted": "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n",
    }
    for name, text in texts.items():
        (tmp_path / name).write_text(text)
    paths = {name: str(tmp_path / name) for name in texts}
    return paths | {"missing": "/nowhere/file.pem", "folder": str(tmp_path), "certificate": certificate, "key": key,
                    "other": str(other)}  # fmt: skip


def test_usual_settings_are_valid() -> None:
    certificate, key = client_files()
    assert problems(ConnectionSettings(), ROOT) == ()
    assert problems(ConnectionSettings(proxy="http://proxy.example:3128"), ROOT) == ()
    assert problems(ConnectionSettings(ca_bundle=bundle(), client_certificate=certificate, client_key=key), ROOT) == ()


@pytest.mark.parametrize("seconds", [0.0, -1.0, float("nan"), float("inf"), 601.0])
@pytest.mark.parametrize("name", ["connect_timeout", "read_timeout", "total_timeout"])
def test_invalid_timeout_is_named(name: str, seconds: float) -> None:
    [problem] = problems(ConnectionSettings(**{name: seconds}), ROOT)  # type: ignore[arg-type]
    assert problem.field == name
    assert "at most 600 seconds" in str(problem)


@pytest.mark.parametrize(
    ("settings", "field", "words"),
    [
        ({"ca_bundle": "missing"}, "ca_bundle", "there is no such file"),
        ({"ca_bundle": "folder"}, "ca_bundle", "which is not a regular file"),
        ({"ca_bundle": "text"}, "ca_bundle", "is not a PEM file"),
        ({"ca_bundle": "empty"}, "ca_bundle", "is not a PEM file"),
        ({"ca_bundle": "damaged"}, "ca_bundle", "certificates cannot be read"),
        ({"ca_bundle": "key"}, "ca_bundle", "is not a PEM file with a CERTIFICATE"),
        ({"client_key": "key"}, "client_key", "needs client_certificate"),
        ({"client_certificate": "certificate"}, "client_certificate", "is not a PEM file with a PRIVATE KEY"),
        ({"client_certificate": "missing", "client_key": "key"}, "client_certificate", "there is no such file"),
        (
            {"client_certificate": "key", "client_key": "key"},
            "client_certificate",
            "is not a PEM file with a CERTIFICATE",
        ),
        (
            {"client_certificate": "certificate", "client_key": "text"},
            "client_key",
            "is not a PEM file with a PRIVATE KEY",
        ),
        (
            {"client_certificate": "certificate", "client_key": "other"},
            "client_key",
            "does not match client_certificate",
        ),
        ({"client_certificate": "certificate", "client_key": "encrypted"}, "client_key", "has a passphrase"),
        ({"client_certificate": "damaged", "client_key": "key"}, "client_key", "cannot be"),
    ],
)
def test_invalid_file_is_named_with_the_reason(
    invalid_files: dict[str, str], settings: dict[str, str], field: str, words: str
) -> None:
    files = {name: invalid_files[file] for name, file in settings.items()}
    [problem] = problems(ConnectionSettings(**files), ROOT)  # type: ignore[arg-type]
    assert problem.field == field
    assert str(problem).startswith(f"The connection setting {field} ")
    assert words in str(problem)
    assert "PRIVATE KEY-----\nAAAA" not in str(problem)


@pytest.mark.parametrize(
    ("proxy", "words"),
    [
        ("proxy.example:3128", "must begin with http://"),
        ("https://proxy.example", "must begin with http://"),
        ("socks5://proxy.example", "must begin with http://"),
        ("http://", "has no host"),
        ("http://proxy.example:port", "port is invalid"),
        ("http://proxy.example:99999", "port is invalid"),
        ("http://proxy.example/path", "has a path, query or fragment"),
        ("http://someone:canary-secret@proxy.example/?x=1", "has a path, query or fragment"),
        ("ftp://someone:canary-secret@proxy.example", "must begin with http://"),
    ],
)
def test_invalid_proxy_is_refused_without_quoting_its_password(proxy: str, words: str) -> None:
    connection = ConnectionSettings(proxy=proxy)
    [problem] = problems(connection, ROOT)
    assert problem.field == "proxy"
    assert words in str(problem)
    assert "canary" not in f"{problem} {problem!r} {connection!r}"


def test_password_of_a_proxy_is_in_no_repr() -> None:
    proxy = proxy_of(ConnectionSettings(proxy="http://some%40one:canary%2Fsecret@proxy.example:3128"))
    assert proxy is not None
    assert (proxy.host, proxy.port, proxy.password) == ("proxy.example", 3128, "canary/secret")
    assert proxy.authorization == "Basic c29tZUBvbmU6Y2FuYXJ5L3NlY3JldA=="
    assert "canary" not in repr(proxy)
    assert "c29tZ" not in repr(proxy)


def test_context_is_cached_until_settings_or_files_change(tmp_path: Path) -> None:
    own = tmp_path / "bundle.pem"
    own.write_bytes(authority().cert_pem.bytes())
    connection = ConnectionSettings(ca_bundle=str(own))
    first = tls_context(connection, ROOT)
    assert tls_context(replace(connection, read_timeout=1), ROOT) is first
    assert tls_context(ConnectionSettings(), ROOT) is not first
    own.write_bytes(authority().cert_pem.bytes() * 2)
    assert tls_context(connection, ROOT) is not first, "a renewed certificate is used without a restart"


def test_context_checks_certificates_and_logs_no_keys(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SSLKEYLOGFILE", str(tmp_path / "keys"))
    context = tls_context(ConnectionSettings(ca_bundle=bundle()), ROOT)
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
    assert context.minimum_version is ssl.TLSVersion.TLSv1_2
    assert context.keylog_filename is None


def test_machine_without_authorities_uses_those_of_certifi(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    none = SimpleNamespace(cafile=None, capath=None)
    monkeypatch.setattr(ssl, "get_default_verify_paths", lambda: none)
    monkeypatch.setattr(ssl.SSLContext, "load_default_certs", lambda *_: None)
    # A different certificate, so that no cached context is used.
    own = tmp_path / "client.pem"
    own.write_bytes(b"".join(Path(file).read_bytes() for file in client_files()))
    assert tls_context(ConnectionSettings(client_certificate=str(own)), ROOT).cert_store_stats()["x509_ca"] > 100


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The operator's folder, with a bundle, beside a file that is not for profiles."""
    folder = tmp_path / "certificates"
    (folder / "team").mkdir(parents=True)
    for path in (folder / "bundle.pem", folder / "team" / "bundle.pem", tmp_path / "outside.pem"):
        path.write_bytes(authority().cert_pem.bytes())
    return folder


def test_file_is_named_inside_the_folder(folder: Path) -> None:
    (folder / "current.pem").symlink_to(folder.parent / "outside.pem")  # by the operator, as Kubernetes mounts secrets
    for name in ("bundle.pem", "team/bundle.pem", "./team/../bundle.pem", str(folder / "bundle.pem"), "current.pem"):
        assert problems(ConnectionSettings(ca_bundle=name), folder) == ()


@pytest.mark.parametrize("setting", ["ca_bundle", "client_certificate", "client_key"])
def test_files_elsewhere_are_refused_alike_whether_they_exist_or_not(folder: Path, setting: str) -> None:
    def reason(name: str) -> str:
        settings = {"client_certificate": "bundle.pem", setting: name}
        [problem] = problems(ConnectionSettings(**settings), folder)  # type: ignore[arg-type]
        assert problem.field == setting
        return str(problem).replace(name, "NAME")

    there = ["../outside.pem", str(folder.parent / "outside.pem"), "/etc/passwd", "/dev/zero", "/proc/self/environ"]
    nowhere = ["../nowhere.pem", "/nowhere", "team/../../x", f"{folder}2/x", "/" + "x" * 5000, "../\ud800", "a\0b"]
    assert len({reason(name) for name in there + nowhere}) == 1
    assert "is not in the folder of certificates" in reason(there[0])


def test_without_a_folder_no_file_is_read(folder: Path) -> None:
    [problem] = problems(ConnectionSettings(ca_bundle=str(folder / "bundle.pem")), None)
    assert "is not in the folder of certificates" in str(problem)


def test_only_small_regular_files_are_read(folder: Path) -> None:
    with (folder / "huge.pem").open("wb") as file:
        file.truncate(3 * 1024**3)  # a sparse file, which takes no space
    os.mkfifo(folder / "pipe.pem")
    (folder / "zero.pem").symlink_to("/dev/zero")
    (folder / "circle.pem").symlink_to("circle.pem")
    for name, words in {
        "huge.pem": "is larger than 1,048,576 bytes",
        "pipe.pem": "is not a regular file",
        "zero.pem": "is not a regular file",
        "team": "is not a regular file",
        ".": "is not a regular file",
        "circle.pem": "cannot be read",
        "x" * 300: "cannot be read",
        "\ud800.pem": "cannot be read",
    }.items():
        [problem] = problems(ConnectionSettings(ca_bundle=name), folder)
        assert words in str(problem)
