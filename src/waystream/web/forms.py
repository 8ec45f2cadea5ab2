"""Forms of the settings: what was typed in, what was wrong with it, and one shape for every such page.

A form that was refused comes back with everything that was typed and a sentence at each field that is wrong.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated

from fastapi import Depends
from starlette.datastructures import FormData
from starlette.requests import Request

from waystream.core.errors import Invalid, InvalidMany, TooLarge, WaystreamError
from waystream.web.views import Deed

FIELDS_AT_MOST = 200
CHARS_AT_MOST = 5_000


@dataclass(frozen=True, slots=True)
class Filled:
    """A form as it was sent; repr hides it, for passwords and keys are typed into forms."""

    values: Mapping[str, tuple[str, ...]] = field(default_factory=dict, repr=False)
    problems: tuple[tuple[str, str], ...] = ()

    def text(self, name: str, otherwise: str = "") -> str:
        found = self.values.get(name)
        return found[-1].strip() if found else otherwise

    def many(self, name: str) -> tuple[str, ...]:
        return self.values.get(name, ())

    def ids(self, name: str) -> tuple[int, ...]:
        """Raises `Invalid` for anything that is no id."""
        return tuple(_number(name, text) for text in self.many(name) if text)

    def number(self, name: str, otherwise: int = 0) -> int:
        """Raises `Invalid` for anything that is no whole number."""
        text = self.text(name)
        return _number(name, text) if text else otherwise

    def has(self, name: str) -> bool:
        return name in self.values

    def refused(self, error: WaystreamError) -> "Filled":
        """The same form with what was wrong."""
        problems = error.problems if isinstance(error, InvalidMany) else (error,)
        return Filled(self.values, tuple((each.path or "", each.sentence) for each in problems))


def _number(name: str, text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise Invalid(name, "this has to be a whole number")
    return int(text)


async def read_filled(request: Request) -> Filled:
    form = await request.form(max_fields=FIELDS_AT_MOST)
    return Filled(_texts(form))


def _texts(form: FormData) -> dict[str, tuple[str, ...]]:
    texts: dict[str, tuple[str, ...]] = {}
    for name, value in form.multi_items():
        if not isinstance(value, str):
            continue
        if len(value) > CHARS_AT_MOST:
            raise TooLarge(f"{name} is longer than {CHARS_AT_MOST} characters")
        texts[name] = (*texts.get(name, ()), value)
    return texts


Form = Annotated[Filled, Depends(read_filled)]


@dataclass(frozen=True, slots=True)
class FormField:
    """One field: `kind` is text, password, number, choice, ticks or tick; `value` of ticks are the ticked options."""

    name: str
    label: str
    kind: str = "text"
    value: str = ""
    ticked: tuple[str, ...] = ()
    options: tuple[tuple[str, str], ...] = ()
    hint: str = ""
    error: str = ""
    required: bool = True
    max: int = 200


@dataclass(frozen=True, slots=True)
class FormPage:
    """A page that is one form. `problem` is what was wrong with no field in particular."""

    title: str
    answer: str
    action: str
    verb: str
    back: str
    fields: tuple[FormField, ...]
    problem: str = ""
    deeds: tuple[Deed, ...] = ()


def filled_in(fields: tuple[FormField, ...], form: Filled | None) -> tuple[FormField, ...]:
    """The fields with what was typed before and what was wrong with it; passwords are typed again."""
    if form is None:
        return fields
    errors = dict(reversed(form.problems))
    return tuple(_again(each, form, errors.get(each.name, "")) for each in fields)


def _again(each: FormField, form: Filled, error: str) -> FormField:
    value = "" if each.kind == "password" else form.text(each.name, each.value)
    ticked = form.many(each.name) if each.kind in {"ticks", "tick"} else each.ticked
    return FormField(
        each.name, each.label, each.kind, value, ticked, each.options, each.hint, error, each.required, each.max
    )


def loose_problem(fields: tuple[FormField, ...], form: Filled | None) -> str:
    """The problems that belong to no field shown, as one text."""
    names = {each.name for each in fields}
    return " ".join(sentence for path, sentence in form.problems if path not in names) if form else ""
