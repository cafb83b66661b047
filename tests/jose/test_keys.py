import json

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa, x25519
from joserfc import jwt
from joserfc.jwk import ECKey, OKPKey, RSAKey

from oauth.errors import InputError
from oauth.jose.keys import PRIVATE_MEMBERS, new_key, read_private_key

RSA = rsa.generate_private_key(65537, 2048)
FORMATS = {
    "PKCS 8": serialization.PrivateFormat.PKCS8,
    "traditional": serialization.PrivateFormat.TraditionalOpenSSL,
    "OpenSSH": serialization.PrivateFormat.OpenSSH,
}


def pem(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey, form: str = "PKCS 8") -> str:
    return key.private_bytes(serialization.Encoding.PEM, FORMATS[form], serialization.NoEncryption()).decode()


@pytest.mark.parametrize("form", FORMATS)
def test_rsa_key_is_read_in_every_common_format(form: str) -> None:
    key = read_private_key(f"\n  {pem(RSA, form)}\n")
    assert key.algorithm == "RS256"
    assert jwt.decode(key.sign({}, {"a": 1}), RSAKey.import_key(key.public)).claims == {"a": 1}


@pytest.mark.parametrize(
    ("curve", "algorithm"), [(ec.SECP256R1(), "ES256"), (ec.SECP384R1(), "ES384"), (ec.SECP521R1(), "ES512")]
)
def test_algorithm_follows_the_curve(curve: ec.EllipticCurve, algorithm: str) -> None:
    key = read_private_key(pem(ec.generate_private_key(curve)))
    assert key.algorithm == algorithm
    verified = jwt.decode(key.sign({"kid": "k"}, {"a": 1}), ECKey.import_key(key.public), algorithms=[algorithm])
    assert verified.header == {"alg": algorithm, "kid": "k"}


def test_ed25519_key_signs() -> None:
    key = read_private_key(pem(ed25519.Ed25519PrivateKey.generate()))
    signed = key.sign({}, {"a": 1})
    assert jwt.decode(signed, OKPKey.import_key(key.public), algorithms=[key.algorithm]).claims == {"a": 1}


def test_jwk_keeps_its_kid_and_algorithm() -> None:
    jwk = RSAKey.generate_key(2048, parameters={"kid": "mine", "alg": "PS256", "use": "sig"}).as_dict(private=True)
    for pasted in (jwk, {"keys": [jwk]}):
        key = read_private_key(json.dumps(pasted))
        assert (key.kid, key.algorithm) == ("mine", "PS256")
        assert not set(key.public) & set(PRIVATE_MEMBERS)


@pytest.mark.parametrize(
    ("pasted", "reason"),
    [
        ("", "private key is missing"),
        ("hello", "not a valid private key"),
        ("{", "not a valid private key"),
        ('{"kty": "RSA"}', "not a valid private key"),
        ('{"keys": []}', "0 private keys"),
        ("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----", "not a valid private key"),
        (json.dumps(ECKey.generate_key("P-256").as_dict(private=False)), "not a private key"),
        (json.dumps({"kty": "oct", "k": "AyM32w-8O0bYVkY8u4k6LQ"}), "not a private key"),
        (
            RSA.public_key()
            .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
            .decode(),
            "not a private key",
        ),
        (
            x25519.X25519PrivateKey.generate()
            .private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
            .decode(),
            "cannot sign",
        ),
        (
            RSA.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.BestAvailableEncryption(b"password"),
            ).decode(),
            "without a password",
        ),
    ],
)
def test_unusable_key_is_refused_without_quoting_it(pasted: str, reason: str) -> None:
    with pytest.raises(InputError, match=reason) as refused:
        read_private_key(pasted)
    assert not pasted or pasted not in str(refused.value)
    assert refused.value.__cause__ is None


def test_private_part_is_not_in_the_repr() -> None:
    key = new_key()
    secret = key.key.as_dict(private=True)["d"]
    assert isinstance(secret, str)
    assert secret not in repr(key)
    assert "d" not in key.public
