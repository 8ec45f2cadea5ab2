"""What the outside is told of an event: one body and one schema for each, whatever carries it.

Guaranteed: an event has the same id in every telling, and no other event ever has it, not even after a restore; ids
are text, as in the API; what a person typed or a machine answered stays inside. New fields may come, a field that
goes or changes its meaning is a new `version`. Webhooks and CloudEvents both send this.
"""

import base64
import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from typing import Any, get_args, get_type_hints

import msgspec

from waystream.core.events import Event, registry_cached

#: Free text: it may hold a name or a phone number.
KEPT_BACK = frozenset({"reason", "because"})
EVERY = "*"
ID_BYTES = 15

Schema = dict[str, Any]

_ID: Schema = {"type": "string", "pattern": "^[0-9]{1,19}$"}
_ID_OR_NULL: Schema = _ID | {"type": ["string", "null"]}
_ENVELOPE = frozenset({"shop_id"})


@dataclass(frozen=True, slots=True)
class PublicEvent:
    """`id` is the event's own; `at` is when it was recorded; `data` holds ids and words, never personal data."""

    id: str
    type: str
    version: int
    at: datetime
    shop_id: str
    subject: str
    data: Mapping[str, Any]

    def body(self) -> bytes:
        """As it is sent: the same bytes whenever and by whomever it is made."""
        told = {
            "id": self.id,
            "type": self.type,
            "version": self.version,
            "timestamp": self.at.astimezone(UTC),
            "shop_id": self.shop_id,
            "subject": self.subject,
            "data": self.data,
        }
        return msgspec.json.encode(told)


def publish(event: Event, *, event_id: int, at: datetime) -> PublicEvent | None:
    """What is told of a recorded event; None for one that stays inside."""
    if not event.public:
        return None
    return PublicEvent(
        id=name_event(event, event_id=event_id, at=at),
        type=event.public,
        version=event.version,
        at=at,
        shop_id=str(event.shop_id),
        subject=event.subject,
        data={name: _told(name, getattr(event, name)) for name in _told_fields(type(event))},
    )


def name_event(event: Event, *, event_id: int, at: datetime) -> str:
    """Made from what the event is: a number alone would be given twice after a restore, and count for strangers."""
    what = "\0".join((str(event_id), at.astimezone(UTC).isoformat(), type(event).__name__, event.subject))
    digest = hashlib.blake2b(what.encode(), digest_size=ID_BYTES).digest()
    return "evt_" + base64.b32encode(digest).decode().lower()


def public_types() -> dict[str, type[Event]]:
    """Every event that is told outside, by its type."""
    return {event.public: event for event in registry_cached().values() if event.public}


def groups() -> tuple[str, ...]:
    """`order.*`, `parcel.*` …: what stands before the point."""
    return tuple(sorted({f"{kind.partition('.')[0]}.{EVERY}" for kind in public_types()}))


def is_wanted(kind: str, wanted: Collection[str]) -> bool:
    """Whether somebody who wants these types, groups or `*` wants this type."""
    return kind in wanted or EVERY in wanted or f"{kind.partition('.')[0]}.{EVERY}" in wanted


def schema_of(event: type[Event]) -> Schema:
    """The JSON Schema (2020-12) of the whole body of an event."""
    envelope: Schema = {
        "id": {"type": "string", "pattern": "^evt_[a-z2-7]{24}$", "description": "The event's own id"},
        "type": {"const": event.public},
        "version": {"const": event.version},
        "timestamp": {"type": "string", "format": "date-time", "description": "When it was recorded"},
        "shop_id": _ID,
        "subject": {"type": "string", "pattern": "^[a-z]+:[0-9]+$", "description": "`order:ID`, `parcel:ID` …"},
        "data": _object({name: _field_schema(name, hint) for name, hint in _hints(event).items()}),
    }
    return {"title": event.__name__, "description": _about(event), **_object(envelope)}


def _object(properties: Schema) -> Schema:
    """Readers take fields they do not know: more may come."""
    return {"type": "object", "properties": properties, "required": list(properties)}


def _hints(event: type[Event]) -> dict[str, Any]:
    hints = get_type_hints(event)
    return {name: hints[name] for name in _told_fields(event)}


def _told_fields(event: type[Event]) -> list[str]:
    return [field.name for field in fields(event) if field.name not in KEPT_BACK | _ENVELOPE]


def _told(name: str, value: Any) -> Any:
    if value is None:
        return None
    if name.endswith("_id"):
        return str(value)
    if name.endswith("_ids"):
        return [str(each) for each in value]
    return value.astimezone(UTC) if isinstance(value, datetime) else value


def _field_schema(name: str, hint: Any) -> Schema:
    if name.endswith("_id"):
        return _ID_OR_NULL if type(None) in get_args(hint) else _ID
    if name.endswith("_ids"):
        return {"type": "array", "items": _ID}
    (schema,), named = msgspec.json.schema_components([hint], ref_template="{name}")
    found: Schema = named.get(schema.get("$ref", ""), schema)
    return {word: value for word, value in found.items() if word in ("type", "items", "enum", "format")}


def _about(event: type[Event]) -> str:
    return " ".join((event.__doc__ or "").split())
