"""Transactions on the real database: what they see, when they are tried again, who is woken, what errors say."""

import contextlib
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from tests.engine import Engine
from waystream.core.errors import Refused, Unavailable
from waystream.kernel.database import Connection, Database, Shops, error_text

PLANTED = "13812345678"


@pytest.fixture
def pair(engine: Engine) -> Iterator[None]:
    """A table of two rows, of two shops, held by row-level security."""
    with psycopg.connect(engine.postgres.owner_url, autocommit=True) as owner:
        owner.execute("create table pair (id int primary key, shop_id bigint, n int not null)")
        owner.execute("insert into pair values (1, 1, 0), (2, 2, 0)")
        owner.execute("call hold_by_shop('pair')")
        yield
        owner.execute("drop table pair")


def ids(conn: Connection) -> list[int]:
    return [row[0] for row in conn.execute("select id from pair order by id")]


def test_shops_as_the_policies_read_them() -> None:
    assert Shops.every().setting == "*"
    assert Shops.of([7, 1]).setting == "1,7"
    assert Shops.of([]).setting == ""
    assert 7 in Shops.of({7})
    assert 8 not in Shops.of({7})
    assert 8 in Shops.every()


@pytest.mark.usefixtures("pair")
def test_a_page_sees_the_shops_of_its_transaction_and_no_other(database: Database, page_database: Database) -> None:
    seen = []
    for shops in (None, Shops.of([]), Shops.of([1]), Shops.of([1, 2, 3]), Shops.every(), None):
        with page_database.tx(shops=shops) as conn:
            seen.append(ids(conn))
    assert seen == [[], [], [1], [1, 2], [1, 2], []]
    with database.tx() as conn:
        assert ids(conn) == [1, 2]


@pytest.mark.usefixtures("pair")
def test_a_page_cannot_write_another_shop(page_database: Database) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege), page_database.tx(shops=Shops.of([1])) as conn:
        conn.execute("insert into pair values (3, 2, 0)")


@pytest.mark.usefixtures("pair")
def test_an_error_rolls_back_and_the_next_transaction_is_clean(database: Database) -> None:
    with pytest.raises(psycopg.errors.UniqueViolation), database.tx() as conn:
        conn.execute("with three as (insert into pair values (3, 1, 0)) insert into pair values (1, 1, 0)")
    with database.tx() as conn:
        assert ids(conn) == [1, 2]


@pytest.mark.usefixtures("pair")
def test_a_read_only_transaction_writes_nothing(database: Database) -> None:
    with pytest.raises(psycopg.errors.ReadOnlySqlTransaction), database.tx(read_only=True) as conn:
        conn.execute("delete from pair")
    with database.tx() as conn:
        conn.execute("delete from pair")


@pytest.mark.usefixtures("pair")
def test_two_that_deadlock_both_succeed(database: Database) -> None:
    """Each takes the other's row second; the one PostgreSQL ends is run again from its start."""
    meet = threading.Barrier(2, timeout=5)
    runs: list[int] = []

    def add_to_both(first: int, second: int) -> None:
        def work(conn: Connection) -> None:
            runs.append(first)
            conn.execute("update pair set n = n + 1 where id = %s", [first])
            if len(runs) <= 2:
                meet.wait()
            conn.execute("update pair set n = n + 1 where id = %s", [second])

        database.run(work)

    with ThreadPoolExecutor(2) as pool:
        for done in [pool.submit(add_to_both, 1, 2), pool.submit(add_to_both, 2, 1)]:
            done.result(30)
    with database.tx() as conn:
        assert conn.execute("select n from pair").fetchall() == [(2,), (2,)]
    assert len(runs) == 3


def test_what_never_succeeds_is_tried_four_times(database: Database) -> None:
    runs: list[int] = []

    def work(conn: Connection) -> None:
        runs.append(1)
        conn.execute("do $$ begin raise exception using errcode = '40001'; end $$")

    with pytest.raises(psycopg.errors.SerializationFailure):
        database.run(work)
    assert len(runs) == 4


def test_other_errors_are_not_tried_again(database: Database) -> None:
    runs: list[int] = []

    def work(conn: Connection) -> None:
        runs.append(1)
        conn.execute("select 1/0")

    with pytest.raises(psycopg.errors.DivisionByZero):
        database.run(work)
    assert len(runs) == 1


@pytest.mark.usefixtures("pair")
def test_waiting_has_an_end(engine: Engine) -> None:
    hasty = Database(engine.postgres.machine_url, role="hasty", statement_timeout_s=0.2, lock_timeout_s=0.1)
    hasty.open()
    try:
        with pytest.raises(psycopg.errors.QueryCanceled), hasty.tx() as conn:
            conn.execute("select pg_sleep(5)")
        with engine.machine.tx() as holder:
            holder.execute("update pair set n = 1 where id = 1")
            with pytest.raises(psycopg.errors.LockNotAvailable), hasty.tx() as conn:
                conn.execute("update pair set n = 2 where id = 1")
    finally:
        hasty.close()


