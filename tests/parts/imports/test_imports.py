"""Files kept sealed, runs begun once and ended by whoever began them, mappings saved and dropped."""

import io
from datetime import timedelta
from pathlib import Path

import pytest

from tests.parts.world import World
from waystream.core.errors import Conflict, Invalid, Missing
from waystream.kernel.clock import FixedClock
from waystream.parts.imports import actions
from waystream.parts.imports.model import Given, SavedMapping

ME, OTHER = "staff:1", "staff:2"
BODY = b"name\n" + "罗小明\n".encode() * 300_000  # more than two pieces


def keep(world: World, body: bytes = BODY) -> str:
    given = Given("a.csv", "orders", shop="tea")
    return world.work.run(lambda tx: actions.keep_file(tx, io.BytesIO(body), given, actor=ME))


def begin(world: World, run_id: str, *, rehearsal: bool = False) -> str:
    return world.work.run(lambda tx: actions.begin(tx, run_id, actor=ME, rehearsal=rehearsal, columns={"罗": "number"}))


def fall_silent(world: World, run_id: str) -> None:
    with world.work.begin() as tx:
        tx.conn.execute("UPDATE import_run SET beat_at = beat_at - interval '1 minute' WHERE id = %s", [run_id])


def test_a_file_lies_sealed_and_comes_back_as_it_was(world: World, tmp_path: Path) -> None:
    run_id = keep(world)
    with world.work.begin() as tx:
        rows = tx.conn.execute("SELECT sealed FROM import_piece ORDER BY nth").fetchall()
        assert len(rows) == 3
        assert not [row for row in rows if "罗小明".encode() in bytes(row[0])]
        actions.copy_file(tx, run_id, tmp_path / "a.csv", actor=ME)
        assert (tmp_path / "a.csv").read_bytes() == BODY
        with pytest.raises(Missing):
            actions.copy_file(tx, run_id, tmp_path / "b.csv", actor=OTHER)
        with pytest.raises(Missing):
            actions.get_run(tx, run_id, actor=OTHER)
        assert actions.list_runs(tx, OTHER) == []
    with pytest.raises(Invalid):
        keep(world, b"")


def test_a_run_is_begun_once_and_goes_with_its_file(world: World) -> None:
    run_id = keep(world)
    token = begin(world, run_id)
    with pytest.raises(Conflict):
        begin(world, run_id)
    with world.work.begin() as tx:
        assert actions.beat(tx, run_id, token=token, done=3, total=9)
        run = actions.get_run(tx, run_id, actor=ME)
        assert (run.state, run.stopped, run.done, run.total, run.columns) == ("running", False, 3, 9, {"罗": "number"})
        actions.finish(tx, run_id, token=token, result=(("%(n)s new", 2),))
        run = actions.get_run(tx, run_id, actor=ME)
        assert (run.state, run.result, run.has_file) == ("imported", (("%(n)s new", 2),), False)
    with pytest.raises(Conflict):
        begin(world, run_id)


def test_a_silent_run_has_stopped_and_whoever_begins_it_again_ends_it(world: World) -> None:
    run_id = keep(world)
    lost = begin(world, run_id)
    fall_silent(world, run_id)
    with world.work.begin() as tx:
        assert actions.get_run(tx, run_id, actor=ME).stopped
    token = begin(world, run_id)
    with world.work.begin() as tx:
        assert not actions.beat(tx, run_id, token=lost, done=1, total=1)
        with pytest.raises(Conflict):
            actions.finish(tx, run_id, token=lost, result=())
        actions.refuse(tx, run_id, actor=ME, token=token, problems=[("line 2, 罗", "not a number")])
        run = actions.get_run(tx, run_id, actor=ME)
        assert (run.state, run.stopped, run.problems) == ("refused", False, (("line 2, 罗", "not a number"),))
        [(sealed,)] = tx.conn.execute("SELECT problems_sealed FROM import_run").fetchall()
        assert "罗".encode() not in bytes(sealed)


def test_old_files_and_old_runs_go(world: World, clock: FixedClock) -> None:
    run_id = keep(world)
    clock.advance(timedelta(days=1, minutes=1))
    assert world.work.run(actions.drop_old) == 3
    with world.work.begin() as tx:
        assert not actions.get_run(tx, run_id, actor=ME).has_file
    with pytest.raises(Conflict):
        begin(world, run_id)
    clock.advance(timedelta(days=30))
    assert world.work.run(actions.drop_old) == 1


def test_a_mapping_is_saved_over_and_dropped(world: World) -> None:
    with world.work.begin() as tx:
        for columns in ({"流水": "number"}, {"流水": "number", "备注": ""}):
            actions.save_mapping(tx, SavedMapping("erp", "orders", columns), actor=ME)
        assert actions.get_mapping(tx, "erp").columns == {"流水": "number", "备注": ""}
        actions.drop_mapping(tx, "erp", actor=ME)
        with pytest.raises(Missing):
            actions.drop_mapping(tx, "erp", actor=ME)
        with pytest.raises(Missing):
            actions.get_mapping(tx, "erp")
        for wrong in (SavedMapping("", "orders", {}), SavedMapping("x", "orders", {"h" * 201: ""})):
            with pytest.raises(Invalid):
                actions.save_mapping(tx, wrong, actor=ME)
