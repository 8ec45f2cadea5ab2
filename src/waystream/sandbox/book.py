"""What the carrier network remembers: numbers, journeys, subscriptions, unsent pushes, letters to buyers; in SQLite.

Every method that changes something has committed, fsync included, when it returns: a killed sandbox goes on where it
was. All instants are stored as microseconds of UTC. Used from one thread only.
"""

import json
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import astuple, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from waystream.integrations.kdniao.fake import Issued, News, Place, Strike, Subscription, TraceNews
from waystream.integrations.shop_message.fake import Heard
from waystream.sandbox.claims import FINAL_CODES, next_change, standing
from waystream.sandbox.world import Happening, told_at

_REUSABLE_AFTER = timedelta(days=3)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_SCHEMA = """
CREATE TABLE IF NOT EXISTS counter (name TEXT PRIMARY KEY, value INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS issued (
  id INTEGER PRIMARY KEY, merchant_id TEXT NOT NULL, order_code TEXT NOT NULL, carrier TEXT NOT NULL,
  number TEXT NOT NULL, at INTEGER NOT NULL, origin TEXT NOT NULL, destination TEXT NOT NULL, customer TEXT NOT NULL,
  answer BLOB NOT NULL, cancelled_at INTEGER, UNIQUE (merchant_id, order_code));
CREATE INDEX IF NOT EXISTS issued_number ON issued (carrier, number);
CREATE TABLE IF NOT EXISTS happening (
  carrier TEXT NOT NULL, number TEXT NOT NULL, place INTEGER NOT NULL, at INTEGER NOT NULL, code TEXT NOT NULL,
  text TEXT NOT NULL, location TEXT NOT NULL, gone_at INTEGER, PRIMARY KEY (carrier, number, place)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS watch (
  merchant_id TEXT NOT NULL, carrier TEXT NOT NULL, number TEXT NOT NULL, order_code TEXT NOT NULL,
  push_type TEXT NOT NULL, since INTEGER NOT NULL, next_at INTEGER,
  PRIMARY KEY (merchant_id, carrier, number)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS watch_number ON watch (number);
CREATE INDEX IF NOT EXISTS watch_next ON watch (next_at) WHERE next_at IS NOT NULL;
CREATE TABLE IF NOT EXISTS outbox (
  id INTEGER PRIMARY KEY, merchant_id TEXT NOT NULL, push_type TEXT NOT NULL, data TEXT NOT NULL,
  due_at INTEGER NOT NULL, attempt INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS outbox_due ON outbox (due_at);
CREATE TABLE IF NOT EXISTS message (
  letter_id TEXT PRIMARY KEY, shop TEXT NOT NULL, number TEXT NOT NULL, template TEXT NOT NULL,
  times INTEGER NOT NULL DEFAULT 1);
"""

