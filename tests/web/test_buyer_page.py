"""The buyer's page behind its link: what it says in each state, and what it never says."""

import re

import httpx
import pytest

from tests.web.conftest import HTML, Office
from tests.web.sample import SPECS
from waystream.core.cities import CITIES
from waystream.kernel.database import Shops
from waystream.parts.buyer import actions
from waystream.parts.buyer.links import Link
from waystream.web.assets import list_assets
from waystream.web.pace import Pace
from waystream.web.shell.city_names import ENGLISH as ENGLISH_NAMES

LIMIT_BYTES = 50_000
ENGLISH, CHINESE = {**HTML, "accept-language": "en"}, {**HTML, "accept-language": "zh-CN,en"}


def link_of(office: Office, nth: int) -> Link:
    with office.context.machine.begin() as tx:
        return actions.link(tx, office.world.order_ids[nth])


def token_of(office: Office, nth: int) -> str:
    return link_of(office, nth).signed(office.context.work.keys.vault)


def look(office: Office, nth: int, query: str = "", *, headers: dict[str, str] = ENGLISH) -> httpx.Response:
    return office.stranger().get(f"/t/{token_of(office, nth)}{query}", headers=headers)


def text_of(answer: httpx.Response) -> str:
    return " ".join(re.sub(r"<[^>]*>", " ", answer.text).split())


def nth_of(state: str, kind: str = "") -> int:
    """The first order of the sample with one parcel in this state."""
    return next(nth for nth, spec in enumerate(SPECS) if spec.parcels == (("dispatched", state, kind),))


STATES = (
    ("in_transit", "", "On its way to you", "正在送往您那里"),
    ("out_for_delivery", "", "A courier is bringing it", "快递员正在派送"),
    ("ready_for_pickup", "locker", "Delivered to a locker or station", "已放到快递柜或驿站"),
    ("delivered", "in_person", "Delivered", "已签收"),
    ("attempt_failed", "unreachable", "The courier came in vain", "快递员上门没送成"),
    ("exception", "stalled", "It is standing still", "包裹停住没动"),
    ("returning", "", "On its way back to the shop", "正在退回店家"),
    ("returned", "", "Back at the shop", "已退回店家"),
    ("lost", "", "Lost on its way", "路上丢了"),
    ("unknown", "", "The carrier’s news cannot be read yet", "快递公司的消息暂时读不懂"),
)


@pytest.mark.parametrize(("state", "kind", "english", "chinese"), STATES, ids=lambda value: value)
def test_each_state_has_its_head_in_both_languages(
    office: Office, state: str, kind: str, english: str, chinese: str
) -> None:
    nth = nth_of(state, kind)
    assert f"<h1>{english}</h1>" in look(office, nth).text
    assert f"<h1>{chinese}</h1>" in look(office, nth, headers=CHINESE).text
    assert f"<h1>{chinese}</h1>" in look(office, nth, "?lang=zh").text


def test_an_order_without_a_parcel_a_held_and_a_cancelled_one_say_so(office: Office) -> None:
    def of(**wanted: object) -> int:
        return next(
            nth for nth, spec in enumerate(SPECS) if all(getattr(spec, key) == value for key, value in wanted.items())
        )

    assert "<h1>The shop has your order</h1>" in look(office, of(word="to_ship", parcels=(), held=False)).text
    assert "<h1>The shop is holding it back</h1>" in look(office, of(word="to_ship", held=True)).text
    cancelled = look(office, of(word="closed"))
    assert "<h1>This order was cancelled</h1>" in cancelled.text
    assert 'class="pick"' not in cancelled.text


def test_several_parcels_are_picked_and_the_one_on_its_way_is_shown_first(office: Office) -> None:
    nth = next(nth for nth, spec in enumerate(SPECS) if spec.word == "part_delivered")
    page = look(office, nth)
    assert "<h1>A courier is bringing it</h1>" in page.text
    assert "parcel 2 of 2" in page.text
    first = look(office, nth, "?p=1")
    assert "<h1>Delivered</h1>" in first.text
    assert "?p=2&amp;lang=zh" not in first.text and "?p=1&amp;lang=zh" in first.text


def test_a_parcel_that_has_not_left_hides_its_number(office: Office) -> None:
    [(number,)] = office.rows(
        """SELECT number FROM binding JOIN parcel_order USING (parcel_id) JOIN parcel ON parcel.id = parcel_id
           WHERE stage = 'printed' AND order_id = %s""",
        office.world.order_ids[5],
    )
    page = look(office, 5)
    assert "<h1>Being packed</h1>" in page.text
    assert number not in page.text.replace(" ", "")


