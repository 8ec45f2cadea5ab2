"""Webhooks on pages: what is told once, what each deed leaves behind, what is refused at the field."""

import re

from tests.web.conftest import Office, Person
from tests.web.test_pages import answer_of
from waystream.parts.people.model import Role
from waystream.parts.webhooks.signing import secret_aad


def add(office: Office, owner: Person, **form: object) -> tuple[int, str]:
    """The id and the secret of a new endpoint of the first shop."""
    given = {"shop": str(office.world.shop_ids[0]), "url": "https://new.example/", "wanted": "parcel.*"} | form
    page = owner.post("/webhooks/new", **given)
    assert page.status_code == 200
    [(webhook_id,)] = office.rows("SELECT max(id) FROM webhook_endpoint")
    found = re.search(r"whsec_[A-Za-z0-9+/=]+", page.text.replace("&#43;", "+"))
    assert found is not None
    return int(webhook_id), found[0]


def test_the_secret_is_told_once_and_kept_sealed(office: Office) -> None:
    owner = office.hire()
    webhook_id, secret = add(office, owner)
    assert secret not in owner.get(f"/webhooks/{webhook_id}").text
    [(sealed, wanted)] = office.rows("SELECT secret_sealed, wanted FROM webhook_endpoint WHERE id = %s", webhook_id)
    assert secret.encode() not in bytes(sealed) and wanted == ["parcel.*"]
    opened = office.context.machine.keys.vault.open_secret(bytes(sealed), aad=secret_aad(webhook_id))
    assert opened == secret


def test_what_is_wrong_stands_at_its_field(office: Office) -> None:
    owner = office.hire()
    shop = str(office.world.shop_ids[0])
    for form, sentence in (
        ({"url": "http://erp.example/", "wanted": "*", "shop": shop}, "has to begin with https://"),
        ({"url": "https://erp.example/", "shop": shop}, "choose from the events"),
        ({"url": "https://erp.example/", "wanted": "*", "shop": "7777"}, "choose one of your shops"),
    ):
        page = owner.post("/webhooks/new", **form)
        assert page.status_code == 422 and sentence in page.text
    changed = owner.post(f"/webhooks/{office.world.webhook_id}/change", url="nothing", wanted="*")
    assert changed.status_code == 422 and "not a web address" in changed.text


def test_deeds_leave_their_traces(office: Office) -> None:
    owner, at = office.hire(), f"/webhooks/{office.world.webhook_id}"

    def row() -> tuple[object, ...]:
        query = "SELECT url, disabled_why, old_secret_sealed IS NULL FROM webhook_endpoint WHERE id = %s"
        return office.rows(query, office.world.webhook_id)[0]

    assert owner.post(f"{at}/change", url="https://moved.example/", wanted="*").status_code == 303
    assert row() == ("https://moved.example/", "", True)
    assert owner.post(f"{at}/off").status_code == 303 and row()[1] == "person"
    assert "switched off" in answer_of(owner.get(at).text)
    assert owner.post(f"{at}/test").status_code == 409
    assert owner.post(f"{at}/on").status_code == 303 and row()[1] == ""
    assert owner.post(f"{at}/test").status_code == 303
    assert office.rows("SELECT state FROM webhook_delivery WHERE type = 'webhook.test'") == [("waiting",)]
    rotated = owner.post(f"{at}/rotate")
    assert rotated.status_code == 200 and "whsec_" in rotated.text and row()[2] is False
    assert "moved.example hears nothing more" in answer_of(owner.get(f"{at}/remove").text)
    assert owner.post(f"{at}/remove").status_code == 303
    assert owner.get(at).status_code == 404 and "moved.example" not in owner.get("/webhooks").text
    done = [action for (action,) in office.rows("SELECT action FROM audit WHERE subject LIKE 'webhook:%%' ORDER BY id")]
    assert done[2:] == ["change", "switch_off", "switch_on", "test", "rotate", "remove"]


def test_the_log_is_filtered_and_sent_again(office: Office) -> None:
    owner, at = office.hire(), f"/webhooks/{office.world.webhook_id}"
    [(given_up,)] = office.rows("SELECT count(*) FROM webhook_delivery WHERE state = 'given_up'")
    assert owner.get(f"{at}?state=given_up").text.count("<tr><td") == given_up > 0
    [(delivery_id,)] = office.rows("SELECT max(id) FROM webhook_delivery WHERE state = 'given_up'")
    assert owner.post(f"{at}/deliveries/{delivery_id}/replay").status_code == 303
    assert office.rows("SELECT state FROM webhook_delivery WHERE id = %s", delivery_id) == [("waiting",)]
    span = {"since": "2026-11-12T00:00", "until": "2026-11-13T00:00"}
    assert owner.post(f"{at}/replay", **span, delivered_too="1").status_code == 303
    [(waiting, every)] = office.rows("SELECT count(*) FILTER (WHERE state = 'waiting'), count(*) FROM webhook_delivery")
    assert waiting == every
    assert owner.post(f"{at}/replay", since="then", until="now").status_code == 422


def test_one_that_switched_itself_off_is_a_task(office: Office) -> None:
    with office.context.machine.begin() as tx:
        gone = "UPDATE webhook_endpoint SET disabled_at = %s, disabled_why = 'gone' WHERE failures > 0"
        tx.conn.execute(gone, [tx.now])
    owner, clerk = office.hire(), office.hire(Role.CARE)
    assert "old.qinghe.example" in owner.get("/tasks").text
    assert "old.qinghe.example" not in clerk.get("/tasks").text
    assert "switched off" in answer_of(owner.get("/webhooks").text)


def test_the_first_day_says_what_an_endpoint_is(empty_office: Office) -> None:
    page = empty_office.hire().get("/webhooks").text
    assert answer_of(page) == "No system of yours is told of events yet."
