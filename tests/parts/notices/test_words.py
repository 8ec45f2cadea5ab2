"""A shop's own words: versions that are never lost, undone, restored, tried over a real order."""

import pytest

from tests.parts.notices.conftest import Desk
from waystream.core.errors import Conflict, Invalid, Missing
from waystream.core.state import State
from waystream.kernel.tx import Tx
from waystream.parts.notices import reading, words
from waystream.parts.notices.kinds import Words

OF = {"kind": "shipped", "language": "zh"}
OURS = words.own_words("shipped", "zh")


def save(desk: Desk, text: str) -> int:
    said = Words("{order} 发货了", text)
    return desk.do(lambda tx: words.save(tx, desk.world.tea, said, **OF, actor="staff:1")).version


def now(desk: Desk) -> str:
    return desk.do(lambda tx: words.words_of(tx, desk.world.tea, **OF)).text


def test_saved_words_are_said_from_then_on(desk: Desk) -> None:
    assert now(desk) == OURS.text
    save(desk, "{order} 走了")
    parcel_id = desk.parcel(desk.order(), state="awaiting_collection")
    desk.dispatch(parcel_id)
    desk.settle()
    assert [(letter.subject, letter.text) for letter in desk.letters] == [("A1 发货了", "A1 走了")]


def test_every_change_is_a_version_and_undo_is_one_more(desk: Desk) -> None:
    def undo(tx: Tx) -> None:
        words.undo(tx, desk.world.tea, **OF, actor="staff:2")

    with pytest.raises(Conflict):
        desk.do(undo)
    assert (save(desk, "一"), save(desk, "二")) == (1, 2)
    desk.do(undo)
    assert now(desk) == "一"
    desk.do(lambda tx: words.restore(tx, desk.world.tea, 0, **OF, actor="staff:2"))
    assert now(desk) == OURS.text
    desk.do(lambda tx: words.restore(tx, desk.world.tea, 2, **OF, actor="staff:2"))
    assert now(desk) == "二"
    kept = desk.do(lambda tx: words.list_versions(tx, desk.world.tea, **OF))
    assert [(each.version, each.text, each.is_default) for each in kept] == [
        (5, "二", False), (4, OURS.text, True), (3, "一", False), (2, "二", False), (1, "一", False),
    ]  # fmt: skip
    with pytest.raises(Missing):
        desk.do(lambda tx: words.restore(tx, desk.world.tea, 9, **OF, actor="staff:2"))


def test_what_cannot_be_said_is_not_saved(desk: Desk) -> None:
    for text, path in (("{ordr}", "text"), ("取件码 {code}", "text"), ("", "text")):
        with pytest.raises(Invalid) as refused:
            save(desk, text)
        assert refused.value.path == path
    with pytest.raises(Conflict):
        desk.do(lambda tx: words.save(tx, desk.world.tea, OURS, **OF, actor="staff:1"))
    assert desk.rows("SELECT count(*) FROM notice_template") == [(0,)]


def test_another_shops_words_are_its_own(desk: Desk) -> None:
    save(desk, "只在茶铺")
    assert desk.do(lambda tx: words.words_of(tx, desk.world.toys, **OF)).text == OURS.text


def test_words_are_tried_over_an_order_as_it_is_now(desk: Desk) -> None:
    order_id = desk.order()
    parcel_id = desk.parcel(order_id, state="in_transit", number="YT5")
    said = Words("{order}", "[{name}，][取件码 {code}]{order}")
    tried = desk.do(lambda tx: reading.preview(tx, order_id, said, kind="ready_for_pickup", language="zh"))
    assert (tried.text, tried.true_now) == ("罗**，A1", False)
    desk.move(parcel_id, State.READY_FOR_PICKUP, text="已放入【丰巢】，取件码：A-102")
    tried = desk.do(lambda tx: reading.preview(tx, order_id, said, kind="ready_for_pickup", language="zh"))
    assert (tried.text, tried.true_now) == ("罗**，取件码 A-102A1", True)
