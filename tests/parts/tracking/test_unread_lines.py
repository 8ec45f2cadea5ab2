"""One unreadable line costs that line: everything else in the push is taken in, the line is listed with its reason."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from msgspec import structs

from tests.parts.tracking.conftest import Push, Rows
from tests.parts.tracking.given import CARRIER, Bound, Shop, at, bind_parcels, received, told, trace
from waystream.core.errors import Missing, Unreadable
from waystream.core.ports import Network, Unread
from waystream.core.ports import Push as Pushed
from waystream.integrations.kdniao.adapter import Kdniao
from waystream.integrations.kdniao.wire import Envelope, stamp, write_envelope
from waystream.invariants import known_set_matches_scans, stored_state_equals_fold
from waystream.kernel.tx import Tx, Work
from waystream.parts.tracking import reading
from waystream.parts.tracking.actions import Applied, adopt, apply, retry_unread, set_unread_aside
from waystream.parts.tracking.jobs import forget_old_pushes

WAY = (trace(8, "1"), trace(9, "204"), trace(20, "202"), trace(21, "301"))
ODD = {"AcceptTime": "2026-13-45 17:30:00", "AcceptStation": "派件员：王小明 13812345678", "Action": "204"}
NO_LINE, NO_TIME = "this line of the trace list cannot be read", "a time stamp lies outside this century"
KEPT = timedelta(days=45)
STATE = "SELECT state FROM track"
LINES = "SELECT carrier, number, parcel_id, shop_id, line, reason FROM unread_line WHERE settled_by = '' ORDER BY id"


class Mended(Kdniao):
    """A reader that has learned what month 13 means."""

    def read_push(self, body: bytes) -> Pushed:
        return super().read_push(body.replace(b"2026-13-45", b"2026-11-11"))


@pytest.fixture(autouse=True)
def _invariants_hold(work: Work) -> None:
    yield
    with work.begin() as tx:
        assert stored_state_equals_fold.broken(tx) == []
        assert tx.conn.execute(known_set_matches_scans.SQL).fetchall() == []


def item(number: str, *traces: dict[str, Any], state: str = "204") -> dict[str, Any]:
    return {"ShipperCode": CARRIER, "LogisticCode": number, "Success": True, "StateEx": state, "Traces": [*traces]}


def line(hour: float, code: str) -> dict[str, Any]:
    return {"AcceptTime": stamp(at(hour)), "AcceptStation": f"scan {code}", "Action": code}


def body_of(*items: Any, hour: float = 10) -> bytes:
    document = {"EBusinessID": "7", "PushTime": stamp(at(hour)), "Data": items}
    return write_envelope(Envelope(json.dumps(document, ensure_ascii=False), "102", signature="held at the door"))


def take(work: Work, shop: Shop, body: bytes, *, network: Network | None = None) -> Applied:
    """The push as the door reads and applies it."""
    reader = network or Kdniao()

    def applied(tx: Tx) -> Applied:
        push = reader.read_push(body)
        given = received(tx, shop, *(push.told or [told("", 10)]), body=body, network=reader)
        return apply(tx, [replace(given, push=push, received_at=max(tx.now, push.pushed_at))])

    return work.run(applied)


def test_the_other_lines_and_waybills_are_taken_in(work: Work, shop: Shop, parcel: Bound, rows: Rows) -> None:
    (other,) = work.run(lambda tx: bind_parcels(tx.conn, shop, ["YT2"]))
    push = body_of(item("YT1", line(8, "1"), ODD), item("YT2", line(8, "1"), line(9, "204")))
    assert take(work, shop, push) == Applied(pushes=1, waybills=2, scans=3, moved=2)
    assert rows("SELECT parcel_id, state FROM track ORDER BY parcel_id") == [
        (parcel.parcel_id, "in_transit"),
        (other.parcel_id, "in_transit"),
    ]
    assert rows("SELECT count(*) FROM quarantine") == [0]
    assert rows(LINES) == [
        (CARRIER, "YT1", parcel.parcel_id, shop.shop_id, "2026-13-45 17:30:00 派件员：王** 1**********",
         "Kdniao: a time stamp cannot be read")
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("odd", "listed", "reason"),
    [
        (None, "null", NO_LINE),
        ("已揽收", "已揽收", NO_LINE),
        ({**ODD, "AcceptStation": {"text": "已揽收"}}, '2026-13-45 17:30:00 {"text":"已揽收"}', NO_LINE),
        ({"AcceptStation": "已揽收"}, "已揽收", "a time stamp cannot be read"),
        ({**ODD, "AcceptTime": "0001-01-01 00:00:00"}, "0001-01-01 00:00:00 派件员：王** 1**********", NO_TIME),
    ],
)  # fmt: skip
def test_kinds_of_lines(work: Work, shop: Shop, parcel: Bound, rows: Rows, odd: Any, listed: str, reason: str) -> None:
    assert take(work, shop, body_of(item("YT1", line(8, "1"), odd, state=""))).scans == 1
    assert rows(STATE) == ["collected"]
    assert rows("SELECT line, reason FROM unread_line") == [(listed, f"Kdniao: {reason}")]


def test_a_list_with_an_unreadable_line_withdraws_nothing(work: Work, shop: Shop, parcel: Bound, rows: Rows) -> None:
    take(work, shop, body_of(item("YT1", line(8, "1"), line(20, "202"), line(21, "301"), state="301"), hour=22))
    take(work, shop, body_of(item("YT1", line(8, "1"), line(20, "202"), ODD, state="202"), hour=23))
    assert rows(STATE) == ["delivered"]
    assert rows("SELECT count(*) FROM scan WHERE withdrawn_at IS NOT NULL") == [0]
    take(work, shop, body_of(item("YT1", line(8, "1"), line(20, "202"), state="202"), hour=24))
    assert rows(STATE) == ["out_for_delivery"]


def test_a_waybill_that_cannot_be_read_says_nothing(work: Work, shop: Shop, parcel: Bound, rows: Rows) -> None:
    (other,) = work.run(lambda tx: bind_parcels(tx.conn, shop, ["YT2"]))
    odd = {**item("YT1", line(8, "1")), "State": {"code": 3}}
    assert take(work, shop, body_of(odd, "no waybill at all", item("YT2", line(8, "1")))).moved == 1
    assert rows("SELECT parcel_id, state FROM track WHERE because <> ''") == [(other.parcel_id, "in_transit")]
    reason = "Kdniao: what the push says of this waybill cannot be read"
    assert rows(LINES) == [
        ("", "", None, 0, "", reason),
        (CARRIER, "YT1", parcel.parcel_id, shop.shop_id, "", reason),
    ]


@pytest.mark.parametrize("odd", [{"PickerInfo": "周师傅"}, {"SenderInfo": 7}, {"Weight": {}}, {"NextCity": ["x"]}])
def test_what_we_do_not_need_may_be_odd(work: Work, shop: Shop, parcel: Bound, rows: Rows, odd: dict[str, Any]) -> None:
    assert take(work, shop, body_of({**item("YT1", line(8, "1"), line(9, "204")), **odd})).scans == 2
    assert rows("SELECT listed_at IS NOT NULL FROM telling") == [True]
    assert rows(LINES) == []


def test_traces_that_are_no_list_cost_the_traces(work: Work, shop: Shop, parcel: Bound, rows: Rows) -> None:
    take(work, shop, body_of({**item("YT1", state="202"), "Traces": "[]"}))
    assert rows("SELECT state, because FROM track") == [("out_for_delivery", "claim:kdniao")]
    assert rows("SELECT line, reason FROM unread_line") == [("[]", "Kdniao: this is not a list of traces")]


@pytest.mark.parametrize("data", ["[1", '{"PushTime": "2026-11-11 10:00:00", "Data": {}}', '{"Data": []}', "null", "7"])
def test_a_push_without_a_frame_is_unreadable(data: str) -> None:
    with pytest.raises(Unreadable):
        Kdniao().read_push(write_envelope(Envelope(data, "102")))


def test_a_line_told_again_is_listed_once(work: Work, shop: Shop, parcel: Bound, rows: Rows) -> None:
    for hour in (10, 12, 11):
        take(work, shop, body_of(item("YT1", line(8, "1"), ODD), hour=hour))
    assert rows("SELECT unread_line.inbox_id = max(inbox.id) FROM unread_line, inbox GROUP BY unread_line.id") == [True]


def test_a_strangers_line_becomes_the_parcels(work: Work, shop: Shop, rows: Rows) -> None:
    take(work, shop, body_of(item("YT9", line(8, "1"), ODD)))
    assert rows("SELECT number, parcel_id, shop_id FROM unread_line") == [("YT9", None, 0)]
    (bound,) = work.run(lambda tx: bind_parcels(tx.conn, shop, ["YT9"]))
    work.run(lambda tx: adopt(tx, bound.binding_id, {"kdniao": Kdniao()}))
    assert rows("SELECT number, parcel_id, shop_id FROM unread_line") == [("YT9", bound.parcel_id, shop.shop_id)]
    assert rows("SELECT count(*) FROM scan") == [1]


def test_a_mended_reader_takes_the_line_in(work: Work, shop: Shop, parcel: Bound, rows: Rows) -> None:
    take(work, shop, body_of(item("YT1", line(8, "1"), {**ODD, "Action": "202"}, state="")))
    (line_id,) = rows("SELECT id FROM unread_line")
    with pytest.raises(Unreadable):
        work.run(lambda tx: retry_unread(tx, line_id, networks={"kdniao": Kdniao()}))
    assert len(rows(LINES)) == 1
    work.run(lambda tx: retry_unread(tx, line_id, networks={"kdniao": Mended()}))
    assert (rows(STATE), rows(LINES)) == (["out_for_delivery"], [])
    assert rows("SELECT at FROM scan ORDER BY at") == [at(8), at(9.5)]
    with pytest.raises(Missing):
        work.run(lambda tx: retry_unread(tx, line_id, networks={"kdniao": Mended()}))


def test_a_person_sets_a_line_aside(work: Work, shop: Shop, parcel: Bound, rows: Rows) -> None:
    take(work, shop, body_of(item("YT1", ODD)))
    (line_id,) = rows("SELECT id FROM unread_line")
    work.run(lambda tx: set_unread_aside(tx, line_id, actor="staff:1"))
    take(work, shop, body_of(item("YT1", ODD), hour=11))
    with work.begin() as tx:
        assert reading.list_unread(tx) == []
    assert rows("SELECT actor, action, subject FROM audit") == [("staff:1", "set_unread_aside", f"unread:{line_id}")]


def test_a_line_is_forgotten_with_its_push(work: Work, shop: Shop, parcel: Bound, rows: Rows) -> None:
    take(work, shop, body_of(item("YT1", ODD)))
    work.run(lambda tx: tx.conn.execute("UPDATE unread_line SET seen_at = seen_at - %s", [KEPT]))
    work.run(lambda tx: forget_old_pushes(tx, KEPT))
    assert rows("SELECT count(*) FROM unread_line") == [1]
    work.run(lambda tx: tx.conn.execute("UPDATE unread_line SET seen_at = seen_at - interval '1 second'"))
    work.run(lambda tx: forget_old_pushes(tx, KEPT))
    assert rows("SELECT count(*) FROM unread_line") == [0]


def test_another_network_tells_of_its_lines_in_the_same_way(push: Push, parcel: Bound, rows: Rows) -> None:
    push(structs.replace(told("YT1", 10, *WAY[:2], complete=False), unread=(Unread("？", "the other one"),)))
    assert rows("SELECT line, reason FROM unread_line") == [("？", "the other one")]
