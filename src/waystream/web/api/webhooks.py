"""Webhooks over the API: a shop's endpoints, what was told to them and how it went, and a replay of what was missed.

A secret is told once, when it is made. The events and their bodies are described at /api/asyncapi.json.
"""

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query
from msgspec import Meta
from starlette.responses import Response

from waystream.core.errors import Invalid
from waystream.kernel.tx import Tx
from waystream.parts.webhooks import actions, model
from waystream.parts.webhooks.model import DESCRIPTION_MAX, URL_MAX, WANTED_MAX, EndpointIn
from waystream.web.api.orders import After
from waystream.web.cursor import write_cursor
from waystream.web.interface import Call, go_on, may, told
from waystream.web.reach import find_shop
from waystream.web.wire import MAX_ID, Asked, Id, Told, see

READ, WRITE = "webhooks:read", "webhooks:write"

router = APIRouter(tags=["webhooks"])

EndpointId = Annotated[int, Path(ge=1, le=MAX_ID)]
DeliveryId = Annotated[int, Path(ge=1, le=MAX_ID)]
Wanted = Annotated[
    tuple[Annotated[str, Meta(max_length=64)], ...],
    Meta(min_length=1, max_length=WANTED_MAX, description="Types (`parcel.delivered`), groups (`parcel.*`), or `*`"),
]
State = Literal["", "waiting", "sending", "delivered", "given_up"]


class WebhookChangeIn(Asked, frozen=True):
    """`url` begins with https://, unless the operator allowed its host to be private."""

    url: Annotated[str, Meta(min_length=1, max_length=URL_MAX)]
    wanted: Wanted
    description: Annotated[str, Meta(max_length=DESCRIPTION_MAX)] = ""

    def described(self) -> EndpointIn:
        return EndpointIn(self.url, self.wanted, self.description)


class WebhookIn(WebhookChangeIn, frozen=True, kw_only=True):
    """`shop` is the shop's code."""

    shop: Annotated[str, Meta(min_length=1, max_length=64)]


class Webhook(Told, frozen=True):
    """`disabled_why`: empty while it is called, else person, gone (it answered 410) or failing (for days).

    `failures`: in a row. `waiting` and `given_up` are counted up to 1,000. `two_secrets_until`: until then deliveries
    carry a signature of the old secret, too.
    """

    id: Id
    shop_id: Id
    url: str
    description: str
    wanted: tuple[str, ...]
    created_at: datetime
    disabled_at: datetime | None
    disabled_why: str
    failures: int
    two_secrets_until: datetime | None
    waiting: int
    given_up: int


class Webhooks(Told, frozen=True):
    webhooks: tuple[Webhook, ...]


class NewWebhook(Told, frozen=True):
    """`secret` is told once."""

    webhook: Webhook
    secret: str

    def __repr__(self) -> str:
        return f"NewWebhook({self.webhook.id})"


class WebhookSwitchIn(Asked, frozen=True):
    on: bool


class WebhookDelivery(Told, frozen=True):
    """`at` is when the event was recorded, `status` what was answered last (null: nothing), `said` the first bytes of
    it. `event_id` null: a test."""

    id: Id
    message_id: str
    type: str
    event_id: Id | None
    at: datetime
    state: str
    attempts: int
    tried_at: datetime | None
    due_in_s: float
    status: int | None
    said: str


class WebhookDeliveries(Told, frozen=True):
    """`after` leads to the next page; null on the last."""

    deliveries: tuple[WebhookDelivery, ...]
    after: str | None


class WebhookReplayIn(Asked, frozen=True):
    """Events recorded from `since` until before `until`: those that were not delivered, or all of them.

    Large spans are queued in steps: hand `after` of the answer in again until it is null.
    """

    since: datetime
    until: datetime
    delivered_too: bool = False
    after: Annotated[int, Meta(ge=0, le=MAX_ID)] = 0


class WebhookReplay(Told, frozen=True):
    queued: int
    after: int | None


@router.get("/webhooks", summary="List webhooks")
@told(gives=Webhooks)
def list_webhooks(call: Annotated[Call, may(READ)]) -> Response:
    """Endpoints of the caller's shops."""
    return call.show(lambda tx: Webhooks(webhooks=tuple(see(Webhook, row) for row in actions.list_endpoints(tx))))


@router.post("/webhooks", summary="Add a webhook", status_code=201)
@told(
    takes=WebhookIn,
    gives=NewWebhook,
    errors=(409, 422),
    status=201,
    example={"shop": "tea", "url": "https://erp.example.com/waystream", "wanted": ["parcel.*", "order.completed"]},
)
def add_webhook(call: Annotated[Call, may(WRITE)]) -> Response:
    """It hears what happens from now on."""
    asked = call.read(WebhookIn)

    def add(tx: Tx) -> NewWebhook:
        shop_id = find_shop(tx, asked.shop)
        assert shop_id is not None, "a shop's code is never empty"
        private = call.context.private_hosts
        return _see_new(actions.add_endpoint(tx, shop_id, asked.described(), actor=call.actor, private_hosts=private))

    return call.do(add, status=201)


@router.get("/webhooks/{webhook}", summary="Read one webhook")
@told(gives=Webhook, errors=(404, 422))
def get_webhook(call: Annotated[Call, may(READ)], webhook: EndpointId) -> Response:
    return call.show(lambda tx: see(Webhook, actions.get_endpoint(tx, webhook)))


