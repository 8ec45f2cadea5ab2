"""Numbers as a person hands them in: one a line, or the first and the last of a range. Pure.

A range is counted up by its digits; a carrier whose numbers end in a check digit gives lists instead.
"""

import re
from collections.abc import Iterator

from waystream.core.errors import Invalid, InvalidMany, TooLarge
from waystream.parts.fulfilment.model import checked_number

NUMBERS_AT_ONCE = 100_000
PROBLEMS_MAX = 100

_RANGE = re.compile(r"\s*([A-Za-z0-9]+)\s*(?:-|~|–|—|～|至|到|\bto\b)\s*([A-Za-z0-9]+)\s*")
_DIGITS = re.compile(r"(.*?)(\d+)")


def read_numbers(text: str) -> list[str]:
    """Each number once, in the order told. Raises `InvalidMany` with "line 3", `TooLarge` for more than a hundred
    thousand, `Invalid` for none."""
    problems: list[Invalid] = []
    found: dict[str, None] = {}
    for line, told in enumerate(text.splitlines(), 1):
        try:
            for number in _numbers_of(told):
                found[number] = None
                if len(found) > NUMBERS_AT_ONCE:
                    raise TooLarge(f"At most {NUMBERS_AT_ONCE} numbers at once: hand them in in parts.")
        except Invalid as wrong:
            problems.append(Invalid(f"line {line}", wrong.sentence))
            if len(problems) >= PROBLEMS_MAX:
                break
    if problems:
        raise InvalidMany(problems)
    if not found:
        raise Invalid("numbers", "Give at least one number, or the first and the last of a range.")
    return list(found)


def _numbers_of(told: str) -> Iterator[str]:
    for part in filter(None, re.split(r"[,;，；\t]", told.strip())):
        ends = _RANGE.fullmatch(part)
        if ends is None:
            yield checked_number(part)
        else:
            yield from _counted(checked_number(ends[1]), checked_number(ends[2]))


def _counted(first: str, last: str) -> Iterator[str]:
    head, tail = _DIGITS.fullmatch(first), _DIGITS.fullmatch(last)
    if head is None or tail is None or head[1] != tail[1] or len(first) != len(last):
        raise Invalid("numbers", "The ends of a range begin alike and are equally long.")
    width, start, stop = len(head[2]), int(head[2]), int(tail[2])
    if stop < start:
        raise Invalid("numbers", "A range ends after it begins.")
    if stop - start >= NUMBERS_AT_ONCE:
        raise Invalid("numbers", f"A range has at most {NUMBERS_AT_ONCE} numbers.")
    return (f"{head[1]}{each:0{width}}" for each in range(start, stop + 1))
