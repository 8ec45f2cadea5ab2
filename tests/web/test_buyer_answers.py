"""What a buyer can do on their page: the gate before personal data, and every button; each once, for nobody else."""

import re
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from starlette.testclient import TestClient

from tests.web.conftest import HTML, Office
from tests.web.test_buyer_page import link_of, nth_of, token_of
from waystream.core.care import Cause
from waystream.core.events.buyer import (
    BuyerAskedNewAddress,
    BuyerConfirmed,
    BuyerEvent,
    BuyerMissedParcel,
    BuyerReportedDamage,
)
from waystream.core.person import Term
from waystream.kernel import log
from waystream.kernel.log import Recorded
from waystream.parts.buyer import actions
from waystream.parts.buyer.model import Said
from waystream.rules import (
    buyers_confirmation_closes_tickets,
    buyers_confirmation_completes_order,
    buyers_word_opens_ticket,
)

RIGHT, WRONG = "6021", "0000"
NEW = {"province": "浙江省", "city": "宁波市", "district": "鄞州区", "address": "新路 9 号"}


@dataclass(frozen=True, slots=True)
class Buyer:
    """Somebody with a link and a browser of their own."""

    client: TestClient
    path: str

    def get(self, query: str = "") -> httpx.Response:
        return self.client.get(self.path + query, headers={**HTML, "accept-language": "en"})

    def post(self, what: str, *, csrf: str | None = None, **form: str) -> httpx.Response:
        if csrf is None:
            csrf = re.findall(r'name="csrf" value="(\w+)"', self.get().text)[0]
        return self.client.post(
            f"{self.path}/{what}", data={"csrf": csrf, **form}, headers={**HTML, "accept-language": "en"}
        )


def buyer_of(office: Office, nth: int) -> Buyer:
    return Buyer(office.stranger(), f"/t/{token_of(office, nth)}")


def told(office: Office) -> list[Recorded]:
    """What buyers' events there are, in their order."""
    while office.context.machine.database.run(log.sequence):
        pass
    with office.context.machine.begin() as tx:
        every = log.read(tx.conn, after=0, limit=10_000)
    return [each for each in every if isinstance(each.event, BuyerEvent)]


def play(office: Office, *modules: Any) -> None:
    events = told(office)
    with office.context.machine.begin() as tx:
        for module in modules:
            module.do(tx, [each for each in events if isinstance(each.event, module.WHEN)])


@pytest.fixture(autouse=True)
def phones(office: Office) -> None:
    know_phones(office)


def know_phones(office: Office) -> None:
    """The sample's people can be known by the last four digits of their phone, as people of real orders can."""
    vault = office.context.work.keys.vault
    with office.context.machine.begin() as tx:
        for shop_id in office.world.shop_ids:
            digest = vault.blind(Term.LAST_FOUR.blind, shop_id, RIGHT)
            tx.conn.execute(
                """INSERT INTO person_index (shop_id, purpose, hash, person_id)
                   SELECT shop_id, %s, %s, id FROM person WHERE shop_id = %s ON CONFLICT DO NOTHING""",
                [Term.LAST_FOUR, digest, shop_id],
            )


@pytest.fixture
def delivered(office: Office) -> Buyer:
    return buyer_of(office, nth_of("delivered", "in_person"))


def test_the_right_digits_open_the_address_in_this_browser_only(office: Office) -> None:
    buyer = buyer_of(office, 0)
    answer = buyer.post("gate", digits=RIGHT)
    assert "Those are the right digits" in answer.text
    assert "15812346021" in answer.text and "桐梓林东路 12 号" in answer.text
    assert "15812346021" not in buyer_of(office, 0).get().text
    cookie = buyer.client.cookies["buyer_gate"]
    other = buyer_of(office, 2)
    other.client.cookies.set("buyer_gate", cookie)
    assert "15812346021" not in other.get().text
    assert office.rows("SELECT actor, action FROM audit WHERE action = 'open_gate'") == [("buyer", "open_gate")]


def test_a_cookie_that_was_touched_or_is_old_opens_nothing(office: Office) -> None:
    buyer = buyer_of(office, 0)
    buyer.post("gate", digits=RIGHT)
    until, _, signed = buyer.client.cookies["buyer_gate"].partition(".")
    for value in (f"{int(until) + 1}.{signed}", f"{until}.{signed[:-1]}", f"1.{signed}", "", ".", f"{until}.", "x.y"):
        other = buyer_of(office, 0)
        other.client.cookies.set("buyer_gate", value)
        assert "15812346021" not in other.get().text, value


