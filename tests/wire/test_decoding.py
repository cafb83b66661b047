import gzip
import tracemalloc
import zlib
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oauth.wire.decoding import PIECE, DecodingError, decode, parse_codings, unsupported


def raw_deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(data) + packer.flush()


Packer = Callable[[bytes], bytes]
PACKERS: dict[str, Packer] = {
    "gzip": gzip.compress,
    "x-gzip": gzip.compress,
    "deflate": zlib.compress,
}


def pieces(data: bytes, size: int) -> list[bytes]:
    return [data[start : start + size] for start in range(0, len(data), size)]


@pytest.mark.parametrize("coding", PACKERS)
@given(data=st.binary(max_size=3000), repeated=st.integers(1, 100), size=st.integers(1, 5000))
def test_body_is_decoded_however_it_is_split(coding: str, data: bytes, repeated: int, size: int) -> None:
    body = data * repeated
    assert b"".join(decode(pieces(PACKERS[coding](body), size), [coding])) == body


@given(data=st.binary(min_size=1, max_size=300), size=st.integers(1, 50))
def test_deflate_without_its_header_is_decoded(data: bytes, size: int) -> None:
    assert b"".join(decode(pieces(raw_deflate(data), size), ["deflate"])) == data


def test_several_members_and_nested_codings_are_decoded() -> None:
    members = gzip.compress(b"one ", mtime=0) + gzip.compress(b"two", mtime=0) + b"\0" * 8
    assert b"".join(decode(pieces(members, 7), ["gzip"])) == b"one two"
    twice = gzip.compress(zlib.compress(b"twice"))
    assert b"".join(decode([twice], parse_codings("deflate, GZIP"))) == b"twice"


def test_empty_body_and_identity_need_no_decoding() -> None:
    assert b"".join(decode([], ["gzip"])) == b""
    assert parse_codings("identity, ") == []
    assert list(decode([b"as it is"], [])) == [b"as it is"]


@pytest.mark.parametrize(
    "body",
    [
        b"plain text",
        gzip.compress(b"cut off here" * 20, mtime=0)[:-9],
        gzip.compress(b"x" * 500, mtime=0)[:-4] + b"\1\2\3\4",
        gzip.compress(b"x", mtime=0) + b"and more",
    ],
)
def test_body_without_its_declared_coding_is_refused(body: bytes) -> None:
    with pytest.raises(DecodingError):
        list(decode([body], ["gzip"]))


def test_unsupported_codings_are_named() -> None:
    assert unsupported(["gzip", "deflate"]) == ""
    assert "br is not a supported coding" in unsupported(["gzip", "br"])
    assert "6 codings" in unsupported(["gzip"] * 6)


@pytest.mark.parametrize("applied", [["gzip"], ["gzip", "gzip"]])
def test_decompression_bomb_is_decoded_one_piece_at_a_time(applied: list[str]) -> None:
    bomb = b"\0" * 200_000_000
    for _ in applied:
        bomb = gzip.compress(bomb, 9, mtime=0)
    tracemalloc.start()
    total = 0
    for piece in decode([bomb], applied):
        assert len(piece) <= PIECE
        total += len(piece)
        if total > 1_000_000:
            break
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2_000_000
