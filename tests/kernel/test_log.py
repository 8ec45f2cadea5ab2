"""The log keeps every committed event once, in one order, whatever the transactions around it do."""

import subprocess
import threading
from collections.abc import Iterator

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo

from tests.engine import Engine
from tests.kernel.machine import (
    AT,
    SHOP,
    eventually,
    frail,
    held,
    kill_frail,
    list_orders,
    read_all,
    released,
    rows,
    running,
    tell,
)
from waystream.kernel import log
from waystream.kernel.database import Database, Shops
from waystream.kernel.log import Sequencer, cause_depth
from waystream.kernel.server_account import find_binaries


def test_an_event_is_read_back_as_it_was_told(database: Database) -> None:
    with database.tx() as conn:
        log.emit(conn, [held(1, "address"), released(2)], at=AT, cause="push:9")
    with database.tx() as conn:
        assert read_all(conn) == [], "not before it has its place"
        assert log.sequence(conn) == 2
    with database.tx() as conn:
        first, second = read_all(conn)
    assert (first.event, first.at, first.position, first.cause) == (held(1, "address"), AT, 1, "push:9")
    assert (second.event, second.position, second.id) == (released(2), 2, first.id + 1)
    assert rows(database, "SELECT name, shop_id, subject FROM event ORDER BY id") == [
        ("OrderHeld", SHOP, "order:1"),
        ("OrderReleased", SHOP, "order:2"),
    ]


def test_nothing_told_is_nothing_written(database: Database) -> None:
    with database.tx() as conn:
        log.emit(conn, [], at=AT)
        assert log.sequence(conn) == 0
        assert log.head(conn) == 0


def test_a_rolled_back_event_never_happened(database: Database) -> None:
    with database.tx() as conn:
        log.emit(conn, [held(1)], at=AT)
        conn.rollback()
    tell(database, held(2))
    with database.tx() as conn:
        assert list_orders(read_all(conn)) == [2]


def test_readers_ask_by_position_name_and_number(database: Database) -> None:
    tell(database, held(1), released(2), held(3), released(4), held(5))
    with database.tx() as conn:
        assert list_orders(log.read(conn, after=1, limit=10)) == [2, 3, 4, 5]
        assert list_orders(log.read(conn, after=0, limit=2, names={"OrderHeld"})) == [1, 3]
        assert list_orders(log.read(conn, after=0, limit=9, upto=3)) == [1, 2, 3]
        assert list_orders(log.read_at(conn, [4, 2])) == [2, 4]
        assert log.head(conn) == 5


def test_a_shop_is_told_of_by_the_page_that_may_see_it(database: Database, page_database: Database) -> None:
    with page_database.tx(shops=Shops.of([SHOP])) as conn:
        log.emit(conn, [held(1)], at=AT)
    with pytest.raises(psycopg.errors.InsufficientPrivilege), page_database.tx(shops=Shops.of([8])) as conn:
        log.emit(conn, [held(2)], at=AT)
    assert database.run(log.sequence) == 1


def test_a_late_commit_is_not_skipped(database: Database) -> None:
    with database.tx() as slow:
        log.emit(slow, [held(1)], at=AT)
        tell(database, held(2))
        with database.tx() as reader:
            assert list_orders(read_all(reader)) == [2]
    with database.tx() as conn:
        assert log.sequence(conn) == 1
    with database.tx() as reader:
        late = log.read(reader, after=1, limit=10)
        assert list_orders(late) == [1]
        assert late[0].id < read_all(reader)[0].id


def test_an_open_write_transaction_stalls_nobody(database: Database, engine: Engine) -> None:
    with psycopg.connect(engine.admin_url) as stranger:
        stranger.execute("CREATE TABLE elsewhere (n int)")
        with database.tx() as writer:
            log.emit(writer, [held(1)], at=AT)
            tell(database, held(2), held(3))
            with database.tx() as reader:
                assert list_orders(read_all(reader)) == [2, 3]
        stranger.rollback()


def test_a_batch_is_bounded_and_the_next_goes_on(database: Database) -> None:
    with database.tx() as conn:
        log.emit(conn, [held(n) for n in range(5)], at=AT)
    with database.tx() as conn:
        assert [log.sequence(conn, limit=2) for _ in range(4)] == [2, 2, 1, 0]
    with database.tx() as conn:
        assert [(recorded.position, recorded.event) for recorded in read_all(conn)] == [
            (n + 1, held(n)) for n in range(5)
        ]


