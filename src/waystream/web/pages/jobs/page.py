"""GET /jobs: the queues by kind, and what was given up, to be tried again or dismissed."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Form, Query
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response

from waystream.core.errors import Missing
from waystream.kernel import job_mending, job_table, samples
from waystream.kernel.job_mending import GivenUp
from waystream.kernel.job_table import Queue
from waystream.kernel.tx import Tx
from waystream.web.acting import act_on_setup, parse_ids
from waystream.web.auth import Seat, requires
from waystream.web.cursor import read_cursor, write_cursor
from waystream.web.navigation import Entry
from waystream.web.render import go, language_of, show
from waystream.web.shell.language import N_, Language, Moment
from waystream.web.views import Address, Ask, Deed, Effect

READ, WRITE = "machine:read", "machine:write"
NAV = (Entry(70, "settings", "/jobs", "settings", N_("Jobs"), READ),)
SHOWN = 50
#: A queue whose oldest due job waits longer than this stands in the answer.
OVERDUE_S = 60.0

router = APIRouter()

Id = Annotated[str, Form(max_length=20)]

#: What jobs of a kind do; a kind without a word here shows its name.
KINDS: dict[str, str] = {
    "take_number": N_("take a number"),
    "cancel_waybill": N_("give a number back"),
    "drain_printer": N_("print labels"),
    "try_printer": N_("test a printer"),
    "subscribe": N_("subscribe to a number’s trace"),
    "count_numbers": N_("count an account’s numbers"),
    "test_aggregator": N_("test an aggregator"),
    "adopt_strangers": N_("adopt what was told before"),
    "replay": N_("read kept pushes again"),
    "retry_rule": N_("try again what a rule parked"),
    "dry_run_rule": N_("rehearse a rule"),
}


@dataclass(frozen=True, slots=True)
class QueueLine:
    kind: str
    word: str
    ready: str
    running: str
    given_up: str
    given_up_href: str
    overdue: str
    late: bool


@dataclass(frozen=True, slots=True)
class GivenUpLine:
    word: str
    subject: str
    subject_href: str
    error: str
    attempts: str
    cause: str
    ended: Moment | None
    deeds: tuple[Deed, ...]


@dataclass(frozen=True, slots=True)
class JobsPage:
    answer: Markup
    queues: tuple[QueueLine, ...]
    given_up: tuple[GivenUpLine, ...]
    chosen: str
    clear: str
    first: str
    next: str


@router.get("/jobs")
def list_jobs(
    request: Request,
    seat: Annotated[Seat, requires(READ)],
    kind: Annotated[str, Query(max_length=100)] = "",
    after: Annotated[str, Query(max_length=60)] = "",
) -> Response:
    language, address = language_of(request), Address("/jobs", {"kind": kind})
    page = act_on_setup(request, lambda tx: draw(tx, seat, language, address, after))
    return show(request, "jobs/page.html", page, live="machine")


def draw(tx: Tx, seat: Seat, language: Language, address: Address, after: str) -> JobsPage:
    kind, may = address.filters["kind"], seat.caller.may(WRITE)
    queues = job_table.list_queues(tx.conn)
    found = job_mending.list_given_up(tx, kind=kind, before=read_cursor(after), limit=SHOWN + 1)
    shown, now = found[:SHOWN], samples.machine_now(tx.conn)
    return JobsPage(
        answer=say_jobs(language, queues),
        queues=tuple(_queue(language, queue) for queue in queues),
        given_up=tuple(_given_up(language, job, now=now, may=may) for job in shown),
        chosen=_word(language, kind) if kind else "",
        clear=address.but(kind=""),
        first=address.but() if after else "",
        next=address.but(after=write_cursor(shown[-1].finished_at, shown[-1].id)) if len(found) > SHOWN else "",
    )


def say_jobs(language: Language, queues: Sequence[Queue]) -> Markup:
    """The answer: what was given up, else what is late, else how much waits."""
    given_up, ready = sum(queue.given_up for queue in queues), sum(queue.ready for queue in queues)
    late = max(queues, key=lambda queue: queue.overdue_s, default=None)
    if late is not None and late.overdue_s > OVERDUE_S:
        return language.say(
            "Jobs wait too long: the oldest to %(word)s is due since %(late)s.",
            word=_word(language, late.kind),
            late=language.lasting(late.overdue_s),
        )
    if given_up:
        return language.say_n(
            '<a href="#given-up">%(n)s job was given up</a> and waits for a person; nothing else is late.',
            '<a href="#given-up">%(n)s jobs were given up</a> and wait for a person; nothing else is late.',
            given_up,
        )
    return language.say_n(
        "Every job is done in time; %(n)s waits for its turn or a later try.",
        "Every job is done in time; %(n)s wait for their turn or a later try.",
        ready,
    )


def _word(language: Language, kind: str) -> str:
    return language.say(KINDS[kind]) if kind in KINDS else kind


def _queue(language: Language, queue: Queue) -> QueueLine:
    number = language.number
    return QueueLine(
        kind=queue.kind,
        word=_word(language, queue.kind),
        ready=number(queue.ready),
        running=number(queue.running),
        given_up=number(queue.given_up),
        given_up_href=f"/jobs?kind={queue.kind}#given-up" if queue.given_up else "",
        overdue=language.lasting(queue.overdue_s) if queue.overdue_s >= 1 else "–",
        late=queue.overdue_s > OVERDUE_S,
    )


def _given_up(language: Language, job: GivenUp, *, now: datetime, may: bool) -> GivenUpLine:
    kind, _, number = job.subject.partition(":")
    place = {"order": "/orders/", "parcel": "/parcels/"}.get(kind, "")
    say, ask = language.say, f"/jobs/ask?id={job.id}"
    deeds = (Deed(say("Try again…"), f"{ask}&do=retry"), Deed(say("Dismiss…"), f"{ask}&do=dismiss"))
    return GivenUpLine(
        word=_word(language, job.kind),
        subject=job.subject,
        subject_href=f"{place}{number}" if place else "",
        error=job.error,
        attempts=language.number(job.attempts),
        cause=job.cause,
        ended=language.when(job.finished_at, now),
        deeds=deeds if may else (),
    )


@router.get("/jobs/ask")
def ask(
    request: Request,
    seat: Annotated[Seat, requires(READ)],
    do: str,
    id: Annotated[str, Query(max_length=20)] = "",
) -> Response:
    """The dialog before a deed; opened over the page, or a page of its own without scripts."""
    say = language_of(request).say
    if do == "retry":
        title, verb, reason = say("Have this job tried again?"), say("Try again"), ""
        effects = (
            Effect("s-later", say("It is run at once, with as many attempts as it had at first.")),
            Effect("s-hold", say("Where its order or parcel has moved on meanwhile, it does nothing.")),
        )
    elif do == "dismiss":
        title, verb, reason = say("Dismiss this job?"), say("Dismiss"), say("Why is nothing more done about it?")
        effects = (
            Effect("s-cancelled", say("The job is removed; what it should have done stays undone.")),
            Effect("s-done", say("The audit keeps what it was and why it was dismissed.")),
        )
    else:
        raise Missing("There is no such action.")
    page = Ask(title, effects, verb, f"/jobs/{do}", "/jobs", (("id", id),), reason=reason, danger=do == "dismiss")
    return show(request, "ask.html", page)


@router.post("/jobs/retry")
def retry_job(request: Request, seat: Annotated[Seat, requires(WRITE)], id: Id) -> Response:
    [job_id], actor = parse_ids([id]), seat.caller.actor
    return _done(request, lambda tx: job_mending.retry(tx, job_id, actor=actor), N_("The job is tried again."))


@router.post("/jobs/dismiss")
def dismiss_job(
    request: Request,
    seat: Annotated[Seat, requires(WRITE)],
    id: Id,
    reason: Annotated[str, Form(min_length=1, max_length=200)],
) -> Response:
    [job_id], actor = parse_ids([id]), seat.caller.actor
    return _done(
        request, lambda tx: job_mending.dismiss(tx, job_id, actor=actor, reason=reason), N_("The job is dismissed.")
    )


def _done(request: Request, deed: Callable[[Tx], object], said: str) -> Response:
    act_on_setup(request, deed)
    return go("/jobs", said=language_of(request).say(said))
