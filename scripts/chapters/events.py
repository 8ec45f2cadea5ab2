"""Every event with its fields and the rules that read it, from core/events."""

import inspect
from dataclasses import fields

from scripts.chapters.markdown import code, codes, sentence, table
from waystream import rules
from waystream.core.events import Event, OrderEvent, ParcelEvent, registry
from waystream.kernel import open_list

TITLE = "Events"
ABOUT = """Everything that can have happened, in the past tense: what rules read and what the log keeps.

An event carries ids and words, never personal data. Every event has `shop_id`; those of a parcel have `parcel_id`,
those of an order `order_id`."""

_COMMON = {"shop_id", "order_id", "parcel_id"}


def page() -> str:
    modules: dict[str, list[type[Event]]] = {}
    for event in registry().values():
        modules.setdefault(event.__module__, []).append(event)
    return "\n".join(_section(name, events) for name, events in sorted(modules.items()))


def _section(module: str, events: list[type[Event]]) -> str:
    rows = [
        (code(event.__name__), _about(event), sentence(event), _fields(event), code(event.public), _readers(event))
        for event in events
    ]
    title = module.rpartition(".")[2].capitalize()
    shared = _shared(events)
    note = f"{sentence(shared)}\n\n" if shared else ""
    heads = ("event", "of", "what", "fields", "told outside as", "rules that read it")
    return f"## {title}\n\n{note}" + table(heads, rows)


def _shared(events: list[type[Event]]) -> type[Event] | None:
    parents = {parent for event in events for parent in event.__bases__} - {Event, OrderEvent, ParcelEvent}
    return min(parents, key=lambda parent: parent.__name__, default=None)


def _about(event: type[Event]) -> str:
    return "parcel" if issubclass(event, ParcelEvent) else "order" if issubclass(event, OrderEvent) else ""


def _fields(event: type[Event]) -> str:
    return codes(field.name for field in fields(event) if field.name not in _COMMON)


def _readers(event: type[Event]) -> str:
    readers = [module for module in open_list.load(rules) if issubclass(event, module.WHEN)]
    return ", ".join(code(inspect.getmodulename(module.__file__ or "") or "") for module in readers)
