"""What a buyer says of messages himself: of one order, of all, and again; the mail carries where."""

from tests.parts.notices.conftest import Desk
from waystream.parts.notices import actions, optouts
from waystream.parts.notices.optouts import Wish


def wish(desk: Desk, order_id: int, wanted: Wish) -> Wish | None:
    desk.do(lambda tx: optouts.wish(tx, order_id, wanted))
    found: Wish | None = desk.do(lambda tx: optouts.find_wish(tx, order_id))
    return found


def test_who_wants_nothing_of_one_order_hears_of_the_other(desk: Desk) -> None:
    first, second = desk.order("A1"), desk.order("A2")
    assert wish(desk, first, Wish.ORDER) is Wish.ORDER
    assert desk.do(lambda tx: optouts.find_wish(tx, second)) is Wish.ALL
    desk.dispatch(*(desk.parcel(order_id, state="in_transit") for order_id in (first, second)))
    desk.settle()
    assert sorted(desk.notices()) == [("shipped", "dropped", "opted_out"), ("shipped", "handed", "")]
    assert [letter.order for letter in desk.letters] == ["A2"]


def test_who_wants_nothing_at_all_hears_of_no_order_until_he_wants_to(desk: Desk) -> None:
    first, second = desk.order("A1"), desk.order("A2")
    assert wish(desk, first, Wish.NONE) is Wish.NONE
    desk.dispatch(desk.parcel(second, state="in_transit"))
    desk.settle()
    assert desk.notices() == [("shipped", "dropped", "opted_out")]
    assert wish(desk, second, Wish.ALL) is Wish.ALL
    desk.dispatch(desk.parcel(first, state="in_transit"))
    desk.settle()
    assert [letter.order for letter in desk.letters] == ["A1"]


def test_who_hears_of_one_order_again_undoes_nothing_else(desk: Desk) -> None:
    """The holder of one order's link leaves what was said of another, and of one kind of message."""
    first, second = desk.order("A1"), desk.order("A2")
    wish(desk, second, Wish.ORDER)
    desk.do(lambda tx: actions.opt_out(tx, first, kind="shipped", actor="staff:1"))
    wish(desk, first, Wish.NONE)
    assert wish(desk, first, Wish.ALL) is Wish.ALL
    assert desk.do(lambda tx: optouts.find_wish(tx, second)) is Wish.ORDER
    assert {each.kind for each in desk.do(lambda tx: actions.list_optouts(tx, first))} == {f"order:{second}", "shipped"}


def test_a_letter_says_where_it_is_unsubscribed_from(desk: Desk) -> None:
    desk.link = "https://ship.example/t/abc"
    desk.dispatch(desk.parcel(desk.order(), state="in_transit"))
    desk.settle()
    [letter] = desk.letters
    assert letter.unsubscribe == "https://ship.example/t/abc/unsubscribe"
