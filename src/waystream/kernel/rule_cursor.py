"""Where each rule stands in the log and what it could not digest: the SQL of `rule_cursor` and `parked`.

A parked event with an error is poison; one without waits behind an earlier one of its subject. Whoever holds the lock
of a rule's row is the only one who moves that rule. The deciding is in `dispatcher`.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import Connection

from waystream.kernel import log
from waystream.kernel.columns import texts
from waystream.kernel.log import Recorded


def register(conn: Connection[Any], rule: str, *, from_beginning: bool, at: datetime) -> None:
    """A rule seen for the first time begins at the beginning or the end of the log."""
    conn.execute(
        "INSERT INTO rule_cursor (rule, position, moved_at) VALUES (%s, %s, %s) ON CONFLICT (rule) DO NOTHING",
        [rule, 0 if from_beginning else log.head(conn), at],
    )


def forget(conn: Connection[Any], rule: str) -> None:
    conn.execute("DELETE FROM rule_cursor WHERE rule = %s", [rule])


def lock(conn: Connection[Any], rule: str) -> tuple[int, bool] | None:
    """The rule's position, ours to move until the commit, and whether anything is parked, which only its mover adds;
    None while another process moves it or it is halted."""
    found = conn.execute(
        """SELECT position, EXISTS (SELECT FROM parked WHERE parked.rule = rule_cursor.rule)
           FROM rule_cursor WHERE rule = %s AND halted = '' FOR UPDATE SKIP LOCKED""",
        [rule],
    ).fetchone()
    return (int(found[0]), bool(found[1])) if found else None


def wait_for_lock(conn: Connection[Any], rule: str) -> None:
    """Hold the rule still, halted or not, until the commit."""
    conn.execute("SELECT FROM rule_cursor WHERE rule = %s FOR UPDATE", [rule])


def move(conn: Connection[Any], rule: str, *, position: int, at: datetime) -> None:
    conn.execute("UPDATE rule_cursor SET position = %s, moved_at = %s WHERE rule = %s", [position, at, rule])


def halt(conn: Connection[Any], rule: str, why: str) -> None:
    conn.execute("UPDATE rule_cursor SET halted = %s WHERE rule = %s", [why, rule])


def resume(conn: Connection[Any], rule: str) -> None:
    """Let a halted rule go on; what is parked stays parked."""
    halt(conn, rule, "")


def list_lagging(conn: Connection[Any]) -> set[str]:
    """The rules that have not reached the head of the log and may move."""
    rows = conn.execute(
        "SELECT rule FROM rule_cursor WHERE halted = '' AND position < (SELECT position FROM sequencer)"
    )
    return {str(rule) for (rule,) in rows}


def park(conn: Connection[Any], rule: str, events: Sequence[Recorded], *, error: str = "", at: datetime) -> None:
    """Lay events aside: poison with its error, or without one behind the poison of their subject."""
    if not events:
        return
    conn.execute(
        """INSERT INTO parked (rule, event_id, subject, error, parked_at)
           SELECT %(rule)s, event_id, subject, %(error)s, %(at)s
           FROM unnest(%(ids)s::bigint[], %(subjects)s::text[]) AS given (event_id, subject)
           ON CONFLICT (rule, event_id) DO UPDATE SET error = excluded.error""",
        {
            "rule": rule,
            "error": error,
            "at": at,
            "ids": [recorded.id for recorded in events],
            "subjects": [recorded.event.subject for recorded in events],
        },
    )


def unpark(conn: Connection[Any], rule: str, event_id: int) -> None:
    conn.execute("DELETE FROM parked WHERE rule = %s AND event_id = %s", [rule, event_id])


def unpark_after(conn: Connection[Any], rule: str, *, position: int) -> int:
    """Take back what was parked beyond a position, for the rule will read it again; how many."""
    return conn.execute(
        """DELETE FROM parked WHERE rule = %s
             AND event_id IN (SELECT event_id FROM log JOIN parked USING (event_id) WHERE log.position > %s)""",
        [rule, position],
    ).rowcount


def count_poison(conn: Connection[Any], rule: str) -> int:
    found = conn.execute("SELECT count(*) FROM parked WHERE rule = %s AND error <> ''", [rule]).fetchone()
    assert found is not None
    return int(found[0])


def count_parked(conn: Connection[Any], rule: str, *, subject: str = "") -> int:
    """What is parked, poison and what waits behind it; of one subject where it is named."""
    found = conn.execute(
        "SELECT count(*) FROM parked WHERE rule = %(rule)s AND (%(subject)s = '' OR subject = %(subject)s)",
        {"rule": rule, "subject": subject},
    ).fetchone()
    assert found is not None
    return int(found[0])


def list_held(conn: Connection[Any], rule: str, subjects: Collection[str]) -> set[str]:
    """Which of the subjects have a parked event, so that later ones must wait."""
    rows = conn.execute(
        "SELECT DISTINCT subject FROM parked WHERE rule = %s AND subject = ANY (%b::text[])",
        [rule, texts(list(subjects))],
    )
    return {str(subject) for (subject,) in rows}


def list_parked_subjects(conn: Connection[Any], rule: str) -> list[str]:
    """Every subject with a parked event, the longest waiting first."""
    rows = conn.execute("SELECT subject FROM parked WHERE rule = %s GROUP BY subject ORDER BY min(event_id)", [rule])
    return [str(subject) for (subject,) in rows]


def list_parked(conn: Connection[Any], rule: str, *, subject: str, limit: int) -> list[Recorded]:
    """The parked events of a subject in the order of the log."""
    ids = conn.execute(
        """SELECT log.position FROM parked JOIN log USING (event_id)
           WHERE rule = %s AND subject = %s ORDER BY log.position LIMIT %s""",
        [rule, subject, limit],
    ).fetchall()
    return log.read_at(conn, [int(position) for (position,) in ids])


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a rule stands: how many positions it lags, how many events it parked, why it is halted.

    `behind_since` is when the first event it has not passed was recorded; None when it has passed everything.
    """

    rule: str
    position: int
    lag: int
    moved_at: datetime
    poison: int
    waiting: int
    halted: str
    behind_since: datetime | None = None


