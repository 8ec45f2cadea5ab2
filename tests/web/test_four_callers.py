"""Every route against four callers: nobody, a role without the permission, one with it, another shop's person.

The routes are read from the application, so a new one is tested by being there.
"""

import re
from dataclasses import dataclass

from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute, iter_route_contexts

from tests.web.conftest import HTML, Office, Person
from waystream.parts.people.model import ROLES, Permission, Role
from waystream.web.auth import PUBLIC, SAFE, SIGNED_IN

ROUTER_OWN = {"/push/{integration}/{code}"}  # proves itself by signature, see test_push


@dataclass(frozen=True, slots=True)
class Door:
    """One method of one route, with the permission it declares."""

    method: str
    path: str
    permission: str

    @property
    def for_programs(self) -> bool:
        return self.path.startswith("/api/")


def _permissions(dependant: Dependant) -> set[str]:
    own = getattr(dependant.call, "permission", None)
    return ({own} if own else set()) | {name for each in dependant.dependencies for name in _permissions(each)}


def list_doors(office: Office) -> list[Door]:
    doors = []
    for route in iter_route_contexts(office.app.routes):
        assert route.path is not None
        if isinstance(route.original_route, APIRoute):
            [permission] = _permissions(route.dependant)
            doors += [Door(method, route.path, permission) for method in sorted(route.methods or ())]
        else:
            assert route.path in ROUTER_OWN, f"{route.path} declares no permission"
    return doors


def _address(office: Office, door: Door) -> str:
    """The route's address for a thing of the first shop, where it is a shop's at all."""
    world = office.world
    ids = {
        "order_id": world.order_ids[0], "parcel_id": world.parcel_ids[0], "shop_id": world.shop_ids[0],
        "printer_id": world.printer_id, "warehouse_id": world.warehouse_id, "aggregator_id": world.aggregator_id,
        "account_id": world.accounts["SF"], "staff_id": 1, "key_id": 1, "quarantine_id": 1, "format": "png",
        "notice_id": world.notice_id, "notice": world.notice_id, "kind": "shipped", "deed": "again",
        "webhook_id": world.webhook_id, "delivery_id": world.delivery_id,
        "channel_id": world.channel_id, "gateway": "smtp", "line_id": 1, "outage_id": 1, "replay_id": 1,
    }  # fmt: skip
    return re.sub(r"\{(\w+)(?::\w+)?\}", lambda name: str(ids.get(name[1], "none")), door.path)


def _knock(office: Office, door: Door, person: Person | None) -> tuple[int, str]:
    """Status and body of a request that says nothing more than it must."""
    client = person.client if person else office.stranger()
    headers = {**({} if door.for_programs else HTML), **({"x-csrf": person.csrf} if person else {})}
    world = office.world
    form = {
        "id": str(world.parcel_ids[0] if door.path.startswith("/parcels") else world.order_ids[0]), "reason": "test",
        "verdict": "lost", "push": "1",
    }  # fmt: skip
    sent = {"json": {}} if door.for_programs else {"data": form}
    body = {} if door.method in SAFE else sent
    query = {"id": form["id"], "do": "hold"} if door.path.endswith("/ask") else {}
    answer = client.request(
        door.method, _address(office, door), params=query, headers=headers, follow_redirects=False, **body
    )
    return answer.status_code, answer.text


def _wrong_role(permission: str) -> Role | None:
    return next((role for role in Role if permission not in ROLES[role]), None)


def test_every_route_declares_what_it_needs(office: Office) -> None:
    doors = list_doors(office)
    assert len(doors) > 80
    assert {door.permission for door in doors} <= {*Permission, PUBLIC, SIGNED_IN}


def test_writing_to_buyers_needs_the_same_of_pages_and_programs(office: Office) -> None:
    ways = ("/tell", "/tell/preview", "/workbench/say", "/workbench/preview", "/api/orders/{order}/notices")
    doors = [door for door in list_doors(office) if door.method == "POST" and door.path.endswith(ways)]
    assert len(doors) == 6
    assert {door.permission for door in doors} == {Permission.NOTICES_SAY}


def test_only_these_are_open(office: Office) -> None:
    """A list somebody has to change on purpose."""
    assert {door.path for door in list_doors(office) if door.permission == PUBLIC} == {
        "/assets/{mark}/{name}", "/language/{code}", "/robots.txt", "/api/openapi.json", "/api/asyncapi.json",
        "/healthz", "/readyz", "/metrics", "/sign-in", "/receipts/{channel_id}/{mark}",
        "/t/{token}", "/t/{token}.json", "/t/{token}/live", "/t/{token}/gate", "/t/{token}/received",
        "/t/{token}/missing", "/t/{token}/damaged", "/t/{token}/address",  # by a signed token, see test_buyer_page
        "/t/{token}/embed", "/t/{token}/messages", "/t/{token}/unsubscribe",
    }  # fmt: skip


