"""The page of silence: its answer, the slow-down's parcels, a budget tried before it is set, and who sees what."""

import pytest

from tests.web.conftest import Office
from tests.web.sample_silence import make_silence
from tests.web.test_pages import answer_of
from waystream.parts.people.model import Role


@pytest.fixture
def slowdown_id(office: Office) -> int:
    return office.context.machine.run(lambda tx: make_silence(tx, office.world))


def test_nobody_is_silent(office: Office) -> None:
    page = office.hire().get("/silence").text
    assert answer_of(page).startswith("No parcel is silent for too long")
    assert "There is too little history yet" in page


def test_who_is_stalled_and_what_is_slow(office: Office, slowdown_id: int) -> None:
    page = office.hire().get("/silence").text
    assert answer_of(page) == "Stalled: 2; 1 slow-down holds 2 more; carriers are being asked about 0."
    assert "成都转运中心, several carriers" in page and "杭州市 → 四川省" in page
    assert page.count('class="no"') == 2
    held = office.hire().get(f"/silence?slowdown={slowdown_id}").text
    assert "Silent in this slow-down" in held and held.count('class="no"') == 2


def test_a_budget_is_tried_before_it_is_set(office: Office, slowdown_id: int) -> None:
    owner = office.hire()
    assert "silent for 3.7 times the usual" in owner.get("/silence?budget=10").text
    tried = owner.get("/silence?budget=20").text
    assert "silent for 2.6 times the usual" in tried and "Set this budget" in tried
    assert "It cannot be kept" in owner.get("/silence?budget=1").text
    assert office.rows("SELECT budget FROM patience_book") == [(9,)]
    assert owner.post("/silence/budget", budget="20").status_code == 303
    assert office.rows("SELECT budget FROM patience_book") == [(20.0,)]
    assert "Without history, what it means cannot be said." in owner.get("/silence").text


@pytest.mark.parametrize("wrong", ["many", "0", "1e9", "nan"])
def test_a_wrong_budget_is_said(office: Office, slowdown_id: int, wrong: str) -> None:
    owner = office.hire()
    page = owner.get(f"/silence?budget={wrong}")
    assert page.status_code == 200 and "budget-problem" in page.text and "Set this budget" not in page.text
    assert owner.post("/silence/budget", budget=wrong).status_code == 422


def test_who_is_limited_sees_neither_budget_nor_others_parcels(office: Office, slowdown_id: int) -> None:
    mine = office.hire(Role.CARE, shops=(office.world.shop_ids[0],)).get("/silence").text
    assert 'id="budget"' not in mine and "How long silence may last" not in mine and mine.count('class="no"') == 2
    [(other,)] = office.rows(
        """INSERT INTO warehouse (code, name, province, city, district, key_id, sealed, contact_mask, created_at)
           SELECT 'w2', 'elsewhere', province, city, district, key_id, sealed, contact_mask, created_at FROM warehouse
           WHERE id = %s RETURNING id""",
        office.world.warehouse_id,
    )
    elsewhere = office.hire(Role.WAREHOUSE, shops=(office.world.shop_ids[0],), warehouses=(other,))
    hidden = elsewhere.get(f"/silence?slowdown={slowdown_id}").text
    assert (
        answer_of(hidden).startswith("No parcel is silent for too long; under way, each within its time: 0.")
        and "成都转运中心" not in hidden
    )
    theirs = office.hire(Role.CARE, shops=(office.world.shop_ids[1],)).get(f"/silence?slowdown={slowdown_id}").text
    assert answer_of(theirs).startswith("No parcel is silent") and "成都转运中心" not in theirs
