"""What carriers tell of the benchmark's parcels: a way of eight scans each, told again and again as it grows. Pure.

Every push carries twenty waybills with their whole history so far; pushes come shuffled and a tenth of them twice.
The same seed is the same story, so the poster, the floor and the judge each tell it for themselves.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from waystream.core.state import Kind, State
from waystream.integrations.kdniao.fakepush import Merchant, News, TraceNews, push_data, seal_push

CARRIER, MERCHANT = "YTO", "1237100"
WAYBILLS_A_PUSH = 20
REPEATED = 0.1
STEP = timedelta(hours=5)
#: On the belt a parcel's next push comes after so many other parcels have begun.
BELT_SPACING = 250

_WAY = (
    ("1", "【{city}市】已揽收，揽收员：王小明，电话：138{phone:08d}，揽收网点：{city}{n}部"),
    ("206", "【{city}市】快件离开【{city}{n}部】，已发往【华东转运中心】，感谢您的耐心等待"),
    ("204", "【嘉兴市】快件到达【华东转运中心】，正在分拣，预计今晚发出"),
    ("204", "【武汉市】快件到达【华中转运中心】，正在分拣，预计今晚发出"),
    ("201", "【{city}市】快件已到达目的城市，正在发往派件网点，请保持电话畅通"),
    ("205", "【{city}市】快件到达【{city}{n}部】，今日安排派送，请您留意电话"),
    ("202", "【{city}市】【{city}{n}部】派件员：李国强 电话：139{phone:08d} 正在为您派件，客服 95554"),
)
_ENDINGS = (
    ("301", "【{city}市】已签收，签收人：本人，如有疑问请电联：139{phone:08d}，期待再次为您服务"),
    ("304", "【{city}市】已签收，签收人：门卫，如有疑问请电联：139{phone:08d}，期待再次为您服务"),
    ("211", "【{city}市】快件已暂存至【{city}{n}号丰巢柜】，请凭取件码领取，电话：139{phone:08d}"),
    ("405", "【{city}市】派件异常：电话无人接听，择日再派，派件员：李国强 电话：139{phone:08d}"),
)
SCANS = len(_WAY) + 1
#: Where a parcel is in the end, by its ending.
ENDS = ((State.DELIVERED, Kind.IN_PERSON), (State.DELIVERED, Kind.BY_PROXY), (State.READY_FOR_PICKUP, Kind.LOCKER),
        (State.ATTEMPT_FAILED, Kind.FAILED))  # fmt: skip
_CITIES = ("杭州", "成都", "厦门", "青岛", "长沙", "西安", "郑州", "昆明", "福州", "沈阳")


@dataclass(frozen=True, slots=True)
class Push:
    """A signed body and how many traces are in it; told alone, of which parcel and how far its way has come."""

    body: bytes
    traces: int
    n: int = -1
    step: int = -1


@dataclass(frozen=True, slots=True)
class Story:
    """So many parcels, whose first scans are at `start`."""

    parcels: int
    start: datetime
    seed: int = 1

    def number(self, n: int) -> str:
        return f"YT{n:013d}"

    def end(self, n: int) -> tuple[State, Kind]:
        return ENDS[n % len(ENDS)]

    def way(self, n: int) -> tuple[TraceNews, ...]:
        """All that will ever be told of parcel `n`, oldest first."""
        first, city = self.start + timedelta(seconds=n % 3600), _CITIES[n % len(_CITIES)]
        lines = (*_WAY, _ENDINGS[n % len(_ENDINGS)])
        return tuple(
            TraceNews(first + k * STEP, code, text.format(city=city, n=n % 97, phone=n), f"{city}市")
            for k, (code, text) in enumerate(lines)
        )

    def pushes(self, key: str, *, first: int = 0, past: int | None = None) -> Iterator[Push]:
        """Of the parcels `first` <= n < `past`: twenty waybills each, as they are sent, shuffled, a tenth twice."""
        random, sealed = Random(self.seed), []
        for step in range(SCANS):
            numbers = list(range(first, self.parcels if past is None else past))
            random.shuffle(numbers)
            sealed += [self._seal(numbers[at : at + WAYBILLS_A_PUSH], step, key=key)
                       for at in range(0, len(numbers), WAYBILLS_A_PUSH)]  # fmt: skip
        sealed += random.sample(sealed, int(len(sealed) * REPEATED))
        random.shuffle(sealed)
        return iter(sealed)

    def singles(self, key: str) -> Iterator[Push]:
        """One waybill each and one new scan, in the order of the belt."""
        for n, step in self.belt():
            push = self._seal([n], step, key=key)
            yield Push(push.body, push.traces, n, step)

    def belt(self) -> Iterator[tuple[int, int]]:
        """(parcel, step): parcels begin one after another, and as many are at each step of their way at any time.

        So it is from `BELT_LEAD` pushes on: before, nobody is far on its way.
        """
        numbers = list(range(self.parcels))
        Random(self.seed).shuffle(numbers)
        for at in range(self.parcels):
            for step in range(min(SCANS, at // BELT_SPACING + 1)):
                yield numbers[at - step * BELT_SPACING], step

    def _seal(self, numbers: list[int], step: int, *, key: str) -> Push:
        told = [self._news(n, step) for n in numbers]
        data = push_data(MERCHANT, "102", told, at=self.start + step * STEP + timedelta(hours=2))
        return Push(seal_push(Merchant(MERCHANT, key), "102", data), len(told) * (step + 1))

    def _news(self, n: int, step: int) -> News:
        way = self.way(n)[: step + 1]
        return News(CARRIER, self.number(n), "", way[-1].code, way)


#: Pushes before the belt runs evenly.
BELT_LEAD = BELT_SPACING * sum(range(1, SCANS))
