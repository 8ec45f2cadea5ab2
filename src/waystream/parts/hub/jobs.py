"""The hub's calls: count the numbers left, try an account, ask to watch a number."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from waystream.core.errors import Refused, Unavailable, Unreadable
from waystream.core.events.fulfilment import SubscriptionDied
from waystream.core.ports import Network, Renewal
from waystream.kernel.jobs import Claimed, Handler, Outside, Run, Sweep
from waystream.kernel.tx import Tx
from waystream.parts.hub import actions, hearing, store
from waystream.parts.hub.model import OpenAccount, OpenAggregator, Waybill, may_renew, wait_s

COUNT_EVERY = timedelta(hours=1)
COUNT_SWEEP_S = 300.0
FORGET_SWEEP_S = 3_600.0


def _network(outside: Outside, name: str) -> Network:
    if name not in outside.networks:
        raise Refused(f"There is no integration named {name}.")
    return outside.networks[name]


def _balance(outside: Outside, account: OpenAccount) -> int:
    network = _network(outside, account.integration)
    ask = network.ask_balance(account.aggregator, account.parameters)
    try:
        return network.read_balance(outside.exchange.send(ask)).available
    except Unreadable as error:
        raise Unavailable(error.sentence) from error


@dataclass(frozen=True, slots=True)
class CountNumbers:
    """`count_numbers`: how many numbers a carrier account has left (1127)."""

    outside: Outside
    kind: str = actions.COUNT_NUMBERS
    lease_s: float = 60.0
    max_attempts: int = 5
    concurrency: int = 2

    def do(self, run: Run) -> None:
        account_id = int(run.job.key)
        account = run.work.run(lambda tx: actions.open_account(tx, account_id))
        available = _balance(self.outside, account)

        def settle(tx: Tx) -> None:
            actions.note_balance(tx, account_id, available)
            run.finish(tx)

        run.work.run(settle)

    def give_up(self, tx: Tx, job: Claimed) -> None:
        """Not every carrier tells: the account goes on without a figure."""
        actions.note_balance(tx, int(job.key), None)


@dataclass(frozen=True, slots=True)
class TestCall:
    """`test_aggregator`: does the aggregator answer, and does it know us?"""

    outside: Outside
    kind: str = actions.TEST_CALL
    lease_s: float = 60.0
    max_attempts: int = 1
    concurrency: int = 1

    def do(self, run: Run) -> None:
        aggregator_id = int(run.job.key)
        account = run.work.run(lambda tx: self._first_account(tx, aggregator_id))
        try:
            _balance(self.outside, account)
            said = ""
        except (Refused, Unavailable) as error:
            said = error.sentence

        def settle(tx: Tx) -> None:
            actions.note_tested(tx, aggregator_id, said)
            run.finish(tx)

        run.work.run(settle)

    def _first_account(self, tx: Tx, aggregator_id: int) -> OpenAccount:
        account_id = store.first_account(tx.conn, aggregator_id)
        if account_id is None:
            raise Refused("The carrier account is gone.")
        return actions.open_account(tx, account_id)

    def give_up(self, tx: Tx, job: Claimed) -> None:
        actions.note_tested(tx, int(job.key), "The test call could not be made.")


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A number to be watched; `tail` are the last digits of the receiver's phone."""

    aggregator: OpenAggregator
    waybill: Waybill
    tail: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Subscribe:
    """`subscribe`: ask to watch a number that nobody watches, by the aggregator's rules (8008)."""

    outside: Outside
    renewals: Mapping[str, Renewal]
    kind: str = actions.SUBSCRIBE
    lease_s: float = 60.0
    max_attempts: int = 20
    concurrency: int = 4

    def do(self, run: Run) -> None:
        binding_id = int(run.job.key)
        wanted = run.work.run(lambda tx: self._load(tx, binding_id))
        if wanted is None:
            return
        network = _network(self.outside, wanted.aggregator.integration)
        ask = network.ask_subscribe(
            wanted.aggregator.aggregator, carrier=wanted.waybill.carrier, number=wanted.waybill.number,
            phone_tail=wanted.tail,
        )  # fmt: skip
        try:
            answer = network.read_subscribe(self.outside.exchange.send(ask))
        except Unreadable as error:
            raise Unavailable(error.sentence, sent=True) from error
        if not answer.accepted:
            raise Refused(answer.reason or "The aggregator does not watch this number.")

        def settle(tx: Tx) -> None:
            store.set_live(tx.conn, binding_id, at=tx.now)
            run.finish(tx)

        run.work.run(settle)

    def _load(self, tx: Tx, binding_id: int) -> _Wanted | None:
        """None when there is nothing to ask; `Unavailable` while the aggregator's rules say to wait."""
        watched = store.lock_watched(tx.conn, binding_id)
        waybill = store.find_waybill(tx.conn, binding_id)
        if watched is None or waybill is None or watched.state not in ("asked", "died"):
            return None
        rules = self.renewals.get(watched.integration, Renewal())
        if not may_renew(watched, rules):
            return None
        left_s = wait_s(watched, rules, now=tx.now)
        if left_s > 0:
            sentence = "The aggregator takes no asking for this number yet."
            raise Unavailable(sentence, retry_after_s=left_s / self.outside.speed)
        tail = actions.phone_tail(tx, waybill)
        return _Wanted(actions.open_aggregator(tx, waybill.aggregator_id), waybill, tail)

    def give_up(self, tx: Tx, job: Claimed) -> None:
        for gone in store.set_died(tx.conn, [(int(job.key), actions.GAVE_UP)], at=tx.now):
            tx.emit(SubscriptionDied(
                shop_id=gone.shop_id, parcel_id=gone.parcel_id, binding_id=gone.binding_id,
                reason=actions.GAVE_UP))  # fmt: skip


def _ask_balances(tx: Tx) -> int:
    due = store.list_uncounted(tx.conn, counted_before=tx.now - COUNT_EVERY)
    for account_id in due:
        actions.count_numbers(tx, account_id)
    return len(due)


def handlers(outside: Outside, renewals: Mapping[str, Renewal] | None = None) -> tuple[Handler, ...]:
    """`renewals`: each integration's rules for asking again; none given: its own."""
    own = {name: network.renewal for name, network in outside.networks.items()} if renewals is None else renewals
    return (CountNumbers(outside), TestCall(outside), Subscribe(outside, own))


SWEEPS: tuple[Sweep, ...] = (
    Sweep("count_numbers", COUNT_SWEEP_S, _ask_balances),
    Sweep("old_hearing", FORGET_SWEEP_S, hearing.forget),
)
