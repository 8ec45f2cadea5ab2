"""The language of care: what can be wrong with a parcel or an order, how bad it is, and how a ticket ends.

A `Trouble` is what rules hand to `parts.care`; whether it opens a ticket, raises one or is over already is decided
there. Adding a cause is adding a word here and its row in `parts.care.model`.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum, StrEnum


class Cause(StrEnum):
    """Why somebody has to look: what the carrier says, what the carrier keeps silent about, what the buyer says."""

    NOT_DISPATCHED = "not_dispatched"  # 超时未发货
    NOT_COLLECTED = "not_collected"  # 发货后未揽收
    STALLED = "stalled"  # 轨迹停滞
    ATTEMPT_FAILED = "attempt_failed"  # 派送失败
    REFUSED = "refused"  # 拒收
    DAMAGED = "damaged"  # 破损
    LOST = "lost"  # 遗失
    WRONG_ADDRESS = "wrong_address"  # 地址或电话有误
    LOCKER_OVERDUE = "locker_overdue"  # 柜内超时未取
    RETURNING = "returning"  # 退回中
    CUSTOMS = "customs"  # 清关异常
    SIGNED_ELSEWHERE = "signed_elsewhere"  # 异地签收
    SIGNED_TOO_EARLY = "signed_too_early"  # 签收过早
    INTERCEPTED_BUT_DELIVERED = "intercepted_but_delivered"  # 拦截后仍派送
    SUBSCRIPTION_DEAD = "subscription_dead"  # 轨迹订阅中断
    CANCELLED_NUMBER_SCANNED = "cancelled_number_scanned"  # 已取消的单号仍在流转
    OVERDUE = "overdue"  # 超时未签收
    MISROUTED = "misrouted"  # 错分
    PROBLEM = "problem"  # 其他问题件
    BUYER_NOT_RECEIVED = "buyer_not_received"  # 买家说没收到
    BUYER_DAMAGED = "buyer_damaged"  # 买家说破损
    BUYER_WANTS_ADDRESS = "buyer_wants_address"  # 买家要改地址
    INCIDENT = "incident"  # 网络异常


class Priority(StrEnum):
    """How soon a person has to act; the shop's settings say in how many working minutes."""

    HIGH = "high"  # today
    NORMAL = "normal"
    LOW = "low"


class Severity(IntEnum):
    """How bad it is; a trouble that got worse raises its ticket."""

    MINOR = 1
    SERIOUS = 2
    GRAVE = 3


class Ending(StrEnum):
    """How a ticket ended: the first by itself, from SOLVED on by a person."""

    DELIVERED = "delivered"  # 已签收
    MOVED_ON = "moved_on"  # 包裹已继续流转
    COLLECTED = "collected"  # 已揽收
    DISPATCHED = "dispatched"  # 已出库
    CALLED_OFF = "called_off"  # 订单或包裹已取消
    RETRACTED = "retracted"  # 起因已不成立
    CONFIRMED = "confirmed"  # 买家确认收到
    CLEARED = "cleared"  # 网络异常已结束
    SOLVED = "solved"  # 已解决
    RESHIPPED = "reshipped"  # 已补发
    REFUNDED = "refunded"  # 已退款
    CLAIMED = "claimed"  # 已理赔
    NOTHING_TO_DO = "nothing_to_do"  # 无需处理
    MERGED = "merged"  # 已合并


#: How a person may close a ticket; MERGED comes from merging.
BY_PERSON = (Ending.SOLVED, Ending.RESHIPPED, Ending.REFUNDED, Ending.CLAIMED, Ending.NOTHING_TO_DO)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """Something that is wrong since `at`, with a slow-down, else a parcel, else an order.

    `because` is where "why?" leads (`inbox:ID`, `event:ID` …), `kind` the finer word of the state. Without a `severity`
    the cause decides. `warehouse_id`, and the order of a parcel, are looked up.
    """

    shop_id: int
    cause: Cause
    at: datetime
    because: str
    parcel_id: int | None = None
    order_id: int | None = None
    slowdown_id: int | None = None
    kind: str = ""
    severity: Severity | None = None
    warehouse_id: int | None = None

    def __post_init__(self) -> None:
        assert self.slowdown_id or self.parcel_id or self.order_id, "a trouble is about something"

    @property
    def about(self) -> str:
        """The one thing it is about: one open ticket for it and its cause."""
        if self.slowdown_id:
            return f"slowdown:{self.slowdown_id}"
        return f"parcel:{self.parcel_id}" if self.parcel_id else f"order:{self.order_id}"
