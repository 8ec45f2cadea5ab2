"""GET /notices/templates: the words a shop speaks in; editing them over a real order, versions, a test send."""

from dataclasses import dataclass, field
from typing import Annotated

from fastapi import APIRouter, Query
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response

from waystream.core.errors import Conflict, Invalid, Missing
from waystream.kernel.tx import Tx
from waystream.parts.notices import actions, reading, store_words, words
from waystream.parts.notices.facts import FACTS
from waystream.parts.notices.kinds import LANGUAGES, Words, load_kinds
from waystream.parts.notices.reading import Preview
from waystream.parts.notices.words import SUBJECT_MAX, TEXT_MAX
from waystream.parts.people import actions as people
from waystream.parts.shops import actions as shops
from waystream.parts.shops.model import Shop
from waystream.web.auth import Seat, requires
from waystream.web.context import context_of
from waystream.web.forms import Filled, Form
from waystream.web.pages.notices.notice import WRITE
from waystream.web.pages.order.page import RowId
from waystream.web.reach import reach_order
from waystream.web.render import go, language_of, show
from waystream.web.shell.language import N_, Language, Moment
from waystream.web.views import Tab

BACK = "/notices/templates"
LANGUAGE_NAMES = {"zh": N_("in Chinese"), "en": N_("in English")}

router = APIRouter()


@dataclass(frozen=True, slots=True)
class Cell:
    href: str
    subject: str
    text: str
    language: str
    own: bool


@dataclass(frozen=True, slots=True)
class KindLine:
    title: str
    name: str
    off: bool
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class TemplatesPage:
    answer: Markup
    tabs: tuple[Tab, ...]
    policy_href: str
    lines: tuple[KindLine, ...]


@router.get("/notices/templates")
def show_templates(
    request: Request, seat: Annotated[Seat, requires(WRITE)], shop: Annotated[int, Query(ge=0, lt=2**63)] = 0
) -> Response:
    with context_of(request).work.begin(shops=seat.shops, read_only=True) as tx:
        page = draw(tx, language_of(request), shop)
    return show(request, "notices/templates.html", page)


def draw(tx: Tx, language: Language, shop_id: int) -> TemplatesPage:
    found = shops.list_shops(tx)
    chosen = next((each for each in found if each.id == shop_id), found[0] if found else None)
    if chosen is None:
        return TemplatesPage(language.say("There is no shop yet that could speak to its buyers."), (), "", ())
    policy = actions.get_policy(tx, chosen.id)
    newest = {(each.kind, each.language): each for each in store_words.list_newest(tx.conn, chosen.id)}
    changed = sum(not each.is_default for each in newest.values())
    lines = []
    for name, kind in load_kinds().items():
        cells = []
        for code in LANGUAGES:
            version = newest.get((name, code))
            own = version is not None and not version.is_default
            said = Words(version.subject, version.text) if version and own else words.own_words(name, code)
            cells.append(Cell(f"{BACK}/{chosen.id}/{name}/{code}", said.subject, said.text, _tag(code), own))
        lines.append(KindLine(kind.title[language.code], name, not policy.says(name), tuple(cells)))
    return TemplatesPage(
        answer=_answer(language, chosen, enabled=policy.enabled, changed=changed),
        tabs=tuple(Tab(each.name, f"{BACK}?shop={each.id}", each.id == chosen.id) for each in found),
        policy_href=f"/notices/policy/{chosen.id}",
        lines=tuple(lines),
    )


def _answer(language: Language, shop: Shop, *, enabled: bool, changed: int) -> Markup:
    if not enabled:
        return language.say(
            'This shop tells its buyers nothing by itself: <a href="/notices/policy/%(id)s">switch it on</a>.',
            id=shop.id,
        )
    if not changed:
        return language.say("This shop speaks to its buyers in Waystream's words.")
    return language.say_n(
        "This shop speaks to its buyers; %(n)s text is its own.",
        "This shop speaks to its buyers; %(n)s texts are its own.",
        changed,
    )


def _tag(code: str) -> str:
    return "zh-CN" if code == "zh" else "en"


@dataclass(frozen=True, slots=True)
class VersionLine:
    number: int
    at: Moment | None
    who: str
    own: bool
    text: str


@dataclass(frozen=True, slots=True)
class Editor:
    """`preview` None: no order to try it over, or `problem` says why it cannot be said."""

    answer: Markup
    title: str
    back: str
    action: str
    subject: str = field(repr=False)
    text: str = field(repr=False)
    language: str
    subject_max: int
    text_max: int
    samples: tuple[tuple[str, str], ...]
    order: str
    preview: Preview | None
    problem: str
    problem_at: str
    facts: tuple[tuple[str, str], ...]
    versions: tuple[VersionLine, ...]
    to: str


@router.get("/notices/templates/{shop_id:int}/{kind}/{code}")
def show_editor(
    request: Request, seat: Annotated[Seat, requires(WRITE)], shop_id: RowId, kind: str, code: str
) -> Response:
    return _show(request, seat, (shop_id, kind, code), Filled())


@router.post("/notices/templates/{shop_id:int}/{kind}/{code}/preview")
def preview(
    request: Request, seat: Annotated[Seat, requires(WRITE)], shop_id: RowId, kind: str, code: str, form: Form
) -> Response:
    """What the words say over the chosen order, as they are typed."""
    return _show(request, seat, (shop_id, kind, code), form)


