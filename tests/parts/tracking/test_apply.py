"""Hop 1 on the real database: exact rows, exact events."""

import threading
from datetime import timedelta

import psycopg
import pytest

from tests.parts.tracking.conftest import Push, Rows
from tests.parts.tracking.given import (
    CARRIER,
    Bound,
    Shop,
    at,
    bind_parcels,
    insert_bindings,
    received,
    told,
    trace,
)
from waystream.invariants import known_set_matches_scans, stored_state_equals_fold
from waystream.kernel.tx import Tx, Work
from waystream.parts.tracking.actions import Applied, apply, begin_tracks

WAY = (trace(8, "1"), trace(9, "204"), trace(20, "202"), trace(21, "301"))
EVENTS = "SELECT name FROM event ORDER BY id"
STATE = "SELECT state FROM track"


@pytest.fixture(autouse=True)
def _invariants_hold(work: Work) -> None:
    yield
    with work.begin() as tx:
        assert stored_state_equals_fold.broken(tx) == []
        assert tx.conn.execute(known_set_matches_scans.SQL).fetchall() == []


def test_a_first_push(push: Push, parcel: Bound, rows: Rows) -> None:
    assert push(told("YT1", 10, *WAY[:2])) == Applied(pushes=1, waybills=1, scans=2, moved=1)
    assert rows("SELECT state, kind, at, collected_at, delivered_at, scanned_at, latest, binding_id FROM track") == [
        ("in_transit", "", at(9), at(8), None, at(9), "scan 204", parcel.binding_id)
    ]
    assert rows("SELECT at, code, state, coarse, source, coded_at, withdrawn_at FROM scan ORDER BY at") == [
        (at(8), "1", "collected", True, "kdniao", at(10), None),
        (at(9), "204", "in_transit", False, "kdniao", at(10), None),
    ]
    assert rows("SELECT listed_at, whole, claim_code, claimed_at FROM telling") == [(at(10), True, "204", at(10))]
    assert rows(EVENTS) == ["ParcelCollected", "ParcelMoved"]
    assert rows("SELECT count(*) FROM inbox") == [1]


def test_an_event_names_its_push(push: Push, parcel: Bound, rows: Rows) -> None:
    push(told("YT1", 10, *WAY[:1]))
    assert rows("SELECT event.cause = 'inbox:' || inbox.id FROM event, inbox") == [True]
    assert rows("SELECT subject, body->>'because' = 'scan:' || key FROM event, scan") == [
        (f"parcel:{parcel.parcel_id}", True)
    ]


def test_the_same_bytes_again_change_nothing(work: Work, shop: Shop, push: Push, parcel: Bound, rows: Rows) -> None:
    push(told("YT1", 10, *WAY[:2]))
    assert push(told("YT1", 10, *WAY[:2])) == Applied(pushes=1, repeated=1)
    twice = work.run(lambda tx: apply(tx, [received(tx, shop, told("YT1", 22, *WAY))] * 2))
    assert twice == Applied(pushes=2, repeated=1, waybills=1, scans=2, moved=1)
    assert rows("SELECT count(*) FROM inbox") == [2]


def test_the_same_content_in_other_bytes_adds_no_scan_and_no_event(push: Push, parcel: Bound, rows: Rows) -> None:
    push(told("YT1", 10, *WAY[:2]))
    assert push(told("YT1", 11, *WAY[:2])) == Applied(pushes=1, waybills=1)
    assert rows("SELECT listed_at FROM telling") == [at(11)]
    assert rows("SELECT count(*) FROM scan") == [2]
    assert len(rows(EVENTS)) == 2


def test_history_grows_by_its_new_scans_only(push: Push, parcel: Bound, rows: Rows) -> None:
    counts = [push(told("YT1", 10 + n, *WAY[:n])).scans for n in (1, 2, 3, 4)]
    assert counts == [1, 1, 1, 1]
    assert rows(EVENTS) == ["ParcelCollected", "ParcelMoved", "OutForDelivery", "Delivered"]
    assert rows("SELECT due_at FROM track") == [None]


