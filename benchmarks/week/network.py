"""The carriers' side of the week: signed pushes as their time comes, and answers to whoever asks for a number.

It speaks Kdniao's wire and knows every scan that was made by now, pushed or not. It claims nothing from elapsed time:
who notices silence is what is judged.
"""

import random
from collections.abc import Sequence
from datetime import datetime

from benchmarks.week.plan import Parcel, Week
from waystream.core.ports import Ask, HttpAsk, Reply
from waystream.integrations.kdniao.fake import Issued, KdniaoSide, Subscription
from waystream.integrations.kdniao.fakepush import Merchant, News, TraceNews, push_data, seal_push
from waystream.kernel.clock import Clock
from waystream.kernel.exchange import Exchange

MERCHANT = "1237100"
WAYBILLS_A_PUSH = 10
REPEATED = 0.05


class WeekNetwork:
    """What is told of the week's parcels; `asked` counts the questions it answered."""

    def __init__(self, week: Week, *, key: str) -> None:
        self._merchant = Merchant(MERCHANT, key)
        self._parcels = week.all
        self._tellings = list(week.tellings())
        self._at = 0
        self._dice = random.Random(f"pushes/{week.seed}")
        book = _Book({(parcel.trip.carrier, parcel.trip.number): parcel for parcel in week.all})
        self._side = KdniaoSide([self._merchant], book=book, seed=week.seed)
        self.asked = 0

    @property
    def ends_at(self) -> datetime:
        """When the last thing is told."""
        return self._tellings[-1][0]

    def pushes(self, now: datetime) -> list[bytes]:
        """What is pushed since it was asked last: each changed waybill with its whole history, some pushes twice."""
        changed: dict[int, None] = {}
        while self._at < len(self._tellings) and self._tellings[self._at][0] <= now:
            changed[self._tellings[self._at][1]] = None
            self._at += 1
        numbers = list(changed)
        bodies = [self._seal([self._parcels[n] for n in numbers[at : at + WAYBILLS_A_PUSH]], now)
                  for at in range(0, len(numbers), WAYBILLS_A_PUSH)]  # fmt: skip
        return [body for one in bodies for body in [one] * (1 + (self._dice.random() < REPEATED))]

    def _seal(self, parcels: Sequence[Parcel], now: datetime) -> bytes:
        data = push_data(MERCHANT, "102", [news_of(parcel, now) for parcel in parcels], at=now)
        return seal_push(self._merchant, "102", data)

    def answer(self, body: bytes, at: datetime) -> Reply:
        self.asked += 1
        return self._side.answer(body, at=at)


def news_of(parcel: Parcel, at: datetime) -> News:
    scans = tuple(TraceNews(scan.at, scan.code, scan.text, scan.location)
                  for scan in parcel.journey.scans if scan.at <= at)  # fmt: skip
    state = scans[-1].code or "4" if scans else "0"
    return News(parcel.trip.carrier, parcel.trip.number, "", state, scans)


class NetworkExchange(Exchange):
    """The way out leads to the week's network, and nowhere else."""

    def __init__(self, network: WeekNetwork, clock: Clock) -> None:
        super().__init__()
        self._network, self._clock = network, clock

    def send(self, ask: Ask) -> Reply:
        assert isinstance(ask, HttpAsk), "only carriers are asked in this week"
        return self._network.answer(ask.body, self._clock.now())


class _Book:
    """What the other side remembers: it answers for numbers, and gives out none."""

    def __init__(self, parcels: dict[tuple[str, str], Parcel]) -> None:
        self._parcels = parcels

    def find_news(self, carrier: str, number: str, at: datetime) -> News | None:
        parcel = self._parcels.get((carrier, number))
        news = news_of(parcel, at) if parcel else None
        return news if news and news.traces else None

    def subscribe(self, subscription: Subscription) -> None:
        """It pushes what it pushes."""

    def is_collected(self, issued: Issued, at: datetime) -> bool:
        raise AssertionError("nothing was taken here")

    def next_serial(self) -> int:
        raise AssertionError("no number is asked for in this week")

    def find_order(self, merchant_id: str, order_code: str) -> Issued | None:
        return None

    def find_reusable_number(self, carrier: str, at: datetime) -> str | None:
        return None

    def count_issued(self, carrier: str, customer: str) -> int:
        return 0

    def issue(self, issued: Issued, subscription: Subscription | None) -> None:
        raise AssertionError("no number is asked for in this week")

    def cancel(self, issued: Issued, at: datetime) -> None:
        raise AssertionError("no number is given back in this week")
