"""Channels on pages, over the API and at the door of receipts: what is kept, shown, refused, told."""

import re

import msgspec
import pytest

from tests.web.conftest import GATEWAYS, Office
from tests.web.test_pages import answer_of
from waystream.parts.channels import actions
from waystream.parts.people.model import Role

MAIL = {"name": "mail", "host": "smtp.example.com", "port": "587", "security": "starttls", "username": "shop",
        "password": "hunter2-secret", "sender": "service@example.com"}  # fmt: skip
ROBOT = {"address": "https://qyapi.weixin.qq.com", "key": "693a-key"}


def test_the_list_says_first_what_fails_and_how_to_mend_it(office: Office) -> None:
    page = office.hire().get("/channels").text
    assert "1 channel fails" in answer_of(page)
    assert "top it up or buy a package" in page
    assert "planted" not in page


def test_a_channel_is_added_and_its_secret_never_shown(office: Office) -> None:
    owner = office.hire()
    added = owner.post("/channels/new/smtp", shop=str(office.world.shop_ids[0]), **MAIL)
    assert added.status_code == 303
    [(channel_id, sealed)] = office.rows("SELECT id, settings_sealed FROM channel WHERE name = 'mail'")
    assert added.headers["location"] == f"/channels/{channel_id}"
    assert b"hunter2" not in bytes(sealed)
    for path in (f"/channels/{channel_id}", f"/channels/{channel_id}/change"):
        assert "hunter2" not in owner.get(path).text
    assert "smtp.example.com" in owner.get(f"/channels/{channel_id}/change").text


def test_what_is_wrong_stands_at_its_field_and_the_secret_is_typed_again(office: Office) -> None:
    owner, shop = office.hire(), str(office.world.shop_ids[0])
    for wrong, sentence in (
        ({"port": "0"}, "a number from 1 to 65535"),
        ({"sender": "nobody"}, "this is no e-mail address"),
        ({"security": "none"}, "a password only travels over TLS or STARTTLS"),
        ({"name": "客服邮箱"}, "This shop has a channel named 客服邮箱 already."),
        ({"shop": "7777"}, "choose one of your shops"),
    ):
        page = owner.post("/channels/new/smtp", **({"shop": shop} | MAIL | wrong))
        assert page.status_code in (409, 422) and sentence in page.text
        assert "hunter2" not in page.text
    assert owner.get("/channels/new/pigeon").status_code == 404


def test_deeds_leave_their_traces(office: Office) -> None:
    owner, at = office.hire(), f"/channels/{office.world.channel_id}"
    assert owner.post(f"{at}/off").status_code == 303
    assert "is switched off" in answer_of(owner.get(at).text)
    assert owner.post(f"{at}/on").status_code == 303
    assert owner.post(f"{at}/test", to="").status_code == 422
    assert owner.post(f"{at}/test", to="13912345678").status_code == 303
    jobs = office.rows("SELECT kind, args FROM job WHERE kind = 'test_channel'")
    assert jobs == [("test_channel", {"language": "en"})]
    assert owner.post(f"{at}/remove").status_code == 303
    assert owner.get(at).status_code == 404
    done = [action for (action,) in office.rows("SELECT action FROM audit WHERE subject = %s ORDER BY id",
                                                f"channel:{office.world.channel_id}")]  # fmt: skip
    assert done == ["channel.add", "channel.off", "channel.on", "channel.test", "channel.remove"]


def test_the_form_keeps_the_causes_that_staff_is_told_of(office: Office) -> None:
    owner = office.hire()
    [(shop,)] = office.rows("SELECT code FROM shop WHERE id = %s", office.world.shop_ids[0])
    robot = {"shop": shop, "gateway": "wecom", "name": "robot", "settings": ROBOT, "causes": ["lost", "damaged"]}
    added = owner.client.post("/api/channels", json=robot, headers={"x-csrf": owner.csrf})
    assert added.status_code == 201, added.text
    at = f"/channels/{added.json()['id']}"
    page = owner.get(f"{at}/change").text
    ticked = re.findall(r'<input[^>]*name="causes"[^>]*value="(\w+)"[^>]*checked', page)
    assert sorted(ticked) == ["damaged", "lost"]
    saved = owner.post(f"{at}/change", name="robot", rank="100", priorities="high", causes=ticked, **ROBOT)
    assert saved.status_code == 303
    assert office.rows("SELECT causes FROM channel WHERE name = 'robot'") == [(["damaged", "lost"],)]