def test_five_tries_an_hour_and_then_not_even_the_right_ones(office: Office) -> None:
    buyer = buyer_of(office, 0)
    for _ in range(5):
        assert "Those are not the last four digits" in buyer.post("gate", digits=WRONG).text
    for digits in (WRONG, RIGHT):
        answer = buyer.post("gate", digits=digits)
        assert "Five tries an hour" in answer.text and "15812346021" not in answer.text
    with office.context.machine.begin() as tx:
        tx.conn.execute("UPDATE buyer_gate SET began_at = began_at - interval '61 min'")
    assert "Those are the right digits" in buyer.post("gate", digits=RIGHT).text
    assert office.rows("SELECT tries, wrong FROM buyer_gate") == [(0, 0)]


def test_ten_thousand_possibilities_cannot_be_walked_through(office: Office) -> None:
    buyer = buyer_of(office, 0)
    buyer.post("gate", digits=WRONG)
    with office.context.machine.begin() as tx:
        tx.conn.execute("UPDATE buyer_gate SET wrong = 30, tries = 0")
    assert "Five tries an hour" in buyer.post("gate", digits=RIGHT).text


def test_a_virtual_phone_is_never_asked_for(office: Office) -> None:
    with office.context.machine.begin() as tx:
        tx.conn.execute("UPDATE person SET phone_mask = '138****1111-****'")
    buyer = buyer_of(office, 0)
    page = buyer.get()
    assert "138****1111-****" in page.text
    assert 'name="digits"' not in page.text
    door = buyer_of(office, nth_of("delivered", "in_person"))
    csrf = re.findall(r'name="csrf" value="(\w+)"', door.get().text)[0]
    assert door.post("gate", csrf=csrf, digits=RIGHT).status_code == 404


def test_a_form_that_is_not_ours_does_nothing(office: Office, delivered: Buyer) -> None:
    delivered.get()
    assert delivered.post("received?p=1", csrf="").status_code == 403
    assert delivered.post("received?p=1", csrf="0" * 64).status_code == 403
    there = delivered.client.post(
        f"{delivered.path}/received?p=1", data={"csrf": "x"}, headers={**HTML, "sec-fetch-site": "cross-site"}
    )
    assert there.status_code == 403
    assert told(office) == []


def test_confirming_completes_the_order_once(office: Office, delivered: Buyer) -> None:
    nth = nth_of("delivered", "in_person")
    order = office.world.order_ids[nth]
    with office.context.machine.begin() as tx:
        tx.conn.execute("UPDATE orders SET completed_at = NULL, completed_by = '' WHERE id = %s", [order])
    for _ in range(2):
        answer = delivered.post("received?p=1")
        assert answer.status_code == 200 and "Thank you: the shop knows" in answer.text
        assert "You confirmed that you have it" in answer.text
    [event] = told(office)
    assert isinstance(event.event, BuyerConfirmed) and event.event.whole and event.event.order_id == order
    play(office, buyers_confirmation_completes_order)
    assert office.rows("SELECT completed_by FROM orders WHERE id = %s", order) == [("buyer",)]


def test_what_is_missing_or_broken_opens_one_ticket_with_the_buyers_words(office: Office, delivered: Buyer) -> None:
    order = office.world.order_ids[nth_of("delivered", "in_person")]
    for _ in range(2):
        assert "looks for it with the carrier" in delivered.post("missing?p=1", words="门卫也没有").text
        assert "Keep the parcel" in delivered.post("damaged?p=1", words="杯子 碎了").text
    assert [type(each.event) for each in told(office)] == [BuyerMissedParcel, BuyerReportedDamage]
    for _ in range(2):
        play(office, buyers_word_opens_ticket)
    tickets = office.rows("SELECT cause, closed_at FROM ticket WHERE cause LIKE 'buyer%%' ORDER BY cause")
    assert tickets == [(Cause.BUYER_DAMAGED, None), (Cause.BUYER_NOT_RECEIVED, None)]
    with office.context.machine.begin() as tx:
        heard = actions.list_heard(tx, order)
        assert [(each.kind, each.words) for each in heard] == [
            (Said.DAMAGED, "杯子 碎了"),
            (Said.MISSING, "门卫也没有"),
        ]
    assert all("碎了".encode() not in bytes(sealed) for (sealed,) in office.rows("SELECT sealed FROM buyer_word"))


def test_confirming_closes_the_ticket_that_doubted_it(office: Office, delivered: Buyer) -> None:
    delivered.post("missing?p=1")
    play(office, buyers_word_opens_ticket)
    delivered.post("received?p=1")
    play(office, buyers_confirmation_closes_tickets)
    assert office.rows("SELECT closed_at IS NOT NULL FROM ticket WHERE cause = %s", Cause.BUYER_NOT_RECEIVED) == [
        (True,)
    ]


