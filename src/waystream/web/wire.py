"""What programs send us and what they get: JSON into values at the door, values into JSON on the way out.

Guaranteed: a body becomes a frozen value or `Invalid` with the path that is wrong; unknown fields are refused; texts
fit the database. Ids go out as text, for they are wider than the numbers of JavaScript; they come in as either.
"""

import re
from collections.abc import Collection
from typing import Annotated, Any, ClassVar, TypeVar

import msgspec
from msgspec import Meta, Struct

from waystream.core.errors import Invalid
from waystream.parts.orders.form import clean, clean_lines

T = TypeVar("T")

JSON = "application/json"
MAX_ID = 2**63 - 1
REASON_MAX = 200

_FIELD = re.compile(r"(Object missing required|Object contains unknown) field `(.*)`")


class Id(int):
    """A row's id: `"412039120391203"`."""


Reason = Annotated[str, Meta(min_length=1, max_length=REASON_MAX, description="Why, for the audit")]


class Asked(Struct, frozen=True, forbid_unknown_fields=True):
    """What a program sends: nothing in it is ignored. `LINED` are the texts that may have several lines."""

    LINED: ClassVar[frozenset[str]] = frozenset()


class Lined(Asked, frozen=True):
    """With a `text` of a person's, in several lines where they wrote them."""

    LINED: ClassVar[frozenset[str]] = frozenset({"text"})


class Told(Struct, frozen=True):
    """What a program gets; read from any value that has its fields."""


def decode(body: bytes, *, lined: Collection[str] = ()) -> Any:
    """JSON as plain values, with clean texts; fields in `lined` keep their line breaks. Raises `Invalid`."""
    try:
        raw = msgspec.json.decode(body)
        cleaned = _cleaned(raw)
        if isinstance(raw, dict):
            cleaned |= {name: clean_lines(raw[name]) for name in lined if isinstance(raw.get(name), str)}
        return cleaned
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise Invalid("body", "this is not JSON") from None


def _cleaned(value: Any) -> Any:
    """Names of fields too: some are stored."""
    if isinstance(value, dict):
        return {clean(name): _cleaned(item) for name, item in value.items()}
    return [_cleaned(item) for item in value] if isinstance(value, list) else clean(value)


def read(raw: Any, shape: type[T]) -> T:
    """Plain values as a value of this shape. Raises `Invalid` naming the path: `parcels[0][1].quantity`."""
    try:
        return msgspec.convert(raw, shape, dec_hook=_read_own)
    except msgspec.ValidationError as error:
        raise _problem(str(error)) from None


def _problem(said: str) -> Invalid:
    """msgspec says "Object missing required field `reason` - at `$.parcels[0]`"; an enum's value would be quoted."""
    sentence, _, place = said.partition(" - at ")
    path = place.strip("`$").lstrip(".")
    field = _FIELD.fullmatch(sentence)
    if field is not None:
        path = f"{path}.{field[2]}".lstrip(".")
        sentence = "this is missing" if field[1].endswith("missing required") else "there is no such field"
    elif sentence.startswith("Invalid enum value"):
        sentence = "not one of the words known here"
    return Invalid(path or "body", sentence[:1].lower() + sentence[1:])


def see(shape: type[T], value: object) -> T:
    """A value of ours as programs see it: the fields of `shape`, and no others."""
    return msgspec.convert(value, shape, from_attributes=True, dec_hook=_read_own)


def encode(value: object) -> bytes:
    return msgspec.json.encode(value, enc_hook=_write_own)


def _read_own(kind: type, value: Any) -> Any:
    assert kind is Id, f"no way to read a {kind.__name__}"
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 20:
        value = int(value)
    if type(value) is not int or not 0 < value <= MAX_ID:
        raise ValueError("not an id of ours")
    return Id(value)


def _write_own(value: Any) -> str:
    assert isinstance(value, Id), f"no way to write a {type(value).__name__}"
    return str(int(value))
