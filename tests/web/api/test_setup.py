"""What is set up over the interface: shops, SKUs, warehouses, accounts, printers, people, keys; and what is audited."""

from typing import Any

import pytest

from tests.web.api.desk import OWNER, Desk, Program
from tests.web.api.test_orders import paths
from waystream.parts.catalogue import actions as catalogue
from waystream.parts.hub import actions as hub
from waystream.parts.people import actions as people
from waystream.parts.tracking import actions as tracking

WAREHOUSE = {
    "code": "sh", "name": "上海仓", "province": "上海市", "city": "上海市", "district": "青浦区",
    "sender": {"name": "王发货", "mobile": "13911112222", "address": "华新镇 1 号"},
    "cutoffs": {"ZTO": "17:30"},
}  # fmt: skip


@pytest.fixture
def program(desk: Desk) -> Program:
    return desk.key()


def jobs(desk: Desk) -> list[tuple[str, str]]:
    return desk.bench.rows("SELECT kind, subject FROM job ORDER BY id")


def test_a_shop_is_opened_and_its_policy_set(program: Program) -> None:
    made = program.post("/api/shops", {"code": "new", "name": "新店", "platform": "抖音"})
    assert made.status_code == 201
    at = f"/api/shops/{made.json()['id']}"
    changed = program.put(f"{at}/policy", {"trusted_kinds": ["in_person", "locker"], "confirm_days": 3})
    assert changed.json() == program.get(at).json()
    assert (changed.json()["trusted_kinds"], changed.json()["confirm_days"]) == (["in_person", "locker"], 3)
    assert program.post("/api/shops", {"code": "new", "name": "x"}).status_code == 409
    assert program.post("/api/shops", {"code": "a:b", "name": "x"}).status_code == 422
    assert paths(program.put(f"{at}/policy", {"trusted_kinds": ["stalled"], "confirm_days": 3})) == ["trusted_kinds"]
    assert paths(program.put(f"{at}/policy", {"trusted_kinds": [], "confirm_days": 61})) == ["confirm_days"]


def test_somebody_limited_to_shops_opens_none(desk: Desk) -> None:
    owner, shop = desk.person("owner", shops=(desk.world.tea,)), f"/api/shops/{desk.world.tea}"
    assert owner.post("/api/shops", {"code": "new", "name": "x"}).status_code == 403
    assert owner.put(f"{shop}/policy", {"trusted_kinds": [], "confirm_days": 3}).status_code == 200


def test_skus_are_saved_and_listed_by_key(program: Program) -> None:
    skus = [{"code": f"S{n}", "name": "茶", "weight_g": n} for n in range(3)]
    assert program.post("/api/skus", {"shop": "tea", "skus": skus}).json() == {"changed": 3}
    assert program.post("/api/skus", {"shop": "tea", "skus": skus}).json() == {"changed": 0}
    page = program.get("/api/skus", params={"limit": 2}).json()
    rest = program.get("/api/skus", params={"limit": 3, "after": page["after"]}).json()
    assert [sku["code"] for sku in page["skus"] + rest["skus"]] == ["S0", "S1", "S2", "T1"]
    assert rest["after"] is None
    assert program.get("/api/skus/tea/S2").json()["weight_g"] == 2
    assert program.get("/api/skus/tea/S9").status_code == 404
    assert program.get("/api/skus/nowhere/S2").status_code == 404
    wrong = program.post("/api/skus", {"shop": "tea", "skus": [{"code": "S1", "name": "茶", "weight_g": -1}]})
    assert paths(wrong) == ["skus[0].weight_g"]
    assert program.get("/api/skus", params={"after": "x"}).status_code == 422


def test_a_warehouse_is_saved_and_its_sender_comes_out_masked(desk: Desk, program: Program) -> None:
    made = program.post("/api/warehouses", WAREHOUSE)
    assert made.status_code == 200
    assert "王发货" not in made.text and "13911112222" not in made.text
    again = program.post("/api/warehouses", WAREHOUSE | {"name": "青浦仓"})
    assert again.json()["id"] == made.json()["id"]
    assert {each["name"] for each in program.get("/api/warehouses").json()["warehouses"]} == {"余杭仓", "青浦仓"}
    with desk.work.begin() as tx:
        assert catalogue.open_sender(tx, int(made.json()["id"])).mobile == "13911112222"
    wrong = program.post("/api/warehouses", WAREHOUSE | {"cutoff": "25:00"})
    assert paths(wrong) == ["cutoff"]


def test_somebody_of_one_warehouse_sees_it_alone(desk: Desk) -> None:
    other = desk.warehouse("other")
    person = desk.person("warehouse", warehouses=(other,))
    assert [each["id"] for each in person.get("/api/warehouses").json()["warehouses"]] == [str(other)]
    assert person.get(f"/api/warehouses/{desk.world.yh}").status_code == 404


