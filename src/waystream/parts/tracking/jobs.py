"""Tracking's own chores: strangers are adopted once their number is bound, old raw pushes are forgotten, scans and
pushes have their partitions in time."""

from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from waystream.core.errors import Refused, Unavailable, Unreadable
from waystream.kernel.jobs import Claimed, Handler, Outside, Run, Sweep
from waystream.kernel.tx import Tx
from waystream.parts.tracking import (
    actions,
    dues,
    inquiring,
    outages,
    partitions,
    replaying,
    store_doubts,
    store_lists,
    store_partitions,
)
from waystream.settings import Settings

FORGOTTEN_AT_ONCE = 50_000
LOOKED_BACK = timedelta(hours=24)
BOUND_AT_ONCE = 500
REPLAY_STEPS_A_RUN = 20
FEED_S = 3.0


@dataclass(frozen=True, slots=True)
class AdoptStrangers:
    """Takes in what was told of a number before it was bound; touches nothing outside."""

    outside: Outside
    kind: str = actions.ADOPT
    lease_s: float = 60.0
    max_attempts: int = 20
    concurrency: int = 2

    def do(self, run: Run) -> None:
        with run.work.begin() as tx:
            actions.adopt(tx, int(run.job.args["binding_id"]), self.outside.networks)
            run.finish(tx)

    def give_up(self, tx: Tx, job: Claimed) -> None:
        """The strangers stay listed; a person sees them."""


@dataclass(frozen=True, slots=True)
class Replay:
    """`replay`: carries a replay on, some steps a run; touches nothing outside."""

    outside: Outside
    kind: str = replaying.REPLAY
    lease_s: float = 300.0
    max_attempts: int = 20
    concurrency: int = 1

    def do(self, run: Run) -> None:
        replay_id = int(run.job.key)
        for _ in range(REPLAY_STEPS_A_RUN):
            if not run.work.run(lambda tx: replaying.carry_on(tx, replay_id, self.outside.networks)):
                return

        def hand_on(tx: Tx) -> None:
            run.finish(tx)
            replaying.hand_on(tx, replay_id)

        run.work.run(hand_on)

    def give_up(self, tx: Tx, job: Claimed) -> None:
        """It stands where it stands; a person sees it and may go on."""


@dataclass(frozen=True, slots=True)
class Redue:
    """`redue_tracks`: the due times of parcels under way follow a patience that was published; touches nothing
    outside."""

    kind: str = dues.REDUE
    lease_s: float = 600.0
    max_attempts: int = 20
    concurrency: int = 1

    def do(self, run: Run) -> None:
        place: dues.Place | None = dues.BEGINNING
        while place is not None:
            place = run.work.run(partial(dues.move_some, after=place))

    def give_up(self, tx: Tx, job: Claimed) -> None:
        """What did not follow is due when it was; the next publishing moves it."""


@dataclass(frozen=True, slots=True)
class PlanInquiries:
    """`plan_inquiries`: after an outage, write down who is to be asked; touches nothing outside."""

    kind: str = outages.PLAN
    lease_s: float = 120.0
    max_attempts: int = 20
    concurrency: int = 1

    def do(self, run: Run) -> None:
        with run.work.begin() as tx:
            outages.plan(tx, int(run.job.key))
            run.finish(tx)

    def give_up(self, tx: Tx, job: Claimed) -> None:
        """The outage stays noticed: a person sees it, and may stop and go on."""


