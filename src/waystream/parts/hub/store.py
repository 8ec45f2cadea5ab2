"""All SQL of the hub: aggregator and carrier accounts, subscriptions. Reads warehouses, bindings and persons."""

from collections.abc import Sequence
from datetime import datetime

from psycopg.rows import class_row

from waystream.kernel.database import Connection
from waystream.parts.hub.model import AccountIn, AccountRow, AggregatorIn, AggregatorRow, Watched, Waybill

_AGGREGATOR = """
SELECT id, code, integration, merchant_id, base_url, tested_at, test_said, first_push_at, last_push_at,
       bad_signatures, last_bad_at
FROM aggregator
"""

_ACCOUNT = """
SELECT carrier_account.id, aggregator_id, aggregator.code AS aggregator, carrier, carrier_account.name, warehouse_id,
       warehouse.name AS warehouse, priority, low_mark,
       CASE WHEN draws THEN (SELECT count(*) FROM reserved_number
                             WHERE account_id = carrier_account.id AND drawn_at IS NULL)
            ELSE available END AS available,
       balance_at, disabled_at IS NOT NULL AS disabled, draws
FROM carrier_account JOIN aggregator ON aggregator.id = aggregator_id
LEFT JOIN warehouse ON warehouse.id = warehouse_id
"""

_WATCHED = """
SELECT subscription.binding_id, binding.parcel_id, subscription.shop_id, aggregator.integration, binding.carrier,
       binding.number, subscription.state, asked_count, asked_at, died_at, died_reason
FROM subscription JOIN binding ON binding.id = subscription.binding_id
JOIN aggregator ON aggregator.id = binding.aggregator_id
"""


def list_aggregators(conn: Connection) -> list[AggregatorRow]:
    with conn.cursor(row_factory=class_row(AggregatorRow)) as cur:
        return cur.execute(_AGGREGATOR + "ORDER BY code").fetchall()


def find_aggregator(conn: Connection, aggregator_id: int) -> AggregatorRow | None:
    with conn.cursor(row_factory=class_row(AggregatorRow)) as cur:
        return cur.execute(_AGGREGATOR + "WHERE id = %s", [aggregator_id]).fetchone()


def find_by_code(conn: Connection, code: str) -> AggregatorRow | None:
    with conn.cursor(row_factory=class_row(AggregatorRow)) as cur:
        return cur.execute(_AGGREGATOR + "WHERE code = %s", [code]).fetchone()


def aggregator_key(conn: Connection, aggregator_id: int) -> bytes:
    row = conn.execute("SELECT key_sealed FROM aggregator WHERE id = %s", [aggregator_id]).fetchone()
    assert row is not None
    return bytes(row[0])


def insert_aggregator(conn: Connection, told: AggregatorIn, *, sealed: bytes, at: datetime) -> int | None:
    """The new id; None when the code is taken."""
    row = conn.execute(
        """INSERT INTO aggregator (code, integration, merchant_id, key_sealed, base_url, created_at)
           VALUES (%s, %s, %s, %s, %s, %s) ON CONFLICT (code) DO NOTHING RETURNING id""",
        [told.code, told.integration, told.merchant_id, sealed, told.base_url, at],
    ).fetchone()
    return row[0] if row else None


def update_aggregator(conn: Connection, aggregator_id: int, told: AggregatorIn, *, sealed: bytes | None) -> None:
    """A change of account makes the last test call worthless."""
    conn.execute(
        """UPDATE aggregator SET merchant_id = %s, base_url = %s, key_sealed = coalesce(%s, key_sealed),
                  tested_at = NULL, test_said = '' WHERE id = %s""",
        [told.merchant_id, told.base_url, sealed, aggregator_id],
    )


def set_tested(conn: Connection, aggregator_id: int, *, said: str, at: datetime) -> None:
    conn.execute("UPDATE aggregator SET tested_at = %s, test_said = %s WHERE id = %s", [at, said[:500], aggregator_id])


def saw_push(conn: Connection, aggregator_id: int, *, at: datetime) -> None:
    conn.execute(
        "UPDATE aggregator SET first_push_at = coalesce(first_push_at, %s), last_push_at = %s WHERE id = %s",
        [at, at, aggregator_id],
    )


def add_bad_signatures(conn: Connection, aggregator_id: int, *, count: int, at: datetime) -> None:
    conn.execute(
        "UPDATE aggregator SET bad_signatures = bad_signatures + %s, last_bad_at = %s WHERE id = %s",
        [count, at, aggregator_id],
    )


def next_account_id(conn: Connection) -> int:
    """Known before the row is written: what is sealed is bound to it."""
    row = conn.execute("SELECT nextval(pg_get_serial_sequence('carrier_account', 'id'))").fetchone()
    assert row is not None
    return int(row[0])


