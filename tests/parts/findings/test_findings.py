"""What checks make of an invariant: broken when seen twice, since the first; too slow is said; gone is dropped."""

from datetime import timedelta
from types import ModuleType, SimpleNamespace
from typing import Any, cast

import pytest

from waystream import doctor, invariants
from waystream.kernel import open_list
from waystream.kernel.clock import FixedClock
from waystream.kernel.database import Database
from waystream.kernel.tx import Tx, Work
from waystream.kernel.vault import Keys
from waystream.parts.findings import actions
from waystream.parts.findings.model import Checked, Finding, rest_s


@pytest.fixture
def work(database: Database, clock: FixedClock, keys: Keys) -> Work:
    return Work(database, clock, keys)


def invariant(name: str, **given: Any) -> ModuleType:
    module = SimpleNamespace(__name__=f"invariants.{name}", __doc__="It holds.", SENTENCE_ZH="成立。", **given)
    return cast(ModuleType, module)


def look(work: Work, *modules: ModuleType) -> int:
    """Check all of them, rested or not."""
    with work.begin() as tx:
        tx.conn.execute("UPDATE finding SET due_at = '-infinity'")
    return work.run(lambda tx: doctor.check_due(tx, modules))


def found(work: Work) -> list[Finding]:
    with work.begin() as tx:
        return actions.list_findings(tx)


def test_every_invariant_of_the_list_holds_in_an_empty_database_and_speaks_chinese(work: Work) -> None:
    every = open_list.load(invariants)
    for _ in every:
        work.run(lambda tx: doctor.check_due(tx, every))
    assert {each.name for each in found(work)} == {doctor.name_of(module) for module in every}
    assert {each.state for each in found(work)} == {"holds"}
    assert all("。" in each.sentence_zh for each in found(work))


def test_broken_is_what_was_seen_twice_and_since_the_first(work: Work, clock: FixedClock) -> None:
    bad = invariant("bad", SQL="SELECT 'parcel 7'")
    began = clock.now()
    assert look(work, bad) == 0
    assert found(work)[0].state == "suspected"
    clock.advance(timedelta(seconds=9))
    assert look(work, bad) == 1
    [finding] = found(work)
    assert (finding.state, finding.since, finding.broken) == ("broken", began, ("('parcel 7',)",))
    clock.advance(timedelta(minutes=1))
    assert look(work, bad) == 1
    assert found(work)[0].since == began
    assert look(work, invariant("bad", SQL="SELECT 'parcel 7' WHERE false")) == 0
    [finding] = found(work)
    assert (finding.state, finding.since, finding.broken) == ("holds", clock.now(), ())


def test_a_suspicion_that_was_nothing_is_nothing(work: Work) -> None:
    look(work, invariant("odd", broken=lambda tx: ["half seen"]))
    look(work, invariant("odd", broken=lambda tx: []))
    assert [(each.state, each.broken) for each in found(work)] == [("holds", ())]


def test_a_check_that_takes_too_long_is_cut_off_and_said(work: Work, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "CHECK_LIMIT_S", 0.1)

    def broken(tx: Tx) -> list[str]:
        while True:
            tx.conn.execute("SELECT 1")

    look(work, invariant("one_statement", SQL="SELECT pg_sleep(5)"), invariant("many", broken=broken))
    assert [(each.name, each.state) for each in found(work)] == [("many", "unchecked"), ("one_statement", "unchecked")]


def test_checks_rest_and_slow_ones_rest_longer(work: Work) -> None:
    good = invariant("good", SQL="SELECT 1 WHERE false")
    work.run(lambda tx: doctor.check_due(tx, [good]))
    with work.begin() as tx:
        assert actions.list_due(tx, ["good", "new"]) == ["new"]
    assert rest_s(Checked("a", "", "", (), 0.01), "holds") == 60
    assert rest_s(Checked("a", "", "", None, 5.0), "unchecked") == 250
    assert rest_s(Checked("a", "", "", ("x",), 5.0), "suspected") == 5


def test_what_is_checked_no_longer_is_forgotten(work: Work) -> None:
    look(work, invariant("old", SQL="SELECT 1 WHERE false"))
    look(work, invariant("new", SQL="SELECT 1 WHERE false"))
    assert [each.name for each in found(work)] == ["new"]
