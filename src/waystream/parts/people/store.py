"""All SQL of the people part."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from psycopg.rows import class_row

from waystream.kernel.database import Connection
from waystream.parts.people.model import ApiKey, ApiKeyIn, AuditLine, Staff, StaffIn

_STAFF = """
SELECT staff.id, login, name, role, every_shop,
       coalesce((SELECT array_agg(shop_id ORDER BY shop_id) FROM staff_shop
                 WHERE staff_id = staff.id), '{}') AS shop_ids,
       coalesce((SELECT array_agg(warehouse_id ORDER BY warehouse_id) FROM staff_warehouse
                 WHERE staff_id = staff.id), '{}') AS warehouse_ids,
       language, disabled_at IS NOT NULL AS disabled, locked_until,
       (SELECT max(session.seen_at) FROM session WHERE session.staff_id = staff.id) AS seen_at, created_at
FROM staff
"""


@dataclass(frozen=True, slots=True)
class SignIn:
    """What is needed to judge a sign-in."""

    id: int
    password_hash: str
    failed_signins: int
    locked_until: datetime | None
    disabled: bool


@dataclass(frozen=True, slots=True)
class SeatRow:
    """A signed-in person or a key, as the door needs it."""

    id: int
    name: str
    role: str
    every_shop: bool
    shop_ids: list[int]
    warehouse_ids: list[int]
    language: str
    must_change: bool
    scopes: list[str]


def any_staff(conn: Connection) -> bool:
    """Serialises the first run: two processes never make two owners."""
    conn.execute("LOCK TABLE staff IN SHARE ROW EXCLUSIVE MODE")
    return conn.execute("SELECT 1 FROM staff LIMIT 1").fetchone() is not None


def insert_staff(conn: Connection, staff: StaffIn, *, password_hash: str, must_change: bool, at: datetime) -> int:
    row = conn.execute(
        """INSERT INTO staff (login, name, password_hash, role, every_shop, language, must_change, created_at)
           VALUES (%s, %s, %s, %s, %s, %s, %s, %s) RETURNING id""",
        (staff.login, staff.name, password_hash, staff.role, staff.every_shop, staff.language, must_change, at),
    ).fetchone()
    assert row is not None
    set_limits(conn, row[0], staff)
    return int(row[0])


def update_staff(conn: Connection, staff_id: int, staff: StaffIn) -> bool:
    changed = conn.execute(
        "UPDATE staff SET login = %s, name = %s, role = %s, every_shop = %s, language = %s WHERE id = %s",
        (staff.login, staff.name, staff.role, staff.every_shop, staff.language, staff_id),
    ).rowcount
    if changed:
        set_limits(conn, staff_id, staff)
    return changed == 1


def set_limits(conn: Connection, staff_id: int, staff: StaffIn) -> None:
    conn.execute("DELETE FROM staff_shop WHERE staff_id = %s", (staff_id,))
    conn.execute("DELETE FROM staff_warehouse WHERE staff_id = %s", (staff_id,))
    conn.execute(
        "INSERT INTO staff_shop (staff_id, shop_id) SELECT %s, unnest(%s::bigint[])", (staff_id, list(staff.shop_ids))
    )
    conn.execute(
        "INSERT INTO staff_warehouse (staff_id, warehouse_id) SELECT %s, unnest(%s::bigint[])",
        (staff_id, list(staff.warehouse_ids)),
    )


def login_taken(conn: Connection, login: str, *, but: int = 0) -> bool:
    found = conn.execute("SELECT 1 FROM staff WHERE lower(login) = lower(%s) AND id <> %s", (login, but)).fetchone()
    return found is not None


def list_staff(conn: Connection) -> list[Staff]:
    with conn.cursor(row_factory=class_row(Staff)) as cur:
        return cur.execute(_STAFF + "ORDER BY disabled_at IS NOT NULL, lower(login)").fetchall()


def find_staff(conn: Connection, staff_id: int) -> Staff | None:
    with conn.cursor(row_factory=class_row(Staff)) as cur:
        return cur.execute(_STAFF + "WHERE staff.id = %s", (staff_id,)).fetchone()


def find_sign_in(conn: Connection, login: str) -> SignIn | None:
    with conn.cursor(row_factory=class_row(SignIn)) as cur:
        return cur.execute(
            """SELECT id, password_hash, failed_signins, locked_until, disabled_at IS NOT NULL AS disabled
               FROM staff WHERE lower(login) = lower(%s) FOR NO KEY UPDATE""",
            (login,),
        ).fetchone()


def find_password(conn: Connection, staff_id: int) -> str | None:
    row = conn.execute("SELECT password_hash FROM staff WHERE id = %s FOR NO KEY UPDATE", (staff_id,)).fetchone()
    return row[0] if row else None


def set_failures(conn: Connection, staff_id: int, *, failures: int, locked_until: datetime | None) -> None:
    conn.execute(
        "UPDATE staff SET failed_signins = %s, locked_until = %s WHERE id = %s", (failures, locked_until, staff_id)
    )


def set_password(conn: Connection, staff_id: int, password_hash: str, *, must_change: bool) -> None:
    conn.execute(
        """UPDATE staff SET password_hash = %s, must_change = %s, failed_signins = 0, locked_until = NULL
           WHERE id = %s""",
        (password_hash, must_change, staff_id),
    )


def set_disabled(conn: Connection, staff_id: int, *, at: datetime | None) -> bool:
    return conn.execute("UPDATE staff SET disabled_at = %s WHERE id = %s", (at, staff_id)).rowcount == 1


def set_language(conn: Connection, staff_id: int, language: str) -> None:
    conn.execute("UPDATE staff SET language = %s WHERE id = %s", (language, staff_id))


def owners_left(conn: Connection, *, without: int) -> int:
    row = conn.execute(
        "SELECT count(*) FROM staff WHERE role = 'owner' AND disabled_at IS NULL AND id <> %s", (without,)
    ).fetchone()
    return int(row[0]) if row else 0


def insert_session(conn: Connection, token_hash: bytes, staff_id: int, *, at: datetime, expires_at: datetime) -> None:
    conn.execute("DELETE FROM session WHERE expires_at < %s", (at,))
    conn.execute(
        "INSERT INTO session (token_hash, staff_id, created_at, seen_at, expires_at) VALUES (%s, %s, %s, %s, %s)",
        (token_hash, staff_id, at, at, expires_at),
    )


def delete_session(conn: Connection, token_hash: bytes) -> None:
    conn.execute("DELETE FROM session WHERE token_hash = %s", (token_hash,))


def delete_sessions(conn: Connection, staff_id: int, *, but: bytes = b"") -> None:
    conn.execute("DELETE FROM session WHERE staff_id = %s AND token_hash <> %s", (staff_id, but))


def find_session(conn: Connection, token_hash: bytes, *, at: datetime, seen_after: datetime) -> SeatRow | None:
    """The person behind a session that has neither expired nor lain idle too long."""
    with conn.cursor(row_factory=class_row(SeatRow)) as cur:
        return cur.execute(
            """SELECT staff.id, name, role, every_shop,
                      coalesce((SELECT array_agg(shop_id) FROM staff_shop WHERE staff_id = staff.id), '{}') AS shop_ids,
                      coalesce((SELECT array_agg(warehouse_id) FROM staff_warehouse
                                WHERE staff_id = staff.id), '{}') AS warehouse_ids,
                      language, must_change, '{}'::text[] AS scopes
               FROM session JOIN staff ON staff.id = session.staff_id
               WHERE token_hash = %s AND expires_at > %s AND seen_at > %s AND disabled_at IS NULL""",
            (token_hash, at, seen_after),
        ).fetchone()


def saw_session(conn: Connection, token_hash: bytes, *, at: datetime, before: datetime) -> None:
    """Remember the visit, at most once a while: a page view is no write."""
    conn.execute("UPDATE session SET seen_at = %s WHERE token_hash = %s AND seen_at < %s", (at, token_hash, before))


def insert_key(
    conn: Connection, key: ApiKeyIn, *, prefix: str, secret_hash: bytes, created_by: int | None, at: datetime
) -> int:
    row = conn.execute(
        """INSERT INTO api_key (name, prefix, secret_hash, scopes, every_shop, created_by, created_at)
           VALUES (%s, %s, %s, %s, %s, %s, %s) RETURNING id""",
        (key.name.strip(), prefix, secret_hash, list(key.scopes), key.every_shop, created_by, at),
    ).fetchone()
    assert row is not None
    conn.execute(
        "INSERT INTO api_key_shop (api_key_id, shop_id) SELECT %s, unnest(%s::bigint[])", (row[0], list(key.shop_ids))
    )
    return int(row[0])


def find_key(conn: Connection, prefix: str) -> tuple[bytes, SeatRow] | None:
    row = conn.execute(
        """SELECT secret_hash, id, name, every_shop,
                  coalesce((SELECT array_agg(shop_id) FROM api_key_shop WHERE api_key_id = api_key.id), '{}'), scopes
           FROM api_key WHERE prefix = %s AND revoked_at IS NULL""",
        (prefix,),
    ).fetchone()
    if row is None:
        return None
    return bytes(row[0]), SeatRow(row[1], row[2], "key", row[3], row[4], [], "en", False, row[5])


def used_key(conn: Connection, key_id: int, *, at: datetime, before: datetime) -> None:
    conn.execute(
        "UPDATE api_key SET used_at = %s WHERE id = %s AND (used_at IS NULL OR used_at < %s)", (at, key_id, before)
    )


def revoke_key(conn: Connection, key_id: int, *, at: datetime) -> bool:
    return conn.execute(
        "UPDATE api_key SET revoked_at = %s WHERE id = %s AND revoked_at IS NULL", (at, key_id)
    ).rowcount == 1


def list_keys(conn: Connection) -> list[ApiKey]:
    with conn.cursor(row_factory=class_row(ApiKey)) as cur:
        return cur.execute(
            """SELECT id, name, prefix, scopes, every_shop,
                      coalesce((SELECT array_agg(shop_id ORDER BY shop_id) FROM api_key_shop
                                WHERE api_key_id = api_key.id), '{}') AS shop_ids,
                      created_at, used_at, revoked_at IS NOT NULL AS revoked
               FROM api_key ORDER BY revoked_at IS NOT NULL, id DESC"""
        ).fetchall()


def list_audit(
    conn: Connection, *, before: tuple[datetime, int] | None, actor: str, subject: str, shops: Sequence[int] | None,
    limit: int,
) -> list[AuditLine]:  # fmt: skip
    """Newest first; `before` is the (at, id) of the last line of the page before; `shops` None means every shop."""
    with conn.cursor(row_factory=class_row(AuditLine)) as cur:
        return cur.execute(
            """SELECT audit.id, at, actor, coalesce(staff.name, api_key.name, '') AS actor_name, action, subject, reason
               FROM audit
               LEFT JOIN staff ON audit.actor = 'staff:' || staff.id
               LEFT JOIN api_key ON audit.actor = 'key:' || api_key.id
               WHERE (%(at)s::timestamptz IS NULL OR (at, audit.id) < (%(at)s, %(id)s))
                 AND (%(actor)s = '' OR actor = %(actor)s) AND (%(subject)s = '' OR subject = %(subject)s)
                 AND (%(shops)s::bigint[] IS NULL OR audit.shop_id IS NULL OR audit.shop_id = ANY (%(shops)s))
               ORDER BY at DESC, audit.id DESC LIMIT %(limit)s""",
            {
                "at": before[0] if before else None,
                "id": before[1] if before else 0,
                "actor": actor,
                "subject": subject,
                "shops": list(shops) if shops is not None else None,
                "limit": limit,
            },
        ).fetchall()
