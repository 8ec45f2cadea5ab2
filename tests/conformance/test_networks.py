"""Every carrier network is judged alike: by the documents in its own `samples/`, whatever its wire looks like.

`samples/index.toml` says what each document must be read as. A new network is tested here by having that file.
"""

import importlib
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from waystream import integrations
from waystream.core.errors import Refused, Unavailable, Unreadable
from waystream.core.facts import scan_key
from waystream.core.ports import (
    Aggregator,
    CarrierAccount,
    Contact,
    Goods,
    HttpAsk,
    Network,
    Reply,
    TakeDenied,
    Taken,
    TakeRequest,
    TakeUnclear,
    Told,
)
from waystream.core.state import UNKNOWN, State
from waystream.kernel import open_list


@dataclass(frozen=True)
class Case:
    """A network and its samples."""

    network: Network
    folder: Path
    index: dict[str, Any]

    @property
    def aggregator(self) -> Aggregator:
        return Aggregator(self.index["merchant_id"], self.index["key"], "https://network.example")

    def body(self, name: str) -> bytes:
        return (self.folder / name).read_bytes()

    def reply(self, name: str) -> Reply:
        return Reply(200, body=self.body(name))


def _cases() -> Iterator[Case]:
    for package in open_list.load(integrations):
        folder = Path(str(files(package))) / "samples"
        if not (folder / "index.toml").exists():
            continue
        adapter = importlib.import_module(f"{package.__name__}.adapter")
        if hasattr(adapter, "network"):
            yield Case(adapter.network, folder, tomllib.loads((folder / "index.toml").read_text()))


CASES = list(_cases())
each_network = pytest.mark.parametrize("case", CASES, ids=lambda case: case.network.name)


def _each(table: str) -> pytest.MarkDecorator:
    rows = [
        pytest.param(case, name, expected, id=f"{case.network.name}:{name}")
        for case in CASES
        for name, expected in case.index[table].items()
    ]
    return pytest.mark.parametrize(("case", "name", "expected"), rows)


ACCOUNT = CarrierAccount("SF", customer_name="C1", customer_password="P1", month_code="M1", send_site="S1")
REQUEST = TakeRequest(
    code="WS7K2QXRT4",
    account=ACCOUNT,
    sender=Contact(
        "发货仓", mobile="19900000000", province="广东省", city="深圳市", district="南山区", address="科苑路 1 号"
    ),
    receiver=Contact(
        "李'四\"#",
        mobile="19900000001",
        province="北京市",
        city="北京市",
        district="朝阳区",
        address="望京<路>1&2号 50% C:\\3+",
    ),
    goods=(Goods("杯子 & 碟", quantity=2, price_fen=1999, weight_g=350),),
    weight_g=700,
    cod_fen=3998,
)


def test_there_is_a_network_to_judge() -> None:
    assert CASES


@each_network
def test_every_sample_is_judged(case: Case) -> None:
    judged = {name for table in ("take", "cancel", "balance", "subscribe", "push") for name in case.index[table]}
    judged |= {case.index["signature_vector"], *case.index["unreadable"]["pushes"], *case.index["partly"]}
    there = {file.name for file in case.folder.iterdir() if file.name != "index.toml"}
    assert {name for name in there if not name.startswith("request_")} == judged


def signed(case: Case, body: bytes, aggregator: Aggregator) -> bool:
    """Whether the signature holds: what is signed but no push is unreadable, what is not signed is nothing."""
    try:
        return case.network.open_push(aggregator, body) is not None
    except Unreadable:
        return True


@each_network
def test_a_signature_is_as_the_vector_says(case: Case) -> None:
    assert signed(case, case.body(case.index["signature_vector"]), case.aggregator)


@each_network
@pytest.mark.parametrize(
    "spoil",
    [
        lambda body: body.replace(b"SF", b"ZTO"),
        lambda body: body.replace(b"DataSign=", b"DataSign=A"),
        lambda body: body.replace(b"DataSign=", b"Unsigned="),
        lambda body: b"",
        lambda body: b"\xff\xfe%%%&&==\x00",
    ],
)
def test_a_signature_that_does_not_fit_is_seen(case: Case, spoil: Any) -> None:
    assert not signed(case, spoil(case.body(case.index["signature_vector"])), case.aggregator)


@each_network
def test_another_key_does_not_fit(case: Case) -> None:
    stranger = Aggregator(case.index["merchant_id"], case.index["key"] + "0", "https://network.example")
    assert not signed(case, case.body(case.index["signature_vector"]), stranger)


@_each("take")
def test_an_answer_to_a_take_is_read(case: Case, name: str, expected: dict[str, Any]) -> None:
    answer = case.network.read_take(case.reply(name))
    assert type(answer).__name__ == expected["is"]
    if isinstance(answer, Taken):
        assert (answer.number, answer.again, len(answer.children)) == (
            expected["number"],
            expected["again"],
            expected["children"],
        )
        assert answer.routing.mark == answer.routing.mark.strip() != ""
    elif isinstance(answer, TakeDenied):
        assert answer.mend == expected["mend"]
        assert answer.reason
    else:
        assert isinstance(answer, TakeUnclear)


@_each("cancel")
def test_an_answer_to_a_cancel_is_read(case: Case, name: str, expected: str) -> None:
    assert case.network.read_cancel(case.reply(name)).outcome == expected


@_each("balance")
def test_a_balance_is_read(case: Case, name: str, expected: Any) -> None:
    if expected == "Refused":
        with pytest.raises(Refused):
            case.network.read_balance(case.reply(name))
    else:
        balance = case.network.read_balance(case.reply(name))
        assert (balance.available, balance.total) == (expected["available"], expected["total"])


