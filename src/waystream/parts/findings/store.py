"""Rows of findings."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from psycopg import Connection

from waystream.parts.findings.model import Checked, Finding, State

Conn = Connection[Any]


def find_state(conn: Conn, name: str) -> State | None:
    row = conn.execute("SELECT state FROM finding WHERE name = %s FOR NO KEY UPDATE", [name]).fetchone()
    return None if row is None else row[0]


def save(conn: Conn, checked: Checked, *, state: State, anew: bool, rest_s: float, at: datetime) -> None:
    conn.execute(
        """INSERT INTO finding (name, sentence, sentence_zh, state, broken, since, checked_at, due_at)
           VALUES (%(name)s, %(en)s, %(zh)s, %(state)s, %(broken)s, %(at)s, %(at)s,
                   clock_timestamp() + make_interval(secs => %(rest)s))
           ON CONFLICT (name) DO UPDATE SET sentence = excluded.sentence, sentence_zh = excluded.sentence_zh,
               state = excluded.state, broken = excluded.broken, checked_at = excluded.checked_at,
               due_at = excluded.due_at, since = CASE WHEN %(anew)s THEN excluded.since ELSE finding.since END""",
        {
            "name": checked.name,
            "en": checked.sentence,
            "zh": checked.sentence_zh,
            "state": state,
            "broken": list(checked.broken or ()),
            "at": at,
            "rest": rest_s,
            "anew": anew,
        },
    )


def list_resting(conn: Conn) -> set[str]:
    """Those that are not due yet."""
    return {name for (name,) in conn.execute("SELECT name FROM finding WHERE due_at > clock_timestamp()")}


def list_findings(conn: Conn) -> list[Finding]:
    """What is broken first, the longest."""
    rows = conn.execute(
        """SELECT name, sentence, sentence_zh, state, broken, since, checked_at FROM finding
           ORDER BY (state = 'broken') DESC, (state = 'unchecked') DESC, since, name"""
    )
    return [
        Finding(name, sentence, sentence_zh, state, tuple(broken), since, checked_at)
        for name, sentence, sentence_zh, state, broken, since, checked_at in rows
    ]


def drop_others(conn: Conn, names: Sequence[str]) -> None:
    """Forget what is no invariant any more."""
    conn.execute("DELETE FROM finding WHERE NOT name = ANY (%s)", [list(names)])
