"""The little CSS that label templates use: class rules and inline styles become a `Style` in px.

Only what moves or changes ink on a label is understood; everything else, `url()` included, is passed over and nothing
is ever fetched. All work is linear in the length of the text, whatever the text is.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, fields, replace
from typing import Any, TypeAlias

from waystream.core.errors import Unreadable
from waystream.core.label import Align

RULES_MAX = 300
LENGTH_MAX_PX = 10_000.0
FONT_MAX_PX = 400.0

Declarations: TypeAlias = tuple[tuple[str, str], ...]

_PX = {"px": 1.0, "": 1.0, "pt": 96 / 72, "mm": 96 / 25.4, "cm": 96 / 2.54, "in": 96.0, "pc": 16.0}
_LENGTH = re.compile(r"\s*(-?\d{0,6}(?:\.\d{1,6})?)\s*([a-z%]{0,4})\s*")
_COMPOUND = re.compile(r"([a-z][a-z0-9]{0,15}|\*)?((?:[.#][\w-]{1,40}){0,6})", re.IGNORECASE)
_ALIGN: dict[str, Align] = {"left": "left", "start": "left", "center": "center", "right": "right", "end": "right"}
_DARK = frozenset({"black", "#000", "#000000", "rgb(0,0,0)"})
_LIGHT = frozenset({"white", "#fff", "#ffffff", "rgb(255,255,255)"})


@dataclass(frozen=True, slots=True)
class Border:
    """Width in px; 0 draws nothing."""

    width: float = 0.0
    dashed: bool = False


@dataclass(frozen=True, slots=True)
class Style:
    """What an element looks like; fields marked inherited pass to its children."""

    left: float | None = None
    top: float | None = None
    width: float | None = None
    height: float | None = None
    placed: bool = False
    filled: bool = False
    border_top: Border = Border()
    border_right: Border = Border()
    border_bottom: Border = Border()
    border_left: Border = Border()
    font_px: float = field(default=16.0, metadata={"inherited": True})
    line_px: float | None = field(default=None, metadata={"inherited": True})
    line_ratio: float = field(default=1.2, metadata={"inherited": True})
    bold: bool = field(default=False, metadata={"inherited": True})
    align: Align = field(default="left", metadata={"inherited": True})
    keeps_lines: bool = field(default=False, metadata={"inherited": True})
    wraps: bool = field(default=True, metadata={"inherited": True})
    white: bool = field(default=False, metadata={"inherited": True})
    gone: bool = field(default=False, metadata={"inherited": True})
    hidden: bool = field(default=False, metadata={"inherited": True})


_INHERITED = tuple(one.name for one in fields(Style) if one.metadata.get("inherited"))


@dataclass(frozen=True, slots=True)
class Element:
    """What selectors look at."""

    tag: str
    names: frozenset[str]
    """Classes as `.item`, the id as `#page`."""


@dataclass(frozen=True, slots=True)
class Rule:
    """`steps` are the compounds of a descendant selector, the element's own last."""

    steps: tuple[Element, ...]
    declarations: Declarations

    def weigh(self) -> tuple[int, int, int]:
        names = [name for step in self.steps for name in step.names]
        ids = sum(name.startswith("#") for name in names)
        return ids, len(names) - ids, sum(step.tag != "" for step in self.steps)


def inherit(parent: Style) -> Style:
    return replace(Style(), **{name: getattr(parent, name) for name in _INHERITED})


def read_rules(sheet: str) -> tuple[Rule, ...]:
    """The rules of a style sheet, the heaviest last, so that later ones win."""
    rules = [rule for part in strip(sheet, "/*", "*/").split("}") for rule in _read_rule(part)]
    if len(rules) > RULES_MAX:
        raise Unreadable("a label template has too many style rules")
    return tuple(sorted(rules, key=Rule.weigh))


def read_declarations(text: str) -> Declarations:
    pairs = (part.partition(":") for part in strip(text, "/*", "*/").split(";"))
    return tuple(
        (name.strip().lower(), value.lower().replace("!important", "").strip()) for name, colon, value in pairs if colon
    )


def strip(text: str, opening: str, closing: str) -> str:
    """Without all from `opening` to `closing`; what is never closed goes to the end."""
    head, *rest = text.split(opening)
    return head + "".join(part.partition(closing)[2] for part in rest)


def matches(rule: Rule, path: tuple[Element, ...]) -> bool:
    """Whether the rule means the last element of `path`, its ancestors standing before it."""
    *outer, own = rule.steps
    if not path or not _is(path[-1], own):
        return False
    ancestors = iter(reversed(path[:-1]))
    return all(any(_is(element, step) for element in ancestors) for step in reversed(outer))


def apply(style: Style, declarations: Declarations, *, around: Style) -> Style:
    """The style after these declarations; percentages are of `around`, the box the element stands in."""
    for name, value in declarations:
        style = _apply_one(style, name, value, around)
    return style


