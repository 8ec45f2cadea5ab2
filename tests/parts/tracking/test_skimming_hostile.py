"""Whatever a source writes, skimming teaches what reading does: lists mixed up, doubled, unreadable, of one second."""

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial

from hypothesis import event, given, settings
from hypothesis import strategies as st

from tests.parts.tracking.given import DAY, at
from waystream.core.ports import Push
from waystream.integrations.kdniao.adapter import network
from waystream.integrations.kdniao.pushes import skim
from waystream.integrations.kdniao.wire import Envelope, stamp
from waystream.parts.tracking.learning import Lesson, Telling, learn
from waystream.parts.tracking.model import Known, Owner, Received, Routed, route_told
from waystream.parts.tracking.skimming import learn_skimmed, says_nothing_new

WITHIN, BEFORE_IT_WAS_OURS, TOO_FAR_AHEAD = (1, 2, 2, 3, 5, 6), -50, 90
LINES = st.one_of(
    st.builds(
        lambda hour, code, words: {"AcceptTime": stamp(at(hour)), "AcceptStation": words, "Action": code},
        st.sampled_from([*WITHIN, *WITHIN, BEFORE_IT_WAS_OURS, TOO_FAR_AHEAD]),
        st.sampled_from(["1", "204", "301", ""]),
        st.sampled_from("abc"),
    ),
    st.sampled_from([{"AcceptTime": "one of these days"}, {"AcceptTime": [1], "AcceptStation": "a"}]),
)


def _grow(code: str, lines: list[object]) -> list[object]:
    return [*lines, {"AcceptTime": stamp(at(1 + len(lines) // 2)), "AcceptStation": f"{len(lines)}", "Action": code}]


GROWTH = st.sampled_from([partial(_grow, "204"), partial(_grow, "301")])
#: How a list differs from the one before: it grows, stays, is cut, loses one, gains one anywhere, is turned round.
CHANGES = st.one_of(
    GROWTH,
    GROWTH,
    GROWTH,
    st.just(lambda lines: lines),
    st.just(lambda lines: lines[:-1]),
    st.integers(0, 4).map(lambda n: lambda lines: [*lines[:n], *lines[n + 1 :]]),
    st.tuples(st.integers(0, 4), LINES).map(lambda made: lambda lines: [*lines[: made[0]], made[1], *lines[made[0] :]]),
    st.just(lambda lines: lines[::-1]),
    st.just(lambda lines: [*lines, *lines[:1]]),
)
PUSHES = st.lists(
    st.tuples(
        CHANGES,
        st.sampled_from([0, 1, 1, 1, -1]),  # hours since the one before
        st.sampled_from(["", "2", "202", "301"]),
        st.sampled_from([None, None, None, at(3), at(6)]),  # until when the number is ours, as known by then
    ),
    min_size=2,
    max_size=8,
)


def known(lines: Sequence[object], *, hour: int, claim: str, until: datetime | None) -> Known:
    item = {"LogisticCode": "YT1", "ShipperCode": "YTO", "Success": True, "StateEx": claim, "Traces": list(lines)}
    data = json.dumps({"EBusinessID": "7", "PushTime": stamp(at(hour)), "Data": [item]}, ensure_ascii=False)
    push: Push = skim(Envelope(data=data, request_type="102", merchant_id="7"), kinds={"102"})
    received = Received(1, 1, network, b"", push, b"", max(at(hour), at(12)))
    return Known(received, push.skims[0], Owner(1, 1, 1, "YTO", "YT1", False, DAY - timedelta(days=1), until))


def read(telling: Telling, found: Known) -> tuple[Lesson | None, bool]:
    """What reading the whole list teaches; whether all of it could be read and is ours."""
    routed = Routed()
    route_told(routed, found.received, found.skim.read(), (found.owner,))
    lesson = learn(telling, routed.heard[0]) if routed.heard else None
    return lesson, not (routed.disputed or routed.unread)


@settings(max_examples=400, deadline=None)
@given(first=st.one_of(st.just([]), st.lists(LINES, max_size=2)), pushes=PUSHES)
def test_skimming_teaches_what_reading_does_whatever_is_written(first: list[object], pushes: Sequence[tuple]) -> None:  # type: ignore[type-arg]
    telling, lines, hour = Telling(1, "kdniao"), first, 7
    for change, later, claim, until in pushes:
        lines, hour = change(lines), hour + later
        found = known(lines, hour=hour, claim=claim, until=until)
        (whole, clean) = read(telling, found)
        quick = learn_skimmed(telling, found) if found.skim.complete else None
        if quick is not None:
            event("skimmed")
            assert clean
            assert whole is not None
            assert (quick.scans, quick.retold, quick.grown) == (whole.scans, whole.retold, whole.grown)
            assert _said(quick.telling) == _said(whole.telling)
            assert not says_nothing_new(telling, found) or _said(telling) == _said(whole.telling)
        telling = quick.telling if quick else whole.telling if whole else telling


def _said(telling: Telling) -> tuple[object, ...]:
    return telling.codes, telling.claim, telling.claimed, telling.listed_at, telling.whole
