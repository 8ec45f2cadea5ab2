"""Rows of shops. Row-level security shows a page the shops of its caller only."""

from datetime import datetime
from typing import Any

from psycopg import Connection

from waystream.core.state import Kind
from waystream.parts.shops.model import Policy, Shop

Conn = Connection[Any]

_COLUMNS = "SELECT id, code, name, platform, trusted_kinds, confirm_days, created_at, embed_origins FROM shop"


def insert(conn: Conn, *, code: str, name: str, platform: str, policy: Policy, at: datetime) -> int | None:
    """None when the code is taken."""
    row = conn.execute(
        """INSERT INTO shop (code, name, platform, trusted_kinds, confirm_days, created_at)
           VALUES (%s, %s, %s, %s, %s, %s) ON CONFLICT (code) DO NOTHING RETURNING id""",
        [code, name, platform, sorted(policy.trusted), policy.confirm_days, at],
    ).fetchone()
    return row[0] if row else None


def list_all(conn: Conn) -> list[Shop]:
    return [_shop(*row) for row in conn.execute(_COLUMNS + " ORDER BY code")]


def find(conn: Conn, shop_id: int) -> Shop | None:
    row = conn.execute(_COLUMNS + " WHERE id = %s", [shop_id]).fetchone()
    return _shop(*row) if row else None


def find_by_code(conn: Conn, code: str) -> Shop | None:
    row = conn.execute(_COLUMNS + " WHERE code = %s", [code]).fetchone()
    return _shop(*row) if row else None


def set_policy(conn: Conn, shop_id: int, policy: Policy) -> bool:
    """False when there is no such shop."""
    return (
        conn.execute(
            "UPDATE shop SET trusted_kinds = %s, confirm_days = %s WHERE id = %s",
            [sorted(policy.trusted), policy.confirm_days, shop_id],
        ).rowcount
        == 1
    )


def set_embedding(conn: Conn, shop_id: int, origins: tuple[str, ...]) -> bool:
    """False when there is no such shop."""
    query = "UPDATE shop SET embed_origins = %s WHERE id = %s"
    return conn.execute(query, [list(origins), shop_id]).rowcount == 1


def _shop(
    shop_id: int, code: str, name: str, platform: str, kinds: list[str], days: int, at: datetime, origins: list[str]
) -> Shop:
    policy = Policy(frozenset(Kind(kind) for kind in kinds), days)
    return Shop(shop_id, code, name, platform, policy, at, tuple(origins))