def list_standings(conn: Connection[Any]) -> list[Standing]:
    """Every rule that ever ran, by name."""
    rows = conn.execute(
        """SELECT rule, rule_cursor.position, sequencer.position - rule_cursor.position, moved_at,
                  coalesce(poison, 0), coalesce(waiting, 0), halted,
                  (SELECT event.at FROM event WHERE event.id =
                      (SELECT event_id FROM log WHERE log.position > rule_cursor.position ORDER BY position LIMIT 1))
           FROM rule_cursor CROSS JOIN sequencer
           LEFT JOIN (SELECT rule, count(*) FILTER (WHERE error <> '') AS poison,
                             count(*) FILTER (WHERE error = '') AS waiting
                      FROM parked GROUP BY rule) AS aside USING (rule)
           ORDER BY rule"""
    )
    return [Standing(*row) for row in rows]


@dataclass(frozen=True, slots=True)
class Poison:
    """A parked event a rule could not digest: which one, why, and how many of its subject wait behind it."""

    event_id: int
    position: int
    name: str
    subject: str
    shop_id: int
    error: str
    parked_at: datetime
    waiting: int


def list_poison(conn: Connection[Any], rule: str, *, after: int = 0, limit: int) -> list[Poison]:
    """The rule's poison in the order of the events' ids, from the one beyond `after`."""
    rows = conn.execute(
        """SELECT parked.event_id, log.position, event.name, parked.subject, event.shop_id, error, parked_at,
                  (SELECT count(*) FROM parked AS behind
                   WHERE behind.rule = parked.rule AND behind.subject = parked.subject AND behind.error = '')
           FROM parked JOIN log USING (event_id) JOIN event ON event.id = parked.event_id
           WHERE parked.rule = %s AND error <> '' AND parked.event_id > %s
           ORDER BY parked.event_id LIMIT %s""",
        [rule, after, limit],
    )
    return [Poison(*row) for row in rows]


def find_poison(conn: Connection[Any], rule: str, event_id: int) -> Poison | None:
    found = list_poison(conn, rule, after=event_id - 1, limit=1)
    return found[0] if found and found[0].event_id == event_id else None


def find_standing(conn: Connection[Any], rule: str) -> Standing | None:
    return next((standing for standing in list_standings(conn) if standing.rule == rule), None)
