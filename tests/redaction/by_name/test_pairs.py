from oauth.redaction import Vault
from tests.redaction.samples import check_text


def test_url_in_a_sentence_is_redacted(vault: Vault) -> None:
    check_text(vault, "see https://a.test/?code=abc, then", "see https://a.test/?code=«code 3ch», then")


def test_parameters_of_a_challenge_are_left_alone(vault: Vault) -> None:
    challenge = 'Bearer realm="api", error="invalid_token", error_description="expired"'
    check_text(vault, challenge, challenge)
