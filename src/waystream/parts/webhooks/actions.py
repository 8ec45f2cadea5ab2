"""What can be done with endpoints, and what the rule does: queue events for those who want them.

Before they write, callers check `Caller.may`: `webhooks:write`. `private_hosts` are the hosts that the operator allows
to be private and to speak plain http.
"""

from collections.abc import Collection, Sequence
from datetime import datetime

from waystream.core.errors import Conflict, Invalid, Missing
from waystream.core.public_event import is_wanted, public_types
from waystream.kernel.audit import Entry
from waystream.kernel.log import Recorded
from waystream.kernel.tx import Tx
from waystream.parts.webhooks import model, signing, store, store_deliveries
from waystream.parts.webhooks.model import Delivery, Endpoint, EndpointIn, Happened, NewDelivery, NewEndpoint
from waystream.parts.webhooks.store_deliveries import Again, Span

PAGE_MAX = 200
REPLAYED_AT_ONCE = 10_000

NO_ENDPOINT, NO_DELIVERY = (
    "There is no such endpoint.", "There is no such delivery.",
)  # fmt: skip


def list_endpoints(tx: Tx) -> list[Endpoint]:
    """Those of the shops the transaction sees."""
    return store.list_endpoints(tx.conn)


def get_endpoint(tx: Tx, endpoint_id: int) -> Endpoint:
    found = store.find_endpoint(tx.conn, endpoint_id)
    if found is None:
        raise Missing(NO_ENDPOINT)
    return found


def add_endpoint(
    tx: Tx, shop_id: int, told: EndpointIn, *, actor: str, private_hosts: Collection[str] = ()
) -> NewEndpoint:
    """Raises `Invalid` for a bad address or unknown events, `Conflict` when the shop has enough of them."""
    told = model.checked(told, private_hosts=private_hosts)
    if store.count_of_shop(tx.conn, shop_id) >= model.ENDPOINTS_MAX:
        raise Conflict(f"A shop has at most {model.ENDPOINTS_MAX} endpoints.")
    endpoint_id, secret = store.next_id(tx.conn), signing.new_secret()

    store.insert(tx.conn, endpoint_id, shop_id, told, sealed=_seal(tx, endpoint_id, secret), at=tx.now)
    _note(tx, "create", endpoint_id, shop_id, actor=actor)
    return NewEndpoint(get_endpoint(tx, endpoint_id), secret)


def change_endpoint(
    tx: Tx, endpoint_id: int, told: EndpointIn, *, actor: str, private_hosts: Collection[str] = ()
) -> Endpoint:
    """From now on; what waits goes to the new address."""
    told = model.checked(told, private_hosts=private_hosts)
    old = get_endpoint(tx, endpoint_id)

    store.update(tx.conn, endpoint_id, told)
    _note(tx, "change", endpoint_id, old.shop_id, actor=actor)
    return get_endpoint(tx, endpoint_id)


def rotate_secret(tx: Tx, endpoint_id: int, *, actor: str) -> NewEndpoint:
    """A new secret; the one before signs as well for a day, an older one no more."""
    old, secret = get_endpoint(tx, endpoint_id), signing.new_secret()

    until = tx.now + model.OLD_SECRET_LIVES
    store.rotate(tx.conn, endpoint_id, sealed=_seal(tx, endpoint_id, secret), old_until=until)
    _note(tx, "rotate", endpoint_id, old.shop_id, actor=actor)
    return NewEndpoint(get_endpoint(tx, endpoint_id), secret)


def switch_endpoint(tx: Tx, endpoint_id: int, *, on: bool, actor: str) -> Endpoint:
    """Switched on again it goes on with what waited; what happened while it was off is replayed by whoever wants it."""
    old = get_endpoint(tx, endpoint_id)

    changed = store.switch_on(tx.conn, endpoint_id) if on else store.switch_off(tx.conn, endpoint_id, at=tx.now)
    if changed:
        store_deliveries.wake(tx.conn)
        _note(tx, "switch_on" if on else "switch_off", endpoint_id, old.shop_id, actor=actor)
    return get_endpoint(tx, endpoint_id)


