"""What a carrier's trace text says, when the scan has no code: ordered rules over Chinese words.

The first fitting rule speaks, so what denies stands before what it denies (无法签收 before 签收). Names of places in
brackets are no evidence, except where a rule asks for the place. No rule fits: UNKNOWN, never a guess.
"""

import re
from dataclasses import dataclass

from waystream.core.state import UNKNOWN, Kind, Meaning, State

_BRACKETED = re.compile(r"[【\[][^】\]]*[】\]]")

_LOCKER = (
    "丰巢|速递易|快递柜|智能柜|自提柜|快件箱|格口|驿站|自提点|代收点|代办点|[eE]站|服务站|便利店|超市|"
    "兔喜|妈妈店|收发站"
)
_PROXY = "门卫|前台|保安|物业|收发室|传达室|家人|家属|父母|亲友|朋友|邻居|同事|同学|室友|他人|代签|代收|单位"
_SIGNED = "签收|妥投|投妥|投递成功|完成配送|配送完成|派送成功|已收货"
_DENIED = "未能?|无法|没有?|没人|无人|不能|尚未|暂未|难以|不予"
_AHEAD = "请|待|准备|等待|即将|很快|将"


@dataclass(frozen=True, slots=True)
class Rule:
    """`says` is searched in the words without bracketed places, `place` in the whole text; `unless` forbids."""

    meaning: Meaning
    says: re.Pattern[str]
    unless: re.Pattern[str] | None = None
    place: re.Pattern[str] | None = None


def _rule(state: State, says: str, *, kind: Kind = Kind.NONE, unless: str = "", place: str = "") -> Rule:
    return Rule(
        Meaning(state, kind),
        re.compile(says),
        re.compile(unless) if unless else None,
        re.compile(place) if place else None,
    )