def test_secrets_of_accounts_go_in_and_never_come_out(desk: Desk, program: Program) -> None:
    told = {
        "code": "two",
        "integration": "kdniao",
        "merchant_id": "M1",
        "base_url": "https://k.example",
        "key": "SECRET1",
    }
    made = program.post("/api/aggregators", told)
    assert made.status_code == 201, made.text
    assert made.json()["push_url"] == "http://localhost/push/kdniao/two"
    account = {
        "aggregator": made.json()["id"], "carrier": "sto", "name": "申通",
        "parameters": {"customer_name": "us", "customer_password": "SECRET2", "month_code": "SECRET3"},
    }  # fmt: skip
    added = program.post("/api/accounts", account)
    assert added.status_code == 201, added.text
    at = f"/api/accounts/{added.json()['id']}"
    change = {"name": "申通 二", "parameters": {"customer_name": "we"}, "warehouse": str(desk.world.yh)}
    assert program.put(at, change).json()["warehouse"] == "余杭仓"
    program.put(f"/api/aggregators/{made.json()['id']}", {"merchant_id": "M2", "base_url": "https://k.example"})
    for path in ("/api/aggregators", "/api/accounts", at, f"/api/aggregators/{made.json()['id']}", "/api/audit"):
        assert "SECRET" not in program.get(path).text
    with desk.work.begin() as tx:
        opened = hub.open_account(tx, int(added.json()["id"]))
    assert (opened.aggregator.key, opened.aggregator.merchant_id) == ("SECRET1", "M2")
    assert (opened.parameters.customer_name, opened.parameters.customer_password) == ("we", "SECRET2")
    assert opened.parameters.month_code == "SECRET3"


WRONG_ACCOUNTS: tuple[tuple[Any, ...], ...] = (
    ({"warehouse": "99999"}, 404, None),
    ({"aggregator": "99999"}, 404, None),
    ({"carrier": "z t"}, 422, "parameters.carrier"),
    ({"parameters": {"pay_type": 9}}, 422, "parameters.pay_type"),
    ({"name": "YTO"}, 409, "name"),
)


def test_a_wrong_account_says_where(desk: Desk, program: Program) -> None:
    for given, status, path in WRONG_ACCOUNTS:
        [aggregator] = program.get("/api/aggregators").json()["aggregators"]
        good = {"aggregator": aggregator["id"], "carrier": "STO", "name": "x", "parameters": {}}
        answer = program.post("/api/accounts", good | given)
        assert answer.status_code == status, answer.text
        if path:
            assert paths(answer) == [path]


def test_an_account_is_tried_counted_and_switched(desk: Desk, program: Program) -> None:
    [aggregator] = program.get("/api/aggregators").json()["aggregators"]
    account = desk.bench.accounts["ZTO"]
    assert program.post(f"/api/aggregators/{aggregator['id']}/test").status_code == 202
    assert program.post(f"/api/accounts/{account}/count").status_code == 202
    assert ("test_aggregator", f"aggregator:{aggregator['id']}") in jobs(desk)
    assert ("count_numbers", f"account:{account}") in jobs(desk)
    assert program.post(f"/api/accounts/{account}/switch", {"on": False}).json()["disabled"] is True
    assert program.post(f"/api/accounts/{account}/switch", {"on": "no"}).status_code == 422


def test_a_printer_is_added_tried_and_removed(desk: Desk, program: Program) -> None:
    made = program.post("/api/printers", {"name": "A3", "uri": "ipp://10.0.0.9/ipp/print"})
    assert made.status_code == 201
    at = f"/api/printers/{made.json()['id']}"
    assert program.post(f"{at}/test").status_code == 202
    assert ("try_printer", f"printer:{made.json()['id']}") in jobs(desk)
    assert program.post(f"{at}/switch", {"on": False}).json()["disabled"] is True
    assert program.get(f"{at}/queue").json() == {"prints": []}
    assert program.post("/api/printers", {"name": "A3", "uri": "ipp://10.0.0.9/ipp/print"}).status_code == 409
    assert paths(program.put(at, {"name": "A3", "uri": "http://x"})) == ["uri"]
    assert program.delete(at).json() == {"printers": []}
    assert program.get(at).status_code == 404


def test_people_are_added_changed_and_shut_out(desk: Desk) -> None:
    owner = desk.person("owner")
    added = owner.post("/api/people", {"login": "li", "name": "Li", "role": "care", "shops": [str(desk.world.tea)]})
    assert added.status_code == 201
    at = f"/api/people/{added.json()['staff']['id']}"
    with desk.work.begin() as tx:
        assert people.sign_in(tx, login="li", password=added.json()["password"]) is not None
    changed = owner.put(at, {"name": "Li", "role": "warehouse", "warehouses": [str(desk.world.yh)], "every_shop": True})
    assert (changed.json()["role"], changed.json()["shops"]) == ("warehouse", [])
    reset = owner.post(f"{at}/reset-password").json()["password"]
    assert reset != added.json()["password"]
    assert owner.post(f"{at}/disable").json()["disabled_at"] is not None
    with desk.work.begin() as tx:
        assert people.sign_in(tx, login="li", password=reset) is None
    assert owner.post(f"{at}/enable").json()["disabled_at"] is None
    listed = owner.get("/api/people")
    assert "password" not in listed.text and "hash" not in listed.text
    assert owner.post("/api/people", {"login": "li", "name": "x", "role": "care"}).status_code == 409
    assert paths(owner.post("/api/people", {"login": "wu", "name": "x", "role": "king"})) == ["role"]
    unknown = owner.post("/api/people", {"login": "wu", "name": "x", "role": "care", "shops": ["99999"]})
    assert (unknown.status_code, paths(unknown)) == (404, ["shops[0]"])


