"""What can be done with channels. Callers check `Caller.may("shop:write")` before they write.

What a person typed in goes in and is never given out again, except to whoever is about to send (`open_values`).
"""

from collections.abc import Mapping, Sequence
from hmac import compare_digest
from typing import cast

from waystream.core.channels import Report
from waystream.core.errors import Conflict, Invalid, Missing
from waystream.core.events.channels import LetterReported
from waystream.core.gateways import Gateway, Reach, Reporting, Values
from waystream.kernel.audit import Entry
from waystream.kernel.jobs import Job
from waystream.kernel.tx import Tx
from waystream.parts.channels import model, store
from waystream.parts.channels.model import Channel, ChannelIn

TEST = "test_channel"
NO_CHANNEL = "There is no such channel."

Gateways = Mapping[str, Gateway]


def list_channels(tx: Tx, shop_id: int | None = None) -> list[Channel]:
    """Of the shops the transaction sees, or of one, the preferred first."""
    return store.list_channels(tx.conn, shop_id)


def get_channel(tx: Tx, channel_id: int) -> Channel:
    found = store.find_channel(tx.conn, channel_id)
    if found is None:
        raise Missing(NO_CHANNEL)
    return found


def add_channel(tx: Tx, shop_id: int, gateway_name: str, told: ChannelIn, *, gateways: Gateways, actor: str) -> Channel:
    """Raises `Invalid` per field, `Conflict` for a name that is taken or a shop that has enough of them."""
    gateway = get_gateway(gateways, gateway_name)
    told = model.checked(told, gateway)
    if store.count_of_shop(tx.conn, shop_id) >= model.CHANNELS_MAX:
        raise Conflict(f"A shop has at most {model.CHANNELS_MAX} channels.")
    _refuse_taken(tx, shop_id, told.name)

    channel_id = store.next_id(tx.conn)
    store.insert(
        tx.conn,
        channel_id,
        shop_id,
        told,
        reach=gateway.caption.reach,
        gateway=gateway_name,
        sealed=_seal(tx, channel_id, told.values),
        at=tx.now,
    )
    _note(tx, "channel.add", channel_id, shop_id, actor=actor)
    return get_channel(tx, channel_id)


def change_channel(tx: Tx, channel_id: int, told: ChannelIn, *, gateways: Gateways, actor: str) -> Channel:
    """Shop and gateway stay; empty secrets keep what is stored."""
    old = get_channel(tx, channel_id)
    gateway = get_gateway(gateways, old.gateway)
    values = model.kept(open_values(tx, channel_id), told.values, gateway)
    told = model.checked(
        ChannelIn(told.name, values, told.rank, told.per_minute, told.priorities, told.causes), gateway
    )
    store.count_of_shop(tx.conn, old.shop_id)
    _refuse_taken(tx, old.shop_id, told.name, but=channel_id)

    store.update(tx.conn, channel_id, told, sealed=_seal(tx, channel_id, told.values))
    _note(tx, "channel.change", channel_id, old.shop_id, actor=actor)
    return get_channel(tx, channel_id)


def switch_channel(tx: Tx, channel_id: int, *, on: bool, actor: str) -> Channel:
    """What is under way goes on; new messages take the next channel."""
    old = get_channel(tx, channel_id)

    if store.switch(tx.conn, channel_id, disabled_at=None if on else tx.now):
        _note(tx, "channel.on" if on else "channel.off", channel_id, old.shop_id, actor=actor)
    return get_channel(tx, channel_id)


def remove_channel(tx: Tx, channel_id: int, *, actor: str) -> None:
    """At once, with what was typed in."""
    old = get_channel(tx, channel_id)

    store.remove(tx.conn, channel_id, at=tx.now)
    _note(tx, "channel.remove", channel_id, old.shop_id, actor=actor)


def test_channel(tx: Tx, channel_id: int, *, to: str, language: str, actor: str) -> None:
    """Send a test to `to` (nobody in particular for staff and the shop's own port); how it went stands at the channel.

    Raises `Invalid` without an address where one is needed.
    """
    old = get_channel(tx, channel_id)
    to = to.strip()
    if len(to) > model.TEST_TO_MAX or (not to and old.reach in (Reach.EMAIL, Reach.SMS)):
        raise Invalid("to", "whom the test goes to")

    sealed = tx.keys.vault.seal_secret(to, aad=model.test_aad(channel_id))
    store.keep_test(tx.conn, channel_id, sealed)
    tx.enqueue(Job(TEST, old.shop_id, str(channel_id), f"channel:{channel_id}", {"language": language[:2]}))
    _note(tx, "channel.test", channel_id, old.shop_id, actor=actor)


def show_values(tx: Tx, channel_id: int, *, gateways: Gateways) -> Values:
    """What was typed in, without the secrets."""
    gateway = get_gateway(gateways, get_channel(tx, channel_id).gateway)
    return model.shown(open_values(tx, channel_id), gateway)


def open_values(tx: Tx, channel_id: int) -> Values:
    """All that was typed in, for a call."""
    sealed = store.read_settings(tx.conn, channel_id)
    return model.from_text(tx.keys.vault.open_secret(sealed, aad=model.settings_aad(channel_id)))


def report_path(tx: Tx, channel_id: int, shop_id: int) -> str:
    """Where the other side tells what became of letters, after our own address. Nobody can guess it."""
    mark = tx.keys.vault.blind("channel reports", shop_id, str(channel_id))
    return f"/receipts/{channel_id}/{mark.hex()}"


def find_reporting(tx: Tx, channel_id: int, mark: str) -> Channel | None:
    """The channel whose report address this is; None for any other."""
    found = store.find_channel(tx.conn, channel_id)
    if found is None:
        return None
    expected = report_path(tx, channel_id, found.shop_id).rpartition("/")[2]
    return found if compare_digest(expected.encode(), mark.encode()) else None


def find_reporting_gateway(gateways: Gateways, channel: Channel | None) -> Reporting | None:
    """The channel's gateway if it is one that tells later what became of letters."""
    found = gateways.get(channel.gateway) if channel else None
    return cast(Reporting, found) if hasattr(found, "read_report") else None


def take_reports(tx: Tx, channel: Channel, reports: Sequence[Report]) -> None:
    """Say what the other side tells; whoever sent the letter knows which it was. Twice is as good as once."""
    if not reports:
        return
    store.note_reported(tx.conn, channel.id, at=tx.now)
    tx.emit(*(_reported(channel, report) for report in reports))


def _reported(channel: Channel, report: Report) -> LetterReported:
    return LetterReported(
        shop_id=channel.shop_id,
        channel_id=channel.id,
        channel=channel.name,
        state=report.state,
        receipt=report.receipt,
        letter_id=report.letter_id,
        said=report.said,
    )


def get_gateway(gateways: Gateways, name: str) -> Gateway:
    if name not in gateways:
        raise Invalid("gateway", "choose from the kinds that there are")
    return gateways[name]


def _refuse_taken(tx: Tx, shop_id: int, name: str, *, but: int = 0) -> None:
    if store.is_name_taken(tx.conn, shop_id, name, but=but):
        raise Conflict(f"This shop has a channel named {name} already.", path="name")


def _seal(tx: Tx, channel_id: int, values: Values) -> bytes:
    return tx.keys.vault.seal_secret(model.to_text(values), aad=model.settings_aad(channel_id))


def _note(tx: Tx, action: str, channel_id: int, shop_id: int, *, actor: str) -> None:
    tx.note(Entry(actor, action, f"channel:{channel_id}", shop_id))
