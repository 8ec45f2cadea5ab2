"""Tasks and unused numbers: what is listed, for whom, and what each deed leaves behind."""

import csv
import io
import re
from datetime import timedelta

import pytest

from tests.web.conftest import Office, Person
from tests.web.test_pages import answer_of
from waystream.kernel.clock import FixedClock
from waystream.kernel.ids import mint_ids
from waystream.parts.people.model import Role
from waystream.web.pages.numbers import page as numbers


def wait(office: Office, *, days: int) -> None:
    clock = office.context.work.clock
    assert isinstance(clock, FixedClock)
    clock.advance(timedelta(days=days))


def change(office: Office, query: str, *values: object) -> None:
    with office.context.machine.begin() as tx:
        tx.conn.execute(query, list(values))  # type: ignore[call-overload]


def parcel_at(office: Office, stage: str) -> int:
    return int(office.rows("SELECT id FROM parcel WHERE stage = %s ORDER BY id", stage)[0][0])


def put_conflict(office: Office, *, number: str = "YT8800000099") -> tuple[int, int]:
    """The attempt in doubt of the sample world, answered in a way nobody is sure of; (attempt, parcel)."""
    parcel_id = parcel_at(office, "doubt")
    change(office, "UPDATE parcel SET stage = 'conflict' WHERE id = %s", parcel_id)
    change(
        office,
        "UPDATE take SET state = 'conflict', number = %s, said = 'the network knew our code' WHERE parcel_id = %s",
        number,
        parcel_id,
    )
    return int(office.rows("SELECT id FROM take WHERE parcel_id = %s", parcel_id)[0][0]), parcel_id


def put_cancel(office: Office) -> tuple[int, str]:
    """An orphan that no machine gives back; (cancel, number)."""
    parcel_id = parcel_at(office, "issued")
    with office.context.machine.begin() as tx:
        [cancel_id] = mint_ids(1, at_ms=int(tx.now.timestamp() * 1000))
        tx.conn.execute(
            """INSERT INTO waybill_cancel (id, parcel_id, shop_id, carrier, number, state, reason, asked_at)
               SELECT %s, id, shop_id, carrier, 'YT8700000001', 'unsupported', 'torn label', %s
               FROM parcel WHERE id = %s""",
            [cancel_id, tx.now - timedelta(days=4), parcel_id],
        )
    return cancel_id, "YT8700000001"


def put_dispute(office: Office, *, cancelled: bool = False) -> tuple[int, str]:
    """A scan of a bound number that is not its parcel's; (parcel, number)."""
    parcel_id = parcel_at(office, "voided" if cancelled else "printed")
    [(shop_id, carrier, number)] = office.rows(
        "SELECT shop_id, carrier, number FROM binding WHERE parcel_id = %s", parcel_id
    )
    change(
        office,
        """INSERT INTO disputed_scan (number, carrier, key, parcel_id, shop_id, at, text, code, inbox_id, seen_at)
           SELECT %s, %s, 7, %s, %s, last, last_text, '1', 1, last
           FROM (SELECT max(moved_at) AS last, '已收件' AS last_text FROM parcel)""",
        number,
        carrier,
        parcel_id,
        shop_id,
    )
    return parcel_id, number


def put_dead(office: Office) -> tuple[int, int]:
    """A live number nobody watches any more; (binding, parcel)."""
    [(binding_id, parcel_id)] = office.rows(
        "SELECT id, parcel_id FROM binding WHERE state = 'live' ORDER BY id LIMIT 1"
    )
    change(
        office,
        """INSERT INTO subscription (binding_id, shop_id, state, asked_count, asked_at, died_reason, died_at)
           SELECT id, shop_id, 'died', 1, bound_at, '监控中止：三天无轨迹', bound_at FROM binding WHERE id = %s""",
        binding_id,
    )
    return binding_id, parcel_id


def fail_print(office: Office) -> int:
    """The label of a printed parcel did not come out after all; the parcel."""
    parcel_id = parcel_at(office, "printed")
    change(office, "UPDATE print SET state = 'failed', said = 'cover open' WHERE parcel_id = %s", parcel_id)
    return parcel_id


