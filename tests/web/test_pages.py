"""Pages: each opens with its answer, in both languages, for every role that may see it; filters live in the address."""

import re

import pytest

from tests.web.conftest import HTML, Office, Person
from waystream.parts.people.model import Role
from waystream.web.pages.imports.runs import desk

PAGES = (
    "/", "/orders", "/parcels", "/strangers", "/strangers?view=quarantine", "/strangers?view=codes",
    "/strangers?view=disputed", "/strangers?view=lines", "/strangers?view=clocks",
    "/setup", "/setup/aggregators/new", "/setup/accounts/new", "/setup/warehouses/new",
    "/printers", "/printers/new", "/people", "/people/new", "/people/keys/new", "/shops", "/shops/new",
    "/care-hours", "/audit", "/me",
    "/webhooks", "/webhooks/new", "/backups", "/outages", "/replay",
    "/deadlines", "/deadlines?kind=collection&within=any", "/deadlines?kind=verification", "/deadlines/settings",
    "/notices", "/notices?state=dropped", "/notices?state=doubt", "/notices/templates",
    "/components", "/import", "/tasks", "/numbers", "/catalogue", "/catalogue/new",
    "/silence", "/silence?budget=20",
)  # fmt: skip
ANSWER = re.compile(r'class="answer[^"]*">(.*?)</(?:p|h1)>', re.DOTALL)


def answer_of(page: str) -> str:
    """The sentence a page opens with, without its marks."""
    found = ANSWER.search(page)
    assert found is not None, "a page opens with its answer"
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", found[1].split("<small>")[0])).strip()


def numbers_of(page: str) -> list[str]:
    return re.findall(r'class="no" href="/orders/\d+">(\d+)<', page)


def _order(office: Office, word: str, *, stage: str = "") -> int:
    """An order of the sample world by its word, and by the stage of its parcel."""
    if not stage:
        return int(office.rows("SELECT id FROM orders WHERE word = %s AND held_at IS NULL ORDER BY id", word)[0][0])
    query = """SELECT po.order_id FROM parcel_order po JOIN parcel p ON p.id = po.parcel_id
               JOIN orders o ON o.id = po.order_id WHERE o.word = %s AND p.stage = %s"""
    return int(office.rows(query, word, stage)[0][0])


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_page_opens_with_an_answer(office: Office, language: str) -> None:
    person = office.hire()
    person.client.cookies.set("language", language)
    for path in PAGES:
        page = person.get(path)
        assert page.status_code == 200, path
        said = answer_of(page.text)
        assert said, path
        assert said.endswith(("。", ".")), path
        assert bool(re.search(r"[一-鿿]", said)) == (language == "zh") or "林晓" in said, path


def test_pages_are_light(office: Office) -> None:
    person = office.hire()
    for path in PAGES:
        assert len(person.get(path).content) < 100_000, path


def test_the_first_day_says_what_will_appear(empty_office: Office) -> None:
    person = empty_office.hire()
    assert answer_of(person.get("/").text) == "No order has come in yet; everything is ready for the first one."
    assert "add an account at the aggregator" in person.get("/").text
    assert answer_of(person.get("/orders").text) == "There are no orders yet."
    assert answer_of(person.get("/setup").text) == "5 steps are left until parcels travel by themselves."
    assert answer_of(person.get("/parcels").text) == "No parcel is under way."
    assert answer_of(person.get("/strangers").text) == "Everything the carriers told has found its parcel."


def test_the_overview_counts_what_needs_a_person(office: Office) -> None:
    page = office.hire().get("/").text
    assert answer_of(page) == "Today runs; 7 parcels need a person, the oldest for 1 h 35 min."
    for cause in ("Stalled", "Attempt failed", "Lost", "Unknown", "Number refused", "Number in doubt"):
        assert cause in page
    assert "1 printer is off" in page
    assert "640 numbers left" not in page  # above its low mark of 500


