"""Alarms: a ticket as staff is told of it; which channel says which, when it is quiet, and the one message. Pure."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from waystream.core.care import Cause, Priority
from waystream.core.channels import Letter
from waystream.core.gateways import Values
from waystream.parts.channels.model import Channel

SHOWN = 10
QUIET_ZONE = ZoneInfo("Asia/Shanghai")
_QUIET = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)")

CAUSE_WORDS: dict[Cause, tuple[str, str]] = {
    Cause.NOT_DISPATCHED: ("超时未发货", "not dispatched in time"),
    Cause.NOT_COLLECTED: ("发货后未揽收", "not collected"),
    Cause.STALLED: ("轨迹停滞", "stalled"),
    Cause.ATTEMPT_FAILED: ("派送失败", "attempt failed"),
    Cause.REFUSED: ("拒收", "refused"),
    Cause.DAMAGED: ("破损", "damaged"),
    Cause.LOST: ("遗失", "lost"),
    Cause.WRONG_ADDRESS: ("地址或电话有误", "wrong address or phone"),
    Cause.LOCKER_OVERDUE: ("柜内超时未取", "overdue at the pickup point"),
    Cause.RETURNING: ("退回中", "returning"),
    Cause.CUSTOMS: ("清关异常", "held by customs"),
    Cause.SIGNED_ELSEWHERE: ("异地签收", "signed elsewhere"),
    Cause.SIGNED_TOO_EARLY: ("签收过早", "signed too early"),
    Cause.INTERCEPTED_BUT_DELIVERED: ("拦截后仍派送", "intercepted but delivered"),
    Cause.SUBSCRIPTION_DEAD: ("轨迹订阅中断", "subscription died"),
    Cause.CANCELLED_NUMBER_SCANNED: ("已取消的单号仍在流转", "cancelled number scanned"),
    Cause.OVERDUE: ("超时未签收", "overdue"),
    Cause.MISROUTED: ("错分", "misrouted"),
    Cause.PROBLEM: ("其他问题件", "another problem"),
    Cause.BUYER_NOT_RECEIVED: ("买家说没收到", "the buyer has not got it"),
    Cause.BUYER_DAMAGED: ("买家说破损", "the buyer says damaged"),
    Cause.BUYER_WANTS_ADDRESS: ("买家要改地址", "the buyer wants another address"),
    Cause.INCIDENT: ("网络异常", "slow-down of the network"),
}


@dataclass(frozen=True, slots=True)
class Alarm:
    """A ticket that opened, got worse or is wrong again, as staff is told of it."""

    event_id: int
    shop_id: int
    ticket_id: int
    cause: Cause
    priority: Priority
    at: datetime


@dataclass(frozen=True, slots=True)
class Word:
    """An alarm for one channel."""

    channel_id: int
    alarm: Alarm


def choose(channels: Iterable[Channel], alarms: Sequence[Alarm]) -> list[Word]:
    """Which channel says which alarm: those of its shop, of its priorities and causes (none named: every cause)."""
    return [
        Word(channel.id, alarm)
        for channel in channels
        for alarm in alarms
        if channel.shop_id == alarm.shop_id
        and alarm.priority in channel.priorities
        and (not channel.causes or alarm.cause in channel.causes)
    ]


def is_quiet(values: Values, now: datetime) -> bool:
    """Whether the channel wants to be left alone now; `22:00-08:00` reaches over midnight."""
    found = _QUIET.fullmatch(values.get("quiet", ""))
    if found is None:
        return False
    begin, end = found[1] + found[2], found[3] + found[4]
    here = f"{now.astimezone(QUIET_ZONE):%H%M}"
    return begin <= here < end if begin <= end else (here >= begin or here < end)


def compose(alarms: Sequence[Alarm], *, letter_id: str, shop: str, language: str, address: str) -> Letter:
    """One message for all: how many, the first of them by cause and priority, and where to go on."""
    zh = language != "en"
    urgent = sum(alarm.priority is Priority.HIGH for alarm in alarms)
    tickets = "ticket" if len(alarms) == 1 else "tickets"
    head = (
        f"Waystream · {shop}：{len(alarms)} 张工单，{urgent} 张今天要处理"
        if zh
        else f"Waystream · {shop}: {len(alarms)} {tickets}, {urgent} to be done today"
    )
    lines = [_line(alarm, zh=zh) for alarm in alarms[:SHOWN]]
    more = len(alarms) - len(lines)
    if more:
        lines.append(f"…另有 {more} 张" if zh else f"… and {more} more")
    if address:
        lines.append(f"{address}/workbench")
    return Letter(letter_id, shop, "", "zh" if zh else "en", "tickets", "", head, "\n".join(lines))


def _line(alarm: Alarm, *, zh: bool) -> str:
    chinese, english = CAUSE_WORDS[alarm.cause]
    mark = "！" if zh else "!"
    urgent = mark if alarm.priority is Priority.HIGH else ""
    return f"#{alarm.ticket_id} {chinese if zh else english}{urgent}"
