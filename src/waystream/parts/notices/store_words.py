"""SQL of how a shop speaks: its policy, its own words in their versions, and who wants to hear nothing."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import Connection
from psycopg.rows import class_row, kwargs_row

from waystream.kernel.columns import bigints
from waystream.parts.notices.model import Policy

Conn = Connection[Any]

_POLICY = """SELECT shop_id, enabled, kinds_off, channels, quiet_from_min, quiet_until_min, zone, per_order_day,
                    per_person_day, gather_s, language FROM notice_policy"""


def list_policies(conn: Conn, shop_ids: Collection[int]) -> dict[int, Policy]:
    """Those of shops that have one; any other says nothing."""

    def policy(*, shop_id: int, kinds_off: list[str], channels: list[str], **rest: Any) -> tuple[int, Policy]:
        return shop_id, Policy(kinds_off=frozenset(kinds_off), channels=tuple(channels), **rest)

    rows = conn.cursor(row_factory=kwargs_row(policy)).execute(
        _POLICY + " WHERE shop_id = ANY (%b)", [bigints(sorted(shop_ids))]
    )
    return dict(rows.fetchall())


def save_policy(conn: Conn, shop_id: int, policy: Policy, *, at: datetime) -> None:
    conn.execute(
        """INSERT INTO notice_policy (shop_id, enabled, kinds_off, channels, quiet_from_min, quiet_until_min, zone,
                                      per_order_day, per_person_day, gather_s, language, changed_at)
           VALUES (%(shop)s, %(enabled)s, %(off)s, %(channels)s, %(from)s, %(until)s, %(zone)s, %(order)s, %(person)s,
                   %(gather)s, %(language)s, %(at)s)
           ON CONFLICT (shop_id) DO UPDATE SET enabled = excluded.enabled, kinds_off = excluded.kinds_off,
               channels = excluded.channels, quiet_from_min = excluded.quiet_from_min,
               quiet_until_min = excluded.quiet_until_min, zone = excluded.zone,
               per_order_day = excluded.per_order_day, per_person_day = excluded.per_person_day,
               gather_s = excluded.gather_s, language = excluded.language, changed_at = excluded.changed_at""",
        {
            "shop": shop_id, "enabled": policy.enabled, "off": sorted(policy.kinds_off),
            "channels": list(policy.channels), "from": policy.quiet_from_min, "until": policy.quiet_until_min,
            "zone": policy.zone, "order": policy.per_order_day, "person": policy.per_person_day,
            "gather": policy.gather_s, "language": policy.language, "at": at,
        },
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Version:
    """A shop's words for a kind in a language. `is_default`: it went back to Waystream's own."""

    kind: str
    language: str
    version: int
    subject: str
    text: str
    is_default: bool
    at: datetime
    actor: str


_VERSION = "SELECT kind, language, version, subject, text, is_default, at, actor FROM notice_template"


def list_newest(conn: Conn, shop_id: int) -> list[Version]:
    """The one that counts, of every kind and language that was ever changed."""
    rows = conn.cursor(row_factory=class_row(Version)).execute(
        _VERSION.replace("SELECT", "SELECT DISTINCT ON (kind, language)")
        + " WHERE shop_id = %s ORDER BY kind, language, version DESC",
        [shop_id],
    )
    return rows.fetchall()


def list_versions(conn: Conn, shop_id: int, *, kind: str, language: str, limit: int) -> list[Version]:
    """The newest first."""
    rows = conn.cursor(row_factory=class_row(Version)).execute(
        _VERSION + " WHERE shop_id = %s AND kind = %s AND language = %s ORDER BY version DESC LIMIT %s",
        [shop_id, kind, language, limit],
    )
    return rows.fetchall()


def find_newest(conn: Conn, shop_id: int, *, kind: str, language: str) -> Version | None:
    found = list_versions(conn, shop_id, kind=kind, language=language, limit=1)
    return found[0] if found else None


def add_version(conn: Conn, shop_id: int, version: Version) -> bool:
    """False where another one was saved meanwhile."""
    return (
        conn.execute(
            """INSERT INTO notice_template (shop_id, kind, language, version, subject, text, is_default, at, actor)
               VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING""",
            [
                shop_id,
                version.kind,
                version.language,
                version.version,
                version.subject,
                version.text,
                version.is_default,
                version.at,
                version.actor,
            ],
        ).rowcount
        == 1
    )


@dataclass(frozen=True, slots=True)
class OptOut:
    """`kind` empty: nothing at all."""

    kind: str
    mask: str
    at: datetime
    actor: str


def is_opted_out(conn: Conn, shop_id: int, *, hashes: Sequence[bytes], marks: Sequence[str]) -> bool:
    """Of everything, or of one of these: a kind, an order."""
    row = conn.execute(
        "SELECT 1 FROM notice_optout WHERE shop_id = %s AND hash = ANY (%s) AND kind = ANY (%s) LIMIT 1",
        [shop_id, list(hashes), ["", *marks]],
    ).fetchone()
    return row is not None


def add_optouts(conn: Conn, shop_id: int, rows: Sequence[tuple[bytes, str, str]], *, at: datetime, actor: str) -> int:
    """(hash, kind, mask); how many are new."""
    added = 0
    for to_hash, kind, mask in rows:
        added += conn.execute(
            """INSERT INTO notice_optout (shop_id, hash, kind, mask, at, actor) VALUES (%s, %s, %s, %s, %s, %s)
               ON CONFLICT DO NOTHING""",
            [shop_id, to_hash, kind, mask, at, actor],
        ).rowcount
    return added


def remove_optouts(conn: Conn, shop_id: int, hashes: Sequence[bytes], *, kinds: Sequence[str] | None = None) -> int:
    """Of these kinds; of all where none are named."""
    return conn.execute(
        "DELETE FROM notice_optout WHERE shop_id = %s AND hash = ANY (%s) AND (%s::text[] IS NULL OR kind = ANY (%s))",
        [shop_id, list(hashes), kinds, kinds],
    ).rowcount


def list_optouts_of(conn: Conn, shop_id: int, *, hashes: Sequence[bytes]) -> list[OptOut]:
    rows = conn.cursor(row_factory=class_row(OptOut)).execute(
        "SELECT kind, mask, at, actor FROM notice_optout WHERE shop_id = %s AND hash = ANY (%s) ORDER BY kind",
        [shop_id, list(hashes)],
    )
    return rows.fetchall()


def count_optouts(conn: Conn, shop_ids: Collection[int]) -> int:
    row = conn.execute(
        "SELECT count(DISTINCT (shop_id, hash)) FROM notice_optout WHERE shop_id = ANY (%b)",
        [bigints(sorted(shop_ids))],
    ).fetchone()
    assert row is not None
    return int(row[0])