def settle_all(office: Office) -> None:
    change(office, "UPDATE parcel SET stage = 'asked' WHERE stage IN ('refused', 'doubt')")
    change(office, "UPDATE take SET state = 'refused' WHERE state = 'doubt'")


class TestTasks:
    """Sections where there is something, none where there is nothing."""

    def test_nothing_needs_a_person(self, empty_office: Office) -> None:
        page = empty_office.hire().get("/tasks").text
        assert answer_of(page) == "Nothing needs a person on the floor."
        assert "appears here by itself" in page

    def test_the_sample_world_has_a_refusal_and_a_doubt(self, office: Office) -> None:
        page = office.hire(Role.WAREHOUSE).get("/tasks").text
        assert answer_of(page) == "1 thing needs a person; it has waited for 1 h 15 min."
        assert "1 attempt is in doubt and asked again by itself." in page
        assert re.findall(r'<section class="rule" id="(\w+)"', page) == ["refusals", "doubts"]

    def test_every_kind_stands_in_its_section_the_gravest_first(self, office: Office) -> None:
        put_conflict(office)
        put_cancel(office)
        put_dispute(office)
        put_dispute(office, cancelled=True)
        put_dead(office)
        fail_print(office)
        change(office, "UPDATE carrier_account SET available = 12 WHERE carrier = 'ZTO'")
        person = office.hire(Role.WAREHOUSE)
        for language in ("zh", "en"):
            person.client.cookies.set("language", language)
            page = person.get("/tasks").text
            assert re.findall(r'<section class="rule" id="(\w+)"', page) == [
                "conflicts", "alarms", "cancels", "refusals", "prints", "dead", "pools", "disputes",
            ]  # fmt: skip
        for said in ("YT8800000099", "torn label", "cover open", "三天无轨迹", "Numbers left: 12;", "已收件"):
            assert said in page

    def test_a_settled_world_is_empty(self, office: Office) -> None:
        settle_all(office)
        assert answer_of(office.hire().get("/tasks").text) == "Nothing needs a person on the floor."

    def test_a_printed_label_is_no_task_any_more(self, office: Office) -> None:
        settle_all(office)
        parcel_id, person = fail_print(office), office.hire(Role.WAREHOUSE)
        page = person.get("/tasks").text
        assert f"/parcels/ask?do=reprint&amp;id={parcel_id}" in page
        assert person.post("/parcels/reprint", id=str(parcel_id), reason="paper was out").status_code == 303
        assert answer_of(person.get("/tasks").text) == "Nothing needs a person on the floor."

    def test_care_sees_the_floor_but_moves_nothing_of_it(self, office: Office) -> None:
        put_conflict(office)
        page = office.hire(Role.CARE).get("/tasks").text
        assert "YT8800000099" in page
        assert "do=bind" not in page
        assert "do=ship" not in page

    def test_dialogs_say_what_will_happen_and_ask_why_where_it_costs(self, office: Office) -> None:
        person = office.hire(Role.WAREHOUSE)
        for do in ("bind", "give_back", "dismiss", "confirmed", "refused", "dispute"):
            assert 'name="reason" required' in person.get(f"/tasks/ask?do={do}&id=1").text, do
        for do in ("ship", "watch"):
            assert 'name="reason"' not in person.get(f"/tasks/ask?do={do}&id=1").text, do
        assert person.get("/tasks/ask?do=nonsense").status_code == 404
        assert 'value="//elsewhere"' not in person.get("/tasks/ask?do=bind&back=//elsewhere").text


