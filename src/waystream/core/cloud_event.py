"""A public event as a CloudEvent 1.0 in structured JSON, and its schema: the same data as in a webhook. Pure.

`shopid` and `eventversion` are extension attributes: their names may hold only small letters and digits.
"""

import msgspec

from waystream.core.events import Event
from waystream.core.public_event import PublicEvent, Schema, schema_of

CONTENT_TYPE = "application/cloudevents+json"
_SPEC = "1.0"
_DATA = "application/json"


def cloud_event(told: PublicEvent, *, source: str) -> bytes:
    """`source` says which Waystream: with `id` it names the event among those of all systems."""
    return msgspec.json.encode({
        "specversion": _SPEC, "id": told.id, "source": source, "type": told.type, "subject": told.subject,
        "time": told.at, "datacontenttype": _DATA, "shopid": told.shop_id, "eventversion": told.version,
        "data": told.data,
    })  # fmt: skip


def cloud_schema_of(event: type[Event]) -> Schema:
    """The JSON Schema of the whole CloudEvent."""
    public = schema_of(event)["properties"]
    properties: Schema = {
        "specversion": {"const": _SPEC},
        "id": public["id"],
        "source": {"type": "string", "format": "uri-reference", "description": "Which Waystream"},
        "type": public["type"],
        "subject": public["subject"],
        "time": public["timestamp"],
        "datacontenttype": {"const": _DATA},
        "shopid": public["shop_id"],
        "eventversion": public["version"],
        "data": public["data"],
    }
    return {"title": event.__name__, "type": "object", "properties": properties, "required": list(properties)}
