"""The composition root: everything that runs, put together once. The only module that sees everything.

`build(settings)` wires nothing twice; `start` opens the engines in their order and `stop` closes them in the reverse
one. Which loops run is decided by the roles, in `App._loops`; which routes are served, in `server`.
"""

import importlib
import logging
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from waystream import doctor, integrations, invariants, parts, rules
from waystream.core.channels import no_link
from waystream.core.errors import Conflict, WaystreamError
from waystream.core.gateways import Gateway
from waystream.core.ports import Network, PrinterDriver
from waystream.kernel import job_table, migrations, open_list, rule_jobs, rule_request, sampling
from waystream.kernel.backup import Source, make_backup
from waystream.kernel.backup_folder import Backup, keep_newest
from waystream.kernel.clock import Clock, FastClock, SystemClock
from waystream.kernel.database import Database
from waystream.kernel.dispatcher import THREADS, Dispatcher
from waystream.kernel.event_feed import EventFeed, event_stream, forget_feed
from waystream.kernel.exchange import Exchange
from waystream.kernel.figures import Figures
from waystream.kernel.jetstream import JetStream, Place, Stream
from waystream.kernel.jetstream_figures import StreamCollector
from waystream.kernel.jobs import Handler, Outside, Sweep
from waystream.kernel.lifecycle import EmbeddedPostgres
from waystream.kernel.log import Sequencer
from waystream.kernel.observers import Observers
from waystream.kernel.runner import Pace, Runner
from waystream.kernel.sampling import Sampler
from waystream.kernel.tx import Tx, Work
from waystream.kernel.vault import Keys, Vault
from waystream.parts.backups import actions as backups
from waystream.parts.backups.nightly import NightlyBackups, Rhythm
from waystream.parts.buyer import actions as buyer
from waystream.parts.buyer import links
from waystream.parts.channels.post import PostOffice
from waystream.parts.tracking.door import APPLIERS, Door
from waystream.parts.tracking.stream import PushDoor, StreamApplier, StreamDoor, push_stream
from waystream.parts.webhooks import courier
from waystream.parts.webhooks.courier import Courier
from waystream.settings import ALL_ROLES, Role, Roles, Settings
from waystream.web import idempotency

if TYPE_CHECKING:
    from waystream.kernel.tracing import Tracing

log = logging.getLogger(__name__)

CLOCK_SAVE_S = 1.0
JOIN_LIMIT_S = 120.0  # the one who starts the server may have to recover it first
JOIN_STEP_S = 0.2
STREAMS = ("pushes", "events")
GROUPS_TAKEN = 3  # off the stream: one for each applying thread and one that waits
NO_ROLES: Roles = frozenset()
#: The machine's pool: some for every process, and for a role, beside those of the job workers.
CONNECTIONS = 8
MORE_CONNECTIONS = {Role.WEB: 16, Role.RULES: 4}
RULES_CONNECTIONS = THREADS + 1  # one looks, the others have their turns