class TestSettling:
    """What each deed leaves in the rows."""

    def test_a_number_that_is_ours_is_bound(self, office: Office) -> None:
        take_id, parcel_id = put_conflict(office)
        person = office.hire(Role.WAREHOUSE)
        done = person.post("/tasks/take", id=str(take_id), verdict="bind", reason="the outlet read it to me")
        assert (done.status_code, done.headers["location"]) == (303, "/tasks")
        assert office.rows("SELECT stage FROM parcel WHERE id = %s", parcel_id) == [("issued",)]
        assert office.rows("SELECT number, state FROM binding WHERE parcel_id = %s", parcel_id) == [
            ("YT8800000099", "live")
        ]
        assert office.rows("SELECT actor, reason FROM audit WHERE action = 'take.bind'") == [
            (f"staff:{person.staff_id}", "the outlet read it to me")
        ]
        again = person.post("/tasks/take", id=str(take_id), verdict="bind", reason="once more")
        assert again.status_code == 409

    def test_a_number_is_given_back_and_another_asked_for(self, office: Office) -> None:
        take_id, parcel_id = put_conflict(office)
        person = office.hire(Role.WAREHOUSE)
        assert person.post("/tasks/take", id=str(take_id), verdict="give_back", reason="not ours").status_code == 303
        assert office.rows("SELECT number, state FROM waybill_cancel") == [("YT8800000099", "asked")]
        states = "SELECT state FROM take WHERE parcel_id = %s ORDER BY id"
        assert office.rows(states, parcel_id) == [("orphan",), ("planned",)]

    def test_an_attempt_without_a_number_is_dismissed(self, office: Office) -> None:
        take_id, parcel_id = put_conflict(office, number="")
        person = office.hire(Role.WAREHOUSE)
        page = person.get("/tasks").text
        assert "do=dismiss" in page and "do=bind" not in page
        assert (
            person.post("/tasks/take", id=str(take_id), verdict="dismiss", reason="outlet knows none").status_code
            == 303
        )
        assert office.rows("SELECT stage FROM parcel WHERE id = %s", parcel_id) == [("asked",)]

    def test_a_reason_is_not_left_out(self, office: Office) -> None:
        take_id, _ = put_conflict(office)
        person = office.hire(Role.WAREHOUSE)
        assert person.post("/tasks/take", id=str(take_id), verdict="bind", reason="").status_code == 422
        assert office.rows("SELECT state FROM take WHERE id = %s", take_id) == [("conflict",)]

    @pytest.mark.parametrize(("outcome", "state"), [("confirmed", "confirmed"), ("refused", "refused")])
    def test_what_the_carrier_said_ends_the_task(self, office: Office, outcome: str, state: str) -> None:
        settle_all(office)
        cancel_id, _ = put_cancel(office)
        person = office.hire(Role.WAREHOUSE)
        done = person.post("/tasks/cancel", id=str(cancel_id), outcome=outcome, reason="Ms. Chen at the outlet")
        assert done.status_code == 303, done.text
        assert office.rows("SELECT state, said, settled_by FROM waybill_cancel") == [
            (state, "Ms. Chen at the outlet", f"staff:{person.staff_id}")
        ]
        assert answer_of(person.get("/tasks").text) == "Nothing needs a person on the floor."

    def test_what_was_mended_ships_again(self, office: Office) -> None:
        parcel_id = parcel_at(office, "refused")
        [(account,)] = office.rows("SELECT account_id FROM parcel WHERE id = %s", parcel_id)
        [(mend,)] = office.rows("SELECT mend FROM parcel WHERE id = %s", parcel_id)
        person = office.hire(Role.WAREHOUSE)
        assert f"do=ship&amp;mend={mend}&amp;account={account}" in person.get("/tasks").text
        assert person.post("/tasks/ship", mend=mend, account=str(account)).status_code == 303
        assert office.rows("SELECT stage FROM parcel WHERE id = %s", parcel_id) == [("asked",)]
        assert office.rows("SELECT state FROM take WHERE parcel_id = %s ORDER BY id", parcel_id) == [
            ("refused",), ("planned",)
        ]  # fmt: skip
        assert "1 parcel asks again." in person.get("/tasks").text
        assert person.post("/tasks/ship", mend=mend, account=str(account)).status_code == 303

    def test_the_sentence_says_what_to_mend_in_the_persons_language(self, office: Office) -> None:
        change(office, "UPDATE parcel SET mend = 'number_pool_empty' WHERE stage = 'refused'")
        person = office.hire(Role.WAREHOUSE)
        assert "No waybill numbers are left: buy more from the outlet" in person.get("/tasks").text
        person.client.cookies.set("language", "zh")
        assert "单号已用完" in person.get("/tasks").text

    def test_a_dead_subscription_is_asked_for_again(self, office: Office) -> None:
        binding_id, parcel_id = put_dead(office)
        care = office.hire(Role.CARE)
        assert care.post("/tasks/watch", id=str(binding_id)).status_code == 303
        assert office.rows("SELECT state FROM subscription") == [("asked",)]
        job = office.rows("SELECT kind, key, subject FROM job WHERE kind = 'subscribe'")
        assert job == [("subscribe", str(binding_id), f"parcel:{parcel_id}")]
        assert care.post("/tasks/watch", id=str(binding_id)).status_code == 409

    def test_disputed_scans_are_settled_until_the_next_one(self, office: Office) -> None:
        settle_all(office)
        parcel_id, number = put_dispute(office)
        care = office.hire(Role.CARE)
        assert (
            care.post("/tasks/dispute", id=str(parcel_id), number=number, reason="carrier reused it").status_code == 303
        )
        assert office.rows("SELECT settled_by FROM disputed_scan") == [(f"staff:{care.staff_id}",)]
        assert answer_of(care.get("/tasks").text) == "Nothing needs a person on the floor."
        assert care.post("/tasks/dispute", id=str(parcel_id), number=number, reason="again").status_code == 404


