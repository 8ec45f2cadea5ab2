"""`benchmarks.rules` at its smallest: every kind of event passes, nothing is parked, orders are where parcels are."""

import json
import subprocess
import sys
from datetime import UTC, datetime

from benchmarks.lives.ways import Fate, news, tracks
from benchmarks.pushes.story import ENDS, SCANS
from waystream import rules
from waystream.core.state import State
from waystream.kernel import open_list

START = datetime(2026, 11, 1, tzinfo=UTC)


def test_every_fate_comes_to_its_end() -> None:
    ends = [(tracks(fate, START)[-1].state, tracks(fate, START)[-1].kind) for fate in range(12, 16)]
    assert ends == list(ENDS)
    assert tracks(Fate.RETRACTED, START)[-2].state is State.OUT_FOR_DELIVERY
    assert tracks(Fate.RETURNED, START)[-1].state is State.RETURNED


def test_a_life_says_what_pushes_say() -> None:
    def said(fate: int) -> list[str]:
        return [type(event).__name__ for step in range(SCANS)
                for event in news(fate, step, START, shop_id=1, parcel_id=1)]  # fmt: skip

    assert said(12) == ["ParcelCollected", "ParcelMoved", "ParcelMoved", "OutForDelivery", "Delivered"]
    assert said(Fate.RETRACTED)[-3:] == ["DeliveryRetracted", "OutForDelivery", "Delivered"]
    assert said(Fate.RETURNED)[-2:] == ["ParcelReturning", "ParcelReturned"]


def test_rules() -> None:
    run = subprocess.run([sys.executable, "-m", "benchmarks.rules", "--json", "--seconds", "0.1", "--cohort", "100"],
                         stdout=subprocess.PIPE, check=False, text=True, timeout=240)  # fmt: skip
    told = json.loads(run.stdout.splitlines()[-1])
    assert told["events_per_s"] > told["recorded_per_s"] > 0
    assert (told["parked"], told["invariants_broken"]) == (0, [])
    shipped = {rule.__name__.rpartition(".")[2] for rule in open_list.load(rules)}
    assert told["turn_us_per_event"].keys() <= shipped
    assert {"parcel_moves_order", "waybill_issued_prints_label", "order_change_holds_parcels"} <= told["turn_s"].keys()
    assert run.returncode == 0