def test_it_shows_masks_and_no_personal_data(office: Office) -> None:
    page = look(office, 0)
    assert "罗** 158****6021" in text_of(page)
    assert "桐梓林东路**号" in page.text
    for secret in ("罗测测", "15812346021", "12 号", "茶具请多包一层"):
        assert secret not in page.text


def test_the_carriers_words_stand_beside_ours_without_what_opens_a_locker(office: Office) -> None:
    with office.context.machine.begin() as tx:
        tx.conn.execute(
            "UPDATE scan SET text = '【成都市】已放入丰巢，取件码：87214093，请凭码取件' WHERE parcel_id = %s",
            [office.world.parcel_ids[1]],
        )
    page = look(office, 1)
    assert "已放入丰巢" in page.text
    assert "87214093" not in page.text and "取件码：********" in page.text


def test_page_sheet_and_script_together_are_under_50_kb(office: Office) -> None:
    nth = next(nth for nth, spec in enumerate(SPECS) if spec.word == "part_delivered")
    page = look(office, nth, headers=CHINESE)
    loaded = set(re.findall(r'(?:href|src)="/assets/\w+/([\w.-]+)"', page.text))
    assert loaded == {"buyer-page.css", "buyer.js", "mark.svg"}
    assert len(page.content) + sum(len(list_assets()[name].body) for name in loaded) < LIMIT_BYTES


def test_whatever_is_wrong_with_a_link_is_one_answer(office: Office) -> None:
    office.context.guesses.__init__(per_s=100, burst=1000)  # type: ignore[misc]
    own, vault = link_of(office, 0), office.context.work.keys.vault
    expired = Link(own.shop_id, own.order_id, own.expires_on.replace(year=2025), own.version)
    other_shop = Link(office.world.shop_ids[1], own.order_id, own.expires_on, own.version)
    no_order = Link(own.shop_id, own.order_id + 1, own.expires_on, own.version)
    later = Link(own.shop_id, own.order_id, own.expires_on, own.version + 1)
    good = own.signed(vault)
    tokens = [each.signed(vault) for each in (expired, other_shop, no_order, later)]
    tokens += [good[:-1], good[:-1] + ("a" if good[-1] != "a" else "b"), "x", "0" * 33, "%00", "..%2f", "é" * 20]
    answers = {(answer.status_code, answer.text, str(sorted(answer.headers.items())))
               for answer in (office.stranger().get(f"/t/{token}", headers=ENGLISH) for token in tokens)}  # fmt: skip
    assert len(answers) == 1
    [(status, body, _)] = answers
    assert status == 404
    assert "This link opens nothing" in body
    with office.context.work.begin(shops=Shops.every()) as tx:
        actions.revoke(tx, own.order_id, actor="staff:1")
    revoked = office.stranger().get(f"/t/{good}", headers=ENGLISH)
    assert (revoked.status_code, revoked.text) == (404, body)


def test_wrong_links_and_too_many_looks_are_held_back(office: Office) -> None:
    object.__setattr__(office.context, "guesses", Pace(per_s=0.001, burst=3))
    object.__setattr__(office.context, "buyers", Pace(per_s=0.001, burst=3))
    stranger, token = office.stranger(), token_of(office, 0)
    wrong = [stranger.get(f"/t/none{n}", headers=ENGLISH) for n in range(5)]
    assert [answer.status_code for answer in wrong] == [404, 404, 404, 429, 429]
    right = [stranger.get(f"/t/{token}", headers=ENGLISH) for _ in range(5)]
    assert [answer.status_code for answer in right] == [200, 200, 200, 429, 429]
    assert int(right[-1].headers["retry-after"]) > 0
    assert "Too many tries" in right[-1].text


