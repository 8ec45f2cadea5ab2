"""The page of working hours: read by who works with tickets, changed by who may change the shop."""

from tests.web.conftest import Office
from tests.web.test_pages import answer_of
from waystream.parts.people.model import Role

GOOD = {
    "weekdays": "1", "opens": "10:00", "closes": "22:00", "zone": "Asia/Shanghai", "calendar": "cn", "days_off": "",
    "days_on": "", "high_minutes": "60", "normal_minutes": "600", "low_minutes": "1200", "reopen_days": "3",
}  # fmt: skip


def test_every_shop_stands_with_its_hours(office: Office) -> None:
    page = office.hire(Role.CARE).get("/care-hours").text
    assert answer_of(page).startswith("2 shops keep working hours")
    assert "09:00–18:00" in page and 'href="/care-hours/' not in page
    assert 'href="/care-hours/' in office.hire().get("/care-hours").text


def test_hours_are_changed_and_said(office: Office) -> None:
    shop = office.world.shop_ids[0]
    owner = office.hire()
    assert "calendar" in owner.get(f"/care-hours/{shop}").text
    assert owner.post(f"/care-hours/{shop}", **GOOD).status_code == 303
    assert office.rows("SELECT weekdays, opens, closes, calendar, high_minutes FROM care_hours") == [
        ("1", 600, 1320, "CN", 60)
    ]
    assert "10:00–22:00" in owner.get("/care-hours").text


def test_what_is_wrong_is_said_at_its_field(office: Office) -> None:
    shop = office.world.shop_ids[0]
    answer = office.hire().post(f"/care-hours/{shop}", **(GOOD | {"closes": "9:00", "high_minutes": "60"}))
    assert answer.status_code == 422 and 'value="9:00"' in answer.text
    assert "has to be later than the beginning" in answer.text
    assert office.hire().post(f"/care-hours/{shop}", **(GOOD | {"high_minutes": "soon"})).status_code == 422
    assert office.rows("SELECT count(*) FROM care_hours") == [(0,)]


def test_another_shops_hours_are_not_there(office: Office) -> None:
    first, second = office.world.shop_ids[:2]
    other = office.hire(Role.OWNER, shops=(second,))
    assert other.get(f"/care-hours/{first}").status_code == 404
    assert other.post(f"/care-hours/{first}", **GOOD).status_code == 404
    assert office.hire(Role.CARE).post(f"/care-hours/{first}", **GOOD).status_code == 403
    assert office.rows("SELECT count(*) FROM care_hours") == [(0,)]
