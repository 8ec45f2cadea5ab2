"""What became of an incident's message to its buyers, as sentences. Pure."""

from collections.abc import Sequence

from markupsafe import Markup

from waystream.parts.notices.rounds import Progress
from waystream.web.shell.language import Language
from waystream.web.shell.vocabulary import WHY_NOT_SAID


def say_progress(language: Language, shown: Progress) -> Markup:
    facts = {
        "told": language.number(shown.told), "untold": language.number(shown.untold),
        "rest": language.number(shown.on_the_way + (shown.waiting if shown.open else 0)),
    }  # fmt: skip
    if not shown.open:
        return say_told(language, told=shown.told, whys=shown.whys, doubted=shown.doubted)
    return language.say("Buyers told: %(told)s; waiting for their turn: %(rest)s; not told: %(untold)s.", **facts)


def say_told(language: Language, *, told: int, whys: Sequence[tuple[str, int]], doubted: int) -> Markup:
    """Who was told, who not, and why."""
    if whys:
        said = language.say_n(
            "%(n)s buyer was told, %(untold)s not (%(why)s).",
            "%(n)s buyers were told, %(untold)s not (%(why)s).",
            told,
            untold=language.number(sum(n for _, n in whys)),
            why="; ".join(f"{language.number(n)}: {language.say(WHY_NOT_SAID[why])}" for why, n in whys),
        )
    else:
        said = language.say_n("%(n)s buyer was told.", "%(n)s buyers were told.", told)
    if not doubted:
        return said
    return said + " " + language.say("Of %(n)s nobody knows whether it got through.", n=language.number(doubted))
