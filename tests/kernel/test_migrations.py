"""The migration runner on a database of its own: order, repetition, and everything it refuses."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from tests.engine import Engine
from waystream.core.errors import Conflict, Invalid, Unavailable
from waystream.kernel import migrations
from waystream.kernel.migrations import migrate


@pytest.fixture
def url(engine: Engine) -> Iterator[str]:
    """An empty database, as its owner."""
    with psycopg.connect(engine.admin_url, autocommit=True) as admin:
        admin.execute("create database migrated owner waystream_owner")
        yield make_conninfo(engine.postgres.owner_url, dbname="migrated")
        admin.execute("drop database migrated with (force)")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "0001_first.sql").write_text("create table a (n int); insert into a values (1); -- 100% 王\n")
    (tmp_path / "0002_second.sql").write_text("create table b (n int);\nalter table a add column m int;")
    return tmp_path


def ask(url: str, query: str) -> list[tuple[object, ...]]:
    with psycopg.connect(url) as conn:
        return conn.execute(query.encode()).fetchall()


def test_files_are_applied_once_in_order(url: str, folder: Path) -> None:
    assert migrate(url, folder=folder) == ["0001_first", "0002_second"]
    assert migrate(url, folder=folder) == []
    (folder / "0003_third.sql").write_text("insert into b values (7)")
    assert migrate(url, folder=folder) == ["0003_third"]
    assert ask(url, "select version, name, length(digest), applied_at is not null from migration order by 1") == [
        (version, name, 64, True) for version, name in enumerate(("0001_first", "0002_second", "0003_third"), start=1)
    ]
    assert ask(url, "select * from b") == [(7,)]


def test_two_runners_apply_each_file_once(url: str, folder: Path) -> None:
    start = threading.Barrier(2, timeout=10)

    def run() -> list[str]:
        start.wait()
        return migrate(url, folder=folder)

    with ThreadPoolExecutor(2) as pool:
        applied = [done.result(30) for done in [pool.submit(run), pool.submit(run)]]
    assert sorted(applied) == [[], ["0001_first", "0002_second"]]


def test_a_failing_file_leaves_nothing_and_is_named(url: str, folder: Path) -> None:
    (folder / "0003_third.sql").write_text("create table c (n int); create table a (n int)")
    with pytest.raises(psycopg.errors.DuplicateTable) as failed:
        migrate(url, folder=folder)
    assert failed.value.__notes__ == ["in migration 0003_third"]
    assert ask(url, "select max(version), to_regclass('c') is null from migration") == [(2, True)]
    (folder / "0003_third.sql").write_text("create table c (n int)")
    assert migrate(url, folder=folder) == ["0003_third"]


@pytest.mark.parametrize("ending", ["commit", "rollback", "commit; begin"])
def test_a_file_may_not_end_its_transaction(url: str, folder: Path, ending: str) -> None:
    (folder / "0003_third.sql").write_text(f"create table c (n int); {ending}; create table d (n int)")
    with pytest.raises((Invalid, psycopg.Error)):
        migrate(url, folder=folder)
    assert ask(url, "select max(version) from migration") == [(2,)]


def test_an_applied_file_never_changes(url: str, folder: Path) -> None:
    migrate(url, folder=folder)
    (folder / "0001_first.sql").write_text("create table a (n bigint)")
    with pytest.raises(Conflict, match="0001_first is not what was applied"):
        migrate(url, folder=folder)


def test_line_ends_are_no_change(url: str, folder: Path) -> None:
    migrate(url, folder=folder)
    path = folder / "0002_second.sql"
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert migrate(url, folder=folder) == []


def test_a_newer_database_is_left_alone(url: str, folder: Path) -> None:
    migrate(url, folder=folder)
    (folder / "0002_second.sql").unlink()
    with pytest.raises(Conflict, match="at version 2, this Waystream knows 1"):
        migrate(url, folder=folder)


@pytest.mark.parametrize("name", ["0004_gap.sql", "0002_twice.sql", "third.sql", "0003-third.sql", "0003_Third.sql"])
def test_badly_numbered_files_are_named(url: str, folder: Path, name: str) -> None:
    (folder / name).write_text("select 1")
    with pytest.raises(Invalid, match="should be named"):
        migrate(url, folder=folder)


def test_another_runner_in_the_way_is_unavailable(url: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(migrations, "OTHER_RUNNER_S", 0.2)
    with psycopg.connect(url) as other:
        other.execute("select pg_advisory_lock(%s)", [migrations.ADVISORY_LOCK])
        with pytest.raises(Unavailable, match="Another migration"):
            migrate(url, folder=folder)


def test_a_busy_table_is_unavailable(url: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(migrations, "TABLE_LOCK_S", 0.2)
    migrate(url, folder=folder)
    (folder / "0003_third.sql").write_text("alter table a add column k int")
    with psycopg.connect(url) as reader:
        reader.execute("select * from a")
        with pytest.raises(Unavailable, match="0003_third waits for a busy table"):
            migrate(url, folder=folder)


def test_our_own_files_add_up(engine: Engine) -> None:
    names = [migration.name for migration in migrations.read_folder(migrations.FOLDER)]
    assert names
    assert ask(engine.postgres.owner_url, "select name from migration order by version") == [(name,) for name in names]
