"""GET /: today in one sentence, then the evidence for it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, cast

from fastapi import APIRouter
from markupsafe import Markup
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response

from waystream.core.state import Kind, State
from waystream.kernel.tx import Tx
from waystream.parts.findings import actions as findings
from waystream.parts.findings.model import Finding
from waystream.web import figures
from waystream.web.auth import Seat, requires
from waystream.web.context import context_of
from waystream.web.navigation import Entry
from waystream.web.pages.invariants.line import say_invariants
from waystream.web.pages.overview import store
from waystream.web.pages.overview.fresh import Fresh
from waystream.web.pages.overview.river import Band, draw_river
from waystream.web.pages.overview.spark import HOURLY, Spark, draw_spark
from waystream.web.render import language_of, show
from waystream.web.shell.language import N_, Language
from waystream.web.shell.vocabulary import STAGE_WORDS, Pill, carrier_name, track_pill

READ = "orders:read"
NAV = (Entry(10, "rail", "/", "overview", N_("Overview"), READ),)

router = APIRouter()


@dataclass(frozen=True, slots=True)
class Tile:
    label: str
    value: str
    unit: str
    below: str
    href: str
    bad: bool = False
    spark: Spark | None = None


@dataclass(frozen=True, slots=True)
class Pool:
    """What waits below a stage."""

    text: str
    href: str
    shape: str = ""


@dataclass(frozen=True, slots=True)
class Stage:
    shape: str
    name: str
    count: str
    against: str
    worse: bool
    pools: tuple[Pool, ...]


@dataclass(frozen=True, slots=True)
class CauseRow:
    state: Pill
    parcels: str
    which: str
    longest: str
    href: str


@dataclass(frozen=True, slots=True)
class CarrierLine:
    name: str
    href: str
    moving: str
    delivered: str
    in_time: str
    silent: str
    is_silent: bool
    trouble: str


@dataclass(frozen=True, slots=True)
class FloorLine:
    carrier: str
    warehouse: str
    cutoff: str
    left: str
    to_go: str
    due: str
    gone_share: float


@dataclass(frozen=True, slots=True)
class OverviewPage:
    now_iso: str
    now: str
    answer: Markup
    aside: Markup
    tiles: tuple[Tile, ...]
    bands: tuple[Band, ...]
    stages: tuple[Stage, ...]
    causes: tuple[CauseRow, ...]
    caused: str
    carriers: tuple[CarrierLine, ...]
    floor: tuple[FloorLine, ...]
    waiting: tuple[Pool, ...]
    system: tuple[Pool, ...]
    empty: bool


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything the sentence and the figures are made from."""

    now: datetime
    today: store.Passed
    yesterday: store.Passed
    states: dict[str, int]
    stages: dict[str, int]
    causes: list[store.Cause]
    carriers: list[store.CarrierRow]
    floor: list[store.FloorRow]
    punctuality: store.Punctuality
    setup: store.Setup
    system: dict[str, int]
    hours: dict[str, list[int]]
    findings: list[Finding]

    @property
    def troubled(self) -> int:
        return sum(cause.parcels for cause in self.causes)

    @property
    def moving(self) -> int:
        ended_here = ("awaiting_collection", "no_trace")
        return sum(count for state, count in self.states.items() if state not in ended_here)


@router.get("/")
def show_overview(request: Request, seat: Annotated[Seat, requires(READ)]) -> Response:
    context = context_of(request)
    language = language_of(request)

    def read() -> Facts:
        with context.work.begin(shops=seat.shops, read_only=True) as tx:
            return gather(tx, language)

    key = (seat.shops, language.zone)
    facts = fresh_of(request.app).get(key, read, position=context.live.position)
    return show(request, "overview/page.html", draw(language, facts), live="overview")


def fresh_of(app: Starlette) -> Fresh[Facts]:
    """What this application read for its overviews a moment ago."""
    if not hasattr(app.state, "overview"):
        app.state.overview = Fresh[Facts]()
    return cast(Fresh[Facts], app.state.overview)


def gather(tx: Tx, language: Language) -> Facts:
    """Read everything in one transaction, so that the figures agree with each other."""
    conn, now = tx.conn, tx.now
    here = now.astimezone(language.zone)
    day = here.replace(hour=0, minute=0, second=0, microsecond=0).astimezone(now.tzinfo)
    before = timedelta(days=1)
    quarters = store.list_quarters(conn, since=min(day, now) - before)
    return Facts(
        now=now,
        today=store.count_passed(quarters, day, now + timedelta(seconds=1)),
        yesterday=store.count_passed(quarters, day - before, now - before),
        states=store.count_states(conn),
        stages=store.count_stages(conn),
        causes=store.list_causes(conn),
        carriers=store.list_carriers(conn, day=day, now=now),
        floor=store.list_floor(conn, day=day, now=now),
        punctuality=store.read_punctuality(conn, day=day, now=now),
        setup=store.read_setup(conn),
        system=figures.read(conn, at=now),
        hours=store.count_by_hour(quarters, until=now),
        findings=findings.list_findings(tx),
    )


