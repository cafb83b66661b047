import pytest

from oauth.redaction import Vault
from tests.redaction.samples import check_text


@pytest.mark.parametrize(
    ("text", "redacted"),
    [
        # JSON: whitespace, order, broken and cut JSON stay as they are
        ('{ "b" : 1,\n\t"code" :  "abc" , "a":2, }', '{ "b" : 1,\n\t"code" :  "«code 3ch»" , "a":2, }'),
        ("{'code': 'abc', 'x': 1}", "{'code': '«code 3ch»', 'x': 1}"),
        ('{"code":"abc","state":"x', '{"code":"«code 3ch»","state":"«state 1ch»'),
        (r'{"code":"a\"\u0062"}', '{"code":"«code 3ch»"}'),
        (r'{"c\u006fde":"abc"}', r'{"c\u006fde":"«code 3ch»"}'),
        ('{"code":12, "password":null, "secret":true}', '{"code":"«code 2ch»", "password":null, "secret":true}'),
        (
            '{"token":{"a":"x","b":["y",1.5]},"c":"d"}',
            '{"token":{"a":"«token 1ch»","b":["«token 1ch»","«token 3ch»"]},"c":"d"}',
        ),
        ('{"tokens":{"id_token":"xy"}}', '{"tokens":{"id_token":"«id_token 2ch»"}}'),
        (
            '{"grant_type":"x"\n"code":"<the code>"\n"scope":"y"}',
            '{"grant_type":"x"\n"code":"«code 10ch»"\n"scope":"y"}',
        ),
        ('{"a":"5" tall","code":"abc"}', '{"a":"5" tall","code":"«code 3ch»"}'),
        ('{"code":"ab"cd","x":"y"}', '{"code":"«code 5ch»","x":"y"}'),
        ('{code: "abc", x: "y"}', '{code: "«code 3ch»", x: "y"}'),
        ('[{"name":"code","value":"abc"}]', '[{"name":"code","value":"«code 3ch»"}]'),
        (r'{"body":"{\"code\":\"abc\"}"}', r'{"body":"{\"code\":\"«code 3ch»\"}"}'),
        (r'{"u":"https:\/\/a.test\/?code=4\/0a\u0026x=1"}', r'{"u":"https:\/\/a.test\/?code=«code 4ch»\u0026x=1"}'),
    ],
)
def test_values_are_redacted_in_json_of_any_quality(vault: Vault, text: str, redacted: str) -> None:
    check_text(vault, text, redacted)


@pytest.mark.parametrize(
    "text",
    [
        'Missing parameter: "code" is required',
        '{"error":"invalid_grant","error_description":"No \\"code\\" here"}',
    ],
)
def test_quoted_name_without_a_value_is_left_alone(vault: Vault, text: str) -> None:
    check_text(vault, text, text)
