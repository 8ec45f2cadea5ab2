"""Silence and slow-downs: a stall is told, what stirred is not; a slow-down is told once, instead of every delay."""

from datetime import timedelta

from tests.parts.notices.conftest import Desk
from waystream.core.events.silence import ParcelStalled, ParcelStirred, SlowdownBegan
from waystream.core.state import State


def stall(desk: Desk, parcel_id: int) -> None:
    now = desk.clock.now()
    since = now - timedelta(days=2)
    desk.emit(ParcelStalled(shop_id=desk.world.tea, parcel_id=parcel_id, silent_since=since, due_at=now))


def slow(desk: Desk, *parcel_ids: int) -> int:
    [(slowdown_id,)] = desk.rows(
        """INSERT INTO slowdown (carrier, place, began_at, silent, expected) VALUES ('YTO', '杭州转运中心', %s, 9, 1)
           RETURNING id""",
        desk.clock.now(),
    )
    for parcel_id in parcel_ids:
        desk.rows(
            """INSERT INTO silence (parcel_id, shop_id, carrier, place, stage, silent_since, due_at, found_at,
                                    slowdown_id)
               VALUES (%s, %s, 'YTO', '杭州转运中心', 'in_transit', %s, %s, %s, %s) RETURNING 1""",
            parcel_id, desk.world.tea, *[desk.clock.now()] * 3, slowdown_id,
        )  # fmt: skip
    desk.emit(SlowdownBegan(
        shop_id=desk.world.tea, slowdown_id=slowdown_id, carrier="YTO", place="杭州转运中心",
        parcels=len(parcel_ids)))  # fmt: skip
    return int(slowdown_id)


def test_a_stalled_parcels_buyer_is_told_once(desk: Desk) -> None:
    parcel_id = desk.parcel(desk.order(), state="in_transit")
    for _ in range(2):
        stall(desk, parcel_id)
        desk.settle()
    [letter] = desk.letters
    assert letter.template == "delayed" and "物流有一段时间没有更新" in letter.text


def test_what_stirs_before_it_was_said_is_taken_back_and_may_stall_again(desk: Desk) -> None:
    parcel_id = desk.parcel(desk.order(), state="in_transit")
    stall(desk, parcel_id)
    desk.digest()
    desk.emit(ParcelStirred(shop_id=desk.world.tea, parcel_id=parcel_id))
    desk.settle()
    assert desk.notices() == [("delayed", "dropped", "taken_back")]
    desk.clock.advance(timedelta(hours=3))
    stall(desk, parcel_id)
    desk.settle()
    assert desk.notices() == [("delayed", "dropped", "taken_back"), ("delayed", "handed", "")]
    assert desk.broken() == []


def test_a_scan_nobody_called_a_stir_ends_the_delay_too(desk: Desk) -> None:
    parcel_id = desk.parcel(desk.order(), state="in_transit")
    stall(desk, parcel_id)
    desk.digest()
    desk.clock.advance(timedelta(minutes=1))
    desk.move(parcel_id, State.IN_TRANSIT)
    desk.settle()
    assert desk.notices() == [("delayed", "dropped", "moved_on")]


def test_a_slowdown_is_told_once_and_mutes_the_delays_of_its_parcels(desk: Desk) -> None:
    order_id = desk.order()
    first, second = (desk.parcel(order_id, state="in_transit", quantity=1) for _ in range(2))
    stall(desk, first)
    desk.digest()
    slow(desk, first, second)
    stall(desk, second)
    desk.settle()
    [letter] = desk.letters
    assert letter.template == "slowdown" and letter.variables["parcels"] == "2"
    assert "圆通速递线路在杭州转运中心拥堵" in letter.text
    assert sorted(desk.notices()) == [("delayed", "dropped", "slowdown"), ("slowdown", "handed", "")]


def test_a_slowdown_that_ended_before_it_was_said_is_not_said(desk: Desk) -> None:
    slowdown_id = slow(desk, desk.parcel(desk.order(), state="in_transit"))
    desk.digest()
    desk.rows("UPDATE slowdown SET ended_at = %s WHERE id = %s RETURNING 1", desk.clock.now(), slowdown_id)
    desk.settle()
    assert desk.notices() == [("slowdown", "dropped", "moved_on")]
