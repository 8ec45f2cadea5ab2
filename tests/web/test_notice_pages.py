"""Messages on pages: the log and its filters, one message whole, words edited over a real order, hours and limits."""

from tests.web.conftest import HTML, Office, Person
from tests.web.test_pages import answer_of
from waystream.parts.people.model import Role

PAGE = "/notices/templates/{shop}/shipped/zh"


def editor(office: Office) -> str:
    return PAGE.format(shop=office.world.shop_ids[0])


def states(office: Office, notice_id: int) -> list[tuple[str, str]]:
    return office.rows("SELECT state, why FROM notice WHERE id = %s", notice_id)


def one_in(office: Office, where: str) -> int:
    return int(office.rows(f"SELECT min(id) FROM notice WHERE {where}")[0][0])


def in_english(office: Office, role: Role = Role.OWNER) -> Person:
    person = office.hire(role)
    person.client.cookies.set("language", "en")
    return person


def test_the_log_is_filtered_by_its_address(office: Office) -> None:
    care = in_english(office, Role.CARE)
    every = care.get("/notices").text
    assert "Delivered" in every and "Words and hours" not in every
    shown = {
        state: care.get(f"/notices?state={state}").text.count('<td class="no">') for state in ("delivered", "doubt")
    }
    counted = {"delivered": "state = 'delivered'", "doubt": "doubted_at IS NOT NULL"}
    for state, where in counted.items():
        assert office.rows(f"SELECT count(*) FROM notice WHERE {where}") == [(shown[state],)], state
    order_id = office.rows("SELECT order_id FROM notice WHERE id = %s", office.world.notice_id)[0][0]
    assert care.get(f"/notices?order={order_id}&channel=sms&kind=said").text.count('<td class="no">') == 1
    assert care.get("/notices?after=x").status_code == 422
    assert "in doubt" in answer_of(every)


def test_one_message_shows_what_was_said_masked(office: Office) -> None:
    care = in_english(office, Role.CARE)
    page = care.get(f"/notices/{office.world.notice_id}").text
    assert "158****6021" in page and "15812346021" not in page
    assert "has got this" in answer_of(page) and "Say it again" in page
    assert care.get("/notices/7").status_code == 404


def test_a_message_is_said_again_taken_back_and_a_doubt_settled(office: Office) -> None:
    care = in_english(office, Role.CARE)
    again = care.post(f"/notices/{office.world.notice_id}/again")
    assert again.status_code == 303
    [(new, of, actor)] = office.rows("SELECT id, again_of, actor FROM notice ORDER BY id DESC LIMIT 1")
    assert again.headers["location"] == f"/notices/{new}" and of == office.world.notice_id
    assert actor.startswith("staff:")
    care.post(f"/notices/{new}/drop")
    assert states(office, new) == [("dropped", "taken_back")]
    assert care.post(f"/notices/{new}/drop").status_code == 409
    doubted = one_in(office, "doubted_at IS NOT NULL")
    assert "It arrived" in care.get(f"/notices/{doubted}").text
    care.post(f"/notices/{doubted}/arrived")
    assert states(office, doubted) == [("handed", "")]


def test_words_are_previewed_while_they_are_typed(office: Office) -> None:
    owner, at = office.hire(), editor(office)
    owner.client.cookies.set("language", "zh")
    assert "出发啦" in owner.get(at).text
    sent = {"csrf": owner.csrf, "subject": "{order}", "text": "去了[：{运单号}]，{店铺}"}
    live = {**HTML, "hx-request": "true", "hx-target": "preview"}
    part = owner.client.post(f"{at}/preview", data=sent, headers=live).text
    assert "<html" not in part and "去了" in part and "{" not in part
    wrong = owner.client.post(f"{at}/preview", data=sent | {"text": "{ordr}"}, headers=live).text
    assert "没有“ordr”这一项：是不是“order”？" in wrong
    assert office.rows("SELECT count(*) FROM notice_template") == [(2,)]


