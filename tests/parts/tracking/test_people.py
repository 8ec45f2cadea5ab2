"""What people do: decide, take back, look behind a state, adopt strangers, mend the quarantine."""

from datetime import timedelta

import pytest

from tests.parts.tracking.conftest import Push, Rows
from tests.parts.tracking.given import CARRIER, Bound, Shop, at, bind_parcels, told, trace
from waystream.core.errors import Conflict, Invalid, Missing
from waystream.core.events.fulfilment import WaybillIssued
from waystream.core.facts import Verdict
from waystream.core.ports import Push as Pushed
from waystream.integrations.kdniao import adapter
from waystream.integrations.kdniao.fakepush import Merchant, News, TraceNews, push_data, seal_push
from waystream.kernel.clock import FixedClock
from waystream.kernel.ids import mint_ids
from waystream.kernel.log import Recorded
from waystream.kernel.tx import Work
from waystream.parts.tracking import reading
from waystream.parts.tracking.actions import (
    adopt,
    decide,
    dismiss,
    quarantine,
    retry_quarantine,
    withdraw_decision,
)
from waystream.parts.tracking.jobs import find_bound_strangers, forget_old_pushes, make_inbox_days
from waystream.rules import waybill_issued_opens_track

NETWORKS = {"kdniao": adapter.network}
ME = "staff:1"
MERCHANT = Merchant("1237100", "secret")


def body_of(number: str, *hours: float, code: str = "204") -> bytes:
    news = News(CARRIER, number, "", code, tuple(TraceNews(at(hour), code, f"hub {hour}") for hour in hours))
    return seal_push(MERCHANT, "102", push_data(MERCHANT.id, "102", [news], at=at(max(hours) + 1)))


def told_by(body: bytes) -> Pushed:
    return adapter.network.read_push(body)


def test_a_decision_wins_and_is_withdrawn(work: Work, push: Push, parcel: Bound, rows: Rows) -> None:
    push(told("YT1", 10, trace(9, "202")))
    work.run(lambda tx: decide(tx, parcel.parcel_id, verdict=Verdict.DELIVERED, actor=ME, reason="the buyer called"))
    push(told("YT1", 12, trace(9, "202"), trace(11, "404")))
    assert rows("SELECT state FROM track") == ["delivered"]
    (decision_id,) = rows("SELECT id FROM decision")
    work.run(lambda tx: withdraw_decision(tx, decision_id, actor=ME, reason="another parcel"))
    assert rows("SELECT state, direction FROM track") == [("returning", "back")]
    assert rows("SELECT name, cause FROM event ORDER BY id")[-3:] == [
        ("Delivered", f"decision:{decision_id}"),
        ("DeliveryRetracted", f"decision:{decision_id}"),
        ("ParcelReturning", f"decision:{decision_id}"),
    ]
    assert rows("SELECT actor, action, reason FROM audit ORDER BY id") == [
        (ME, "decide", "the buyer called"),
        (ME, "withdraw_decision", "another parcel"),
    ]
    with pytest.raises(Conflict):
        work.run(lambda tx: withdraw_decision(tx, decision_id, actor=ME, reason="again"))


def test_a_decision_needs_a_reason_and_a_parcel(work: Work, parcel: Bound) -> None:
    with pytest.raises(Invalid):
        work.run(lambda tx: decide(tx, parcel.parcel_id, verdict=Verdict.LOST, actor=ME, reason=" "))
    with pytest.raises(Missing):
        work.run(lambda tx: decide(tx, 1, verdict=Verdict.LOST, actor=ME, reason="gone"))


def test_why_leads_to_the_bytes(work: Work, push: Push, parcel: Bound, rows: Rows) -> None:
    body = body_of("YT1", 8, 9)
    push(*told_by(body).told, body=body)
    with work.begin() as tx:
        why = reading.why(tx, parcel.parcel_id)
        assert why.scan is not None
        assert (why.track.state, why.scan.at, why.scan.number) == ("in_transit", at(9), "YT1")
        raw = reading.open_push(tx, why.inbox_id, actor=ME, reason="a complaint", subject="parcel:1")
        assert raw.body == body
        assert [row.at for row in reading.timeline(tx, parcel.parcel_id)] == [at(9), at(8)]
    assert rows("SELECT action, subject, reason FROM audit") == [("open_push", "parcel:1", "a complaint")]


def test_why_of_a_claim_and_of_a_decision(work: Work, push: Push, parcel: Bound) -> None:
    push(told("YT1", 150, trace(9, "202"), claim="403"))
    with work.begin() as tx:
        why = reading.why(tx, parcel.parcel_id)
        assert why.claim is not None
        assert (why.claim.code, why.claim.at, why.inbox_id is None) == ("403", at(150), False)
        decide(tx, parcel.parcel_id, verdict=Verdict.LOST, actor=ME, reason="the carrier says so")
        why = reading.why(tx, parcel.parcel_id)
        assert why.decision is not None
        assert (why.decision.verdict, why.inbox_id) == ("lost", None)


def bind_and_issue(work: Work, shop: Shop, number: str) -> Bound:
    bound = work.run(lambda tx: bind_parcels(tx.conn, shop, [number]))[0]
    event = WaybillIssued(shop_id=shop.shop_id, parcel_id=bound.parcel_id, binding_id=bound.binding_id, order_ids=(1,))
    work.run(lambda tx: waybill_issued_opens_track.do(tx, [Recorded(id=1, position=1, at=tx.now, event=event)]))
    return bound


