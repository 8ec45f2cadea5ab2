"""Endpoints, deliveries, and what an answer does to both. Pure.

The schedule is data: after the first attempt a delivery waits each of these in turn, then it is given up. An endpoint
that fails is asked one thing at a time and rests longer each time, so that a dead one costs nothing.
"""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from ipaddress import ip_address
from typing import Literal
from urllib.parse import urlsplit

from waystream.core.errors import Invalid
from waystream.core.public_event import EVERY, PublicEvent, groups, is_wanted, public_types

MINUTE_S, HOUR_S = 60, 3600
#: Three days and three hours in all; each is lengthened by up to JITTER of itself.
SCHEDULE_S = (
    5, 5 * MINUTE_S, 30 * MINUTE_S, 2 * HOUR_S, 5 * HOUR_S, 10 * HOUR_S, 14 * HOUR_S, 20 * HOUR_S, 24 * HOUR_S,
)  # fmt: skip
JITTER = 0.2
LONGEST_WAIT_ASKED_S = 24 * HOUR_S
LONGEST_REST_S = 5 * MINUTE_S

ENDPOINTS_MAX = 20  # of a shop
URL_MAX, DESCRIPTION_MAX, WANTED_MAX = 2_000, 200, 100
COUNTED_AT_MOST = 1_000  # deliveries of a state, on lists
SAID_MAX_BYTES = 300
OLD_SECRET_LIVES = timedelta(hours=24)
KEPT = timedelta(days=30)
TEST_TYPE = "webhook.test"

_NAME = re.compile(r"(?=.{1,253}\Z)[a-z0-9_][a-z0-9_-]{0,62}(\.[a-z0-9_][a-z0-9_-]{0,62})*\.?")

State = Literal["waiting", "sending", "delivered", "given_up"]
Why = Literal["", "person", "gone", "failing"]


@dataclass(frozen=True, slots=True)
class EndpointIn:
    """What a person or program says of an endpoint; checked by `checked`."""

    url: str
    wanted: tuple[str, ...]
    description: str = ""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """`disabled_why` is empty while it is called. `two_secrets_until`: until then the old secret signs as well.

    `waiting` and `given_up` are counted up to COUNTED_AT_MOST.
    """

    id: int
    shop_id: int
    shop: str
    url: str
    description: str
    wanted: tuple[str, ...]
    created_at: datetime
    disabled_at: datetime | None
    disabled_why: Why
    failures: int
    two_secrets_until: datetime | None
    waiting: int
    given_up: int

    @property
    def host(self) -> str:
        return urlsplit(self.url).hostname or ""


@dataclass(frozen=True, slots=True)
class NewEndpoint:
    """`secret` is told this once."""

    endpoint: Endpoint
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Reader:
    """An endpoint as far as the fan-out cares."""

    id: int
    shop_id: int
    wanted: frozenset[str]
    since: datetime


@dataclass(frozen=True, slots=True)
class Happened:
    """A recorded event as far as the fan-out cares."""

    event_id: int
    shop_id: int
    type: str
    at: datetime


