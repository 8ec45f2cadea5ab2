"""The real process: it answers on the wire, moves parcels on its clock, dies on purpose and goes on where it was."""

import json
import multiprocessing
import os
import signal
import socket
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.sandbox.merchant import ID, KEY, Merchant, listening, request
from waystream.core.errors import Unavailable
from waystream.core.ports import Aggregator, CancelAnswer, HttpAsk, Reply, TakeAnswer, Taken
from waystream.integrations.kdniao.adapter import network
from waystream.sandbox.clock import machine_now
from waystream.sandbox.server import run
from waystream.sandbox.settings import Customer, SandboxSettings

FORK = multiprocessing.get_context("fork")
START = datetime(2026, 3, 1, 1, tzinfo=UTC)  # nine in the morning in Beijing


class Sandbox:
    """One sandbox folder, port and merchant; the process may be started again and again."""

    def __init__(self, folder: Path, merchant: Merchant, **settings: Any) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        self.aggregator = Aggregator(ID, KEY, self.url)
        self.settings = replace(
            SandboxSettings(
                folder,
                (Customer(ID, KEY, merchant.url),),
                port=port,
                anchor_business=START,
                anchor_machine=machine_now(),
                tick_s=0.02,
                retry_floor_s=0,
            ),
            **settings,
        )
        self.process = self.start()

    def start(self) -> Any:
        self.process = FORK.Process(target=run, args=(self.settings,))
        self.process.start()
        until = time.monotonic() + 20
        while time.monotonic() < until:
            try:
                self.get("/sandbox/clock")
                return self.process
            except urllib.error.URLError:
                time.sleep(0.02)
        raise AssertionError("the sandbox did not start")

    def stop(self) -> int | None:
        self.process.terminate()
        self.process.join(20)
        code: int | None = self.process.exitcode
        return code

    def died(self) -> int | None:
        self.process.join(20)
        code: int | None = self.process.exitcode
        return code

    def get(self, path: str) -> Any:
        with urllib.request.urlopen(self.url + path, timeout=10) as answer:
            return json.load(answer)

    def send(self, path: str, document: Any, method: str = "POST") -> Any:
        asked = urllib.request.Request(self.url + path, json.dumps(document).encode(), method=method)
        with urllib.request.urlopen(asked, timeout=30) as answer:
            return json.load(answer)

    def ask(self, ask: HttpAsk) -> Reply:
        asked = urllib.request.Request(ask.url, ask.body, dict(ask.headers))
        with urllib.request.urlopen(asked, timeout=10) as answer:
            return Reply(answer.status, (), answer.read())

    def take(self, code: str, **more: str) -> TakeAnswer:
        return network.read_take(self.ask(network.ask_take(self.aggregator, request(code, **more))))

    def number(self, code: str, **more: str) -> str:
        answer = self.take(code, **more)
        assert isinstance(answer, Taken), answer
        return answer.number

    def cancel(self, code: str, number: str) -> CancelAnswer:
        ask = network.ask_cancel(self.aggregator, request(code).account, code=code, number=number)
        return network.read_cancel(self.ask(ask))


Open = Callable[..., Sandbox]


@pytest.fixture
def merchant() -> Iterator[Merchant]:
    with listening() as merchant:
        yield merchant


@pytest.fixture
def open_sandbox(tmp_path: Path, merchant: Merchant) -> Iterator[Open]:
    opened: list[Sandbox] = []

    def open_one(**settings: Any) -> Sandbox:
        opened.append(Sandbox(tmp_path / "sandbox", merchant, **settings))
        return opened[-1]

    yield open_one
    for one in opened:
        one.stop()


def test_parcels_travel_by_themselves(open_sandbox: Open, merchant: Merchant) -> None:
    sandbox = open_sandbox(speed=36_000, demo_mix=True)
    cities = ("北京市", "广州市", "北京市", "成都市")
    numbers = {sandbox.number(f"WS{serial}", city=city) for serial, city in enumerate(cities)}
    merchant.wait(5)
    assert {told.number for push in merchant.pushes for told in push.told} <= numbers
    assert any(told.traces for push in merchant.pushes for told in push.told)
    assert sandbox.get("/sandbox/state")["counts"]["issued"] == 4
    assert sandbox.stop() == 0


@pytest.mark.parametrize(("death", "survives"), [("die_before", False), ("die_during", False), ("die_after", True)])
def test_a_death_around_the_allotment(open_sandbox: Open, death: str, survives: bool) -> None:
    """Whenever it dies, the same OrderCode asked again has one number in the end."""
    sandbox = open_sandbox()
    sandbox.send("/sandbox/faults", {death: 1.0}, "PUT")
    with pytest.raises((urllib.error.URLError, ConnectionError)):
        sandbox.take("WS1")
    assert sandbox.died() == 9
    sandbox.start()
    known = sandbox.get("/sandbox/issued?order_code=WS1")
    assert len(known) == survives
    answer = sandbox.take("WS1")
    assert isinstance(answer, Taken)
    assert answer.again is survives
    assert [one["number"] for one in sandbox.get("/sandbox/issued?order_code=WS1")] == [answer.number]


def test_a_killed_sandbox_goes_on(open_sandbox: Open, merchant: Merchant) -> None:
    sandbox = open_sandbox(speed=14_400)
    number = sandbox.number("WS1")
    os.kill(sandbox.process.pid, signal.SIGKILL)
    assert sandbox.died() == -9
    sandbox.start()
    answer = sandbox.take("WS1")
    assert isinstance(answer, Taken)
    assert (answer.number, answer.again) == (number, True)
    merchant.wait(1)
    assert merchant.pushes[0].told[0].number == number