def test_a_lost_connection_is_replaced(engine: Engine, database: Database) -> None:
    with database.tx() as conn:
        pid = conn.info.backend_pid
    with psycopg.connect(engine.admin_url, autocommit=True) as admin:
        admin.execute(
            "select pg_terminate_backend(pid, 5000) from pg_stat_activity where application_name like '%machine'"
        )
    with database.tx() as conn:
        assert conn.info.backend_pid != pid


def test_many_lost_connections_are_replaced_at_once(engine: Engine, database: Database) -> None:
    with contextlib.ExitStack() as busy:
        lost = {busy.enter_context(database.tx()).info.backend_pid for _ in range(8)}
    with psycopg.connect(engine.admin_url, autocommit=True) as admin:
        admin.execute("select pg_terminate_backend(pid, 5000) from unnest(%s::int[]) as pid", [list(lost)])
    with database.tx() as conn:
        assert conn.info.backend_pid not in lost


def test_a_database_that_is_not_there_is_unavailable(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("waystream.kernel.database.OPEN_WAIT_S", 0.3)
    with pytest.raises(Unavailable, match="does not answer"):
        Database("host=/nowhere dbname=x", role="lost").open()


class Listener:
    """A thread that collects what a channel says."""

    def __init__(self, database: Database, channel: str, *, timeout_s: float = 5.0) -> None:
        self.heard: list[str] = []
        self._any = threading.Condition()
        self._listening = database.listen(channel, timeout_s=timeout_s)
        self.thread = threading.Thread(target=self._collect)
        self.thread.start()

    def wait_for(self, *expected: str) -> None:
        with self._any:
            assert self._any.wait_for(lambda: self.heard == list(expected), 10), self.heard

    def _collect(self) -> None:
        for payload in self._listening:
            with self._any:
                self.heard.append(payload)
                self._any.notify_all()


@pytest.fixture
def listening(engine: Engine) -> Iterator[Database]:
    database = Database(engine.postgres.machine_url, role="listener")
    database.open()
    yield database
    database.close()


def test_a_listener_hears_what_was_committed(database: Database, listening: Database) -> None:
    listener = Listener(listening, "Some channel", timeout_s=0.2)
    listener.wait_for("")
    with database.tx() as conn:
        conn.execute("""notify "Some channel", 'one'""")
        conn.execute("""notify "Some channel", 'two'""")
    deadline = time.monotonic() + 10
    while [said for said in listener.heard if said] != ["one", "two"]:
        assert time.monotonic() < deadline, listener.heard
        time.sleep(0.01)
    listening.close()
    listener.thread.join(5)
    assert not listener.thread.is_alive()


def test_a_listener_looks_again_after_a_lost_connection(
    engine: Engine, database: Database, listening: Database
) -> None:
    listener = Listener(listening, "news")
    listener.wait_for("")
    with psycopg.connect(engine.admin_url, autocommit=True) as admin:
        admin.execute("select pg_terminate_backend(pid) from pg_stat_activity where query like 'listen %'")
    listener.wait_for("", "")
    with database.tx() as conn:
        conn.execute("notify news, 'after'")
    listener.wait_for("", "", "after")
    with psycopg.connect(engine.admin_url, autocommit=True) as admin:
        listening._closing.set()
        admin.execute("notify news")
    listener.thread.join(5)
    assert not listener.thread.is_alive()


@pytest.mark.usefixtures("pair")
def test_an_error_in_the_log_never_quotes(database: Database) -> None:
    with pytest.raises(psycopg.Error) as violated, database.tx() as conn:
        conn.execute("insert into pair values (1, 1, 0)")
    with pytest.raises(psycopg.Error) as mistyped, database.tx() as conn:
        conn.execute(f"select 'no {PLANTED}'::int".encode())
    with pytest.raises(ValueError) as plain:
        int(PLANTED + " x")

    assert error_text(violated.value) == "UniqueViolation 23505 table=pair constraint=pair_pkey"
    assert error_text(mistyped.value) == "InvalidTextRepresentation 22P02"
    assert error_text(plain.value).startswith("ValueError at test_database.py:")
    assert error_text(KeyError(PLANTED)) == "KeyError"
    assert error_text(Refused("The balance is empty")) == "Refused: The balance is empty"


def test_a_listener_says_nothing_when_the_server_stops_first(
    engine: Engine, listening: Database, caplog: pytest.LogCaptureFixture
) -> None:
    listener = Listener(listening, "news", timeout_s=30)
    listener.wait_for("")
    listening.close()
    with psycopg.connect(engine.admin_url, autocommit=True) as admin:
        admin.execute("select pg_terminate_backend(pid) from pg_stat_activity where query like 'listen %news%'")
    listener.thread.join(5)
    assert not listener.thread.is_alive()
    assert caplog.records == []
