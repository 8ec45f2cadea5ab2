"""Taking orders in: exactly the rows and events of what was told, however often it is told."""

import threading
from typing import Any

import pytest

from tests.parts.world import World, counts, happened, move_parcel, order, put_parcel, raw_order
from waystream.core.errors import InvalidMany
from waystream.core.person import from_bytes, person_aad
from waystream.kernel.database import Database, Shops
from waystream.kernel.tx import Tx, Work
from waystream.kernel.vault import open_sealed
from waystream.parts.orders import actions
from waystream.parts.orders.form import parse_order
from waystream.parts.orders.model import Accepted, Axis, Outcome

TABLES = ("orders", "order_line", "person", "person_index", "event", "job", "audit")


def accept(tx: Tx, *orders: Any) -> list[Accepted]:
    return actions.accept(tx, orders)


def receiver_of(tx: Tx, order_id: int) -> Any:
    person_id, key_id, sealed = tx.conn.execute(
        "SELECT p.id, key_id, sealed FROM orders o JOIN person p ON p.id = person_id WHERE o.id = %s", [order_id]
    ).fetchone()
    return from_bytes(open_sealed(tx.keys.load(tx.conn, [key_id])[key_id], sealed, aad=person_aad(person_id)))


def test_a_new_order_is_its_rows_and_one_event(world: World) -> None:
    with world.work.begin() as tx:
        [answer] = accept(tx, order("A1", buyer_remark="门口", seller_remark="易碎", carrier="yto"))

    assert answer == Accepted(answer.order_id, "A1", Outcome.CREATED)
    with world.work.begin() as tx:
        assert counts(tx, *TABLES) == {
            "orders": 1,
            "order_line": 1,
            "person": 1,
            "person_index": 5,
            "event": 1,
            "job": 0,
            "audit": 0,
        }
        assert happened(tx) == [("OrderReceived", f"order:{answer.order_id}", {"warehouse_id": world.yh})]
        assert tx.conn.execute(
            """SELECT shop_id, number, warehouse_id, payment, cod_fen, refund, total_fen, carrier, word, dispatch,
                      received_at = moved_at FROM orders"""
        ).fetchall() == [(world.tea, "A1", world.yh, "prepaid", 0, "none", 9500, "YTO", "to_ship", "none", True)]
        assert tx.conn.execute(
            """SELECT order_id, shop_id, line_no, sku, name, quantity, price_fen, discount_fen, tax_bp
               FROM order_line"""
        ).fetchall() == [(answer.order_id, world.tea, 1, "T1", "龙井", 2, 4900, 300, 0)]
        assert tx.conn.execute(
            "SELECT plain, name_mask, phone_mask, address_mask, province, city, district FROM person"
        ).fetchall() == [(True, "罗**", "158****6021", "文三路***号*幢***室", "四川省", "成都市", "武侯区")]
        person = receiver_of(tx, answer.order_id)
        assert (person.contact.name, person.contact.mobile, person.buyer_remark, person.seller_remark) == (
            "罗小明",
            "15812346021",
            "门口",
            "易碎",
        )


def test_the_same_order_again_writes_nothing(world: World) -> None:
    with world.work.begin() as tx:
        [first] = accept(tx, order())
    with world.work.begin() as tx:
        before = counts(tx, *TABLES, "vault_key")
        [again] = accept(tx, order())
        assert again == Accepted(first.order_id, "A1", Outcome.UNCHANGED)
        assert counts(tx, *TABLES, "vault_key") == before


def test_a_batch_answers_in_its_order(world: World) -> None:
    with world.work.begin() as tx:
        accept(tx, order("B"))
        answers = accept(tx, order("C"), order("B"), order("A"))
        assert [(each.number, each.outcome) for each in answers] == [
            ("C", "created"),
            ("B", "unchanged"),
            ("A", "created"),
        ]


