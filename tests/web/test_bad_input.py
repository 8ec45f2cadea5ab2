"""What no field of ours can hold is the asker's fault, wherever it is put: never a 500."""

import pytest

from tests.web.conftest import HTML, Office

HUGE, NUL = "9" * 5_000, "a\x00b"


@pytest.mark.parametrize("path", ["/orders/", "/people/", "/printers/", "/setup/warehouses/", "/parcels/"])
def test_a_number_of_thousands_of_digits_is_no_page(office: Office, path: str) -> None:
    assert office.hire().get(path + HUGE).status_code == 404


@pytest.mark.parametrize(
    "query",
    ["/orders?shop=99999999999999999999", "/orders?warehouse=9999999999999999999", f"/orders?shop={HUGE}",
     "/orders?carrier=%00", "/parcels?carrier=%00", "/audit?subject=%00", "/audit?actor=%00", "/audit?action=%00"],
)  # fmt: skip
def test_a_filter_that_nothing_can_have(office: Office, query: str) -> None:
    assert office.hire().get(query).status_code in {200, 422}


def test_a_nul_in_a_form(office: Office) -> None:
    owner, world = office.hire(), office.world
    assert owner.post("/parcels/reprint", id=str(world.parcel_ids[0]), reason=NUL).status_code in {409, 422}
    assert owner.post("/printers/new", name=NUL, uri="socket://10.0.0.8:9100").status_code == 422
    aggregator = {"code": "two", "integration": "kdniao", "merchant_id": NUL, "key": "k", "base_url": "https://a.b"}
    assert owner.post("/setup/aggregators/new", **aggregator).status_code == 422


def test_a_nul_at_the_door(office: Office) -> None:
    visitor = office.stranger()
    page = visitor.get("/sign-in", headers=HTML).text
    csrf = page.split('name="csrf" value="')[1].split('"')[0]
    answer = visitor.post("/sign-in", data={"csrf": csrf, "login": NUL, "password": "x"}, headers=HTML)
    assert answer.status_code == 422


def test_a_person_for_a_shop_that_is_not_there(office: Office) -> None:
    owner = office.hire()
    asked = {"login": "xiao", "name": "晓", "role": "care", "language": "zh", "shops": "7777"}
    assert owner.post("/people/new", **asked).status_code == 404
    assert owner.post("/people/keys/new", name="k", scopes="orders:read", shops="0").status_code in {404, 422}