def account_name_taken(conn: Connection, name: str, *, but: int) -> bool:
    found = conn.execute("SELECT 1 FROM carrier_account WHERE name = %s AND id <> %s", [name, but]).fetchone()
    return found is not None


def insert_account(conn: Connection, account_id: int, told: AccountIn, *, sealed: bytes, at: datetime) -> None:
    conn.execute(
        """INSERT INTO carrier_account (id, aggregator_id, carrier, name, warehouse_id, parameters_sealed, priority,
                                        low_mark, created_at)
           OVERRIDING SYSTEM VALUE VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)""",
        [account_id, told.aggregator_id, told.parameters.carrier, told.name.strip(), told.warehouse_id, sealed,
         told.priority, told.low_mark, at],
    )  # fmt: skip


def update_account(conn: Connection, account_id: int, told: AccountIn, *, sealed: bytes) -> None:
    conn.execute(
        """UPDATE carrier_account SET name = %s, warehouse_id = %s, parameters_sealed = %s, priority = %s,
                  low_mark = %s WHERE id = %s""",
        [told.name.strip(), told.warehouse_id, sealed, told.priority, told.low_mark, account_id],
    )


def set_disabled(conn: Connection, account_id: int, *, at: datetime | None) -> bool:
    done = conn.execute("UPDATE carrier_account SET disabled_at = %s WHERE id = %s", [at, account_id])
    return done.rowcount == 1


def list_warehouse_codes(conn: Connection) -> dict[str, int]:
    return dict(conn.execute("SELECT code, id FROM warehouse").fetchall())


def find_mapping(conn: Connection, name: str) -> dict[str, str] | None:
    """A saved mapping of headers, of `parts.imports`."""
    row = conn.execute("SELECT columns FROM import_mapping WHERE name = %s AND target = 'accounts'", [name]).fetchone()
    return row[0] if row else None


def list_accounts(conn: Connection) -> list[AccountRow]:
    with conn.cursor(row_factory=class_row(AccountRow)) as cur:
        return cur.execute(_ACCOUNT + "ORDER BY priority, carrier_account.id").fetchall()


def find_account(conn: Connection, account_id: int) -> AccountRow | None:
    with conn.cursor(row_factory=class_row(AccountRow)) as cur:
        return cur.execute(_ACCOUNT + "WHERE carrier_account.id = %s", [account_id]).fetchone()


def first_account(conn: Connection, aggregator_id: int) -> int | None:
    row = conn.execute(
        """SELECT id FROM carrier_account WHERE aggregator_id = %s
           ORDER BY disabled_at IS NOT NULL, priority, id LIMIT 1""",
        [aggregator_id],
    ).fetchone()
    return row[0] if row else None


def account_parameters(conn: Connection, account_id: int) -> bytes:
    row = conn.execute("SELECT parameters_sealed FROM carrier_account WHERE id = %s", [account_id]).fetchone()
    assert row is not None
    return bytes(row[0])


def list_uncounted(conn: Connection, *, counted_before: datetime) -> list[int]:
    """Accounts in use whose numbers were not counted since."""
    rows = conn.execute(
        """SELECT id FROM carrier_account
           WHERE disabled_at IS NULL AND (balance_at IS NULL OR balance_at < %s) ORDER BY id""",
        [counted_before],
    )
    return [row[0] for row in rows]


def set_draws(conn: Connection, account_id: int, *, draws: bool) -> bool:
    return conn.execute("UPDATE carrier_account SET draws = %s WHERE id = %s", [draws, account_id]).rowcount == 1


def set_balance(conn: Connection, account_id: int, *, available: int | None, at: datetime) -> None:
    """`available` None: the network does not tell; what was known stays."""
    conn.execute(
        "UPDATE carrier_account SET available = coalesce(%s, available), balance_at = %s WHERE id = %s",
        [available, at, account_id],
    )


def insert_subscriptions(conn: Connection, binding_ids: Sequence[int], *, at: datetime) -> list[Watched]:
    """Watch these numbers, once each; those that have to be asked for. What we took is watched by the taking itself."""
    conn.execute(
        """INSERT INTO subscription (binding_id, shop_id, state, asked_count, asked_at)
           SELECT id, shop_id, CASE WHEN take_id IS NULL THEN 'asked' ELSE 'live' END,
                  CASE WHEN take_id IS NULL THEN 0 ELSE 1 END, CASE WHEN take_id IS NULL THEN NULL ELSE %s END
           FROM binding WHERE id = ANY(%s) ORDER BY id
           ON CONFLICT (binding_id) DO NOTHING""",
        [at, list(binding_ids)],
    )
    with conn.cursor(row_factory=class_row(Watched)) as cur:
        return cur.execute(
            _WATCHED + "WHERE subscription.binding_id = ANY(%s) AND subscription.state = 'asked' ORDER BY binding.id",
            [list(binding_ids)],
        ).fetchall()


