"""Lists, counts and search on the real database, as the page role sees them."""

from datetime import timedelta

import pytest

from tests.parts.world import World, order, put_parcel, raw_order
from waystream.core.errors import Conflict, Invalid, Missing
from waystream.core.order import Word
from waystream.kernel.clock import FixedClock
from waystream.kernel.database import Database, Shops
from waystream.kernel.tx import Tx, Work
from waystream.parts.orders import actions, erasing, lists
from waystream.parts.orders.form import OrderIn
from waystream.parts.orders.views import Filters


def with_receiver(number: str, **given: str) -> OrderIn:
    return order(number, receiver=raw_order()["receiver"] | given)


def accept(tx: Tx, *orders: OrderIn) -> list[int]:
    return [answer.order_id for answer in actions.accept(tx, orders)]


@pytest.fixture
def page(world: World, page_database: Database) -> Work:
    return Work(page_database, world.work.clock, world.work.keys)


def test_pages_go_on_where_they_stopped_even_within_one_instant(world: World, clock: FixedClock, page: Work) -> None:
    with world.work.begin() as tx:
        accept(tx, *(order(f"A{n}") for n in range(7)))
    clock.advance(timedelta(minutes=1))
    with world.work.begin() as tx:
        accept(tx, order("B", shop="toys"), order("C"))
    with page.begin(shops=Shops.of([world.tea])) as tx:
        seen, after = [], None
        while True:
            found = lists.list_orders(tx, after=after, limit=3)
            seen += [row.number for row in found.rows]
            after = found.after
            if after is None:
                break
    assert seen == ["C", "A6", "A5", "A4", "A3", "A2", "A1", "A0"]


def test_a_row_shows_the_parcel_that_moved_last(world: World) -> None:
    with world.work.begin() as tx:
        [order_id] = accept(tx, order("A"))
        put_parcel(tx, order_id, parcel_id=1, state="in_transit", number="YT1")
        put_parcel(tx, order_id, parcel_id=2, stage="voided", number="YT2")
        put_parcel(
            tx, order_id, parcel_id=3, state="delivered", kind="locker", number="YT3", at=tx.now + timedelta(hours=1)
        )
        [row] = lists.list_orders(tx).rows
        assert (row.parcels, row.parcel_id, row.waybill, row.state, row.kind) == (2, 3, "YT3", "delivered", "locker")
        assert (row.pieces, row.first_name, row.total_fen, row.shop) == (2, "龙井", 9500, "tea")
        assert (row.name_mask, row.phone_mask, row.city) == ("罗**", "158****6021", "成都市")


def test_filters_and_counts(world: World) -> None:
    with world.work.begin() as tx:
        ids = accept(
            tx,
            order("A"),
            order("B", carrier="SF"),
            order("C", refund="asked"),
            order("D", ship_by="2026-11-01T00:00:00Z"),
        )
        actions.hold(tx, ids[:1], reason="x", actor="system")
        actions.cancel(tx, ids[3:], reason="x", actor="system")

        def numbers(filters: Filters) -> str:
            return "".join(sorted(row.number for row in lists.list_orders(tx, filters).rows))

        assert numbers(Filters(words=(Word.CLOSED,))) == "D"
        assert numbers(Filters(carrier="SF")) == "B"
        assert numbers(Filters(held=True)) == "A"
        assert numbers(Filters(refund=True)) == "C"
        assert numbers(Filters(late_at=tx.now)) == ""
        assert numbers(Filters(ids=tuple(ids[:2]))) == "AB"
        assert numbers(Filters(ids=())) == ""
        assert numbers(Filters(warehouse_ids=frozenset())) == ""
        assert numbers(Filters(warehouse_ids=frozenset({world.yh}), shop_id=world.toys)) == ""
        assert numbers(Filters(since=tx.now)) == "ABCD"
        assert numbers(Filters(until=tx.now)) == ""
        counts = lists.count_words(tx)
        assert {word: n for word, n in counts.items() if n} == {Word.TO_SHIP: 3, Word.CLOSED: 1}
        assert set(counts) == set(Word)
        assert lists.count_words(tx, Filters(carrier="SF"))[Word.TO_SHIP] == 1


def test_search_by_each_thing_a_person_types(world: World) -> None:
    with world.work.begin() as tx:
        luo, ou, john = accept(
            tx,
            order("2611-001"),
            with_receiver("2612-002", name="欧阳小明", mobile="13800001111-1234"),
            with_receiver("2612-003", name="John Smith", mobile="", phone="0571-88123456"),
        )
        put_parcel(tx, luo, parcel_id=1, number="YT8812409633175")

        def found(text: str) -> set[int]:
            return set(lists.search(tx, text))

        assert found("2611") == {luo}
        assert found("2612-") == {ou, john}
        assert found("YT8812409633175") == found(" yt8812409633175 ") == {luo}
        assert found("15812346021") == found("+86 158 1234 6021") == found("１５８12346021") == {luo}
        assert found("6021") == {luo}
        assert found("13800001111-1234") == found("13800001111转1234") == found("13800001111") == {ou}
        assert found("1111") == found("1234") == {ou}
        assert found("057188123456") == found("0571-88123456") == found("3456") == {john}
        assert found("小明") == {luo, ou}
        assert found("罗小明") == {luo}
        assert found("john smith") == found("SMITH") == {john}
        assert found("罗") == found("") == found("%") == found("26%") == found("99999999999") == set()


