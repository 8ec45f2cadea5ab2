"""The main carriers by the code that aggregators and shops call them by (ZTO-style, upper case), in both languages.

A carrier that is not here is shown by its code: a new one works before anybody names it.
"""

from typing import Literal

Language = Literal["zh", "en"]

_ZH, _EN = 0, 1
_NAMES = {
    "SF": ("顺丰速运", "SF Express"),
    "JD": ("京东快递", "JD Express"),
    "ZTO": ("中通快递", "ZTO Express"),
    "YTO": ("圆通速递", "YTO Express"),
    "STO": ("申通快递", "STO Express"),
    "YD": ("韵达速递", "Yunda Express"),
    "JTSD": ("极兔速递", "J&T Express"),
    "EMS": ("EMS", "EMS"),
    "YZPY": ("邮政快递包裹", "China Post Parcel"),
    "YZBK": ("邮政标快", "China Post Standard Express"),
    "DBL": ("德邦快递", "Deppon Express"),
    "DBLKY": ("德邦快运", "Deppon Freight"),
    "HTKY": ("百世快递", "Best Express"),
    "BTWL": ("百世快运", "Best Freight"),
    "UC": ("优速快递", "UCE Express"),
    "HHTT": ("天天快递", "TTK Express"),
    "ZJS": ("宅急送", "ZJS Express"),
    "KYSY": ("跨越速运", "KYE Express"),
    "JDKY": ("京东快运", "JD Freight"),
    "ZTOKY": ("中通快运", "ZTO Freight"),
    "YDKY": ("韵达快运", "Yunda Freight"),
    "ANE": ("安能快递", "ANE Express"),
    "ANEKY": ("安能快运", "ANE Freight"),
    "SX": ("顺心捷达", "SX Freight"),
    "ZYE": ("众邮快递", "ZY Express"),
    "FWX": ("丰网速运", "Fengwang Express"),
    "DNWL": ("丹鸟物流", "Danniao Logistics"),
    "SURE": ("速尔快递", "Sure Express"),
    "YMDD": ("壹米滴答", "Yimidida Freight"),
    "DHL": ("DHL", "DHL"),
    "UPS": ("UPS", "UPS"),
}

#: Whom a person calls in China where the network has no call for it.
_HOTLINES = {
    "SF": "95338", "JD": "950616", "ZTO": "95311", "YTO": "95554", "STO": "95543", "YD": "95546", "JTSD": "956025",
    "EMS": "11183", "YZPY": "11183", "YZBK": "11183", "DBL": "95353", "HTKY": "95320", "KYSY": "95324",
}  # fmt: skip

CODES: tuple[str, ...] = tuple(_NAMES)


def name_of(code: str, language: Language = "zh") -> str:
    """圆通速递 for YTO; the code itself where we know no name."""
    names = _NAMES.get(code)
    return names[_ZH if language == "zh" else _EN] if names else code


def hotline_of(code: str) -> str:
    """The carrier's number for the public; empty where we know none."""
    return _HOTLINES.get(code, "")