def test_orders_are_listed_newest_first_and_by_page(office: Office) -> None:
    person = office.hire()
    first = person.get("/orders").text
    assert answer_of(first) == "21 under way or to ship, 7 with a problem, 1 likely late."
    shown = numbers_of(first)
    assert len(shown) == 24
    following = re.search(r'href="(/orders\?after=[^"]+)" rel="next"', first)
    assert following is not None
    second = numbers_of(person.get(following[1]).text)
    assert len(second) == 2
    assert not set(shown) & set(second)


def test_filters_narrow_the_list_and_stand_in_the_address(office: Office) -> None:
    person = office.hire()
    closed = person.get("/orders?word=closed").text
    assert len(numbers_of(closed)) == 2
    assert 'href="/orders?word=closed" aria-current="page"' in closed
    shop = office.world.shop_ids[0]
    assert len(numbers_of(person.get(f"/orders?shop={shop}").text)) == 13
    assert len(numbers_of(person.get("/orders?view=late").text)) == 1
    assert len(numbers_of(person.get("/orders?view=trouble").text)) == 7
    assert len(numbers_of(person.get("/orders?carrier=SF").text)) == 7
    assert numbers_of(person.get("/orders?word=nonsense&after=nonsense").text)


def test_search_finds_by_number_and_by_waybill(office: Office) -> None:
    person = office.hire()
    [(number, waybill)] = office.rows(
        """SELECT o.number, b.number FROM binding b JOIN parcel_order po ON po.parcel_id = b.parcel_id
           JOIN orders o ON o.id = po.order_id ORDER BY b.id LIMIT 1"""
    )
    assert numbers_of(person.get(f"/orders?q={number}").text) == [number]
    assert numbers_of(person.get(f"/orders?q={waybill}").text) == [number]
    assert "No order fits" in person.get("/orders?q=nobody-has-this").text


def test_an_analyst_sees_no_receiver(office: Office) -> None:
    analyst = office.hire(Role.ANALYST)
    assert "罗**" not in analyst.get("/orders").text
    page = analyst.get(f"/orders/{office.world.order_ids[0]}").text
    assert "158****6021" not in page
    assert "桐梓林" not in page


def test_an_order_shows_its_way_and_why(office: Office) -> None:
    page = office.hire().get(f"/orders/{office.world.order_ids[0]}").text
    assert answer_of(page) == "It has stopped on its way; somebody has to look after it."
    assert "It was promised by 11:32 and is late by 3 h 0 min." in page
    assert "Why “Stalled”?" in page
    assert "<b>kdniao claims 403</b>" in page
    assert "已揽收" in page
    assert "486.00" in page
    assert "罗** 158****6021" in page
    assert "15812346021" not in page


def test_a_withdrawn_scan_is_struck_through(office: Office) -> None:
    parcel = office.world.parcel_ids[0]
    with office.context.machine.begin() as tx:
        tx.conn.execute("UPDATE scan SET withdrawn_at = %s WHERE parcel_id = %s", [tx.now, parcel])
    page = office.hire().get(f"/orders/{office.world.order_ids[0]}").text
    assert 'class="gone"' in page
    assert "withdrawn by the carrier in a later push" in page


def test_a_parcels_address_leads_to_its_order(office: Office) -> None:
    parcel, order = office.world.parcel_ids[0], office.world.order_ids[0]
    assert office.hire().get(f"/parcels/{parcel}").headers["location"] == f"/orders/{order}#parcel-{parcel}"


def test_a_fragment_is_only_the_part_that_changes(office: Office) -> None:
    person = office.hire()
    whole = person.get("/orders").text
    part = person.get("/orders", **{"hx-request": "true", "hx-target": "live"}).text
    assert "<html" in whole
    assert "<html" not in part
    assert numbers_of(part) == numbers_of(whole)


def test_labels_are_drawn_as_files(office: Office) -> None:
    parcel = office.world.parcel_ids[0]
    person = office.hire()
    png = person.get(f"/parcels/{parcel}/label.png")
    assert png.headers["content-type"] == "image/png"
    assert png.content.startswith(b"\x89PNG")
    assert person.get(f"/parcels/{parcel}/label.pdf").content.startswith(b"%PDF")


