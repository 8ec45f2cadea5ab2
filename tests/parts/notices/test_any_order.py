"""Whatever happens, in whatever order and however often it is told: said once, not after delivery, N a day at most."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.engine import Engine
from tests.parts.notices.conftest import Desk, Recording
from tests.parts.world import build
from waystream.core.channels import ChannelKind, Handed, Letter
from waystream.core.errors import Refused, Unavailable
from waystream.core.state import Kind, State
from waystream.kernel.clock import FixedClock
from waystream.kernel.vault import Keys, Vault

CHINA = ZoneInfo("Asia/Shanghai")
START = datetime(2026, 11, 12, 1, 0, tzinfo=UTC)
A_DAY = 2

STATES = st.sampled_from(
    [
        (State.IN_TRANSIT, Kind.NONE),
        (State.OUT_FOR_DELIVERY, Kind.NONE),
        (State.READY_FOR_PICKUP, Kind.NONE),
        (State.ATTEMPT_FAILED, Kind.UNREACHABLE),
        (State.EXCEPTION, Kind.DELAYED),
        (State.EXCEPTION, Kind.DAMAGED),
        (State.DELIVERED, Kind.IN_PERSON),
        (State.RETURNING, Kind.NONE),
    ]
)
#: A parcel moves (and is told again at once, or not), left the warehouse, or time passes.
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("move"), st.integers(0, 3), STATES, st.booleans()),
        st.tuples(st.just("dispatch"), st.integers(0, 3), st.none(), st.booleans()),
        st.tuples(st.just("wait"), st.integers(1, 20), st.none(), st.just(False)),
    ),
    min_size=3,
    max_size=18,
)
ANSWERS = st.lists(st.sampled_from(["taken", "taken", "refused", "away", "silent"]), max_size=12)


class Story:
    """Two orders of one buyer with two parcels each, and what was handed over with the state it was handed over in."""

    def __init__(self, engine: Engine, answers: list[str]) -> None:
        engine.wipe()
        self.clock = FixedClock(START)
        self.desk = Desk(build(engine.machine, self.clock, Keys(Vault(bytes(range(32))))), self.clock)
        self.desk.speak(per_order_day=A_DAY, per_person_day=A_DAY + 1)
        self.answers = list(answers)
        self.desk.channels = [
            Recording("mail", answer=self._answer),
            Recording("sms", ChannelKind.SMS, repeatable=True, answer=self._answer),
        ]
        orders = [self.desk.order(number) for number in ("A1", "A2")]
        self.parcels = [self.desk.parcel(order, state="in_transit", quantity=1) for order in orders for _ in range(2)]
        self.seen: list[tuple[Letter, datetime, set[str]]] = []

    def _answer(self, letter: Letter) -> Handed:
        self.seen.append((letter, self.clock.now(), self._states(letter)))
        said = self.answers.pop(0) if self.answers else "taken"
        if said == "refused":
            raise Refused("no")
        if said != "taken":
            raise Unavailable("later", sent=said == "silent")
        return Handed(letter.id)

    def _states(self, letter: Letter) -> set[str]:
        """Of the parcels it names."""
        rows = self.desk.rows(
            "SELECT state FROM track JOIN binding USING (parcel_id) WHERE number = ANY (%s)",
            letter.variables["number"].split("、"),
        )
        return {state for (state,) in rows}

    def live(self, steps: list[tuple[object, ...]]) -> None:
        for what, which, state, twice in steps:
            if what == "wait":
                self.clock.advance(timedelta(minutes=37 * which))  # type: ignore[operator]
            for _ in range(2 if twice else 1):
                if what == "move":
                    self.desk.move(self.parcels[which], *state)  # type: ignore[call-overload,misc]
                elif what == "dispatch":
                    self.desk.dispatch(self.parcels[which])  # type: ignore[call-overload]
            self.desk.settle(timedelta(minutes=5))
        for _ in range(8):
            self.desk.settle(timedelta(hours=9))


@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(steps=STEPS, answers=ANSWERS)
def test_nothing_twice_nothing_after_delivery_and_so_many_a_day(
    engine: Engine, steps: list[tuple[object, ...]], answers: list[str]
) -> None:
    story = Story(engine, answers)
    story.live(steps)

    handed = story.desk.rows("SELECT letter_id, kind, order_id, composed_at FROM notice WHERE handed_at IS NOT NULL")
    assert story.desk.broken() == []
    for letter, _, states in story.seen:
        assert letter.template == "delivered" or states - {"delivered"}, "said after delivery"
    told = story.desk.rows(
        """SELECT parcel_id, t.kind, nth FROM notice_thing t JOIN notice n ON n.id = t.notice_id
           WHERE n.handed_at IS NOT NULL"""
    )
    assert not [thing for thing, n in Counter(told).items() if n > 1]
    of_order = Counter((order_id, at.astimezone(CHINA).date()) for _, _, order_id, at in handed)
    of_person = Counter(at.astimezone(CHINA).date() for _, _, _, at in handed)
    assert max(of_order.values(), default=0) <= A_DAY
    assert max(of_person.values(), default=0) <= A_DAY + 1
    assert not [at for _, at, _ in story.seen if not 8 <= at.astimezone(CHINA).hour < 22]
    by_mail = Counter(letter.id for letter in story.desk.channels[0].letters)
    assert {letter_id for letter_id, *_ in handed} <= {letter.id for letter, _, _ in story.seen}
    assert len(by_mail) <= len(story.desk.channels[0].letters)
