"""Shipping, dispatching and everything about one parcel, over the interface."""

from typing import Any

import pytest

from tests.web.api.desk import Desk, Program
from tests.web.api.test_orders import paths
from waystream.parts.tracking import actions as tracking


@pytest.fixture
def program(desk: Desk) -> Program:
    return desk.key()


@pytest.fixture
def parcel(desk: Desk, program: Program) -> dict[str, Any]:
    """A parcel with its number."""
    desk.bench.ship(*desk.bench.orders("A1"))
    desk.bench.drain()
    [row] = program.get("/api/parcels").json()["parcels"]
    return row


def test_orders_are_shipped_and_repeated_calls_get_the_first_answer(desk: Desk, program: Program) -> None:
    desk.bench.orders("A1")
    first = program.post("/api/ship", {"orders": ["tea:A1"], "carrier": "zto"}).json()["orders"][0]
    assert first["outcome"] == "asked"
    again = program.post("/api/ship", {"orders": ["tea:A1"]}).json()["orders"][0]
    assert (again["outcome"], again["parcel_ids"]) == ("already", first["parcel_ids"])
    [row] = program.get("/api/parcels", params={"order": "tea:A1"}).json()["parcels"]
    assert (row["id"], row["carrier"], row["stage"]) == (first["parcel_ids"][0], "ZTO", "asked")


def test_an_order_that_is_refused_stops_no_other(desk: Desk, program: Program) -> None:
    desk.bench.orders("A1", "A2")
    program.post("/api/orders/cancel", {"orders": ["tea:A1"], "reason": "sold out"})
    shipped = program.post("/api/ship", {"orders": ["tea:A1", "tea:A2"]}).json()["orders"]
    assert sorted((each["outcome"], each["why"]) for each in shipped) == [("asked", ""), ("refused", "cancelled")]


def test_an_order_is_split_by_line_and_quantity(desk: Desk, program: Program) -> None:
    desk.bench.orders("A1")
    split = [[{"line_no": 1, "quantity": 1}], [{"line_no": 1, "quantity": 1}]]
    [told] = program.post("/api/ship", {"orders": ["tea:A1"], "parcels": split}).json()["orders"]
    assert (told["outcome"], len(told["parcel_ids"])) == ("asked", 2)


def test_orders_of_one_receiver_are_combined_and_a_shipment_has_pieces(desk: Desk, program: Program) -> None:
    desk.bench.orders("A1", "A2", "A3")
    both = program.post("/api/ship", {"orders": ["tea:A1", "tea:A2"], "combine": True}).json()["orders"]
    assert both[0]["parcel_ids"] == both[1]["parcel_ids"]
    [three] = program.post("/api/ship", {"orders": ["tea:A3"], "pieces": 3}).json()["orders"]
    assert len(three["parcel_ids"]) == 3


WRONG_WISHES: tuple[tuple[Any, ...], ...] = (
    ({"orders": ["tea:A9"]}, 404, "orders[0]"),
    ({"orders": []}, 422, "orders"),
    ({"orders": ["tea:A1"], "pieces": 0}, 422, "pieces"),
    ({"orders": ["tea:A1"], "parcels": []}, 422, "parcels"),
    ({"orders": ["tea:A1"], "parcels": [[{"line_no": 1, "quantity": 0}]]}, 422, "parcels[0][0].quantity"),
    ({"orders": ["tea:A1"], "parcels": [[{"line_no": 1}]]}, 422, "parcels[0][0].quantity"),
    ({"orders": ["tea:A1"], "account": "x"}, 422, "account"),
    ({"orders": ["tea:A1"], "color": 1}, 422, "color"),
)


def test_a_wish_that_makes_no_sense_is_named(desk: Desk, program: Program) -> None:
    for given, status, path in WRONG_WISHES:
        desk.bench.orders("A1")
        answer = program.post("/api/ship", given)
        assert (answer.status_code, paths(answer)) == (status, [path])


def test_an_order_is_shipped_under_a_number_made_elsewhere(desk: Desk, program: Program) -> None:
    desk.bench.orders("A1")
    asked = {"order": "tea:A1", "carrier": "yto", "number": "YT7000000001"}
    first = program.post("/api/ship/number", asked).json()
    assert program.post("/api/ship/number", asked).json() == first
    assert program.get(f"/api/parcels/{first['parcel_id']}").json()["parcel"]["number"] == "YT7000000001"


