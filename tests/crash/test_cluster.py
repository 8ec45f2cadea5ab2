"""Three NATS servers, two appliers, carriers that push: the stream's leader and an applier are killed with -9."""

from pathlib import Path

import pytest

from benchmarks.cluster import cluster

SECONDS, RATE = 10.0, 60.0


@pytest.mark.timeout(240)
def test_nothing_is_lost_or_counted_twice_when_a_leader_and_an_applier_die(tmp_path: Path) -> None:
    outcome = cluster(tmp_path, seconds=SECONDS, rate=RATE)
    assert outcome.killed in ("n1", "n2", "n3")
    assert len({*outcome.answers.acked}) == outcome.applied == SECONDS * RATE
    assert (outcome.lost, outcome.unpublished, outcome.verdict.duplicated_effects) == (0, 0, 0)
    assert (outcome.verdict.wrong_states, outcome.verdict.invariants_broken) == (0, [])
    assert outcome.answers.slowest_s < 5, "every carrier is answered in time, even then"
    assert outcome.stall_s < 15
