"""Trace texts without the people in them: phone numbers and the names of couriers and signers are replaced.

Applied at the door to what is stored for long; the words as they came lie only in the sealed push. A number that only
names a service (400, 95xxx) or a hub stays.
"""

import re

_MOBILE = re.compile(r"(?<!\d)(?:\+?86[- ]?)?1[3-9]\d(?:[- ]?\d{4}){2}(?!\d)")
_LANDLINE = re.compile(r"(?<!\d)(0\d{2,3})[- ]?\d{7,8}(?!\d)")
_ROLE = ("(?:签收人|收件人|收货人|取件人|代收人|代签人|派件人|联系人|经办人|派件员|派送员|业务员|快递员|投递员|揽收员|"
         "收件员|小哥)(?:姓名)?")
_NAMED = re.compile(rf"({_ROLE}\s*(?:[:：]|是|为)\s*[【\[（(]?|{_ROLE}\s*[【\[（(])([\u4e00-\u9fa5·]{{2,4}})")
_SUSPECT = re.compile(r"\d{7}|\d{4}[- ]\d{4}|[人员哥名]")


def masked(text: str) -> str:
    """The text as it may be stored and shown: `【王小明】的派件员 张三 13812345678` keeps no name and no digits."""
    if not _SUSPECT.search(text):
        return text
    text = _MOBILE.sub("1**********", text)
    text = _LANDLINE.sub(r"\1-********", text)
    return _NAMED.sub(lambda found: found[1] + found[2][0] + "**", text)
