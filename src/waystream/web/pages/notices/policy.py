"""GET /notices/policy/SHOP: whether a shop speaks to its buyers, of what, when, how often, through which channels."""

from typing import Annotated

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from waystream.core.errors import Invalid
from waystream.kernel.tx import Tx
from waystream.parts.notices import actions
from waystream.parts.notices.kinds import SAID, load_kinds
from waystream.parts.notices.model import Policy
from waystream.parts.shops import actions as shops
from waystream.parts.shops.model import Shop
from waystream.web.auth import Seat, requires
from waystream.web.context import context_of
from waystream.web.forms import Filled, Form, FormField, FormPage, filled_in, loose_problem
from waystream.web.pages.notices.notice import WRITE
from waystream.web.pages.order.page import RowId
from waystream.web.render import go, language_of, show
from waystream.web.shell.language import Language

router = APIRouter()


@router.get("/notices/policy/{shop_id:int}")
def show_policy(request: Request, seat: Annotated[Seat, requires(WRITE)], shop_id: RowId) -> Response:
    return show(request, "form.html", _draw(request, seat, shop_id, None))


@router.post("/notices/policy/{shop_id:int}")
def change_policy(request: Request, seat: Annotated[Seat, requires(WRITE)], shop_id: RowId, form: Form) -> Response:
    def do(tx: Tx) -> None:
        shops.get_shop(tx, shop_id)
        actions.save_policy(tx, shop_id, _read(form), actor=seat.caller.actor)

    try:
        context_of(request).work.run(do, shops=seat.shops)
    except Invalid as refusal:
        page = _draw(request, seat, shop_id, form.refused(refusal))
        return show(request, "form.html", page, status=refusal.status)
    return go(f"/notices/templates?shop={shop_id}", said=language_of(request).say("Saved, also for what waits."))


def _read(form: Filled) -> Policy:
    """Raises `Invalid` naming the field."""
    told = frozenset(form.many("kinds"))
    return Policy(
        enabled=form.has("enabled"),
        kinds_off=frozenset(_kinds()) - told,
        channels=tuple(dict.fromkeys(form.text("channels").replace("，", " ").replace(",", " ").split())),
        quiet_from_min=_minutes("quiet_from_min", form.text("quiet_from_min")),
        quiet_until_min=_minutes("quiet_until_min", form.text("quiet_until_min")),
        zone=form.text("zone"),
        per_order_day=form.number("per_order_day"),
        per_person_day=form.number("per_person_day"),
        gather_s=form.number("gather_min") * 60,
        language=form.text("language"),
    )


def _minutes(name: str, text: str) -> int:
    hour, _, minute = text.partition(":")
    if not (hour.isdecimal() and minute.isdecimal() and len(text) <= 5 and int(hour) < 24 and int(minute) < 60):
        raise Invalid(name, "a time of the day, as 22:00")
    return int(hour) * 60 + int(minute)


def _kinds() -> tuple[str, ...]:
    """What can be switched off: a person's own message is said by the person."""
    return tuple(name for name in load_kinds() if name != SAID)


def _draw(request: Request, seat: Seat, shop_id: int, form: Filled | None) -> FormPage:
    language = language_of(request)
    with context_of(request).work.begin(shops=seat.shops, read_only=True) as tx:
        shop, policy = shops.get_shop(tx, shop_id), actions.get_policy(tx, shop_id)
    fields = filled_in(_fields(language, policy), form)
    return FormPage(
        title=shop.name,
        answer=_answer(language, shop, policy),
        action=f"/notices/policy/{shop_id}",
        verb=language.say("Save"),
        back=f"/notices/templates?shop={shop_id}",
        fields=fields,
        problem=loose_problem(fields, form),
    )


def _answer(language: Language, shop: Shop, policy: Policy) -> str:
    if not policy.enabled:
        return language.say("%(shop)s tells its buyers nothing by itself yet.", shop=shop.name)
    return language.say_n(
        "%(shop)s tells its buyers at most %(n)s thing a day about an order, none between %(from)s and %(until)s.",
        "%(shop)s tells its buyers at most %(n)s things a day about an order, none between %(from)s and %(until)s.",
        policy.per_order_day,
        shop=shop.name,
        **{"from": _clock(policy.quiet_from_min), "until": _clock(policy.quiet_until_min)},
    )


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


def _fields(language: Language, policy: Policy) -> tuple[FormField, ...]:
    say = language.say
    kinds = tuple((name, load_kinds()[name].title[language.code]) for name in _kinds())
    return (
        FormField(
            "enabled", say("Buyers are told what happens to their orders"), "tick",
            ticked=("1",) if policy.enabled else (),
        ),
        FormField(
            "kinds", say("Of these"), "ticks", options=kinds,
            ticked=tuple(name for name, _ in kinds if name not in policy.kinds_off),
        ),
        FormField(
            "channels", say("Channels, the preferred first"), value=" ".join(policy.channels), required=False, max=500,
            hint=say("Names with blanks between; others come after. When one refuses, the next is asked."),
        ),
        FormField("quiet_from_min", say("Quiet from"), value=_clock(policy.quiet_from_min), max=5),
        FormField(
            "quiet_until_min", say("Quiet until"), value=_clock(policy.quiet_until_min), max=5,
            hint=say("By the buyer's clock; what happens then is told afterwards, if it still holds."),
        ),
        FormField("zone", say("Time zone of buyers"), value=policy.zone, max=64),
        FormField("per_order_day", say("At most so many a day about an order"), "number", str(policy.per_order_day)),
        FormField("per_person_day", say("At most so many a day to a buyer"), "number", str(policy.per_person_day)),
        FormField(
            "gather_min", say("Gathered for minutes"), "number", str(policy.gather_s // 60),
            hint=say("What happens to an order within this time becomes one message."),
        ),
        FormField(
            "language", say("Language, where the buyer's is not known"), "choice", policy.language,
            options=(("zh", "中文"), ("en", "English")),
        ),
    )  # fmt: skip
