"""What staff is told of tickets: gathered by the minute for each channel, quiet at night, said in one message.

Guaranteed: a channel says at most one message a minute however many tickets open; a ticket's event is said once by
each channel; what comes while a channel is quiet is said when it may speak again. Priority, cause and shop choose.
"""

from collections.abc import Collection, Sequence
from datetime import timedelta

from waystream.core.gateways import Reach
from waystream.kernel.jobs import Job
from waystream.kernel.tx import Tx
from waystream.parts.channels import store, store_words
from waystream.parts.channels.alarms import Alarm, choose
from waystream.parts.channels.model import Channel
from waystream.parts.channels.store_words import Waiting

TELL = "tell_staff"
GATHER_S = 60  # machine time: how long the first word waits for others, and so between two messages of a channel
KEPT = timedelta(days=30)


def tell(tx: Tx, alarms: Sequence[Alarm]) -> int:
    """Let every staff channel that wants to hear of them say so within a minute; how many words are new."""
    listening = _listening(tx, {alarm.shop_id for alarm in alarms})

    words = choose(listening, alarms)

    added = store_words.insert(tx.conn, words)
    tx.enqueue(*(_job(channel) for channel in listening if any(word.channel_id == channel.id for word in words)))
    return added


def _listening(tx: Tx, shop_ids: Collection[int]) -> list[Channel]:
    found = [channel for shop_id in sorted(shop_ids) for channel in store.list_channels(tx.conn, shop_id)]
    return [channel for channel in found if channel.reach is Reach.STAFF and channel.disabled_at is None]


def remind(tx: Tx) -> int:
    """Channels whose words wait without a job: written while one ran, or kept through a quiet night."""
    waiting = store_words.list_waiting_channels(tx.conn)
    tx.enqueue(*(_job(each) for each in waiting))
    return len(waiting)


def forget(tx: Tx) -> int:
    """What was told long ago."""
    return store_words.forget(tx.conn, before=tx.now - KEPT)


def _job(channel: Channel | Waiting) -> Job:
    return Job(TELL, channel.shop_id, str(channel.id), f"channel:{channel.id}", delay_s=GATHER_S)