def test_a_late_push_changes_nothing(push: Push, parcel: Bound, rows: Rows) -> None:
    push(told("YT1", 22, *WAY))
    push(told("YT1", 20.5, *WAY[:3]))
    push(told("YT1", 30, *WAY, trace(25, "204")))
    assert rows(STATE) == ["delivered"]
    assert rows(EVENTS) == ["ParcelCollected", "Delivered"]


def test_a_vanished_delivery_is_retracted(push: Push, parcel: Bound, rows: Rows) -> None:
    push(told("YT1", 22, *WAY))
    push(told("YT1", 23, *WAY[:3]))
    assert rows(STATE) == ["out_for_delivery"]
    assert rows(EVENTS) == ["ParcelCollected", "Delivered", "DeliveryRetracted", "OutForDelivery"]
    assert rows("SELECT code FROM scan WHERE withdrawn_at IS NOT NULL") == ["301"]
    push(told("YT1", 24, *WAY))
    assert rows(STATE) == ["delivered"]
    assert rows("SELECT count(*) FROM scan WHERE withdrawn_at IS NOT NULL") == [0]


def test_a_claim_alone_moves_and_a_newer_scan_ends_it(push: Push, parcel: Bound, rows: Rows) -> None:
    push(told("YT1", 21, *WAY[:3]))
    assert push(told("YT1", 150, *WAY[:3], claim="403")).scans == 0
    assert rows("SELECT state, kind, because FROM track") == [("exception", "stalled", "claim:kdniao")]
    push(told("YT1", 160, *WAY[:3], trace(155, "301")))
    assert rows(EVENTS)[1:] == ["OutForDelivery", "ExceptionRaised", "Delivered"]


def test_a_claim_told_again_does_not_begin_again(push: Push, parcel: Bound, rows: Rows) -> None:
    push(told("YT1", 21, *WAY[:3]))
    push(told("YT1", 150, *WAY[:3], claim="403"))
    stored = rows("SELECT * FROM track")
    push(told("YT1", 170, *WAY[:3], claim="403"))
    assert rows("SELECT * FROM track") == stored
    assert rows("SELECT at FROM track") == [at(150)]
    push(told("YT1", 140, *WAY[:3], claim="403"))
    assert rows("SELECT at FROM track") == [at(140)]
    assert rows(EVENTS)[1:] == ["OutForDelivery", "ExceptionRaised"]


def test_a_scan_that_gains_its_code(push: Push, parcel: Bound, rows: Rows) -> None:
    push(told("YT1", 10, trace(8, "", "快件已揽收"), trace(9, "", "x"), claim="2"))
    assert rows("SELECT state, because LIKE 'claim:%%' FROM track", *()) == [("in_transit", True)]
    push(told("YT1", 11, trace(8, "1", "快件已揽收"), trace(9, "202", "x")))
    assert rows("SELECT count(*) FROM scan") == [2]
    assert rows(STATE) == ["out_for_delivery"]


def test_an_unknown_code_is_kept_and_counted(push: Push, parcel: Bound, rows: Rows) -> None:
    assert push(told("YT1", 10, trace(8, "1"), trace(9, "999"))).unknown == 2
    assert push(told("YT1", 11, trace(8, "1"), trace(9, "999"))).unknown == 0
    assert rows("SELECT source, carrier, code, seen FROM unknown_code") == [("kdniao", CARRIER, "999", 2)]
    assert rows(STATE) == ["unknown"]


def test_phones_and_names_are_replaced_at_the_door(push: Push, parcel: Bound, rows: Rows) -> None:
    push(told("YT1", 10, trace(9, "202", "【杭州】派件员：王小明 电话13812345678，0571-88887777")))
    assert rows("SELECT text FROM scan") == ["【杭州】派件员：王** 电话1**********，0571-********"]
    assert rows("SELECT latest FROM track") == ["【杭州】派件员：王** 电话1**********，0571-********"]
    assert rows("SELECT position('138'::bytea in sealed) FROM inbox") == [0]


