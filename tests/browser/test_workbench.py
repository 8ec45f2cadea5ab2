"""The workbench in a real browser: ten tickets by keyboard alone, two people at once, changes by themselves."""

import re
from collections.abc import Callable

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.browser.conftest import PHONE, Look, Site, Visitor
from tests.browser.test_look import RULES
from tests.web.sample_tickets import make_tickets
from waystream.core.care import Ending
from waystream.kernel import log
from waystream.parts.care import handling
from waystream.parts.people.model import Role

ENGLISH = Look("en")


def _open_again(site: Site) -> list[int]:
    """Every ticket open and free, whatever the test before did; in the order of the queue."""
    machine = site.office.context.machine
    machine.run(lambda tx: make_tickets(tx, site.office.world))
    closed = [row[0] for row in site.office.rows("SELECT id FROM ticket WHERE state = 'closed' AND ending <> 'merged'")]
    taken = [row[0] for row in site.office.rows("SELECT id FROM ticket WHERE state = 'taken'")]
    if closed:
        machine.run(lambda tx: handling.reopen(tx, closed, actor="staff:1"))
    if taken:
        machine.run(lambda tx: handling.release(tx, taken, actor="staff:1", lead=True))
    machine.database.run(log.sequence)
    return [row[0] for row in site.office.rows("SELECT id FROM ticket WHERE state <> 'closed' ORDER BY due_at, id")]


def _current(page: Page) -> int:
    marked = page.locator(".tick[aria-current]").get_attribute("id")
    assert marked is not None
    return int(marked.removeprefix("k"))


def test_an_agent_clears_ten_tickets_with_the_keyboard_alone(site: Site, visit: Callable[..., Visitor]) -> None:
    tickets = _open_again(site)
    agent = visit(ENGLISH, role=Role.CARE)
    page = agent.open("/workbench")
    for nth in range(10):
        expect(page.locator(f"#k{tickets[nth]}")).to_have_attribute("aria-current", "true")
        with page.expect_navigation():
            page.keyboard.press("t")
        expect(page.locator("#ticket .eyebrow")).to_contain_text("mine since")
        with page.expect_navigation():
            page.keyboard.press("e")
    done = site.office.rows(
        "SELECT id FROM ticket WHERE state = 'closed' AND closed_by = %s", f"staff:{agent.staff_id}"
    )
    assert {row[0] for row in done} == set(tickets[:10])
    assert not agent.complaints


