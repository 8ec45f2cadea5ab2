"""An order as JSON and as rows of a sheet, from the forms that parse them."""

import types
import typing
from enum import Enum
from typing import Any

import msgspec

from scripts.chapters.markdown import code, table
from waystream.parts.orders.columns import COLUMNS
from waystream.parts.orders.form import LineIn, OrderIn, ReceiverIn, SealedIn

TITLE = "Orders in"
ABOUT = """The fields of an order over the API and the columns of an order sheet.

Money is whole fen, instants are ISO 8601 with a zone, weights are grams."""

_FORMS = {
    "An order": OrderIn,
    "`receiver`": ReceiverIn,
    "`sealed`": SealedIn,
    "A line": LineIn,
}


def page() -> str:
    forms = "\n".join(_form(title, form) for title, form in _FORMS.items())
    return f"## As JSON\n\n{forms}\n## As a sheet\n\n{_columns()}"


def _form(title: str, form: type[msgspec.Struct]) -> str:
    hints = typing.get_type_hints(form, include_extras=True)
    rows = [(code(field.name), _type(hints[field.name]), "required" if field.required else _default(field.default))
            for field in msgspec.structs.fields(form)]  # fmt: skip
    doc = " ".join((form.__doc__ or "").split())
    return f"### {title}\n\n{doc}\n\n" + table(("field", "what", "default"), rows)


def _default(value: Any) -> str:
    return "" if value in (None, "", msgspec.NODEFAULT) else code(value.value if isinstance(value, Enum) else value)


def _type(hint: Any) -> str:
    if typing.get_origin(hint) is typing.Annotated:
        kind, *metas = typing.get_args(hint)
        return ", ".join([_type(kind), *(bound for meta in metas if (bound := _bound(meta)))])
    if typing.get_origin(hint) in (types.UnionType, typing.Union):
        return " or ".join(_type(part) for part in typing.get_args(hint) if part is not types.NoneType)
    if typing.get_origin(hint) is tuple:
        return f"list of {typing.get_args(hint)[0].__name__.removesuffix('In').lower()}s"
    if isinstance(hint, type) and issubclass(hint, Enum):
        return "one of " + ", ".join(code(each.value) for each in hint)
    names = {"str": "text", "int": "whole number", "datetime": "instant", "bool": "true or false"}
    return names.get(hint.__name__, code(hint.__name__.removesuffix("In").lower()))


def _bound(meta: msgspec.Meta) -> str:
    if meta.pattern:
        return f"matching {code(meta.pattern)}"
    if meta.max_length is not None:
        return f"{meta.min_length}–{meta.max_length}" if meta.min_length else f"at most {meta.max_length}"
    return f"{meta.ge}–{meta.le}" if meta.le is not None else ""


def _columns() -> str:
    rows = [
        (code(column.field), ", ".join(column.headers), "required" if column.required else "") for column in COLUMNS
    ]
    return (
        "A header is recognised by any of these names, however it is spaced, cased or bracketed, and by the field's\n"
        "own name. Amounts are yuan with at most two decimals, except under 分 or the field's own name: whole fen.\n\n"
        + table(("field", "headers", ""), rows)
    )
