"""The people behind orders: what is sealed of them, what may be shown, and the words they can be found by.

Guaranteed: a mask keeps the width of what it hides and holds no digit of an address; `from_bytes(to_bytes(p)) == p`.
Sealing is `kernel.vault`; rows are `parts.orders` (receivers) and `parts.catalogue` (senders).
"""

import re
from dataclasses import dataclass, field
from enum import IntEnum

import msgspec

from waystream.core.ports import Contact

_STAR = "*"
_DIGIT = re.compile(r"[0-9０-９]")
# "12A", "B2": a letter that leans on a digit is part of the house number.
_HOUSE_LETTER = re.compile(r"(?<=[0-9０-９])[A-Za-z]\b|\b[A-Za-z](?=[0-9０-９])")
_CHINESE_NUMBER = re.compile(r"[零〇一二三四五六七八九十百]+(?=[号栋幢座楼层室弄单组户])")


@dataclass(frozen=True, slots=True)
class Person:
    """A contact in the clear with what was remarked about the order; lives for the length of a call.

    `email` and `language` are the buyer's: how he is written to.
    """

    contact: Contact
    buyer_remark: str = field(default="", repr=False)
    seller_remark: str = field(default="", repr=False)
    email: str = field(default="", repr=False)
    language: str = ""


@dataclass(frozen=True, slots=True)
class PlatformSealed:
    """A receiver only the platform can read: its ciphertext, handed on as it came."""

    platform: str
    ciphertext: str = field(repr=False)
    id: str = field(default="", repr=False)
    buyer_remark: str = field(default="", repr=False)
    seller_remark: str = field(default="", repr=False)
    email: str = field(default="", repr=False)
    language: str = ""


def to_bytes(person: Person | PlatformSealed) -> bytes:
    """What is sealed into `person.sealed` and `warehouse.sealed`."""
    return msgspec.json.encode(person)


def from_bytes(plain: bytes) -> Person:
    return msgspec.json.decode(plain, type=Person)


def phone_tail(plain: bytes) -> str:
    """The last four digits of the phone of a person as it was sealed: some carriers tell nothing without them."""
    contact = from_bytes(plain).contact
    return "".join(char for char in (contact.mobile or contact.phone) if char.isdigit())[-4:]


def platform_from_bytes(plain: bytes) -> PlatformSealed:
    return msgspec.json.decode(plain, type=PlatformSealed)


def person_aad(person_id: int) -> bytes:
    """What `person.sealed` is bound to."""
    return f"person:{person_id}".encode()


def warehouse_aad(code: str) -> bytes:
    """What `warehouse.sealed` is bound to."""
    return f"warehouse:{code}".encode()


def mask_name(name: str) -> str:
    """罗小明 → 罗**; a single character is hidden whole; spaces stay."""
    if len(name) < 2:
        return _STAR * len(name)
    return name[0] + "".join(char if char == " " else _STAR for char in name[1:])


def mask_phone(phone: str) -> str:
    """15812346021 → 158****6021, 0571-88123456 → 057*-****3456, 13800001111-1234 → 138****1111-****."""
    number, dash, extension = _split_extension(phone)
    digits = sum(char.isdigit() for char in number)
    head, tail = (3, 4) if digits >= 11 else (1, 2) if digits >= 5 else (0, 0)
    seen = 0
    shown = []
    for char in number:
        seen += char.isdigit()
        shown.append(_STAR if char.isdigit() and head < seen <= digits - tail else char)
    return "".join(shown) + dash + _STAR * len(extension)


def is_virtual(phone_mask: str) -> bool:
    """Whether a mask is a virtual number's (隐私号): its extension is hidden whole, and its digits are nobody's."""
    number, dash, extension = phone_mask.rpartition("-")
    return bool(dash and number) and set(extension) == {_STAR}


def mask_address(address: str) -> str:
    """文三路478号3幢502室 → 文三路***号*幢***室; width is kept."""
    hidden = _CHINESE_NUMBER.sub(lambda found: _STAR * len(found[0]), address)
    return _DIGIT.sub(_STAR, _HOUSE_LETTER.sub(_STAR, hidden))


class Term(IntEnum):
    """By what a person can be found: `person_index.purpose`."""

    PHONE = 1
    LAST_FOUR = 2
    NAME = 3
    BIGRAM = 4

    @property
    def blind(self) -> str:
        """The purpose of its keyed hash."""
        return f"person {self.name.lower()}"


def index_terms(contact: Contact) -> frozenset[tuple[Term, str]]:
    """Everything the contact can be found by, to be stored as keyed hashes only."""
    terms: set[tuple[Term, str]] = set()
    for phone in (contact.mobile, contact.phone):
        terms |= phone_terms(phone)
    return frozenset(terms | name_terms(contact.name))


def phone_terms(phone: str) -> set[tuple[Term, str]]:
    """A virtual number is found with and without its extension, by its last four and by a four-digit extension."""
    number, _, extension = _split_extension(phone)
    digits = only_digits(number)
    if not digits:
        return set()
    terms = {(Term.PHONE, digits)}
    if len(digits) >= 4:
        terms.add((Term.LAST_FOUR, digits[-4:]))
    if extension:
        terms.add((Term.PHONE, f"{digits}-{extension}"))
        if len(extension) == 4:
            terms.add((Term.LAST_FOUR, extension))
    return terms


def name_terms(name: str) -> set[tuple[Term, str]]:
    folded = "".join(name.split()).casefold()
    if not folded:
        return set()
    return {(Term.NAME, folded)} | {(Term.BIGRAM, folded[at : at + 2]) for at in range(len(folded) - 1)}


def only_digits(text: str) -> str:
    return "".join(char for char in text if char.isdecimal())


def _split_extension(phone: str) -> tuple[str, str, str]:
    """13800001111-1234 is a virtual number with its extension; 0571-88123456 is an area code with a number."""
    number, dash, extension = phone.rpartition("-")
    if dash and len(extension) <= 6 and len(only_digits(number)) >= 10:
        return number, dash, extension
    return phone, "", ""
