"""The rim: careful headers, bounds, errors as pages and as problems, assets, health."""

import logging

import pytest
from starlette.requests import Request

from tests.web.conftest import HTML, Office
from waystream.core.errors import Invalid, InvalidMany, Unavailable
from waystream.web import app as web_app
from waystream.web.auth import open_to_all
from waystream.web.problems import describe


@pytest.fixture
def broken_office(office: Office, monkeypatch: pytest.MonkeyPatch) -> Office:
    """With a page that fails as only our own fault does, quoting what a person typed."""

    @office.app.get("/broken", dependencies=[open_to_all()])
    def fail(request: Request) -> None:
        raise RuntimeError("15812346021")

    return office


def test_every_answer_is_careful(office: Office) -> None:
    for path in ("/sign-in", "/nowhere", "/healthz", "/api/orders"):
        headers = office.stranger().get(path, headers=HTML, follow_redirects=False).headers
        policy = headers["content-security-policy"]
        assert "script-src 'self'" in policy
        assert "unsafe" not in policy
        assert "img-src 'self' data:" in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert headers["cache-control"] == "no-store"


def test_a_body_over_the_limit_is_413(office: Office) -> None:
    client, limit = office.stranger(), office.context.body_limit_bytes
    announced = client.post("/api/orders", content=b"x" * (limit + 1))
    assert announced.status_code == 413
    assert announced.headers["content-type"] == "application/problem+json"

    def pieces() -> object:
        for _ in range(limit // 65536 + 2):
            yield b"x" * 65536

    assert office.hire().client.post("/me/password", content=pieces()).status_code in {403, 413}  # type: ignore[arg-type]


def test_a_wrong_field_names_its_path(office: Office) -> None:
    answer = office.hire().get("/orders?after=" + "x" * 61, accept="application/json")
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["path"] == "after"


def test_our_own_fault_tells_a_code_and_nothing_else(broken_office: Office, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR):
        answer = broken_office.stranger().get("/broken")
    body = answer.json()
    assert answer.status_code == 500
    assert body["code"]
    assert body["detail"] == "Something of ours failed"
    assert "158" not in answer.text
    assert body["code"] in caplog.text
    assert "15812346021" not in caplog.text
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_our_own_fault_is_a_page_for_people(broken_office: Office) -> None:
    answer = broken_office.stranger().get("/broken", headers={**HTML, "accept-language": "zh-CN"})
    assert answer.status_code == 500
    assert "我们这边出了错" in answer.text


def test_the_access_log_holds_no_address(office: Office, caplog: pytest.LogCaptureFixture) -> None:
    person = office.hire()
    with caplog.at_level(logging.INFO, logger="waystream.access"):
        person.get("/orders?q=15812346021")
        person.get(f"/orders/{office.world.order_ids[0]}")
    assert "15812346021" not in caplog.text
    assert str(office.world.order_ids[0]) not in caplog.text
    assert "GET /orders/{order_id:int} 200" in caplog.text


def test_errors_become_problems() -> None:
    assert describe(Invalid("lines.0.sku", "is missing")).fields == (("lines.0.sku", "is missing"),)
    assert len(describe(InvalidMany([Invalid("a", "x"), Invalid("b", "y")])).fields) == 2
    assert describe(Unavailable("later", retry_after_s=7)).retry_after_s == 7
    assert describe(ValueError("secret")).sentence == "Something of ours failed"


def test_assets_carry_their_hash_and_stay(office: Office) -> None:
    client = office.stranger()
    page = client.get("/sign-in", headers=HTML).text
    address = page.split('href="/assets/')[1].split('"')[0]
    asset = client.get(f"/assets/{address}", headers={"accept-encoding": "gzip"})
    assert asset.status_code == 200
    assert "immutable" in asset.headers["cache-control"]
    assert asset.headers["content-encoding"] == "gzip"
    assert client.get("/assets/none/none.css").status_code == 404


def test_health_answers_in_words_and_figures(office: Office) -> None:
    client = office.stranger()
    assert client.get("/healthz").text == "alive\n"
    assert client.get("/readyz").text == "ready\n"
    figures = client.get("/metrics").text
    assert "waystream_strangers_waiting 3.0\n" in figures
    assert "waystream_quarantine_open 1.0\n" in figures


def test_not_ready_while_stopping(office: Office) -> None:
    office.context.live.close()
    answer = office.stranger().get("/readyz")
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "5"


def test_files_may_be_larger_than_forms() -> None:
    assert web_app.FILE_LIMIT_BYTES > 100 * 1024 * 1024
