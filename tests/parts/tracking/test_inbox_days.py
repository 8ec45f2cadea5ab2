"""Kept pushes lie in days: made ahead, found by their id, dropped whole; the digests keep what was accepted once."""

import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from tests.engine import Engine
from tests.parts.tracking.conftest import Push, Rows
from tests.parts.tracking.given import DAY, Bound, told, trace
from waystream.kernel import migrations
from waystream.kernel.clock import FixedClock
from waystream.kernel.ids import mint_ids
from waystream.kernel.tx import Work
from waystream.parts.tracking import store_partitions
from waystream.parts.tracking.jobs import forget_old_pushes, make_inbox_days
from waystream.parts.tracking.partitions import day_of, find_day, list_days_ahead

LIES_IN = "SELECT DISTINCT tableoid::regclass::text FROM inbox"
BEFORE_DAYS = 9  # the last migration with all pushes in one table


def test_a_day_begins_and_ends_at_midnight() -> None:
    day = day_of(DAY + timedelta(hours=13))
    assert day.name == "inbox_2026_11_11"
    assert find_day(day.name) == day
    assert find_day("inbox_default") is None
    last_ms = int((DAY + timedelta(days=1)).timestamp() * 1000) - 1
    assert day.holds(mint_ids(1, at_ms=last_ms)[0])
    assert not day.holds(mint_ids(1, at_ms=last_ms + 1)[0])
    assert [ahead.name for ahead in list_days_ahead(DAY)][::7] == ["inbox_2026_11_11", "inbox_2026_11_18"]


def test_what_came_before_its_day_was_made_moves_over(
    work: Work, push: Push, parcel: Bound, rows: Rows, clock: FixedClock
) -> None:
    clock.advance(timedelta(days=400))
    push(told("YT1", 10, trace(8, "1")))
    assert rows(LIES_IN) == ["inbox_default"]
    assert work.run(make_inbox_days) == 8
    assert work.run(make_inbox_days) == 0
    assert rows(LIES_IN) == [day_of(clock.now()).name]


def test_the_same_bytes_are_known_while_their_day_is_kept(
    work: Work, push: Push, parcel: Bound, rows: Rows, clock: FixedClock
) -> None:
    work.run(make_inbox_days)
    said = told("YT1", 10, trace(8, "1"))
    push(said)
    clock.advance(timedelta(days=44))
    assert push(said).repeated == 1
    clock.advance(timedelta(days=2))
    assert work.run(lambda tx: forget_old_pushes(tx, timedelta(days=45))) == 1
    assert push(said).repeated == 0
    assert rows("SELECT count(*) FROM scan") == [1]


def test_what_lies_in_no_day_is_forgotten_too(
    work: Work, push: Push, parcel: Bound, rows: Rows, clock: FixedClock
) -> None:
    clock.advance(timedelta(days=800))
    push(told("YT1", 10, trace(8, "1")))
    clock.advance(timedelta(days=46))
    assert work.run(lambda tx: forget_old_pushes(tx, timedelta(days=45))) == 1
    assert rows("SELECT count(*) FROM inbox") == rows("SELECT count(*) FROM inbox_digest") == [0]


def test_the_machine_drops_days_and_nothing_else(work: Work) -> None:
    with work.begin() as tx, pytest.raises(psycopg.errors.InvalidParameterValue):
        store_partitions.drop_day(tx.conn, "inbox_default")


@pytest.fixture
def upgraded(engine: Engine, tmp_path: Path) -> Iterator[str]:
    """A database of the schema before, with one kept push, brought up to date."""
    for migration in migrations.read_folder(migrations.FOLDER)[:BEFORE_DAYS]:
        shutil.copy(migrations.FOLDER / f"{migration.name}.sql", tmp_path)
    with psycopg.connect(engine.admin_url, autocommit=True) as admin:
        admin.execute("CREATE DATABASE upgraded OWNER waystream_owner")
        url = make_conninfo(engine.postgres.owner_url, dbname="upgraded")
        migrations.migrate(url, folder=tmp_path)
        with psycopg.connect(url) as conn:
            conn.execute("INSERT INTO vault_key (purpose, day, wrapped) VALUES ('day', '2026-11-11', '')")
            conn.execute(
                """INSERT INTO aggregator (code, integration, merchant_id, key_sealed, base_url, created_at)
                   VALUES ('main', 'kdniao', '1', '', 'http://localhost', %s)""",
                [DAY],
            )
            conn.execute(
                """INSERT INTO inbox (digest, id, aggregator_id, received_at, size, key_id, sealed)
                   SELECT 'd', 7, aggregator.id, %s, 6, vault_key.id, 'sealed' FROM aggregator, vault_key""",
                [DAY],
            )
        migrations.migrate(url)
        yield url
        admin.execute("DROP DATABASE upgraded WITH (FORCE)")


def test_an_upgrade_keeps_every_push(upgraded: str) -> None:
    with psycopg.connect(upgraded) as conn:
        rows = conn.execute("SELECT id, digest, received_at, size, sealed FROM inbox").fetchall()
        assert rows == [(7, b"d", DAY, 6, b"sealed")]
        assert conn.execute("SELECT digest, id FROM inbox_digest").fetchall() == [(b"d", 7)]
