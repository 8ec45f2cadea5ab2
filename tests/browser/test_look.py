"""Every page in both languages, themes and sizes: nothing overflows, nothing complains, axe finds nothing.

With `--pictures` each is drawn into docs/pictures.
"""

import io
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image

from tests.browser.conftest import DESK, PHONE, Look, Site, Visitor
from tests.web.sample_imports import make_imports
from tests.web.test_buyer_page import token_of

PICTURES = Path(__file__).resolve().parents[2] / "docs" / "pictures"
COLOURS = 128
LOOKS = tuple(
    Look(language, theme, size) for language in ("zh", "en") for theme in ("light", "dark") for size in (DESK, PHONE)
)
#: Both languages, themes and sizes, each at least twice.
CHECKED = (
    Look("zh", "light", DESK), Look("zh", "dark", PHONE), Look("en", "dark", DESK), Look("en", "light", PHONE),
)  # fmt: skip
PAGES = {
    "overview": "/",
    "invariants": "/invariants",
    "outages": "/outages",
    "silence": "/silence",
    "silence-budget": "/silence?budget=20",
    "replays": "/replay",
    "replay": "/replay/{replay}",
    "workbench": "/workbench",
    "workbench-search": "/workbench?q=T-000000",
    "hand-over": "/workbench/ask?do=hand_over&id={ticket}",
    "urge": "/workbench/ask?do=urge&id={ticket}",
    "orders": "/orders",
    "order": "/orders/{order}",
    "parcels": "/parcels",
    "tasks": "/tasks",
    "deadlines": "/deadlines?within=any",
    "deadlines-doubtful": "/deadlines?kind=verification",
    "deadlines-hours": "/deadlines/settings",
    "numbers": "/numbers",
    "number-ranges": "/numbers/ranges",
    "strangers": "/strangers",
    "unreadable-lines": "/strangers?view=lines",
    "wrong-clocks": "/strangers?view=clocks",
    "carriers": "/setup",
    "carrier-form": "/setup/accounts/new",
    "goods": "/catalogue",
    "printers": "/printers",
    "people": "/people",
    "shops": "/shops",
    "working-hours": "/care-hours",
    "working-hours-form": "/care-hours/{shop}",
    "backups": "/backups",
    "channels": "/channels",
    "channel": "/channels/{channel}",
    "new-channel": "/channels/new/smtp",
    "notices": "/notices",
    "notice": "/notices/{notice}",
    "notice-words": "/notices/templates",
    "notice-editor": "/notices/templates/{shop}/shipped/zh",
    "notice-policy": "/notices/policy/{shop}",
    "webhooks": "/webhooks",
    "webhook": "/webhooks/{webhook}",
    "machine": "/machine",
    "rules": "/rules",
    "rule": "/rules/parcel_moves_order",
    "jobs": "/jobs",
    "audit": "/audit",
    "import": "/import",
    "import-columns": "/import/{looked_at}/columns",
    "import-run": "/import/{refused}",
    "import-mapping": "/import-mappings?name={mapping}",
    "cancel": "/orders/ask?do=cancel&id={order}",
    "erase": "/orders/{order}/erase",
    "account": "/me",
    "components": "/components",
    "missing": "/orders/1",
    "buyer": "/t/{token}",
    "buyer-link-gone": "/t/none",
}
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}


def list_addresses(visitor: Visitor) -> dict[str, str]:
    """Of every page; a person sees the imports that are their own."""
    office = visitor.site.office
    world, mine = office.world, office.context.machine.run(lambda tx: make_imports(tx, f"staff:{visitor.staff_id}"))
    facts = {
        "order": world.order_ids[0],
        "token": token_of(office, 0),
        "webhook": world.webhook_id,
        "channel": world.channel_id,
        "shop": world.shop_ids[0],
        "replay": world.replay_id,
        "notice": world.notice_id,
        **asdict(mine),
    }
    [(facts["ticket"],)] = office.rows("SELECT id FROM ticket WHERE cause = 'lost'")
    return {name: address.format(**facts) for name, address in PAGES.items()}


@pytest.mark.parametrize("look", CHECKED, ids=lambda look: look.name)
def test_pages_look_right(site: Site, visit: Callable[..., Visitor], look: Look) -> None:
    visitor, faults = visit(look), []
    for name, address in list_addresses(visitor).items():
        page = visitor.open(address)
        wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        faults += [f"{name} is {wide} px too wide"] if wide > 0 else []
        found = Axe().run(page, options={"runOnly": {"type": "tag", "values": RULES["runOnly"]}})
        faults += [f"{name}: {each['id']} {[node['html'][:120] for node in each['nodes'][:3]]}"
                   for each in found.response["violations"]]  # fmt: skip
    assert not faults
    assert not [said for said in visitor.complaints if "404" not in said]


@pytest.mark.parametrize("look", LOOKS, ids=lambda look: look.name)
def test_pictures(
    site: Site, visit: Callable[..., Visitor], look: Look, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    """Draws the overview only, unless all are asked for."""
    every = request.config.getoption("--pictures", default=False)
    folder = PICTURES if every else tmp_path
    visitor = visit(look)
    for name, address in list_addresses(visitor).items() if every else [("overview", "/")]:
        _draw(visitor.open(address).screenshot(), folder / f"{name}-{look.name}.png")
    assert list(folder.glob(f"*-{look.name}.png"))


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_door_looks_right(site: Site, visit: Callable[..., Visitor], theme: str) -> None:
    visitor = visit(Look("zh", theme, PHONE))
    visitor.context.clear_cookies(name="waystream_session")
    page = visitor.open("/sign-in")
    assert not Axe().run(page).response["violations"]
    assert not visitor.complaints


def _draw(png: bytes, file: Path) -> None:
    """A small picture: few colours are enough for a page."""
    file.parent.mkdir(parents=True, exist_ok=True)
    picture = Image.open(io.BytesIO(png)).convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
    picture.save(file, optimize=True)
