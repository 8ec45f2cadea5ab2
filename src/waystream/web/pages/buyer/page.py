"""GET /t/TOKEN: an order for its buyer; /t/TOKEN/embed and /t/TOKEN.json: the same inside a shop's own page.

Only origins its shop named may frame the one or read the other. A frame has no forms, for a browser keeps our cookies
out of it: its button opens the page itself.
"""

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from waystream.core.ports import Contact
from waystream.kernel.tx import Tx
from waystream.parts.buyer import actions, reading, store
from waystream.parts.buyer.model import Journey, ParcelSeen, Said
from waystream.parts.notices.optouts import Wish, find_wish
from waystream.web import journey_wire, wire
from waystream.web.context import context_of
from waystream.web.journey import OrderTold, ParcelTold, find_pickup, newest_open, say_short_day, tell
from waystream.web.middleware import frame_policy
from waystream.web.pages.buyer import following, gate, saying
from waystream.web.pages.buyer.answering import ANSWERS, SAID_COOKIE
from waystream.web.pages.buyer.door import Visit, Visiting, keep_door
from waystream.web.pages.buyer.gate import is_open
from waystream.web.pages.order.page import space_number
from waystream.web.render import LANGUAGE_COOKIE, THEME_COOKIE, THEMES, environment, language_for
from waystream.web.route import Route, draw_route
from waystream.web.shell.city_names import city_name
from waystream.web.shell.language import LANGUAGES, Language, choose_language

router = APIRouter()
for part in (following, gate, saying):
    router.include_router(part.router)

Nth = Annotated[int, Query(ge=1, le=store.PARCELS_AT_MOST)]
Lang = Annotated[str, Query(max_length=10)]


@dataclass(frozen=True, slots=True)
class Pick:
    """A parcel to choose."""

    told: ParcelTold
    href: str
    here: bool


@dataclass(frozen=True, slots=True)
class Receiver:
    """Masked, or in the clear where the gate is open. `asks`: the last four digits would open it."""

    name: str
    phone: str
    address: str
    asks: bool
    clear: bool
    may_move: bool
    contact: Contact | None = None


