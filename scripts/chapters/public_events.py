"""Every event that is told outside, as its receiver reads it; the same as asyncapi.json, for people."""

from typing import Any

from scripts.chapters.markdown import code, codes, table
from waystream.core.events import Event
from waystream.core.public_event import KEPT_BACK, groups, public_types, schema_of

TITLE = "Events told outside"
ABOUT = """What webhooks and other ways out tell: the type, when it happens, and what is in `data`.

For programs the same is in [asyncapi.json](asyncapi.json), which a running Waystream serves at `/api/asyncapi.json`.
How to receive them: [receive our events](../guides/receive-events.md)."""


def page() -> str:
    events = public_types()
    sections = "\n".join(
        f"## {group}\n\n{_table([events[kind] for kind in sorted(events) if kind.startswith(group[:-1])])}"
        for group in groups()
    )
    return f"{_envelope()}\n{sections}"


def _envelope() -> str:
    schema = schema_of(next(iter(public_types().values())))["properties"]
    rows = [
        (code("id"), schema["id"]["description"] + ": the same in every telling, and no other event ever has it"),
        (code("type"), "one of those below"),
        (code("version"), "of this type's body; a field that goes or changes its meaning makes it grow"),
        (code("timestamp"), schema["timestamp"]["description"] + ", UTC"),
        (code("shop_id"), "the shop it belongs to"),
        (code("subject"), schema["subject"]["description"]),
        (code("data"), "see below; all ids are text"),
    ]
    return (
        "## Every body\n\n" + table(("field", "what"), rows)
        + f"\nWhat a person typed or a machine answered ({codes(sorted(KEPT_BACK))}) stays inside.\n"
    )  # fmt: skip


def _table(events: list[type[Event]]) -> str:
    rows = [(code(event.public), event.version, _about(event), _data(event)) for event in events]
    return table(("type", "version", "when", "data"), rows)


def _about(event: type[Event]) -> str:
    return " ".join((event.__doc__ or "").split())


def _data(event: type[Event]) -> str:
    fields: dict[str, Any] = schema_of(event)["properties"]["data"]["properties"]
    return ", ".join(f"{code(name)} {_kind(schema)}" for name, schema in fields.items())


def _kind(schema: dict[str, Any]) -> str:
    if schema.get("type") == "array":
        return "list of ids" if "pattern" in schema.get("items", {}) else "list of words"
    if "enum" in schema:
        return "word"
    return "id" if "pattern" in schema else "instant" if schema.get("format") == "date-time" else "text"
