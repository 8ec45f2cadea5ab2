"""Receivers on their way out of the vault, and what was said to them on its way in.

Guaranteed: whom a message went to and what it said is sealed under the receiver's own key, so that erasing the person
erases it; a phone or address leaves this module only in a letter, masked or as a keyed hash.
"""

from dataclasses import dataclass, field

import msgspec

from waystream.core.channels import mask_email
from waystream.core.errors import Conflict, Unreadable
from waystream.core.person import from_bytes, mask_phone, person_aad, platform_from_bytes
from waystream.kernel.tx import Tx
from waystream.kernel.vault import open_sealed, seal
from waystream.parts.notices import store
from waystream.parts.notices.model import Receiver


class Content(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is sealed into `notice.sealed`. `draft`: the words are a template still; `to`: whom a test goes to."""

    text: str
    subject: str = ""
    to: str = ""
    variables: dict[str, str] = {}
    draft: bool = False

    def __repr__(self) -> str:
        return "Content(…)"


@dataclass(frozen=True, slots=True)
class Opened:
    """A receiver with the keyed hashes he is known by: phone first, then e-mail."""

    receiver: Receiver
    hashes: tuple[bytes, ...] = field(default=(), repr=False)

    @property
    def to_hash(self) -> bytes | None:
        return self.hashes[0] if self.hashes else None


def open_receiver(tx: Tx, shop_id: int, person_id: int) -> Opened:
    """Not readable where the person was erased; without a phone where only the platform can read it."""
    row = store.find_person(tx.conn, person_id)
    key = tx.keys.load(tx.conn, [row.key_id]).get(row.key_id)
    if row.erased_at is not None or key is None:
        return Opened(Receiver(readable=False))
    plain = open_sealed(key, row.sealed, aad=person_aad(person_id))
    if row.plain:
        person = from_bytes(plain)
        contact = person.contact
        name, mobile, email, language = contact.name, contact.mobile or contact.phone, person.email, person.language
    else:
        sealed = platform_from_bytes(plain)
        name, mobile, email, language = "", "", sealed.email, sealed.language
    receiver = Receiver(True, row.key_id, name, mobile, email, language, row.province)
    return Opened(receiver, hash_addresses(tx, shop_id, mobile=mobile, email=email))


def hash_addresses(tx: Tx, shop_id: int, *, mobile: str = "", email: str = "") -> tuple[bytes, ...]:
    """How a person is known to limits and opt-outs without being written down."""
    named = (("notice phone", mobile), ("notice email", email.casefold()))
    return tuple(tx.keys.vault.blind(purpose, shop_id, value) for purpose, value in named if value)


def mask(to: str) -> str:
    return mask_email(to) if "@" in to else mask_phone(to)


def seal_content(tx: Tx, notice_id: int, key_id: int, content: Content) -> bytes:
    """Raises `Conflict` when the receiver was erased meanwhile."""
    key = tx.keys.load(tx.conn, [key_id]).get(key_id)
    if key is None:
        raise Conflict("This receiver was erased.")
    return seal(key, msgspec.json.encode(content), aad=_aad(notice_id))


def open_content(tx: Tx, notice_id: int, key_id: int | None, sealed: bytes) -> Content | None:
    """None where there is nothing, or nothing can be read any more."""
    if key_id is None or not sealed:
        return None
    key = tx.keys.load(tx.conn, [key_id]).get(key_id)
    if key is None:
        return None
    try:
        return msgspec.json.decode(open_sealed(key, sealed, aad=_aad(notice_id)), type=Content)
    except Unreadable:
        return None


def _aad(notice_id: int) -> bytes:
    return f"notice:{notice_id}".encode()