def lock_watched(conn: Connection, binding_id: int) -> Watched | None:
    conn.execute("SELECT 1 FROM subscription WHERE binding_id = %s FOR NO KEY UPDATE", [binding_id])
    with conn.cursor(row_factory=class_row(Watched)) as cur:
        return cur.execute(_WATCHED + "WHERE subscription.binding_id = %s", [binding_id]).fetchone()


def list_dead(conn: Connection, *, warehouses: Sequence[int] | None, limit: int) -> list[Watched]:
    """Live numbers nobody watches any more, the newest death first."""
    with conn.cursor(row_factory=class_row(Watched)) as cur:
        return cur.execute(
            _WATCHED
            + """WHERE subscription.state = 'died' AND binding.state = 'live'
                   AND (%(warehouses)s::bigint[] IS NULL OR
                        (SELECT warehouse_id FROM parcel WHERE parcel.id = binding.parcel_id) = ANY(%(warehouses)s))
                 ORDER BY subscription.died_at DESC, subscription.binding_id DESC LIMIT %(limit)s""",
            {"warehouses": None if warehouses is None else list(warehouses), "limit": limit},
        ).fetchall()


def find_binding_parcel(conn: Connection, binding_id: int) -> int | None:
    row = conn.execute("SELECT parcel_id FROM binding WHERE id = %s", [binding_id]).fetchone()
    return row[0] if row else None


def set_asked(conn: Connection, binding_id: int) -> None:
    """A person wants this number watched again; when it died stays known, for the aggregator's rules."""
    conn.execute("UPDATE subscription SET state = 'asked' WHERE binding_id = %s AND state = 'died'", [binding_id])


def set_all_asked(conn: Connection) -> list[Watched]:
    """Every live number that is watched is asked for once more."""
    rows = conn.execute(
        """UPDATE subscription SET state = 'asked' FROM binding
           WHERE binding.id = subscription.binding_id AND binding.state = 'live' AND subscription.state = 'live'
           RETURNING subscription.binding_id"""
    )
    ids = [row[0] for row in rows]
    with conn.cursor(row_factory=class_row(Watched)) as cur:
        return cur.execute(_WATCHED + "WHERE subscription.binding_id = ANY(%s) ORDER BY binding.id", [ids]).fetchall()


def set_live(conn: Connection, binding_id: int, *, at: datetime) -> None:
    """The aggregator took the asking; it counts for the month."""
    conn.execute(
        """UPDATE subscription SET state = 'live', died_reason = '', died_at = NULL, asked_count = asked_count + 1,
                  asked_at = %s WHERE binding_id = %s AND state IN ('asked', 'died')""",
        [at, binding_id],
    )


def set_died(conn: Connection, died: Sequence[tuple[int, str]], *, at: datetime) -> list[Watched]:
    """These are watched no more, for these reasons; those that were watched until now."""
    given = {"ids": [an_id for an_id, _ in died], "reasons": [reason[:200] for _, reason in died], "at": at}
    rows = conn.execute(
        """UPDATE subscription SET state = 'died', died_reason = told.reason, died_at = %(at)s
           FROM unnest(%(ids)s::bigint[], %(reasons)s::text[]) AS told (binding_id, reason)
           WHERE subscription.binding_id = told.binding_id AND subscription.state IN ('asked', 'live')
           RETURNING subscription.binding_id""",
        given,
    )
    ids = [row[0] for row in rows]
    with conn.cursor(row_factory=class_row(Watched)) as cur:
        return cur.execute(_WATCHED + "WHERE subscription.binding_id = ANY(%s) ORDER BY binding.id", [ids]).fetchall()


def set_ended(conn: Connection, parcel_ids: Sequence[int]) -> None:
    conn.execute(
        """UPDATE subscription SET state = 'ended' FROM binding
           WHERE binding.id = subscription.binding_id AND binding.parcel_id = ANY(%s)
             AND subscription.state <> 'ended'""",
        [list(parcel_ids)],
    )


def set_reopened(conn: Connection, parcel_ids: Sequence[int]) -> None:
    """The journey goes on after all; the aggregator tells on by itself."""
    conn.execute(
        """UPDATE subscription SET state = 'live' FROM binding
           WHERE binding.id = subscription.binding_id AND binding.parcel_id = ANY(%s)
             AND binding.state = 'live' AND subscription.state = 'ended'""",
        [list(parcel_ids)],
    )


def find_waybill(conn: Connection, binding_id: int) -> Waybill | None:
    """None when the number is not live any more."""
    with conn.cursor(row_factory=class_row(Waybill)) as cur:
        return cur.execute(
            """SELECT binding.aggregator_id, binding.carrier, binding.number, person.id AS person_id,
                      person.key_id AS person_key, person.sealed AS person_sealed
               FROM binding JOIN parcel ON parcel.id = binding.parcel_id JOIN person ON person.id = parcel.person_id
               WHERE binding.id = %s AND binding.state = 'live'""",
            [binding_id],
        ).fetchone()