def _is(element: Element, step: Element) -> bool:
    return step.tag in ("", element.tag) and step.names <= element.names


def _read_rule(part: str) -> Iterator[Rule]:
    selectors, brace, body = part.rpartition("{")
    if not brace:
        return
    declarations = read_declarations(body)
    for selector in selectors.rpartition("{")[2].split(","):
        steps = tuple(_read_compound(word) for word in selector.replace(">", " ").split())
        known = tuple(step for step in steps if step is not None)
        if known and len(known) == len(steps):
            yield Rule(known, declarations)


def _read_compound(word: str) -> Element | None:
    found = _COMPOUND.fullmatch(word)
    if not found:
        return None
    tag = (found[1] or "").lower().replace("*", "")
    return Element(tag, frozenset(re.findall(r"[.#][\w-]+", found[2])))


def _apply_one(style: Style, name: str, value: str, around: Style) -> Style:
    match name:
        case "left" | "width" | "top" | "height":
            of = around.width if name in ("left", "width") else around.height
            length = _length(value, of=of, now=getattr(style, name))
            negative_size = name in ("width", "height") and length is not None and length < 0
            return style if negative_size else _set(style, name, length)
        case "position":
            return replace(style, placed=value in ("absolute", "fixed", "relative"))
        case "display":
            return replace(style, gone=around.gone or value == "none")
        case "visibility":
            return replace(style, hidden=value in ("hidden", "collapse"))
        case "background" | "background-color":
            return replace(style, filled=value.replace(" ", "") in _DARK)
        case "color":
            return replace(style, white=value.replace(" ", "") in _LIGHT)
        case "border" | "border-top" | "border-right" | "border-bottom" | "border-left":
            return _apply_border(style, name, value)
        case _:
            return _apply_font(style, name, value)


def _set(style: Style, name: str, value: float | Border | None) -> Style:
    changed: dict[str, Any] = {name: value}
    return replace(style, **changed)


def _apply_border(style: Style, name: str, value: str) -> Style:
    border = _read_border(value)
    sides = ("top", "right", "bottom", "left") if name == "border" else (name.removeprefix("border-"),)
    for side in sides:
        style = _set(style, f"border_{side}", border)
    return style


def _read_border(value: str) -> Border:
    words = value.split()
    if not {"solid", "dashed", "dotted", "double"} & set(words):
        return Border()
    lengths = [length for word in words if (length := _length(word, of=None, now=None)) is not None]
    return Border(min(max(lengths[0], 0), 20) if lengths else 1.0, dashed=bool({"dashed", "dotted"} & set(words)))


def _apply_font(style: Style, name: str, value: str) -> Style:
    match name:
        case "font-size":
            size = _length(value, of=style.font_px, now=None, em=style.font_px)
            return replace(style, font_px=min(max(size or style.font_px, 1.0), FONT_MAX_PX))
        case "font-weight":
            return replace(style, bold=value in ("bold", "bolder") or (value.isdigit() and int(value[:4]) >= 600))
        case "font":
            return _apply_font_shorthand(style, value)
        case "line-height":
            return _apply_line_height(style, value)
        case "text-align":
            return replace(style, align=_ALIGN.get(value, "left"))
        case "white-space":
            return replace(style, keeps_lines=value.startswith("pre"), wraps=value not in ("nowrap", "pre"))
        case _:
            return style


def _apply_font_shorthand(style: Style, value: str) -> Style:
    for word in value.split():
        size, _, line = word.partition("/")
        if word in ("bold", "bolder") or (word.isdigit() and len(word) == 3):
            style = _apply_font(style, "font-weight", word)
        elif size[:1].isdigit():
            style = _apply_font(style, "font-size", size)
            style = _apply_font(style, "line-height", line) if line else style
    return style


def _apply_line_height(style: Style, value: str) -> Style:
    if re.fullmatch(r"\d{0,2}(\.\d{1,4})?", value) and value not in ("", "."):
        return replace(style, line_px=None, line_ratio=min(max(float(value), 0.8), 10))
    length = _length(value, of=style.font_px, now=None, em=style.font_px)
    return replace(style, line_px=length) if length else replace(style, line_px=None, line_ratio=1.2)


def _length(value: str, *, of: float | None, now: float | None, em: float = 16.0) -> float | None:
    """Px, or `now` for what is no length we know."""
    found = _LENGTH.fullmatch(value)
    if not found or found[1] in ("", "-", ".", "-."):
        return now
    number, unit = float(found[1]), found[2]
    if unit == "%" and of is not None:
        length = of * number / 100
    elif unit == "em":
        length = number * em
    elif unit in _PX:
        length = number * _PX[unit]
    else:
        return now
    return min(max(length, -LENGTH_MAX_PX), LENGTH_MAX_PX)
