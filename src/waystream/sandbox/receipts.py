"""Tells merchants what became of their text messages: each receipt to the CallBack it came with.

A receipt is told three times at most; a merchant that never answers goes without, as with any network.
"""

import asyncio
import logging
from collections.abc import Mapping

import httpx

from waystream.core.ports import Reply
from waystream.integrations.kdniao.fake import KdniaoSide, SmsReceipt, read_push_answer
from waystream.sandbox.settings import Customer, SandboxSettings

log = logging.getLogger(__name__)

TRIES = 3
AT_ONCE = 8
_TIMEOUT_S = 10.0


class Receipts:
    def __init__(
        self, settings: SandboxSettings, side: KdniaoSide, *, transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        self._side = side
        self._tick_s = settings.tick_s
        self._clock = settings.clock
        self._customers: Mapping[str, Customer] = {customer.id: customer for customer in settings.customers}
        self._client = httpx.AsyncClient(timeout=_TIMEOUT_S, transport=transport, trust_env=False)

    async def run(self) -> None:
        """Until it is cancelled."""
        while True:
            await self.tell_all()
            await asyncio.sleep(self._tick_s)

    async def tell_all(self) -> int:
        """Tell all that is owed; how many were taken."""
        taken = 0
        while owed := self._take():
            taken += sum(await asyncio.gather(*map(self._tell, owed)))
        return taken

    async def close(self) -> None:
        await self._client.aclose()

    def _take(self) -> list[SmsReceipt]:
        found = (self._side.sms.take_receipt() for _ in range(AT_ONCE))
        return [receipt for receipt in found if receipt is not None]

    async def _tell(self, receipt: SmsReceipt) -> bool:
        body = receipt.seal(self._customers[receipt.merchant_id].merchant, at=self._clock.now())
        headers = {"content-type": "application/x-www-form-urlencoded;charset=utf-8"}
        for _ in range(TRIES):
            try:
                answer = await self._client.post(receipt.url, content=body, headers=headers)
            except (httpx.HTTPError, httpx.InvalidURL) as error:
                log.info("a receipt was not answered: %s", type(error).__name__)
            else:
                if read_push_answer(Reply(answer.status_code, (), answer.content)):
                    return True
            await asyncio.sleep(self._tick_s)
        return False
