"""Jobs over the API: the queues, and what was given up, to be tried again or dismissed."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path, Query
from starlette.responses import Response

from waystream.kernel import job_mending, job_table
from waystream.kernel.tx import Tx
from waystream.web.api.orders import After
from waystream.web.cursor import write_cursor
from waystream.web.interface import Call, go_on, may, told
from waystream.web.wire import MAX_ID, Asked, Id, Reason, Told

READ, WRITE = "machine:read", "machine:write"

router = APIRouter(tags=["jobs"])

JobId = Annotated[int, Path(ge=1, le=MAX_ID)]


class QueueView(Told, frozen=True):
    """Jobs of a kind that are not done; `overdue_s` is how long the longest due one waits, in seconds."""

    kind: str
    ready: int
    running: int
    given_up: int
    overdue_s: float


class Queues(Told, frozen=True):
    queues: tuple[QueueView, ...]


class GivenUpView(Told, frozen=True):
    """`cause` is the event that led to it: `event:ID/DEPTH`; instants are the machine's clock."""

    id: Id
    kind: str
    shop_id: Id | None
    key: str
    subject: str
    attempts: int
    error: str
    cause: str
    created_at: datetime
    finished_at: datetime


class GivenUpPage(Told, frozen=True):
    """`after` leads to the next page; null on the last."""

    jobs: tuple[GivenUpView, ...]
    after: str | None


class DismissIn(Asked, frozen=True):
    reason: Reason


@router.get("/jobs", summary="List the queues of jobs")
@told(gives=Queues)
def list_queues(call: Annotated[Call, may(READ)]) -> Response:
    """Every kind that has jobs which are not done."""

    def read(tx: Tx) -> Queues:
        queues = job_table.list_queues(tx.conn)
        return Queues(
            queues=tuple(
                QueueView(each.kind, each.ready, each.running, each.given_up, each.overdue_s) for each in queues
            )
        )

    return call.show(read, setup=True)


@router.get("/jobs/given-up", summary="List given-up jobs, the newest first")
@told(gives=GivenUpPage, errors=(422,))
def list_given_up(
    call: Annotated[Call, may(READ)],
    kind: Annotated[str, Query(max_length=100, description="of one kind")] = "",
    after: After = "",
    limit: Annotated[int, Query(ge=1, le=job_mending.PAGE_MAX, description="rows of a page")] = 50,
) -> Response:
    before = go_on(after)

    def read(tx: Tx) -> GivenUpPage:
        jobs = job_mending.list_given_up(tx, kind=kind, before=before, limit=limit)
        last = jobs[-1] if len(jobs) == limit else None
        return GivenUpPage(
            jobs=tuple(map(_view, jobs)), after=write_cursor(last.finished_at, last.id) if last else None
        )

    return call.show(read, setup=True)


@router.post("/jobs/{job}/retry", summary="Have a given-up job tried again")
@told(gives=GivenUpView, errors=(404, 409, 422))
def retry_job(call: Annotated[Call, may(WRITE)], job: JobId) -> Response:
    """At once, with every attempt it had at first. Answers the job as it was."""
    return call.do(lambda tx: _view(job_mending.retry(tx, job, actor=call.actor)), setup=True)


@router.post("/jobs/{job}/dismiss", summary="Dismiss a given-up job")
@told(takes=DismissIn, gives=GivenUpView, errors=(404, 422))
def dismiss_job(call: Annotated[Call, may(WRITE)], job: JobId) -> Response:
    """Nothing more is done about it; the audit keeps what it was and why. Answers the job as it was."""
    asked = call.read(DismissIn)
    return call.do(lambda tx: _view(job_mending.dismiss(tx, job, actor=call.actor, reason=asked.reason)), setup=True)


def _view(job: job_mending.GivenUp) -> GivenUpView:
    return GivenUpView(
        id=Id(job.id),
        kind=job.kind,
        shop_id=Id(job.shop_id) if job.shop_id else None,
        key=job.key,
        subject=job.subject,
        attempts=job.attempts,
        error=job.error,
        cause=job.cause,
        created_at=job.created_at,
        finished_at=job.finished_at,
    )