def test_parcels_are_dispatched_by_id_and_by_number(desk: Desk, program: Program, parcel: dict[str, Any]) -> None:
    answer = program.post("/api/dispatch", {"numbers": [parcel["number"].lower(), "NONE1"], "weighed_g": 1234})
    told = {each["number"]: (each["outcome"], each["why"]) for each in answer.json()["parcels"]}
    assert told == {parcel["number"]: ("dispatched", ""), "NONE1": ("refused", "unknown")}
    [again] = program.post("/api/dispatch", {"parcels": [parcel["id"]]}).json()["parcels"]
    assert again["outcome"] == "already"
    whole = program.get(f"/api/parcels/{parcel['id']}").json()["parcel"]
    assert (whole["stage"], whole["weighed_g"], whole["dispatched_by"]) == ("dispatched", 1234, "weigh")
    assert program.get("/api/orders/tea:A1").json()["dispatch"] == "none"  # the rule runs elsewhere


def test_numbers_of_other_warehouses_are_unknown_at_the_gate(desk: Desk, parcel: dict[str, Any]) -> None:
    elsewhere = desk.person("warehouse", warehouses=(desk.warehouse("other"),))
    [told] = elsewhere.post("/api/dispatch", {"numbers": [parcel["number"]]}).json()["parcels"]
    assert (told["outcome"], told["why"], told["parcel_id"]) == ("refused", "unknown", None)
    assert elsewhere.post("/api/dispatch", {"parcels": [parcel["id"]]}).status_code == 404
    assert elsewhere.get("/api/parcels").json()["parcels"] == []


def test_parcels_are_listed_by_filters_and_key(desk: Desk, program: Program) -> None:
    desk.bench.ship(*desk.bench.orders("A1", "A2", "A3"))
    desk.bench.drain()
    first = program.get("/api/parcels", params={"limit": 2}).json()
    rest = program.get("/api/parcels", params={"limit": 2, "after": first["after"]}).json()
    assert len({row["id"] for row in first["parcels"] + rest["parcels"]}) == 3
    assert rest["after"] is None
    number = first["parcels"][0]["number"]
    [found] = program.get("/api/parcels", params={"number": number}).json()["parcels"]
    assert found["id"] == first["parcels"][0]["id"]
    assert program.get("/api/parcels", params={"stage": "dispatched"}).json()["parcels"] == []
    assert program.get("/api/parcels", params={"stage": "nowhere"}).status_code == 422
    assert program.get("/api/parcels", params={"order": "tea:A9"}).status_code == 404
    assert program.get("/api/parcels/counts").json()["stages"] == {"issued": 3}


def test_one_parcel_is_told_whole(program: Program, parcel: dict[str, Any]) -> None:
    whole = program.get(f"/api/parcels/{parcel['id']}").json()
    assert whole["parcel"]["number"] == parcel["number"]
    assert [take["state"] for take in whole["takes"]] == ["bound"]
    assert [binding["state"] for binding in whole["bindings"]] == ["live"]
    assert len(whole["labels"]) == 1
    for unknown in ("1", "x", "0", "-3", str(2**63)):
        assert program.get(f"/api/parcels/{unknown}").status_code in (404, 422)


def test_the_label_comes_as_a_file(program: Program, parcel: dict[str, Any]) -> None:
    for format, begins in (("pdf", b"%PDF"), ("png", b"\x89PNG"), ("zpl", b"^XA")):
        answer = program.get(f"/api/parcels/{parcel['id']}/label.{format}")
        assert answer.status_code == 200, answer.text
        assert answer.content.startswith(begins)
        assert answer.headers["cache-control"] == "no-store"
    assert program.get(f"/api/parcels/{parcel['id']}/label.exe").status_code == 422
    assert program.get("/api/parcels/1/label.pdf").status_code == 404


