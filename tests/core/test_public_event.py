"""What is told outside: every event decides, the body fits its schema, nothing private is in it."""

from dataclasses import fields
from datetime import UTC, datetime, timedelta, timezone
from enum import Enum
from typing import Any, get_args, get_origin, get_type_hints

import jsonschema
import msgspec
import pytest

from waystream.core.care import Cause, Priority
from waystream.core.events import Event, registry
from waystream.core.events.care import TicketOpened
from waystream.core.events.fulfilment import TakeInDoubt, WaybillIssued
from waystream.core.events.orders import OrderCancelled
from waystream.core.events.tracking import Delivered
from waystream.core.public_event import KEPT_BACK, groups, is_wanted, public_types, publish, schema_of
from waystream.core.state import Direction, Kind, State

AT = datetime(2026, 11, 12, 6, 32, 1, 5, tzinfo=UTC)
BIG = 2**62 + 1
INSIDE = {
    "LetterReported",
    "TakeInDoubt",
    "TakeConflicted",
    "StrangerNamedTake",
    "SubscriptionDied",
    "ScanOverdue",
    "PatienceChanged",
}

#: Texts that are told: words of ours or codes of a carrier. A new one is added here by somebody who has looked.
WORDS = {"outcome", "by", "why", "code", "mend", "what", "template", "channel", "carrier", "place", "staff", "whys"}


def sample(event: type[Event]) -> Event:
    hints = get_type_hints(event)
    return event(**{field.name: _value(hints[field.name]) for field in fields(event)})


def _value(hint: Any) -> Any:
    if get_origin(hint) is tuple:
        return (_value(get_args(hint)[0]),)
    if type(None) in get_args(hint):
        return _value(get_args(hint)[0])
    if isinstance(hint, type) and issubclass(hint, Enum):
        return list(hint)[-1]
    return {int: BIG, str: "secret text", datetime: AT, bool: True}[hint]


def test_every_event_says_whether_it_is_told() -> None:
    assert not [name for name, event in registry().items() if "public" not in vars(event)]
    assert {name for name, event in registry().items() if not event.public} == INSIDE
    assert len(public_types()) == len(registry()) - len(INSIDE)


@pytest.mark.parametrize("kind", sorted(public_types()))
def test_the_body_fits_its_schema(kind: str) -> None:
    event = public_types()[kind]
    told = publish(sample(event), event_id=7, at=AT)
    assert told is not None
    body, schema = msgspec.json.decode(told.body()), schema_of(event)
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(body, schema, format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER)
    assert set(body["data"]) == set(schema["properties"]["data"]["properties"])
    assert schema["description"] and not schema["description"].startswith(event.__name__)


@pytest.mark.parametrize("kind", sorted(public_types()))
def test_free_text_stays_inside(kind: str) -> None:
    event = public_types()[kind]
    texts = {name for name, hint in get_type_hints(event).items() if hint in (str, tuple[str, ...])}
    assert texts <= WORDS | KEPT_BACK
    told = publish(sample(event), event_id=7, at=AT)
    assert told is not None and not KEPT_BACK & set(told.data)


def test_a_body_word_for_word() -> None:
    event = Delivered(
        shop_id=3, parcel_id=BIG, before=State.OUT_FOR_DELIVERY, after=State.DELIVERED, kind=Kind.BY_PROXY,
        direction=Direction.OUT, at=AT.astimezone(timezone(timedelta(hours=8))), because="scan:1",
    )  # fmt: skip
    told = publish(event, event_id=7, at=AT)
    assert told is not None
    assert told.body().decode() == (
        '{"id":"' + told.id + '","type":"parcel.delivered","version":1,'
        '"timestamp":"2026-11-12T06:32:01.000005Z","shop_id":"3","subject":"parcel:4611686018427387905",'
        '"data":{"parcel_id":"4611686018427387905","before":"out_for_delivery","after":"delivered",'
        '"kind":"by_proxy","direction":"out","at":"2026-11-12T06:32:01.000005Z"}}'
    )


def test_an_event_keeps_its_id_and_no_other_has_it() -> None:
    cancelled = OrderCancelled(shop_id=3, order_id=5, reason="")

    def name(event: Event = cancelled, event_id: int = 7, at: datetime = AT) -> str:
        told = publish(event, event_id=event_id, at=at)
        assert told is not None
        return told.id

    assert name() == name(at=AT.astimezone(timezone(timedelta(hours=8))))
    other = OrderCancelled(shop_id=3, order_id=6, reason="")
    assert len({name(), name(event_id=8), name(at=AT + timedelta(microseconds=1)), name(event=other)}) == 4


def test_an_id_that_is_not_there_is_null() -> None:
    event = TicketOpened(
        shop_id=3, ticket_id=5, cause=Cause.INCIDENT, priority=Priority.HIGH, parcel_id=None, order_id=None
    )
    told = publish(event, event_id=7, at=AT)
    assert told is not None and told.subject == "ticket:5"
    assert told.data["ticket_id"] == "5" and told.data["parcel_id"] is None
    jsonschema.validate(msgspec.json.decode(told.body()), schema_of(TicketOpened))


def test_what_stays_inside_is_not_told() -> None:
    assert publish(TakeInDoubt(shop_id=1, parcel_id=2, take_id=3), event_id=7, at=AT) is None


def test_wants_are_types_groups_or_everything() -> None:
    assert groups() == (
        "buyer.*",
        "label.*",
        "notice.*",
        "order.*",
        "parcel.*",
        "refund.*",
        "slowdown.*",
        "ticket.*",
        "waybill.*",
        "webhook.*",
    )
    kind = WaybillIssued.public
    assert is_wanted(kind, {"waybill.issued"}) and is_wanted(kind, {"waybill.*"}) and is_wanted(kind, {"*"})
    assert not is_wanted(kind, {"waybill.refused", "parcel.*"}) and not is_wanted(kind, ())