def test_the_last_owner_stays(desk: Desk) -> None:
    owner = desk.person("owner")
    [row] = owner.get("/api/people").json()["people"]
    assert owner.post(f"/api/people/{row['id']}/disable").status_code == 409


def test_nobody_gives_more_than_they_have(desk: Desk) -> None:
    limited = desk.key("people:write", "orders:read", shops=(desk.world.tea,))
    assert (
        limited.post("/api/people", {"login": "x", "name": "x", "role": "care", "every_shop": True}).status_code == 403
    )
    beyond = {"name": "x", "scopes": ["orders:read"], "shops": [str(desk.world.toys)]}
    assert limited.post("/api/api-keys", beyond).status_code == 403
    more = {"name": "x", "scopes": ["setup:write"], "shops": [str(desk.world.tea)]}
    assert limited.post("/api/api-keys", more).status_code == 403
    assert desk.key().post("/api/api-keys", more | {"scopes": ["person:unmask"]}).status_code == 422


def test_a_key_works_until_it_is_revoked(desk: Desk, program: Program) -> None:
    new = program.post("/api/api-keys", {"name": "k", "scopes": ["orders:read"], "every_shop": True})
    assert new.status_code == 201
    caller = Program(desk.client, {"Authorization": f"Bearer {new.json()['secret']}"})
    me = caller.get("/api/me").json()
    assert (me["permissions"], me["shops"], me["role"]) == (["orders:read"], None, None)
    assert new.json()["secret"] not in program.get("/api/api-keys").text
    at = f"/api/api-keys/{new.json()['api_key']['id']}"
    assert program.delete(at).status_code == 200
    assert caller.get("/api/me").status_code == 401
    assert program.delete(at).status_code == 404


def test_the_audit_is_listed_by_key(desk: Desk, program: Program) -> None:
    for n in range(3):
        program.post("/api/shops", {"code": f"s{n}", "name": "x"})
    page = program.get("/api/audit", params={"action": "create", "limit": 2}).json()
    rest = program.get("/api/audit", params={"action": "create", "limit": 200, "after": page["after"]}).json()
    seen = [line["id"] for line in page["lines"] + rest["lines"]]
    assert len(set(seen)) == len(seen) >= 4
    assert rest["after"] is None
    assert OWNER.actor in {line["actor"] for line in rest["lines"]}


def test_quarantine_is_listed_and_retried(desk: Desk, program: Program) -> None:
    with desk.work.begin() as tx:
        [aggregator] = tx.conn.execute("SELECT id FROM aggregator").fetchone()
        tracking.quarantine(tx, aggregator_id=aggregator, digest=b"q" * 32, body=b"", reason="no list of traces")
    [push] = program.get("/api/quarantine").json()["pushes"]
    assert (push["aggregator"], push["reason"]) == ("main", "no list of traces")
    assert program.post(f"/api/quarantine/{push['id']}/retry").status_code == 409
    assert program.post("/api/quarantine/99/retry").status_code == 404
    assert len(program.get("/api/quarantine").json()["pushes"]) == 1


def test_strangers_are_listed_by_key_and_dismissed(desk: Desk, program: Program) -> None:
    with desk.work.begin() as tx:
        tx.conn.execute(
            """INSERT INTO stranger (aggregator_id, carrier, number, inbox_id, first_at, last_at)
               SELECT id, 'YTO', 'YT99' || n, n, %(at)s, %(at)s FROM aggregator, generate_series(1, 3) n""",
            {"at": tx.now},
        )
    page = program.get("/api/strangers", params={"limit": 2}).json()
    rest = program.get("/api/strangers", params={"limit": 2, "after": page["after"]}).json()
    assert [each["number"] for each in page["strangers"] + rest["strangers"]] == ["YT993", "YT992", "YT991"]
    dismissed = program.post("/api/strangers/dismiss", {"waybills": [{"carrier": "yto", "number": "yt991"}]})
    assert dismissed.json() == {"dismissed": 1}
    assert len(program.get("/api/strangers").json()["strangers"]) == 2
    assert program.get("/api/unknown-codes").json() == {"codes": []}
    assert program.get("/api/disputed-scans").json() == {"scans": [], "after": None}
    assert program.get("/api/clocks-ahead").json() == {"clocks": []}
