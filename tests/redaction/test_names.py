"""Values that look random, and those that do not."""

import pytest

from oauth.redaction.names import is_random


@pytest.mark.parametrize(
    "value",
    [
        "8f0e1d2c3b4a59687786a5b4c3d2e1f00f1e2d3c",  # SHA-1 in hex
        "9f2a41d07b9f2a41",
        "GEacv4qwDlOFEBKc6hOfA8JyKkfRmhTw",
        "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",  # base64url, the verifier of RFC 7636
        "SplxlOBeZQQYbYS6WxSbIA",  # the code of RFC 6749
        "2YotnFZFEjr1zCsicMWpAA",
        "tGzv3JOkF0XG5Qx2TlKWIA",
        "4/0AX4XfWhPq2mZk9vB7nLc3tRyUeWsDxGfJhKaQpOiMnBv",  # Google
        "1//0gSecretPart-L9IrAbCdEfGhIjKl_mNoPq",
        "ya29.a0AfH6SMBx-2kQz7vLpRtYwXcVbNm",
        "AQBxYz12-AbCdEfGhIjKlMnOp_QrStUvWxYz0123456789",  # LinkedIn
        "M.R3_BAY.2f8a7c4e-1b2c-3d4e-5f60-718293a4b5c6",  # Microsoft
        "xoxb-123456789012-123456789012-aBcDeFgHiJkLmNoPqRsTuVwX",  # Slack
        "550e8400-e29b-41d4-a716-446655440000",
        "48291375501938475610",  # twenty digits
        "qzxwvkjhgfdmnbpt",  # nobody can say it
        "MFRGGZDFMZTWQ2LKNNWG23TPOBYXE43U",  # base32
        "k3v9x0q2m7w5t1z8r4",  # base36
        "YWJjZGVmZ2hpamtsbW5vcA==",
    ],
)
def test_a_drawn_value_is_random(value: str) -> None:
    assert is_random(value)
    assert is_random(value, named=True) or value.isdigit() or value.islower()


@pytest.mark.parametrize(
    "value",
    [
        "passwordgrant",
        "authorization_code",
        "code_already_used",
        "redirectUriMismatch",
        "superSecretValue1",  # a secret only where its name says so
        "plain-text-1",
        "demo-app-2026-11-28",
        "adverts-service-v2",
        "AADSTS7000215",
        "ORA-01017",
        "E0000011",
        "0x80070005",
        "4829137550193847561",  # nineteen digits: nanoseconds, ids of rows
        "1764360000123",
        "1.10.0-beta.2",
        "v4.0.1-rc12",
        "2026-11-28",
        "2026-11-28T20:00:00Z",
        "https://client.test/cb2026",
        "service-account-2026.json",
        "com.test.oauth2.TokenEndpoint",
        "x1y2z3a4b5c6****",
        "a1B2c3D4e5F",  # eleven characters
        "",
    ],
)
def test_words_numbers_and_names_are_not_random(value: str) -> None:
    assert not is_random(value)


@pytest.mark.parametrize("value", ["superSecretValue1", "hunter2", "abc123", "tokenOfMyApp"])
def test_a_named_value_needs_a_digit_or_mixed_letters(value: str) -> None:
    assert is_random(value, 6, named=True)


@pytest.mark.parametrize(
    "value", ["required", "123456", "AADSTS700082", "key-2026.pem", "/run/secrets/key", "abc***", "a1"]
)
def test_what_is_no_secret_is_none_behind_a_name(value: str) -> None:
    assert not is_random(value, 6, named=True)
