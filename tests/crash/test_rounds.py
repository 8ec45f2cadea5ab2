"""A few of the rounds that `make crash` plays two hundred of: every process dies under load, all is there once."""

from pathlib import Path

import pytest

from tests.crash.rounds import play

SEED, ROUNDS = 0, 6


@pytest.mark.timeout(600)
def test_every_process_may_die_under_load(tmp_path: Path) -> None:
    outcome = play(tmp_path, seed=SEED, rounds=ROUNDS)
    assert outcome.verdict is not None
    assert set(outcome.kills) == {"web", "push", "rules", "jobs", "database", "session"}
    assert outcome.acknowledged == outcome.verdict.applied > 0
    assert outcome.verdict.lost == ()
    assert outcome.verdict.duplicated == ()
    assert outcome.verdict.wrong_states == ()
    assert outcome.verdict.broken == ()