class TestLimits:
    """Another shop's or another warehouse's person sees none of it and settles none of it."""

    @pytest.fixture
    def elsewhere(self, office: Office) -> tuple[Person, ...]:
        change(
            office,
            """INSERT INTO warehouse (code, name, province, city, district, key_id, sealed, contact_mask, created_at)
               SELECT 'other', '别处', province, city, '', key_id, sealed, contact_mask, created_at
               FROM warehouse LIMIT 1""",
        )
        [(other,)] = office.rows("SELECT id FROM warehouse WHERE code = 'other'")
        change(office, "INSERT INTO shop (code, name, created_at) SELECT 'none', '空店', created_at FROM shop LIMIT 1")
        [(shop,)] = office.rows("SELECT id FROM shop WHERE code = 'none'")
        return office.hire(Role.OWNER, warehouses=(other,)), office.hire(Role.OWNER, shops=(shop,))

    def test_nothing_is_seen(self, office: Office, elsewhere: tuple[Person, ...]) -> None:
        for put in (put_conflict, put_cancel, put_dispute, put_dead, fail_print):
            put(office)
        wait(office, days=9)
        for person in elsewhere:
            assert answer_of(person.get("/tasks").text) == "Nothing needs a person on the floor."
            assert "Every number that was taken" in answer_of(person.get("/numbers").text)
            assert len(person.get("/numbers.csv").text.splitlines()) == 1

    def test_disputed_scans_are_listed_for_their_own(self, office: Office, elsewhere: tuple[Person, ...]) -> None:
        parcel_id, number = put_dispute(office)
        own = office.hire(Role.OWNER, warehouses=(office.world.warehouse_id,))
        address = "/api/disputed-scans"
        for query in ("", f"?parcel={parcel_id}"):
            assert [scan["number"] for scan in own.client.get(address + query).json()["scans"]] == [number]
            for person in elsewhere:
                assert person.client.get(address + query).json()["scans"] == []
        assert number in own.get("/strangers?view=disputed").text
        for person in elsewhere:
            assert number not in person.get("/strangers?view=disputed").text
        assert office.stranger().get(address).status_code == 401

    def test_unreadable_lines_are_listed_for_their_own(self, office: Office, elsewhere: tuple[Person, ...]) -> None:
        own = office.hire(Role.OWNER, warehouses=(office.world.warehouse_id,))
        parcels = [line["parcel_id"] for line in own.client.get("/api/unread-lines").json()["lines"]]
        assert parcels == [None, str(office.world.parcel_ids[0])]
        assert f"/parcels/{parcels[1]}" in own.get("/strangers?view=lines").text
        for person in elsewhere:
            assert [line["parcel_id"] for line in person.client.get("/api/unread-lines").json()["lines"]] == [None]
            assert f"/parcels/{parcels[1]}" not in person.get("/strangers?view=lines").text
        assert office.stranger().get("/api/unread-lines").status_code == 401

    def test_nothing_is_settled(self, office: Office, elsewhere: tuple[Person, ...]) -> None:
        take_id, _ = put_conflict(office)
        cancel_id, _ = put_cancel(office)
        parcel_id, number = put_dispute(office)
        binding_id, _ = put_dead(office)
        mend, account = office.rows("SELECT mend, account_id FROM parcel WHERE stage = 'refused'")[0]
        for person in elsewhere:
            told = [
                person.post("/tasks/take", id=str(take_id), verdict="dismiss", reason="x"),
                person.post("/tasks/cancel", id=str(cancel_id), outcome="confirmed", reason="x"),
                person.post("/tasks/dispute", id=str(parcel_id), number=number, reason="x"),
                person.post("/tasks/watch", id=str(binding_id)),
            ]
            assert [answer.status_code for answer in told] == [404] * 4
            assert person.post("/tasks/ship", mend=mend, account=str(account)).status_code == 303
        assert office.rows("SELECT count(*) FROM parcel WHERE stage = 'refused'") == [(1,)]
        assert office.rows("SELECT state FROM take WHERE id = %s", take_id) == [("conflict",)]
        assert office.rows("SELECT state FROM waybill_cancel") == [("unsupported",)]
        assert office.rows("SELECT settled_by FROM disputed_scan") == [("",)]
        assert office.rows("SELECT state FROM subscription") == [("died",)]