def test_another_shops_owner_sees_no_channel(office: Office) -> None:
    stranger = office.hire(shops=(office.world.shop_ids[1],))
    assert "客服邮箱" not in stranger.get("/channels").text
    for deed in ("", "/change", "/remove"):
        assert stranger.get(f"/channels/{office.world.channel_id}{deed}").status_code == 404
    for deed in ("change", "on", "off", "remove"):
        assert stranger.post(f"/channels/{office.world.channel_id}/{deed}", **MAIL).status_code == 404


def test_whoever_may_only_look_is_offered_nothing(office: Office) -> None:
    looker = office.hire(Role.WAREHOUSE)
    page = looker.get(f"/channels/{office.world.channel_id}").text
    assert "/receipts/" not in page and "/test" not in page
    assert "/channels/new/" not in looker.get("/channels").text


def report_path(office: Office) -> str:
    with office.context.machine.begin() as tx:
        found = actions.get_channel(tx, office.world.channel_id)
        return actions.report_path(tx, found.id, found.shop_id)


REPORT = [{"phone_number": "13912345678", "success": True, "biz_id": "9006^0", "out_id": "L1"},
          {"phone_number": "13912345678", "success": False, "biz_id": "9007^0", "err_code": "NOT_ON"}]  # fmt: skip


def test_receipts_become_events_without_phones(office: Office) -> None:
    path = report_path(office)
    assert path in office.hire().get(f"/channels/{office.world.channel_id}").text
    answer = office.stranger().post(path, content=msgspec.json.encode(REPORT))
    assert (answer.status_code, answer.json()) == (200, {"code": 0, "msg": "OK"})
    told = office.rows("SELECT body FROM event WHERE name = 'LetterReported' ORDER BY id")
    assert [(body["state"], body["receipt"], body["letter_id"], body["said"], body["channel"]) for (body,) in told] == [
        ("delivered", "9006^0", "L1", "", "短信"),
        ("refused", "9007^0", "", "NOT_ON", "短信"),
    ]
    assert "1391234" not in str(told)


@pytest.mark.parametrize("spoil", ["other mark", "other channel", "no reports there"])
def test_receipts_for_a_wrong_address_find_nothing(office: Office, spoil: str) -> None:
    path = report_path(office)
    base, mark = path.rsplit("/", 1)
    wrong = {
        "other mark": f"{base}/{'0' * len(mark)}",
        "other channel": f"/receipts/{office.world.channel_id + 1}/{mark}",
        "no reports there": "",
    }[spoil]
    if not wrong:
        with office.context.machine.begin() as tx:
            mail = next(each for each in actions.list_channels(tx) if each.gateway == "smtp")
            wrong = actions.report_path(tx, mail.id, mail.shop_id)
    assert office.stranger().post(wrong, content=msgspec.json.encode(REPORT)).status_code == 404
    assert office.rows("SELECT FROM event WHERE name = 'LetterReported'") == []


def test_unreadable_or_huge_receipts_are_refused(office: Office) -> None:
    path = report_path(office)
    assert office.stranger().post(path, content=b"<html>").status_code == 400
    assert office.stranger().post(path, content=b" " * (1024 * 1024 + 1)).status_code == 413
    assert office.rows("SELECT FROM event WHERE name = 'LetterReported'") == []


def test_over_the_api(office: Office) -> None:
    owner = office.hire()
    client, headers = owner.client, {"x-csrf": owner.csrf}
    kinds = client.get("/api/gateways").json()["gateways"]
    assert {kind["name"] for kind in kinds} == set(GATEWAYS)
    [(shop,)] = office.rows("SELECT code FROM shop WHERE id = %s", office.world.shop_ids[0])
    settings = {key: value for key, value in MAIL.items() if key != "name"}
    body = {"shop": shop, "gateway": "smtp", "name": "api mail", "settings": settings}
    added = client.post("/api/channels", json=body, headers=headers)
    assert added.status_code == 201
    channel = added.json()
    assert "hunter2" not in added.text and channel["reach"] == "email"
    at = f"/api/channels/{channel['id']}"
    changed = client.put(at, json={"name": "renamed", "settings": settings | {"password": ""}}, headers=headers)
    assert changed.json()["name"] == "renamed"
    assert client.put(at, json={"name": "x", "settings": {"host": "x"}}, headers=headers).status_code == 422
    assert client.post(f"{at}/switch", json={"on": False}, headers=headers).json()["disabled_at"]
    assert client.post(f"{at}/test", json={"to": "me@example.com"}, headers=headers).json()["testing"] is True
    failing = client.get(f"/api/channels/{office.world.channel_id}").json()
    assert failing["fails"] is True and "top it up" in failing["mend"]
    left = client.delete(at, headers=headers).json()["channels"]
    assert channel["id"] not in {each["id"] for each in left}
