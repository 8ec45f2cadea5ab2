"""The sandbox tells what became of text messages: signed, to the CallBack they came with, three times at most."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from waystream.core.channels import Letter, Report, ReportState
from waystream.core.ports import HttpAsk
from waystream.integrations.kdniao.fake import KdniaoSide, Merchant
from waystream.integrations.kdniao.sms import gateway
from waystream.sandbox.receipts import TRIES, Receipts
from waystream.sandbox.settings import Customer, SandboxSettings

NOW = datetime(2026, 11, 12, 6, 32, tzinfo=UTC)
VALUES = {
    "merchant_id": "1237100", "key": "test-key", "sign_name": "茶铺", "templates": "shipped=6", "address": "http://x",
}  # fmt: skip
URL = "http://127.0.0.1:9/receipts/5/abcd"


def settings(folder: Path) -> SandboxSettings:
    return SandboxSettings(folder, (Customer("1237100", "test-key", "http://127.0.0.1:9/push"),), tick_s=0.001)


def owing(letter_id: str) -> KdniaoSide:
    side = KdniaoSide([Merchant("1237100", "test-key")], book=None, seed=1)  # type: ignore[arg-type]
    letter = Letter(letter_id, "tea", "A1", "zh", "shipped", "13912345678", "", "x")
    asked = gateway.ask_send(VALUES, letter, now=NOW, report_url=URL)
    assert isinstance(asked, HttpAsk)
    gateway.read_send(side.answer(asked.body, at=NOW))
    return side


def tell(side: KdniaoSide, folder: Path, transport: httpx.MockTransport) -> int:
    async def once() -> int:
        receipts = Receipts(settings(folder), side, transport=transport)
        try:
            return await receipts.tell_all()
        finally:
            await receipts.close()

    return asyncio.run(once())


def test_a_receipt_comes_to_the_callback_and_reads_as_ours(tmp_path: Path) -> None:
    heard: list[tuple[str, tuple[Report, ...] | None]] = []

    def take(request: httpx.Request) -> httpx.Response:
        heard.append((str(request.url), gateway.read_report(VALUES, request.content)))
        reply = gateway.answer_report(VALUES, accepted=True, now=NOW)
        return httpx.Response(reply.status, content=reply.body)

    assert tell(owing("L1"), tmp_path, httpx.MockTransport(take)) == 1
    assert heard == [(f"{URL}?letter=L1", (Report(ReportState.DELIVERED, letter_id="L1"),))]


@pytest.mark.parametrize("status", [200, 503])
def test_a_merchant_that_does_not_take_it_is_told_three_times(tmp_path: Path, status: int) -> None:
    calls: list[httpx.Request] = []

    def refuse(request: httpx.Request) -> httpx.Response:
        calls.append(request)
        return httpx.Response(status, content=b"no")

    assert tell(owing("L1"), tmp_path, httpx.MockTransport(refuse)) == 0
    assert len(calls) == TRIES
