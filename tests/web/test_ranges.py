"""Numbers assigned beforehand on the pages: handed in, switched on, dropped, told among the tasks when they run low."""

import html

from tests.web.conftest import Office
from waystream.parts.people.model import Role


def text(page: str) -> str:
    return html.unescape(page)


def test_numbers_are_handed_in_and_drawn_from(office: Office) -> None:
    owner, account = office.hire(), str(office.world.accounts["YTO"])
    page = text(owner.get("/numbers/ranges").text)
    assert "No account draws from numbers assigned beforehand" in page
    assert 'href="/numbers/ranges"' in owner.get("/numbers").text

    assert owner.post("/numbers/ranges", account=account, numbers="YT9000001-YT9000003\nYT9000003").status_code == 303
    assert owner.post("/numbers/ranges/draw", account=account, do="draw").status_code == 303

    page = text(owner.get("/numbers/ranges").text)
    assert "1 account runs out of its assigned numbers: add more." in page
    assert "YT9000001 … YT9000003" in page
    assert "running low" in page
    assert "Numbers left: 3;" in text(owner.get("/tasks").text)
    assert office.rows("SELECT draws FROM carrier_account WHERE id = %s", int(account)) == [(True,)]


def test_a_wrong_line_comes_back_with_what_was_typed(office: Office) -> None:
    owner, account = office.hire(), str(office.world.accounts["YTO"])
    answer = owner.post("/numbers/ranges", account=account, numbers="YT9000001\nx")
    assert answer.status_code == 422
    assert "line 2: A waybill number has 4 to 40 letters and digits." in text(answer.text)
    assert "YT9000001\nx</textarea>" in answer.text
    assert office.rows("SELECT count(*) FROM reserved_number") == [(0,)]


def test_the_unused_are_dropped(office: Office) -> None:
    owner, account = office.hire(), str(office.world.accounts["YTO"])
    owner.post("/numbers/ranges", account=account, numbers="YT9000001-YT9000003")
    [(batch,)] = office.rows("SELECT id FROM number_batch")
    assert owner.post("/numbers/ranges/drop", batch=str(batch)).status_code == 303
    assert office.rows("SELECT count(*) FROM reserved_number") == [(0,)]
    assert owner.post("/numbers/ranges/drop", batch=str(batch + 1)).status_code == 404


def test_the_floor_looks_and_does_not_write(office: Office) -> None:
    floor, account = office.hire(Role.WAREHOUSE), str(office.world.accounts["YTO"])
    page = floor.get("/numbers/ranges")
    assert page.status_code == 200
    assert "<textarea" not in page.text
    for path in ("/numbers/ranges", "/numbers/ranges/draw", "/numbers/ranges/drop"):
        assert floor.post(path, account=account, numbers="YT9000001", do="draw", batch="1").status_code == 403
