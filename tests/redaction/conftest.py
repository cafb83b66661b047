import pytest

from oauth.redaction import Vault
from tests.redaction.samples import KEY


@pytest.fixture
def vault() -> Vault:
    return Vault(KEY)