class Loop(Protocol):
    """Runs by itself between `start` and `stop`."""

    def start(self) -> None: ...
    def stop(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Urls:
    """Where the database is, for each role."""

    owner: str
    machine: str
    page: str


def load_adapters() -> tuple[dict[str, Network], dict[str, PrinterDriver]]:
    """Every integration of the open list: networks by name, printer drivers by the scheme of their addresses."""
    networks: dict[str, Network] = {}
    drivers: dict[str, PrinterDriver] = {}
    for package in open_list.load(integrations):
        adapter = importlib.import_module(f"{package.__name__}.adapter")
        if hasattr(adapter, "network"):
            networks[adapter.network.name] = adapter.network
        if hasattr(adapter, "driver"):
            drivers[adapter.driver.scheme] = adapter.driver
    return networks, drivers


def load_gateways() -> dict[str, Gateway]:
    """The ways out for messages, by the names of their captions."""
    adapters = (importlib.import_module(f"{package.__name__}.adapter") for package in open_list.load(integrations))
    gateways: list[Gateway] = [adapter.gateway for adapter in adapters if hasattr(adapter, "gateway")]
    return {gateway.caption.name: gateway for gateway in gateways}


def load_work(outside: Outside, settings: Settings) -> tuple[tuple[Handler, ...], tuple[Sweep, ...]]:
    """Every part's job handlers and sweeps; a part whose sweeps need settings has `list_sweeps` to say them."""
    handlers: list[Handler] = []
    sweeps: list[Sweep] = [job_table.pruning(), rule_request.pruning(), sampling.sweep(), idempotency.sweep()]
    for part in open_list.load(parts):
        if (Path(str(part.__path__[0])) / "jobs.py").exists():
            jobs = importlib.import_module(f"{part.__name__}.jobs")
            open_list.require(jobs, "handlers", "SWEEPS")
            handlers += jobs.handlers(outside)
            sweeps += jobs.list_sweeps(settings) if hasattr(jobs, "list_sweeps") else jobs.SWEEPS
    return tuple(handlers), tuple(sweeps)


class App:
    """A running Waystream: engines, sequencer, rules, jobs. The web server stands on it (`web.app.make_web`)."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.networks, self.drivers = load_adapters()
        self.gateways = load_gateways()
        self.rules = open_list.load(rules)
        self.invariants = open_list.load(invariants)
        self._postgres: EmbeddedPostgres | None = None
        self._open = ExitStack()

    @property
    def roles(self) -> Roles:
        return self.settings.roles

    def start(self) -> None:
        """Open everything our roles need. With all roles the engine must be ours; with a part of them a running one
        is joined, or started where none runs."""
        self._open_all(self.settings.roles, join=self.settings.roles != ALL_ROLES)

    def host(self) -> None:
        """Own the engine and the clock for processes that join us; run nothing ourselves."""
        self._open_all(NO_ROLES, join=False)

    def attach(self) -> None:
        """Open the database only: beside a running server, or alone for one command."""
        self._open_all(NO_ROLES, join=True, save_time=False)

    def _open_all(self, roles: Roles, *, join: bool, save_time: bool = True) -> None:
        """On failure what was opened is closed again."""
        with ExitStack() as stack:
            self.urls, joined = self._open_engine(stack, join=join)
            self.applied = migrations.migrate(self.urls.owner)
            if self.applied:
                log.info("schema brought up to date: %s", ", ".join(self.applied))
            self.clock = self._open_clock(stack, follow=joined, save=save_time and not joined)
            self._open_databases(stack, roles)
            self._open_jetstream(stack, roles)
            for loop in (*self._loops(stack, roles), *self._backups(owner=save_time and not joined)):
                loop.start()
                stack.callback(loop.stop)
            self._open = stack.pop_all()

    def stop(self) -> None:
        """Close everything in the reverse order; harmless when not started."""
        self._open.close()

    def keep_backup(self, folder: Path, *, keep: int | None = None) -> tuple[Backup, list[str]]:
        """Make a backup in `folder` and leave the newest `keep` there; the names of those removed."""
        settings, postgres = self.settings, self._postgres
        began_at = self.clock.machine_now()
        try:
            backup = make_backup(Source(settings.data_folder, settings.key_folder, self.urls.owner, postgres), folder)
        except WaystreamError as error:
            why, ended_at = error.sentence, self.clock.machine_now()
            self.machine.run(
                lambda tx: backups.note_failure(tx, why, folder=str(folder), began_at=began_at, ended_at=ended_at)
            )
            raise
        self.machine.run(lambda tx: backups.note_backup(tx, backup, folder=str(folder)))
        line = postgres.line if postgres else ""
        return backup, keep_newest(folder, keep, line=line) if keep else []

    def __enter__(self) -> "App":
        self.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.stop()

    def _open_engine(self, stack: ExitStack, *, join: bool) -> tuple[Urls, bool]:
        """Where the database is, and whether it is another process that runs it on this data folder."""
        settings = self.settings
        if not settings.embedded:
            return Urls(settings.owner_database_url, settings.database_url, settings.page_database_url), False
        self._postgres = postgres = EmbeddedPostgres(
            settings.data_folder, key_folder=settings.key_folder, backups=settings.backup_folder
        )
        joined = join and not self._own(postgres, stack)
        if not join:
            stack.enter_context(postgres)
        return Urls(postgres.owner_url, postgres.machine_url, postgres.page_url), joined

    def _own(self, postgres: EmbeddedPostgres, stack: ExitStack) -> bool:
        """Start the server unless one answers; of two that come at once the second waits for the first one's."""
        ends_s = time.monotonic() + JOIN_LIMIT_S
        while not postgres.answers():
            try:
                stack.enter_context(postgres)
                return True
            except Conflict:
                if time.monotonic() > ends_s:
                    raise
                time.sleep(JOIN_STEP_S)
        return False

    def _open_clock(self, stack: ExitStack, *, follow: bool, save: bool) -> Clock:
        """The machine's time, or a saved faster one; one process of a data folder saves it, the others follow."""
        file = self.settings.key_folder / "clock.json"
        if self.settings.clock_speed == 1.0 and not file.exists():
            return SystemClock()
        if follow and file.exists():
            return FastClock.follow(file, self.settings.clock_speed)
        clock = FastClock.resume(file, self.settings.clock_speed)
        if not save:
            return clock
        clock.save(file)
        ended = threading.Event()
        saver = threading.Thread(target=_save_clock, args=(clock, file, ended), name="clock")
        saver.start()
        stack.callback(saver.join)
        stack.callback(ended.set)
        return clock

    def _open_databases(self, stack: ExitStack, roles: Roles) -> None:
        settings = self.settings
        self.machine_database = Database(self.urls.machine, role="machine", max_size=self._connections(roles))
        self.page_database = Database(self.urls.page, role="page", max_size=16)
        for database in (self.machine_database, self.page_database):
            stack.callback(database.close)
            database.open()
        with self.machine_database.tx(read_only=True) as conn:
            sealed = conn.execute("SELECT 1 FROM vault_key LIMIT 1").fetchone() is not None
        self.keys = Keys(Vault.open(settings.key_folder, must_exist=sealed))
        self.machine = Work(self.machine_database, self.clock, self.keys)
        self.page = Work(self.page_database, self.clock, self.keys)
        self.figures = Figures(self.machine_database, self.clock)
        self.observers = Observers(self.figures, self._open_telemetry(stack, roles))
        following = self._busy(stack, "rules", RULES_CONNECTIONS) if Role.RULES in roles else self.machine
        self.dispatcher = Dispatcher(following, self.rules, observe=self.observers.saw_turn)
        self._applying = self._busy(stack, "apply", APPLIERS) if roles & {Role.PUSH, Role.APPLY} else self.machine

    def _busy(self, stack: ExitStack, role: str, connections: int) -> Work:
        """Whoever never rests has connections of its own: the server behind each has at hand what it works on."""
        database = Database(self.urls.machine, role=role, min_size=connections, max_size=connections)
        stack.callback(database.close)
        database.open()
        return Work(database, self.clock, self.keys)

    def _open_telemetry(self, stack: ExitStack, roles: Roles) -> "Tracing | None":
        """Figures and traces to a collector, if one is named; OpenTelemetry is imported only then."""
        endpoint = self.settings.otlp_endpoint
        if not (endpoint and roles):
            return None
        from waystream.kernel import otlp_metrics, tracing

        resource = tracing.describe_process(roles)
        sender = otlp_metrics.open_sender(self.figures.registry, endpoint=endpoint, resource=resource)
        sender.start()
        stack.callback(sender.stop)
        share = self.settings.otlp_traces
        traces = tracing.open_tracing(self.machine, endpoint=endpoint, sampled=share, resource=resource)
        stack.callback(traces.stop)
        return traces

    def _open_jetstream(self, stack: ExitStack, roles: Roles) -> None:
        """The connection to the streams, where a role needs one."""
        settings = self.settings
        pushes = settings.pushes_by_stream and roles & {Role.PUSH, Role.APPLY}
        events = settings.events_by_stream and Role.RULES in roles
        if pushes or events:
            self.jetstream = stack.enter_context(JetStream(jetstream_place(settings)))
            self.figures.registry.register(StreamCollector(self.jetstream, STREAMS))

    def _connections(self, roles: Roles) -> int:
        """How many the machine's pool may open: many processes share the server's limit."""
        return CONNECTIONS + sum(
            self.settings.job_workers if role is Role.JOBS else MORE_CONNECTIONS.get(role, 0) for role in roles
        )

    def _backups(self, *, owner: bool) -> Iterator[Loop]:
        """Backups are made where the server is: by its owner, when it lives for longer than a command."""
        settings, postgres = self.settings, self._postgres
        folder = settings.backup_folder
        if owner and postgres is not None and folder is not None:
            yield NightlyBackups(
                self.machine,
                Rhythm(
                    every=timedelta(hours=settings.backup_every_h),
                    make=lambda: self.keep_backup(folder, keep=settings.backups_kept),
                    line=lambda: postgres.line,
                ),
            )

    def _loops(self, stack: ExitStack, roles: Roles) -> Iterator[Loop]:
        """What runs by itself, by role; what is asked over HTTP is in `server`."""
        if roles & {Role.PUSH, Role.APPLY}:
            yield Sampler(self.machine, self.figures.pushes)
        if Role.RULES in roles:
            self.sequencer = Sequencer(self.machine_database)
            yield self.sequencer
            yield self.dispatcher
            if self.settings.events_by_stream:
                yield EventFeed(self.machine, self.jetstream, self._event_stream())
            else:
                self.machine.run(forget_feed)
        if Role.APPLY in roles and self.settings.pushes_by_stream:
            yield self._applier()
        if Role.JOBS in roles:
            private = self.settings.private_hosts
            exchange = stack.enter_context(Exchange(private.__contains__, speed=self.settings.clock_speed))
            handlers, sweeps = load_work(self._outside(exchange), self.settings)
            pace = Pace(longest_lease_s=self.settings.lease_s)
            self.runner = Runner(
                self.machine,
                [*handlers, *rule_jobs.handlers(self.dispatcher)],
                [*sweeps, doctor.sweep(self.invariants)],
                workers=self.settings.job_workers,
                pace=pace,
                observe=self.observers.saw_run,
            )
            yield self.runner
            yield Courier(self.machine, exchange, pace=self._courier_pace())

    def _outside(self, exchange: Exchange) -> Outside:
        address = self.settings.push_address or self.settings.address
        return Outside(
            exchange,
            self.networks,
            self.drivers,
            self.settings.clock_speed,
            PostOffice(self.machine, exchange, self.gateways, address),
            self.gateways,
            address,
            self.settings.address,
            links=self._link_of if self.settings.base_url else no_link,
        )

    def _link_of(self, tx: Tx, order_id: int) -> str:
        """Where a buyer sees his order; nowhere, as long as nobody said how the world reaches us."""
        return links.address(self.settings.address, buyer.link(tx, order_id).signed(tx.keys.vault))

    def open_door(self) -> PushDoor:
        """Where verified pushes go: onto the stream if there is one, else straight into a transaction."""
        settings = self.settings
        if not settings.pushes_by_stream:
            return self._door(waiting_max_pushes=settings.push_waiting)
        return StreamDoor(
            self.machine,
            self.jetstream,
            push_stream(max_gb=settings.nats_pushes_gb),
            body_limit_bytes=settings.push_body_kb * 1024,
            waiting_max_pushes=settings.push_waiting,
        )

    def _applier(self) -> StreamApplier:
        settings = self.settings
        room = GROUPS_TAKEN * settings.push_group
        return StreamApplier(
            self.machine,
            self.jetstream,
            push_stream(max_gb=settings.nats_pushes_gb),
            networks=self.networks,
            door=self._door(waiting_max_pushes=room),
            room=room,
        )

    def _event_stream(self) -> Stream:
        return event_stream(keep_days=self.settings.nats_events_days, max_gb=self.settings.nats_events_gb)

    def _door(self, *, waiting_max_pushes: int) -> Door:
        return Door(
            self._applying,
            group_max_pushes=self.settings.push_group,
            waiting_max_pushes=waiting_max_pushes,
            observe=self.observers.saw_commit,
        )

    def _courier_pace(self) -> courier.Pace:
        usual = courier.Pace(failing_s=self.settings.webhook_failing_days * courier.DAY_S)
        return replace(usual, lease_s=min(usual.lease_s, self.settings.lease_s))


def jetstream_place(settings: Settings) -> Place:
    return Place(
        urls=tuple(url.strip() for url in settings.nats_url.split(",")),
        credentials=Path(settings.nats_credentials) if settings.nats_credentials else None,
        prefix=settings.nats_prefix,
        replicas=settings.nats_replicas,
    )


def _save_clock(clock: FastClock, file: Path, ended: threading.Event) -> None:
    while not ended.wait(CLOCK_SAVE_S):
        clock.save(file)
    clock.save(file)


def build(settings: Settings) -> App:
    return App(settings)
