"""People limited to some shops or warehouses: what they open, list and change goes no further on any page."""

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.web.conftest import Office, Person
from waystream.integrations.kdniao.fakepush import Merchant, News, TraceNews, push_data, seal_push
from waystream.kernel.tx import Tx
from waystream.kernel.vault import seal
from waystream.parts.people.model import Role
from waystream.web.pace import Pace


def keep_push(office: Office, parcel_ids: list[int], *, strange: str = "") -> int:
    """A push that tells of these parcels' numbers (and a strange one), kept and behind the state of the first."""

    def keep(tx: Tx) -> int:
        numbers = tx.conn.execute("SELECT carrier, number FROM binding WHERE parcel_id = ANY (%s)", [parcel_ids])
        told = [*numbers.fetchall(), *([("YTO", strange)] if strange else [])]
        trace = TraceNews(tx.now - timedelta(hours=1), "204", "hub")
        news = [News(carrier, number, "", "204", (trace,)) for carrier, number in told]
        body = seal_push(Merchant("1687240", "secret"), "102", push_data("1687240", "102", news, at=tx.now))
        key_id, key = tx.keys.day_key(tx.conn, tx.now.date())
        tx.conn.execute(
            """INSERT INTO inbox (digest, id, aggregator_id, received_at, size, key_id, sealed)
               VALUES ('push', 77, %s, %s, %s, %s, %s)""",
            [office.world.aggregator_id, tx.now, len(body), key_id, seal(key, body, aad=b"push")],
        )
        tx.conn.execute("UPDATE telling SET inbox_id = 77 WHERE parcel_id = %s", [parcel_ids[0]])
        return 77

    return office.context.machine.run(keep)


def parcels_of(office: Office, shop_id: int) -> list[int]:
    query = "SELECT parcel_id FROM telling WHERE shop_id = %s ORDER BY parcel_id"
    return [row[0] for row in office.rows(query, shop_id)]


def open_raw(person: Person, parcel_id: int) -> int:
    return person.post("/parcels/raw", id=str(parcel_id), push="77", reason="to see").status_code


def test_a_push_opens_for_who_sees_all_it_tells(office: Office) -> None:
    shop = office.world.shop_ids[0]
    one, two = parcels_of(office, shop)[:2]
    keep_push(office, [one, two])
    limited = office.hire(Role.CARE, shops=(shop,), warehouses=(office.world.warehouse_id,))
    assert open_raw(limited, one) == 200
    assert open_raw(limited, two) == 404  # it told nothing of this one


@pytest.mark.parametrize("strange", ["", "YT00000001"])
def test_a_push_with_others_parcels_or_nobodys_stays_shut(office: Office, strange: str) -> None:
    mine, others = office.world.shop_ids
    one, other = parcels_of(office, mine)[0], parcels_of(office, others)[0]
    keep_push(office, [one] if strange else [one, other], strange=strange)
    assert open_raw(office.hire(Role.CARE, shops=(mine,)), one) == 403
    assert open_raw(office.hire(Role.CARE, warehouses=(office.world.warehouse_id,)), one) == (403 if strange else 200)
    assert open_raw(office.hire(Role.CARE), one) == 200
    assert len(office.rows("SELECT FROM audit WHERE action = 'open_push'")) == (1 if strange else 2)


def test_what_every_shop_uses_is_not_for_an_owner_of_some(office: Office) -> None:
    world = office.world
    limited = office.hire(shops=(world.shop_ids[0],))
    for path in (
        f"/setup/aggregators/{world.aggregator_id}", f"/setup/accounts/{world.accounts['SF']}", "/setup/accounts/new",
        f"/setup/warehouses/{world.warehouse_id}", f"/printers/{world.printer_id}", f"/printers/{world.printer_id}/off",
        "/shops/new",
    ):  # fmt: skip
        assert limited.post(path).status_code == 403, path
    own, other = (f"/shops/{shop_id}" for shop_id in world.shop_ids)
    assert limited.post(own, trusted_kinds="in_person", confirm_days="9").status_code == 303
    assert limited.post(other, trusted_kinds="in_person", confirm_days="9").status_code == 404
    assert "/shops/new" not in limited.get("/shops").text


def test_people_and_keys_of_more_shops_are_not_told_of(office: Office) -> None:
    owner = office.hire()
    owner.post("/people/keys/new", name="for every shop", scopes="orders:read", every_shop="1")
    [(key,)] = office.rows("SELECT id FROM api_key")
    limited = office.hire(shops=(office.world.shop_ids[0],))
    page = limited.get("/people").text
    assert "for every shop" not in page
    assert f"/people/{owner.staff_id}" not in page
    assert f"/people/{limited.staff_id}" in page
    assert limited.get(f"/people/{owner.staff_id}").status_code == 404
    assert limited.post(f"/people/keys/{key}/revoke").status_code == 403
    assert office.rows("SELECT revoked_at FROM api_key") == [(None,)]


def test_searches_are_bounded_on_the_page_too(office: Office) -> None:
    office = Office(replace(office.context, searches=Pace(per_s=0.001, burst=2)), office.world)
    person = office.hire(Role.CARE)
    assert [person.get(f"/orders?q={tail}").status_code for tail in ("6021", "6022", "6023")] == [200, 200, 429]
    assert person.get("/orders").status_code == 200