def test_words_are_saved_undone_and_used_again(office: Office) -> None:
    owner, at = in_english(office), editor(office)
    refused = owner.post(at, subject="{order}", text="取件码 {code}")
    assert refused.status_code == 422 and "is not always known" in refused.text and "取件码 {code}" in refused.text
    assert owner.post(at, subject="{order}", text="第三版 {order}").status_code == 303
    owner.post(f"{at}/restore")
    owner.post(f"{at}/restore", version="0")
    kept = office.rows("SELECT version, is_default FROM notice_template ORDER BY version")
    assert kept == [(1, False), (2, False), (3, False), (4, False), (5, True)]
    assert "Waystream’s words" in owner.get(at).text
    assert owner.get(at.replace("shipped", "none")).status_code == 404
    assert owner.get(at.replace("/zh", "/fr")).status_code == 404


def test_a_test_goes_to_whoever_asks_and_nobody_else(office: Office) -> None:
    owner, at = in_english(office), editor(office)
    given = {"subject": "{order}", "text": "试 {order}", "order": str(office.world.order_ids[0])}
    assert "an e-mail address or a mobile number" in owner.post(f"{at}/test", to="nobody", **given).text
    assert owner.post(f"{at}/test", to="me@example.com", **given).status_code == 303
    [(test, kind, dump)] = office.rows("SELECT test, kind, notice::text FROM notice ORDER BY id DESC LIMIT 1")
    assert (test, kind) == (True, "shipped") and "me@example.com" not in dump
    elsewhere = office.rows("SELECT id FROM orders WHERE shop_id = %s LIMIT 1", office.world.shop_ids[1])[0][0]
    limited = office.hire(Role.OWNER, shops=(office.world.shop_ids[0],))
    assert limited.post(f"{at}/test", **given | {"order": str(elsewhere)}, to="me@example.com").status_code == 404


def test_hours_and_limits_are_checked_at_their_fields(office: Office) -> None:
    owner, at = in_english(office), f"/notices/policy/{office.world.shop_ids[0]}"
    given = {
        "enabled": "1", "kinds": ["shipped", "delivered"], "channels": "mail，sms", "quiet_from_min": "21:30",
        "quiet_until_min": "09:00", "zone": "Asia/Shanghai", "per_order_day": "2", "per_person_day": "4",
        "gather_min": "5", "language": "en",
    }  # fmt: skip
    for field, value, sentence in (
        ("quiet_from_min", "25:00", "a time of the day"), ("per_order_day", "0", "between 1 and 20"),
        ("zone", "Mars/Base", "a time zone"), ("gather_min", "90", "between 0 and 3600"),
    ):  # fmt: skip
        page = owner.post(at, **given | {field: value})
        assert page.status_code == 422 and sentence in page.text, field
    assert owner.post(at, **given).status_code == 303
    saved = office.rows(
        """SELECT enabled, channels, quiet_from_min, quiet_until_min, per_order_day, gather_s, language,
                  'shipped' = ANY (kinds_off), 'delayed' = ANY (kinds_off)
           FROM notice_policy WHERE shop_id = %s""",
        office.world.shop_ids[0],
    )
    assert saved == [(True, ["mail", "sms"], 1290, 540, 2, 300, "en", False, True)]
    assert "at most 2 things a day" in answer_of(owner.get(at).text)
    assert owner.post(at, **given | {"per_order_day": "1"}).status_code == 303
    assert "at most 1 thing a day" in answer_of(owner.get(at).text)


def test_a_shop_that_says_nothing_says_how_to_switch_it_on(office: Office) -> None:
    owner = in_english(office)
    page = owner.get(f"/notices/templates?shop={office.world.shop_ids[1]}").text
    assert "tells its buyers nothing by itself" in answer_of(page)
    assert f"/notices/policy/{office.world.shop_ids[1]}" in page