def test_a_number_nobody_bound_is_a_stranger(push: Push, shop: Shop, rows: Rows) -> None:
    assert push(told("YT9", 10, *WAY[:1])) == Applied(pushes=1, strangers=1)
    assert rows("SELECT carrier, number, state FROM stranger") == [(CARRIER, "YT9", "waiting")]
    assert rows("SELECT count(*) FROM scan") == [0]


def test_scans_before_the_number_was_ours_are_disputed(push: Push, parcel: Bound, rows: Rows) -> None:
    old = trace(-30, "301")
    assert push(told("YT1", 10, old)).disputed == 1
    assert rows("SELECT state, because FROM track") == []
    assert push(told("YT1", 11, old, *WAY[:1])) == Applied(pushes=1, waybills=1, scans=1, moved=1)
    assert rows("SELECT at, code FROM disputed_scan") == [(at(-30), "301")]
    assert rows(STATE) == ["collected"]


def test_a_number_used_again_goes_by_the_time_of_the_scan(
    work: Work, shop: Shop, push: Push, parcel: Bound, rows: Rows
) -> None:
    def reuse(tx: object) -> Bound:
        tx.conn.execute("UPDATE binding SET owns_until = %s", [at(1000)])
        return bind_parcels(tx.conn, shop, ["YT1"], taken_at=at(1024))[0]

    second = work.run(reuse)
    push(told("YT1", 1050, *WAY, trace(1048, "1")))
    assert rows("SELECT parcel_id, state FROM track ORDER BY parcel_id") == [
        (parcel.parcel_id, "delivered"),
        (second.parcel_id, "collected"),
    ]
    push(told("YT1", 1060, trace(1048, "1"), trace(1049, "204")))
    assert rows("SELECT state FROM track ORDER BY parcel_id") == ["delivered", "in_transit"]


def test_a_scan_of_a_cancelled_number_is_an_alarm(work: Work, push: Push, parcel: Bound, rows: Rows) -> None:
    work.run(lambda tx: tx.conn.execute("UPDATE binding SET state = 'cancelled'"))
    assert push(told("YT1", 10, *WAY[:2])).disputed == 2
    assert rows("SELECT name, (body->>'binding_id')::bigint FROM event") == [
        ("CancelledNumberScanned", parcel.binding_id)
    ]
    assert push(told("YT1", 11, *WAY[:2])).disputed == 0
    assert rows("SELECT count(*) FROM track") == [0]
    assert len(rows(EVENTS)) == 1


def reissued(work: Work, shop: Shop, parcel: Bound, *, hour: float) -> Bound:
    """The parcel under another number; the rule that begins its track has not run yet."""
    second = Bound(parcel.parcel_id, parcel.binding_id + 1, "YT2")

    def reissue(tx: Tx) -> None:
        tx.conn.execute("UPDATE binding SET state = 'cancelled'")
        insert_bindings(tx.conn, shop, [second], taken_at=at(hour))

    work.run(reissue)
    return second


def test_a_new_number_for_what_never_left_starts_anew(
    work: Work, shop: Shop, push: Push, parcel: Bound, rows: Rows
) -> None:
    push(told("YT1", 10, trace(9, "10")))
    push(told("YT1", 11, trace(9, "10"), claim="415"))
    assert rows(STATE) == ["cancelled"]
    second = reissued(work, shop, parcel, hour=12)
    work.run(lambda tx: begin_tracks(tx, [second.binding_id]))
    assert rows("SELECT state, because, binding_id FROM track") == [("awaiting_collection", "", second.binding_id)]


def test_a_new_number_on_the_way_is_another_leg(work: Work, shop: Shop, push: Push, parcel: Bound, rows: Rows) -> None:
    push(told("YT1", 10, *WAY[:2]))
    second = reissued(work, shop, parcel, hour=11)
    work.run(lambda tx: begin_tracks(tx, [second.binding_id]))
    assert rows("SELECT state, at, collected_at, binding_id FROM track") == [
        ("in_transit", at(9), at(8), second.binding_id)
    ]
    push(told("YT2", 21, *WAY[2:3]))
    assert rows("SELECT state, collected_at FROM track") == [("out_for_delivery", at(8))]
    assert rows(EVENTS) == ["ParcelCollected", "ParcelMoved", "OutForDelivery"]