@pytest.mark.parametrize(("given", "axes"), [
    ({"refund": "asked"}, (Axis.REFUND,)),
    ({"receiver": raw_order()["receiver"] | {"address": "新街1号"}}, (Axis.ADDRESS,)),
    ({"payment": "cod", "cod_fen": 100}, (Axis.PAYMENT,)),
    ({"ship_by": "2026-11-13T00:00:00Z"}, (Axis.PROMISE,)),
    ({"carrier": "SF"}, (Axis.CARRIER,)),
    ({"buyer_remark": "放门口"}, (Axis.REMARKS,)),
    ({"lines": [{"sku": "T1", "name": "龙井", "quantity": 2, "price_fen": 5000, "discount_fen": 300}]}, (Axis.PRICES,)),
    ({"lines": [{"sku": "T1", "quantity": 3, "price_fen": 4900, "discount_fen": 300}]}, (Axis.LINES,)),
])  # fmt: skip
def test_what_changed_is_named(world: World, given: dict[str, Any], axes: tuple[Axis, ...]) -> None:
    with world.work.begin() as tx:
        [first] = accept(tx, order())
        [again] = accept(tx, order(**given))
        assert again == Accepted(first.order_id, "A1", Outcome.CHANGED, changed=axes)
        assert happened(tx)[1:] == [("OrderChanged", f"order:{first.order_id}", {"what": [str(axis) for axis in axes]})]
        [third] = accept(tx, order(**given))
        assert third.outcome is Outcome.UNCHANGED


def test_a_new_address_is_a_new_person_and_the_old_one_stays(world: World) -> None:
    with world.work.begin() as tx:
        [first] = accept(tx, order())
        put_parcel(tx, first.order_id, parcel_id=1, stage="issued")
        accept(tx, order(receiver=raw_order()["receiver"] | {"address": "新街1号"}))
        assert receiver_of(tx, first.order_id).contact.address == "新街1号"
        assert tx.conn.execute("SELECT p.person_id <> o.person_id FROM parcel p, orders o").fetchone() == (True,)


def test_changed_remarks_keep_the_person(world: World) -> None:
    with world.work.begin() as tx:
        [first] = accept(tx, order())
        accept(tx, order(buyer_remark="放门口"))
        assert receiver_of(tx, first.order_id).buyer_remark == "放门口"
        assert counts(tx, "person") == {"person": 1}


def test_lines_keep_their_ids_while_their_sku_stays(world: World) -> None:
    old = [{"sku": sku, "name": sku, "quantity": 1} for sku in ("A", "B", "A")]
    new = [{"sku": sku, "name": sku, "quantity": n} for sku, n in (("C", 1), ("A", 1), ("A", 5))]
    with world.work.begin() as tx:
        accept(tx, order(lines=old))
        before = tx.conn.execute("SELECT id FROM order_line ORDER BY line_no").fetchall()
        accept(tx, order(lines=new))
        rows = tx.conn.execute("SELECT id, sku, quantity FROM order_line ORDER BY line_no").fetchall()
        assert [row[1:] for row in rows] == [("A", 1), ("B", 0), ("A", 5), ("C", 1)]
        assert [row[:1] for row in rows[:3]] == before


def test_what_left_the_warehouse_keeps_address_and_lines_but_takes_a_refund(world: World) -> None:
    moved = order(
        refund="full",
        receiver=raw_order()["receiver"] | {"address": "新街1号"},
        lines=[{"sku": "X", "quantity": 1}],
        payment="cod",
        cod_fen=5,
        carrier="SF",
    )
    with world.work.begin() as tx:
        [first] = accept(tx, order())
        put_parcel(tx, first.order_id, parcel_id=1)
        [answer] = accept(tx, moved)
        assert answer.changed == (Axis.REFUND,)
        assert answer.refused == (Axis.ADDRESS, Axis.LINES, Axis.PAYMENT, Axis.CARRIER)
        assert answer.why == "dispatched"
        assert tx.conn.execute("SELECT refund, payment, cod_fen, carrier, total_fen FROM orders").fetchall() == [
            ("full", "prepaid", 0, "", 9500)
        ]
        assert receiver_of(tx, first.order_id).contact.address == "文三路478号3幢502室"
        [again] = accept(tx, moved)
        assert (again.outcome, again.changed) == (Outcome.REFUSED, ())
        assert counts(tx, "order_line", "person", "event") == {"order_line": 1, "person": 1, "event": 2}