def test_nobody_gets_in(office: Office) -> None:
    for door in list_doors(office):
        status, _ = _knock(office, door, None)
        if door.permission == PUBLIC:
            assert status != 401, door
        elif door.for_programs or door.path == "/live":
            assert status == 401 or (door.path == "/live" and status == 303), door
        else:
            assert status == 303, door


def test_a_role_without_the_permission_is_refused(office: Office) -> None:
    people = {role: office.hire(role) for role in Role}
    for door in list_doors(office):
        if door.permission in {PUBLIC, SIGNED_IN}:
            continue
        role = _wrong_role(door.permission)
        if role is None:
            assert all(door.permission in scopes for scopes in ROLES.values()), door
            continue
        assert _knock(office, door, people[role])[0] == 403, door


def test_a_role_with_the_permission_is_let_in(office: Office) -> None:
    office.hire(Role.OWNER)  # staff 1, whom some of the doors are about
    owner = office.hire(Role.OWNER)
    for door in sorted(list_doors(office), key=lambda door: door.path == "/sign-out"):
        if door.permission == PUBLIC or door.path == "/live":
            continue
        status, _ = _knock(office, door, owner)
        assert status < 500, door
        assert status not in {401, 403}, door


def test_another_shops_person_sees_and_moves_nothing(office: Office) -> None:
    """Every permission, but for the second shop: nothing of the first comes back, and nothing of it changes."""
    office.hire(Role.OWNER)
    other = office.hire(Role.OWNER, shops=(office.world.shop_ids[1],))
    numbers = [row[0] for row in office.rows("SELECT number FROM orders WHERE shop_id = %s", office.world.shop_ids[0])]
    before = _first_shops_rows(office)
    for door in list_doors(office):
        if door.path in {"/live", "/sign-out"} or door.permission == PUBLIC:
            continue
        status, body = _knock(office, door, other)
        assert status < 500, door
        assert not [number for number in numbers if number in body], door
        if (
            "{order_id" in door.path
            or "{parcel_id" in door.path
            or "{webhook_id" in door.path
            or "{notice" in door.path
        ):
            assert status in {404, 409, 422}, door
    assert _first_shops_rows(office) == before


def test_another_warehouses_person_sees_and_moves_nothing(office: Office) -> None:
    """Every permission and every shop, but for another warehouse: no deed, on a page or over the API, goes past it."""
    office.hire(Role.OWNER)
    elsewhere = office.hire(Role.OWNER, warehouses=(_another_warehouse(office),))
    numbers = [row[0] for row in office.rows("SELECT number FROM orders")]
    before = _first_shops_rows(office)
    for door in list_doors(office):
        if door.path in {"/live", "/sign-out"} or door.permission == PUBLIC:
            continue
        status, body = _knock(office, door, elsewhere)
        assert status < 500, door
        assert not [number for number in numbers if number in body], door
        if "{order_id" in door.path or "{parcel_id" in door.path or _is_deed(door):
            assert status in {404, 409, 422}, door
    assert _first_shops_rows(office) == before


def _is_deed(door: Door) -> bool:
    return door.method == "POST" and door.path.startswith(("/orders/", "/parcels/"))


def _another_warehouse(office: Office) -> int:
    with office.context.machine.begin() as tx:
        row = tx.conn.execute(
            """INSERT INTO warehouse (code, name, province, city, district, key_id, sealed, contact_mask, created_at)
               SELECT 'other', name, province, city, district, key_id, sealed, contact_mask, created_at
               FROM warehouse LIMIT 1 RETURNING id"""
        ).fetchone()
    assert row is not None
    return int(row[0])


def _first_shops_rows(office: Office) -> list[tuple[object, ...]]:
    shop = office.world.shop_ids[0]
    return [
        *office.rows(
            "SELECT id, word, held_at, cancelled_at, moved_at FROM orders WHERE shop_id = %s ORDER BY id", shop
        ),
        *office.rows("SELECT id, stage, held_reason, moved_at FROM parcel WHERE shop_id = %s ORDER BY id", shop),
        *office.rows("SELECT id, verdict FROM decision WHERE shop_id = %s", shop),
        *office.rows("SELECT id, state FROM print WHERE shop_id = %s ORDER BY id", shop),
        *office.rows("SELECT notice::text FROM notice WHERE shop_id = %s ORDER BY id", shop),
        *office.rows("SELECT notice_policy::text FROM notice_policy WHERE shop_id = %s", shop),
        *office.rows("SELECT notice_template::text FROM notice_template WHERE shop_id = %s ORDER BY version", shop),
        *office.rows("SELECT id, secret_sealed, disabled_at FROM webhook_endpoint WHERE shop_id = %s", shop),
        *office.rows("SELECT id, state, due_at FROM webhook_delivery WHERE shop_id = %s ORDER BY id", shop),
    ]