@dataclass(frozen=True, slots=True)
class AskCarrier:
    """`ask_carrier`: ask for one parcel's trace list and take the answer in, by the carrier's rules (8001)."""

    outside: Outside
    kind: str = outages.ASK
    lease_s: float = 60.0
    max_attempts: int = 30
    concurrency: int = 4

    def do(self, run: Run) -> None:
        inquiry_id, networks = int(run.job.key), self.outside.networks
        inquiry = run.work.run(lambda tx: inquiring.begin(tx, inquiry_id, networks, run.work.clock))
        if inquiry is None:
            return
        try:
            body = self._ask(inquiry)
        except Unavailable as error:
            if not error.sent:
                run.work.run(lambda tx: inquiring.unsent(tx, inquiry_id))
            raise
        except Refused as error:
            said = error.sentence
            run.work.run(lambda tx: inquiring.refuse(tx, inquiry_id, said))
            return

        def settle(tx: Tx) -> None:
            inquiring.settle(tx, inquiry, body)
            run.finish(tx)

        run.work.run(settle)

    def _ask(self, inquiry: inquiring.Inquiry) -> bytes:
        ask = inquiry.network.ask_query(
            inquiry.aggregator, carrier=inquiry.carrier, number=inquiry.number, phone_tail=inquiry.tail
        )
        try:
            return inquiry.network.read_query(inquiry.aggregator, self.outside.exchange.send(ask), at=inquiry.at)
        except Unreadable as error:
            raise Unavailable(error.sentence, sent=True) from error

    def give_up(self, tx: Tx, job: Claimed) -> None:
        inquiring.refuse(tx, int(job.key), "The carrier network never answered.")


def find_bound_strangers(tx: Tx) -> int:
    """A push and the binding of its number may have crossed: neither saw the other. Both are here now."""
    bindings = store_lists.list_unadopted(tx.conn, since=tx.now - LOOKED_BACK, limit=BOUND_AT_ONCE)
    actions.begin_tracks(tx, bindings)
    return len(bindings)


def forget_old_pushes(tx: Tx, kept: timedelta) -> int:
    """Drop the days that are older: first their digests, some at a time, then the day's table. The lines in them that
    could not be read go first: without the push nothing more can be made of them."""
    store_doubts.delete_old_unread(tx.conn, before=tx.now - kept, limit=FORGOTTEN_AT_ONCE)
    day = partitions.day_of(tx.now - kept)
    forgotten = store_partitions.delete_digests(tx.conn, before=day.first, limit=FORGOTTEN_AT_ONCE)
    if forgotten == FORGOTTEN_AT_ONCE:
        return forgotten
    for name in store_partitions.list_day_names(tx.conn):
        found = partitions.find_day(name)
        if found is not None and found.past <= day.first:
            store_partitions.drop_day(tx.conn, name)
    store_partitions.delete_undated(tx.conn, before=day.first, limit=FORGOTTEN_AT_ONCE)
    return forgotten


def make_inbox_days(tx: Tx) -> int:
    """The pushes of the days to come have their partitions before the first of them comes."""
    there = set(store_partitions.list_day_names(tx.conn))
    missing = [day for day in partitions.list_days_ahead(tx.now) if day.name not in there]
    return sum(store_partitions.make_day(tx.conn, day) for day in missing)


def make_partitions(tx: Tx) -> int:
    """The scans of the months to come have their partitions before the first parcel of the month is made."""
    there = set(store_partitions.list_names(tx.conn)) | {left.name for left in store_partitions.list_detached(tx.conn)}
    missing = [partition for partition in partitions.list_ahead(tx.now) if partition.name not in there]
    return sum(store_partitions.make(tx.conn, partition) for partition in missing)


def handlers(outside: Outside) -> tuple[Handler, ...]:
    return (AdoptStrangers(outside), Replay(outside), PlanInquiries(), AskCarrier(outside), Redue())


SWEEPS: tuple[Sweep, ...] = (
    Sweep("find_bound_strangers", 15.0, find_bound_strangers),
    Sweep("make_scan_partitions", 3600.0, make_partitions),
    Sweep("feed_inquiries", FEED_S, outages.feed),
    Sweep("make_inbox_days", 3600.0, make_inbox_days),
)


def list_sweeps(settings: Settings) -> tuple[Sweep, ...]:
    """The sweeps, with what the settings say of how long pushes are kept."""
    kept = timedelta(days=settings.push_kept_days)
    return (*SWEEPS, Sweep("forget_old_pushes", 600.0, lambda tx: forget_old_pushes(tx, kept)))
