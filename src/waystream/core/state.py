"""The words a parcel's state can take (GLOSSARY: 包裹状态) and what each implies.

One vocabulary for every carrier network: integrations map their codes onto `Meaning`, the fold computes with it,
pages and rules read it. An unmapped code is `State.UNKNOWN`: a value, never a guess.
"""

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    AWAITING_COLLECTION = "awaiting_collection"  # 待揽收
    COLLECTED = "collected"  # 已揽收
    IN_TRANSIT = "in_transit"  # 运输中
    ARRIVED_AT_OUTLET = "arrived_at_outlet"  # 到网点
    OUT_FOR_DELIVERY = "out_for_delivery"  # 派送中
    READY_FOR_PICKUP = "ready_for_pickup"  # 待取件
    DELIVERED = "delivered"  # 已签收
    ATTEMPT_FAILED = "attempt_failed"  # 派送失败
    EXCEPTION = "exception"  # 问题件
    INTERCEPTED = "intercepted"  # 已拦截
    FORWARDED = "forwarded"  # 已转寄
    CUSTOMS = "customs"  # 清关中
    RETURNING = "returning"  # 退回中
    RETURNED = "returned"  # 已退回
    LOST = "lost"  # 遗失
    CANCELLED = "cancelled"  # 已取消
    NO_TRACE = "no_trace"  # 无轨迹
    UNKNOWN = "unknown"  # 未知


class Kind(StrEnum):
    """Finer words within a state: who signed, what went wrong."""

    NONE = ""
    IN_PERSON = "in_person"  # 本人签收
    BY_PROXY = "by_proxy"  # 代收
    LOCKER = "locker"  # 快递柜或驿站
    UNSPECIFIED = "unspecified"  # 未说明
    STALLED = "stalled"  # 停滞
    OVERDUE = "overdue"  # 超时未签收
    LOCKER_OVERDUE = "locker_overdue"  # 柜内超时未取
    DAMAGED = "damaged"  # 破损
    DELAYED = "delayed"  # 配送延迟
    MISROUTED = "misrouted"  # 错分
    CUSTOMS_HELD = "customs_held"  # 清关异常
    PROBLEM = "problem"  # 其他问题
    UNREACHABLE = "unreachable"  # 无法联系
    BAD_ADDRESS = "bad_address"  # 地址不详
    WRONG_PHONE = "wrong_phone"  # 电话错误
    OUT_OF_RANGE = "out_of_range"  # 超区
    REFUSED = "refused"  # 拒收
    FAILED = "failed"  # 未妥投


class Direction(StrEnum):
    OUT = "out"  # to the buyer
    BACK = "back"  # to the sender


@dataclass(frozen=True, slots=True)
class Meaning:
    """What one carrier code or text says, in our words.

    `coarse` marks a code that only names a group ("in transit"); finer knowledge of the same group outranks it.
    """

    state: State
    kind: Kind = Kind.NONE
    coarse: bool = False


UNKNOWN = Meaning(State.UNKNOWN)
FORWARDED = Meaning(State.FORWARDED)

#: How far along its way a state is: breaks ties between scans of the same second, orders nothing else.
RANK: dict[State, int] = {
    state: rank
    for rank, state in enumerate(
        (
            State.UNKNOWN,
            State.NO_TRACE,
            State.AWAITING_COLLECTION,
            State.CANCELLED,
            State.COLLECTED,
            State.CUSTOMS,
            State.IN_TRANSIT,
            State.FORWARDED,
            State.ARRIVED_AT_OUTLET,
            State.OUT_FOR_DELIVERY,
            State.READY_FOR_PICKUP,
            State.ATTEMPT_FAILED,
            State.EXCEPTION,
            State.INTERCEPTED,
            State.LOST,
            State.DELIVERED,
            State.RETURNING,
            State.RETURNED,
        )
    )
}

#: Words for a parcel that nobody has fetched: they say nothing once it was collected.
NOT_YET = frozenset({State.AWAITING_COLLECTION, State.NO_TRACE})

#: A scan with one of these shows that the carrier has (or had) the parcel.
CARRIED = frozenset(State) - NOT_YET - {State.UNKNOWN, State.CANCELLED}

#: After this nothing more is expected from the carrier.
TERMINAL = frozenset({State.DELIVERED, State.RETURNED, State.LOST, State.CANCELLED})

#: Later scans that contradict a delivery. A late hub scan does not.
CONTRADICTS_DELIVERY = frozenset({State.OUT_FOR_DELIVERY, State.ATTEMPT_FAILED, State.RETURNING, State.RETURNED})

#: States a coarse "on its way" (Kdniao 2) adds nothing to.
MOVING = frozenset(
    {
        State.COLLECTED,
        State.IN_TRANSIT,
        State.ARRIVED_AT_OUTLET,
        State.OUT_FOR_DELIVERY,
        State.READY_FOR_PICKUP,
        State.FORWARDED,
        State.CUSTOMS,
        State.RETURNING,
    }
)

#: States a coarse "problem" (Kdniao 4) adds nothing to.
TROUBLED = frozenset(
    {State.EXCEPTION, State.ATTEMPT_FAILED, State.INTERCEPTED, State.RETURNING, State.RETURNED, State.LOST}
)