def test_search_without_personal_data_finds_numbers_only(world: World) -> None:
    with world.work.begin() as tx:
        [order_id] = accept(tx, order("2611-001"))
        assert lists.search(tx, "2611", personal=False) == (order_id,)
        assert lists.search(tx, "罗小明", personal=False) == ()
        assert lists.search(tx, "6021", personal=False) == ()


def test_search_stays_within_the_callers_shops(world: World, page: Work) -> None:
    with world.work.begin() as tx:
        tea, toys = accept(tx, order("2611-001"), order("2611-002", shop="toys"))
    for shops, expected in ((Shops.of([world.tea]), {tea}), (Shops.every(), {tea, toys}), (Shops.of([]), set())):
        with page.begin(shops=shops) as tx:
            for text in ("2611", "罗小明", "6021", "15812346021"):
                assert set(lists.search(tx, text)) == expected


def test_prefix_search_uses_the_index_under_row_level_security(world: World, page: Work) -> None:
    with page.begin(shops=Shops.of([world.tea])) as tx:
        tx.conn.execute("SET LOCAL enable_seqscan = off")
        plan = "\n".join(
            row[0]
            for row in tx.conn.execute("EXPLAIN SELECT id FROM orders WHERE number ~>=~ '26' AND number ~<~ '27'")
        )
    assert "Index Cond: ((number ~>=~" in plan


def test_one_order_whole(world: World) -> None:
    with world.work.begin() as tx:
        [order_id] = accept(tx, order("A"))
        put_parcel(tx, order_id, parcel_id=1, state="in_transit", number="YT1")
        found = lists.get_order(tx, order_id)
        assert (found.shop_code, found.warehouse, found.address_mask) == ("tea", "余杭仓", "文三路***号*幢***室")
        assert [(line.sku, line.quantity) for line in found.lines] == [("T1", 2)]
        assert [(parcel.number, parcel.state) for parcel in found.parcels] == [("YT1", "in_transit")]
        assert lists.find_order(tx, "tea", "A") == found
        assert lists.find_order(tx, "toys", "A") is None
        with pytest.raises(Missing):
            lists.get_order(tx, 1)


def test_unmasking_asks_why_and_is_written_down(world: World, page: Work) -> None:
    with world.work.begin() as tx:
        [order_id] = accept(tx, order("A", buyer_remark="门口"))
    with page.begin(shops=Shops.of([world.tea])) as tx:
        with pytest.raises(Invalid):
            actions.unmask(tx, order_id, actor="staff:1", reason=" ")
        person = actions.unmask(tx, order_id, actor="staff:1", reason="买家来电")
        assert (person.contact.mobile, person.buyer_remark) == ("15812346021", "门口")
        assert "罗小明" not in repr(person)
        assert tx.conn.execute("SELECT actor, action, subject, shop_id, reason FROM audit").fetchall() == [
            ("staff:1", "unmask", f"order:{order_id}", world.tea, "买家来电")
        ]
    with page.begin(shops=Shops.of([world.toys])) as tx, pytest.raises(Missing):
        actions.unmask(tx, order_id, actor="staff:1", reason="x")


def test_erasing_leaves_the_figures_and_nobody(world: World) -> None:
    with world.work.begin() as tx:
        order_id, other = accept(tx, order("A"), order("B"))
        put_parcel(tx, order_id, parcel_id=1, stage="issued")
        accept(tx, with_receiver("A", address="新街1号"))
        erased = erasing.erase_receivers(tx, [order_id], actor="staff:1", reason="买家要求")
        assert erased == erasing.Erased((order_id,), 2)
        assert erasing.erase_receivers(tx, [order_id], actor="staff:1", reason="买家要求") == erasing.Erased((), 0)
        assert lists.search(tx, "罗小明") == (other,)
        with pytest.raises(Conflict):
            actions.unmask(tx, order_id, actor="staff:1", reason="x")
        found = lists.get_order(tx, order_id)
        assert (found.name_mask, found.phone_mask, found.address_mask, found.total_fen) == ("", "", "", 9500)
        assert found.erased_at == tx.now
        assert tx.conn.execute("SELECT count(*) FROM vault_key WHERE wrapped = ''").fetchone() == (2,)
        accept(tx, with_receiver("A", address="新街1号", postcode=""))


def test_the_same_phone_is_erased_within_its_shop_and_the_callers_warehouses(world: World) -> None:
    with world.work.begin() as tx:
        first, second, stranger = accept(
            tx, order("A"), order("B"), with_receiver("C", mobile="13700000000", name="别人")
        )
        [elsewhere] = accept(tx, order("A", shop="toys"))
        assert erasing.list_same_buyer(tx, first) == [second]
        assert erasing.list_same_buyer(tx, first, warehouses={world.yh + 1}) == []
        erased = erasing.erase_buyer(tx, first, same_phone=True, actor="staff:1", reason="买家要求")
        assert erased == erasing.Erased((first, second), 2)
        assert tx.conn.execute(
            "SELECT orders.id FROM orders JOIN person ON person.id = person_id WHERE erased_at IS NULL ORDER BY 1"
        ).fetchall() == [(an_id,) for an_id in sorted((stranger, elsewhere))]
        with pytest.raises(Invalid):
            erasing.erase_receivers(tx, [stranger], actor="staff:1", reason=" ")
        with pytest.raises(Missing):
            erasing.erase_receivers(tx, [1], actor="staff:1", reason="x")