def test_two_sequencers_place_everything_once(database: Database) -> None:
    def write(first: int) -> None:
        for n in range(first, first + 50):
            with database.tx() as conn:
                log.emit(conn, [held(n), released(n)], at=AT)

    writers = [threading.Thread(target=write, args=(start,)) for start in (0, 1000, 2000)]
    with running(Sequencer(database, limit=7), Sequencer(database, limit=5)):
        for thread in writers:
            thread.start()
        for thread in writers:
            thread.join()
        eventually(lambda: rows(database, "SELECT FROM event_new") == [])

    with database.tx() as conn:
        placed = read_all(conn)
    assert [recorded.position for recorded in placed] == list(range(1, 301))
    assert len({recorded.id for recorded in placed}) == 300
    for order_id in (0, 1025, 2049):
        own = [type(recorded.event).__name__ for recorded in placed if recorded.event.subject == f"order:{order_id}"]
        assert own == ["OrderHeld", "OrderReleased"]


def test_a_second_sequencer_waits_for_the_first(database: Database) -> None:
    with database.tx() as conn:
        log.emit(conn, [held(1), held(2)], at=AT)
    placed: list[int] = []
    with database.tx() as first:
        assert log.sequence(first, limit=1) == 1
        second = threading.Thread(target=lambda: placed.append(database.run(log.sequence)))
        second.start()
        eventually(lambda: rows(database, "SELECT FROM pg_locks WHERE NOT granted"))
    second.join()
    assert placed == [1]
    assert rows(database, "SELECT position, event_id - min(event_id) OVER () FROM log ORDER BY 1") == [(1, 0), (2, 1)]


def test_a_reader_sees_no_gap_while_events_are_placed(database: Database) -> None:
    with database.tx() as conn:
        log.emit(conn, [held(n) for n in range(400)], at=AT)
    placing = threading.Thread(target=Sequencer(database, limit=3).drain)
    placing.start()
    seen: list[int] = []
    while placing.is_alive():
        with database.tx() as conn:
            seen += [recorded.position for recorded in log.read(conn, after=len(seen), limit=50)]
    assert seen == list(range(1, len(seen) + 1))


def test_the_sequencer_wakes_by_itself_and_wakes_readers(database: Database, engine: Engine) -> None:
    with psycopg.connect(engine.postgres.machine_url, autocommit=True) as reader:
        reader.execute("LISTEN waystream_log")
        with running(Sequencer(database, poll_s=60)):
            with database.tx() as conn:
                log.emit(conn, [held(1)], at=AT)
            assert [notify.channel for notify in reader.notifies(timeout=10, stop_after=1)] == ["waystream_log"]


def test_the_sequencer_outlives_a_killed_connection(database: Database, engine: Engine) -> None:
    with frail(engine) as own, running(Sequencer(own, poll_s=0.1)):
        tell(database, held(1))
        kill_frail(engine)
        with database.tx() as conn:
            log.emit(conn, [held(2)], at=AT)
        eventually(lambda: len(rows(database, "SELECT FROM log")) == 2)


@pytest.fixture
def restored(database: Database, engine: Engine) -> Iterator[str]:
    """The address of a copy of the database, made by dump and restore, in which one event had no place yet."""
    tell(database, held(1), held(2))
    with database.tx() as conn:
        log.emit(conn, [held(3)], at=AT)
    with psycopg.connect(engine.admin_url, autocommit=True) as admin:
        admin.execute("CREATE DATABASE restored TEMPLATE template0")
        copy = make_conninfo(engine.admin_url, dbname="restored")
        binaries = find_binaries()
        dump = engine.folder / "dump"
        subprocess.run([binaries / "pg_dump", "-Fc", "-N", "seed", "-f", dump, "-d", engine.admin_url], check=True)
        subprocess.run([binaries / "pg_restore", "--exit-on-error", "-d", copy, dump], check=True)
        yield copy
        admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier("restored")))


def test_the_log_goes_on_after_dump_and_restore(restored: str) -> None:
    with psycopg.connect(restored) as conn:
        assert log.head(conn) == 2
        log.emit(conn, [held(4)], at=AT)
        assert log.sequence(conn) == 2
        after = log.read(conn, after=2, limit=10)
    assert [(recorded.position, recorded.event) for recorded in after] == [(3, held(3)), (4, held(4))]


def test_a_chain_of_causes_is_counted_and_ends(database: Database) -> None:
    cause = "push:1"
    for depth in range(1, log.DEEPEST_CAUSE + 1):
        tell_with_cause(database, cause)
        with database.tx() as conn:
            newest = read_all(conn)[-1]
        cause = newest.as_cause
        assert cause == f"event:{newest.id}/{depth}"
    tell_with_cause(database, cause)
    with database.tx() as conn:
        too_deep = read_all(conn)[-1].as_cause
    with pytest.raises(log.EndlessCause):
        tell_with_cause(database, too_deep)


def tell_with_cause(database: Database, cause: str) -> None:
    with database.tx() as conn:
        log.emit(conn, [held(1)], at=AT, cause=cause)
        log.sequence(conn)


@pytest.mark.parametrize(
    ("cause", "depth"), [("", 0), ("push:4/7", 0), ("job:3", 0), ("event:3/2", 2), ("log:3-90/4", 4)]
)
def test_the_depth_of_a_cause(cause: str, depth: int) -> None:
    assert cause_depth(cause) == depth