def test_a_cancelled_order_takes_nothing(world: World) -> None:
    with world.work.begin() as tx:
        [first] = accept(tx, order())
        actions.cancel(tx, [first.order_id], reason="买家不要了", actor="staff:1")
        [answer] = accept(tx, order(refund="full"))
        assert (answer.outcome, answer.why, answer.refused) == (Outcome.REFUSED, "cancelled", (Axis.REFUND,))
        assert accept(tx, order())[0].outcome is Outcome.UNCHANGED


def test_unknown_shops_and_repeated_numbers_are_all_named_and_nothing_is_taken(world: World) -> None:
    with world.work.begin() as tx:
        with pytest.raises(InvalidMany) as caught:
            accept(tx, order("A"), order("B", shop="no"), order("C", warehouse="no"), order("A"))
        assert [problem.path for problem in caught.value.problems] == [
            "orders[1].shop",
            "orders[2].warehouse",
            "orders[3].number",
        ]
        assert counts(tx, *TABLES) == dict.fromkeys(TABLES, 0)


def test_a_caller_of_one_shop_does_not_learn_of_another(world: World, page_database: Database) -> None:
    page = Work(page_database, world.work.clock, world.work.keys)
    with page.begin(shops=Shops.of([world.tea])) as tx:
        assert accept(tx, order())[0].outcome is Outcome.CREATED
        with pytest.raises(InvalidMany) as caught:
            accept(tx, order("T", shop="toys"))
        assert caught.value.path == "orders[0].shop"


def test_two_who_tell_the_same_order_at_once_make_one(world: World) -> None:
    """The second insert waits for the first's commit, then finds the order there and says unchanged."""
    ready, answers = threading.Barrier(2), []

    def tell_it(name: str) -> None:
        def work(tx: Tx) -> list[Accepted]:
            tx.conn.execute("SELECT 1")
            ready.wait(10)
            return accept(tx, order(name), order("both"))

        answers.append(world.work.run(work))

    threads = [threading.Thread(target=tell_it, args=[name]) for name in ("A", "B")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(each[1].outcome for each in answers) == ["created", "unchanged"]
    with world.work.begin() as tx:
        assert counts(tx, "orders", "person", "order_line", "event") == {
            "orders": 3,
            "person": 3,
            "order_line": 3,
            "event": 3,
        }
        assert tx.conn.execute("SELECT count(*) FROM vault_key WHERE destroyed_at IS NULL").fetchone() == (4,)


def test_a_receiver_only_the_platform_can_read(world: World) -> None:
    sealed = {"platform": "taobao", "ciphertext": "~abc~", "name_mask": "罗**", "phone_mask": "158****6021"}
    raw = raw_order() | {"sealed": sealed}
    del raw["receiver"]
    with world.work.begin() as tx:
        accept(tx, parse_order(raw))
        assert tx.conn.execute("SELECT plain, name_mask, phone_mask FROM person").fetchall() == [
            (False, "罗**", "158****6021")
        ]
        assert tx.conn.execute("SELECT purpose FROM person_index").fetchall() == [(2,)]


def test_a_line_without_a_name_takes_the_catalogues(world: World) -> None:
    with world.work.begin() as tx:
        tx.conn.execute(
            "INSERT INTO sku (shop_id, code, name, changed_at) VALUES (%s, 'T1', '明前龙井', %s)", [world.tea, tx.now]
        )
        accept(tx, order(lines=[{"sku": "T1", "quantity": 1}, {"sku": "T2", "quantity": 1}]))
        assert tx.conn.execute("SELECT name FROM order_line ORDER BY line_no").fetchall() == [("明前龙井",), ("",)]


def test_a_moved_parcel_does_not_matter_to_a_change_of_price(world: World) -> None:
    with world.work.begin() as tx:
        [first] = accept(tx, order())
        put_parcel(tx, first.order_id, parcel_id=1)
        move_parcel(tx, 1, state="in_transit")
        [answer] = accept(tx, order(declared_fen=100))
        assert (answer.changed, answer.refused) == ((Axis.PRICES,), ())