def remove_endpoint(tx: Tx, endpoint_id: int, *, actor: str) -> None:
    """At once; its log is forgotten little by little."""
    old = get_endpoint(tx, endpoint_id)

    store.remove(tx.conn, endpoint_id, at=tx.now)
    _note(tx, "remove", endpoint_id, old.shop_id, actor=actor)


def test_endpoint(tx: Tx, endpoint_id: int, *, actor: str) -> None:
    """Send an event that means nothing. Raises `Conflict` for an endpoint that is off."""
    found = get_endpoint(tx, endpoint_id)
    if found.disabled_at is not None:
        raise Conflict("This endpoint is switched off: switch it on first.")

    store_deliveries.insert(tx.conn, [NewDelivery(endpoint_id, found.shop_id, None, model.TEST_TYPE, tx.now)])
    _note(tx, "test", endpoint_id, found.shop_id, actor=actor)


def list_deliveries(
    tx: Tx, endpoint_id: int, *, state: str = "", before: tuple[datetime, int] | None = None, limit: int = 50
) -> list[Delivery]:
    """The newest events first. Raises `Missing`."""
    get_endpoint(tx, endpoint_id)
    return store_deliveries.list_of_endpoint(
        tx.conn, endpoint_id, state=state, before=before, limit=min(limit, PAGE_MAX)
    )


def send_again(tx: Tx, endpoint_id: int, delivery_id: int, *, actor: str) -> Delivery:
    """One delivery once more, under its old message id. Raises `Conflict` while it is being sent."""
    found = get_endpoint(tx, endpoint_id)
    if store_deliveries.find(tx.conn, endpoint_id, delivery_id) is None:
        raise Missing(NO_DELIVERY)
    if not store_deliveries.send_again(tx.conn, delivery_id):
        raise Conflict("It is being sent right now.")

    _note(tx, "send_again", endpoint_id, found.shop_id, actor=actor, delivery=delivery_id)
    sent = store_deliveries.find(tx.conn, endpoint_id, delivery_id)
    assert sent is not None, "a delivery vanished"
    return sent


def replay(
    tx: Tx,
    endpoint_id: int,
    *,
    since: datetime,
    until: datetime,
    actor: str,
    delivered_too: bool = False,
    after: int = 0,
    limit: int = REPLAYED_AT_ONCE,
) -> Again:
    """Queue what happened from `since` until before `until` and was not delivered (or all of it), `limit` at once.

    Where there is `more`, go on with `after`, the `last` of the answer.
    """
    if since >= until:
        raise Invalid("until", "has to be later than the beginning")
    found = get_endpoint(tx, endpoint_id)
    types = {event.__name__: kind for kind, event in public_types().items() if is_wanted(kind, found.wanted)}

    span = Span(endpoint_id, found.shop_id, since, until, types, delivered_too, after)
    again = store_deliveries.replay(tx.conn, span, limit=limit)
    _note(tx, "replay", endpoint_id, found.shop_id, actor=actor, queued=again.queued)
    return again


def fan_out(tx: Tx, recorded: Sequence[Recorded]) -> int:
    """Queue events for every endpoint that wants them; how many rows. Twice is once."""
    readers = store.list_readers(tx.conn, {told.event.shop_id for told in recorded})
    if not readers:
        return 0
    happened = [Happened(told.id, told.event.shop_id, told.event.public, told.at) for told in recorded]
    return store_deliveries.insert(tx.conn, model.fan_out(readers, [each for each in happened if each.type]))


def tidy_up(tx: Tx) -> int:
    """Forget old secrets, what was told long ago, and what belonged to endpoints that were removed; how many rows."""
    return (
        store.forget_old_secrets(tx.conn, at=tx.now)
        + store_deliveries.forget(tx.conn, before=tx.now - model.KEPT)
        + store_deliveries.forget_removed(tx.conn)
        + store.forget_removed(tx.conn)
    )


def _seal(tx: Tx, endpoint_id: int, secret: str) -> bytes:
    return tx.keys.vault.seal_secret(secret, aad=signing.secret_aad(endpoint_id))


def _note(tx: Tx, action: str, endpoint_id: int, shop_id: int, *, actor: str, **detail: str | int) -> None:
    tx.note(Entry(actor, action, f"webhook:{endpoint_id}", shop_id, detail=detail))
