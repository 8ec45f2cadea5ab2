"""Accounts, balances and subscriptions: what is sealed, what is asked, what a page may see."""

from datetime import timedelta
from typing import Any

import pytest

from tests.parts.world import World, build, order, put_parcel
from waystream.core.errors import Conflict, Invalid, InvalidMany, Missing, Refused, Unavailable
from waystream.core.ports import Balance, CarrierAccount, SubscribeAnswer
from waystream.integrations.kdniao import adapter
from waystream.kernel.clock import FixedClock
from waystream.kernel.database import Database
from waystream.kernel.jobs import Outside
from waystream.kernel.runner import Pace, Runner
from waystream.kernel.vault import Keys
from waystream.parts.hub import actions, jobs
from waystream.parts.hub.model import AccountIn, AggregatorIn, AggregatorRow, Renewal
from waystream.parts.orders import actions as orders

MAIN = AggregatorIn("main", "kdniao", "1237100", "http://localhost:9", "top-secret")
YTO = CarrierAccount("YTO", customer_name="us", customer_password="hush", month_code="M1", send_site="site")


class Network:
    """Answers what the test put there, and keeps what it was asked."""

    name = "kdniao"

    def __init__(self) -> None:
        self.answers: list[Any] = []
        self.asked: list[tuple[Any, ...]] = []

    def ask_balance(self, aggregator: Any, account: Any) -> Any:
        return ("balance", aggregator.key, account.customer_password)

    def ask_subscribe(self, aggregator: Any, *, carrier: str, number: str, phone_tail: str) -> Any:
        return ("subscribe", carrier, number, phone_tail)

    def read_balance(self, reply: Any) -> Any:
        return reply

    read_subscribe = read_balance

    def send(self, ask: Any) -> Any:
        self.asked.append(ask)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


@pytest.fixture
def world(database: Database, clock: FixedClock, keys: Keys) -> World:
    return build(database, clock, keys)


@pytest.fixture
def network() -> Network:
    return Network()


@pytest.fixture
def runner(world: World, network: Network) -> Runner:
    outside = Outside(network, {"kdniao": network}, {})  # type: ignore[arg-type,dict-item]
    handlers = jobs.handlers(outside, {"kdniao": Renewal(("三天无轨迹",), per_month=2, wait_s=60)})
    return Runner(world.work, handlers, jobs.SWEEPS, pace=Pace(first_retry_s=0.0, longest_retry_s=0.0))


def add(world: World, told: AggregatorIn = MAIN) -> AggregatorRow:
    return world.work.run(lambda tx: actions.add_aggregator(tx, told, integrations=["kdniao"], actor="staff:1"))


def add_account(world: World, **given: Any) -> int:
    aggregator = world.work.run(lambda tx: actions.list_aggregators(tx)[0].id)
    told = AccountIn(aggregator, given.pop("name", "yto"), given.pop("parameters", YTO), **given)
    return world.work.run(lambda tx: actions.add_account(tx, told, actor="staff:1")).id


def rows(world: World, query: str, *given: Any) -> list[tuple[Any, ...]]:
    with world.work.begin() as tx:
        return tx.conn.execute(query, list(given)).fetchall()


def test_a_key_goes_in_sealed_and_comes_out_only_to_be_used(world: World) -> None:
    row = add(world)

    [(sealed,)] = rows(world, "SELECT key_sealed FROM aggregator")
    assert b"top-secret" not in sealed
    assert not hasattr(row, "key")
    assert row.push_path == "/push/kdniao/main"
    opened = world.work.run(lambda tx: actions.find_aggregator(tx, "main"))
    assert opened is not None
    assert (opened.aggregator.key, opened.aggregator.merchant_id) == ("top-secret", "1237100")
    assert "top-secret" not in repr(opened)
    assert world.work.run(lambda tx: actions.find_aggregator(tx, "other")) is None


def test_every_wrong_field_is_named(world: World) -> None:
    with pytest.raises(InvalidMany) as wrong:
        add(world, AggregatorIn("Not OK", "nobody", "", "ftp://x"))
    paths = [problem.path for problem in wrong.value.problems]
    assert paths == ["code", "integration", "merchant_id", "key", "base_url"]
    add(world)
    with pytest.raises(Conflict):
        add(world)
    with pytest.raises(Invalid):
        add_account(world, parameters=CarrierAccount("yuantong"))
    add_account(world)
    with pytest.raises(Conflict):
        add_account(world)


