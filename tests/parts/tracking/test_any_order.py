"""Whatever the order, grouping and repetition of pushes from two sources: what is stored is the join of all of them."""

from collections.abc import Iterable
from datetime import timedelta
from random import Random
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.parts.tracking.given import DAY, Bound, Shop, bind_parcels, open_shop, received, told, trace
from waystream.core.facts import NEVER, Claim, Decision, Scan, Snapshot, Verdict, scan_key
from waystream.core.parcel import Facts, fold, join, standing
from waystream.core.ports import Network, Told
from waystream.integrations.kdniao.adapter import Kdniao
from waystream.invariants import known_set_matches_scans, stored_state_equals_fold
from waystream.kernel.clock import FixedClock
from waystream.kernel.database import Database
from waystream.kernel.tx import Tx, Work
from waystream.kernel.vault import Keys, Vault
from waystream.parts.tracking import store
from waystream.parts.tracking.actions import apply, decide, withdraw_decision


class Other(Kdniao):
    """A second source of the same kind."""

    name = "other"


NETWORKS: tuple[Network, ...] = (Kdniao(), Other())
CODES = st.sampled_from(["", "1", "204", "202", "211", "301", "404", "405", "999"])
TRACES = st.builds(lambda hour, code: trace(hour, code, f"line {hour}"), st.integers(1, 6), CODES)
TOLD = st.builds(
    lambda hour, traces, claim, complete: told(
        "YT1",
        hour,
        *sorted({line.at: line for line in traces}.values(), key=lambda line: line.at),
        claim=claim,
        complete=complete,
    ),
    st.integers(7, 11),
    st.lists(TRACES, max_size=5),
    st.sampled_from(["", "2", "202", "301", "3", "403", "404"]),
    st.sampled_from([True, True, True, False]),
)
PUSHES = st.lists(st.tuples(TOLD, st.integers(0, 1)), min_size=1, max_size=8)


def facts_of(item: Told, network: Network, bound: Bound) -> Facts:
    """One push as facts, as the design says it, without any memory of others."""
    scans = tuple(
        Scan(
            scan_key(binding_id=bound.binding_id, source=network.name, raw_time=line.raw_time, text=line.text),
            network.name,
            line.at,
            line.code,
            item.push_time,
            network.meaning(line.code, line.text),
        )
        for line in item.traces
    )
    keys = frozenset(scan.key for scan in scans)
    echoes = bool(item.traces) and item.traces[-1].code == item.state_code
    since = NEVER if echoes else item.push_time
    claim = Claim(network.name, item.push_time, item.state_code, network.meaning(item.state_code, ""), since)
    return Facts(
        scans,
        (Snapshot(network.name, item.push_time, keys),) if item.complete else (),
        (claim,) if item.state_code else (),
    )


def groups(pushes: list[Any], random: Random) -> Iterable[list[Any]]:
    while pushes:
        size = random.randint(1, len(pushes))
        yield pushes[:size]
        pushes = pushes[size:]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    pushes=PUSHES,
    random=st.randoms(use_true_random=False),
    verdict=st.sampled_from([None, None, *Verdict]),
    withdrawn=st.booleans(),
)
def test_any_order(
    database: Database, pushes: list[tuple[Told, int]], random: Random, verdict: Verdict | None, withdrawn: bool
) -> None:
    clock = FixedClock(DAY + timedelta(days=1))
    work = Work(database, clock, Keys(Vault(bytes(range(32)))))
    shop = work.run(lambda tx: _fresh(tx))
    bound = work.run(lambda tx: bind_parcels(tx.conn, shop, ["YT1"]))[0]
    expected = [facts_of(item, NETWORKS[source], bound) for item, source in pushes]
    told_twice = pushes + pushes[: len(pushes) // 2]
    random.shuffle(told_twice)

    for n, group in enumerate(groups(told_twice, random)):
        work.run(
            lambda tx, group=group: apply(
                tx, [received(tx, shop, item, network=NETWORKS[source]) for item, source in group]
            )
        )
        if n == 0 and verdict:
            expected.append(work.run(lambda tx: _decided(tx, bound, verdict, withdrawn)))

    with work.begin() as tx:
        stored = store.lock_tracks(tx.conn, [bound.parcel_id])[bound.parcel_id]
        assert stored.track == fold(join(expected))
        standing_keys = {scan.key for scan in standing(join(expected))}
        struck = tx.conn.execute("SELECT key FROM scan WHERE withdrawn_at IS NULL").fetchall()
        assert {key for (key,) in struck} == standing_keys
        assert stored_state_equals_fold.broken(tx) == []
        assert tx.conn.execute(known_set_matches_scans.SQL).fetchall() == []


def _decided(tx: Tx, bound: Bound, verdict: Verdict, withdrawn: bool) -> Facts:
    decide(tx, bound.parcel_id, verdict=verdict, actor="staff:1", reason="the buyer called")
    (decision_id,) = tx.conn.execute("SELECT id FROM decision").fetchone()
    decision = Decision(decision_id, tx.now, verdict)
    if withdrawn:
        withdraw_decision(tx, decision_id, actor="staff:1", reason="a mistake")
    return Facts(decisions=(replace(decision, withdrawn=withdrawn),))


def _fresh(tx: Tx) -> Shop:
    """The tables of one example, emptied by hand: a fixture would run only once for all of them."""
    for table in (
        "event_new",
        "event",
        "scan",
        "telling",
        "decision",
        "track",
        "inbox",
        "inbox_digest",
        "binding",
        "parcel",
        "person",
        "warehouse",
        "aggregator",
        "shop",
        "vault_key",
    ):
        tx.conn.execute(f"DELETE FROM {table}")
    return open_shop(tx.conn)
