"""Decoding of a body with content codings as it arrives, one piece at a time (RFC 9110 §8.4)."""

import zlib
from collections.abc import Iterable, Iterator

PIECE = 64 * 1024
"""Bytes that one step decompresses at most, so that reading a decompression bomb can stop early."""

MOST_CODINGS = 5
"""Nested codings that are decoded."""

_SUPPORTED = ("gzip", "x-gzip", "deflate")
_GZIP = 16 + zlib.MAX_WBITS


class DecodingError(ValueError):
    """A body does not have the coding that ``Content-Encoding`` declares."""


def unsupported(applied: list[str]) -> str:
    """Return the reason why codings cannot be decoded, an empty text for supported ones."""
    if len(applied) > MOST_CODINGS:
        return f"{len(applied)} codings are nested"
    unknown = next((coding for coding in applied if coding not in _SUPPORTED), "")
    return unknown and f"{unknown} is not a supported coding"


def parse_codings(content_encoding: str) -> list[str]:
    """Return the codings of a body in the order in which they were applied, without ``identity``."""
    codings = [part.strip().lower() for part in content_encoding.split(",")]
    return [coding for coding in codings if coding not in ("", "identity")]


def decode(pieces: Iterable[bytes], applied: list[str]) -> Iterator[bytes]:
    """Decode the pieces of a body with these codings, all of them supported. Raises ``DecodingError``."""
    for coding in reversed(applied):
        pieces = _inflate(pieces, coding)
    return iter(pieces)


def _inflate(pieces: Iterable[bytes], coding: str) -> Iterator[bytes]:
    decompressor = None
    for piece in pieces:
        if decompressor is None and piece:
            decompressor = zlib.decompressobj(_window(coding, piece))
        while decompressor is not None:
            try:
                content = decompressor.decompress(piece, PIECE)
            except zlib.error as error:
                raise DecodingError(f"it is not valid {coding}: {error}") from error
            if content:
                yield content
            piece = decompressor.unconsumed_tail
            if decompressor.eof and (piece := decompressor.unused_data.lstrip(b"\0")):
                # RFC 1952 §2.2: a gzip file may have several members.
                decompressor = zlib.decompressobj(_window(coding, piece))
            elif not piece and len(content) < PIECE:
                break
    if decompressor is not None and not decompressor.eof:
        raise DecodingError(f"it ends inside its {coding} data")


def _window(coding: str, start: bytes) -> int:
    if coding != "deflate":
        return _GZIP
    # The coding is the zlib format (RFC 9110 §8.4.1.2), but some servers send deflate without its header.
    return zlib.MAX_WBITS if start[0] & 0x0F == 8 else -zlib.MAX_WBITS
