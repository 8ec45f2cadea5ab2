"""Jobs: what must happen in the outside world, asked for in the transaction of the fact that wants it.

This is the language: a part enqueues a `Job`, its jobs.py has a `Handler` for it, and `Sweep`s for what is looked
for now and then. Guaranteed: one unfinished job per kind and key; the effect and the end of its job are one
transaction. States: ready → running → done or given_up, and back to ready on failure. `runner` runs them.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from psycopg import Connection

from waystream.core.channels import Channels, Links, no_channels, no_link
from waystream.core.gateways import Gateway
from waystream.core.ports import Network, PrinterDriver
from waystream.kernel.columns import bigints, texts
from waystream.kernel.database import tell

if TYPE_CHECKING:  # tx stands on jobs, not the other way round
    from waystream.kernel.exchange import Exchange
    from waystream.kernel.tx import Tx, Work

JOB_CHANNEL = "waystream_job"

Args = Mapping[str, str | int]


@dataclass(frozen=True, slots=True)
class Job:
    """Wanted: `kind` finds the handler, `key` makes it one, `subject` is the order or parcel it is about.

    `args` holds ids and words, never personal data. `delay_s` is machine time.
    """

    kind: str
    shop_id: int
    key: str
    subject: str
    args: Args = field(default_factory=dict)
    delay_s: float = 0


@dataclass(frozen=True, slots=True)
class Claimed:
    """A job that is ours until its lease ends; `attempts` counts this one and names the lease.

    `cause` is what made it necessary: the event a rule digested, empty where a person or a sweep asked.
    """

    id: int
    kind: str
    shop_id: int
    key: str
    subject: str
    args: Args
    attempts: int
    cause: str = ""

    @property
    def as_cause(self) -> str:
        """The cause of what its run writes: as deep in the chain of events as the job itself."""
        return f"job:{self.id}/{self.cause.rpartition('/')[2] or 0}"


class LeaseLost(Exception):
    """Our lease ended and the job is somebody else's: the transaction must roll back."""


@dataclass(slots=True)
class Run:
    """One run of a job, as a handler sees it. `work` opens the transactions around the call to the outside; what is
    emitted and enqueued in them is caused by the job."""

    job: Claimed
    work: "Work"
    finished: bool = False

    def finish(self, tx: "Tx") -> None:
        """Mark the job done in the transaction of its effect. Raises `LeaseLost`, so that a late effect rolls back.

        A handler that returns without it had nothing to write; the runner marks the job done then.
        """
        leave(tx.conn, self.job, state="done")
        self.finished = True


class Handler(Protocol):
    """How jobs of one kind are done.

    `do` may be run again after any crash. It raises `Unavailable` to be tried again later and `Refused` to give up.
    `lease_s` is longer than any run takes; `concurrency` is per process.
    """

    @property
    def kind(self) -> str: ...
    @property
    def lease_s(self) -> float: ...
    @property
    def max_attempts(self) -> int: ...
    @property
    def concurrency(self) -> int: ...

    def do(self, run: Run) -> None: ...

    def give_up(self, tx: "Tx", job: Claimed) -> None:
        """Say so (an event), in the transaction that ends the job."""


@dataclass(frozen=True, slots=True)
class Sweep:
    """Looked for every `every_s` machine seconds, by one process at a time; `do` returns how many it found."""

    name: str
    every_s: float
    do: "Callable[[Tx], int]"


@dataclass(frozen=True, slots=True)
class Outside:
    """All that a handler may use to reach the outside world. `speed`: business seconds in one of the machine.

    `channels` are a shop's ways to its buyers. `push_address` is our own, where the outside tells us things,
    `page_address` where people look. `links` lead a buyer to the page of his order.
    """

    exchange: "Exchange"
    networks: Mapping[str, Network]
    drivers: Mapping[str, PrinterDriver]
    speed: float = 1.0
    channels: Channels = no_channels
    gateways: Mapping[str, Gateway] = field(default_factory=dict)
    push_address: str = ""
    page_address: str = ""
    links: Links = no_link


def enqueue(conn: Connection[Any], wanted: Sequence[Job], *, causes: Sequence[str] = ()) -> None:
    """Add the jobs in one statement; where one of the same kind and key is unfinished, that one stays as it is.

    `causes` are those of the jobs, one each; none: nothing in the log led to them.
    """
    if not wanted:
        return
    added = conn.execute(
        """INSERT INTO job (kind, shop_id, key, subject, args, due_at, cause)
           SELECT kind, shop_id, key, subject, args, clock_timestamp() + make_interval(secs => delay_s), cause
           FROM unnest(%(kinds)b::text[], %(shops)b::bigint[], %(keys)b::text[], %(subjects)b::text[],
                       %(args)b::jsonb[], %(delays)s::float8[], %(causes)b::text[]) WITH ORDINALITY
                AS given (kind, shop_id, key, subject, args, delay_s, cause, nth)
           ORDER BY nth
           ON CONFLICT (kind, key) WHERE state IN ('ready', 'running') DO NOTHING""",
        {
            "kinds": texts([job.kind for job in wanted]),
            "shops": bigints([job.shop_id for job in wanted]),
            "keys": texts([job.key for job in wanted]),
            "subjects": texts([job.subject for job in wanted]),
            "args": texts([json.dumps(dict(job.args)) for job in wanted]),
            "delays": [job.delay_s for job in wanted],
            "causes": texts(causes or [""] * len(wanted)),
        },
    )
    if added.rowcount:
        tell(conn, JOB_CHANNEL)


def leave(conn: Connection[Any], job: Claimed, *, state: str, error: str = "", delay_s: float = 0) -> None:
    """End a run: done, given_up, or ready again after `delay_s`. Raises `LeaseLost` if the run is no longer ours."""
    left = conn.execute(
        """UPDATE job SET state = %(state)s, error = %(error)s, leased_until = NULL,
                  due_at = CASE WHEN %(state)s = 'ready'
                                THEN clock_timestamp() + make_interval(secs => %(delay_s)s) ELSE due_at END,
                  finished_at = CASE WHEN %(state)s = 'ready' THEN NULL ELSE clock_timestamp() END
           WHERE id = %(id)s AND state = 'running' AND attempts = %(attempts)s""",
        {"state": state, "error": error, "delay_s": delay_s, "id": job.id, "attempts": job.attempts},
    )
    if left.rowcount != 1:
        raise LeaseLost(f"job {job.id} ({job.kind}), attempt {job.attempts}")