@dataclass(frozen=True, slots=True)
class NewDelivery:
    endpoint_id: int
    shop_id: int
    event_id: int | None
    type: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Delivery:
    """One event for one endpoint, as the log shows it. `said` is the beginning of the answer, or why there was none."""

    id: int
    endpoint_id: int
    event_id: int | None
    message_id: str
    type: str
    at: datetime
    state: State
    attempts: int
    tried_at: datetime | None
    due_in_s: float
    status: int | None
    said: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one attempt ended. `attempt` names the lease, `tries` counts since the delivery or its replay was asked for.

    `status` None: no answer, and `said` tells why.
    """

    delivery_id: int
    endpoint_id: int
    attempt: int
    tries: int
    status: int | None
    said: str
    retry_after_s: float | None = None

    @property
    def ok(self) -> bool:
        return self.status is not None and 200 <= self.status < 300

    @property
    def gone(self) -> bool:
        return self.status == 410


@dataclass(frozen=True, slots=True)
class Settled:
    """What an outcome makes of its delivery: `delay_s` until it is due again."""

    outcome: Outcome
    state: State
    delay_s: float = 0


@dataclass(frozen=True, slots=True)
class Mood:
    """How an endpoint fares. `failing_s`: for how long nothing went well; `rest_s`: how long it is left alone."""

    endpoint_id: int
    shop_id: int
    failures: int
    failing_s: float
    rest_s: float = 0
    disabled_why: Why = ""


def checked(told: EndpointIn, *, private_hosts: Collection[str]) -> EndpointIn:
    """Raises `Invalid` for an address we do not call and for events that do not exist."""
    description = " ".join(told.description.split())
    if len(description) > DESCRIPTION_MAX or not (description.isprintable()):
        raise Invalid("description", f"at most {DESCRIPTION_MAX} characters")
    return EndpointIn(_checked_url(told.url.strip(), private_hosts), _checked_wanted(told.wanted), description)


def _checked_url(url: str, private_hosts: Collection[str]) -> str:
    try:
        parts = urlsplit(url)
        host, _ = (parts.hostname or "").lower(), parts.port
    except ValueError:
        raise Invalid("url", "this is not a web address") from None
    if len(url) > URL_MAX or not url.isascii() or not url.isprintable() or " " in url or not _is_host(host):
        raise Invalid("url", "this is not a web address")
    if parts.username is not None or parts.fragment:
        raise Invalid("url", "without a user name, a password or a #")
    if parts.scheme != "https" and not (parts.scheme == "http" and host in private_hosts):
        raise Invalid("url", "has to begin with https://")
    return url


def _is_host(host: str) -> bool:
    """A name, or an address of either kind; whether it may be called is seen when it is."""
    if ":" not in host:
        return _NAME.fullmatch(host) is not None
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _checked_wanted(wanted: Iterable[str]) -> tuple[str, ...]:
    chosen = frozenset(wanted)
    known = {EVERY, *groups(), *public_types()}
    if not chosen or len(chosen) > WANTED_MAX or not chosen <= known:
        raise Invalid("wanted", "choose from the events and groups that there are")
    return (EVERY,) if EVERY in chosen else tuple(sorted(chosen))


def fan_out(readers: Sequence[Reader], happened: Sequence[Happened]) -> list[NewDelivery]:
    """Who is told of what: endpoints of the event's shop that want it and were there when it happened."""
    of_shop: dict[int, list[Reader]] = {}
    for reader in readers:
        of_shop.setdefault(reader.shop_id, []).append(reader)
    return [
        NewDelivery(reader.id, each.shop_id, each.event_id, each.type, each.at)
        for each in happened
        for reader in of_shop.get(each.shop_id, ())
        if reader.since <= each.at and is_wanted(each.type, reader.wanted)
    ]


def settle(outcome: Outcome, *, jitter: float) -> Settled:
    """Delivered, given up, or due again; `jitter` is between 0 and 1."""
    if outcome.ok:
        return Settled(outcome, "delivered")
    if outcome.gone or outcome.tries > len(SCHEDULE_S):
        return Settled(outcome, "given_up")
    delay_s = SCHEDULE_S[outcome.tries - 1] * (1 + JITTER * jitter)
    return Settled(outcome, "waiting", max(delay_s, _asked_s(outcome)))


def judge(moods: Mapping[int, Mood], outcomes: Iterable[Outcome], *, failing_at_most_s: float) -> list[Mood]:
    """How each endpoint fares after these outcomes, in the order in which they came."""
    after = dict(moods)
    for outcome in outcomes:
        mood = after.get(outcome.endpoint_id)
        if mood is not None:
            after[outcome.endpoint_id] = _judge_one(mood, outcome, failing_at_most_s)
    return [after[endpoint_id] for endpoint_id in sorted(after)]


def _judge_one(mood: Mood, outcome: Outcome, failing_at_most_s: float) -> Mood:
    if outcome.ok:
        return replace(mood, failures=0, failing_s=0, rest_s=0)
    failures = mood.failures + 1
    rest_s = max(min(2.0 ** min(failures - 1, 20), LONGEST_REST_S), _asked_s(outcome))
    failed = replace(mood, failures=failures, rest_s=rest_s)
    if outcome.gone:
        return replace(failed, disabled_why="gone")
    return replace(failed, disabled_why="failing") if mood.failing_s > failing_at_most_s else failed


def _asked_s(outcome: Outcome) -> float:
    return min(outcome.retry_after_s or 0, LONGEST_WAIT_ASKED_S)


def read_retry_after(header: str, *, now: datetime) -> float | None:
    """Seconds from a Retry-After header, in either of its two forms; None for anything else."""
    header = header.strip()
    if header.isascii() and header.isdigit() and len(header) < 10:
        return float(header)
    try:
        at = parsedate_to_datetime(header)
    except ValueError:
        return None
    return max((at - now).total_seconds(), 0) if at.tzinfo else None


def make_test(message_id: str, endpoint_id: int, shop_id: int, *, at: datetime) -> PublicEvent:
    """What the test button sends: the same body in every attempt."""
    return PublicEvent(
        id=message_id.replace("msg_", "test_", 1),
        type=TEST_TYPE,
        version=1,
        at=at,
        shop_id=str(shop_id),
        subject=f"webhook:{endpoint_id}",
        data={"endpoint_id": str(endpoint_id)},
    )
