"""What can be done with a ticket now, the likeliest first, each under the key that does it. Pure."""

from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import quote

from waystream.core.state import State
from waystream.web.pages.workbench.store import Subject
from waystream.web.pages.workbench.words import cause_word
from waystream.web.shell.language import N_, Language

#: A parcel that is with its courier or further cannot be stopped any more.
TOO_LATE = frozenset({
    State.OUT_FOR_DELIVERY, State.READY_FOR_PICKUP, State.DELIVERED, State.INTERCEPTED, State.RETURNING,
    State.RETURNED, State.LOST, State.CANCELLED,
})  # fmt: skip
IN_THE_ROW = 5


@dataclass(frozen=True, slots=True)
class KeyDeed:
    """A deed with its key; `post` does it at once, otherwise a dialog (or with `dialog` off a page) opens."""

    do: str
    key: str
    label: str
    href: str
    post: bool = False
    dialog: bool = True
    tone: str = ""


@dataclass(frozen=True, slots=True)
class Standing:
    """What decides which deeds there are: whose ticket it is, how far its parcel has come, what the caller may."""

    mine: bool
    stage: str
    state: str
    may: Callable[[str], bool]
    can_say: bool


LABELS: dict[str, tuple[str, str]] = {
    "take": ("t", N_("Take")),
    "say": ("r", N_("Reply to the buyer")),
    "urge": ("u", N_("Urge the carrier…")),
    "readdress": ("d", N_("Re-address…")),
    "intercept": ("i", N_("Intercept…")),
    "reship": ("s", N_("Send again…")),
    "refund": ("f", N_("Ask for a refund…")),
    "claim": ("c", N_("Claim from the carrier…")),
    "decide": ("p", N_("Decide by hand…")),
    "close": ("e", N_("Close the ticket")),
    "hand_over": ("h", N_("Hand over…")),
    "merge": ("m", N_("Merge…")),
    "release": ("l", N_("Give back")),
    "reopen": ("o", N_("Reopen")),
    "close_as": ("x", N_("Close as…")),
}
AT_ONCE = frozenset({"take", "close", "release", "reopen"})


def list_deeds(language: Language, ticket: Subject, standing: Standing, back: str) -> tuple[KeyDeed, ...]:
    """Every deed that fits, the row first: take or the likeliest, then the others by how often they are needed."""
    if ticket.state == "closed":
        wanted = ["reopen"] if ticket.ending != "merged" else []
    else:
        first = cause_word(ticket.cause).first
        usual = ["say", "urge", "readdress", "intercept", "reship", "close_as", "hand_over", "merge", "decide",
                 "refund", "claim"]  # fmt: skip
        hands = ["release"] if standing.mine else ["take"]
        wanted = [*(["take"] if not standing.mine else []), first, "close", *usual, *hands]
    fitting = [do for do in dict.fromkeys(wanted) if _fits(do, ticket, standing)]
    return tuple(_deed(language, do, ticket, back, main=nth == 0) for nth, do in enumerate(fitting))


def _deed(language: Language, do: str, ticket: Subject, back: str, *, main: bool) -> KeyDeed:
    key, label = LABELS[do]
    tone = "main-act" if main else ""
    if do == "say":
        return KeyDeed(do, key, language.say(label), "#say", dialog=False, tone=tone)
    if do in AT_ONCE:
        return KeyDeed(do, key, language.say(label), f"/workbench/{do}", post=True, tone=tone)
    href = f"/workbench/ask?do={do}&id={ticket.id}&back={quote(back, safe='')}"
    return KeyDeed(do, key, language.say(label), href, tone=tone)


def _fits(do: str, ticket: Subject, standing: Standing) -> bool:
    parcel, order = ticket.parcel_id is not None, ticket.order_id is not None
    away = standing.stage == "dispatched"
    fits = {
        "say": standing.can_say,
        "urge": parcel and away,
        "readdress": parcel and away and standing.state not in TOO_LATE,
        "intercept": parcel and away and standing.state not in TOO_LATE,
        "reship": parcel and away and standing.may("orders:write"),
        "refund": order,
        "claim": parcel and away and standing.may("person:unmask"),
        "decide": parcel and away and standing.may("parcels:write"),
    }
    return fits.get(do, True)
