"""What was asked of carriers and shops for a ticket, as the page shows it: state, ready text, its settling. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from waystream.parts.care.wishes import Wish
from waystream.web.pages.workbench.log import who
from waystream.web.shell.language import N_, Language
from waystream.web.views import Deed


@dataclass(frozen=True, slots=True)
class WishView:
    id: int
    shape: str
    title: str
    told: str
    text: str
    open: bool
    evidence: bool
    deeds: tuple[Deed, ...]


_TITLES = {
    "urge": N_("The carrier was urged"),
    "intercept": N_("Interception"),
    "readdress": N_("Another address"),
    "reship": N_("Shipped again"),
    "refund": N_("Refund"),
    "claim": N_("Claim"),
}
_STATES = {
    "asked": ("s-hold", N_("asked")),
    "confirmed": ("s-done", N_("confirmed")),
    "refused": ("s-exception", N_("refused")),
}


def draw_wishes(
    language: Language, own: str, wishes: Sequence[Wish], names: Mapping[str, str], now: datetime
) -> tuple[WishView, ...]:
    return tuple(_draw(language, own, wish, names, now) for wish in wishes)


def _draw(language: Language, own: str, wish: Wish, names: Mapping[str, str], now: datetime) -> WishView:
    shape, word = _STATES[wish.state]
    deeds = (Deed(language.say("Confirmed"), "/workbench/confirm"), Deed(language.say("Refused"), "/workbench/refuse"))
    return WishView(
        id=wish.id,
        shape=shape,
        title=language.say("%(what)s: %(state)s", what=language.say(_TITLES[wish.kind]), state=language.say(word)),
        told=_told(language, own, wish, names, now),
        text=wish.text,
        open=wish.state == "asked",
        evidence=wish.kind == "claim",
        deeds=deeds,
    )


def _told(language: Language, own: str, wish: Wish, names: Mapping[str, str], now: datetime) -> str:
    asked = language.say(
        "%(who)s asked at %(when)s.",
        who=who(language, own, wish.actor, names), when=language.exact(wish.asked_at, now),
    )  # fmt: skip
    if wish.settled_at is None:
        return asked
    when = language.exact(wish.settled_at, now)
    if wish.settled_by:
        return language.say(
            "%(asked)s %(who)s wrote down the answer at %(when)s.",
            asked=asked, who=who(language, own, wish.settled_by, names), when=when,
        )  # fmt: skip
    return language.say("%(asked)s The carrier's scans settled it at %(when)s.", asked=asked, when=when)
