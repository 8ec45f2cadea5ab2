"""Receivers on their way into and out of the vault: sealing many at once, opening one.

Guaranteed: a name, phone or address leaves this module only sealed, masked or as a keyed hash, or to a caller that
asked to open it. Rows are `store_persons`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from waystream.core.errors import Conflict
from waystream.core.person import (
    Person,
    PlatformSealed,
    Term,
    from_bytes,
    index_terms,
    mask_address,
    mask_name,
    mask_phone,
    only_digits,
    person_aad,
    to_bytes,
)
from waystream.kernel.ids import mint_ids
from waystream.kernel.tx import Tx
from waystream.kernel.vault import open_sealed, seal
from waystream.parts.orders import store_persons
from waystream.parts.orders.form import OrderIn, ReceiverIn, SealedIn
from waystream.parts.orders.model import Told
from waystream.parts.orders.store_persons import IndexRow, PersonRow


def insert(tx: Tx, told: Sequence[Told]) -> list[int]:
    """Seal each order's receiver under a key of its own; the new persons' ids, in the given order."""
    ids = mint_ids(len(told), at_ms=round(tx.now.timestamp() * 1000))
    people = [
        _row(each, person_id=person_id, key_id=key_id, key=key)
        for each, person_id, (key_id, key) in zip(told, ids, tx.keys.person_keys(tx.conn, len(told)), strict=True)
    ]
    store_persons.insert(tx.conn, people, at=tx.now)
    store_persons.insert_index(
        tx.conn, [row for each, person_id in zip(told, ids, strict=True) for row in _index(tx, each, person_id)]
    )
    return ids


def reseal(tx: Tx, told: Sequence[tuple[int, OrderIn]]) -> None:
    """Write the remarks of each (person id, order) anew under the person's own key; erased people stay erased."""
    rows = store_persons.list_people(tx.conn, [person_id for person_id, _ in told])
    keys = tx.keys.load(tx.conn, [row.key_id for row in rows.values()])
    store_persons.reseal(
        tx.conn,
        [
            (person_id, seal(keys[rows[person_id].key_id], _plain(order), aad=person_aad(person_id)))
            for person_id, order in told
            if rows[person_id].key_id in keys
        ],
    )


def drop(tx: Tx, person_ids: Sequence[int]) -> None:
    """Forget people of this transaction, keys and all."""
    rows = store_persons.list_people(tx.conn, person_ids)
    store_persons.drop(tx.conn, person_ids)
    tx.keys.destroy(tx.conn, [row.key_id for row in rows.values()], tx.now)


def open_person(tx: Tx, person_id: int) -> Person:
    """The receiver in the clear. Raises `Conflict` when only the platform can read it, or when it was erased."""
    row = store_persons.list_people(tx.conn, [person_id])[person_id]
    if not row.plain:
        raise Conflict("Only the platform can read this receiver.")
    key = tx.keys.load(tx.conn, [row.key_id]).get(row.key_id)
    if row.erased_at is not None or key is None:
        raise Conflict("This receiver was erased.")
    return from_bytes(open_sealed(key, row.sealed, aad=person_aad(person_id)))


def move(tx: Tx, person_id: int, person: Person) -> int:
    """The same person at another place, as a new row: a parcel on its way keeps the address on its label. It keeps the
    hash of what the shop told."""
    before = store_persons.list_people(tx.conn, [person_id])[person_id]
    [new_id], [(key_id, key)] = mint_ids(1, at_ms=round(tx.now.timestamp() * 1000)), tx.keys.person_keys(tx.conn, 1)
    contact = person.contact
    row = replace(
        before,
        id=new_id,
        key_id=key_id,
        sealed=seal(key, to_bytes(person), aad=person_aad(new_id)),
        address_mask=mask_address(contact.address),
        province=contact.province,
        city=contact.city,
        district=contact.district,
    )
    store_persons.insert(tx.conn, [row], at=tx.now)
    terms = index_terms(contact)
    store_persons.insert_index(
        tx.conn,
        [IndexRow(row.shop_id, term, blind(tx, row.shop_id, term=term, value=value), new_id) for term, value in terms],
    )
    return new_id


def erase(tx: Tx, person_ids: Iterable[int]) -> list[int]:
    """Destroy the keys of these people; the ids of those who were readable until now."""
    rows = [row for row in store_persons.lock_people(tx.conn, person_ids) if row.erased_at is None]
    tx.keys.destroy(tx.conn, [row.key_id for row in rows], tx.now)
    store_persons.erase(tx.conn, [row.id for row in rows], at=tx.now)
    return [row.id for row in rows]


def _row(told: Told, *, person_id: int, key_id: int, key: bytes) -> PersonRow:
    receiver = told.order.place
    name, phone, address = _masks(receiver)
    return PersonRow(
        id=person_id,
        shop_id=told.shop_id,
        key_id=key_id,
        plain=isinstance(receiver, ReceiverIn),
        sealed=seal(key, _plain(told.order), aad=person_aad(person_id)),
        name_mask=name,
        phone_mask=phone,
        address_mask=address,
        province=receiver.province,
        city=receiver.city,
        district=receiver.district,
        content_hash=told.receiver_hash,
    )


def _masks(receiver: ReceiverIn | SealedIn) -> tuple[str, str, str]:
    if isinstance(receiver, SealedIn):
        return receiver.name_mask, receiver.phone_mask, receiver.address_mask
    return mask_name(receiver.name), mask_phone(receiver.mobile or receiver.phone), mask_address(receiver.address)


def _plain(order: OrderIn) -> bytes:
    told = {name: getattr(order, name) for name in ("buyer_remark", "seller_remark", "email", "language")}
    if order.receiver is not None:
        return to_bytes(Person(order.receiver.contact, **told))
    assert order.sealed is not None
    return to_bytes(PlatformSealed(order.sealed.platform, order.sealed.ciphertext, order.sealed.id, **told))


def _index(tx: Tx, told: Told, person_id: int) -> list[IndexRow]:
    return [
        IndexRow(told.shop_id, term, blind(tx, told.shop_id, term=term, value=value), person_id)
        for term, value in _terms(told.order.place)
    ]


def _terms(receiver: ReceiverIn | SealedIn) -> frozenset[tuple[Term, str]]:
    """A sealed receiver is found by the last four digits its mask shows, if it shows them."""
    if isinstance(receiver, ReceiverIn):
        return index_terms(receiver.contact)
    tail = only_digits(receiver.phone_mask[-4:])
    return frozenset({(Term.LAST_FOUR, tail)} if len(tail) == 4 else ())


def blind(tx: Tx, shop_id: int, *, term: Term, value: str) -> bytes:
    """The keyed hash a term is stored and searched by."""
    return tx.keys.vault.blind(term.blind, shop_id, value)
