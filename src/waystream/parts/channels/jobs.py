"""The channels' calls: a test, asked for by a person, and what staff is told of tickets."""

import secrets
from contextlib import suppress
from dataclasses import dataclass

from waystream.core.channels import Letter
from waystream.core.errors import Refused, Unavailable
from waystream.kernel.jobs import Claimed, Handler, Outside, Run, Sweep
from waystream.kernel.tx import Tx
from waystream.parts.channels import actions, model, staffing, store, store_words
from waystream.parts.channels.alarms import Alarm, compose, is_quiet
from waystream.parts.channels.post import OpenChannel, PostOffice

LETTER_ID_BYTES = 16
FORGET_S = 3_600.0
TEST_SUBJECT = {"zh": "Waystream 测试消息", "en": "A test from Waystream"}
TEST_TEXT = {
    "zh": "这是一条测试消息：渠道已接通，无需回复。",
    "en": "This is a test: the channel works. There is no need to answer.",
}


@dataclass(frozen=True, slots=True)
class TestChannel:
    """`test_channel`: does a message get through? A refusal is an answer, so nothing is tried twice."""

    outside: Outside
    kind: str = actions.TEST
    lease_s: float = 60.0
    max_attempts: int = 1
    concurrency: int = 2

    def do(self, run: Run) -> None:
        channel_id, language = int(run.job.key), str(run.job.args.get("language", "zh"))
        found = run.work.run(lambda tx: self._open(run, tx, channel_id))
        if found is not None:
            channel, to = found
            with suppress(Refused, Unavailable):  # what went wrong stands at the channel, in words
                channel.send(make_test(to, shop=channel.channel.shop, language=language))
        run.work.run(lambda tx: self._settle(run, tx, channel_id))

    def _open(self, run: Run, tx: Tx, channel_id: int) -> tuple[OpenChannel, str] | None:
        channel, sealed = store.find_channel(tx.conn, channel_id), store.read_test(tx.conn, channel_id)
        if channel is None or sealed is None:
            return None
        to = tx.keys.vault.open_secret(sealed, aad=model.test_aad(channel_id))
        return office(self.outside, run).open(tx, channel), to

    def _settle(self, run: Run, tx: Tx, channel_id: int) -> None:
        store.end_test(tx.conn, channel_id, at=tx.now)
        run.finish(tx)

    def give_up(self, tx: Tx, job: Claimed) -> None:
        store.end_test(tx.conn, int(job.key), at=tx.now)


@dataclass(frozen=True, slots=True)
class TellStaff:
    """`tell_staff`: all that waits for a channel, in one message. A quiet channel keeps it; the sweep asks again."""

    outside: Outside
    kind: str = staffing.TELL
    lease_s: float = 60.0
    max_attempts: int = 8
    concurrency: int = 4

    def do(self, run: Run) -> None:
        channel_id = int(run.job.key)
        found = run.work.run(lambda tx: self._open(run, tx, channel_id))
        if found is None:
            return
        channel, waiting = found
        language = channel.values.get("language", "zh")
        letter = compose(
            waiting,
            letter_id=secrets.token_hex(LETTER_ID_BYTES),
            shop=channel.channel.shop,
            language=language,
            address=self.outside.page_address,
        )
        channel.send(letter)
        run.work.run(lambda tx: self._settle(run, tx, channel_id, [alarm.event_id for alarm in waiting]))

    def _open(self, run: Run, tx: Tx, channel_id: int) -> tuple[OpenChannel, list[Alarm]] | None:
        channel = store.find_channel(tx.conn, channel_id)
        waiting = store_words.list_waiting(tx.conn, channel_id)
        if channel is None or channel.disabled_at is not None or not waiting:
            return None
        opened = office(self.outside, run).open(tx, channel)
        return None if is_quiet(opened.values, tx.now) else (opened, waiting)

    def _settle(self, run: Run, tx: Tx, channel_id: int, event_ids: list[int]) -> None:
        store_words.settle(tx.conn, channel_id, event_ids, at=tx.now)
        run.finish(tx)

    def give_up(self, tx: Tx, job: Claimed) -> None:
        """What went wrong stands at the channel; the tickets stand in the workbench."""
        store_words.settle_all(tx.conn, int(job.key), at=tx.now)


def make_test(to: str, *, shop: str, language: str) -> Letter:
    language = language if language in TEST_TEXT else "zh"
    return Letter(
        id=secrets.token_hex(LETTER_ID_BYTES),
        shop=shop,
        order="TEST",
        language=language,
        template="test",
        to=to,
        subject=TEST_SUBJECT[language],
        text=TEST_TEXT[language],
    )


def office(outside: Outside, run: Run) -> PostOffice:
    return PostOffice(run.work, outside.exchange, outside.gateways, outside.push_address)


SWEEPS: tuple[Sweep, ...] = (
    Sweep("remind_staff_channels", staffing.GATHER_S, staffing.remind),
    Sweep("forget_staff_words", FORGET_S, staffing.forget),
)


def handlers(outside: Outside) -> tuple[Handler, ...]:
    return (TestChannel(outside), TellStaff(outside))