def test_a_missing_page_is_told_in_the_persons_language(office: Office) -> None:
    answer = office.hire().get("/orders/1")
    assert answer.status_code == 404
    assert "There is nothing here" in answer.text
    assert office.stranger().get("/nowhere", headers=HTML).status_code == 404


def test_denied_says_whom_to_ask(office: Office) -> None:
    answer = office.hire(Role.ANALYST).get("/people")
    assert answer.status_code == 403
    assert "ask an owner" in answer.text


class TestDeeds:
    """What is done from pages, and what it leaves behind."""

    def test_the_dialog_says_what_will_happen(self, office: Office) -> None:
        ids = "&".join(f"id={order}" for order in office.world.order_ids[:3])
        page = office.hire().get(f"/orders/ask?do=cancel&{ids}").text
        assert "Cancel 3 orders?" in page
        assert "Labels become void" in page
        assert 'name="reason" required' in page

    def test_holding_keeps_the_order_and_says_why(self, office: Office) -> None:
        person, order = office.hire(Role.CARE), _order(office, "to_ship")
        answer = person.post("/orders/hold", id=str(order), reason="buyer asked", back="/orders?word=to_ship")
        assert answer.headers["location"] == "/orders?word=to_ship"
        assert office.rows("SELECT hold_reason FROM orders WHERE id = %s", order) == [("buyer asked",)]
        said = person.get("/orders").text
        assert "1 order is on hold." in said
        assert "1 order is on hold." not in person.get("/orders").text
        assert office.rows("SELECT reason FROM audit WHERE action = 'hold'") == [("buyer asked",)]

    def test_release_and_cancel(self, office: Office) -> None:
        person = office.hire(Role.CARE)
        [(held,)] = office.rows("SELECT id FROM orders WHERE held_at IS NOT NULL")
        assert person.post("/orders/release", id=str(held), reason="address confirmed").status_code == 303
        assert person.post("/orders/cancel", id=str(held), reason="refund").status_code == 303
        assert office.rows("SELECT word, cancel_reason FROM orders WHERE id = %s", held) == [("closed", "refund")]

    def test_what_cannot_be_done_is_told(self, office: Office) -> None:
        order = _order(office, "in_transit")
        answer = office.hire(Role.CARE).post("/orders/cancel", id=str(order), reason="x")
        assert answer.status_code == 409
        assert "intercept its parcels instead" in answer.text

    def test_shipping_asks_for_numbers(self, office: Office) -> None:
        order = _order(office, "to_ship", stage="refused")
        answer = office.hire(Role.WAREHOUSE).post("/orders/ship", id=str(order))
        assert answer.status_code == 303
        query = "SELECT DISTINCT stage FROM parcel JOIN parcel_order ON parcel_id = parcel.id WHERE order_id = %s"
        assert office.rows(query, order) == [("asked",)]

    def test_dispatching_with_a_weight(self, office: Office) -> None:
        [(parcel,)] = office.rows("SELECT id FROM parcel WHERE stage = 'printed'")
        answer = office.hire(Role.WAREHOUSE).post("/parcels/dispatch", id=str(parcel), weighed_g="1620")
        assert answer.status_code == 303
        query = "SELECT stage, weighed_g, dispatched_by FROM parcel WHERE id = %s"
        assert office.rows(query, parcel) == [("dispatched", 1620, "weigh")]

    def test_deciding_stands_above_the_carriers(self, office: Office) -> None:
        parcel = office.world.parcel_ids[0]
        answer = office.hire(Role.CARE).post(
            "/parcels/decide", id=str(parcel), verdict="delivered", reason="buyer confirmed by phone"
        )
        assert answer.status_code == 303
        assert office.rows("SELECT state FROM track WHERE parcel_id = %s", parcel) == [("delivered",)]

    def test_reprinting_needs_no_shop_of_the_printer(self, office: Office) -> None:
        [(parcel, shop)] = office.rows(
            "SELECT parcel_id, shop_id FROM label WHERE voided_at IS NULL ORDER BY id LIMIT 1"
        )
        person = office.hire(Role.WAREHOUSE, shops=(shop,))
        assert person.post("/parcels/reprint", id=str(parcel), reason="torn").status_code == 303
        assert office.rows("SELECT reason FROM print WHERE reprint") == [("torn",)]

    def test_unmasking_asks_a_reason_shows_once_and_is_noted(self, office: Office) -> None:
        person, order = office.hire(Role.CARE), str(office.world.order_ids[0])
        assert person.post("/orders/unmask", id=order, reason="").status_code == 422
        page = person.post("/orders/unmask", id=order, reason="courier lost the address").text
        assert "15812346021" in page
        assert "桐梓林东路 12 号" in page
        assert "15812346021" not in person.get(f"/orders/{order}").text
        noted = office.rows("SELECT actor, subject, reason FROM audit WHERE action = 'unmask'")
        assert noted == [(f"staff:{person.staff_id}", f"order:{order}", "courier lost the address")]

    def test_a_raw_push_opens_only_by_way_of_its_parcel(self, office: Office) -> None:
        person = office.hire(Role.CARE)
        parcel, other = office.world.parcel_ids[0], office.world.parcel_ids[1]
        [(push,)] = office.rows("SELECT inbox_id FROM telling WHERE parcel_id = %s", parcel)
        refused = person.post("/parcels/raw", id=str(other), push=str(push), reason="look")
        assert refused.status_code == 404


