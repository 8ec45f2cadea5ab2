"""What people read of silence: who is silent, what slows down, what is allowed and what another budget would mean."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from waystream.core.errors import Invalid
from waystream.kernel.tx import Tx
from waystream.parts.silence import store_history, store_reading
from waystream.parts.silence.allowing import THOUSAND, Allowed, read_curve
from waystream.parts.silence.history import BUDGET_LEAST, BUDGET_MOST
from waystream.parts.silence.store_history import BookRow
from waystream.parts.silence.store_reading import Counts, SilentRow, SlowdownRow, Warehouses

SHOWN_MAX = 200
ENDED_SHOWN = timedelta(days=14)


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a budget means. `times` the usual silence is overdue; `a_day`: alerts of the parcels under way now; both
    None without history. `kept`: whether the history keeps within it."""

    budget: float
    times: float | None
    a_day: float | None
    kept: bool


def count(tx: Tx, warehouses: Warehouses = None) -> Counts:
    return store_reading.count(tx.conn, warehouses)


def get_book(tx: Tx) -> BookRow:
    return store_history.get_book(tx.conn)


def list_curve(tx: Tx) -> Sequence[tuple[float, float]]:
    """(times, alerts a day for a thousand parcels under way)."""
    return store_history.list_curve(tx.conn)


def preview(tx: Tx, budget: float, *, under_way: int) -> Meaning:
    """Raises `Invalid` for a budget that cannot be set."""
    if not BUDGET_LEAST <= budget <= BUDGET_MOST:
        raise Invalid("budget", f"The budget is between {BUDGET_LEAST:g} and {BUDGET_MOST:g} alerts a day.")
    curve = list_curve(tx)
    if not curve:
        return Meaning(budget, None, None, kept=True)
    times, expected = read_curve(curve, budget)
    return Meaning(budget, times, expected * under_way / THOUSAND, kept=expected <= budget)


def list_silent(
    tx: Tx,
    warehouses: Warehouses = None,
    *,
    slowdown_id: int | None = None,
    after: tuple[datetime, int] | None = None,
    limit: int = 50,
) -> list[SilentRow]:
    """The longest silent first; `after` is (silent_since, parcel_id) of the last one seen."""
    most = min(limit, SHOWN_MAX)
    return store_reading.list_silent(tx.conn, warehouses, slowdown_id=slowdown_id, after=after, limit=most)


def list_slowdowns(tx: Tx, warehouses: Warehouses = None, *, limit: int = 20) -> list[SlowdownRow]:
    """Those that last, and those that ended in the last two weeks."""
    return store_reading.list_slowdowns(
        tx.conn, warehouses, ended_since=tx.now - ENDED_SHOWN, limit=min(limit, SHOWN_MAX)
    )


def list_allowed(tx: Tx, *, limit: int = 60) -> list[Allowed]:
    return store_reading.list_allowed(tx.conn, limit=min(limit, SHOWN_MAX))
