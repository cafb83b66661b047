from oauth.redaction import Vault
from tests.redaction.samples import exchange


def test_multipart_fields_are_redacted(vault: Vault) -> None:
    body = (
        '--x\r\nContent-Disposition: form-data; name="code"\r\n\r\na b\r\nc\r\n'
        '--x\r\nContent-Disposition: form-data; name="scope"\r\n\r\nread\r\n--x--\r\n'
    )
    redacted = vault.redact(exchange(body=body))
    assert redacted.request.body.decode() == body.replace("a b\r\nc", "«code 6ch»")