Plan = Callable[[Issued], Sequence[Happening]]


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A push on its way out; `attempt` counts the failed ones."""

    merchant_id: str
    push_type: str
    data: str
    due_at: datetime
    attempt: int = 0
    id: int = 0


class SandboxBook:
    """The book of `KdniaoSide`, and the pusher's diary. `plan` writes a parcel's journey when its number is given."""

    def __init__(self, file: Path, *, plan: Plan, strike: Strike = lambda fault, about: False) -> None:
        self._plan = plan
        self._strike = strike
        self._db = sqlite3.connect(file, isolation_level=None)
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = FULL")
        self._db.executescript(_SCHEMA)

    def close(self) -> None:
        self._db.close()

    @contextmanager
    def _commit(self) -> Iterator[sqlite3.Connection]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield self._db
            self._db.execute("COMMIT")
        finally:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")

    def _all(self, sql: str, *values: Any) -> list[Any]:
        return self._db.execute(sql, values).fetchall()

    def next_serial(self) -> int:
        return self.count("serial")

    def count(self, name: str, by: int = 1) -> int:
        """Add to a counter and return it."""
        with self._commit() as db:
            db.execute(
                "INSERT INTO counter VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = value + excluded.value",
                (name, by),
            )
        return int(self._all("SELECT value FROM counter WHERE name = ?", name)[0][0])

    def find_order(self, merchant_id: str, order_code: str) -> Issued | None:
        rows = self._all(
            f"SELECT {_ISSUED} FROM issued WHERE merchant_id = ? AND order_code = ?", merchant_id, order_code
        )
        return _issued(rows[0]) if rows else None

    def find_reusable_number(self, carrier: str, at: datetime) -> str | None:
        """A number whose parcel arrived some days ago, as carriers give out again; each is reused once."""
        rows = self._all(
            "SELECT i.number FROM issued i WHERE i.carrier = ? AND i.cancelled_at IS NULL"
            " AND (SELECT count(*) FROM issued o WHERE o.carrier = i.carrier AND o.number = i.number) = 1"
            " AND EXISTS (SELECT 1 FROM happening h WHERE h.carrier = i.carrier AND h.number = i.number AND h.at < ?"
            f"   AND h.code IN ({','.join('?' * len(FINAL_CODES))})"
            "   AND NOT EXISTS (SELECT 1 FROM happening l WHERE l.carrier = h.carrier AND l.number = h.number"
            "                   AND l.place > h.place))"
            " ORDER BY i.id LIMIT 1",
            carrier,
            _micros(at - _REUSABLE_AFTER),
            *sorted(FINAL_CODES),
        )
        return str(rows[0][0]) if rows else None

    def count_issued(self, carrier: str, customer: str) -> int:
        return int(self._all("SELECT count(*) FROM issued WHERE carrier = ? AND customer = ?", carrier, customer)[0][0])

    def issue(self, issued: Issued, subscription: Subscription | None) -> None:
        happenings = self._plan(issued)
        with self._commit() as db:
            db.execute(
                "INSERT INTO issued (merchant_id, order_code, carrier, number, at, origin, destination, customer,"
                " answer) VALUES (?,?,?,?,?,?,?,?,?)",
                (
                    issued.merchant_id,
                    issued.order_code,
                    issued.carrier,
                    issued.number,
                    _micros(issued.at),
                    json.dumps(astuple(issued.origin)),
                    json.dumps(astuple(issued.destination)),
                    issued.customer,
                    issued.answer,
                ),
            )
            _write_journey(db, issued.carrier, issued.number, happenings)
            if subscription is not None:
                _write_watch(db, subscription, next_change(happenings, since=subscription.at, now=subscription.at))
            self._strike("die_during", issued.order_code)

    def cancel(self, issued: Issued, at: datetime) -> None:
        """A cancelled number never moves and is no longer watched."""
        with self._commit() as db:
            db.execute(
                "UPDATE issued SET cancelled_at = ? WHERE merchant_id = ? AND order_code = ?",
                (_micros(at), issued.merchant_id, issued.order_code),
            )
            for table in ("happening", "watch"):
                db.execute(f"DELETE FROM {table} WHERE carrier = ? AND number = ?", (issued.carrier, issued.number))

    def is_collected(self, issued: Issued, at: datetime) -> bool:
        return bool(told_at(self.list_happenings(issued.carrier, issued.number), at))

    def subscribe(self, subscription: Subscription) -> None:
        happenings = self.list_happenings(subscription.carrier, subscription.number)
        first = (
            subscription.at
            if told_at(happenings, subscription.at)
            else next_change(happenings, since=subscription.at, now=subscription.at)
        )
        with self._commit() as db:
            _write_watch(db, subscription, first)

    def find_news(self, carrier: str, number: str, at: datetime) -> News | None:
        news = self.news_of(carrier, number, at)
        return news if news.traces else None

    def news_of(
        self, carrier: str, number: str, at: datetime, *, order_code: str = "", since: datetime | None = None
    ) -> News:
        """All there is to say at an instant; watching since `since` decides when silence counts."""
        happenings = self.list_happenings(carrier, number)
        said = standing(happenings, since=since or at, now=at)
        traces = tuple(TraceNews(one.at, one.code, one.text, one.location) for one in told_at(happenings, at))
        return News(
            carrier=carrier,
            number=number,
            order_code=order_code,
            state_ex=said.state_ex,
            traces=traces,
            success=said.success,
            reason=said.reason,
        )

    def list_happenings(self, carrier: str, number: str) -> tuple[Happening, ...]:
        rows = self._all(
            "SELECT at, code, text, location, gone_at FROM happening WHERE carrier = ? AND number = ?"
            " ORDER BY at, place",
            carrier,
            number,
        )
        return tuple(
            Happening(_instant(at), code, text, location, None if gone is None else _instant(gone))
            for at, code, text, location, gone in rows
        )

    def fix_journey(
        self, carrier: str, number: str, happenings: Sequence[Happening], *, now: datetime, quiet: bool
    ) -> None:
        """Replace what will happen to a number; `quiet`: it is told only when a push is asked for by hand."""
        with self._commit() as db:
            _write_journey(db, carrier, number, happenings)
            soonest = None if quiet else _micros(now)
            db.execute("UPDATE watch SET next_at = ? WHERE carrier = ? AND number = ?", (soonest, carrier, number))

    def list_due(self, now: datetime, *, limit: int) -> list[Subscription]:
        """The subscriptions for which something may have changed, the longest waiting first."""
        rows = self._all(
            "SELECT merchant_id, carrier, number, order_code, push_type, since FROM watch"
            " WHERE next_at <= ? ORDER BY next_at LIMIT ?",
            _micros(now),
            limit,
        )
        return [_subscription(row) for row in rows]

    def find_subscription(self, number: str) -> Subscription | None:
        rows = self._all(
            "SELECT merchant_id, carrier, number, order_code, push_type, since FROM watch"
            " WHERE number = ? ORDER BY since DESC LIMIT 1",
            number,
        )
        return _subscription(rows[0]) if rows else None

    def told(self, subscriptions: Sequence[Subscription], outgoing: Sequence[Outgoing], *, now: datetime) -> None:
        """Write the pushes down and when each waybill is looked at next, in one commit."""
        nexts = [self._next(one, now) for one in subscriptions]
        with self._commit() as db:
            db.executemany(
                "INSERT INTO outbox (merchant_id, push_type, data, due_at, attempt) VALUES (?,?,?,?,?)",
                [
                    (push.merchant_id, push.push_type, push.data, _micros(push.due_at), push.attempt)
                    for push in outgoing
                ],
            )
            db.executemany(
                "UPDATE watch SET next_at = ? WHERE merchant_id = ? AND carrier = ? AND number = ?",
                [
                    (following, one.merchant_id, one.carrier, one.number)
                    for one, following in zip(subscriptions, nexts, strict=True)
                ],
            )

    def _next(self, one: Subscription, now: datetime) -> int | None:
        happenings = self.list_happenings(one.carrier, one.number)
        if standing(happenings, since=one.at, now=now).died:
            return None
        following = next_change(happenings, since=one.at, now=now)
        return None if following is None else _micros(following)

    def list_outgoing(self, now: datetime, *, limit: int) -> list[Outgoing]:
        rows = self._all(
            "SELECT merchant_id, push_type, data, due_at, attempt, id FROM outbox WHERE due_at <= ?"
            " ORDER BY due_at, id LIMIT ?",
            _micros(now),
            limit,
        )
        return [
            Outgoing(merchant_id, push_type, data, _instant(due_at), attempt, key)
            for merchant_id, push_type, data, due_at, attempt, key in rows
        ]

    def settle(self, done: Sequence[Outgoing], later: Sequence[Outgoing]) -> None:
        """Forget what was taken or given up, keep what is sent again at its `due_at`."""
        with self._commit() as db:
            db.executemany("DELETE FROM outbox WHERE id = ?", [(push.id,) for push in done])
            db.executemany(
                "UPDATE outbox SET due_at = ?, attempt = ? WHERE id = ?",
                [(_micros(push.due_at), push.attempt, push.id) for push in later],
            )

    def list_issued(self, order_code: str | None = None) -> list[Issued]:
        """Every number given, or those of one OrderCode, in the order they were given."""
        if order_code is None:
            rows = self._all(f"SELECT {_ISSUED} FROM issued ORDER BY id")
        else:
            rows = self._all(f"SELECT {_ISSUED} FROM issued WHERE order_code = ? ORDER BY id", order_code)
        return [_issued(row) for row in rows]

    def keep(self, heard: Heard) -> None:
        """A letter to a buyer: said the first time, counted every time."""
        with self._commit() as db:
            db.execute(
                "INSERT INTO message (letter_id, shop, number, template) VALUES (?,?,?,?)"
                " ON CONFLICT (letter_id) DO UPDATE SET times = times + 1",
                (heard.letter_id, heard.shop, heard.order, heard.template),
            )

    def list_heard(self) -> list[Heard]:
        """In the order in which they first came."""
        rows = self._all("SELECT letter_id, shop, number, template, times FROM message ORDER BY rowid")
        return [Heard(*row) for row in rows]

    def list_counts(self) -> list[tuple[str, int]]:
        """How much of everything there is, by name."""
        sizes = [
            (table, int(self._all(f"SELECT count(*) FROM {table}")[0][0]))
            for table in ("issued", "watch", "outbox", "happening", "message")
        ]
        return sizes + [(name, value) for name, value in self._all("SELECT name, value FROM counter ORDER BY name")]


_ISSUED = "merchant_id, order_code, carrier, number, at, origin, destination, customer, answer, cancelled_at"


def _issued(row: Sequence[Any]) -> Issued:
    merchant_id, order_code, carrier, number, at, origin, destination, customer, answer, cancelled_at = row
    return Issued(
        merchant_id,
        order_code,
        carrier,
        number,
        _instant(at),
        Place(*json.loads(origin)),
        Place(*json.loads(destination)),
        customer,
        answer,
        None if cancelled_at is None else _instant(cancelled_at),
    )


def _subscription(row: Sequence[Any]) -> Subscription:
    merchant_id, carrier, number, order_code, push_type, since = row
    return Subscription(merchant_id, carrier, number, order_code, push_type, _instant(since))


def _write_journey(db: sqlite3.Connection, carrier: str, number: str, happenings: Sequence[Happening]) -> None:
    db.execute("DELETE FROM happening WHERE carrier = ? AND number = ?", (carrier, number))
    db.executemany(
        "INSERT INTO happening VALUES (?,?,?,?,?,?,?,?)",
        [
            (
                carrier,
                number,
                place,
                _micros(one.at),
                one.code,
                one.text,
                one.location,
                None if one.gone_at is None else _micros(one.gone_at),
            )
            for place, one in enumerate(happenings)
        ],
    )


def _write_watch(db: sqlite3.Connection, one: Subscription, next_at: datetime | None) -> None:
    db.execute(
        "INSERT OR REPLACE INTO watch VALUES (?,?,?,?,?,?,?)",
        (
            one.merchant_id,
            one.carrier,
            one.number,
            one.order_code,
            one.push_type,
            _micros(one.at),
            None if next_at is None else _micros(next_at),
        ),
    )


def _micros(at: datetime) -> int:
    return (at - _EPOCH) // timedelta(microseconds=1)


def _instant(micros: int) -> datetime:
    return _EPOCH + timedelta(microseconds=micros)
