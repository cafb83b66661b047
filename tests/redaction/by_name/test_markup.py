import pytest

from oauth.redaction import Vault
from tests.redaction.samples import check_text


@pytest.mark.parametrize(
    ("text", "redacted"),
    [
        ('<input value="a&amp;b" name=code>', '<input value="«code 3ch»" name=code>'),
        ("<input type='password' value=abc>", "<input type='password' value=«password 3ch»>"),
        ('<textarea id="code">abc</textarea>', '<textarea id="code">«code 3ch»</textarea>'),
        ("<o:access_token>a</o:access_token>", "<o:access_token>«access_token 1ch»</o:access_token>"),
        ("<password><![CDATA[a<b]]></password>", "<password><![CDATA[«password 3ch»]]></password>"),
    ],
)
def test_elements_and_inputs_are_redacted(vault: Vault, text: str, redacted: str) -> None:
    check_text(vault, text, redacted)