def test_a_bound_parcel_is_followed_from_the_start(work: Work, shop: Shop, rows: Rows) -> None:
    bound = bind_and_issue(work, shop, "YT5")
    assert rows("SELECT parcel_id, state, due_at IS NOT NULL FROM track") == [
        (bound.parcel_id, "awaiting_collection", True)
    ]
    assert rows("SELECT count(*) FROM event") == rows("SELECT count(*) FROM job") == [0]


def test_a_stranger_is_adopted_when_its_binding_appears(work: Work, shop: Shop, push: Push, rows: Rows) -> None:
    for body in (body_of("YT5", 8), body_of("YT5", 8, 9), body_of("YT6", 8)):
        push(*told_by(body).told, body=body)
    bound = bind_and_issue(work, shop, "YT5")
    assert rows("SELECT kind, key FROM job") == [("adopt_strangers", f"binding:{bound.binding_id}")]
    assert work.run(lambda tx: adopt(tx, bound.binding_id, NETWORKS)).scans == 2
    assert rows("SELECT state, at FROM track") == [("in_transit", at(9))]
    assert rows("SELECT number, state FROM stranger ORDER BY id") == [
        ("YT5", "adopted"),
        ("YT5", "adopted"),
        ("YT6", "waiting"),
    ]
    assert rows("SELECT name FROM event") == ["ParcelCollected", "ParcelMoved"]


def test_a_push_that_crossed_its_binding_is_found_by_the_sweep(work: Work, shop: Shop, push: Push, rows: Rows) -> None:
    body = body_of("YT5", 8)
    push(*told_by(body).told, body=body)
    bound = work.run(lambda tx: bind_parcels(tx.conn, shop, ["YT5"]))[0]
    assert work.run(find_bound_strangers) == 1
    assert rows("SELECT args FROM job") == [{"binding_id": bound.binding_id}]


def test_strangers_are_listed_by_number_and_dismissed(work: Work, shop: Shop, push: Push) -> None:
    push(told("YT5", 10, trace(8, "1")))
    push(told("YT5", 11, trace(8, "1")), told("YT6", 11, trace(8, "1")))
    with work.begin() as tx:
        assert sorted((row.number, row.pushes) for row in reading.list_strangers(tx)) == [("YT5", 2), ("YT6", 1)]
        (first,) = reading.list_strangers(tx, limit=1)
        rest = reading.list_strangers(tx, before=first.inbox_id)
        assert first.number not in [row.number for row in rest]
        assert dismiss(tx, [(CARRIER, "YT5")], actor=ME) == 1
        assert [row.number for row in reading.list_strangers(tx)] == ["YT6"]


def test_a_mended_reader_empties_the_quarantine(work: Work, shop: Shop, parcel: Bound, rows: Rows) -> None:
    body = body_of("YT1", 8)
    work.run(
        lambda tx: [
            quarantine(tx, aggregator_id=shop.aggregator_id, digest=b"d", body=body, reason="no reader")
            for _ in range(2)
        ]
    )
    with work.begin() as tx:
        (kept,) = reading.list_quarantine(tx)
    assert kept.reason == "no reader"
    (inbox_id,) = mint_ids(1, at_ms=int(at(10).timestamp() * 1000))
    assert work.run(lambda tx: retry_quarantine(tx, kept.id, networks=NETWORKS, inbox_id=inbox_id)).scans == 1
    assert rows("SELECT state FROM track") == ["in_transit"]
    with work.begin() as tx:
        assert reading.list_quarantine(tx) == []
    with pytest.raises(Missing):
        work.run(lambda tx: retry_quarantine(tx, kept.id, networks=NETWORKS, inbox_id=inbox_id + 1))


def test_old_raw_pushes_are_forgotten(work: Work, push: Push, parcel: Bound, rows: Rows, clock: FixedClock) -> None:
    push(told("YT1", 10, trace(8, "1")))
    work.run(make_inbox_days)
    assert rows("SELECT tableoid::regclass::text FROM inbox") == ["inbox_2026_11_12"]
    assert work.run(lambda tx: forget_old_pushes(tx, timedelta(days=45))) == 0
    clock.advance(timedelta(days=46))
    assert work.run(lambda tx: forget_old_pushes(tx, timedelta(days=45))) == 1
    assert rows("SELECT to_regclass('inbox_2026_11_12')::text") == [None]
    assert rows("SELECT count(*) FROM inbox_digest") == [0]
    with work.begin() as tx, pytest.raises(Missing):
        reading.open_push(tx, reading.why(tx, parcel.parcel_id).inbox_id, actor=ME, reason="late", subject="parcel:1")


def test_listed_what_nobody_could_place(work: Work, push: Push, parcel: Bound) -> None:
    push(told("YT1", 10, trace(-30, "301"), trace(9, "999")))
    with work.begin() as tx:
        assert [(row.code, row.seen) for row in reading.list_unknown_codes(tx)] == [("999", 2)]
        assert [row.at for row in reading.list_disputed(tx, parcel.parcel_id)] == [at(-30)]
        assert reading.list_decisions(tx, parcel.parcel_id) == []
