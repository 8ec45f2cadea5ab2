"""The composing field as a page shows it: where the words come from, how they read now, what was said before."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from waystream.core.errors import Invalid, Unreadable
from waystream.kernel.tx import Tx
from waystream.parts.notices import drafting
from waystream.parts.notices.drafting import Preview, SaidLine
from waystream.parts.notices.kinds import SAID, load_kinds
from waystream.web.pages.workbench.log import LogEntry, who
from waystream.web.shell.language import N_, Language
from waystream.web.views import Address, Option

#: With which kind of notice a person most likely begins.
BEGINNINGS = {
    "attempt_failed": "attempt_failed", "wrong_address": "attempt_failed", "stalled": "delayed", "overdue": "delayed",
    "misrouted": "delayed", "customs": "delayed", "problem": "delayed", "not_collected": "delayed",
    "not_dispatched": "delayed", "locker_overdue": "ready_for_pickup", "returning": "returning",
    "refused": "returning",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class PreviewView:
    """`problem` says what is wrong with the words; then there is no text."""

    text: str = ""
    facts: tuple[str, ...] = ()
    problem: str = ""


@dataclass(frozen=True, slots=True)
class ComposeView:
    """`begun` names the words the text comes from; `lang` is the buyer's language."""

    text: str
    begun: str
    kinds: tuple[Option, ...]
    told: str
    lang: str
    preview: PreviewView


def draw_compose(
    tx: Tx, language: Language, *, order_id: int, cause: str, begun: str, draft: str, address: Address
) -> ComposeView | None:
    """None where nobody can be written to. `begun` is the kind in the address, `draft` what was written already."""
    kind = begun if begun in load_kinds() else BEGINNINGS.get(cause, SAID)
    try:
        beginning = drafting.begin(tx, order_id, kind)
    except Unreadable:  # bytes that do not open keep nobody from the rest of the ticket
        return None
    if not beginning.readable:
        return None
    kinds = drafting.list_kinds(language.code)
    text = draft or beginning.text
    return ComposeView(
        text=text,
        begun=dict(kinds)[kind],
        kinds=tuple(Option(title, address.but(say=name) + "#say", name == kind) for name, title in kinds),
        told=language.say(
            "today %(n)s so far, by themselves at most %(max)s",
            n=language.number(beginning.told_today), max=language.number(beginning.told_max),
        ),
        lang="zh-CN" if beginning.language == "zh" else "en",
        preview=draw_preview(language, try_preview(tx, order_id, text)),
    )  # fmt: skip


def try_preview(tx: Tx, order_id: int, text: str) -> Preview | Invalid:
    """What is wrong with the words is shown where the preview stands."""
    try:
        return drafting.preview(tx, order_id, text)
    except Invalid as problem:
        return problem


def draw_preview(language: Language, shown: Preview | Invalid) -> PreviewView:
    if isinstance(shown, Invalid):
        return PreviewView(problem=language.echo(shown.sentence))
    return PreviewView(shown.text, shown.facts)


_STATES = {
    "planned": N_("waits to be sent"),
    "sending": N_("is being sent"),
    "handed": N_("sent"),
    "delivered": N_("arrived"),
    "refused": N_("refused"),
    "dropped": N_("not sent"),
}


def draw_said(
    language: Language, own: str, lines: Sequence[SaidLine], names: Mapping[str, str], now: datetime
) -> tuple[LogEntry, ...]:
    """Each message with who said it, by which way, and whether it arrived."""
    return tuple(_said(language, own, line, names, now) for line in lines)


def _said(language: Language, own: str, line: SaidLine, names: Mapping[str, str], now: datetime) -> LogEntry:
    moment = language.when(line.at, now)
    assert moment is not None
    kinds = load_kinds()
    title = kinds[line.kind].title[language.code] if line.kind in kinds else line.kind
    by = who(language, own, line.actor, names) if line.actor else language.say("By itself")
    text = language.say("%(who)s, %(what)s, %(state)s:", who=by, what=title, state=language.say(_STATES[line.state]))
    quote = language.say("erased") if line.text is None else line.text
    return LogEntry(moment, language.exact(line.at, now), text, quote, ours=not line.actor)
