"""Secrets that people name in their own language."""

import pytest

from oauth.redaction import Vault


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("Passwort: GeheimDE111", "GeheimDE111"),
        ("hasło: TajneHasloPL22", "TajneHasloPL22"),
        ("hasło to Tajne22, klient demo", "Tajne22"),
        ("mot de passe : MotDePasseFR33", "MotDePasseFR33"),
        ("contraseña: ClaveSecretaES44", "ClaveSecretaES44"),
        ("senha=SenhaPT55xx", "SenhaPT55xx"),
        ("пароль: ПарольRU66", "ПарольRU66"),
        ("пароль=Qwerty!2345", "Qwerty!2345"),
        ("секрет: hunter2hunter2", "hunter2hunter2"),
        ("密码：MimaCN77abc", "MimaCN77abc"),
        ("我的密码是MimaCN77abc", "MimaCN77abc"),
        ("Client-Geheimnis: KlientGeheim88", "KlientGeheim88"),
        ("Clientgeheimnis: KlientGeheim88", "KlientGeheim88"),
        ("klucz API: 9a8b7c6d5e4f3a2b1c0d99", "9a8b7c6d5e4f3a2b1c0d99"),
        ("Paſſwort: LangesGeheimnis11, wie Passwort", "LangesGeheimnis11"),
        (f"Passwort: {'Lang1' * 200}", "Lang1" * 2),
        ("Unser Passwort für das Portal ist Sommer2026!geheim.", "Sommer2026!geheim"),
    ],
)
def test_a_secret_behind_its_name_in_another_language_is_hidden(vault: Vault, text: str, secret: str) -> None:
    shown = vault.redact_text(f'{text}\n{{"error":"invalid_client"}}')
    assert secret not in shown
    assert text.split(secret)[0] in shown, "what stands before it stays"


@pytest.mark.parametrize(
    "text",
    [
        "Passwort: falsch",
        "hasło: nieprawidłowe",
        "contraseña: incorrecta, error 400",
        "пароль: неверный",
        "enclave: b5e7a1f9c2d4",
        "Das Passwort ist abgelaufen am 2026-11-23",
        "clé: invalid_client",
        "Schlüssel: siehe https://docs.example/v2/keys",
    ],
)
def test_words_behind_such_a_name_stay(vault: Vault, text: str) -> None:
    assert vault.redact_text(text) == text