def test_j_and_k_walk_the_queue_and_find_is_at_hand(site: Site, visit: Callable[..., Visitor]) -> None:
    tickets = _open_again(site)
    page = visit(ENGLISH, role=Role.CARE).open("/workbench")
    for key, nth in (("j", 1), ("j", 2), ("k", 1)):
        page.keyboard.press(key)
        page.wait_for_url(re.compile(f"t={tickets[nth]}"))
        assert _current(page) == tickets[nth]
    page.keyboard.press("/")
    expect(page.locator("#find-ticket")).to_be_focused()
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    expect(page.locator("#keys")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#keys")).to_be_hidden()


def test_a_reply_is_previewed_sent_and_closes_with_one_chord(site: Site, visit: Callable[..., Visitor]) -> None:
    tickets = _open_again(site)
    page = visit(ENGLISH, role=Role.CARE).open(f"/workbench?t={tickets[0]}")
    page.keyboard.press("r")
    field = page.locator("#say")
    expect(field).to_be_focused()
    [(number,)] = site.office.rows(
        "SELECT number FROM orders WHERE id = (SELECT order_id FROM ticket WHERE id = %s)", tickets[0]
    )
    page.keyboard.press("Control+a")
    page.keyboard.type("Your order {order} is looked for.")
    expect(page.locator("#preview")).to_contain_text(f"Your order {number} is looked for.")
    with page.expect_navigation():
        page.keyboard.press("Control+Shift+Enter")
    assert _current(page) == tickets[1]
    said = site.office.rows("SELECT kind, state FROM notice ORDER BY id DESC LIMIT 1")
    assert said == [("said", "planned")]
    assert site.office.rows("SELECT state FROM ticket WHERE id = %s", tickets[0]) == [("closed",)]

    with page.expect_navigation():
        page.keyboard.press("z")
    assert site.office.rows("SELECT state FROM ticket WHERE id = %s", tickets[0]) == [("open",)]


def test_two_people_see_each_other_and_only_one_takes_it(site: Site, visit: Callable[..., Visitor]) -> None:
    tickets = _open_again(site)
    first, second = visit(ENGLISH, role=Role.CARE), visit(ENGLISH, role=Role.CARE)
    here = f"/workbench?t={tickets[0]}"
    one, other = first.open(here), second.open(here)
    expect(one.locator(".looks")).to_contain_text("is looking, too", timeout=6_000)
    one.keyboard.press("t")
    expect(one.locator("#ticket .eyebrow")).to_contain_text("mine since")
    # The other's page may know by now: then it offers no more to take it.
    site.office.context.machine.database.run(log.sequence)
    expect(other.locator("#ticket .eyebrow")).to_contain_text("taken by", timeout=6_000)
    other.keyboard.press("t")
    expect(other.locator("h1")).to_contain_text("That did not work")
    assert site.office.rows("SELECT assignee FROM ticket WHERE id = %s", tickets[0]) == [(f"staff:{first.staff_id}",)]


def test_the_queue_changes_by_itself_and_keeps_what_is_typed(site: Site, visit: Callable[..., Visitor]) -> None:
    tickets = _open_again(site)
    page = visit(ENGLISH, role=Role.CARE).open("/workbench")
    expect(page.locator("[data-live-light]")).to_have_text("Live")
    page.locator("#note").fill("rang, nobody there")
    machine = site.office.context.machine
    with page.expect_response(re.compile("/workbench/queue")):
        machine.run(lambda tx: handling.close(tx, [tickets[3]], Ending.SOLVED, actor="staff:1"))
        machine.database.run(log.sequence)
    expect(page.locator(f"#k{tickets[3]}")).to_have_count(0)
    expect(page.locator("#note")).to_have_value("rang, nobody there")


def test_every_deed_works_without_scripts(site: Site, visit: Callable[..., Visitor]) -> None:
    tickets = _open_again(site)
    page = visit(Look("en", scripts=False), role=Role.CARE).open(f"/workbench?t={tickets[0]}")
    page.get_by_role("button", name="Take").click()
    expect(page.locator("#ticket .eyebrow")).to_contain_text("mine since")
    page.locator("summary", has_text="More").click()
    page.get_by_role("link", name="Close as…").click()
    page.get_by_label("It ended so").select_option("nothing_to_do")
    page.get_by_role("button", name="Close", exact=True).click()
    assert site.office.rows("SELECT ending FROM ticket WHERE id = %s", tickets[0]) == [("nothing_to_do",)]
    assert _current(page) == tickets[1]


def test_a_phone_shows_the_queue_then_one_ticket(site: Site, visit: Callable[..., Visitor]) -> None:
    tickets = _open_again(site)
    page = visit(Look("en", size=PHONE), role=Role.CARE).open("/workbench")
    expect(page.locator("#ticket")).to_be_hidden()
    page.locator(f"#k{tickets[1]}").click()
    expect(page.locator("#ticket .answer")).to_be_visible()
    expect(page.locator("#queue")).to_be_hidden()
    page.get_by_role("link", name="Back to the queue").click()
    expect(page.locator("#queue")).to_be_visible()


def test_open_dialogs_are_clean(site: Site, visit: Callable[..., Visitor]) -> None:
    tickets = _open_again(site)
    visitor = visit(Look("en", "dark"), role=Role.CARE)
    page, faults = visitor.open(f"/workbench?t={tickets[0]}"), []
    for key in ("?", "u", "h", "m", "x", "."):
        page.keyboard.press(key)
        if key not in "?.":
            expect(page.locator("#dialog dialog"), key).to_be_visible()
        found = Axe().run(page, options={"runOnly": {"type": "tag", "values": RULES["runOnly"]}})
        faults += [(key, each["id"], each["nodes"][0]["html"][:120]) for each in found.response["violations"]]
        page.keyboard.press("Escape")
        expect(page.locator("dialog[open]"), key).to_have_count(0)
    assert not faults
