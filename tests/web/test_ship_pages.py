"""Shipping from pages: orders combined, one order split or sent in pieces, and the list as a file."""

import csv
import io
import re

import httpx
import pytest

from tests.web.conftest import Office, Person
from waystream.parts.people.model import Role
from waystream.web.pages.orders import page as orders_page
from waystream.web.pages.orders import sheet

PARCELS_OF = """
    SELECT p.id, p.carrier, p.pieces, p.mother_id, (SELECT array_agg((line.line_no, pl.quantity)::text ORDER BY line_no)
        FROM parcel_line pl JOIN order_line line ON line.id = pl.order_line_id
        WHERE pl.parcel_id = p.id AND line.order_id = po.order_id)
    FROM parcel p JOIN parcel_order po ON po.parcel_id = p.id WHERE po.order_id = %s AND p.stage <> 'voided'
    ORDER BY p.id"""


def change(office: Office, query: str, *values: object) -> None:
    with office.context.machine.begin() as tx:
        tx.conn.execute(query, list(values))


def fresh_orders(office: Office) -> tuple[int, int]:
    """Two orders of one shop and one receiver without a parcel; the first is on hold. (held, free)"""
    rows = office.rows(
        """SELECT id FROM orders WHERE word = 'to_ship' AND NOT EXISTS (
               SELECT FROM parcel_order WHERE order_id = orders.id) ORDER BY held_at IS NULL, id"""
    )
    return int(rows[0][0]), int(rows[1][0])


def number_of(office: Office, order_id: int) -> str:
    return str(office.rows("SELECT number FROM orders WHERE id = %s", order_id)[0][0])


def hire_elsewhere(office: Office) -> tuple[Person, Person]:
    """Somebody of the other shop, and somebody of another warehouse."""
    change(
        office,
        """INSERT INTO warehouse (code, name, province, city, district, key_id, sealed, contact_mask, created_at)
           SELECT 'other', name, province, city, district, key_id, sealed, contact_mask, created_at FROM warehouse""",
    )
    [(warehouse,)] = office.rows("SELECT id FROM warehouse WHERE code = 'other'")
    return office.hire(shops=(office.world.shop_ids[1],)), office.hire(warehouses=(warehouse,))


def send_split(person: Person, order_id: int, stand: str = "1x1,2x1,3x1", **form: str) -> httpx.Response:
    """The dialog sent back: `line_1_2` is line 1 in parcel 2."""
    fields = {name.replace("_", "-") if name.startswith("line_") else name: value for name, value in form.items()}
    return person.post(f"/orders/{order_id}/split", stand=stand, **fields)


class TestCombine:
    """Orders of one receiver in one parcel."""

    def test_the_dialog_asks_first(self, office: Office) -> None:
        held, free = fresh_orders(office)
        page = office.hire(Role.WAREHOUSE).get(f"/orders/ask?do=combine&id={held}&id={free}").text
        assert "Ship 2 orders together?" in page
        assert 'action="/orders/combine"' in page

    def test_the_bar_offers_it(self, office: Office) -> None:
        assert 'name="do" value="combine"' in office.hire().get("/orders").text

    def test_two_orders_become_one_parcel(self, office: Office) -> None:
        held, free = fresh_orders(office)
        change(office, "UPDATE orders SET held_at = NULL, hold_reason = '' WHERE id = %s", held)
        person = office.hire(Role.WAREHOUSE)
        assert person.post("/orders/combine", id=[str(held), str(free)]).status_code == 303
        [first], [second] = office.rows(PARCELS_OF, held), office.rows(PARCELS_OF, free)
        assert first[0] == second[0]
        assert first[4] == second[4] == ["(1,1)", "(2,1)", "(3,1)"]
        assert "Orders under way: 2, in parcels: 1." in person.get("/orders").text

    def test_a_refused_order_is_named_and_stops_no_other(self, office: Office) -> None:
        held, free = fresh_orders(office)
        person = office.hire()
        person.post("/orders/combine", id=[str(held), str(free)])
        assert not office.rows(PARCELS_OF, held)
        assert len(office.rows(PARCELS_OF, free)) == 1
        said = person.get("/orders").text
        assert f"Orders under way: 1, in parcels: 1. Refused: {number_of(office, held)}: The order is on hold" in said

    def test_other_receivers_stay_apart(self, office: Office) -> None:
        held, free = fresh_orders(office)
        change(office, "UPDATE orders SET held_at = NULL, hold_reason = '' WHERE id = %s", held)
        change(
            office, "UPDATE person SET content_hash = 'x' WHERE id = (SELECT person_id FROM orders WHERE id = %s)", free
        )
        office.hire().post("/orders/combine", id=[str(held), str(free)])
        assert office.rows(PARCELS_OF, held)[0][0] != office.rows(PARCELS_OF, free)[0][0]

    def test_nobody_combines_orders_of_elsewhere(self, office: Office) -> None:
        held, free = fresh_orders(office)
        for other in hire_elsewhere(office):
            assert other.post("/orders/combine", id=[str(held), str(free)]).status_code == 404
        assert not office.rows(PARCELS_OF, free)


