"""What is new in a list that was only skimmed: nothing, or the lines behind those that its telling knows. Pure.

Guaranteed: a lesson learned so is the one that reading the whole list would teach; where that is not certain (the list
is written otherwise than before, withdraws a line, or was told in another order) there is none, and it has to be read.
"""

from collections.abc import Sequence
from itertools import pairwise

from waystream.core.errors import Unreadable
from waystream.core.facts import scan_key
from waystream.core.ports import Trace
from waystream.parts.tracking.learning import Lesson, Telling, newer_claim, scan_of
from waystream.parts.tracking.marks import begins, mark
from waystream.parts.tracking.model import SCAN_AHEAD_MAX, Heard, Known, heard_skim, owns_all


def says_nothing_new(telling: Telling, known: Known) -> bool:
    """Whether the telling has all of it already. It only ever learns more, so this needs no lock."""
    if telling.listed_at is None or known.skim.push_time > telling.listed_at:
        return False
    lesson = learn_skimmed(telling, known)
    return lesson is not None and lesson.telling is telling


def learn_skimmed(telling: Telling, known: Known) -> Lesson | None:
    """The lesson of a list that continues, repeats or precedes the telling's; None where it has to be read."""
    lines, marks, listed_at = known.skim.lines, telling.marks, telling.listed_at
    if listed_at is None or not telling.whole or not _follows(known, telling) or not begins(lines, marks):
        return None
    more = len(lines) > len(marks)
    tail = _read(known, lines[len(marks) - 1 :] if more else lines[-1:])
    if tail is None:
        return None
    fresh = tail[1:] if more else ()
    keys = [_key(trace, known) for trace in fresh]
    if len(telling.codes.keys() | keys) != len(telling.codes) + len(keys):
        return None
    heard = heard_skim(known, tail)
    scans = tuple(scan_of(key, trace, telling=telling, heard=heard) for key, trace in zip(keys, fresh, strict=True))
    following = _following(telling, heard, keys, fresh, marks=mark(lines, marks) if more else marks)
    return Lesson(following, scans, (), grown=True)


def _follows(known: Known, telling: Telling) -> bool:
    """A longer list is newer, a shorter one older: else something was withdrawn, or lists of one second are united."""
    lines, at = len(known.skim.lines) - len(telling.marks), known.skim.push_time
    assert telling.listed_at is not None
    if lines > 0:
        return at > telling.listed_at
    return lines == 0 or at < telling.listed_at


def _read(known: Known, lines: Sequence[bytes]) -> Sequence[Trace] | None:
    """The lines, if they can be read, lie in their order and are the binding's."""
    try:
        traces = known.received.network.read_lines(lines)
    except Unreadable:
        return None
    in_order = all(before.at <= after.at for before, after in pairwise(traces))
    latest = known.received.received_at + SCAN_AHEAD_MAX
    return traces if in_order and owns_all(known.owner, traces, latest=latest) else None


def _key(trace: Trace, known: Known) -> int:
    return scan_key(
        binding_id=known.owner.binding_id,
        source=known.received.network.name,
        raw_time=trace.raw_time,
        text=trace.text,
    )


def _following(
    telling: Telling, heard: Heard, keys: Sequence[int], fresh: Sequence[Trace], *, marks: tuple[int, ...]
) -> Telling:
    claim, claimed = newer_claim(telling, heard, echoes=heard.echoes)
    assert telling.listed_at is not None
    listed_at = max(telling.listed_at, heard.push_time)
    codes = telling.codes
    if keys:
        codes = {**codes, **{key: trace.code for key, trace in zip(keys, fresh, strict=True)}}
    elif listed_at == telling.listed_at and claim is telling.claim and claimed is telling.claimed:
        return telling
    return Telling(
        telling.binding_id,
        telling.source,
        listed_at,
        codes,
        telling.whole,
        claim,
        claimed,
        heard.inbox_id,
        marks,
    )
