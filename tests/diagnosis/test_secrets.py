"""Comparing secrets that are live, redacted, or one of each."""

from oauth.diagnosis.secrets import Secrets
from oauth.redaction import Vault

KEY = b"0123456789abcdef0123456789abcdef"
ONE, OTHER = "a" * 40, "b" * 40


def secrets(vault: Vault | None = None) -> Secrets:
    return Secrets(vault or Vault(KEY), (("code", ONE),))


def test_live_values_are_compared_directly() -> None:
    assert secrets().same("code", ONE, ONE) is True
    assert secrets().same("code", ONE, OTHER) is False


def test_live_value_and_placeholder_are_compared_by_fingerprint() -> None:
    shown = Vault(KEY).placeholder("code", ONE)
    assert secrets().same("code", ONE, shown) is True
    assert secrets().same("code", shown, OTHER) is False


def test_placeholders_of_short_values_are_compared_by_length() -> None:
    assert secrets().same("code", "«code 11ch»", "«code 12ch»") is False
    assert secrets().same("code", "«code 11ch»", "«code 11ch»") is None
    assert secrets().same("code", "«code 11ch»", "x" * 11) is None


def test_placeholders_of_different_kinds_cannot_be_compared() -> None:
    vault = Vault(KEY)
    assert secrets().same("code", vault.placeholder("code", ONE), vault.placeholder("state", ONE)) is None


def test_without_a_vault_a_live_value_is_quoted_by_its_length() -> None:
    assert Secrets(None).quoted("code", ONE) == "40 characters"
    assert Secrets(None).same("code", ONE, Vault(KEY).placeholder("code", ONE)) is None
    assert Secrets(None).same("code", ONE, Vault(KEY).placeholder("code", "short")) is False


def test_known_secrets_are_replaced_in_other_texts() -> None:
    shown = Vault(KEY).placeholder("code", ONE)
    assert secrets().swept(f"https://a/cb?x={ONE}") == f"https://a/cb?x={shown}"


def test_value_offered_by_a_fix_can_be_restored() -> None:
    vault = Vault(KEY)
    assert vault.resolve(secrets(vault).offered("code", OTHER)) == OTHER


def test_secrets_of_the_vault_are_replaced_except_public_values() -> None:
    vault = Vault(KEY)
    shown = [vault.add(kind, value) for kind, value in (("code", ONE), ("client_secret", "short1"), ("state", "five5"))]
    swept = Secrets(vault, public=frozenset(["public-id"])).swept
    vault.add("client_secret", "public-id")
    assert swept(f"{ONE} and short1, not five5 or public-id") == f"{shown[0]} and {shown[1]}, not five5 or public-id"
    assert swept(ONE[1:]) == ONE[1:]


def test_longest_of_nested_secrets_is_replaced() -> None:
    vault = Vault(KEY)
    vault.add("code", ONE[:20])
    assert Secrets(vault, (("access_token", ONE),)).swept(ONE) == vault.placeholder("access_token", ONE)
