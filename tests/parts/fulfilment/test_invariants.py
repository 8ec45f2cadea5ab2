"""Each invariant of fulfilment sees what it is there for: a healthy row is broken by hand, and it is said."""

import pytest

from tests.parts.fulfilment.bench import Bench
from tests.parts.fulfilment.test_dispatch import put_print
from tests.parts.fulfilment.test_numbers import hold, issued

BREAKS = {
    "is for a number that is cancelled": "UPDATE binding SET state = 'cancelled'",
    "is issued without a live number": "UPDATE binding SET state = 'cancelled'",
    "is live for 2 parcels": """DROP INDEX binding_live_number; DROP INDEX binding_live_parcel; INSERT INTO binding
        (id, parcel_id, shop_id, aggregator_id, carrier, number, owns_from, bound_at)
        SELECT 1, (SELECT max(id) FROM parcel), shop_id, aggregator_id, carrier, number, owns_from, bound_at
        FROM binding ORDER BY id LIMIT 1""",
    "has 2 live numbers": """DROP INDEX binding_live_parcel; INSERT INTO binding
        (id, parcel_id, shop_id, aggregator_id, carrier, number, owns_from, bound_at)
        SELECT 1, parcel_id, shop_id, aggregator_id, carrier, 'X1', owns_from, bound_at
        FROM binding ORDER BY id LIMIT 1""",
    "was never given back": "UPDATE take SET state = 'orphan'",
    "is being cancelled by nobody": "UPDATE binding SET state = 'cancelling'",
    "waits for a number nobody asks for": "UPDATE parcel SET stage = 'asked'",
    "shipped of 2": "UPDATE parcel SET stage = 'dispatched'; UPDATE parcel_line SET quantity = 3",
}


@pytest.mark.parametrize("said", BREAKS)
def test_what_is_broken_is_said(bench: Bench, said: str) -> None:
    issued(bench, "A1")
    issued(bench, "A2")
    assert bench.broken() == []
    with bench.rolled_back() as admin:
        for statement in BREAKS[said].split(";"):
            admin.execute(statement)
        assert any(said in line for line in bench.broken(admin))


def test_a_cancel_nobody_makes_is_said(bench: Bench) -> None:
    order_id, _ = issued(bench)
    hold(bench, order_id)
    assert bench.broken() == []
    with bench.rolled_back() as admin:
        admin.execute("DELETE FROM job")
        assert any("is asked but nobody asks" in line for line in bench.broken(admin))


def test_a_queue_that_keeps_a_void_label_is_said_once_the_rules_have_seen_it(bench: Bench) -> None:
    order_id, _ = issued(bench)
    put_print(bench, "scan")
    hold(bench, order_id)
    with bench.rolled_back() as admin:
        admin.execute("UPDATE print SET state = 'queued'")
        assert bench.broken(admin) == []
        admin.execute("INSERT INTO log (position, event_id) SELECT row_number() OVER (ORDER BY id), id FROM event")
        admin.execute("INSERT INTO rule_cursor VALUES ('a', 1000, now()), ('b', 0, now())")
        assert bench.broken(admin) == []
        admin.execute("UPDATE rule_cursor SET position = 1000")
        assert any("is queued" in line for line in bench.broken(admin))
