"""Buyers' links over the interface: given, the same again, revoked; and who may."""

from tests.parts.world import raw_order
from tests.web.api.desk import Desk


def _take_in(desk: Desk) -> str:
    [told] = desk.key().post("/api/orders", raw_order("A1")).json()["orders"]
    return str(told["order_id"])


def test_a_link_is_given_and_stays_the_same_until_it_is_revoked(desk: Desk) -> None:
    order, program = _take_in(desk), desk.key()
    first = program.post(f"/api/orders/{order}/link", {})
    assert first.status_code == 200
    assert first.json() == program.post("/api/orders/tea:A1/link", {}).json()
    assert first.json()["url"].endswith(f"/t/{first.json()['token']}")
    assert first.json()["json"] == first.json()["url"] + ".json"

    second = program.post(f"/api/orders/{order}/link/revoke", {}).json()
    assert second["token"] != first.json()["token"]
    assert second == program.post(f"/api/orders/{order}/link", {}).json()
