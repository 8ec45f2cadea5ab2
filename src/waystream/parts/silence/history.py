"""Learning from parcels whose way has ended, and publishing what follows: how long silence is allowed to last.

Guaranteed: what is kept is bounded by carriers, lanes, stages and places, however many scans there were; whoever reads
the published patience sees one whole version.
"""

from collections.abc import Collection
from datetime import date, datetime, timedelta
from functools import lru_cache

from waystream.core.errors import Invalid
from waystream.core.events.silence import PatienceChanged
from waystream.core.patience import ZONE, Calendar, Pulse, WorkClock
from waystream.kernel.audit import Entry
from waystream.kernel.tx import Tx
from waystream.parts.silence import allowing, lessons, pulses, store_history
from waystream.parts.silence.store_history import BookRow

HALF_LIFE_DAYS = 42.0
PULSES_KEPT = timedelta(days=70)
#: Who stands still for longer is lost or forgotten: counted as waiting, it would spend the budget for ever.
WAITING_MOST = timedelta(days=60)
#: Published anew when so many more gaps were learned, beside those of `share` of what it was published from.
NEWS_GAPS, NEWS_SHARE = 500, 0.25
BUDGET_LEAST, BUDGET_MOST = 0.5, 200.0


def learn(tx: Tx, parcel_ids: Collection[int]) -> int:
    """The gaps of these parcels, whose way has ended; how many."""
    scans = store_history.list_scans(tx.conn, parcel_ids)

    lesson = lessons.learn(scans, _clock(tx, *_hours_and_days(tx)))
    if not lesson.gaps:
        return 0

    store_history.add_lesson(tx.conn, lesson)
    return lesson.gaps.total()


def publish_when_due(tx: Tx) -> int:
    """Once a day, and when enough was learned; 1 where it was."""
    book = store_history.get_book(tx.conn)
    today = tx.now.astimezone(ZONE).date()
    if book.unread < NEWS_GAPS + NEWS_SHARE * book.gaps and book.faded_on == today:
        return 0
    publish(tx)
    return 1


def publish(tx: Tx) -> int:
    """Let what is older fade, and publish what is allowed now; the version."""
    book, today = store_history.lock_book(tx.conn), tx.now.astimezone(ZONE).date()
    store_history.fade(tx.conn, share=_faded(book, today), today=today, pulses_since=today - PULSES_KEPT)
    hours, calendar = _hours_and_days(tx)
    waiting = store_history.list_waiting(tx.conn, since=tx.now - WAITING_MOST)
    cells = lessons.with_waiting(store_history.list_cells(tx.conn), waiting, _clock(tx, hours, calendar), now=tx.now)

    allowed = allowing.allow(cells, budget=book.budget)

    version = store_history.publish(tx.conn, allowed, pulses=hours, calendar=calendar, at=tx.now)

    tx.emit(PatienceChanged(shop_id=0, version_id=version))
    return version


def set_budget(tx: Tx, budget: float, *, actor: str) -> int:
    """How many alerts a day a thousand parcels under way may make; published at once."""
    if not BUDGET_LEAST <= budget <= BUDGET_MOST:
        raise Invalid("budget", f"The budget is between {BUDGET_LEAST:g} and {BUDGET_MOST:g} alerts a day.")
    store_history.lock_book(tx.conn)

    store_history.set_budget(tx.conn, budget)
    version = publish(tx)

    tx.note(Entry(actor, "silence.budget", f"patience:{version}", detail={"budget": f"{budget:g}"}))
    return version


def _faded(book: BookRow, today: date) -> float:
    days = (today - book.faded_on).days if book.faded_on else 0
    return float(0.5 ** (max(0, days) / HALF_LIFE_DAYS))


def _hours_and_days(tx: Tx) -> tuple[dict[str, Pulse], Calendar]:
    today = tx.now.astimezone(ZONE).date()
    calendar = pulses.read_calendar(today)
    seen = store_history.list_pulses(tx.conn)
    return {stage: pulses.pulse_of(days, calendar, today=today) for stage, days in seen.items()}, calendar


def _clock(tx: Tx, hours: dict[str, Pulse], calendar: Calendar) -> WorkClock:
    """The clock of the day: it is asked for with every batch of parcels that arrive, and takes milliseconds to make."""
    midnight = tx.now.astimezone(ZONE).replace(hour=0, minute=0, second=0, microsecond=0)
    return _make_clock(tuple(sorted(hours.items())), calendar, midnight)


@lru_cache(maxsize=4)
def _make_clock(hours: tuple[tuple[str, Pulse], ...], calendar: Calendar, around: datetime) -> WorkClock:
    return WorkClock(dict(hours), calendar, around=around)
