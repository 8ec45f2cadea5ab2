"""Goods, warehouses and carrier accounts on their pages and from files: found, added, changed, whole or not at all."""

import re

from tests.web.conftest import HTML, Office, Person
from tests.web.test_pages import answer_of
from waystream.parts.people.model import Role
from waystream.web.pages.imports.runs import desk

SKU = {"code": "LJ/250", "name": "龙井 250 g", "category": "茶", "weight_g": "320", "unit_cost": "30.50"}


class TestGoods:
    """SKUs: found, added, changed, in the caller's shops only."""

    def add(self, office: Office, person: Person, **given: str) -> int:
        return person.post("/catalogue/new", **({"shop_id": str(office.world.shop_ids[0])} | SKU | given)).status_code

    def test_the_first_day(self, office: Office) -> None:
        page = office.hire().get("/catalogue").text
        assert answer_of(page) == "No goods are known yet; orders come in all the same."

    def test_added_and_changed_by_shop_and_code(self, office: Office) -> None:
        person, shop = office.hire(), office.world.shop_ids[0]
        assert self.add(office, person) == 303
        assert answer_of(person.get("/catalogue").text) == "1 SKU is known, and its weight."
        assert f'href="/catalogue/{shop}/LJ%2F250"' in person.get("/catalogue").text
        form = person.get(f"/catalogue/{shop}/LJ%2F250").text
        assert 'value="30.50"' in form
        changed = person.post(f"/catalogue/{shop}/LJ%2F250", **(SKU | {"weight_g": "", "fragile": "1"}))
        assert changed.status_code == 303
        assert office.rows("SELECT code, weight_g, fragile, unit_cost_fen FROM sku") == [("LJ/250", 0, True, 3050)]
        assert answer_of(person.get("/catalogue").text) == "1 SKU is known; 1 have no weight."

    def test_a_wrong_field_comes_back(self, office: Office) -> None:
        person = office.hire()
        assert self.add(office, person, weight_g="heavy") == 422
        assert self.add(office, person, unit_cost="1.234") == 422
        assert self.add(office, person, name="") == 422
        assert self.add(office, person) == 303
        assert self.add(office, person) == 409
        assert office.rows("SELECT count(*) FROM sku") == [(1,)]

    def test_found_by_code_and_name_and_by_page(self, office: Office) -> None:
        person = office.hire()
        with office.context.machine.begin() as tx:
            for n in range(30):
                tx.conn.execute(
                    "INSERT INTO sku (shop_id, code, name, changed_at) VALUES (%s, %s, %s, %s)",
                    [office.world.shop_ids[n % 2], f"S_{n:02d}", f"茶 {n}%", tx.now],
                )
        codes = re.compile(r">(S_\d\d)</")
        first = person.get("/catalogue").text
        following = re.search(r'href="(/catalogue\?after=[^"]+)" rel="next"', first)
        assert following is not None
        assert [*codes.findall(first), *codes.findall(person.get(following[1]).text)] == [
            f"S_{n:02d}" for n in range(30)
        ]
        assert codes.findall(person.get("/catalogue?q=s_07").text) == ["S_07"]
        assert codes.findall(person.get("/catalogue?q=茶 12%").text) == ["S_12"]
        assert not codes.findall(person.get("/catalogue?q=S%2507").text)
        assert len(codes.findall(person.get("/catalogue?shop=qinghe").text)) == 15
        assert "Nothing fits" in person.get("/catalogue?q=nothing").text

    def test_another_shops_goods_are_not_there(self, office: Office) -> None:
        shop, other = office.world.shop_ids
        self.add(office, office.hire())
        person = office.hire(Role.OWNER, shops=(other,))
        assert "LJ/250" not in person.get("/catalogue").text
        assert person.get(f"/catalogue/{shop}/LJ%2F250").status_code == 404
        assert person.post(f"/catalogue/{shop}/LJ%2F250", **(SKU | {"name": "x"})).status_code == 404
        assert self.add(office, person, code="B") == 422
        assert office.rows("SELECT name FROM sku") == [("龙井 250 g",)]

    def test_the_floor_reads_and_does_not_write(self, office: Office) -> None:
        floor = office.hire(Role.WAREHOUSE)
        assert "/catalogue/new" not in floor.get("/catalogue").text
        assert floor.get("/catalogue/new").status_code == 403


