"""What buyers of the sample world's first shop were told: one message in each state, by the real actions."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from waystream.core.channels import BuyerChannel, ChannelKind, Handed, Letter, Report, ReportState
from waystream.kernel.tx import Tx
from waystream.parts.notices import actions, sending, words
from waystream.parts.notices.actions import Saying
from waystream.parts.notices.kinds import Words
from waystream.parts.notices.model import Happening, Policy

POLICY = Policy(enabled=True, per_order_day=20, per_person_day=20, channels=("mail",))


@dataclass(frozen=True, slots=True)
class Mute:
    """A channel that takes everything and sends nothing."""

    name: str = "sms"
    kind: ChannelKind = ChannelKind.SMS
    repeatable: bool = False

    def send(self, letter: Letter) -> Handed:
        return Handed(letter.id)


def _channels(tx: Tx, shop_id: int) -> Sequence[BuyerChannel]:
    return (Mute(),)


def tell_buyers(tx: Tx, shop_id: int) -> int:
    """The id of a message that arrived."""
    actions.save_policy(tx, shop_id, replace(POLICY, quiet_from_min=0, quiet_until_min=0), actor="staff:1")
    parcels = tx.conn.execute(
        """SELECT p.id, t.state FROM parcel p JOIN track t ON t.parcel_id = p.id
           WHERE p.shop_id = %s ORDER BY p.id""",
        [shop_id],
    ).fetchall()
    kinds = {"out_for_delivery": "out_for_delivery", "delivered": "delivered", "ready_for_pickup": "ready_for_pickup",
             "exception": "delayed", "attempt_failed": "attempt_failed"}  # fmt: skip
    actions.plan(tx, [Happening(shop_id, each, kinds.get(state, "shipped"), tx.now) for each, state in parcels])
    planned = tx.conn.execute("SELECT id, order_id FROM notice WHERE shop_id = %s ORDER BY id", [shop_id]).fetchall()
    arrived = 0
    for nth, (notice_id, _) in enumerate(planned):
        sent = sending.compose(tx, notice_id, _channels) if nth % 6 != 5 else None
        if sent is None:
            continue
        if nth % 6 == 4:
            sending.settle_doubted(tx, sent, said="no answer")
            continue
        sending.settle_handed(tx, sent, Handed(f"r{notice_id}"))
        if nth % 6 == 0:
            arrived = arrived or notice_id
            actions.take_reports(tx, shop_id, "sms", [Report(ReportState.DELIVERED, f"r{notice_id}", said="DELIVRD")])
        if nth % 6 == 1:
            actions.take_reports(tx, shop_id, "sms", [Report(ReportState.REFUSED, f"r{notice_id}", said="MK:0001")])
    _say(tx, planned[0][1])
    _change_words(tx, shop_id)
    actions.save_policy(tx, shop_id, POLICY, actor="staff:1")
    assert arrived, "no message arrived in the sample world"
    return arrived


def _say(tx: Tx, order_id: int) -> None:
    """A person's message that left, and one that waits."""
    said = actions.say(tx, order_id, Saying("您好，{order} 的包裹已在查，今天给您答复。"), actor="staff:1")
    sent = sending.compose(tx, said, _channels)
    assert sent is not None
    sending.settle_handed(tx, sent, Handed("r0"))
    actions.say(tx, order_id, Saying("补充一句：{order} 明天到。"), actor="staff:1")


def _change_words(tx: Tx, shop_id: int) -> None:
    for begins in ("{order} 出发啦", "您的 {order} 已在路上"):
        text = f"【{{shop}}】{begins}[，{{carrier}} {{number}}]。"
        words.save(tx, shop_id, Words("{order} 出发啦", text), kind="shipped", language="zh", actor="staff:1")
