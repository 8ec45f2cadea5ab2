"""What happened to a ticket, told in sentences: who did what, when, and notes as they were written. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from waystream.parts.care.reading import Line
from waystream.web.pages.workbench.told import say_told
from waystream.web.pages.workbench.words import ENDINGS, PRIORITIES
from waystream.web.shell.language import N_, Language, Moment


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One line; `quote` is what a person wrote, `ours` that nobody outside said it."""

    moment: Moment
    stamp: str
    text: str
    quote: str
    ours: bool


#: What happened, with a name and without one.
_TOLD: dict[str, tuple[str, str]] = {
    "opened": (N_("%(who)s opened it."), N_("Opened by a rule.")),
    "raised": (N_("%(who)s raised it."), N_("It got worse and was raised.")),
    "reopened": (N_("%(who)s reopened it."), N_("It came back and was reopened.")),
    "taken": (N_("%(who)s took it."), N_("It was taken.")),
    "released": (N_("%(who)s gave it back."), N_("It was given back.")),
    "handed_over": (N_("%(who)s handed it to %(word)s."), N_("It was handed to %(word)s.")),
    "prioritised": (N_("%(who)s set the priority: %(word)s."), N_("Its priority was set: %(word)s.")),
    "note": (N_("%(who)s noted:"), N_("A note:")),
    "said": (N_("%(who)s wrote to the buyer:"), N_("The buyer was told:")),
    "closed": (N_("%(who)s closed it: %(word)s."), N_("It closed by itself: %(word)s.")),
    "merged": (N_("%(who)s merged another ticket into it."), N_("Another ticket was merged into it.")),
}


def draw_log(language: Language, own: str, lines: Sequence[Line], now: datetime) -> tuple[LogEntry, ...]:
    """Oldest first, as one reads it. `own` is the viewer's actor."""
    return tuple(_entry(language, own, line, now) for line in lines)


def _entry(language: Language, own: str, line: Line, now: datetime) -> LogEntry:
    by_person, by_itself = _TOLD.get(line.what, _TOLD["note"])
    moment = language.when(line.at, now)
    assert moment is not None
    if line.word.startswith("told:"):
        return LogEntry(moment, language.exact(line.at, now), _incident(language, line.word), "", ours=False)
    facts = {
        "who": who(language, own, line.actor, {line.actor: line.actor_name or line.actor}),
        "word": _word(language, line),
    }
    return LogEntry(
        moment=moment,
        stamp=language.exact(line.at, now),
        text=language.say(by_person if line.actor else by_itself, **facts),
        quote=language.say("erased") if line.text is None else line.text,
        ours=line.what != "said",
    )


def _incident(language: Language, word: str) -> str:
    """`told:812 untold:31 doubted:0 opted_out:31`, as the rule wrote it."""
    told, _, doubted, *whys = ((name, int(n)) for name, _, n in (part.partition(":") for part in word.split()))
    return say_told(language, told=told[1], whys=tuple(whys), doubted=doubted[1])


def who(language: Language, own: str, actor: str, names: Mapping[str, str]) -> str:
    if actor == own:
        return language.say("You")
    return names.get(actor, actor)


def _word(language: Language, line: Line) -> str:
    if line.word in ENDINGS:
        return language.say(ENDINGS[line.word])
    if line.word in PRIORITIES:
        return language.say(PRIORITIES[line.word])
    return line.word_name or line.word