class TestSplit:
    """One order in several parcels, or in several pieces."""

    def test_the_order_offers_it_while_something_is_left(self, office: Office) -> None:
        _, free = fresh_orders(office)
        person = office.hire(Role.WAREHOUSE)
        assert f'href="/orders/{free}/split"' in person.get(f"/orders/{free}").text
        assert "/split" not in office.hire(Role.ANALYST).get(f"/orders/{free}").text
        send_split(person, free, line_1_1="1", line_2_1="1", line_3_1="1")
        assert "/split" not in person.get(f"/orders/{free}").text
        again = person.get(f"/orders/{free}/split")
        assert again.status_code == 409
        assert "Everything of this order is in a parcel already." in again.text

    def test_the_dialog_has_a_field_for_each_line_and_parcel(self, office: Office) -> None:
        _, free = fresh_orders(office)
        page = office.hire(Role.WAREHOUSE).get(f"/orders/{free}/split").text
        fields = re.findall(r'name="(line-\d-\d)" [^>]*value="(\d*)"', page)
        assert len(fields) == 12
        assert dict(fields)["line-1-1"] == "1"
        assert dict(fields)["line-1-2"] == ""
        assert re.findall(r'<option value="(\w*)"', page) == ["", "SF", "YTO", "ZTO"]

    def test_two_parcels_of_a_chosen_carrier(self, office: Office) -> None:
        _, free = fresh_orders(office)
        person = office.hire(Role.WAREHOUSE)
        answer = send_split(person, free, line_1_1="1", line_2_2="1", line_3_2="1", carrier="ZTO", pieces="1")
        assert answer.headers["location"] == f"/orders/{free}"
        rows = [row[1:] for row in office.rows(PARCELS_OF, free)]
        assert rows == [("ZTO", 1, None, ["(1,1)"]), ("ZTO", 1, None, ["(2,1)", "(3,1)"])]
        assert "The order travels in 2 parcels." in person.get("/orders").text
        assert office.rows("SELECT actor FROM audit WHERE action = 'order.ship'") == [(f"staff:{person.staff_id}",)]

    def test_what_stands_in_no_parcel_is_left(self, office: Office) -> None:
        _, free = fresh_orders(office)
        person = office.hire(Role.WAREHOUSE)
        send_split(person, free, line_2_1="1")
        page = person.get(f"/orders/{free}/split").text
        assert 'name="stand" value="1x1,3x1"' in page
        assert "line-2-1" not in page

    def test_sent_twice_it_ships_once(self, office: Office) -> None:
        _, free = fresh_orders(office)
        change(office, "UPDATE order_line SET quantity = 4 WHERE order_id = %s", free)
        person = office.hire(Role.WAREHOUSE)
        assert send_split(person, free, "1x4,2x4,3x4", line_1_1="1").status_code == 303
        again = send_split(person, free, "1x4,2x4,3x4", line_1_1="1")
        assert again.status_code == 422
        assert "has changed meanwhile" in again.text
        assert len(office.rows(PARCELS_OF, free)) == 1

    def test_pieces_make_a_mother_and_children(self, office: Office) -> None:
        _, free = fresh_orders(office)
        everything = {"line_1_1": "1", "line_2_1": "1", "line_3_1": "1"}
        answer = send_split(office.hire(Role.WAREHOUSE), free, pieces="3", **everything)
        assert answer.status_code == 303
        mother, *children = office.rows(PARCELS_OF, free)
        assert mother[2:] == (3, None, ["(1,1)", "(2,1)", "(3,1)"])
        assert [child[3] for child in children] == [mother[0], mother[0]]

    @pytest.mark.parametrize(
        ("form", "sentence"),
        [
            ({}, "Put at least one piece into a parcel."),
            ({"line_1_1": "2"}, "Line 1 has 1 left to ship, not 2."),
            ({"line_1_1": "1", "line_1_2": "1"}, "Line 1 has 1 left to ship, not 2."),
            ({"line_1_1": "-1"}, "this has to be a whole number"),
            ({"line_1_1": "1", "pieces": "2"}, "Several pieces go with one parcel that holds everything."),
            ({"line_1_1": "1", "carrier": "XX"}, "No carrier account of XX"),
        ],
    )
    def test_what_makes_no_sense_comes_back_as_typed(self, office: Office, form: dict[str, str], sentence: str) -> None:
        _, free = fresh_orders(office)
        answer = send_split(office.hire(Role.WAREHOUSE), free, **form)
        assert answer.status_code == 422
        assert sentence in answer.text
        for name, value in form.items():
            if name.startswith("line"):
                assert re.search(f'name="{name.replace("_", "-")}" [^>]*value="{value}"', answer.text)
        assert not office.rows(PARCELS_OF, free)

    def test_an_order_of_elsewhere_is_as_if_it_were_not_there(self, office: Office) -> None:
        _, free = fresh_orders(office)
        for other in hire_elsewhere(office):
            assert other.get(f"/orders/{free}/split").status_code == 404
            assert send_split(other, free, line_1_1="1").status_code == 404
        assert not office.rows(PARCELS_OF, free)