def test_a_changed_account_keeps_the_secrets_the_form_did_not_send(world: World) -> None:
    aggregator, account_id = add(world), add_account(world)

    new = AggregatorIn("ignored", "ignored", "999", "https://example.org")
    world.work.run(lambda tx: actions.change_aggregator(
        tx, aggregator.id, new, integrations=["kdniao"], actor="staff:1"))  # fmt: skip
    told = AccountIn(0, "renamed", CarrierAccount("SF", customer_name="new"), priority=5)
    world.work.run(lambda tx: actions.change_account(tx, account_id, told, actor="staff:1"))

    account = world.work.run(lambda tx: actions.open_account(tx, account_id))
    assert account.parameters == CarrierAccount("YTO", customer_name="new", customer_password="hush", month_code="M1")
    assert (account.aggregator.key, account.aggregator.merchant_id) == ("top-secret", "999")
    [row] = world.work.run(lambda tx: actions.list_accounts(tx))
    assert (row.name, row.carrier, row.priority, row.aggregator, row.disabled) == ("renamed", "YTO", 5, "main", False)
    assert rows(world, "SELECT action FROM audit ORDER BY id") == [
        ("aggregator.add",), ("account.add",), ("aggregator.change",), ("account.change",)]  # fmt: skip
    with pytest.raises(Missing):
        world.work.run(lambda tx: actions.switch_account(tx, 77, on=False, actor="staff:1"))


def test_the_numbers_left_are_counted_and_a_low_pool_shows(world: World, network: Network, runner: Runner) -> None:
    add(world)
    account_id = add_account(world, low_mark=100)
    network.answers = [Balance(available=99, total=1000)]
    runner.drain()

    [row] = world.work.run(lambda tx: actions.list_accounts(tx))
    assert (row.available, row.low) == (99, True)
    assert network.asked == [("balance", "top-secret", "hush")]
    assert runner.sweep("count_numbers") == 0
    world.work.clock.advance(timedelta(hours=2))  # type: ignore[attr-defined]
    assert runner.sweep("count_numbers") == 1
    network.answers = [Refused("does not tell")]
    runner.drain()
    [row] = world.work.run(lambda tx: actions.list_accounts(tx))
    assert (row.available, row.balance_at) == (99, world.work.clock.now())
    world.work.run(lambda tx: actions.switch_account(tx, account_id, on=False, actor="staff:1"))
    world.work.clock.advance(timedelta(hours=2))  # type: ignore[attr-defined]
    assert runner.sweep("count_numbers") == 0


def test_a_test_call_says_what_is_wrong(world: World, network: Network, runner: Runner) -> None:
    aggregator = add(world)
    with pytest.raises(Conflict, match="carrier account first"):
        world.work.run(lambda tx: actions.ask_test_call(tx, aggregator.id, actor="staff:1"))
    add_account(world)
    network.answers = [Balance(5, 5), Refused("Check customer name and password.")]
    runner.drain()
    world.work.run(lambda tx: actions.ask_test_call(tx, aggregator.id, actor="staff:1"))
    runner.drain()
    assert rows(world, "SELECT test_said, tested_at FROM aggregator") == [
        ("Check customer name and password.", world.work.clock.now())]  # fmt: skip
    network.answers = [Balance(5, 5)]
    world.work.run(lambda tx: actions.ask_test_call(tx, aggregator.id, actor="staff:1"))
    runner.drain()
    assert rows(world, "SELECT test_said FROM aggregator") == [("",)]


def test_the_first_push_lights_the_lamp_and_bad_signatures_are_counted(world: World) -> None:
    aggregator, first = add(world), world.work.clock.now()
    world.work.run(lambda tx: actions.note_push(tx, aggregator.id))
    world.work.clock.advance(timedelta(minutes=5))  # type: ignore[attr-defined]
    world.work.run(lambda tx: actions.note_push(tx, aggregator.id))
    world.work.run(lambda tx: actions.note_bad_signatures(tx, aggregator.id, 3))
    world.work.run(lambda tx: actions.note_bad_signatures(tx, aggregator.id))
    row = world.work.run(lambda tx: actions.get_aggregator(tx, aggregator.id))
    assert (row.first_push_at, row.last_push_at) == (first, first + timedelta(minutes=5))
    assert (row.bad_signatures, row.last_bad_at) == (4, first + timedelta(minutes=5))


def bound(world: World, *, taken: bool) -> int:
    """The binding of a parcel; `taken`: its number came through the network."""
    add(world)
    add_account(world)
    with world.work.begin() as tx:
        tx.conn.execute("DELETE FROM job")
        [accepted] = orders.accept(tx, [order("A1")])
        put_parcel(tx, accepted.order_id, parcel_id=501, stage="issued", number="YT1")
        if taken:
            tx.conn.execute("""INSERT INTO take (id, parcel_id, shop_id, account_id, code, created_at)
                               SELECT 1, 501, shop_id, (SELECT id FROM carrier_account), 'X', created_at FROM parcel""")
            tx.conn.execute("UPDATE binding SET take_id = 1")
    return 501


def test_a_number_we_took_is_watched_by_the_taking(world: World) -> None:
    binding_id = bound(world, taken=True)
    for _ in range(2):
        world.work.run(lambda tx: actions.watch(tx, [binding_id]))
    assert rows(world, "SELECT state, asked_count FROM subscription") == [("live", 1)]
    assert rows(world, "SELECT count(*) FROM job") == [(0,)]


