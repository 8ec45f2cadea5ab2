"""How the sandbox's carriers word their scans: a few styles, as unlike each other as the real ones are.

Every text is a template over the fields of `Scene`; couriers, phones and outlets are invented. Some scans are worded
the same by everyone, so `STYLES` only holds what differs.
"""

from dataclasses import dataclass, fields


@dataclass(frozen=True, slots=True)
class Scene:
    """What a text may mention."""

    city: str = ""
    outlet: str = ""
    hub: str = ""
    following: str = ""
    courier: str = ""
    phone: str = ""
    keeper: str = ""


_COMMON = {
    "at_hub": "快件到达【{hub}】",
    "from_hub": "快件离开【{hub}】，已发往【{following}】",
    "in_city": "快件已到达派送城市【{city}】",
    "signed_late": "快件异常处理后已签收，签收人：本人",
    "in_locker": "快件已放入【{keeper}】，请凭取件码及时领取，如有疑问请联系派件员{courier}（{phone}）",
    "from_locker": "收件人已从【{keeper}】取件，感谢使用",
    "failed": "派送不成功，收件人不在，正在安排再次派送",
    "unreachable": "派件员{courier}多次拨打电话无人接听，无法联系收件人",
    "bad_address": "收件地址不详，正在与收件人核实",
    "again": "与收件人沟通后重新派送，派件员{courier}（{phone}）",
    "refused": "收件人拒收，快件退回【{following}】",
    "back_hub": "退回件到达【{hub}】",
    "back_signed": "退回件已由寄件人签收",
    "damaged": "快件外包装破损，已拍照登记并重新加固",
    "lost": "快件确认遗失，正在为寄件人办理理赔",
    "misrouted": "快件错分至【{hub}】，正在改发【{following}】",
    "customs_wait": "快件到达口岸，等待清关",
    "customs": "快件清关中",
    "customs_done": "快件已清关，移交境内派送",
    "forwarded": "应收件人要求，快件转寄至新地址【{following}】",
    "intercepted": "应寄件人要求，快件已拦截，准备退回【{following}】",
    "delayed": "受天气影响，快件时效可能延误",
    "objected": "收件人反馈未收到快件，派件员{courier}核实中，签收异常",
    "odd": "快件在【{hub}】做特殊处理扫描",
}

STYLES: dict[str, dict[str, str]] = {
    "bracket": {
        "collected": "【{city}】 【{outlet}】 的 {courier}（{phone}） 已揽收",
        "from_outlet": "【{city}】 快件离开 【{outlet}】 已发往 【{following}】",
        "at_hub": "【{city}】 快件已经到达 【{hub}】",
        "from_hub": "【{city}】 快件离开 【{hub}】 已发往 【{following}】",
        "at_outlet": "【{city}】 快件已经到达 【{outlet}】",
        "delivering": "【{city}】 【{outlet}】 的{courier}（{phone}） 正在派件，请保持电话畅通",
        "signed": "【{city}】 快件已在 【{outlet}】 签收，签收人：本人，如有疑问请电联：{phone}，您的快递已经妥投",
        "proxy": "【{city}】 快件已在 【{outlet}】 签收，签收人：{keeper}，如有疑问请电联：{phone}",
    },
    "truck": {
        "collected": "[{city}]已收取快件",
        "from_outlet": "[{city}]快件在【{outlet}】完成分拣，准备发往【{following}】",
        "at_hub": "[{city}]快件到达【{hub}】",
        "from_hub": "[{city}]快件在【{hub}】已装车，准备发往【{following}】",
        "at_outlet": "[{city}]快件到达【{outlet}】",
        "delivering": "[{city}]正在派送途中，请您准备签收（派件人：{courier}，电话：{phone}）",
        "signed": "[{city}]已签收（本人签收），感谢您的使用",
        "proxy": "[{city}]已签收（{keeper}代签收），感谢您的使用",
    },
    "company": {
        "collected": "{outlet}公司 {courier} 已揽收",
        "from_outlet": "{outlet}公司 已发出，下一站 {following}",
        "at_hub": "{hub} 已收入",
        "from_hub": "{hub} 已发出，下一站 {following}",
        "at_outlet": "{outlet}公司 已收入",
        "delivering": "{outlet}公司 {courier} 派件中 派件员电话{phone}",
        "signed": "客户 签收人：本人 已签收，期待再次为您服务",
        "proxy": "客户 签收人：{keeper} 已签收，期待再次为您服务",
    },
    "scan": {
        "collected": "[{outlet}]进行揽件扫描",
        "from_outlet": "[{outlet}]进行下级地点扫描，即将发往：{following}",
        "at_hub": "[{hub}]在分拨中心进行卸车扫描",
        "from_hub": "[{hub}]进行装车扫描，即将发往：{following}",
        "at_outlet": "[{outlet}]到达目的地网点，快件将很快进行派送",
        "delivering": "[{outlet}]进行派件扫描；派送业务员：{courier}；联系电话：{phone}",
        "signed": "[{outlet}]快件已被 本人 签收",
        "proxy": "[{outlet}]快件已被 {keeper} 代签收",
    },
}

_STYLE_OF = {
    "SF": "truck",
    "JD": "truck",
    "EMS": "truck",
    "YTO": "company",
    "STO": "company",
    "YD": "scan",
    "JTSD": "bracket",
    "ZTO": "bracket",
}


def wording(carrier: str, what: str, scene: Scene) -> str:
    """The carrier's text for what happened."""
    style = STYLES[_STYLE_OF.get(carrier, "bracket")]
    template = style.get(what) or _COMMON[what]
    return template.format(**{name.name: getattr(scene, name.name) for name in fields(scene)})