def test_what_is_on_its_way_cannot_be_called_missing(office: Office) -> None:
    buyer = buyer_of(office, nth_of("in_transit"))
    assert "Did you get it?" not in buyer.get().text
    csrf = re.findall(r'name="csrf" value="(\w+)"', buyer.get().text)[0]
    assert buyer.post("missing?p=1", csrf=csrf).status_code == 409
    assert buyer.post("received?p=9", csrf=csrf).status_code == 404
    assert buyer.post("received?p=-1", csrf=csrf).status_code == 404
    assert told(office) == []


def test_another_address_before_it_left_changes_the_order_and_asks_for_a_new_number(office: Office) -> None:
    order = office.world.order_ids[5]
    buyer = buyer_of(office, 5)
    csrf = re.findall(r'name="csrf" value="(\w+)"', buyer.get().text)[0]
    assert buyer.post("address", csrf=csrf, **NEW).status_code == 403
    buyer.post("gate", digits=RIGHT)
    answer = buyer.post("address", csrf=csrf, **NEW)
    assert "It goes to the new address" in answer.text
    assert office.rows(
        "SELECT city, address_mask, phone_mask FROM person JOIN orders ON person_id = person.id WHERE orders.id = %s",
        order,
    ) == [("宁波市", "新路 * 号", "158****6021")]
    assert office.rows("SELECT body -> 'what' FROM event WHERE name = 'OrderChanged'") == [(["address"],)]
    [event] = told(office)
    assert isinstance(event.event, BuyerAskedNewAddress) and event.event.changed
    play(office, buyers_word_opens_ticket)
    assert office.rows("SELECT count(*) FROM ticket WHERE cause = %s", Cause.BUYER_WANTS_ADDRESS) == [(0,)]
    assert buyer.post("address", csrf=csrf, **{**NEW, "address": ""}).status_code in (403, 422)


def test_another_address_after_it_left_is_a_wish_with_a_ticket(office: Office) -> None:
    nth = nth_of("in_transit")
    before = office.rows("SELECT person_id FROM orders WHERE id = %s", office.world.order_ids[nth])
    buyer = buyer_of(office, nth)
    buyer.post("gate", digits=RIGHT)
    for _ in range(2):
        assert "asks the carrier to redirect it" in buyer.post("address", **NEW).text
    assert office.rows("SELECT person_id FROM orders WHERE id = %s", office.world.order_ids[nth]) == before
    assert [type(each.event) for each in told(office)] == [BuyerAskedNewAddress]
    play(office, buyers_word_opens_ticket)
    assert office.rows("SELECT count(*) FROM ticket WHERE cause = %s", Cause.BUYER_WANTS_ADDRESS) == [(1,)]


def _marks(office: Office) -> list[tuple[Any, ...]]:
    return office.rows("SELECT kind, actor FROM notice_optout ORDER BY kind, hash")


def test_a_buyer_wants_no_messages_of_this_order_then_none_then_again(office: Office) -> None:
    buyer, order_id = buyer_of(office, 1), _order_of(office, 1)
    assert "The shop may send you messages about this order." in buyer.get().text
    assert "You get no more messages about this order." in buyer.post("messages", want="order").text
    assert {*_marks(office)} == {(f"order:{order_id}", "buyer")}
    assert "The shop sends you no messages about this order." in buyer.get().text
    buyer.post("messages", want="none")
    assert {*_marks(office)} == {("", "buyer"), (f"order:{order_id}", "buyer")}
    buyer.post("messages", want="all")
    assert _marks(office) == []


def test_a_mail_program_unsubscribes_with_one_click_and_a_look_changes_nothing(office: Office) -> None:
    buyer = buyer_of(office, 1)
    path = f"{buyer.path}/unsubscribe"
    assert buyer.client.get(path, headers=HTML).url.path == buyer.path
    assert buyer.client.post(path, data={"anything": "else"}).status_code == 422
    assert _marks(office) == []
    assert buyer.client.post(path, data={"List-Unsubscribe": "One-Click"}).status_code == 204
    assert {*_marks(office)} == {("", "buyer")}


def test_messages_are_stopped_by_a_form_of_ours_and_a_link_that_holds_only(office: Office) -> None:
    buyer = buyer_of(office, 1)
    assert buyer.post("messages", csrf="wrong", want="none").status_code == 403
    assert buyer.post("messages", want="some").status_code == 422
    wrong = buyer.client.post("/t/nonsense/unsubscribe", data={"List-Unsubscribe": "One-Click"})
    assert wrong.status_code == 404
    assert _marks(office) == []


def _order_of(office: Office, nth: int) -> int:
    return link_of(office, nth).order_id
