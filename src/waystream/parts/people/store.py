"""Rows of staff, sessions and API keys. Machine time is the database's own clock: sessions, locks, last uses."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import Connection, Cursor
from psycopg.rows import class_row, kwargs_row

from waystream.parts.people.model import ApiKey, AuditLine, Role, Staff

Conn = Connection[Any]

_STAFF = """SELECT s.id, s.login, s.name, s.role, s.every_shop, s.language, s.must_change, s.disabled_at, s.created_at,
                   ARRAY(SELECT shop_id FROM staff_shop WHERE staff_id = s.id ORDER BY 1) AS shops,
                   ARRAY(SELECT warehouse_id FROM staff_warehouse WHERE staff_id = s.id ORDER BY 1) AS warehouses
            FROM staff s"""
_KEY = """SELECT k.id, k.name, k.prefix, k.scopes, k.every_shop, k.created_by, k.created_at, k.used_at, k.revoked_at,
                 ARRAY(SELECT shop_id FROM api_key_shop WHERE api_key_id = k.id ORDER BY 1) AS shops
          FROM api_key k"""


@dataclass(frozen=True, slots=True)
class Guard:
    """What sign-in has to know of an account, its row locked; `at` is machine time."""

    staff_id: int
    password_hash: str
    failed: int
    locked: bool
    disabled: bool
    at: datetime


def _staff(conn: Conn) -> Cursor[Staff]:
    def staff(*, role: str, shops: list[int], warehouses: list[int], **row: Any) -> Staff:
        return Staff(role=Role(role), shops=tuple(shops), warehouses=tuple(warehouses), **row)

    return conn.cursor(row_factory=kwargs_row(staff))


def _keys(conn: Conn) -> Cursor[ApiKey]:
    def key(*, scopes: list[str], shops: list[int], **row: Any) -> ApiKey:
        return ApiKey(scopes=tuple(scopes), shops=tuple(shops), **row)

    return conn.cursor(row_factory=kwargs_row(key))


def any_staff(conn: Conn) -> bool:
    """Whether anybody was ever made; the lock keeps two first runs from making two owners."""
    conn.execute("LOCK TABLE staff IN SHARE ROW EXCLUSIVE MODE")
    return conn.execute("SELECT FROM staff LIMIT 1").fetchone() is not None


def insert_staff(
    conn: Conn,
    *,
    login: str,
    name: str,
    password_hash: str,
    role: str,
    every_shop: bool,
    language: str,
    must_change: bool,
    at: datetime,
) -> int | None:
    """None when the login is taken."""
    row = conn.execute(
        """INSERT INTO staff (login, name, password_hash, role, every_shop, language, must_change, created_at)
           VALUES (%s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT (lower(login)) DO NOTHING RETURNING id""",
        [login, name, password_hash, role, every_shop, language, must_change, at],
    ).fetchone()
    return row[0] if row else None


def missing_limits(conn: Conn, *, shops: Sequence[int], warehouses: Sequence[int]) -> tuple[str, ...]:
    """Which of the two names something that is not there: "shops", "warehouses"."""
    rows = conn.execute(
        """SELECT 'shops' WHERE NOT %(shops)s::bigint[] <@ ARRAY(SELECT id FROM shop)
           UNION ALL SELECT 'warehouses' WHERE NOT %(warehouses)s::bigint[] <@ ARRAY(SELECT id FROM warehouse)""",
        {"shops": list(shops), "warehouses": list(warehouses)},
    )
    return tuple(row[0] for row in rows)


def set_limits(conn: Conn, staff_id: int, *, shops: Sequence[int], warehouses: Sequence[int]) -> None:
    conn.execute("DELETE FROM staff_shop WHERE staff_id = %s", [staff_id])
    conn.execute("DELETE FROM staff_warehouse WHERE staff_id = %s", [staff_id])
    conn.execute("INSERT INTO staff_shop SELECT %s, unnest(%s::bigint[])", [staff_id, sorted(set(shops))])
    conn.execute("INSERT INTO staff_warehouse SELECT %s, unnest(%s::bigint[])", [staff_id, sorted(set(warehouses))])


def update_staff(conn: Conn, staff_id: int, *, name: str, role: str, every_shop: bool, language: str) -> None:
    conn.execute(
        "UPDATE staff SET name = %s, role = %s, every_shop = %s, language = %s WHERE id = %s",
        [name, role, every_shop, language, staff_id],
    )


def set_language(conn: Conn, staff_id: int, language: str) -> None:
    conn.execute("UPDATE staff SET language = %s WHERE id = %s", [language, staff_id])


def set_password(conn: Conn, staff_id: int, password_hash: str, *, must_change: bool) -> None:
    conn.execute(
        """UPDATE staff SET password_hash = %s, must_change = %s, failed_signins = 0, locked_until = NULL
           WHERE id = %s""",
        [password_hash, must_change, staff_id],
    )


def disable(conn: Conn, staff_id: int, *, at: datetime | None) -> None:
    """Or enable again, with `at` None."""
    conn.execute(
        "UPDATE staff SET disabled_at = %s, failed_signins = 0, locked_until = NULL WHERE id = %s", [at, staff_id]
    )


def other_owners(conn: Conn, staff_id: int) -> bool:
    """Whether somebody else could still manage everything; all owners are locked so that two cannot leave at once."""
    rows = conn.execute(
        "SELECT id FROM staff WHERE role = 'owner' AND every_shop AND disabled_at IS NULL ORDER BY id FOR UPDATE"
    ).fetchall()
    return any(row[0] != staff_id for row in rows)


def list_staff(conn: Conn) -> list[Staff]:
    return _staff(conn).execute(_STAFF + " ORDER BY s.disabled_at IS NOT NULL, s.login").fetchall()


def find_staff(conn: Conn, staff_id: int) -> Staff | None:
    return _staff(conn).execute(_STAFF + " WHERE s.id = %s", [staff_id]).fetchone()


def lock_guard(conn: Conn, login: str) -> Guard | None:
    """Locking makes parallel guesses at one account wait for each other."""
    return (
        conn.cursor(row_factory=class_row(Guard))
        .execute(
            """SELECT id AS staff_id, password_hash, failed_signins AS failed, disabled_at IS NOT NULL AS disabled,
                  COALESCE(locked_until > clock_timestamp(), false) AS locked, clock_timestamp() AS at
           FROM staff WHERE lower(login) = lower(%s) FOR NO KEY UPDATE""",
            [login],
        )
        .fetchone()
    )


def note_failure(conn: Conn, staff_id: int, *, failed: int, locked_until: datetime | None) -> None:
    conn.execute(
        "UPDATE staff SET failed_signins = %s, locked_until = %s WHERE id = %s", [failed, locked_until, staff_id]
    )


def note_success(conn: Conn, staff_id: int, *, rehashed: str | None) -> None:
    conn.execute(
        """UPDATE staff SET failed_signins = 0, locked_until = NULL, password_hash = COALESCE(%s, password_hash)
           WHERE id = %s""",
        [rehashed, staff_id],
    )


def insert_session(conn: Conn, *, token_hash: bytes, staff_id: int, lives_s: int) -> datetime:
    row = conn.execute(
        """INSERT INTO session (token_hash, staff_id, created_at, seen_at, expires_at)
           SELECT %(token)s, %(staff)s, at, at, at + make_interval(secs => %(lives)s)
           FROM clock_timestamp() AS at RETURNING expires_at""",
        {"token": token_hash, "staff": staff_id, "lives": lives_s},
    ).fetchone()
    assert row is not None
    at: datetime = row[0]
    return at


def find_session(conn: Conn, token_hash: bytes) -> tuple[int, datetime, bool] | None:
    """(staff id, expiry, whether its last use should be marked) of a living session of somebody not disabled."""
    return conn.execute(
        """SELECT s.staff_id, s.expires_at, s.seen_at < clock_timestamp() - interval '1 minute'
           FROM session s JOIN staff ON staff.id = s.staff_id
           WHERE s.token_hash = %s AND s.expires_at > clock_timestamp() AND staff.disabled_at IS NULL""",
        [token_hash],
    ).fetchone()


def mark_session(conn: Conn, token_hash: bytes) -> None:
    conn.execute("UPDATE session SET seen_at = clock_timestamp() WHERE token_hash = %s", [token_hash])


def drop_session(conn: Conn, token_hash: bytes) -> int | None:
    """The staff id it was of, if there was one."""
    row = conn.execute("DELETE FROM session WHERE token_hash = %s RETURNING staff_id", [token_hash]).fetchone()
    return row[0] if row else None


def drop_sessions(conn: Conn, staff_id: int, *, but: bytes = b"") -> None:
    conn.execute("DELETE FROM session WHERE staff_id = %s AND token_hash <> %s", [staff_id, but])


def drop_expired(conn: Conn, *, limit: int) -> int:
    return conn.execute(
        """DELETE FROM session WHERE token_hash IN (
               SELECT token_hash FROM session WHERE expires_at <= clock_timestamp() LIMIT %s)""",
        [limit],
    ).rowcount


def insert_key(
    conn: Conn,
    *,
    name: str,
    prefix: str,
    secret_hash: bytes,
    scopes: Sequence[str],
    every_shop: bool,
    shops: Sequence[int],
    created_by: int | None,
    at: datetime,
) -> int:
    row = conn.execute(
        """INSERT INTO api_key (name, prefix, secret_hash, scopes, every_shop, created_by, created_at)
           VALUES (%s, %s, %s, %s, %s, %s, %s) RETURNING id""",
        [name, prefix, secret_hash, list(scopes), every_shop, created_by, at],
    ).fetchone()
    assert row is not None
    conn.execute("INSERT INTO api_key_shop SELECT %s, unnest(%s::bigint[])", [row[0], sorted(set(shops))])
    return int(row[0])


def find_secret(conn: Conn, prefix: str) -> tuple[int, bytes, bool] | None:
    """(key id, secret hash, whether its last use should be marked) of a key that was not revoked."""
    return conn.execute(
        """SELECT id, secret_hash, COALESCE(used_at < clock_timestamp() - interval '1 minute', true)
           FROM api_key WHERE prefix = %s AND revoked_at IS NULL""",
        [prefix],
    ).fetchone()


def mark_key(conn: Conn, key_id: int) -> None:
    conn.execute("UPDATE api_key SET used_at = clock_timestamp() WHERE id = %s", [key_id])


def list_keys(conn: Conn) -> list[ApiKey]:
    return _keys(conn).execute(_KEY + " ORDER BY k.revoked_at IS NOT NULL, k.id DESC").fetchall()


def find_key(conn: Conn, key_id: int) -> ApiKey | None:
    return _keys(conn).execute(_KEY + " WHERE k.id = %s", [key_id]).fetchone()


def revoke_key(conn: Conn, key_id: int, *, at: datetime) -> bool:
    return (
        conn.execute("UPDATE api_key SET revoked_at = %s WHERE id = %s AND revoked_at IS NULL", [at, key_id]).rowcount
        == 1
    )


def list_audit(
    conn: Conn, *, subject: str, actor: str, action: str, before: tuple[datetime, int] | None, limit: int
) -> list[AuditLine]:
    """Newest first. Lines of shops the transaction does not see are left out (the table has no policy of its own)."""
    return (
        conn.cursor(row_factory=class_row(AuditLine))
        .execute(
            """SELECT id, at, shop_id, actor, action, subject, reason, detail FROM audit
           WHERE (shop_id IS NULL OR shop_id IN (SELECT id FROM shop))
             AND (%(subject)s = '' OR subject = %(subject)s) AND (%(actor)s = '' OR actor = %(actor)s)
             AND (%(action)s = '' OR action = %(action)s)
             AND (%(at)s::timestamptz IS NULL OR (at, id) < (%(at)s, %(id)s))
           ORDER BY at DESC, id DESC LIMIT %(limit)s""",
            {
                "subject": subject,
                "actor": actor,
                "action": action,
                "limit": limit,
                "at": before[0] if before else None,
                "id": before[1] if before else 0,
            },
        )
        .fetchall()
    )