def test_a_parcel_is_voided_and_reissued(desk: Desk, program: Program, parcel: dict[str, Any]) -> None:
    at = f"/api/parcels/{parcel['id']}"
    assert program.post(f"{at}/reissue", {"reason": "torn", "carrier": "zto"}).json() == {"parcel_id": parcel["id"]}
    desk.bench.drain()
    after = program.get(at).json()
    assert after["parcel"]["carrier"] == "ZTO"
    assert sorted(binding["state"] for binding in after["bindings"]) == ["cancelled", "live"]
    assert program.post(f"{at}/void", {"reason": "not needed"}).status_code == 200
    assert program.post(f"{at}/void", {}).status_code == 422
    assert program.get(at).json()["parcel"]["stage"] == "voided"


def test_a_number_made_elsewhere_is_bound(desk: Desk, program: Program) -> None:
    desk.bench.carrier.faults.append("denied")
    desk.bench.ship(*desk.bench.orders("A1"))
    desk.bench.drain()
    [row] = program.get("/api/parcels").json()["parcels"]
    at = f"/api/parcels/{row['id']}"
    assert program.post(f"{at}/bind", {"carrier": "yto", "number": "!"}).status_code == 422
    assert program.post(f"{at}/bind", {"carrier": "yto", "number": "YT7000000009"}).status_code == 200
    assert program.get(at).json()["parcel"]["number"] == "YT7000000009"
    assert program.post(f"{at}/bind", {"carrier": "yto", "number": "YT7000000010"}).status_code == 409


def test_a_person_decides_and_takes_it_back(desk: Desk, program: Program, parcel: dict[str, Any]) -> None:
    at = f"/api/parcels/{parcel['id']}"
    with desk.work.begin() as tx:
        tracking.begin_tracks(tx, [int(program.get(at).json()["bindings"][0]["id"])])
    assert program.post(f"{at}/decide", {"verdict": "eaten", "reason": "x"}).status_code == 422
    decided = program.post(f"{at}/decide", {"verdict": "delivered", "reason": "the buyer wrote so"})
    [decision] = decided.json()["decisions"]
    assert program.get(f"{at}/why").json()["decision"]["id"] == decision["id"]
    assert program.get(at).json()["parcel"]["state"] == "delivered"
    withdraw = f"{at}/decisions/{decision['id']}/withdraw"
    assert program.post(withdraw, {"reason": "a mistake"}).status_code == 200
    assert program.post(withdraw, {"reason": "a mistake"}).status_code == 409
    assert program.post(f"{at}/decisions/77/withdraw", {"reason": "x"}).status_code == 404
    assert program.get(at).json()["parcel"]["state"] != "delivered"
    sources = [entry["source"] for entry in program.get(f"{at}/timeline").json()["entries"]]
    assert "decision" in sources


def test_a_label_is_reprinted(desk: Desk, program: Program, parcel: dict[str, Any]) -> None:
    at = f"/api/parcels/{parcel['id']}"
    assert program.post(f"{at}/reprint", {"reason": "torn"}).status_code == 409
    with desk.work.begin() as tx:
        [printer] = tx.conn.execute(
            "INSERT INTO printer (name, uri) VALUES ('A3', 'folder:///tmp/labels') RETURNING id"
        ).fetchone()
        tx.conn.execute("UPDATE warehouse SET printer_id = %s", [printer])
    queued = program.post(f"{at}/reprint", {"reason": "torn"})
    [row] = program.get(f"{at}/prints").json()["prints"]
    assert (row["id"], row["reprint"], row["state"]) == (queued.json()["print_id"], True, "queued")


def test_raw_bytes_are_for_people_with_a_reason(desk: Desk, program: Program, parcel: dict[str, Any]) -> None:
    asked = {"push": "77", "reason": "to see"}
    assert program.post(f"/api/parcels/{parcel['id']}/push", asked).status_code == 403
    assert desk.person("care").post(f"/api/parcels/{parcel['id']}/push", asked).status_code == 404


def test_a_number_of_another_shop_is_refused_without_telling_whose(desk: Desk, parcel: dict[str, Any]) -> None:
    desk.bench.orders("B1", shop="toys")
    other = desk.key(shops=(desk.world.toys,))
    asked = {"order": "toys:B1", "carrier": "yto", "number": parcel["number"]}
    answer = other.post("/api/ship/number", asked)
    assert answer.status_code == 409, answer.text
    assert parcel["id"] not in answer.text