def test_journeys_are_fixed_and_pushed_by_hand(open_sandbox: Open, merchant: Merchant) -> None:
    sandbox = open_sandbox()
    number = sandbox.number("WS1")
    stamps = [START + timedelta(hours=hours) for hours in (1, 30)]
    events = [
        {"at": at.isoformat(), "code": code, "text": text, "location": "北京市"}
        for at, code, text in zip(stamps, ("1", "301"), ("已揽收", "已签收"), strict=True)
    ]
    sandbox.send("/sandbox/journeys", [{"number": number, "events": events[:1], "quiet": True}])
    sandbox.send("/sandbox/journeys", [{"number": number, "events": events[1:], "quiet": True, "add": True}])
    statuses = sandbox.send(
        "/sandbox/push-now",
        {
            "pushes": [
                {"numbers": [number], "upto": stamps[1].isoformat()},
                {"numbers": [number], "upto": stamps[0].isoformat(), "times": 2},
                {"numbers": [number], "upto": stamps[0].isoformat(), "state_ex": "403", "push_type": "101"},
                {"numbers": [number], "upto": stamps[1].isoformat(), "forged": True},
            ]
        },
    )["statuses"]
    assert statuses == [200, 200, 200, 200, 401]
    codes = [[trace.code for trace in push.told[0].traces] for push in merchant.pushes]
    assert codes == [["1", "301"], ["1"], ["1"], [""]]
    assert [push.pushed_at for push in merchant.pushes] == [stamps[1], *[stamps[0]] * 3]
    assert [push.told[0].state_code for push in merchant.pushes] == ["301", "1", "1", "4"]


def test_a_cancelled_number_does_not_move(open_sandbox: Open, merchant: Merchant) -> None:
    sandbox = open_sandbox()
    cancelled, kept = sandbox.number("WS1"), sandbox.number("WS2")
    assert sandbox.cancel("WS1", cancelled).outcome == "confirmed"
    event = {"at": START.isoformat(), "code": "1", "text": "已揽收"}
    sandbox.send("/sandbox/journeys", [{"number": kept, "events": [event]}])
    with pytest.raises(urllib.error.HTTPError, match="404"):
        sandbox.send("/sandbox/journeys", [{"number": cancelled, "events": [event]}])
    merchant.wait(1)
    assert sandbox.cancel("WS2", kept).outcome == "refused"
    assert {told.number for push in merchant.pushes for told in push.told} == {kept}
    issued = {one["order_code"]: (one["cancelled"], one["collected"]) for one in sandbox.get("/sandbox/issued")}
    assert issued == {"WS1": (True, False), "WS2": (False, True)}


def test_pushes_may_be_sent_all_together(open_sandbox: Open, merchant: Merchant) -> None:
    sandbox = open_sandbox()
    numbers = [sandbox.number(f"WS{serial}") for serial in range(20)]
    orders = {"pushes": [{"numbers": [number]} for number in numbers], "together": True}
    assert sandbox.send("/sandbox/push-now", orders)["statuses"] == [200] * 20
    assert {push.told[0].number for push in merchant.pushes} == set(numbers)


def test_an_answer_may_be_late_or_lost(open_sandbox: Open) -> None:
    sandbox = open_sandbox()
    sandbox.send("/sandbox/faults", {"slow": 1.0, "slow_s": 0.3}, "PUT")
    before = time.monotonic()
    sandbox.number("WS1")
    assert time.monotonic() - before >= 0.3
    sandbox.send("/sandbox/faults", {"slow": 0.0, "http_500": 1.0}, "PUT")
    for serial in range(2, 12):
        with pytest.raises(urllib.error.HTTPError, match="500"):
            sandbox.take(f"WS{serial}")
    obeyed = len(sandbox.get("/sandbox/issued")) - 1
    assert 0 < obeyed < 10


@pytest.mark.parametrize(
    ("path", "method", "document", "status"),
    [
        ("/sandbox/faults", "PUT", {"dorp": 0.1}, 422),
        ("/sandbox/faults", "PUT", {"drop": 7}, 422),
        ("/sandbox/faults", "PUT", [], 422),
        ("/sandbox/journeys", "POST", [{"number": "nobody", "events": []}], 404),
        ("/sandbox/push-now", "POST", {"pushes": [{"numbers": []}]}, 422),
        ("/sandbox/push-now", "POST", {"pushes": [{"numbers": ["nobody"]}]}, 404),
    ],
)
def test_wrong_handles_are_said_so(open_sandbox: Open, path: str, method: str, document: Any, status: int) -> None:
    with pytest.raises(urllib.error.HTTPError) as raised:
        open_sandbox().send(path, document, method)
    assert raised.value.code == status
    assert json.load(raised.value)["detail"]


def test_a_body_over_the_limit_is_refused(open_sandbox: Open) -> None:
    sandbox = open_sandbox()
    with pytest.raises(urllib.error.HTTPError, match="413"):
        urllib.request.urlopen(sandbox.url + "/api/EOrderService", b"x" * 1_000_001, timeout=10)


def test_a_taken_port_is_a_sentence(open_sandbox: Open, tmp_path: Path) -> None:
    taken = open_sandbox().settings
    with pytest.raises(Unavailable, match="another port"):
        run(replace(taken, folder=tmp_path / "other"))
