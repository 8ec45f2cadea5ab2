"""The door: groups, halves, quarantine, failure told as failure, "again later" when full."""

import threading
from collections.abc import Iterator

import psycopg
import pytest

from tests.engine import Engine
from tests.parts.tracking.conftest import Rows
from tests.parts.tracking.given import Bound, Shop, at, bind_parcels, received, told, trace
from waystream.core.errors import Unavailable
from waystream.core.ports import Trace
from waystream.integrations.kdniao.adapter import Kdniao
from waystream.kernel.clock import FixedClock
from waystream.kernel.database import Database
from waystream.kernel.tx import Work
from waystream.parts.tracking.door import Door
from waystream.parts.tracking.model import Received

WAIT_S = 20
NUL = trace(9, "204", "nul \x00")


@pytest.fixture
def door(work: Work) -> Iterator[Door]:
    door = Door(work, appliers=1)
    yield door
    door.stop()


def a_push(work: Work, shop: Shop, number: str, *traces: Trace, hour: float = 10) -> Received:
    with work.begin() as tx:
        return received(tx, shop, told(number, hour, *traces))


def test_what_waits_is_one_transaction(work: Work, shop: Shop, door: Door, rows: Rows) -> None:
    work.run(lambda tx: bind_parcels(tx.conn, shop, [f"YT{n}" for n in range(10)]))
    done = [door.submit(a_push(work, shop, f"YT{n}", trace(8, "1"))) for n in range(10)]
    door.start()
    assert [future.result(WAIT_S) for future in done] == [None] * 10
    assert rows("SELECT count(*), count(DISTINCT xmin::text) FROM inbox") == [(10, 1)]
    assert rows("SELECT count(*) FROM track WHERE state = 'collected'") == [10]


def test_a_poison_push_stands_alone_in_quarantine(
    work: Work, shop: Shop, parcel: Bound, door: Door, rows: Rows
) -> None:
    pushes = [a_push(work, shop, "YT1", trace(8 + n / 10, "204")) for n in range(7)]
    poison = a_push(work, shop, "YT1", NUL)
    done = [door.submit(push) for push in [*pushes[:4], poison, *pushes[4:]]]
    door.start()
    assert [future.result(WAIT_S) for future in done] == [None] * 8
    assert rows("SELECT count(*) FROM inbox") == [7]
    assert rows("SELECT digest, reason FROM quarantine") == [(poison.digest, "CharacterNotInRepertoire 22021")]


class Broken(Kdniao):
    """A network with a fault of ours in its table."""

    def meaning(self, code: str, text: str) -> object:
        raise ZeroDivisionError


def test_a_fault_of_ours_is_quarantined_too_and_the_door_stays_open(
    work: Work, shop: Shop, parcel: Bound, door: Door, rows: Rows
) -> None:
    with work.begin() as tx:
        broken = received(tx, shop, told("YT1", 10, trace(8, "1")), network=Broken())
    door.start()
    assert door.submit(broken).result(WAIT_S) is None
    assert rows("SELECT left(reason, 17) FROM quarantine") == ["ZeroDivisionError"]
    assert door.submit(a_push(work, shop, "YT1", trace(8, "1"))).result(WAIT_S) is None


def test_a_lock_that_is_not_given_fails_the_group(
    engine: Engine, work: Work, shop: Shop, parcel: Bound, clock: FixedClock, rows: Rows
) -> None:
    impatient = Database(engine.postgres.machine_url, role="impatient", lock_timeout_s=0.2)
    impatient.open()
    door = Door(Work(impatient, clock, work.keys), appliers=1)
    with psycopg.connect(engine.admin_url) as other:
        other.execute("LOCK TABLE scan")
        done = [door.submit(a_push(work, shop, "YT1", trace(8 + n, "204"))) for n in range(3)]
        door.start()
        assert [type(future.exception(WAIT_S)) for future in done] == [psycopg.errors.LockNotAvailable] * 3
    door.stop()
    impatient.close()
    assert rows("SELECT count(*) FROM inbox") == rows("SELECT count(*) FROM quarantine") == [0]


def test_a_lost_connection_fails_the_group_and_the_next_one_works(
    engine: Engine, work: Work, shop: Shop, parcel: Bound, door: Door, rows: Rows
) -> None:
    with psycopg.connect(engine.admin_url, autocommit=True) as other:
        other.execute("BEGIN; LOCK TABLE scan")
        done = door.submit(a_push(work, shop, "YT1", trace(8, "204")))
        door.start()
        waiting = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND pid <> %s"
        while not other.execute(waiting, [other.info.backend_pid]).fetchall():
            pass
        assert isinstance(done.exception(WAIT_S), psycopg.OperationalError)
        other.execute("COMMIT")
    assert door.submit(a_push(work, shop, "YT1", trace(9, "204"))).result(WAIT_S) is None
    assert rows("SELECT count(*) FROM scan") == [1]


def test_a_full_door_says_again_later(work: Work, shop: Shop, parcel: Bound) -> None:
    door = Door(work, appliers=1, waiting_max_pushes=2)
    done = [door.submit(a_push(work, shop, "YT1", trace(8 + n, "204"))) for n in range(2)]
    with pytest.raises(Unavailable) as refused:
        door.submit(a_push(work, shop, "YT1", trace(12, "204")))
    assert refused.value.retry_after_s
    door.start()
    door.stop()
    assert [future.result(0) for future in done] == [None, None]


def test_a_door_of_two_appliers_loses_nothing(work: Work, shop: Shop, rows: Rows) -> None:
    made = work.run(lambda tx: bind_parcels(tx.conn, shop, [f"YT{n}" for n in range(20)]))
    door = Door(work, appliers=2, group_max_pushes=5)
    door.start()
    start = threading.Barrier(4)
    done = []

    def send(mine: int) -> None:
        pushes = [
            a_push(work, shop, f"YT{n}", *[trace(8 + m, "204") for m in range(mine + 1)], hour=20 + mine)
            for n in range(20)
        ]
        start.wait()
        done.extend([door.submit(push) for push in (pushes if mine % 2 else reversed(pushes))])

    threads = [threading.Thread(target=send, args=[n]) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    door.stop()
    assert [future.result(0) for future in done] == [None] * 80
    assert rows("SELECT count(*) FROM scan") == [4 * len(made)]
    assert rows("SELECT DISTINCT at FROM track") == [at(11)]
