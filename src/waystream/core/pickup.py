"""Where a parcel waits and the code that opens it, read from a carrier's words.

Carriers tell both in the text only: 【丰巢】…请凭取件码 1234-5678…. Guaranteed: what is not said plainly is empty,
never a guess; a phone number is never taken for a code.
"""

import re
from dataclasses import dataclass

_CODE = re.compile(
    r"(?:取件码|提货码|取货码|取件密码|提取码|取件号|货号|凭码|pickup code)\s*(?:[:：为是]|is)?\s*[【\[（(「]?\s*"
    r"([A-Za-z0-9](?:[A-Za-z0-9]|-(?=[A-Za-z0-9])){1,15})(?![\d*])",
    re.IGNORECASE,
)
_KEEPERS = (
    "丰巢|快递柜|智能柜|自提柜|菜鸟|驿站|妈妈|兔喜|邮政|速递易|自提点|代收点|快递超市|便利店|服务站|代办点|"
    "智能快件箱|locker"
)
_BRACKETED = re.compile(
    rf"【([^【】]{{2,60}})】(?=[^【】]{{0,12}}(?:取|领|提|请凭|存放|等待))|【([^【】]{{0,50}}(?:{_KEEPERS})[^【】]{{0,30}})】"
)
_PLAIN = re.compile(
    rf"(?:已?(?:放入|存放(?:至|在|于)?|投递(?:至|到)|投放(?:至|到)|送达|到达|暂存(?:至|在)?|放(?:在|至)))\s*"
    rf"([^，,。；;【】（）()]{{0,40}}(?:{_KEEPERS})[^，,。；;【】（）()]{{0,20}})"
)
_MOBILE = re.compile(r"1[3-9]\d{9}")


@dataclass(frozen=True, slots=True)
class Pickup:
    """`place`: a locker or station as the carrier names it. `code`: what is typed or said there. Empty: not told."""

    place: str = ""
    code: str = ""


def read_pickup(text: str) -> Pickup:
    return Pickup(_place(text), _code(text))


def _code(text: str) -> str:
    found = _CODE.search(text)
    if found is None or _MOBILE.fullmatch(found[1]) or not any(char.isdigit() for char in found[1]):
        return ""
    return found[1]


def _place(text: str) -> str:
    if found := _BRACKETED.search(text):
        return (found[1] or found[2]).strip()
    found = _PLAIN.search(text)
    return re.split(r"[，,。；;]|请|凭", found[1])[0].strip() if found else ""
