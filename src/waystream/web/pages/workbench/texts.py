"""Texts for the carrier, ready to be sent or read out: in Chinese whatever the page speaks, for they go to Chinese
carriers. They hold a number, a region and what is wanted; never a receiver's name or phone. Pure."""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from waystream.core.carriers import name_of


@dataclass(frozen=True, slots=True)
class Facts:
    """What such a text is made of; `latest` is the carrier's own last line."""

    carrier: str
    number: str
    region: str
    latest: str
    scanned_at: datetime | None


def urge_text(facts: Facts, zone: ZoneInfo) -> str:
    last = f"最后轨迹：{_time(facts, zone)}{facts.latest}。" if facts.latest else "至今没有轨迹。"
    return f"{_head(facts)}{last}请核实包裹位置，尽快派送，并告知预计时间。"


def intercept_text(facts: Facts) -> str:
    return f"{_head(facts)}请拦截此件并退回寄件地，派送前停止派送；拦截结果请告知。"


def readdress_text(facts: Facts, address: str) -> str:
    return f"{_head(facts)}请改派到新地址：{address}。改派结果请告知。"


def claim_text(facts: Facts, *, cause: str, amount_yuan: str) -> str:
    return f"{_head(facts)}{cause}，申请理赔 {amount_yuan} 元；轨迹、原始推送和面单见附件。"


def _head(facts: Facts) -> str:
    return f"{name_of(facts.carrier)} {facts.number}，收件地 {facts.region}。"


def _time(facts: Facts, zone: ZoneInfo) -> str:
    return f"{facts.scanned_at.astimezone(zone):%m-%d %H:%M} " if facts.scanned_at else ""