#: In the order they are asked: what ends or troubles a journey, then its stages from the door back to the sender.
RULES: tuple[Rule, ...] = (
    _rule(State.NO_TRACE, "暂无(物流|轨迹|信息|记录)|查无(此单|结果|记录)"),
    _rule(State.CANCELLED, "(订单|运单|寄件|下单|揽收任务)已?(被|经)?(取消|作废)|取消(寄件|下单|发货|订单)|已销单"),
    _rule(State.EXCEPTION, "(疑似|可能|查找)[^，。,]{0,6}(遗失|丢失|丢件)", kind=Kind.PROBLEM),
    _rule(
        State.LOST, "遗失|丢失|灭失|丢件", unless="(未|没有|避免|防止|谨防|如有|以免)[^，。,]{0,4}(遗失|丢失|灭失|丢件)"
    ),
    _rule(
        State.EXCEPTION,
        "破损|损坏|污损|渗漏",
        kind=Kind.DAMAGED,
        unless="(无|未|没有|避免|防止|谨防|如有|检查)[^，。,]{0,6}(破损|损坏|污损|渗漏)",
    ),
    _rule(
        State.RETURNED,
        f"(退回|退件|退货|退返)[^。]{{0,20}}({_SIGNED})|(寄件人|发件人|商家|卖家)[^。，,]{{0,6}}({_SIGNED})",
        unless=f"({_DENIED})[^，。,]{{0,4}}({_SIGNED})",
    ),
    _rule(
        State.RETURNING,
        "退回|退件|退返|退运|退货|返回(寄件|发件)|原路返回|退还(寄件|发件)",
        unless="(取消|不|无需|未|停止)(退回|退件|退返)|退换货",
    ),
    _rule(State.INTERCEPTED, "拦截", unless="(未|取消|无法|不能)拦截|拦截(失败|取消|未成功)"),
    _rule(State.EXCEPTION, "清关(异常|失败)|扣关|海关(扣留|查扣|退运)|通关异常", kind=Kind.CUSTOMS_HELD),
    _rule(State.ATTEMPT_FAILED, "拒收|拒签|拒绝(签收|收货)", kind=Kind.REFUSED),
    _rule(State.EXCEPTION, "(超时|逾期)未签收", kind=Kind.OVERDUE),
    _rule(
        State.EXCEPTION,
        "(超时|逾期|长时间|滞留)[^。]{0,8}未取|未及时(取件|领取)|(超时|逾期)[^。]{0,6}(取回|取出)",
        kind=Kind.LOCKER_OVERDUE,
    ),
    _rule(
        State.ATTEMPT_FAILED,
        "无法联系|联系不上|未联系上|(电话|手机)[^。，,]{0,8}(无人接听|无法接通|关机|停机|打不通|未接)",
        kind=Kind.UNREACHABLE,
    ),
    _rule(State.ATTEMPT_FAILED, "(电话|手机|号码)[^。，,]{0,4}(错误|有误|不对|不正确)|空号", kind=Kind.WRONG_PHONE),
    _rule(
        State.ATTEMPT_FAILED,
        "地址[^。，,]{0,4}(不详|不清|不明|不全|不完整|错误|有误)|查无此(人|地址)",
        kind=Kind.BAD_ADDRESS,
    ),
    _rule(State.ATTEMPT_FAILED, "超区|超(出|范围)[^。，,]{0,4}(派送|配送|服务|范围)", kind=Kind.OUT_OF_RANGE),
    _rule(State.EXCEPTION, "错分|错发|发错|分错|串件", kind=Kind.MISROUTED),
    _rule(State.EXCEPTION, "滞留|积压", kind=Kind.STALLED),
    _rule(
        State.ATTEMPT_FAILED,
        f"({_DENIED})[^，。,；;]{{0,4}}({_SIGNED}|派送|派件|投递|配送)",
        kind=Kind.FAILED,
        unless="无法[^，。,]{0,2}一一",
    ),
    _rule(
        State.ATTEMPT_FAILED,
        "(派送|派件|投递|配送|送货|签收)[^，。,；;]{0,2}(失败|不成功|未成功|异常)|未妥投|改约|"
        "(要求|约定|另约)[^。，,]{0,6}(再派|派送|延迟|择日|改期)",
        kind=Kind.FAILED,
    ),
    _rule(
        State.EXCEPTION,
        "误签|错签|虚假签收|签收[^。]{0,8}(有误|存疑)|(反馈|投诉)[^。，,]{0,6}(不是|非)本人签收",
        kind=Kind.PROBLEM,
    ),
    _rule(
        State.EXCEPTION, "延误|延迟|延期|(受|因)[^。]{0,16}(影响|管控)[^。]{0,10}(时效|无法|暂缓)", kind=Kind.DELAYED
    ),
    _rule(State.OUT_FOR_DELIVERY, f"({_AHEAD})[^，。,；;]{{0,6}}(签收|收货)"),
    _rule(
        State.DELIVERED,
        "(客户|顾客|用户|收件人|收货人|您)[^。，,]{0,8}(取件|取走|取出|领取|提取|自提)|凭(取货码|取件码|提货码)签收",
        kind=Kind.LOCKER,
        unless="请|(?<!期)待|通知|提醒",
    ),
    _rule(
        State.DELIVERED,
        f"代签收|{_SIGNED}|代收",
        kind=Kind.LOCKER,
        place=f"(签收人|已被|已由)[^。]{{0,20}}({_LOCKER})[^。]{{0,8}}签收|签收人[^。]{{0,6}}({_LOCKER})",
    ),
    _rule(
        State.READY_FOR_PICKUP,
        "代收|投递|放入|存入|存放|投入|暂存|送至|送达|入柜|入库|派送至|待取|自提|取件码|请[^。]{0,8}取",
        kind=Kind.LOCKER,
        place=_LOCKER,
        unless="收件员从|寄件|揽收",
    ),
    _rule(
        State.DELIVERED,
        f"({_SIGNED})[^。]{{0,12}}(不是|非)本人|(不是|非)本人[^。]{{0,2}}({_SIGNED})",
        kind=Kind.BY_PROXY,
    ),
    _rule(State.DELIVERED, f"本人[^。，,]{{0,4}}({_SIGNED})|({_SIGNED})[^。]{{0,8}}本人", kind=Kind.IN_PERSON),
    _rule(
        State.DELIVERED,
        f"({_PROXY})[^。，,]{{0,4}}({_SIGNED}|代收)|({_SIGNED})[^。]{{0,8}}({_PROXY})|代签收|({_PROXY})代收",
        kind=Kind.BY_PROXY,
    ),
    _rule(State.DELIVERED, _SIGNED, kind=Kind.UNSPECIFIED),
    _rule(State.FORWARDED, "转寄|改寄|改派|转投|转递|转交[^。，,]{0,6}(快递|速递|邮政)"),
    _rule(State.CUSTOMS, "清关|报关|通关|海关"),
    _rule(State.COLLECTED, "收件员从[^。]{0,30}取出"),
    _rule(State.ARRIVED_AT_OUTLET, f"({_AHEAD})[^，。,；;]{{0,5}}(派送|派件|配送|投递)|(目的地?|派件|派送)网[点店]"),
    _rule(State.OUT_FOR_DELIVERY, "派件|派送|开始配送|配送中|正在配送|安排投递|正在投递|投递中|外出投递|送货中|送件"),
    _rule(
        State.AWAITING_COLLECTION,
        "(待|等待|未|尚未|暂未|准备)(揽收|揽件|取件|收件)|揽收任务|下单|(订单|商品)[^。]{0,6}处理|配货|安排发货|"
        "卖家发货|商家发货|包裹已出库|已接单",
    ),
    _rule(State.COLLECTED, "揽收|揽件|收取|收寄|取件|收件(?!人|地址|方)|已交付|上门收"),
    _rule(
        State.IN_TRANSIT,
        "离开|发往|发出|下一站|到达|抵达|收入|装车|卸车|发车|分拣|装袋|称重|打包|转运|中转|运输|下级地点|扫描|在途|"
        "起飞|降落|落地|航班|入库|出库|收箱|发件|封车|解封",
    ),
)


def meaning_of(text: str) -> Meaning:
    """The meaning of a trace text; UNKNOWN when no rule fits."""
    words = _BRACKETED.sub(" ", text)
    found = _first(words, text)
    return found if found is not UNKNOWN else _first(text, text)


def _first(words: str, text: str) -> Meaning:
    for rule in RULES:
        if (
            rule.says.search(words)
            and not (rule.unless and rule.unless.search(words))
            and (rule.place is None or rule.place.search(text))
        ):
            return rule.meaning
    return UNKNOWN
