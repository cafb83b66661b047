"""Content codings taken off a body as it comes in, never more at once than a piece (RFC 9110 §8.4)."""

import zlib
from collections.abc import Iterable, Iterator

PIECE = 64 * 1024
"""Bytes that one step unpacks at most: a body that unpacks to gigabytes is left after the first of them."""

MOST_CODINGS = 5
"""Codings over one another that are taken off."""

_KNOWN = ("gzip", "x-gzip", "deflate")
_GZIP = 16 + zlib.MAX_WBITS


class DecodingError(ValueError):
    """A body is not coded as ``Content-Encoding`` says."""


def unreadable(applied: list[str]) -> str:
    """Why these codings cannot be taken off, empty where they can."""
    if len(applied) > MOST_CODINGS:
        return f"{len(applied)} codings are applied to it"
    unknown = next((coding for coding in applied if coding not in _KNOWN), "")
    return unknown and f"{unknown} is a coding that this console does not read"


def codings(content_encoding: str) -> list[str]:
    """The codings of a body in the order they were applied; ``identity`` is none."""
    found = [part.strip().lower() for part in content_encoding.split(",")]
    return [coding for coding in found if coding not in ("", "identity")]


def decoded(pieces: Iterable[bytes], applied: list[str]) -> Iterator[bytes]:
    """The pieces of a body with its codings, all of them readable, taken off. Raises ``DecodingError``."""
    for coding in reversed(applied):
        pieces = _inflated(pieces, coding)
    return iter(pieces)


def _inflated(pieces: Iterable[bytes], coding: str) -> Iterator[bytes]:
    unpacker = None
    for piece in pieces:
        if unpacker is None and piece:
            unpacker = zlib.decompressobj(_window(coding, piece))
        while unpacker is not None:
            try:
                found = unpacker.decompress(piece, PIECE)
            except zlib.error as error:
                raise DecodingError(f"it is not valid {coding}: {error}") from error
            if found:
                yield found
            piece = unpacker.unconsumed_tail
            if unpacker.eof and (piece := unpacker.unused_data.lstrip(b"\0")):
                # RFC 1952 §2.2: a gzip file may have several members, one behind the other.
                unpacker = zlib.decompressobj(_window(coding, piece))
            elif not piece and len(found) < PIECE:
                break
    if unpacker is not None and not unpacker.eof:
        raise DecodingError(f"it ends inside its {coding} data")


def _window(coding: str, start: bytes) -> int:
    if coding != "deflate":
        return _GZIP
    # Meant is the zlib format (RFC 9110 §8.4.1.2), and some servers send deflate without its header.
    return zlib.MAX_WBITS if start[0] & 0x0F == 8 else -zlib.MAX_WBITS
