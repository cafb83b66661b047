import pytest

from oauth.exchange import Headers
from oauth.redaction import Vault
from tests.redaction.samples import exchange


@pytest.mark.parametrize(
    ("body", "headers", "text"),
    [
        ("é «x»".encode(), (), "é «x»"),
        ("zażółć".encode("iso8859-2"), (("Content-Type", "text/plain; charset=iso-8859-2"),), "zażółć"),
        ("café".encode("latin-1"), (("Content-Type", "text/plain; charset=nonsense"),), "café"),
        ('{"a":"b"}'.encode("utf-16"), (), '{"a":"b"}'),
        ("é, cut €".encode()[:-1], (), "é, cut �"),
        (b"nul \0 in a longer text", (), "nul ␀ in a longer text"),
        (bytes(range(256)), (), "(binary, 256 bytes)"),
        (b"", (), ""),
    ],
)
def test_bodies_are_returned_as_storable_text(vault: Vault, body: bytes, headers: Headers, text: str) -> None:
    assert vault.redact(exchange(headers=headers, body=body)).request.body.decode() == text


def test_secret_in_a_body_of_another_charset_is_found(vault: Vault) -> None:
    vault.add("password", "zażółć gęślą")
    for charset in ("utf-16", "iso8859-2"):
        body = "you said zażółć gęślą".encode(charset)
        redacted = vault.redact(exchange(headers=(("Content-Type", f"text/plain; charset={charset}"),), body=body))
        assert redacted.request.body.decode() == "you said «password 12ch»"
