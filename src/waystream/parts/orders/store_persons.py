"""Rows of people: sealed under a key each, found by keyed hashes, never written in the clear.

A person's row is what one telling of a receiver said: a changed address is a new person, so that a parcel on its
way keeps the address that is on its label.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import Connection
from psycopg.rows import class_row

Conn = Connection[Any]


@dataclass(frozen=True, slots=True)
class PersonRow:
    """A person as stored, all but the index."""

    id: int
    shop_id: int
    key_id: int
    sealed: bytes
    plain: bool
    name_mask: str
    phone_mask: str
    address_mask: str
    province: str
    city: str
    district: str
    content_hash: bytes
    erased_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class IndexRow:
    shop_id: int
    purpose: int
    hash: bytes
    person_id: int


def insert(conn: Conn, people: Sequence[PersonRow], *, at: datetime) -> None:
    if not people:
        return
    conn.execute(
        """INSERT INTO person (id, shop_id, key_id, sealed, plain, name_mask, phone_mask, address_mask, province, city,
               district, content_hash, created_at)
           SELECT *, %(at)s FROM unnest(%(id)s::bigint[], %(shop_id)s::bigint[], %(key_id)s::bigint[],
               %(sealed)s::bytea[], %(plain)s::boolean[], %(name_mask)s::text[], %(phone_mask)s::text[],
               %(address_mask)s::text[], %(province)s::text[], %(city)s::text[], %(district)s::text[],
               %(content_hash)s::bytea[])""",
        {"at": at}
        | {
            name: [getattr(person, name) for person in people]
            for name in (
                "id",
                "shop_id",
                "key_id",
                "sealed",
                "plain",
                "name_mask",
                "phone_mask",
                "address_mask",
                "province",
                "city",
                "district",
                "content_hash",
            )
        },
    )


def insert_index(conn: Conn, rows: Sequence[IndexRow]) -> None:
    """In the order of the key, so that neighbours share pages."""
    if not rows:
        return
    conn.execute(
        """INSERT INTO person_index (shop_id, purpose, hash, person_id)
           SELECT * FROM unnest(%(shops)s::bigint[], %(purposes)s::smallint[], %(hashes)s::bytea[],
                                %(people)s::bigint[])
           ORDER BY 1, 2, 3, 4 ON CONFLICT DO NOTHING""",
        {
            "shops": [row.shop_id for row in rows],
            "purposes": [row.purpose for row in rows],
            "hashes": [row.hash for row in rows],
            "people": [row.person_id for row in rows],
        },
    )


def reseal(conn: Conn, sealed: Sequence[tuple[int, bytes]]) -> None:
    """Write (person id, sealed): the remarks changed, the receiver did not."""
    if sealed:
        conn.execute(
            """UPDATE person p SET sealed = new.sealed
               FROM unnest(%(ids)s::bigint[], %(sealed)s::bytea[]) AS new (id, sealed) WHERE p.id = new.id""",
            {"ids": [person_id for person_id, _ in sealed], "sealed": [blob for _, blob in sealed]},
        )


def drop(conn: Conn, person_ids: Iterable[int]) -> None:
    """Forget people inserted in this transaction for orders that another one inserted first."""
    conn.execute("DELETE FROM person WHERE id = ANY (%s)", [list(person_ids)])


def list_people(conn: Conn, person_ids: Iterable[int]) -> dict[int, PersonRow]:
    rows = conn.cursor(row_factory=class_row(PersonRow)).execute(
        """SELECT id, shop_id, key_id, sealed, plain, name_mask, phone_mask, address_mask, province, city, district,
                  content_hash, erased_at
           FROM person WHERE id = ANY (%s)""",
        [list(person_ids)],
    )
    return {row.id: row for row in rows}


def lock_people(conn: Conn, person_ids: Iterable[int]) -> list[PersonRow]:
    """By ascending id."""
    rows = conn.cursor(row_factory=class_row(PersonRow)).execute(
        """SELECT id, shop_id, key_id, sealed, plain, name_mask, phone_mask, address_mask, province, city, district,
                  content_hash, erased_at
           FROM person WHERE id = ANY (%s) ORDER BY id FOR NO KEY UPDATE""",
        [list(person_ids)],
    )
    return rows.fetchall()


def list_receivers(conn: Conn, order_ids: Iterable[int]) -> list[tuple[int, int]]:
    """(order, person) of everybody these orders or their parcels went to."""
    rows = conn.execute(
        """SELECT id, person_id FROM orders WHERE id = ANY (%(ids)s)
           UNION SELECT po.order_id, parcel.person_id FROM parcel_order po JOIN parcel ON parcel.id = po.parcel_id
           WHERE po.order_id = ANY (%(ids)s) ORDER BY 1, 2""",
        {"ids": list(order_ids)},
    )
    return [(order_id, person_id) for order_id, person_id in rows]


def list_with_phone_of(
    conn: Conn, order_id: int, *, purpose: int, warehouses: Iterable[int] | None, limit: int
) -> list[int]:
    """Other orders of its shop whose receiver has a phone of this one's receiver, by ascending id."""
    rows = conn.execute(
        """SELECT DISTINCT other.id FROM orders
           JOIN person_index mine ON mine.person_id = orders.person_id AND mine.purpose = %(purpose)s
           JOIN person_index same ON same.shop_id = mine.shop_id AND same.purpose = mine.purpose
                AND same.hash = mine.hash
           JOIN orders other ON other.person_id = same.person_id
           WHERE orders.id = %(id)s AND other.id <> orders.id
             AND (%(warehouses)s::bigint[] IS NULL OR other.warehouse_id = ANY (%(warehouses)s))
           ORDER BY other.id LIMIT %(limit)s""",
        {
            "id": order_id,
            "purpose": purpose,
            "warehouses": None if warehouses is None else sorted(warehouses),
            "limit": limit,
        },
    )
    return [row[0] for row in rows]


def erase(conn: Conn, person_ids: Sequence[int], *, at: datetime) -> None:
    """Leave the row, province and city; take what is sealed, shown and searched."""
    conn.execute(
        """UPDATE person SET sealed = '', name_mask = '', phone_mask = '', address_mask = '', district = '',
               content_hash = '', erased_at = %(at)s WHERE id = ANY (%(ids)s)""",
        {"ids": list(person_ids), "at": at},
    )
    conn.execute("DELETE FROM person_index WHERE person_id = ANY (%s)", [list(person_ids)])