def test_a_push_may_come_before_its_leg_has_begun(
    work: Work, shop: Shop, push: Push, parcel: Bound, rows: Rows
) -> None:
    push(told("YT1", 10, *WAY[:2]))
    second = reissued(work, shop, parcel, hour=11)
    push(told("YT2", 21, *WAY[2:3]))
    assert rows("SELECT state, binding_id FROM track") == [("out_for_delivery", second.binding_id)]
    work.run(lambda tx: begin_tracks(tx, [second.binding_id]))
    assert rows("SELECT state, binding_id FROM track") == [("out_for_delivery", second.binding_id)]
    assert rows(EVENTS) == ["ParcelCollected", "ParcelMoved", "OutForDelivery"]


def test_signed_by_whoever_takes_over_is_no_delivery(
    work: Work, shop: Shop, push: Push, parcel: Bound, rows: Rows
) -> None:
    push(told("YT1", 22, *WAY))
    second = reissued(work, shop, parcel, hour=23)
    work.run(lambda tx: begin_tracks(tx, [second.binding_id]))
    assert rows("SELECT state, delivered_at FROM track") == [("forwarded", None)]
    push(told("YT2", 31, trace(30, "301")))
    assert rows("SELECT state, delivered_at, collected_at FROM track") == [("delivered", at(30), at(8))]
    assert rows(EVENTS) == ["ParcelCollected", "Delivered", "DeliveryRetracted", "ParcelMoved", "Delivered"]


def test_the_subscription_died(push: Push, parcel: Bound, rows: Rows) -> None:
    push(told("YT1", 80, claim="0", died="三天无轨迹"))
    assert rows("SELECT name, body->>'reason' FROM event ORDER BY id") == [
        ("ParcelMoved", None),
        ("SubscriptionDied", "三天无轨迹"),
    ]


def test_many_waybills_in_one_push(work: Work, shop: Shop, push: Push, rows: Rows) -> None:
    work.run(lambda tx: bind_parcels(tx.conn, shop, [f"YT{n}" for n in range(20)]))
    assert push(*[told(f"YT{n}", 22, *WAY[: n % 5]) for n in range(25)]) == Applied(
        pushes=1, waybills=20, scans=40, moved=20, strangers=5
    )
    assert rows("SELECT state, count(*) FROM track GROUP BY state ORDER BY state") == [
        ("collected", 4),
        ("delivered", 4),
        ("in_transit", 4),
        ("no_trace", 4),
        ("out_for_delivery", 4),
    ]


def test_forty_pushes_at_once_for_one_parcel_keep_all_forty(work: Work, shop: Shop, parcel: Bound, rows: Rows) -> None:
    scans = [trace(8 + n / 10, "204", f"hub {n}") for n in range(40)]
    start = threading.Barrier(8)

    def send(mine: int) -> None:
        start.wait()
        for n in range(mine, 40, 8):
            work.run(lambda tx, n=n: apply(tx, [received(tx, shop, told("YT1", 20 + n, scans[n], complete=False))]))

    threads = [threading.Thread(target=send, args=[n]) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert rows("SELECT count(*) FROM scan") == [40]
    assert rows("SELECT at FROM track") == [scans[39].at]


def test_a_failed_group_leaves_nothing(work: Work, shop: Shop, parcel: Bound, rows: Rows) -> None:
    nul = trace(9, "204", "nul \x00")
    with pytest.raises(psycopg.DataError):
        work.run(
            lambda tx: apply(
                tx, [received(tx, shop, told("YT1", 10, WAY[0])), received(tx, shop, told("YT1", 11, WAY[0], nul))]
            )
        )
    assert rows("SELECT count(*) FROM inbox") == rows("SELECT count(*) FROM scan") == [0]


def test_due_time_follows_the_stage(push: Push, parcel: Bound, rows: Rows) -> None:
    push(told("YT1", 21, *WAY[:3]))
    assert rows("SELECT due_at FROM track") == [at(20) + timedelta(hours=36)]
