"""Erasing a buyer on the pages: what the dialog says, who may, and that nothing shows the person afterwards."""

from datetime import UTC, datetime

from tests.web.conftest import Office
from waystream.integrations.kdniao.fakepush import Merchant, News, TraceNews, push_data, seal_push
from waystream.kernel.tx import Tx
from waystream.kernel.vault import seal
from waystream.parts.people.model import Role

PHONE, STREET = "15812346021", "桐梓林东路"


def order_with_a_label(office: Office) -> tuple[int, int, int]:
    """An order, its parcel with a live label, and a push that told of it."""
    [row] = office.rows(
        """SELECT parcel_order.order_id, label.parcel_id, telling.inbox_id FROM label
           JOIN parcel_order USING (parcel_id) JOIN telling USING (parcel_id)
           WHERE label.voided_at IS NULL ORDER BY 1 LIMIT 1"""
    )
    return row  # type: ignore[return-value]


def test_the_dialog_says_what_goes_and_what_cannot(office: Office) -> None:
    owner, order = office.hire(), office.world.order_ids[0]
    assert f'href="/orders/{order}/erase"' in owner.get(f"/orders/{order}").text
    dialog = owner.get(f"/orders/{order}/erase").text
    assert "their key is destroyed" in dialog
    assert "Raw pushes stay sealed until they are dropped" in dialog
    assert "Only this order" not in dialog, "no other order has this phone"
    assert office.rows("SELECT count(*) FROM person WHERE erased_at IS NOT NULL") == [(0,)]


def test_search_page_label_and_raw_push_show_nobody_afterwards(office: Office) -> None:
    owner = office.hire()
    order, parcel, push = order_with_a_label(office)
    [(number,)] = office.rows("SELECT number FROM orders WHERE id = %s", order)
    assert owner.get(f"/parcels/{parcel}/label.png").status_code == 200

    answer = owner.post(f"/orders/{order}/erase", reason="the buyer asked", which="this")

    assert answer.status_code == 303
    page = owner.get(f"/orders/{order}").text
    assert "Erased: nobody can read it any more." in page
    assert "158****6021" not in page
    assert f"/orders/{order}/erase" not in page
    assert f"/parcels/{parcel}/label.png" not in page
    assert number not in owner.get(f"/orders?q={PHONE}").text
    assert owner.get(f"/parcels/{parcel}/label.png").status_code == 404
    assert owner.get(f"/parcels/{parcel}/label.pdf").status_code == 404
    raw = owner.post("/parcels/raw", id=str(parcel), push=str(push), reason="look")
    assert raw.status_code == 409
    assert "was erased: it stays closed" in raw.text
    assert owner.post("/orders/unmask", id=str(order), reason="look").status_code == 409
    noted = office.rows("SELECT actor, reason FROM audit WHERE action = 'erase' AND subject = %s", f"order:{order}")
    assert noted == [(f"staff:{owner.staff_id}", "the buyer asked")]


def test_erasing_again_changes_nothing(office: Office) -> None:
    owner, order = office.hire(), office.world.order_ids[0]
    for _ in range(2):
        assert owner.post(f"/orders/{order}/erase", reason="the buyer asked").status_code == 303
    assert office.rows("SELECT count(*) FROM audit WHERE action = 'erase'") == [(1,)]


def test_only_an_owner_may_and_only_with_a_reason(office: Office) -> None:
    order = office.world.order_ids[0]
    for role in (Role.WAREHOUSE, Role.CARE, Role.FINANCE, Role.ANALYST):
        person = office.hire(role)
        assert f"/orders/{order}/erase" not in person.get(f"/orders/{order}").text
        assert person.post(f"/orders/{order}/erase", reason="x").status_code == 403
    assert office.hire().post(f"/orders/{order}/erase", reason=" ").status_code == 422
    elsewhere = office.hire(shops=(office.world.shop_ids[1],))
    assert elsewhere.post(f"/orders/{order}/erase", reason="x").status_code == 404
    assert office.rows("SELECT count(*) FROM person WHERE erased_at IS NOT NULL") == [(0,)]


def test_other_orders_with_the_same_phone_are_offered_and_erased_with_it(office: Office) -> None:
    owner, (first, second) = office.hire(), office.world.order_ids[:2]
    with office.context.machine.begin() as tx:
        tx.conn.execute(
            """UPDATE orders SET shop_id = (SELECT shop_id FROM orders WHERE id = %(first)s) WHERE id = %(second)s""",
            {"first": first, "second": second},
        )
        tx.conn.execute(
            """INSERT INTO person_index (shop_id, purpose, hash, person_id)
               SELECT (SELECT shop_id FROM orders WHERE id = %(first)s), 1, 'same', person_id FROM orders
               WHERE id IN (%(first)s, %(second)s)""",
            {"first": first, "second": second},
        )
    assert "This order and 1 other with the same phone" in owner.get(f"/orders/{first}/erase").text
    owner.post(f"/orders/{first}/erase", reason="the buyer asked", which="phone")
    erased = office.rows(
        "SELECT orders.id FROM orders JOIN person ON person.id = person_id WHERE erased_at IS NOT NULL"
    )
    assert {row[0] for row in erased} == {first, second}


def put_push(tx: Tx, parcel_id: int, *numbers: str) -> int:
    """A real push that told of this parcel among others."""
    at = datetime(2026, 11, 12, tzinfo=UTC)
    news = [News("YTO", number, "", "2", (TraceNews(at, "2", "到达"),)) for number in numbers]
    body = seal_push(Merchant("1687240", "secret"), "102", push_data("1687240", "102", news, at=at))
    key_id, key = tx.keys.day_key(tx.conn, tx.now.date())
    tx.conn.execute(
        """INSERT INTO inbox (digest, id, aggregator_id, received_at, size, key_id, sealed)
           SELECT 'real', 77, id, %s, 1, %s, %s FROM aggregator""",
        [tx.now, key_id, seal(key, body, aad=b"real")],
    )
    tx.conn.execute("UPDATE telling SET inbox_id = 77 WHERE parcel_id = %s", [parcel_id])
    return 77


def test_a_push_that_tells_of_an_erased_receiver_among_others_stays_closed(office: Office) -> None:
    owner = office.hire()
    told = office.rows(
        """SELECT parcel_order.order_id, binding.parcel_id, binding.number FROM telling
           JOIN binding ON binding.id = binding_id JOIN parcel_order ON parcel_order.parcel_id = binding.parcel_id
           WHERE binding.number <> '' ORDER BY 1 LIMIT 2"""
    )
    (_, parcel, number), (erased, _, erased_number) = told
    office.context.machine.run(lambda tx: put_push(tx, parcel, number, erased_number))
    look = {"id": str(parcel), "push": "77", "reason": "look"}
    assert owner.post("/parcels/raw", **look).status_code == 200
    owner.post(f"/orders/{erased}/erase", reason="the buyer asked")
    assert owner.post("/parcels/raw", **look).status_code == 409
