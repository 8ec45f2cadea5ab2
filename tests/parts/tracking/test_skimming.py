"""A list that was only skimmed teaches exactly what reading it would, and what it repeats locks nothing."""

from collections.abc import Sequence
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.parts.tracking.conftest import Push
from tests.parts.tracking.given import DAY, Bound, at, skimmed, told, trace
from waystream.core.ports import Push as PushValue
from waystream.core.ports import Told
from waystream.integrations.kdniao.adapter import network
from waystream.kernel.tx import Work
from waystream.parts.tracking.learning import Lesson, Telling, learn
from waystream.parts.tracking.marks import begins, mark
from waystream.parts.tracking.model import Known, Owner, Received, Routed, route_told
from waystream.parts.tracking.skimming import learn_skimmed, says_nothing_new

OWNER = Owner(1, 1, 1, "YTO", "YT1", False, DAY - timedelta(days=1), None)
WAY = tuple(trace(hour, code, f"line {hour}") for hour, code in enumerate(["1", "204", "204", "202", "405", "301"]))

PUSHES = st.lists(
    st.builds(
        lambda hour, length, claim, skip, again: told(
            "YT1", hour, *[line for n, line in enumerate(WAY[:length]) if n != skip], claim=again or claim
        ),
        st.integers(7, 12),
        st.integers(1, len(WAY)),
        st.sampled_from([None, "2", "412"]),
        st.sampled_from([-1, -1, -1, 1]),
        st.sampled_from(["", "", "202"]),
    ),
    min_size=2,
    max_size=8,
)


def known(item: Told) -> Known:
    push = PushValue(merchant_id="7", request_type="102", pushed_at=item.push_time, skims=(skimmed(item),))
    received = Received(1, 1, network, b"", push, b"", max(item.push_time, at(12)))
    return Known(received, push.skims[0], OWNER)


def read(telling: Telling, found: Known) -> Lesson:
    routed = Routed()
    route_told(routed, found.received, found.skim.read(), (OWNER,))
    (heard,) = routed.heard
    return learn(telling, heard)


@settings(max_examples=500, deadline=None)
@given(pushes=PUSHES)
def test_skimming_teaches_what_reading_does(pushes: Sequence[Told]) -> None:
    telling = Telling(1, "kdniao")
    for item in pushes:
        found = known(item)
        whole, quick = read(telling, found), learn_skimmed(telling, found)
        if quick is not None:
            assert (quick.scans, quick.retold, quick.grown) == (whole.scans, whole.retold, whole.grown)
            assert quick.telling.codes == whole.telling.codes
            assert (quick.telling.claim, quick.telling.claimed) == (whole.telling.claim, whole.telling.claimed)
            assert (quick.telling.listed_at, quick.telling.whole) == (whole.telling.listed_at, whole.telling.whole)
        telling = whole.telling


def test_a_history_that_grows_is_never_read_again() -> None:
    telling = read(Telling(1, "kdniao"), known(told("YT1", 7, WAY[0]))).telling
    for length in range(2, len(WAY) + 1):
        lesson = learn_skimmed(telling, known(told("YT1", 6 + length, *WAY[:length])))
        assert lesson is not None
        assert [scan.code for scan in lesson.scans] == [WAY[length - 1].code]
        telling = lesson.telling
    assert all(says_nothing_new(telling, known(told("YT1", 6 + n, *WAY[:n]))) for n in range(1, len(WAY) + 1))


def test_marks_know_a_beginning_and_nothing_else() -> None:
    lines = [b'{"a":1}', b'{"b":2}', b'{"c":3}']
    marks = mark(lines)
    assert mark(lines, mark(lines[:2])) == marks
    assert begins(lines, marks)
    assert begins(lines[:1], marks)
    assert begins([*lines, b"{}"], marks)
    assert not begins([lines[1], lines[0]], marks)
    assert not begins([b'{"a":1}{"b":2}', lines[2]], marks)
    assert not begins([], marks)
    assert not begins(lines, ())


def test_what_is_told_again_locks_and_writes_nothing(work: Work, push: Push, parcel: Bound) -> None:
    push(told("YT1", 9, *WAY[:3]))
    before = _versions(work)
    push(told("YT1", 8, *WAY[:2]), told("YT1", 9, *WAY[:3]))
    assert _versions(work) == before
    push(told("YT1", 10, *WAY[:4]))
    assert _versions(work) != before


def _versions(work: Work) -> Sequence[tuple[object, ...]]:
    """Who wrote or locked the rows last."""
    with work.begin() as tx:
        return tx.conn.execute(
            "SELECT track.xmin::text, track.xmax::text, telling.xmin::text FROM track JOIN telling USING (parcel_id)"
        ).fetchall()