def test_the_json_says_the_same_as_the_api(office: Office) -> None:
    nth = nth_of("exception", "stalled")
    told = office.stranger().get(f"/t/{token_of(office, nth)}.json").json()
    asked = office.hire().get(f"/api/orders/{office.world.order_ids[nth]}/timeline").json()
    assert told == asked["order"]
    [parcel] = told["parcels"]
    assert (parcel["state"], parcel["kind"], parcel["carrier"]) == ("exception", "stalled", "YTO")
    assert parcel["stands"] == {"zh": "包裹停住没动", "en": "It is standing still"}
    assert parcel["next"]["en"].startswith("The shop has been told")
    assert [stage["name"] for stage in parcel["stages"]] == [
        "sent", "collected", "in_transit", "out_for_delivery", "delivered"]  # fmt: skip
    assert parcel["scans"][0]["words"] == {"zh": "包裹停住没动", "en": "It has been standing still"}
    assert told["late"] is True


def test_nobody_keeps_lists_or_is_led_away_from_it(office: Office) -> None:
    page = look(office, 0)
    assert page.headers["cache-control"] == "no-store"
    assert page.headers["referrer-policy"] == "same-origin"
    assert page.headers["x-robots-tag"] == "noindex, nofollow"


def test_only_origins_the_shop_named_may_frame_it_or_read_its_json(office: Office) -> None:
    owner, shop = office.hire(), office.world.shop_ids[0]
    origin = "https://tea.example"
    token = token_of(office, 0)
    before = office.stranger().get(f"/t/{token}/embed", headers=ENGLISH)
    assert "frame-ancestors 'none'" in before.headers["content-security-policy"]
    assert "x-frame-options" not in before.headers
    refused = owner.post(f"/shops/{shop}", confirm_days="7", embed_origins="http://tea.example javascript:x")
    assert refused.status_code == 422
    saved = owner.post(f"/shops/{shop}", confirm_days="7", embed_origins=f"{origin}/, https://www.tea.example:8443")
    assert saved.status_code == 303

    page = office.stranger().get(f"/t/{token}/embed", headers=ENGLISH)
    assert page.headers["content-security-policy"].endswith(
        "frame-ancestors https://tea.example https://www.tea.example:8443"
    )
    assert "<form" not in page.text and f'href="/t/{token}?p=1" target="_blank"' in page.text
    whole = look(office, 0)
    assert "frame-ancestors 'none'" in whole.headers["content-security-policy"]
    assert whole.headers["x-frame-options"] == "DENY"
    for asked, allowed in ((origin, origin), ("https://evil.example", None)):
        told = office.stranger().get(f"/t/{token}.json", headers={"origin": asked})
        assert told.headers.get("access-control-allow-origin") == allowed


def test_the_order_page_hands_out_the_link_and_revokes_it(office: Office) -> None:
    owner, order = office.hire(), office.world.order_ids[0]
    token = token_of(office, 0)
    assert f'data-copy="https://ship.example/t/{token}"' in owner.get(f"/orders/{order}").text
    assert owner.post("/orders/revoke_link", id=str(order), back=f"/orders/{order}").status_code == 303
    assert token_of(office, 0) != token
    assert f"/t/{token_of(office, 0)}" in owner.get(f"/orders/{order}").text
    assert office.stranger().get(f"/t/{token}", headers=ENGLISH).status_code == 404


def test_the_route_is_drawn_where_both_ends_are_known(office: Office) -> None:
    page = look(office, nth_of("in_transit"))
    assert 'aria-label="Route: from Hangzhou to Xi’an, last seen in Wuxi"' in page.text
    assert "km to go, in a straight line" in page.text
    assert "<svg" not in look(office, nth_of("returning")).text
    with office.context.machine.begin() as tx:
        tx.conn.execute("UPDATE person SET province = '火星', city = '火星'")
    assert "<svg" not in look(office, nth_of("in_transit")).text


def test_every_city_has_an_english_name() -> None:
    assert {city.name for city in CITIES} == ENGLISH_NAMES.keys()
    assert all(name[0].isupper() and name.isprintable() for name in ENGLISH_NAMES.values())


def test_the_pickup_code_is_shown_behind_the_gate_only(office: Office) -> None:
    nth = nth_of("ready_for_pickup", "locker")
    with office.context.machine.begin() as tx:
        tx.conn.execute(
            """UPDATE scan SET text = '【宁波市】已存放至菜鸟驿站（鄞州店），请凭取件码 8-2-1234 取件' WHERE parcel_id =
               (SELECT parcel_id FROM parcel_order WHERE order_id = %s)""",
            [office.world.order_ids[nth]],
        )
    page = look(office, nth)
    assert "It waits here:" in page.text and "菜鸟驿站" in page.text
    assert "8-2-1234" not in page.text
    assert "The code appears here once you gave the last four digits below." in page.text
