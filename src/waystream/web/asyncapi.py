"""The description of what is told outside, AsyncAPI 3.0: made from the events themselves, so that it cannot lie.

Every public event is a message with its own schema; each way out is a channel that carries them all.
"""

from collections.abc import Iterable
from typing import Any

from waystream.core.cloud_event import CONTENT_TYPE, cloud_schema_of
from waystream.core.events import Event
from waystream.core.public_event import public_types, schema_of

Json = dict[str, Any]

VERSION = "3.0.0"
INTRO = """What Waystream tells other systems. Every body has the event's own `id` (the same in every telling), its
`type` and `version`, when it was recorded, and ids and words in `data`: never personal data. Ids are text. Read what
you know and leave the rest: new types, fields and words may come; a field that goes or changes its meaning is a new
`version`."""
HEADERS = "webhook-headers"
WEBHOOK_HEADERS: Json = {
    "type": "object",
    "required": ["webhook-id", "webhook-timestamp", "webhook-signature"],
    "properties": {
        "webhook-id": {
            "type": "string",
            "description": "The same in every attempt for this endpoint: remember it, and do nothing twice",
        },
        "webhook-timestamp": {"type": "string", "description": "Unix seconds of this attempt"},
        "webhook-signature": {
            "type": "string",
            "description": "Standard Webhooks: `v1,` and HMAC-SHA256 in base64 over `id.timestamp.body`, one for each "
            "secret that is valid, with a blank between",
        },
    },
}


def describe(*, version: str) -> Json:
    """The whole document."""
    events = public_types()
    names = sorted(events)
    return {
        "asyncapi": VERSION,
        "info": {"title": "Waystream events", "version": version, "description": INTRO},
        "defaultContentType": "application/json",
        "channels": {
            "stream": {
                "address": "{prefix}.events.{type}",
                "title": "NATS JetStream",
                "description": "CloudEvents 1.0 in structured JSON on the stream `PREFIX-events`, of all shops; "
                "the message id is the event's own. At least once, those of one order or parcel in their order.",
                "parameters": {
                    "prefix": {"description": "The setting nats_prefix", "default": "waystream"},
                    "type": {"description": "The event's type; it has a point in it", "enum": names},
                },
                "messages": {name: _cloud_message(events[name]) for name in names},
            },
            "webhook": {
                "address": None,
                "title": "Webhook",
                "description": "POST to an endpoint of the shop's own. 2xx ends it, 410 ends the endpoint, anything "
                "else is tried again for three days. At least once, in no promised order.",
                "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in names},
            },
        },
        "operations": {
            "publish": {
                "action": "send",
                "channel": {"$ref": "#/channels/stream"},
                "messages": [{"$ref": f"#/channels/stream/messages/{name}"} for name in names],
            },
            "tell": {
                "action": "send",
                "channel": {"$ref": "#/channels/webhook"},
                "messages": [{"$ref": f"#/channels/webhook/messages/{name}"} for name in names],
            },
        },
        "components": {
            "messages": {name: _message(events[name]) for name in names},
            "schemas": {HEADERS: WEBHOOK_HEADERS} | {name: schema_of(events[name]) for name in names},
        },
    }


def _message(event: type[Event]) -> Json:
    return {
        "name": event.public,
        "title": event.__name__,
        "summary": " ".join((event.__doc__ or "").split()),
        "tags": list(_tags(event)),
        "headers": {"$ref": f"#/components/schemas/{HEADERS}"},
        "payload": {"$ref": f"#/components/schemas/{event.public}"},
    }


def _cloud_message(event: type[Event]) -> Json:
    return {
        "name": event.public,
        "title": event.__name__,
        "contentType": CONTENT_TYPE,
        "tags": list(_tags(event)),
        "payload": cloud_schema_of(event),
    }


def _tags(event: type[Event]) -> Iterable[Json]:
    yield {"name": event.public.partition(".")[0]}
