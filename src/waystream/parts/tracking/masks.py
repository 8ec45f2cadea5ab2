"""Trace texts without the people in them: phone numbers, house numbers and the names of couriers and signers.

Applied at the door to what is stored for long; the words as they came lie only in the sealed push. What names nobody
(a service number, a hub, "signed by himself") stays. In doubt a word goes: the raw can be opened, a leak not closed.
"""

import re

_MOBILE = re.compile(r"(?<!\d)(?:\+?86[- ]?)?1[3-9]\d(?:[- ]?\d{4}){2}(?!\d)")
_LANDLINE = re.compile(r"(?<!\d)(0\d{2,3})[- ]?\d{7,8}(?!\d)")
_HOUSE = re.compile(r"(?<![月\d])\d+(?=弄|号(?!柜|店|仓|网点|门店)|幢|栋|单元|室)")

_RECEIVER = "签收人|收件人|收货人|代收人|代签人"
_ROLE = f"(?:{_RECEIVER}|取件人|派件人|联系人|经办人|派件员|派送员|业务员|快递员|投递员|揽收员|收件员|小哥)(?:姓名)?"
_NOBODY = (
    "(?![是为]|本人|客户|顾客|门卫|前台|保安|物业|家人|家属|亲友|朋友|邻居|同事|同学|他人|单位|公司|代收|代签|拍照|"
    "签收|丰巢|菜鸟|速递易|驿站|快递柜|收发室|传达室|便利店|超市|已|正|凭|电|拒|要|未|不|无|信|联|地|请)"
)
_NAME = r"[\u4e00-\u9fa5·]"
_NO_PLACE = "(?<![部司点站店柜区仓室台卫业人号])(?<!中心)"
_MASKED_PHONE = r"\s*[（(\[【]?\s*(?:1\*|0\d{2,3}-\*)"

#: What stands before a name, the name, and what has to follow it. Phones are masked when these are asked.
_NAMED = tuple(re.compile(f"({before})({_NOBODY}{name})(?={after})") for before, name, after in (
    (rf"{_ROLE}\s*(?:(?:[:：]|是|为)\s*[【\[（(]?|[【\[（(])", f"{_NAME}{{2,6}}", ""),  # 派件员：王小明
    (rf"{_ROLE}\s*", f"{_NAME}{{2,6}}?", f"{_MASKED_PHONE}|已揽|正在"),  # 业务员王小明已揽收
    (r"(?:^|[】\])）\s，,。])", f"{_NAME}{{2,4}}{_NO_PLACE}", r"\s*[（(\[【]\s*1\*"),  # 【杭州】王小明（138…
    (r"由\s*", f"{_NAME}{{2,5}}?{_NO_PLACE}", "代?签收|代收"),  # 由王小明代签收
    (rf"(?:{_RECEIVER})\s*", f"{_NAME}{{2,5}}", r"$|[，,。；;（(\s]"),  # 收件人王小明，
))  # fmt: skip
_SUSPECT = re.compile(r"\d{7}|\d{4}[- ]\d{4}|[人员哥名由]|1\*|\d[弄号幢栋单室]")


def masked(text: str) -> str:
    """The text as it may be stored and shown: `派件员 张三 13812345678` keeps neither the name nor the digits."""
    if not _SUSPECT.search(text):
        return text
    text = _MOBILE.sub("1**********", text)
    text = _LANDLINE.sub(r"\1-********", text)
    text = _HOUSE.sub(lambda found: "*" * len(found[0]), text)
    for named in _NAMED:
        text = named.sub(lambda found: found[1] + found[2][0] + "**", text)
    return text
