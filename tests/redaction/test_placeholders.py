from oauth.redaction import PLACEHOLDER, Vault
from tests.redaction.samples import KEY, TOKEN


def test_placeholder_shows_kind_fingerprint_and_length(vault: Vault) -> None:
    shown = vault.placeholder("refresh_token", TOKEN)
    assert PLACEHOLDER.fullmatch(shown)
    assert shown.startswith("«refresh_token #")
    assert shown.endswith(" 40ch»")
    assert vault.placeholder("client_secret", "demo-secret") == "«client_secret 11ch»"
    assert vault.placeholder("Client-Secret", "demo-secret") == "«client_secret 11ch»"
    assert vault.placeholder("code", "") == ""


def test_fingerprint_depends_on_key_kind_and_value(vault: Vault) -> None:
    shown = vault.placeholder("code", TOKEN)
    assert shown == Vault(KEY).placeholder("code", TOKEN)
    assert shown != Vault(b"another key").placeholder("code", TOKEN)
    assert shown != vault.placeholder("code", TOKEN[:-1] + "d")
    assert shown.split()[1] != vault.placeholder("state", TOKEN).split()[1]


def test_fingerprint_starts_at_sixteen_characters(vault: Vault) -> None:
    assert "#" not in vault.placeholder("code", "x" * 15)
    assert "#" in vault.placeholder("code", "x" * 16)


def test_reused_secret_and_rotated_secret_can_be_told_apart(vault: Vault) -> None:
    first = vault.redact_value("code", TOKEN)
    assert vault.redact_value("code", TOKEN) == first
    assert vault.redact_value("code", TOKEN[::-1]) != first
