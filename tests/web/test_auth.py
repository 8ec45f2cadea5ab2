"""Signing in and out, forms that are ours, one-time passwords, keys that open no page."""

import re

from tests.web.conftest import HTML, OWNER, Office
from waystream.kernel.tx import Tx
from waystream.parts.people import actions as people
from waystream.web.auth import SESSION_COOKIE


def _make_owner(office: Office) -> people.NewStaff:
    made = office.context.machine.run(people.ensure_owner)
    assert made is not None
    return made


def _token(page: str) -> str:
    found = re.search(r'name="csrf" value="([^"]+)"', page)
    assert found is not None
    return found[1]


def test_sign_in_opens_a_session_and_goes_back(empty_office: Office) -> None:
    made, browser = _make_owner(empty_office), empty_office.stranger()
    door = browser.get("/sign-in?next=/orders", headers=HTML)

    answer = browser.post(
        "/sign-in",
        data={"csrf": _token(door.text), "login": made.login, "password": made.password, "back": "/orders"},
        headers=HTML,
        follow_redirects=False,
    )

    assert answer.status_code == 303
    assert answer.headers["location"] == "/orders"
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie


def test_a_wrong_password_says_one_sentence_and_opens_nothing(empty_office: Office) -> None:
    made, browser = _make_owner(empty_office), empty_office.stranger()
    door = browser.get("/sign-in", headers={**HTML, "accept-language": "en"})

    answer = browser.post(
        "/sign-in",
        data={"csrf": _token(door.text), "login": made.login, "password": "wrong"},
        headers={**HTML, "accept-language": "en"},
    )

    assert answer.status_code == 401
    assert "The login or the password is wrong" in answer.text
    assert SESSION_COOKIE not in browser.cookies


def test_back_never_leads_elsewhere(empty_office: Office) -> None:
    made, browser = _make_owner(empty_office), empty_office.stranger()
    door = browser.get("/sign-in", headers=HTML)
    form = {"csrf": _token(door.text), "login": made.login, "password": made.password}
    for back in ("https://evil.example/", "//evil.example", "/\\evil.example"):
        answer = browser.post("/sign-in", data={**form, "back": back}, headers=HTML, follow_redirects=False)
        assert answer.headers["location"] == "/"
        browser.cookies.delete(SESSION_COOKIE)
        form["csrf"] = _token(browser.get("/sign-in", headers=HTML).text)


def test_a_one_time_password_opens_only_its_own_change(office: Office) -> None:
    fresh = office.hire(must_change=True)
    assert fresh.get("/orders").headers["location"] == "/me"
    assert fresh.get("/me").status_code == 200
    assert fresh.get("/api/orders", accept="*/*").status_code == 403


def test_a_form_without_our_token_is_refused(office: Office) -> None:
    person = office.hire()
    order = str(office.world.order_ids[-2])
    assert person.post("/orders/hold", csrf="", id=order, reason="x").status_code == 403
    assert person.post("/orders/hold", csrf="0" * 64, id=order, reason="x").status_code == 403
    assert office.rows("SELECT count(*) FROM orders WHERE hold_reason = 'x'") == [(0,)]


def test_a_form_from_another_site_is_refused_even_with_the_token(office: Office) -> None:
    person = office.hire()
    answer = person.client.post(
        "/orders/hold",
        data={"csrf": person.csrf, "id": "1", "reason": "x"},
        headers={**HTML, "sec-fetch-site": "cross-site"},
    )
    assert answer.status_code == 403


def test_another_persons_token_is_no_use(office: Office) -> None:
    one, other = office.hire(), office.hire()
    assert one.post("/orders/hold", csrf=other.csrf, id="1", reason="x").status_code == 403


def test_signing_out_ends_the_session(office: Office) -> None:
    person = office.hire()
    assert person.post("/sign-out").headers["location"] == "/sign-in"
    assert person.get("/orders").headers["location"] == "/sign-in?next=%2Forders"


def test_a_key_opens_the_interface_and_no_page(office: Office) -> None:
    def make(tx: Tx) -> people.NewKey:
        return people.create_key(
            tx, name="shop", scopes=["orders:read"], limits=people.Limits(every_shop=True), by=OWNER
        )

    secret = office.context.machine.run(make).secret
    client, headers = office.stranger(), {"authorization": f"Bearer {secret}"}
    assert client.get("/api/orders", headers=headers).status_code == 200
    assert client.get("/orders", headers={**HTML, **headers}, follow_redirects=False).status_code == 303
    assert client.get("/api/orders", headers={"authorization": "Bearer ws_none_none"}).status_code == 401


def test_a_fragment_asked_without_a_session_reloads_the_page(office: Office) -> None:
    answer = office.stranger().get("/orders", headers={**HTML, "hx-request": "true"})
    assert answer.status_code == 401
    assert answer.headers["hx-redirect"] == "/sign-in"