def draw(language: Language, facts: Facts) -> OverviewPage:
    causes = sorted(facts.causes, key=lambda cause: -cause.parcels)
    return OverviewPage(
        now_iso=facts.now.astimezone(language.zone).isoformat(timespec="minutes"),
        now=language.long_now(facts.now),
        answer=say_today(language, facts),
        aside=_say_aside(language, facts),
        tiles=_tiles(language, facts),
        bands=draw_river(facts.today.stages),
        stages=_stages(language, facts),
        causes=tuple(_cause(language, cause, facts.now) for cause in causes),
        caused=language.number(facts.troubled),
        carriers=tuple(_carrier(language, row) for row in facts.carriers),
        floor=tuple(_floor(language, row, facts.now) for row in facts.floor),
        waiting=_waiting(language, facts),
        system=_system(language, facts),
        empty=not facts.setup.orders,
    )


def say_today(language: Language, facts: Facts) -> Markup:
    """The answer: one whole sentence per case."""
    if not facts.setup.orders:
        return language.say("No order has come in yet; everything is ready for the first one.")
    worst = max(facts.causes, key=lambda cause: cause.of_carrier, default=None)
    if worst is None:
        return language.say_n(
            'Everything moves: <a href="/parcels">%(n)s parcel on its way</a>, none needs a person.',
            'Everything moves: <a href="/parcels">%(n)s parcels on their way</a>, none needs a person.',
            facts.moving,
        )
    told = {
        "href": cause_address(worst),
        "carrier": carrier_name(language, worst.carrier),
        "longest": language.lasting((facts.now - worst.first_at).total_seconds()),
        "what": _cause_pill(language, worst).word,
    }
    if worst.of_carrier >= max(3, facts.troubled // 2):
        return language.say_n(
            'Mostly on its way today, but one jam: <a href="%(href)s">%(n)s parcel of %(carrier)s: %(what)s</a>, '
            "for up to %(longest)s.",
            'Mostly on its way today, but one jam: <a href="%(href)s">%(n)s parcels of %(carrier)s: %(what)s</a>, '
            "for up to %(longest)s.",
            worst.of_carrier,
            **told,
        )
    return language.say_n(
        'Today runs; <a href="/parcels?view=trouble">%(n)s parcel needs a person</a>, the oldest for %(longest)s.',
        'Today runs; <a href="/parcels?view=trouble">%(n)s parcels need a person</a>, the oldest for %(longest)s.',
        facts.troubled,
        longest=language.lasting((facts.now - min(cause.first_at for cause in facts.causes)).total_seconds()),
    )


def _say_aside(language: Language, facts: Facts) -> Markup:
    """The second line: what waits in the warehouse, or what is still to be set up."""
    if not facts.setup.accounts:
        return language.say('First of all: <a href="/setup">add an account at the aggregator</a>.')
    to_ship, to_print = facts.stages.get("to_ship", 0), facts.stages.get("issued", 0)
    numbers = {"to_ship": language.number(to_ship), "printed": language.number(facts.stages.get("printed", 0))}
    if to_ship or facts.stages.get("printed"):
        return language.say(
            '<a href="/orders?word=to_ship">%(to_ship)s to take a number for</a>, '
            '<a href="/parcels?stage=printed">%(printed)s packed and waiting for the truck</a>.',
            **numbers,
        )
    if to_print:
        return language.say_n("%(n)s label waits for its printer.", "%(n)s labels wait for their printer.", to_print)
    return language.say("Nothing waits in the warehouse.")


def _tiles(language: Language, facts: Facts) -> tuple[Tile, ...]:
    say, number, punctual = language.say, language.number, facts.punctuality
    delivered, failed = facts.today.delivered, facts.today.failed
    late = punctual.promised and punctual.delivered_in_time * 100 < punctual.promised * 95
    return (
        Tile(
            say("Came in today"), number(facts.today.paid), say("orders"),
            say("%(n)s by this time yesterday", n=number(facts.yesterday.paid)), "/orders",
            spark=_spark(language, facts, "received"),
        ),
        Tile(
            say("Dispatched in time"), language.share(punctual.shipped_in_time, punctual.ship_by),
            "%" if punctual.ship_by else "",
            say("%(n)s dispatched today", n=number(facts.today.dispatched)), "/parcels?stage=dispatched",
            spark=_spark(language, facts, "dispatched"),
        ),
        Tile(
            say("On the way"), number(facts.moving), say("parcels"),
            say("%(n)s with the couriers now", n=number(facts.states.get("out_for_delivery", 0))), "/parcels",
        ),
        Tile(
            say("Delivered in time"), language.share(punctual.delivered_in_time, punctual.promised),
            "%" if punctual.promised else "",
            say("below the aim of 95%") if late else say("aim 95%"), "/orders?word=delivered", bad=bool(late),
            spark=_spark(language, facts, "delivered"),
        ),
        Tile(
            say("First attempt"), language.share(delivered, delivered + failed),
            "%" if delivered + failed else "",
            language.say_n("%(n)s attempt failed today", "%(n)s attempts failed today", failed),
            "/parcels?state=attempt_failed",
        ),
        Tile(
            say("Need a person"), number(facts.troubled), say("parcels"),
            say("%(n)s per 100 on the way", n=language.share(facts.troubled, max(facts.moving, 1))),
            "/parcels?view=trouble", bad=facts.troubled > 0, spark=_spark(language, facts, "exception", "failed"),
        ),
    )  # fmt: skip


def _spark(language: Language, facts: Facts, word: str, *more: str) -> Spark | None:
    """The last 24 hours of a word of the tally, with others added to it."""
    counts = [sum(hour) for hour in zip(*(facts.hours[each] for each in (word, *more)), strict=True)]
    return draw_spark(counts, language.say(HOURLY[word], n=language.number(max(counts))))


_STAGES: tuple[tuple[str, str, str], ...] = (
    ("paid", "s-later", N_("Came in")),
    ("issued", "s-later", N_("Numbered")),
    ("printed", "s-later", N_("Printed")),
    ("dispatched", "s-await", N_("Dispatched")),
    ("collected", "s-collected", N_("Collected")),
    ("outlet", "s-outlet", N_("At outlet")),
    ("out", "s-out", N_("Out")),
    ("delivered", "s-done", N_("Delivered")),
)


def _stages(language: Language, facts: Facts) -> tuple[Stage, ...]:
    pools = _pools(language, facts)
    stages = []
    for name, shape, label in _STAGES:
        today, before = getattr(facts.today, name), getattr(facts.yesterday, name)
        change = round(100 * (today - before) / before) if before else 0
        stages.append(
            Stage(
                shape=shape,
                name=language.say(label),
                count=language.number(today),
                against=f"{'+' if change > 0 else ''}{language.number(change)}%" if before else "",
                worse=change <= -20,
                pools=tuple(pool for pool in pools[name] if pool.text),
            )
        )
    return tuple(stages)


def _pools(language: Language, facts: Facts) -> dict[str, tuple[Pool, ...]]:
    """What waits between one stage and the next; nothing where nothing waits."""
    states, stages = facts.states, facts.stages

    def pool(sentence: str, count: int, href: str, shape: str = "") -> Pool:
        return Pool(language.say(sentence, n=language.number(count)) if count else "", href, shape)

    moving = sum(states.get(state, 0) for state in store.MOVING)
    stuck = states.get("exception", 0) + states.get("unknown", 0) + states.get("intercepted", 0)
    return {
        "paid": (
            pool(N_("%(n)s to number"), stages.get("to_ship", 0), "/orders?word=to_ship"),
            pool(N_("%(n)s refused"), stages.get("refused", 0), "/parcels?stage=refused", "s-exception"),
        ),
        "issued": (
            pool(N_("%(n)s to print"), stages.get("issued", 0), "/parcels?stage=issued"),
            pool(N_("%(n)s in doubt"), stages.get("doubt", 0), "/parcels?stage=doubt", "s-hold"),
        ),
        "printed": (pool(N_("%(n)s to dispatch"), stages.get("printed", 0), "/parcels?stage=printed"),),
        "dispatched": (
            pool(N_("%(n)s to collect"), states.get("awaiting_collection", 0), "/parcels?state=awaiting_collection"),
            pool(N_("%(n)s without a trace"), states.get("no_trace", 0), "/parcels?state=no_trace", "s-notrace"),
        ),
        "collected": (
            pool(N_("%(n)s in transit"), moving, "/parcels?state=in_transit"),
            pool(N_("%(n)s stuck"), stuck, "/parcels?state=exception", "s-exception"),
        ),
        "outlet": (
            pool(N_("%(n)s at outlets"), states.get("arrived_at_outlet", 0), "/parcels?state=arrived_at_outlet"),
        ),
        "out": (
            pool(N_("%(n)s out now"), states.get("out_for_delivery", 0), "/parcels?state=out_for_delivery"),
            pool(N_("%(n)s failed"), states.get("attempt_failed", 0), "/parcels?state=attempt_failed", "s-exception"),
        ),
        "delivered": (
            pool(
                N_("%(n)s to be picked up"), states.get("ready_for_pickup", 0), "/parcels?state=ready_for_pickup",
                "s-pickup",
            ),
            pool(N_("%(n)s coming back"), states.get("returning", 0), "/parcels?state=returning", "s-returning"),
        ),
    }  # fmt: skip


def cause_address(cause: store.Cause) -> str:
    if cause.stage:
        return f"/parcels?stage={cause.stage}"
    return f"/parcels?state={cause.state}" + (f"&kind={cause.kind}" if cause.kind else "")


def _cause_pill(language: Language, cause: store.Cause) -> Pill:
    if cause.stage:
        shape, word = STAGE_WORDS[cause.stage]
        return Pill(shape, language.say(word))
    return track_pill(language, State(cause.state), Kind(cause.kind))


def _cause(language: Language, cause: store.Cause, now: datetime) -> CauseRow:
    carrier, count = carrier_name(language, cause.carrier), language.number(cause.of_carrier)
    most = language.say("%(carrier)s: %(n)s", carrier=carrier, n=count)
    return CauseRow(
        state=_cause_pill(language, cause),
        parcels=language.number(cause.parcels),
        which=most,
        longest=language.hours((now - cause.first_at).total_seconds()),
        href=cause_address(cause),
    )


def _carrier(language: Language, row: store.CarrierRow) -> CarrierLine:
    return CarrierLine(
        name=carrier_name(language, row.carrier),
        href=f"/parcels?carrier={row.carrier}",
        moving=language.number(row.moving),
        delivered=language.number(row.delivered),
        in_time=language.share(row.in_time, row.promised),
        silent=language.number(row.silent),
        is_silent=row.silent > 0,
        trouble=language.number(row.trouble),
    )


def _floor(language: Language, row: store.FloorRow, now: datetime) -> FloorLine:
    here = now.astimezone(language.zone)
    hour, _, minute = row.cutoff.partition(":")
    leaves = here.replace(hour=int(hour), minute=int(minute or 0), second=0, microsecond=0)
    left_s = (leaves - here).total_seconds()
    whole = row.to_go + row.gone
    return FloorLine(
        carrier=carrier_name(language, row.carrier),
        warehouse=row.warehouse,
        cutoff=row.cutoff,
        left=language.say("%(time)s left", time=language.hours(left_s)) if left_s > 0 else language.say("gone"),
        to_go=language.number(row.to_go),
        due=language.number(whole),
        gone_share=row.gone / whole if whole else 0.0,
    )


def _waiting(language: Language, facts: Facts) -> tuple[Pool, ...]:
    """Lines below the floor: what stands still there. `text` is the figure, the label is in `shape`'s sentence."""
    low = [
        Pool(
            language.say_n(
                "%(n)s number left with %(carrier)s",
                "%(n)s numbers left with %(carrier)s",
                left,
                carrier=carrier_name(language, carrier),
            ),
            "/setup",
            "s-hold",
        )
        for carrier, left in facts.setup.low_accounts
    ]
    off = facts.setup.printers_off
    printers = language.say_n("%(n)s printer is off", "%(n)s printers are off", off)
    return ((Pool(printers, "/printers", "s-hold"),) if off else ()) + tuple(low)


def _system(language: Language, facts: Facts) -> tuple[Pool, ...]:
    """Figures of the machine: label and value as one sentence each."""
    system, number, say = facts.system, language.number, language.say
    behind, gave_up = system["rules_behind"], system["jobs_given_up"]
    return (
        Pool(say("Pushes, last hour: %(n)s", n=number(system["pushes_last_hour"])), ""),
        Pool(say("Rules behind: %(n)s", n=number(behind)), "", "s-hold" if behind > 1000 else ""),
        Pool(say("Strangers: %(n)s", n=number(system["strangers_waiting"])), "/strangers"),
        Pool(say("In quarantine: %(n)s", n=number(system["quarantine_open"])), "/strangers?view=quarantine"),
        Pool(say("Jobs waiting: %(n)s", n=number(system["jobs_ready"])), ""),
        Pool(say("Jobs given up: %(n)s", n=number(gave_up)), "", "s-exception" if gave_up else ""),
        Pool(*say_invariants(language, facts.findings, facts.now)),
    )