def file_of(person: Person, address: str = "/orders.csv") -> list[list[str]]:
    answer = person.get(address)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.content.startswith(b"\xef\xbb\xbf")
    return list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"), newline="")))


class TestFile:
    """The filtered list as a file."""

    def test_every_order_stands_in_it_once_across_batches(
        self, office: Office, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(orders_page, "BATCH_ROWS", 13)  # two full batches and an empty one
        head, *rows = file_of(office.hire())
        assert head[:4] == ["Order", "Shop", "State", "Changed"]
        listed = [
            f"\t{number}" for (number,) in office.rows("SELECT number FROM orders ORDER BY moved_at DESC, id DESC")
        ]
        assert [row[0] for row in rows] == listed
        assert rows[0][1:3] == ["青禾茶器", "Stalled"]
        assert rows[0][-1] == "486.00"

    def test_it_follows_the_filters_from_the_beginning(self, office: Office) -> None:
        person = office.hire()
        page = person.get("/orders?word=closed").text
        assert 'href="/orders.csv?word=closed" download' in page
        assert len(file_of(person, "/orders.csv?word=closed")) == 3
        assert len(file_of(person, "/orders.csv?after=1.000000-1")) == 27
        [(number,)] = office.rows("SELECT number FROM orders ORDER BY id LIMIT 1")
        assert len(file_of(person, f"/orders.csv?q={number}")) == 2

    def test_receivers_are_masked_or_absent(self, office: Office) -> None:
        masked, absent = file_of(office.hire()), file_of(office.hire(Role.ANALYST))
        assert {row[8] for row in masked[1:]} >= {"吴*"}
        assert {row[8] for row in absent[1:]} == {""}
        assert "15812346021" not in str(masked)
        assert "桐梓林" not in str(masked)

    @pytest.mark.parametrize("start", "=+-@")
    def test_nothing_in_it_is_a_formula(self, office: Office, start: str) -> None:
        change(office, "UPDATE shop SET name = %s", f"{start}cmd|' /C calc'!A0")
        change(office, "UPDATE orders SET number = %s || id", start)
        for row in file_of(office.hire())[1:]:
            assert row[0].startswith(f"'{start}")
            assert row[1].startswith(f"'{start}cmd")

    def test_it_ends_at_its_bound_and_says_so(self, office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(orders_page, "BATCH_ROWS", 4)
        monkeypatch.setattr(sheet, "ROWS_AT_MOST", 8)
        rows = file_of(office.hire())
        assert len(rows) == 1 + 8 + 1
        assert rows[-1] == ["Only the first 8 orders are in this file: narrow the list."]

    def test_only_the_callers_shops_and_warehouses(self, office: Office) -> None:
        first, second = office.world.shop_ids
        rows = file_of(office.hire(Role.CARE, shops=(second,)))
        assert len(rows) == 14
        assert {row[1] for row in rows[1:]} == {"山止家居"}
        assert len(file_of(office.hire(Role.CARE, shops=(second,)), f"/orders.csv?shop={first}")) == 1
        _, of_another_warehouse = hire_elsewhere(office)
        assert len(file_of(of_another_warehouse)) == 1
