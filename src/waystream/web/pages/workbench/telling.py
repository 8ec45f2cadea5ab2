"""An incident's message to all its buyers: the words in both languages, how they read, how far the telling is.

It leaves through `parts.notices`, once for each order, within every buyer's wishes, hours and limits.
"""

from dataclasses import dataclass

from markupsafe import Markup

from waystream.core.errors import Invalid
from waystream.kernel.tx import Tx
from waystream.parts.notices import rounds
from waystream.parts.notices.drafting import Preview
from waystream.web.pages.workbench import store
from waystream.web.pages.workbench.compose import PreviewView, draw_preview
from waystream.web.pages.workbench.told import say_progress
from waystream.web.shell.language import Language


@dataclass(frozen=True, slots=True)
class TellView:
    """`progress` says how far it is, empty where nobody was written to; `may_tell`: somebody is left to be told."""

    progress: Markup | str
    waiting: str
    may_tell: bool
    zh: str
    en: str
    preview: PreviewView


def draw_tell(tx: Tx, language: Language, ticket: store.Subject) -> TellView | None:
    """None for a ticket that is no incident."""
    if ticket.slowdown_id is None:
        return None
    shown = rounds.look(tx, ticket.shop_id, ticket.slowdown_id)
    texts = rounds.begin_words(tx, ticket.shop_id)
    may_tell = not shown.open and shown.waiting > 0 and ticket.state != "closed"
    read = try_tell(tx, ticket.shop_id, ticket.slowdown_id, texts[language.code]) if may_tell else None
    return TellView(
        progress=say_progress(language, shown) if shown.begun else "",
        waiting=language.say_n("%(n)s buyer was not told yet", "%(n)s buyers were not told yet", shown.waiting),
        may_tell=may_tell,
        zh=texts["zh"],
        en=texts["en"],
        preview=draw_preview(language, read) if read else PreviewView(),
    )


def try_tell(tx: Tx, shop_id: int, slowdown_id: int, text: str) -> Preview | Invalid | None:
    try:
        return rounds.preview(tx, shop_id, slowdown_id, text)
    except Invalid as problem:
        return problem