@_each("subscribe")
def test_an_answer_to_a_subscription_is_read(case: Case, name: str, expected: bool) -> None:
    assert case.network.read_subscribe(case.reply(name)).accepted is expected


@_each("push")
def test_a_push_is_verified_and_read(case: Case, name: str, expected: dict[str, Any]) -> None:
    body = case.body(name)
    push = case.network.open_push(case.aggregator, body)
    assert push is not None
    assert push == case.network.read_push(body)
    assert push.merchant_id == case.index["merchant_id"]
    assert {told.number: _read(case.network, told) for told in push.told} == {
        number: {"died": ""} | row for number, row in expected.items()
    }


def _read(network: Network, told: Told) -> dict[str, Any]:
    return {
        "state": network.meaning(told.state_code, "").state,
        "traces": [network.meaning(trace.code, trace.text).state for trace in told.traces],
        "complete": told.complete,
        "died": told.died,
    }


@_each("push")
def test_what_a_push_tells_fits_the_database(case: Case, name: str, expected: dict[str, Any]) -> None:
    push = case.network.read_push(case.body(name))
    for told in push.told:
        stamps = [trace.at for trace in told.traces]
        assert stamps == sorted(stamps)
        assert all(at.tzinfo is UTC and 2000 <= at.year < 2100 for at in (*stamps, told.push_time))
        words = [told.number, told.carrier, told.state_code, told.died, told.expected_at]
        words += [word for trace in told.traces for word in (trace.text, trace.code, trace.location, trace.raw_time)]
        assert all(len(word) <= 500 and "\x00" not in word for word in words)


@_each("push")
def test_the_same_push_read_twice_is_the_same(case: Case, name: str, expected: dict[str, Any]) -> None:
    first, second = case.network.read_push(case.body(name)), case.network.read_push(case.body(name))
    assert first == second
    keys = [
        {scan_key(binding_id=1, source="s", raw_time=trace.raw_time, text=trace.text) for trace in told.traces}
        for told in first.told
    ]
    assert [len(found) for found in keys] == [len(told.traces) for told in first.told]


@each_network
def test_signed_but_unreadable_is_said_so(case: Case) -> None:
    for name in case.index["unreadable"]["pushes"]:
        with pytest.raises(Unreadable) as raised:
            case.network.open_push(case.aggregator, case.body(name))
        assert "赵师傅" not in str(raised.value)


@each_network
def test_an_unreadable_line_costs_that_line(case: Case) -> None:
    for name, lines in case.index["partly"].items():
        push = case.network.open_push(case.aggregator, case.body(name))
        assert push is not None
        assert sum(len(told.unread) for told in push.told) == lines
        assert not any(told.complete for told in push.told if told.unread)


@each_network
def test_an_unmapped_code_is_unknown_whatever_its_words_say(case: Case) -> None:
    assert case.network.meaning("no-such-code", "已签收") == UNKNOWN
    assert case.network.meaning("", "快件已签收，签收人：本人").state is State.DELIVERED
    assert case.network.meaning("", "快件无法签收").state is State.ATTEMPT_FAILED


@each_network
def test_a_repeated_ask_is_the_same_bytes(case: Case) -> None:
    asks = [case.network.ask_take(case.aggregator, REQUEST) for _ in range(2)]
    assert asks[0] == asks[1]
    assert asks[0].url.startswith("https://network.example/")


def _asks(case: Case) -> list[HttpAsk]:
    network, aggregator = case.network, case.aggregator
    return [
        network.ask_take(aggregator, REQUEST),
        network.ask_cancel(aggregator, ACCOUNT, code="WS7K2QXRT4", number="SF1"),
        network.ask_balance(aggregator, ACCOUNT),
        network.ask_subscribe(aggregator, carrier="SF", number="SF1", phone_tail="0001"),
    ]


@each_network
def test_what_is_asked_is_bounded_in_time_and_shows_nothing_personal(case: Case) -> None:
    for ask in _asks(case):
        assert 0 < ask.timeout_s <= 30
        assert "0001" not in repr(ask)
        assert case.index["key"].encode() not in ask.body
    assert "李" not in repr(REQUEST)


@each_network
@pytest.mark.parametrize("status", [302, 404, 429, 500, 503])
def test_no_answer_is_not_a_refusal(case: Case, status: int) -> None:
    """An answer that says nothing leaves a take in doubt: it must never look like a number or a no."""
    for read in (
        case.network.read_take,
        case.network.read_cancel,
        case.network.read_balance,
        case.network.read_subscribe,
    ):
        with pytest.raises(Unavailable) as raised:
            read(Reply(status, body=b"{}"))
        assert raised.value.sent


@each_network
@pytest.mark.parametrize("body", [b"", b"<html>busy</html>", b"[1]", b'{"Order": 3}', b"\xff", b"[" * 100_000])
def test_an_unreadable_answer_is_said_so(case: Case, body: bytes) -> None:
    with pytest.raises(Unreadable):
        case.network.read_take(Reply(200, body=body))


@each_network
@pytest.mark.parametrize("accepted", [True, False])
def test_a_push_is_answered(case: Case, accepted: bool) -> None:
    reply = case.network.answer_push(merchant_id="7", at=datetime(2026, 3, 1, tzinfo=UTC), accepted=accepted, reason="")
    assert (reply.status == 200) is accepted
    assert reply.body
