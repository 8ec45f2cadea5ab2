"""Marks: a trace list is known again by digests of its beginnings, as its lines are written. Pure.

Sources tell the whole history with every push. A list whose digest is the mark of n lines is the first n lines that
were read before, so nothing of it has to be read again; what is new stands behind them.
"""

import hashlib
import struct
from collections.abc import Sequence

_BYTES = 8


def mark(lines: Sequence[bytes], known: tuple[int, ...] = ()) -> tuple[int, ...]:
    """The mark of each beginning: of one line, of two, … `known` are the first of them."""
    hashed = hashlib.blake2b(b"".join(lines[: len(known)]), digest_size=_BYTES)
    marks = list(known)
    for line in lines[len(known) :]:
        hashed.update(line)
        marks.append(int.from_bytes(hashed.copy().digest(), "big", signed=True))
    return tuple(marks)


def begins(lines: Sequence[bytes], marks: Sequence[int]) -> bool:
    """Whether the list begins as the one of these marks, as far as the shorter of the two goes."""
    length = min(len(lines), len(marks))
    if not length:
        return False
    told = b"".join(lines[:length])
    return int.from_bytes(hashlib.blake2b(told, digest_size=_BYTES).digest(), "big", signed=True) == marks[length - 1]


def pack_marks(marks: tuple[int, ...]) -> bytes:
    return struct.pack(f">{len(marks)}q", *marks)


def unpack_marks(packed: bytes) -> tuple[int, ...]:
    return struct.unpack(f">{len(packed) // _BYTES}q", packed)
