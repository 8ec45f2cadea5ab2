"""GET /components: states, words, buttons, figures, tables, stages, forms, notes, in both themes side by side."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from waystream.web.auth import SIGNED_IN, Seat, requires
from waystream.web.render import language_of, show
from waystream.web.shell.language import Language, Moment
from waystream.web.shell.vocabulary import ORDER_WORDS, STAGE_WORDS, STATE_WORDS, Pill, order_word, track_pill
from waystream.web.views import Option, Tab

router = APIRouter()

_AT = datetime(2026, 11, 12, 6, 32, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class ComponentsPage:
    states: tuple[Pill, ...]
    stages: tuple[Pill, ...]
    signed: tuple[Pill, ...]
    words: tuple[str, ...]
    moments: tuple[Moment | None, ...]
    tabs: tuple[Tab, ...]
    options: tuple[Option, ...]
    themes: tuple[str, ...]


@router.get("/components")
def show_components(request: Request, seat: Annotated[Seat, requires(SIGNED_IN)]) -> Response:
    return show(request, "components/page.html", draw(language_of(request)))


def draw(language: Language) -> ComponentsPage:
    kinds = ("in_person", "by_proxy", "locker", "unspecified")
    ago = (timedelta(minutes=2), timedelta(hours=5), timedelta(days=1, hours=3), timedelta(days=9))
    return ComponentsPage(
        states=tuple(track_pill(language, state) for state in STATE_WORDS),
        stages=tuple(Pill(shape, language.say(word)) for shape, word in STAGE_WORDS.values()),
        signed=tuple(track_pill(language, "delivered", kind) for kind in kinds),
        words=tuple(order_word(language, word) for word in ORDER_WORDS),
        moments=tuple(language.when(_AT - gap, _AT) for gap in ago),
        tabs=(
            Tab(language.say("All"), "#", True, language.number(46056)),
            Tab(language.say("To ship"), "#", False, language.number(312000)),
        ),
        options=(Option(language.say("All"), "#", True), Option(language.say("To ship"), "#")),
        themes=("light", "dark"),
    )
