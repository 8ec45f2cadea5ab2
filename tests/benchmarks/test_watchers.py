"""`benchmarks.watchers`: a message is as late as the oldest event it tells first; a small run keeps its pages open."""

import json
import subprocess
import sys

from benchmarks.watching.lag import lags_s, rank

HAPPENED = {7: [(10, 100.0), (12, 101.0), (20, 105.0)]}


def test_a_message_is_as_late_as_the_oldest_thing_it_tells() -> None:
    assert lags_s([(7, 12, 101.5)], HAPPENED, since=5) == [1.5]
    assert lags_s([(7, 10, 100.2), (7, 19, 102.0), (7, 20, 105.5)], HAPPENED, since=5) == [
        100.2 - 100.0, 1.0, 0.5]  # fmt: skip


def test_what_was_told_before_the_page_was_opened_is_not_late() -> None:
    assert lags_s([(7, 20, 106.0)], HAPPENED, since=12) == [1.0]


def test_a_message_that_tells_nothing_of_its_page_has_no_lag() -> None:
    assert lags_s([(7, 15, 103.0), (7, 19, 104.0)], HAPPENED, since=12) == []
    assert lags_s([(8, 15, 103.0)], HAPPENED, since=5) == []


def test_ranks() -> None:
    assert rank([1.0, 2.0, 3.0], 0.5) == 2.0
    assert rank([], 0.99) is None


def test_watchers() -> None:
    """Too small to say anything of speed."""
    run = subprocess.run(
        [sys.executable, "-m", "benchmarks.watchers", "--json", "--parcels", "120", "--workbenches", "10",
         "--buyers", "12"],
        stdout=subprocess.PIPE, check=False, text=True, timeout=240,
    )  # fmt: skip
    told = json.loads(run.stdout.splitlines()[-1])
    assert (told["watchers"], told["open"], told["refused"]) == (22, 22, 0)
    assert (told["lost"], told["wrong_states"], told["duplicated_effects"], told["invariants_broken"]) == (0, 0, 0, [])
    assert told["ingest_share"] > 0
    assert told["messages"] > 0