@router.put("/webhooks/{webhook}", summary="Change a webhook")
@told(takes=WebhookChangeIn, gives=Webhook, errors=(404, 422))
def change_webhook(call: Annotated[Call, may(WRITE)], webhook: EndpointId) -> Response:
    """From now on; what waits goes to the new address."""
    asked, private = call.read(WebhookChangeIn), call.context.private_hosts

    def change(tx: Tx) -> Webhook:
        changed = actions.change_endpoint(tx, webhook, asked.described(), actor=call.actor, private_hosts=private)
        return see(Webhook, changed)

    return call.do(change)


@router.delete("/webhooks/{webhook}", summary="Remove a webhook with its log")
@told(gives=Webhooks, errors=(404, 422))
def remove_webhook(call: Annotated[Call, may(WRITE)], webhook: EndpointId) -> Response:
    """Answers those that are left."""

    def remove(tx: Tx) -> Webhooks:
        actions.remove_endpoint(tx, webhook, actor=call.actor)
        return Webhooks(webhooks=tuple(see(Webhook, row) for row in actions.list_endpoints(tx)))

    return call.do(remove)


@router.post("/webhooks/{webhook}/switch", summary="Switch a webhook on or off")
@told(takes=WebhookSwitchIn, gives=Webhook, errors=(404, 422))
def switch_webhook(call: Annotated[Call, may(WRITE)], webhook: EndpointId) -> Response:
    """Switched on again it goes on with what waited; what happened meanwhile can be replayed."""
    asked = call.read(WebhookSwitchIn)
    return call.do(lambda tx: see(Webhook, actions.switch_endpoint(tx, webhook, on=asked.on, actor=call.actor)))


@router.post("/webhooks/{webhook}/rotate", summary="Make a new secret")
@told(gives=NewWebhook, errors=(404, 422))
def rotate_webhook(call: Annotated[Call, may(WRITE)], webhook: EndpointId) -> Response:
    """For a day deliveries carry the signatures of both."""
    return call.do(lambda tx: _see_new(actions.rotate_secret(tx, webhook, actor=call.actor)))


@router.post("/webhooks/{webhook}/test", summary="Send a test", status_code=202)
@told(gives=Webhook, errors=(404, 409, 422), status=202)
def test_webhook(call: Annotated[Call, may(WRITE)], webhook: EndpointId) -> Response:
    """An event of type `webhook.test`; how it went stands among the deliveries."""

    def test(tx: Tx) -> Webhook:
        actions.test_endpoint(tx, webhook, actor=call.actor)
        return see(Webhook, actions.get_endpoint(tx, webhook))

    return call.do(test, status=202)


@router.get("/webhooks/{webhook}/deliveries", summary="List what was told to a webhook")
@told(gives=WebhookDeliveries, errors=(404, 422))
def list_webhook_deliveries(
    call: Annotated[Call, may(READ)],
    webhook: EndpointId,
    state: Annotated[State, Query(description="waiting, sending, delivered or given_up")] = "",
    after: After = "",
    limit: Annotated[int, Query(ge=1, le=actions.PAGE_MAX, description="rows of a page")] = 50,
) -> Response:
    """The newest events first."""
    at = go_on(after)

    def read(tx: Tx) -> WebhookDeliveries:
        rows = actions.list_deliveries(tx, webhook, state=state, before=at, limit=limit)
        last = rows[-1] if len(rows) == limit else None
        return WebhookDeliveries(
            deliveries=tuple(see(WebhookDelivery, row) for row in rows),
            after=write_cursor(last.at, last.id) if last else None,
        )

    return call.show(read)


@router.post("/webhooks/{webhook}/deliveries/{delivery}/replay", summary="Send one delivery once more")
@told(gives=WebhookDelivery, errors=(404, 409, 422))
def replay_webhook_delivery(call: Annotated[Call, may(WRITE)], webhook: EndpointId, delivery: DeliveryId) -> Response:
    """Under its old message id."""
    return call.do(lambda tx: see(WebhookDelivery, actions.send_again(tx, webhook, delivery, actor=call.actor)))


@router.post("/webhooks/{webhook}/replay", summary="Send what happened in a time once more", status_code=202)
@told(
    takes=WebhookReplayIn,
    gives=WebhookReplay,
    errors=(404, 422),
    status=202,
    example={"since": "2026-11-11T00:00:00Z", "until": "2026-11-12T00:00:00Z"},
)
def replay_webhook(call: Annotated[Call, may(WRITE)], webhook: EndpointId) -> Response:
    """Also what happened before the webhook was made, or while it was off."""
    asked = call.read(WebhookReplayIn)
    if asked.since.tzinfo is None or asked.until.tzinfo is None:
        raise Invalid("since", "an instant with its zone")

    def replay(tx: Tx) -> WebhookReplay:
        again = actions.replay(
            tx,
            webhook,
            since=asked.since,
            until=asked.until,
            delivered_too=asked.delivered_too,
            after=asked.after,
            actor=call.actor,
        )
        return WebhookReplay(queued=again.queued, after=again.last if again.more else None)

    return call.do(replay, status=202)


def _see_new(new: model.NewEndpoint) -> NewWebhook:
    return NewWebhook(webhook=see(Webhook, new.endpoint), secret=new.secret)
