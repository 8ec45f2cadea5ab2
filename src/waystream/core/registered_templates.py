"""Templates registered at a gateway of text messages: which code says which kind of notice, with which variables.

Written on one line: `shipped=SMS_1(order,carrier); shipped.en=SMS_2; delayed=SMS_3`. Without brackets a template is
given every variable there is. A kind without a template is refused: the next channel is tried.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from waystream.core.channels import Letter
from waystream.core.errors import Invalid, Refused

NO_TEMPLATE = "no_template"
TEST = "test"
TEMPLATES_MAX = 50
_ONE = re.compile(r"([a-z_]{1,40})(?:\.(zh|en))?\s*=\s*([A-Za-z0-9_-]{1,64})\s*(?:\(([a-z0-9_,\s]*)\))?")


@dataclass(frozen=True, slots=True)
class Template:
    """`language` empty: for both. `variables` None: all."""

    kind: str
    language: str
    code: str
    variables: tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class Filled:
    """A template chosen for a letter, with what stands in it."""

    code: str
    variables: Mapping[str, str] = field(repr=False)


def read_templates(text: str) -> tuple[Template, ...]:
    """Raises `Invalid`."""
    parts = [part.strip() for part in text.split(";") if part.strip()]
    if not 0 < len(parts) <= TEMPLATES_MAX:
        raise Invalid("templates", f"1 to {TEMPLATES_MAX} templates")
    return tuple(_read(part) for part in parts)


def _read(part: str) -> Template:
    found = _ONE.fullmatch(part)
    if found is None:
        raise Invalid("templates", "written like shipped=SMS_1(order,carrier); delayed.en=SMS_2")
    kind, language, code, names = found.groups()
    variables = None if names is None else tuple(name.strip() for name in names.split(",") if name.strip())
    return Template(kind, language or "", code, variables)


def find_templates_problem(path: str, text: str) -> Invalid | None:
    """What is wrong with them; None when nothing is."""
    try:
        read_templates(text)
    except Invalid as error:
        return Invalid(path, error.sentence)
    return None


def fill(templates: tuple[Template, ...], letter: Letter) -> Filled:
    """The template of the letter's kind, in its language if there is one. Raises `Refused`.

    A test takes the first template where none is registered for it. `text` is what a person wrote.
    """
    known = letter.variables if letter.template != TEST else _sample(letter)
    values = {**known, "text": letter.text}
    for template in _fitting(templates, letter):
        names = known.keys() if template.variables is None else template.variables
        return Filled(template.code, {name: values.get(name, "") for name in names})
    raise Refused("No template is registered for this kind of notice.", code=NO_TEMPLATE)


def _fitting(templates: tuple[Template, ...], letter: Letter) -> list[Template]:
    found = [each for each in templates if each.kind == letter.template and each.language in (letter.language, "")]
    found.sort(key=lambda each: each.language == "")
    return found or (list(templates[:1]) if letter.template == TEST else [])


def _sample(letter: Letter) -> Mapping[str, str]:
    return {"order": letter.order, "shop": letter.shop}
