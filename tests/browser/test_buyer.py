"""The buyer's page on a phone: in both languages and themes, without scripts, live, and under its weight."""

import re
from collections.abc import Callable, Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.conftest import DESK, PHONE, Look, Site
from tests.browser.test_look import RULES
from tests.web.test_buyer_answers import RIGHT, know_phones
from tests.web.test_buyer_page import LIMIT_BYTES, token_of
from waystream.core.events.tracking import OutForDelivery
from waystream.core.state import Direction, Kind, State
from waystream.kernel import log

LOOKS = (
    Look("zh", "light", PHONE), Look("en", "dark", PHONE), Look("zh", "dark", DESK), Look("en", "light", DESK),
)  # fmt: skip
THUMB_PX = 44


@pytest.fixture
def visit(browser: Browser, site: Site) -> Iterator[Callable[..., Page]]:
    """Open an order's link as somebody without an account."""
    opened: list[BrowserContext] = []
    know_phones(site.office)

    def enter(look: Look, nth: int = 0, query: str = "") -> Page:
        width, height = look.size
        context = browser.new_context(
            viewport={"width": width, "height": height}, java_script_enabled=look.scripts, reduced_motion="reduce",
            locale="zh-CN" if look.language == "zh" else "en-GB", color_scheme=look.theme, has_touch=look.size == PHONE,
        )  # fmt: skip
        opened.append(context)
        page = context.new_page()
        page.goto(f"{site.address}/t/{token_of(site.office, nth)}{query}")
        return page

    yield enter
    for context in opened:
        context.close()


@pytest.mark.parametrize("look", LOOKS, ids=lambda look: look.name)
def test_every_state_looks_right(site: Site, visit: Callable[..., Page], look: Look) -> None:
    """Each look sees its share of the orders, all of them together every state."""
    faults: list[str] = []
    page = visit(look)
    page.on("console", lambda said: faults.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: faults.append(str(error)))
    for nth in range(LOOKS.index(look), len(site.office.world.order_ids), len(LOOKS)):
        page.goto(f"{site.address}/t/{token_of(site.office, nth)}")
        wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        faults += [f"order {nth} is {wide} px too wide"] if wide > 0 else []
        found = Axe().run(page, options={"runOnly": {"type": "tag", "values": RULES["runOnly"]}})
        faults += [f"order {nth}: {each['id']} {[node['html'][:120] for node in each['nodes'][:3]]}"
                   for each in found.response["violations"]]  # fmt: skip
    assert not faults


@pytest.mark.parametrize("look", LOOKS[:2], ids=lambda look: look.name)
def test_everything_works_with_a_thumb_and_without_scripts(visit: Callable[..., Page], look: Look) -> None:
    page = visit(Look(look.language, look.theme, PHONE, scripts=False), 3)
    for button in page.locator(".btn:visible").all():
        box = button.bounding_box()
        assert box is not None and box["height"] >= THUMB_PX
    page.locator("#digits").fill(RIGHT)
    page.locator(".digits button").click()
    expect(page.get_by_role("status")).to_have_count(1)
    expect(page.locator("main")).to_contain_text("15812346021")
    page.locator("#say-damaged summary").click()
    page.locator("#words-damaged").fill("杯子碎了")
    page.locator("#say-damaged button").click()
    expect(page.get_by_role("status")).to_contain_text("店家会联系您" if look.language == "zh" else "comes back to you")
    page.get_by_role("link", name="English" if look.language == "zh" else "中文").click()
    expect(page.locator("html")).to_have_attribute("lang", "en" if look.language == "zh" else "zh-CN")


WEIGHT = """[...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")]
    .filter((loaded) => !loaded.name.includes("/live")).map((loaded) => loaded.decodedBodySize)"""


def test_all_that_a_phone_loads_is_under_50_kb(visit: Callable[..., Page]) -> None:
    page = visit(LOOKS[0], 14)
    page.wait_for_load_state("load")
    sizes = page.evaluate(WEIGHT)
    assert len(sizes) >= 3 and min(sizes[:3]) > 0
    assert sum(sizes) < LIMIT_BYTES


def test_a_change_appears_by_itself_and_what_is_open_stays_open(site: Site, visit: Callable[..., Page]) -> None:
    with site.office.context.machine.begin() as tx:
        [(nth, parcel, shop)] = tx.conn.execute(
            """SELECT array_position(%s::bigint[], order_id) - 1, parcel_id, track.shop_id FROM track
               JOIN parcel_order USING (parcel_id) WHERE track.state = 'arrived_at_outlet'""",
            [site.office.world.order_ids],
        ).fetchall()
    page = visit(LOOKS[1], nth)
    expect(page.get_by_role("heading", level=1)).to_have_text("Nearly there")
    page.wait_for_function("performance.getEntriesByType('resource').length >= 3")
    page.locator("details.raw-of summary").first.click()

    event = OutForDelivery(
        shop_id=shop, parcel_id=parcel, before=State.ARRIVED_AT_OUTLET, after=State.OUT_FOR_DELIVERY, kind=Kind.NONE,
        direction=Direction.OUT, at=site.office.context.work.clock.now(), because="",
    )  # fmt: skip
    with site.office.context.machine.begin() as tx:
        tx.conn.execute("UPDATE track SET state = 'out_for_delivery' WHERE parcel_id = %s", [parcel])
        tx.emit(event)
    site.office.context.machine.database.run(log.sequence)

    expect(page.get_by_role("heading", level=1)).to_have_text("A courier is bringing it", timeout=5_000)
    expect(page.locator("details.raw-of[open]")).to_have_count(1)


def test_a_link_that_opens_nothing_is_a_page_of_its_own(site: Site, visit: Callable[..., Page]) -> None:
    page = visit(LOOKS[0])
    page.goto(f"{site.address}/t/none")
    expect(page.get_by_role("heading", level=1)).to_have_text("这个链接打不开")
    assert not re.search("Waystream", page.content())
    assert not Axe().run(page).response["violations"]
