"""Rounds of sudden death under load: orders are shipped, carriers push, and something is killed in the middle.

Which, and when, follows from the round's seed alone. After each round pushes are taken again; now and then, and in the
end, nothing is left to do and everything is judged.
"""

import contextlib
import os
import random
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

from tests.crash import story, verdict
from tests.crash.carriers import WAY, Carriers, Way
from tests.crash.network import Network, running_network
from tests.crash.site import Site, leave_no_room
from tests.crash.verdict import Verdict
from waystream.app import App, build
from waystream.core.errors import Unavailable
from waystream.settings import load

ORDERS_A_ROUND = 2
ACKS_BEFORE, ACKS_AFTER = (1, 40), 10
LATER_S = 0.4
SETTLED_EVERY = 20
TRY_LIMIT_S = 90.0
QUIET_LIMIT_S = 240.0  # a job that failed a few times waits a minute or two for its next try
#: What is killed, in this order by seed; a process of the site by its name, or one of these.
ENGINE = ("database", "session", "database restart", "full disk", "network")

NUMBERS = """
SELECT number FROM binding JOIN parcel ON parcel.id = binding.parcel_id
WHERE parcel.stage = 'dispatched' AND number <> ALL (%s)
"""


@dataclass(slots=True)
class Outcome:
    rounds: int = 0
    kills: Counter[str] = field(default_factory=Counter)
    acknowledged: int = 0
    repeated: int = 0
    refused: int = 0
    verdict: Verdict | None = None


@dataclass(frozen=True, slots=True)
class Scene:
    """Everything that runs. `app` is only attached: it looks, and ships as a person would."""

    site: Site
    network: Network
    carriers: Carriers
    app: App


@contextmanager
def running_scene(folder: Path, layout: str, *, strangers_most: int | None = None) -> Iterator[Scene]:
    folder.chmod(0o711)  # started by root, the database is another user and has to pass through
    site = Site(folder, layout)
    with running_network(folder / "network") as network:
        with build(load(None, {}, data_folder=site.data)) as app:
            app.machine.run(lambda tx: story.set_up(tx, network_url=network.url, labels=folder / "labels"))
        try:
            site.start_all()
            with _attached(site) as app, Carriers(site.push_port, strangers_most=strangers_most) as carriers:
                yield Scene(site, network, carriers, app)
        finally:
            site.stop_all()


@contextmanager
def _attached(site: Site) -> Iterator[App]:
    app = build(load(None, {}, data_folder=site.data))
    app.attach()
    try:
        yield app
    finally:
        app.stop()


def play(folder: Path, *, seed: int, rounds: int, layout: str = "split", say: Callable[[str], None] = print) -> Outcome:
    """Play the rounds with the seeds `seed`, `seed + 1` …; the outcome of all of them."""
    outcome = Outcome()
    with running_scene(folder, layout) as scene:
        victims = (*scene.site.posts, *ENGINE)
        for nth in range(rounds):
            chance = random.Random(seed + nth)
            victim = victims[(seed + nth) % len(victims)]
            began_s = time.monotonic()
            _play_round(scene, victim, chance)
            say(f"round {nth + 1} of {rounds}, seed {seed + nth}: {victim}, {time.monotonic() - began_s:.1f} s")
            outcome.kills[victim] += 1
            outcome.rounds += 1
            if (nth + 1) % SETTLED_EVERY == 0 and nth + 1 < rounds and not (found := _judge(scene)).good:
                say(f"found after seed {seed + nth}: {found}")
                break
        outcome.verdict = _judge(scene)
        ledger = scene.carriers.ledger
        outcome.acknowledged, outcome.repeated, outcome.refused = ledger.acknowledged, ledger.repeated, ledger.refused
    return outcome


def _play_round(scene: Scene, victim: str, chance: random.Random) -> None:
    _persist(lambda: story.ship_orders(scene.app, ORDERS_A_ROUND, trouble=""))
    show_new_numbers(scene)
    scene.carriers.wait_for(chance.randint(*ACKS_BEFORE))
    time.sleep(chance.uniform(0, LATER_S))
    _strike(scene, victim, chance)
    scene.carriers.wait_for(ACKS_AFTER)


def _strike(scene: Scene, victim: str, chance: random.Random) -> None:
    site = scene.site
    if victim in site.posts:
        site.kill(site.posts[victim])
        site.start(site.posts[victim])
    elif victim == "database":
        os.kill(site.postmaster, signal.SIGKILL)
    elif victim == "session":
        with contextlib.suppress(ProcessLookupError):
            os.kill(chance.choice(site.sessions()), signal.SIGKILL)
    elif victim == "database restart":
        os.kill(site.postmaster, signal.SIGINT)
    elif victim == "network":
        scene.network.kill()
    else:
        leave_no_room(site.postmaster)


def _persist(work: Callable[[], None]) -> None:
    """As a person does who presses the button again when the page says that the database is away."""
    deadline = time.monotonic() + TRY_LIMIT_S
    while True:
        try:
            return work()
        except (Unavailable, psycopg.OperationalError):
            assert time.monotonic() < deadline, "the database does not come back"
            time.sleep(0.2)


def show_new_numbers(scene: Scene, *, way: Way = WAY) -> None:
    """Carriers tell of every parcel that has left since."""
    shown = [journey.number for journey in scene.carriers.ledger.journeys]

    def look() -> None:
        with scene.app.machine.begin(read_only=True) as tx:
            scene.carriers.carry([row[0] for row in tx.conn.execute(NUMBERS, [shown])], way=way)

    _persist(look)


def _judge(scene: Scene) -> Verdict:
    """Let everything come to its end, then look."""
    _persist(lambda: story.wait_until_quiet(scene.app, limit_s=QUIET_LIMIT_S))
    show_new_numbers(scene)
    scene.carriers.finish()
    _persist(lambda: story.wait_until_quiet(scene.app, limit_s=QUIET_LIMIT_S))
    found = verdict.judge(scene.app, scene.network, scene.carriers.ledger)
    scene.carriers.go_on()
    return found


def tell(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
