"""Faults: seeded, switchable, and a death is died once."""

from pathlib import Path

import pytest

from waystream.core.errors import Invalid
from waystream.sandbox.clock import VirtualClock, machine_now
from waystream.sandbox.faults import NO_FAULTS, Faults, Mischief
from waystream.sandbox.world import Fate


def mischief(folder: Path, faults: Faults, died: list[str] | None = None) -> Mischief:
    return Mischief(faults, seed=1, folder=folder, die=lambda: (died if died is not None else []).append("died"))


def test_nothing_strikes_by_itself(tmp_path: Path) -> None:
    quiet = mischief(tmp_path, NO_FAULTS)
    assert not any(quiet.strikes(fault, "x") for fault in ("duplicate", "die_before", "number_reuse"))
    assert quiet.fate_for("x") is None


def test_the_same_seed_throws_the_same_coins(tmp_path: Path) -> None:
    coins = [mischief(tmp_path, Faults(drop=0.3)) for _ in range(2)]
    throws = [[one.strikes("drop", str(about)) for about in range(500)] for one in coins]
    assert throws[0] == throws[1]
    assert 100 < sum(throws[0]) < 200


def test_a_retry_throws_another_coin(tmp_path: Path) -> None:
    coins = mischief(tmp_path, Faults(drop=0.5))
    assert len({coins.strikes("drop", "one push") for _ in range(20)}) == 2


def test_a_process_dies_once_for_one_thing(tmp_path: Path) -> None:
    died: list[str] = []
    assert mischief(tmp_path, Faults(die_after=1.0), died).strikes("die_after", "WS1")
    for _ in range(3):  # as after restarts
        assert not mischief(tmp_path, Faults(die_after=1.0), died).strikes("die_after", "WS1")
    assert died == ["died"]
    assert mischief(tmp_path, Faults(die_after=1.0), died).strikes("die_after", "WS2")


def test_faults_impose_fates(tmp_path: Path) -> None:
    imposed = {"unknown_code": Fate.ODD_CODE, "vanished": Fate.RETRACTED, "contradicted": Fate.CONTRADICTED}
    for fault, fate in imposed.items():
        assert mischief(tmp_path, Faults(**{fault: 1.0})).fate_for("78") is fate


def test_rates_are_switched_and_checked() -> None:
    assert NO_FAULTS.switched(drop=0.2, slow_s=9).drop == 0.2
    for wrong in ({"dorp": 0.2}, {"drop": 1.5}, {"drop": -1}):
        with pytest.raises(Invalid):
            NO_FAULTS.switched(**wrong)


def test_the_clock_runs_fast() -> None:
    anchor = machine_now()
    clock = VirtualClock(anchor, anchor, 3600)
    passed = clock.now() - anchor
    assert passed.total_seconds() >= (machine_now() - anchor).total_seconds()
    assert clock.virtual(wall_s=1).total_seconds() == 3600
    assert clock.wall_s(clock.virtual(wall_s=5)) == 5