def hand_in(person: Person, target: str, body: str, **given: str) -> str:
    """The page of the import when it has ended."""
    answer = person.client.post(
        "/import",
        data={"csrf": person.csrf, "target": target, **given},
        files={"file": (f"{target}.csv", body.encode(), "text/csv")},
        headers=HTML,
        follow_redirects=False,
    )
    assert answer.status_code == 303, answer.text
    desk().wait(answer.headers["location"].rsplit("/", 1)[1])
    return person.get(answer.headers["location"]).text


class TestFiles:
    """Goods, warehouses and carrier accounts from a file: whole, or nothing and every bad row named."""

    def test_the_page_knows_what_is_handed_in(self, office: Office) -> None:
        page = office.hire().get("/import?target=accounts").text
        assert '<option value="accounts" selected>' in page

    def test_goods(self, office: Office) -> None:
        page = hand_in(office.hire(), "skus", "商品编码,商品名称,重量\nA1,茶,100\n", shop="qinghe")
        assert answer_of(page) == "skus.csv is imported."
        assert 'href="/catalogue"' in page
        assert office.rows("SELECT code, weight_g FROM sku") == [("A1", 100)]

    def test_carrier_accounts(self, office: Office) -> None:
        head = "账号名称,快递公司,仓库,优先级,客户号,密码,付款方式\n"
        page = hand_in(office.hire(), "accounts", head + "顺丰二号,sf,yuhang,5,9999,hush,月结\n")
        assert answer_of(page) == "accounts.csv is imported."
        found = office.rows(
            """SELECT carrier, priority, warehouse.code
               FROM carrier_account JOIN warehouse ON warehouse.id = warehouse_id
               WHERE carrier_account.name = '顺丰二号'"""
        )
        assert found == [("SF", 5, "yuhang")]
        assert "1 as before" in hand_in(office.hire(), "accounts", head + "顺丰二号,sf,yuhang,5,9999,hush,月结\n")

    def test_a_bad_account_is_named_and_nothing_is_taken(self, office: Office) -> None:
        head = "账号名称,快递公司,仓库,付款方式\n"
        page = hand_in(
            office.hire(), "accounts", head + "好的,SF,yuhang,月结\n坏的,SF,nowhere,月结\n又坏,SF,yuhang,9\n"
        )
        assert answer_of(page) == "Nothing was imported: 2 lines have to be mended first."
        assert "line 3, 仓库" in page
        assert "line 4, 付款方式" in page
        assert office.rows("SELECT count(*) FROM carrier_account WHERE name = '好的'") == [(0,)]

    def test_only_the_owner_hands_in_accounts(self, office: Office) -> None:
        care = office.hire(Role.CARE)
        assert 'value="accounts"' not in care.get("/import").text
        answer = care.client.post(
            "/import",
            data={"csrf": care.csrf, "target": "accounts"},
            files={"file": ("a.csv", b"x", "text/csv")},
            headers=HTML,
        )
        assert answer.status_code == 403


def test_a_warehouse_has_cutoffs_by_carrier(office: Office) -> None:
    owner, house = office.hire(), office.world.warehouse_id
    form = {
        "name": "余杭仓", "province": "浙江省", "city": "杭州市", "district": "余杭区", "dispatch_by": "scan",
        "cutoff": "18:00", "sender.name": "陈师傅", "sender.mobile": "13900002200", "sender.address": "仓前街道 1 号",
        "working_days": "1", "printer": "A3",
    }  # fmt: skip
    saved = owner.post(f"/setup/warehouses/{house}", **form, cutoffs="sf 20:00；ZTO 9:30")
    assert saved.status_code == 303
    assert office.rows("SELECT cutoffs FROM warehouse WHERE id = %s", house) == [({"SF": "20:00", "ZTO": "09:30"},)]
    assert 'value="SF 20:00, ZTO 09:30"' in owner.get(f"/setup/warehouses/{house}").text
    wrong = owner.post(f"/setup/warehouses/{house}", **form, cutoffs="tonight")
    assert wrong.status_code == 422
    assert "write carriers with their hours" in wrong.text