class TestSettings:
    """Setting up, from nothing to the push address."""

    def test_from_nothing_to_the_push_address(self, empty_office: Office) -> None:
        owner = empty_office.hire()
        hub = _set_up(empty_office, owner)
        page = owner.get("/setup").text
        assert "https://ship.example/push/kdniao/main" in page
        assert "Waiting for the first push" in page
        assert answer_of(page) == "2 steps are left until parcels travel by themselves."
        assert owner.post(f"/setup/aggregators/{hub}/test").status_code == 303
        assert empty_office.rows("SELECT kind FROM job WHERE kind = 'test_aggregator'") == [("test_aggregator",)]

    def test_a_wrong_field_comes_back_with_its_sentence(self, empty_office: Office) -> None:
        answer = empty_office.hire().post(
            "/setup/aggregators/new", code="Not Good", integration="kdniao", merchant_id="1", key="k",
            base_url="https://api.example",
        )  # fmt: skip
        assert answer.status_code == 422
        assert "small letters" in answer.text
        assert 'value="Not Good"' in answer.text

    def test_secrets_are_never_shown_again(self, office: Office) -> None:
        owner = office.hire()
        for path in (
            f"/setup/aggregators/{office.world.aggregator_id}",
            f"/setup/accounts/{office.world.accounts['SF']}",
        ):
            page = owner.get(path).text
            assert not re.search(r'type="password" value="[^"]+"', page)

    def test_a_printer_is_added_and_switched_off(self, office: Office) -> None:
        owner = office.hire()
        made = owner.post("/printers/new", name="B1", uri="socket://10.0.0.8:9100", dpi="203", label_size="76x130")
        assert made.status_code == 303
        [(printer,)] = office.rows("SELECT id FROM printer WHERE name = 'B1'")
        assert owner.post(f"/printers/{printer}/off").status_code == 303
        assert "Switched off" in owner.get("/printers").text
        assert answer_of(owner.get("/printers").text).startswith("A3 is off")

    def test_a_person_is_hired_told_a_password_once_and_let_go(self, office: Office) -> None:
        owner = office.hire()
        made = owner.post("/people/new", login="xiao", name="晓", role="care", language="zh", every_shop="1")
        assert "The password of xiao, shown this once." in made.text
        [(staff,)] = office.rows("SELECT id FROM staff WHERE login = 'xiao'")
        assert owner.post(f"/people/{staff}/off").status_code == 303
        assert office.rows("SELECT disabled_at IS NOT NULL FROM staff WHERE id = %s", staff) == [(True,)]

    def test_a_key_is_shown_once_and_revoked(self, office: Office) -> None:
        owner = office.hire()
        made = owner.post("/people/keys/new", name="shop", scopes="orders:write", every_shop="1")
        secret = re.search(r"ws_\w+", made.text)
        assert secret is not None
        assert secret[0] not in owner.get("/people").text
        [(key,)] = office.rows("SELECT id FROM api_key")
        assert owner.post(f"/people/keys/{key}/revoke").status_code == 303
        assert "revoked" in owner.get("/people").text

    def test_a_choice_that_cannot_be_says_why(self, office: Office) -> None:
        answer = office.hire().post("/printers/new", name="desk", uri="folder:///tmp/labels", label_size="9x9")
        page = answer.text
        assert 'name="label_size" aria-invalid="true" aria-describedby="h-label_size"' in page
        assert re.search(r'<span class="err" id="h-label_size">.*?The label size must be one of', page)

    def test_a_shops_policy_is_changed(self, office: Office) -> None:
        shop = office.world.shop_ids[0]
        answer = office.hire().post(f"/shops/{shop}", trusted_kinds="in_person", confirm_days="10")
        assert answer.status_code == 303
        assert office.rows("SELECT trusted_kinds, confirm_days FROM shop WHERE id = %s", shop) == [(["in_person"], 10)]

    def test_strangers_are_dismissed(self, office: Office) -> None:
        care = office.hire(Role.CARE)
        assert answer_of(care.get("/strangers").text).startswith("3 waybills are nobody’s")
        assert care.post("/strangers/dismiss", waybill="YTO:YT9900000001").status_code == 303
        assert office.rows("SELECT count(*) FROM stranger WHERE state = 'dismissed'") == [(1,)]

    def test_one_is_said_as_one(self, office: Office) -> None:
        care = office.hire(Role.CARE)
        assert care.post("/strangers/dismiss", waybill=["YTO:YT9900000001"]).status_code == 303
        assert answer_of(care.get("/strangers").text) == (
            "2 waybills are nobody’s, 1 push could not be read, 2 single lines could not be read, 1 code is unknown."
        )

    def test_an_unreadable_line_is_shown_and_set_aside(self, office: Office) -> None:
        care = office.hire(Role.CARE)
        page = care.get("/strangers?view=lines").text
        assert "2 single lines could not be read" in answer_of(page)
        assert "2026-13-45 10:00:00 【无锡市】快件已发出" in page
        assert "Kdniao: a time stamp cannot be read" in page
        [(line,)] = office.rows("SELECT id FROM unread_line WHERE parcel_id IS NOT NULL")
        assert care.post(f"/strangers/lines/{line}/aside").status_code == 303
        assert office.rows("SELECT settled_by <> '' FROM unread_line WHERE id = %s", line) == [(True,)]
        assert care.post(f"/strangers/lines/{line}/aside").status_code == 404

    def test_an_unreadable_line_of_another_shop_is_not_there(self, office: Office) -> None:
        [(line, shop)] = office.rows("SELECT id, shop_id FROM unread_line WHERE parcel_id IS NOT NULL")
        other = next(each for each in office.world.shop_ids if each != shop)
        elsewhere = office.hire(Role.CARE, shops=[other])
        assert "快件已发出" not in elsewhere.get("/strangers?view=lines").text
        assert elsewhere.post(f"/strangers/lines/{line}/aside").status_code == 404
        assert "still cannot be taken in" not in elsewhere.post(f"/strangers/lines/{line}/retry").text
        assert office.rows("SELECT count(*) FROM unread_line WHERE settled_by <> ''") == [(0,)]

    def test_ones_own_password(self, office: Office) -> None:
        person = office.hire()
        wrong = person.post("/me/password", old="no", new="a-long-new-password", again="a-long-new-password")
        assert wrong.status_code == 422
        assert "The present password is wrong." in wrong.text
        differ = person.post("/me/password", old="no", new="a-long-new-password", again="another")
        assert "The two new passwords differ." in differ.text

    def test_the_audit_is_read_by_thing_and_person(self, office: Office) -> None:
        person = office.hire()
        person.post("/orders/hold", id=str(_order(office, "to_ship")), reason="stock-taking")
        page = person.get("/audit?action=hold").text
        assert "stock-taking" in page
        assert "林晓" in page
        assert "Nothing has been written down here." in person.get("/audit?action=nothing").text


