"""Pages as they are used: keyboard, theme, choosing rows, dialogs, live changes; and without scripts."""

import re
from collections.abc import Callable

from playwright.sync_api import expect

from tests.browser.conftest import PHONE, Look, Site, Visitor
from waystream.kernel import log
from waystream.parts.orders import actions as orders

ENGLISH = Look("en")


def _order(site: Site, word: str) -> tuple[int, str]:
    """An order that can still be held, by its word."""
    query = "SELECT id, number FROM orders WHERE word = %s AND held_at IS NULL ORDER BY id"
    [(order, number), *_] = site.office.rows(query, word)
    return int(order), str(number)


def test_slash_finds_and_enter_searches(site: Site, visit: Callable[..., Visitor]) -> None:
    page = visit(ENGLISH).open("/orders")
    page.keyboard.press("/")
    page.keyboard.type("2611110884")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("q=2611110884"))
    expect(page.locator(".answer")).to_have_text("1 order was found.")


def test_the_theme_is_kept(site: Site, visit: Callable[..., Visitor]) -> None:
    page = visit(ENGLISH).open("/orders")
    page.get_by_role("button", name="Light or dark").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    page.reload()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")


def test_choosing_rows_opens_the_bar_and_the_dialog(site: Site, visit: Callable[..., Visitor]) -> None:
    order, number = _order(site, "to_ship")
    page = visit(ENGLISH).open("/orders?word=to_ship")
    bar = page.get_by_role("region", name="With the chosen orders")
    expect(bar).to_be_hidden()
    page.get_by_role("checkbox", name=f"Choose {number}").check()
    expect(bar).to_contain_text("1 chosen")

    bar.get_by_role("button", name="Hold…").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Hold this order?")
    dialog.get_by_label("Why is it held?").fill("stock-taking")
    dialog.get_by_role("button", name="Hold", exact=True).click()

    expect(page.get_by_role("status")).to_contain_text("1 order is on hold.")
    assert site.office.rows("SELECT hold_reason FROM orders WHERE id = %s", order) == [("stock-taking",)]


def test_escape_closes_the_dialog_and_nothing_happens(site: Site, visit: Callable[..., Visitor]) -> None:
    order, _ = _order(site, "in_transit")
    page = visit(ENGLISH).open(f"/orders/{order}")
    page.get_by_role("link", name="Unmask…").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert site.office.rows("SELECT count(*) FROM audit WHERE action = 'unmask'") == [(0,)]


def test_a_change_appears_by_itself_within_a_second_or_two(site: Site, visit: Callable[..., Visitor]) -> None:
    order, _ = _order(site, "to_ship")
    page = visit(ENGLISH).open(f"/orders/{order}")
    expect(page.locator("[data-live-light]")).not_to_have_class(re.compile("late"))
    with page.expect_response(re.compile("/live")):
        page.reload()

    machine = site.office.context.machine
    machine.run(lambda tx: orders.hold(tx, [order], reason="told elsewhere", actor="system"))
    machine.database.run(log.sequence)

    expect(page.locator(".answer")).to_contain_text("told elsewhere", timeout=3_000)


def test_what_a_person_opened_stays_open_through_a_change(site: Site, visit: Callable[..., Visitor]) -> None:
    order = site.office.world.order_ids[0]
    page = visit(ENGLISH).open(f"/orders/{order}")
    page.get_by_text("Why “Stalled”?").click()
    with page.expect_response(lambda answer: answer.url.endswith(f"/orders/{order}")):
        page.evaluate("htmx.trigger('[data-live]', 'live')")
    expect(page.locator(".because")).to_be_visible()


def test_everything_works_without_scripts(site: Site, visit: Callable[..., Visitor]) -> None:
    order, _ = _order(site, "to_ship")
    page = visit(Look("en", scripts=False)).open(f"/orders/{order}")
    page.get_by_role("link", name="Cancel…").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    page.get_by_label("Why is it cancelled?").fill("buyer changed their mind")
    page.get_by_role("button", name="Cancel the order").click()
    expect(page.locator(".answer")).to_contain_text("buyer changed their mind")


def test_a_phone_shows_cards_and_the_bar_at_the_thumb(site: Site, visit: Callable[..., Visitor]) -> None:
    page = visit(Look("en", size=PHONE)).open("/orders")
    assert page.locator("nav.rail").bounding_box()["y"] > 700  # type: ignore[index]
    expect(page.get_by_role("checkbox", name="Choose all")).to_be_hidden()