@router.post("/notices/templates/{shop_id:int}/{kind}/{code}")
def save(
    request: Request, seat: Annotated[Seat, requires(WRITE)], shop_id: RowId, kind: str, code: str, form: Form
) -> Response:
    place = (shop_id, kind, code)

    def do(tx: Tx) -> None:
        _reach(tx, place)
        words.save(tx, shop_id, _typed(form), kind=kind, language=code, actor=seat.caller.actor)

    return _try(request, seat, place, form, do, said=N_("Saved: from now on it is said so."))


@router.post("/notices/templates/{shop_id:int}/{kind}/{code}/test")
def send_test(
    request: Request, seat: Annotated[Seat, requires(WRITE)], shop_id: RowId, kind: str, code: str, form: Form
) -> Response:
    place = (shop_id, kind, code)

    def do(tx: Tx) -> None:
        _reach(tx, place)
        order_id = reach_order(tx, seat, form.text("order"))
        actions.test(tx, order_id, _typed(form), kind=kind, language=code, to=form.text("to"), actor=seat.caller.actor)

    return _try(request, seat, place, form, do, said=N_("A test is on its way; it stands among the messages."))


@router.post("/notices/templates/{shop_id:int}/{kind}/{code}/restore")
def restore(
    request: Request, seat: Annotated[Seat, requires(WRITE)], shop_id: RowId, kind: str, code: str, form: Form
) -> Response:
    """An old version again; without a number, the one before."""
    place, actor = (shop_id, kind, code), seat.caller.actor

    def do(tx: Tx) -> None:
        _reach(tx, place)
        if form.has("version"):
            words.restore(tx, shop_id, form.number("version"), kind=kind, language=code, actor=actor)
        else:
            words.undo(tx, shop_id, kind=kind, language=code, actor=actor)

    return _try(request, seat, place, Filled(), do, said=N_("The words before are back."))


Place = tuple[int, str, str]


def _reach(tx: Tx, place: Place) -> Shop:
    """Raises `Missing` for a shop of others, a kind or a language that is none."""
    shop = shops.get_shop(tx, place[0])
    words.get_kind(place[1])
    if place[2] not in LANGUAGES:
        raise Missing("There is no such kind of notice.")
    return shop


def _typed(form: Filled) -> Words:
    text = form.values.get("text", ("",))[-1].replace("\r\n", "\n").strip()
    return Words(form.text("subject"), text)


def _try(request: Request, seat: Seat, place: Place, form: Filled, do: object, *, said: str) -> Response:
    try:
        context_of(request).work.run(do, shops=seat.shops)  # type: ignore[arg-type]
    except (Invalid, Conflict) as refusal:
        return _show(request, seat, place, form.refused(refusal), status=refusal.status)
    return go(_address(place), said=language_of(request).say(said))


def _address(place: Place) -> str:
    return f"{BACK}/{place[0]}/{place[1]}/{place[2]}"


def _show(request: Request, seat: Seat, place: Place, form: Filled, *, status: int = 200) -> Response:
    with context_of(request).work.begin(shops=seat.shops, read_only=True) as tx:
        page = _draw_editor(tx, seat, language_of(request), place, form)
    return show(request, "notices/editor.html", page, status=status)


def _draw_editor(tx: Tx, seat: Seat, language: Language, place: Place, form: Filled) -> Editor:
    shop = _reach(tx, place)
    _, kind, code = place
    said = _typed(form) if form.has("text") else words.words_of(tx, shop.id, kind=kind, language=code)
    samples = tuple((str(each.id), each.number) for each in reading.list_samples(tx, shop.id))
    order = form.text("order") or (samples[0][0] if samples else "")
    tried, problem, problem_at = _try_over(tx, seat, said, order, kind=kind, code=code)
    if form.problems:
        problem_at, problem = form.problems[0]
    title = load_kinds()[kind].title[language.code]
    names = {f"staff:{each.id}": each.name for each in people.list_staff(tx)}
    return Editor(
        answer=language.say(
            "“%(kind)s” %(language)s, as buyers of %(shop)s read it.",
            kind=title,
            language=language.say(LANGUAGE_NAMES[code]),
            shop=shop.name,
        ),
        title=title,
        back=f"{BACK}?shop={shop.id}",
        action=_address(place),
        subject=said.subject,
        text=said.text,
        language=_tag(code),
        subject_max=SUBJECT_MAX,
        text_max=TEXT_MAX,
        samples=samples,
        order=order,
        preview=tried,
        problem=problem,
        problem_at=problem_at,
        facts=tuple((fact.zh if code == "zh" else fact.name, fact.about[language.code]) for fact in FACTS),
        versions=_versions(tx, language, place, names),
        to=form.text("to"),
    )


def _try_over(tx: Tx, seat: Seat, said: Words, order: str, *, kind: str, code: str) -> tuple[Preview | None, str, str]:
    """The preview, or what is wrong and where."""
    try:
        words.check(said)
        if not order:
            return None, "", ""
        return reading.preview(tx, reach_order(tx, seat, order), said, kind=kind, language=code), "", ""
    except Invalid as wrong:
        return None, wrong.sentence, wrong.path or ""
    except Missing as wrong:
        return None, wrong.sentence, "order"


def _versions(tx: Tx, language: Language, place: Place, names: dict[str, str]) -> tuple[VersionLine, ...]:
    found = words.list_versions(tx, place[0], kind=place[1], language=place[2])
    return tuple(
        VersionLine(
            each.version, language.when(each.at, tx.now), names.get(each.actor, each.actor), not each.is_default,
            each.subject,
        )
        for each in found
    )  # fmt: skip
