"""What the calendar says becomes tickets, and closes them, with every rule over the real wire."""

from datetime import timedelta

from tests.parts.world import order
from tests.rules.side import Memory, Whole
from tests.rules.test_carrier_says import push, push_list
from tests.rules.test_ship_to_dispatch import ship
from waystream.core.events.fulfilment import CancelledNumberScanned, SubscriptionDied
from waystream.integrations.kdniao.fakepush import TraceNews
from waystream.kernel.clock import FixedClock
from waystream.parts.deadlines import actions as deadlines
from waystream.parts.fulfilment import actions as fulfilment
from waystream.parts.hub.actions import GAVE_UP
from waystream.parts.orders import actions as orders

HOUR = timedelta(hours=1)
PAID = "2026-11-12T14:32:00+08:00"  # as the tests' clock begins


def pass_time(whole: Whole, clock: FixedClock, passed: timedelta) -> None:
    clock.advance(passed)
    whole.work.run(deadlines.fire_due)
    whole.settle()


def tickets(whole: Whole) -> list[tuple[str, str]]:
    return whole.rows("SELECT cause, CASE state WHEN 'closed' THEN ending ELSE 'open' END FROM ticket ORDER BY cause")


def leave(whole: Whole) -> int:
    [(parcel_id,)] = whole.rows("SELECT id FROM parcel")
    whole.work.run(lambda tx: fulfilment.dispatch(tx, [parcel_id], by="scan", actor="staff:1"))
    whole.settle()
    return parcel_id


def test_an_order_that_did_not_leave_in_time_has_a_ticket_until_it_leaves(whole: Whole, clock: FixedClock) -> None:
    ship(whole, "A1", paid_at=PAID)
    whole.settle()
    pass_time(whole, clock, 48 * HOUR)
    assert tickets(whole) == [("not_dispatched", "open")]
    pass_time(whole, clock, 10 * HOUR)
    leave(whole)
    assert tickets(whole) == [("not_dispatched", "dispatched")]
    assert whole.rows("SELECT kind, stand FROM deadline ORDER BY kind") == [("collection", "open"), ("ship_by", "met")]
    assert whole.broken() == []


def test_a_ticket_goes_when_the_shop_gives_more_time(whole: Whole, clock: FixedClock) -> None:
    ship(whole, "A1", paid_at=PAID, ship_by="2026-11-12T16:00:00+08:00")
    whole.settle()
    pass_time(whole, clock, 2 * HOUR)
    with whole.work.begin() as tx:
        orders.accept(tx, [order("A1", paid_at=PAID, ship_by="2026-11-20T16:00:00+08:00")])
    whole.settle()
    assert tickets(whole) == [("not_dispatched", "retracted")]
    assert whole.rows("SELECT stand FROM deadline") == [("open",)]


def test_a_parcel_nobody_collects_has_a_ticket_until_somebody_does(
    whole: Whole, memory: Memory, clock: FixedClock
) -> None:
    ship(whole, "A1", paid_at=PAID)
    whole.settle()
    leave(whole)
    pass_time(whole, clock, 24 * HOUR)
    assert tickets(whole) == [("not_collected", "open")]
    [number] = memory.alive()
    push(whole, number)
    assert tickets(whole) == [("not_collected", "collected")]
    assert whole.broken() == []


def test_a_parcel_that_waits_too_long_in_a_locker_has_a_ticket_until_it_is_fetched(
    whole: Whole, memory: Memory, clock: FixedClock
) -> None:
    ship(whole, "A1", paid_at=PAID)
    whole.settle()
    leave(whole)
    [number] = memory.alive()
    push(whole, number)
    clock.advance(HOUR)
    push(whole, number, text="快件已存放至丰巢快递柜，请及时取件", says="211")
    assert whole.rows("SELECT state FROM track") == [("ready_for_pickup",)]
    pass_time(whole, clock, 48 * HOUR)
    assert tickets(whole) == [("locker_overdue", "open")]
    push(whole, number, text="客户已取件，签收", says="304")
    assert tickets(whole) == [("locker_overdue", "delivered")]
    assert whole.broken() == []


def test_a_dead_subscription_is_a_ticket_only_where_nothing_renews_it(whole: Whole) -> None:
    ship(whole, "A1", paid_at=PAID)
    whole.settle()
    [(binding_id, parcel_id)] = whole.rows("SELECT id, parcel_id FROM binding")

    def die(reason: str) -> None:
        event = SubscriptionDied(shop_id=whole.world.tea, parcel_id=parcel_id, binding_id=binding_id, reason=reason)
        whole.work.run(lambda tx: tx.emit(event))
        whole.settle()

    die("no trace for days")
    assert tickets(whole) == []
    die(GAVE_UP)
    assert tickets(whole) == [("subscription_dead", "open")]


