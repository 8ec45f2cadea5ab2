"""How a deed is asked before it is done: its words, and the dialog they become.

A page keeps the words of its deeds in one table; what it adds to them (where the form goes, its fields) it says here.
"""

from dataclasses import dataclass

from waystream.web.shell.language import Language
from waystream.web.views import Ask, AskField, Effect


@dataclass(frozen=True, slots=True)
class Wording:
    """What is asked, the verb on the button, what will happen; `reason`: what is asked where one is wanted. `many`: the
    question about `%(n)s` things, where it may be several."""

    title: str
    verb: str
    effects: tuple[tuple[str, str], ...]
    reason: str = ""
    danger: bool = False
    many: str = ""


@dataclass(frozen=True, slots=True)
class Form:
    """Where the dialog's form goes, where one is led back to, and what it carries and asks for."""

    action: str
    back: str
    hidden: tuple[tuple[str, str], ...] = ()
    fields: tuple[AskField, ...] = ()


def draw(language: Language, wording: Wording, form: Form, *, n: int = 1) -> Ask:
    """The dialog about `n` things."""
    several = n > 1 and wording.many
    return Ask(
        title=language.say(wording.many, n=language.number(n)) if several else language.say(wording.title),
        effects=tuple(Effect(shape, language.say(sentence)) for shape, sentence in wording.effects),
        verb=language.say(wording.verb),
        action=form.action,
        back=form.back,
        hidden=form.hidden,
        fields=form.fields,
        reason=language.say(wording.reason) if wording.reason else "",
        danger=wording.danger,
    )