def _set_up(office: Office, owner: Person) -> int:
    """A warehouse, an account at the aggregator, a carrier; the account's id."""
    house = {
        "code": "yh", "name": "余杭仓", "province": "浙江省", "city": "杭州市", "district": "余杭区",
        "dispatch_by": "scan",
        "cutoff": "18:00", "sender.name": "陈师傅", "sender.mobile": "13900002200", "sender.address": "仓前街道 1 号",
        "working_days": "1",
    }  # fmt: skip
    assert owner.post("/setup/warehouses/new", **house).status_code == 303
    hub = {"code": "main", "integration": "kdniao", "merchant_id": "1687240", "key": "secret"}
    assert owner.post("/setup/aggregators/new", base_url="https://api.example", **hub).status_code == 303
    [(hub_id,)] = office.rows("SELECT id FROM aggregator")
    account = {"aggregator_id": str(hub_id), "carrier": "YTO", "name": "YTO yh", "pay_type": "3", "priority": "10"}
    assert owner.post("/setup/accounts/new", low_mark="500", **account).status_code == 303
    return int(hub_id)


class TestImport:
    """Files handed in: progress that survives, every wrong line by its reason."""

    HEADERS = "订单号,商品编码,商品名称,数量,单价,收件人,手机,省,市,区,详细地址"

    def _import(self, person: Person, *rows: str, shop: str = "qinghe") -> str:
        """The page of the import when it has ended."""
        body = "\n".join((self.HEADERS, *rows)).encode(errors="surrogateescape")
        answer = person.client.post(
            "/import",
            data={"csrf": person.csrf, "target": "orders", "shop": shop, "warehouse": "yuhang"},
            files={"file": ("orders.csv", body, "text/csv")},
            headers=HTML,
            follow_redirects=False,
        )
        assert answer.status_code == 303, answer.text
        desk().wait(answer.headers["location"].rsplit("/", 1)[1])
        return person.get(answer.headers["location"]).text

    def test_a_good_file_is_taken_whole(self, office: Office) -> None:
        row = "A{n},TS-01,茶具,1,12.50,王小明,13800001111,四川省,成都市,武侯区,天府大道 1 号"
        page = self._import(office.hire(), row.format(n=1), row.format(n=2))
        assert answer_of(page) == "orders.csv is imported."
        assert "2 new" in page
        assert office.rows("SELECT count(*) FROM orders WHERE number IN ('A1', 'A2')") == [(2,)]

    def test_a_bad_line_is_named_and_nothing_is_taken(self, office: Office) -> None:
        good = "A1,TS-01,茶具,1,12.50,王小明,13800001111,四川省,成都市,武侯区,天府大道 1 号"
        bad = "A2,TS-01,茶具,none,12.50,王小明,13800001111,四川省,成都市,武侯区,天府大道 1 号"
        page = self._import(office.hire(), good, bad)
        assert answer_of(page) == "Nothing was imported: 1 line has to be mended first."
        assert "line 3" in page
        assert office.rows("SELECT count(*) FROM orders WHERE number = 'A1'") == [(0,)]

    def test_a_file_that_is_no_text_is_named_as_the_person_named_it(self, office: Office) -> None:
        page = self._import(office.hire(), "\udcff\udcff")
        assert "orders.csv is neither UTF-8 nor GBK" in page
