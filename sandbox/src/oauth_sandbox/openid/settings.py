"""The settings of the OpenID side."""

from enum import StrEnum
from typing import Annotated

from msgspec import Meta, Struct

MOST_KEYS = 100
LONGEST_ID_TOKEN = 31_557_600  # seconds: a year


class Algorithm(StrEnum):
    """The algorithms of signatures (RFC 7518 §3.1)."""

    RS256 = "RS256"
    ES256 = "ES256"


class OpenId(Struct, frozen=True, forbid_unknown_fields=True):
    """What the OpenID side says of itself, and how it signs."""

    issuer: Annotated[
        str,
        Meta(
            pattern=r"^(?:https?://[A-Za-z0-9.:\[\]_-]+(?:/[A-Za-z0-9._~%-]+)*)?$(?!\n)",
            description="The issuer, where a proxy gives the sandbox another address: an http or https URL "
            "without user, query and fragment, and without a slash at its end. Empty: the address that was called.",
        ),
    ] = ""
    id_token_algorithm: Annotated[Algorithm, Meta(description="The algorithm of an id_token's signature.")] = (
        Algorithm.RS256
    )
    id_token_claims: Annotated[
        bool, Meta(description="An id_token has the claims of the scopes, which are otherwise at userinfo only.")
    ] = False
    id_token_lifetime: Annotated[
        int, Meta(ge=1, le=LONGEST_ID_TOKEN, description="Seconds for which an id_token is valid.")
    ] = 3600
    signing_key: Annotated[
        int,
        Meta(
            ge=1,
            le=MOST_KEYS,
            description="The number of the key that signs. The next number is a rotation: its key and the one before "
            "are published.",
        ),
    ] = 1
