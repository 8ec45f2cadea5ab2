"""Scans lie in months of their parcels, made ahead; what comes after a partition has left is kept and moves nothing."""

from datetime import UTC, datetime

import psycopg
import pytest

from tests.parts.tracking.conftest import Push, Rows
from tests.parts.tracking.given import DAY, Bound, at, told, trace
from waystream.core.errors import Conflict
from waystream.core.facts import Verdict
from waystream.invariants import (
    every_shop_table_is_held,
    known_set_matches_scans,
    scans_lie_where_their_parcel_lies,
    stored_state_equals_fold,
)
from waystream.kernel.clock import FixedClock
from waystream.kernel.ids import mint_ids, minted_ms
from waystream.kernel.tx import Tx, Work
from waystream.parts.tracking import store_partitions
from waystream.parts.tracking.actions import decide
from waystream.parts.tracking.jobs import make_partitions
from waystream.parts.tracking.partitions import Partition, find_partition, list_ahead, partition_of
from waystream.parts.tracking.reading import list_closed_partitions, timeline

LIES_IN = "SELECT DISTINCT tableoid::regclass::text FROM scan"
WAY = (trace(8, "1"), trace(20, "202"), trace(21, "301"))


def test_a_partition_holds_the_parcels_of_a_month() -> None:
    november = partition_of(2026, 11)
    assert november.name == "scan_2026_11"
    assert minted_ms(november.first) == int(datetime(2026, 11, 1, tzinfo=UTC).timestamp() * 1000)
    assert november.past == partition_of(2026, 12).first
    last_ms = int(datetime(2026, 12, 1, tzinfo=UTC).timestamp() * 1000) - 1
    assert november.holds(mint_ids(1, at_ms=last_ms)[0])
    assert not november.holds(mint_ids(1, at_ms=last_ms + 1)[0])


def test_months_are_made_ahead_over_the_end_of_a_year() -> None:
    assert [one.name for one in list_ahead(DAY)] == ["scan_2026_11", "scan_2026_12", "scan_2027_01", "scan_2027_02"]


def test_a_name_is_read_back() -> None:
    assert find_partition("scan_2026_12") == partition_of(2026, 12)
    assert find_partition("scan_default") is None


@pytest.fixture
def months(work: Work, rows: Rows) -> None:
    """The partitions a server of that day has; the schema outlives a test."""
    work.run(make_partitions)


def test_the_machine_makes_what_is_missing_once(work: Work, months: None, rows: Rows) -> None:
    with work.begin() as tx:
        assert {"scan_2026_11", "scan_2027_02", "scan_default"} <= set(store_partitions.list_names(tx.conn))
        assert make_partitions(tx) == 0
        assert tx.conn.execute(every_shop_table_is_held.SQL).fetchall() == []


def test_what_lay_in_the_default_partition_moves_over(work: Work, rows: Rows) -> None:
    old = partition_of(2024, 2)
    parcel_id = old.first + 1
    work.run(lambda tx: _insert_scan(tx, parcel_id))
    assert rows(LIES_IN) == ["scan_default"]
    assert work.run(lambda tx: store_partitions.make(tx.conn, old))
    assert rows(LIES_IN) == ["scan_2024_02"]


def _insert_scan(tx: Tx, parcel_id: int) -> None:
    tx.conn.execute(
        """INSERT INTO scan (parcel_id, key, shop_id, binding_id, source, at, raw_time, text, code, coded_at, state,
                             kind, coarse, location, inbox_id)
           VALUES (%s, 1, 1, 1, 's', %s, '', '', '', %s, 'collected', '', false, '', 1)""",
        [parcel_id, DAY, DAY],
    )


@pytest.mark.parametrize("name", ["scan_default", "person", "scan_2026_11; DROP TABLE scan", "scan_2026_111"])
def test_only_scan_partitions_are_made(work: Work, name: str) -> None:
    with pytest.raises(psycopg.errors.InvalidParameterValue):
        work.run(lambda tx: store_partitions.make(tx.conn, Partition(name, 1, 2)))


def test_nobody_but_the_owner_reaches_a_partition_by_its_name(work: Work, months: None) -> None:
    for name in ("scan_default", "scan_2026_11"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            work.run(lambda tx, name=name: tx.conn.execute(f"SELECT FROM {name}"))


def test_a_partition_is_closed_when_all_its_parcels_are(
    work: Work, clock: FixedClock, months: None, push: Push, parcel: Bound
) -> None:
    push(told("YT1", 22, *WAY))
    assert "scan_2026_11" not in work.run(list_closed_partitions)
    clock.jump(at(24 * 40))
    assert "scan_2026_11" in work.run(list_closed_partitions)
    push(told("YT1", 23, *WAY[:2]))
    assert "scan_2026_11" not in work.run(list_closed_partitions)


@pytest.fixture
def left(work: Work, push: Push, parcel: Bound) -> Partition:
    """The partition of a delivered parcel, gone to the lake."""
    partition = partition_of(2026, 11)
    push(told("YT1", 22, *WAY))

    def detach(tx: Tx) -> None:
        tx.conn.execute("DELETE FROM scan")
        tx.conn.execute(
            "INSERT INTO scan_detached (partition, first, past, detached_at) VALUES (%s, %s, %s, %s)",
            [partition.name, partition.first, partition.past, tx.now],
        )

    work.run(detach)
    return partition


def test_a_late_scan_is_kept_and_moves_nothing(
    work: Work, left: Partition, push: Push, parcel: Bound, rows: Rows
) -> None:
    track, events = rows("SELECT * FROM track"), rows("SELECT name FROM event")
    applied = push(told("YT1", 200, *WAY, trace(199, "404")))
    assert (applied.scans, applied.moved) == (1, 0)
    assert push(told("YT1", 201, *WAY, trace(199, "404"))).scans == 0
    assert rows("SELECT parcel_id, at, code FROM afterlife") == [(parcel.parcel_id, at(199), "404")]
    assert rows("SELECT count(*) FROM scan") == [0]
    assert (rows("SELECT * FROM track"), rows("SELECT name FROM event")) == (track, events)
    assert [row.code for row in work.run(lambda tx: timeline(tx, parcel.parcel_id))] == ["404"]
    with work.begin() as tx:
        assert stored_state_equals_fold.broken(tx) == []
        assert tx.conn.execute(known_set_matches_scans.SQL).fetchall() == []
        assert tx.conn.execute(scans_lie_where_their_parcel_lies.SQL).fetchall() == []


def test_nobody_decides_of_what_has_left(work: Work, left: Partition, parcel: Bound) -> None:
    with pytest.raises(Conflict):
        work.run(lambda tx: decide(tx, parcel.parcel_id, verdict=Verdict.LOST, actor="staff:1", reason="late"))


def test_a_scan_in_the_wrong_place_is_seen(work: Work, left: Partition, parcel: Bound) -> None:
    with work.begin() as tx:
        _insert_scan(tx, parcel.parcel_id)
        tx.conn.execute("INSERT INTO afterlife SELECT * FROM scan")
        assert len(tx.conn.execute(scans_lie_where_their_parcel_lies.SQL).fetchall()) == 1
        tx.conn.execute("DELETE FROM scan_detached")
        assert len(tx.conn.execute(scans_lie_where_their_parcel_lies.SQL).fetchall()) == 1
