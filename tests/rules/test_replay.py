"""A rule that calls itself repeatable may read the whole log again: no row of the business changes."""

from pathlib import Path

import pytest
from psycopg import sql

from tests.engine import LIST_TABLES
from tests.rules.side import RULES, Memory, Whole
from tests.rules.test_carrier_says import push
from tests.rules.test_ship_to_dispatch import ship
from waystream.core.facts import Verdict
from waystream.kernel import rule_mending
from waystream.kernel.dispatcher import Rule, list_rules
from waystream.kernel.rule_mending import Start
from waystream.parts.orders import actions as orders
from waystream.parts.tracking import actions as tracking

REPEATABLE = [rule for rule in list_rules(RULES).values() if rule.repeatable]  # type: ignore[arg-type]
#: What a replay may move: the machine's own notes, and jobs that find nothing to do.
OF_THE_MACHINE = {"rule_cursor", "rule_request", "audit", "job", "machine_sample", "tally"}


def everything(whole: Whole) -> dict[str, str | None]:
    """A digest of all rows of every table of the business, events included."""
    names = [name for (name,) in whole.rows(LIST_TABLES) if name not in OF_THE_MACHINE]
    found = {}
    with whole.work.begin(read_only=True) as tx:
        for name in names:
            query = sql.SQL("SELECT md5(string_agg(t::text, ';' ORDER BY t::text)) FROM {} AS t")
            row = tx.conn.execute(query.format(sql.Identifier(name))).fetchone()
            assert row is not None
            found[name] = row[0]
    return found


def tell_a_story(whole: Whole) -> None:
    """One order travels and is delivered, one is cancelled, one held and released, one waits, one parcel is lost."""
    travels, cancelled, held, _waits, lost = ship(whole, "A1", "A2", "A3", "A4", "A5")
    whole.settle()
    whole.work.run(lambda tx: orders.cancel(tx, [cancelled], reason="the buyer", actor="staff:1"))
    whole.work.run(lambda tx: orders.hold(tx, [held], reason="a doubt", actor="staff:1"))
    whole.settle()
    whole.work.run(lambda tx: orders.release(tx, [held], reason="none", actor="staff:1"))
    whole.settle()
    of = "SELECT number FROM binding JOIN parcel_order USING (parcel_id) WHERE order_id = %s AND state = 'live'"
    [(number,)] = whole.rows(of, travels)
    push(whole, number)
    whole.settle()
    [(parcel_id,)] = whole.rows("SELECT parcel_id FROM parcel_order WHERE order_id = %s", lost)
    for verdict in (Verdict.DELIVERED, Verdict.LOST):
        whole.work.run(
            lambda tx, said=verdict: tracking.decide(tx, parcel_id, verdict=said, actor="staff:1", reason="x")
        )
        whole.settle()


@pytest.mark.parametrize("rule", REPEATABLE, ids=lambda rule: rule.name)
def test_a_repeatable_rule_changes_nothing_when_it_reads_again(
    whole: Whole,
    memory: Memory,
    tmp_path: Path,
    rule: Rule,
) -> None:
    tell_a_story(whole)
    before, printed, asked = everything(whole), sorted(tmp_path.iterdir()), len(memory.subscriptions)
    stands = whole.rows("SELECT position FROM rule_cursor WHERE rule = %s", rule.name)

    whole.work.run(lambda tx: rule_mending.replay(tx, rule, Start(position=1), actor="staff:1", reason="test"))
    whole.settle()

    assert whole.rows("SELECT position FROM rule_cursor WHERE rule = %s", rule.name) == stands
    assert {name for name, digest in everything(whole).items() if digest != before[name]} == set()
    assert (sorted(tmp_path.iterdir()), len(memory.subscriptions)) == (printed, asked)
    assert whole.rows("SELECT rule, error FROM parked") == []
    assert whole.broken() == []


def test_every_rule_says_its_sentence_in_both_languages() -> None:
    for rule in list_rules(RULES).values():  # type: ignore[arg-type]
        assert rule.sentence.startswith("When ") and rule.sentence.endswith("."), rule.name
        assert rule.sentence_zh.endswith("。"), rule.name