@dataclass(frozen=True, slots=True)
class RouteView:
    """The route with its names in the page's language; `shape` is the class of the parcel's state."""

    route: Route
    shape: str
    start: str
    here: str
    end: str
    told: str
    left: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What happens now, after a button."""

    shape: str
    sentence: str


@dataclass(frozen=True, slots=True)
class BuyerPage:
    """`live` is where its stream is, `mark` what it knows already; `path` its own address."""

    path: str
    here: str
    embedded: bool
    other_language: str
    theme: str
    csrf: str
    mark: int
    order: OrderTold
    parcel: ParcelTold | None
    stands: str
    then: str
    spaced: str
    code: str
    route: RouteView | None
    picks: tuple[Pick, ...]
    may_say: frozenset[Said]
    said: frozenset[Said]
    receiver: Receiver
    wish: Wish | None
    answer: Answer | None
    query: str
    expires: str


@router.get("/t/{token}.json")
def show_json(request: Request, visit: Visiting) -> Response:
    """What the page tells, in both languages, for a program that holds the link."""
    context = context_of(request)
    with context.work.begin(shops=visit.shops, read_only=True) as tx:
        journey = reading.get_journey(tx, visit.link.order_id)
        told = journey_wire.draw(journey, zone=context.zone, now=tx.now)
        origins = store.list_origins(tx.conn, visit.link.shop_id)
    origin = request.headers.get("origin", "")
    allowed = {"Access-Control-Allow-Origin": origin} if origin in origins else {}
    return Response(wire.encode(told), headers={**allowed, "Vary": "Origin"}, media_type=wire.JSON)


@router.get("/t/{token}/embed")
def show_embedded(request: Request, visit: Visiting, p: Nth | None = None, lang: Lang = "") -> Response:
    context, language = context_of(request), buyer_language(request, lang)
    with context.work.begin(shops=visit.shops, read_only=True) as tx:
        page = draw(tx, request, visit, language, nth=p, lang=lang, embedded=True)
        origins = store.list_origins(tx.conn, visit.link.shop_id)
    answer = show_buyer(language, "buyer/page.html", page)
    answer.headers["Content-Security-Policy"] = frame_policy(origins)
    return answer


@router.get("/t/{token}")
def show_order(request: Request, visit: Visiting, p: Nth | None = None, lang: Lang = "") -> Response:
    context, language = context_of(request), buyer_language(request, lang)
    with context.work.begin(shops=visit.shops, read_only=True) as tx:
        page = draw(tx, request, visit, language, nth=p, lang=lang)
    answer = show_buyer(language, "buyer/page.html", page)
    keep_door(answer, visit, secure=context.cookie_secure)
    if page.answer:
        answer.delete_cookie(SAID_COOKIE, path=visit.path)
    return answer


def draw(
    tx: Tx, request: Request, visit: Visit, language: Language, *, nth: int | None, lang: str, embedded: bool = False
) -> BuyerPage:
    """The page of one parcel of the order: the one asked for, else the one a buyer looks for."""
    mark = store.find_mark(tx.conn, visit.link.order_id)
    journey = reading.get_journey(tx, visit.link.order_id)
    told = tell(language, journey, now=tx.now)
    parcel = _chosen(told, nth) if not journey.called_off else None
    seen = journey.find(parcel.id) if parcel else None
    base = f"{visit.path}/embed" if embedded else visit.path
    at, receiver = Where(base, lang), _receiver(tx, request, visit, journey)
    return BuyerPage(
        path=visit.path,
        here=at.of(parcel.nth if parcel and nth else None),
        embedded=embedded,
        other_language=Where(base, "en" if language.code == "zh" else "zh").of(nth),
        theme=_theme(request),
        csrf=visit.csrf,
        mark=mark,
        order=told,
        parcel=parcel,
        stands=parcel.stands if parcel else told.stands,
        then=parcel.next if parcel else told.next,
        spaced=space_number(parcel.number) if parcel else "",
        code=find_pickup(seen).code if seen and receiver.clear else "",
        route=_route(language, journey, seen, parcel) if seen and parcel else None,
        picks=tuple(Pick(each, at.of(each.nth), each is parcel) for each in told.parcels) if parcel else (),
        may_say=seen.may_say - ({Said.RECEIVED} & seen.said) if seen else frozenset(),
        said=seen.said if seen else frozenset(),
        receiver=receiver,
        wish=None if embedded else find_wish(tx, visit.link.order_id),
        answer=_answer(language, request),
        query=at.query(parcel.nth if parcel else None),
        expires=say_short_day(language, visit.link.expires_at, tx.now),
    )


@dataclass(frozen=True, slots=True)
class Where:
    """Addresses of this page that keep the language somebody chose."""

    path: str
    lang: str

    def of(self, nth: int | None) -> str:
        return self.path + self.query(nth)

    def query(self, nth: int | None) -> str:
        lang = self.lang if self.lang in LANGUAGES else ""
        query = "&".join(filter(None, (f"p={nth}" if nth else "", f"lang={lang}" if lang else "")))
        return f"?{query}" if query else ""


def _chosen(told: OrderTold, nth: int | None) -> ParcelTold | None:
    return next((parcel for parcel in told.parcels if parcel.nth == nth), None) or newest_open(told.parcels)


def _receiver(tx: Tx, request: Request, visit: Visit, journey: Journey) -> Receiver:
    contact = actions.find_receiver(tx, journey.person_id) if is_open(request, visit, journey) else None
    if contact is None:
        address = f"{journey.province}{journey.city}{journey.district}{journey.address_mask}"
        asks = journey.gated
        return Receiver(journey.name_mask, journey.phone_mask, address, asks, clear=False, may_move=journey.may_move)
    address = f"{contact.province}{contact.city}{contact.district}{contact.address}"
    phone = contact.mobile or contact.phone
    return Receiver(contact.name, phone, address, False, clear=True, may_move=journey.may_move, contact=contact)


def _route(language: Language, journey: Journey, seen: ParcelSeen, told: ParcelTold) -> RouteView | None:
    route = draw_route(journey, seen)
    if route is None:
        return None
    start, here, end = (city_name(language, stop.city) for stop in (route.start, route.here, route.end))
    if not route.km:
        said = language.say("Route: from %(start)s to %(end)s, where it has arrived", start=start, end=end)
        return RouteView(route, told.pill.shape, start, here, end, said, "")
    said = language.say("Route: from %(start)s to %(end)s, last seen in %(here)s", start=start, here=here, end=end)
    left = language.say("%(km)s km to go, in a straight line", km=language.number(route.km))
    return RouteView(route, told.pill.shape, start, here, end, said, left)


def _answer(language: Language, request: Request) -> Answer | None:
    shape, sentence = ANSWERS.get(request.cookies.get(SAID_COOKIE, ""), ("", ""))
    return Answer(shape, language.say(sentence)) if sentence else None


def buyer_language(request: Request, lang: str) -> Language:
    """The one chosen on the page, else the one kept in this browser, else the browser's own."""
    code = choose_language(lang or request.cookies.get(LANGUAGE_COOKIE, ""), request.headers.get("accept-language", ""))
    return language_for(code, context_of(request).zone)


def show_buyer(language: Language, template: str, page: object, *, status: int = 200) -> HTMLResponse:
    """Render a buyer's page: its own frame, one sheet, no rail."""
    html = environment(language.code, language.zone).get_template(template).render(page=page)
    return HTMLResponse(html, status, headers={"Vary": "Accept-Language", "X-Robots-Tag": "noindex, nofollow"})


def _theme(request: Request) -> str:
    theme = request.cookies.get(THEME_COOKIE, "")
    return theme if theme in THEMES else ""
