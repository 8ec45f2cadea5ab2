"""What the network says of a waybill as a whole: its newest scan's code, or what the elapsed time makes of it.

Without a new scan 401, 402, 403 and 412 appear by themselves, and a subscription dies of silence. Pure; the rules are
those the aggregator publishes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from waystream.sandbox.world import Happening, told_at

_NOTHING_YET = "0"
FINAL_CODES = frozenset({"3", "301", "302", "304", "311", "406", "415"})

_NO_TRACE_AFTER = timedelta(hours=24)  # the first word of a parcel that nobody collects
_NO_INFORMATION_AFTER = timedelta(hours=48)
_DIES_UNTRACED_AFTER = timedelta(days=3)
_OVERDUE_AFTER = timedelta(hours=36)
_LOCKER_AFTER = timedelta(hours=18)
_STALLED_AFTER = timedelta(days=5)
_DIES_UNCHANGED_AFTER = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Standing:
    """`died`: the reason with which the network stops watching."""

    state_ex: str
    success: bool = True
    reason: str = ""
    died: bool = False


def standing(happenings: Sequence[Happening], *, since: datetime, now: datetime) -> Standing:
    """What is said of a waybill watched since `since`."""
    told = told_at(happenings, now)
    if not told:
        return _untraced(now - since)
    last = told[-1]
    if last.code in FINAL_CODES:
        return Standing(last.code)
    silence = now - last.at
    if silence >= _DIES_UNCHANGED_AFTER and now - since >= _DIES_UNCHANGED_AFTER:
        return Standing("403", success=False, reason="七天内无轨迹变化", died=True)
    return Standing(_elapsed(told, silence) or last.code or "4")


def _untraced(waited: timedelta) -> Standing:
    if waited >= _DIES_UNTRACED_AFTER:
        return Standing("401", success=False, reason="三天无轨迹", died=True)
    code = "401" if waited >= _NO_INFORMATION_AFTER else _NOTHING_YET
    return Standing(code, success=False, reason="暂无轨迹信息")


def _elapsed(told: Sequence[Happening], silence: timedelta) -> str:
    if silence >= _STALLED_AFTER:
        return "403"
    if told[-1].code == "211" and silence >= _LOCKER_AFTER:
        return "412"
    if any(one.code in ("202", "419") for one in told) and silence >= _OVERDUE_AFTER:
        return "402"
    return ""


def next_change(happenings: Sequence[Happening], *, since: datetime, now: datetime) -> datetime | None:
    """The next instant at which there is something new to tell; None when nothing more will come."""
    first_word = since + _NO_TRACE_AFTER
    moments = sorted(moment for moment in _moments(happenings, since=since, now=now) if moment > now)
    told, said = told_at(happenings, now), standing(happenings, since=since, now=now)
    for moment in moments:
        if (not told and moment == first_word) or told_at(happenings, moment) != told:
            return moment
        if standing(happenings, since=since, now=moment) != said:
            return moment
    return None


def _moments(happenings: Sequence[Happening], *, since: datetime, now: datetime) -> list[datetime]:
    """When something might change: scans, withdrawals, and the time-outs that run now."""
    moments = [one.at for one in happenings] + [one.gone_at for one in happenings if one.gone_at is not None]
    told = told_at(happenings, now)
    if not told:
        return moments + [since + wait for wait in (_NO_TRACE_AFTER, _NO_INFORMATION_AFTER, _DIES_UNTRACED_AFTER)]
    waits = (_LOCKER_AFTER, _OVERDUE_AFTER, _STALLED_AFTER)
    return [*moments, *(told[-1].at + wait for wait in waits), max(told[-1].at, since) + _DIES_UNCHANGED_AFTER]