def test_a_foreign_number_is_asked_to_be_watched(world: World, network: Network, runner: Runner) -> None:
    binding_id = bound(world, taken=False)
    network.answers = [Unavailable("cannot be reached"), SubscribeAnswer(True)]
    world.work.run(lambda tx: actions.watch(tx, [binding_id]))
    while runner.drain():
        pass
    assert network.asked[-1] == ("subscribe", "YTO", "YT1", "6021")
    assert rows(world, "SELECT state, asked_count, asked_at FROM subscription") == [
        ("live", 1, world.work.clock.now())]  # fmt: skip


def test_an_asking_that_is_refused_is_said(world: World, network: Network, runner: Runner) -> None:
    binding_id = bound(world, taken=False)
    network.answers = [SubscribeAnswer(False, "no such carrier")]
    world.work.run(lambda tx: actions.watch(tx, [binding_id]))
    runner.drain()
    assert rows(world, "SELECT state, died_reason FROM subscription") == [("died", actions.GAVE_UP)]
    assert rows(world, "SELECT name, body->>'binding_id' FROM event WHERE subject LIKE 'parcel%%'") == [
        ("SubscriptionDied", str(binding_id))]  # fmt: skip
    world.work.run(lambda tx: actions.renew_watch(tx, [(binding_id, actions.GAVE_UP)]))
    assert rows(world, "SELECT count(*) FROM job WHERE state = 'ready'") == [(0,)]


def test_a_dead_subscription_is_renewed_by_the_aggregators_rules(
    world: World, network: Network, runner: Runner
) -> None:
    binding_id = bound(world, taken=True)
    world.work.run(lambda tx: actions.watch(tx, [binding_id]))
    network.answers = [SubscribeAnswer(True)]

    world.work.run(lambda tx: actions.renew_watch(tx, [(binding_id, "监控中止：三天无轨迹")]))
    runner.drain()
    assert network.asked == []  # not before a minute has passed
    assert [dead.died_reason for dead in world.work.run(actions.list_dead)] == ["监控中止：三天无轨迹"]
    world.work.clock.advance(timedelta(minutes=2))  # type: ignore[attr-defined]
    wake(world)
    runner.drain()
    assert rows(world, "SELECT state, asked_count, died_reason FROM subscription") == [("live", 2, "")]

    world.work.run(lambda tx: actions.renew_watch(tx, [(binding_id, "三天无轨迹")]))
    world.work.clock.advance(timedelta(minutes=2))  # type: ignore[attr-defined]
    runner.drain()
    assert len(network.asked) == 1  # two askings a month
    world.work.clock.advance(timedelta(days=31))  # type: ignore[attr-defined]
    network.answers = [SubscribeAnswer(True)]
    wake(world)
    runner.drain()
    assert rows(world, "SELECT state, asked_count FROM subscription") == [("live", 3)]


def wake(world: World) -> None:
    rows(world, "UPDATE job SET due_at = clock_timestamp() WHERE state = 'ready' RETURNING 1")


def test_what_asking_again_cannot_mend_stays_dead(world: World, network: Network, runner: Runner) -> None:
    binding_id = bound(world, taken=True)
    world.work.run(lambda tx: actions.watch(tx, [binding_id]))
    world.work.run(lambda tx: actions.renew_watch(tx, [(binding_id, "单号不存在")]))
    world.work.clock.advance(timedelta(days=2))  # type: ignore[attr-defined]
    runner.drain()
    assert network.asked == []
    assert rows(world, "SELECT state FROM subscription") == [("died",)]


def test_a_finished_journey_is_not_watched(world: World) -> None:
    binding_id = bound(world, taken=True)
    world.work.run(lambda tx: actions.watch(tx, [binding_id]))
    world.work.run(lambda tx: actions.end_watch(tx, [501]))
    world.work.run(lambda tx: actions.renew_watch(tx, [(binding_id, "三天无轨迹")]))
    assert rows(world, "SELECT state FROM subscription") == [("ended",)]
    world.work.run(lambda tx: actions.go_on_watching(tx, [501]))
    assert rows(world, "SELECT state FROM subscription") == [("live",)]


def test_numbers_are_watched_again_by_the_rules_of_their_network(world: World) -> None:
    """三天无轨迹 can be mended by asking again, other ends cannot: the manifest says so."""
    outside = Outside(Network(), {"kdniao": adapter.network}, {})  # type: ignore[arg-type]
    (subscribe,) = [handler for handler in jobs.handlers(outside) if handler.kind == actions.SUBSCRIBE]
    assert subscribe.renewals["kdniao"].reasons == ("三天无轨迹", "七天内无轨迹变化")  # type: ignore[attr-defined]