def test_a_scanned_number_that_was_cancelled_is_a_ticket(whole: Whole) -> None:
    ship(whole, "A1", paid_at=PAID)
    whole.settle()
    [(binding_id, parcel_id)] = whole.rows("SELECT id, parcel_id FROM binding")
    event = CancelledNumberScanned(shop_id=whole.world.tea, parcel_id=parcel_id, binding_id=binding_id)
    whole.work.run(lambda tx: tx.emit(event))
    whole.settle()
    assert tickets(whole) == [("cancelled_number_scanned", "open")]


class Way:
    """A parcel to Chengdu that has left, and what its carrier told so far: every push tells all of it."""

    def __init__(self, whole: Whole, memory: Memory, clock: FixedClock) -> None:
        self.whole, self.clock = whole, clock
        ship(whole, "A1", paid_at=PAID)
        whole.settle()
        leave(whole)
        [self.number] = memory.alive()
        self.traces: list[TraceNews] = []

    def tell(self, text: str, code: str, *, after: timedelta = HOUR) -> None:
        self.clock.advance(after)
        self.traces.append(TraceNews(self.clock.now(), code, text))
        push_list(self.whole, self.number, *self.traces)

    def deliver(self, text: str) -> None:
        """Within three days, as it should be but for the last scan."""
        self.tell("【杭州市】已揽收", "1")
        self.tell("【成都市】正在派件", "202", after=70 * HOUR)
        self.tell(text, "301")


def test_a_delivery_as_it_should_be_is_looked_at_once_and_forgotten(
    whole: Whole, memory: Memory, clock: FixedClock
) -> None:
    Way(whole, memory, clock).deliver("【成都市】已签收，签收人本人")
    assert whole.rows("SELECT kind, stand FROM deadline") == [("verification", "open")]
    pass_time(whole, clock, HOUR)
    assert whole.rows("SELECT kind, stand, doubts FROM deadline") == [("verification", "met", [])]
    assert tickets(whole) == [] and whole.broken() == []
    clock.advance(timedelta(days=31))
    assert whole.work.run(deadlines.forget_verified) == 1
    assert whole.rows("SELECT FROM deadline") == []


def test_a_delivery_in_another_city_has_a_ticket_until_it_is_taken_back(
    whole: Whole, memory: Memory, clock: FixedClock
) -> None:
    way = Way(whole, memory, clock)
    way.deliver("【北京市】已签收，签收人本人")
    assert tickets(whole) == []
    pass_time(whole, clock, HOUR)
    assert tickets(whole) == [("signed_elsewhere", "open")]
    assert whole.rows("SELECT stand, doubts FROM deadline") == [("missed", ["elsewhere"])]
    pass_time(whole, clock, 100 * HOUR)
    assert len(whole.rows("SELECT FROM event WHERE name = 'DeliveryDoubted'")) == 1
    way.tell("【成都市】再次派件", "202")
    assert tickets(whole) == [("signed_elsewhere", "retracted")]
    assert whole.rows("SELECT body ->> 'kind' FROM event WHERE name = 'ParcelCaughtUp'") == [("verification",)]
    assert whole.broken() == []


def test_a_doubt_waits_for_late_scans(whole: Whole, memory: Memory, clock: FixedClock) -> None:
    """Told first that it is signed for, then how it came there: nobody was accused meanwhile."""
    way = Way(whole, memory, clock)
    way.tell("【成都市】已签收", "301", after=3 * HOUR)
    came = TraceNews(clock.now() - HOUR / 2, "202", "【成都市】正在派件")
    push_list(whole, way.number, came, *way.traces)
    pass_time(whole, clock, HOUR)
    assert tickets(whole) == [], "it may have flown"
    assert whole.rows("SELECT stand FROM deadline") == [("met",)]


def test_a_delivery_that_cannot_have_come_so_fast_has_a_ticket(whole: Whole, memory: Memory, clock: FixedClock) -> None:
    way = Way(whole, memory, clock)
    way.tell("已签收，签收人本人", "301", after=3 * HOUR)
    pass_time(whole, clock, HOUR)
    assert tickets(whole) == [("signed_too_early", "open")]


def test_a_parcel_that_was_to_be_stopped_and_is_delivered_has_a_ticket(
    whole: Whole, memory: Memory, clock: FixedClock
) -> None:
    way = Way(whole, memory, clock)
    way.tell("已揽收", "1")
    way.tell("快件已拦截", "", after=70 * HOUR)
    assert whole.rows("SELECT state FROM track") == [("intercepted",)]
    way.tell("已签收，签收人本人", "301")
    pass_time(whole, clock, HOUR)
    assert tickets(whole) == [("intercepted_but_delivered", "open")]
    assert whole.broken() == []