class TestNumbers:
    """Numbers taken and never collected."""

    def test_young_numbers_are_no_report(self, office: Office) -> None:
        assert "Every number that was taken has been collected" in answer_of(office.hire().get("/numbers").text)

    def test_by_carrier_and_age(self, office: Office) -> None:
        wait(office, days=8)
        page = office.hire().get("/numbers").text
        [(number,)] = office.rows(
            """SELECT count(*) FROM binding LEFT JOIN track USING (parcel_id)
               WHERE binding.state = 'live' AND track.collected_at IS NULL"""
        )
        assert answer_of(page) == f"{number} numbers were taken and not collected for three days."
        assert page.count('<a class="no" href="/parcels/') == number
        assert "/numbers?carrier=SF&amp;age=7" in page
        assert page.count('<a class="no" href="/parcels/') > office.hire().get("/numbers?carrier=SF").text.count(
            '<a class="no" href="/parcels/'
        )
        assert "No number fits" in office.hire().get("/numbers?age=30").text

    def test_the_list_goes_on_where_the_page_ended(self, office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(numbers, "PAGE_ROWS", 5)
        change(office, "UPDATE track SET collected_at = NULL")
        wait(office, days=40)
        person = office.hire()
        first = person.get("/numbers").text
        following = re.search(r'href="(/numbers\?after=[^"]+)" rel="next"', first)
        assert following is not None
        shown = [
            re.findall(r'class="no" href="/parcels/(\d+)"', page) for page in (first, person.get(following[1]).text)
        ]
        assert [len(page) for page in shown] == [5, 5]
        assert not set(shown[0]) & set(shown[1])
        assert "for over thirty" in answer_of(first)

    def test_an_orphan_that_could_not_be_given_back(self, office: Office) -> None:
        cancel_id, number = put_cancel(office)
        page = office.hire().get("/numbers").text
        assert number in page
        assert "Call the carrier" in page
        change(office, "UPDATE waybill_cancel SET settled_by = 'staff:1' WHERE id = %s", cancel_id)
        assert number not in office.hire().get("/numbers").text

    def test_as_a_file(self, office: Office) -> None:
        wait(office, days=8)
        answer = office.hire().get("/numbers.csv?carrier=SF")
        assert answer.headers["content-type"] == "text/csv; charset=utf-8"
        assert re.fullmatch(
            r'attachment; filename="numbers-\d{4}-\d\d-\d\d.csv"', answer.headers["content-disposition"]
        )
        head, *rows = csv.reader(io.StringIO(answer.content.decode("utf-8-sig")))
        assert head == ["Waybill", "Carrier", "State", "Order", "Shop", "Warehouse", "Taken", "Days"]
        assert rows and all(row[0].startswith("\tSF") and row[1] == "SF Express" and row[7] == "8" for row in rows)
