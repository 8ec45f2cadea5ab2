"""Both clocks: business time is UTC, never goes back, and goes on after a restart."""

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from waystream.core.errors import Invalid
from waystream.kernel.clock import Clock, FastClock, FixedClock, SystemClock

SINGLES_DAY = datetime(2026, 11, 11, tzinfo=UTC)
HOUR = timedelta(hours=1)


class MovedMachine(SystemClock):
    """A machine whose clock somebody sets."""

    at = SINGLES_DAY

    def machine_now(self) -> datetime:
        return self.at


class MovedFast(FastClock):
    at = SINGLES_DAY

    def machine_now(self) -> datetime:
        return self.at


def test_system_time_is_held_while_the_machine_is_set_back() -> None:
    clock = MovedMachine()
    clock._newest = SINGLES_DAY
    clock.at = SINGLES_DAY + HOUR
    assert clock.now() == SINGLES_DAY + HOUR
    clock.at = SINGLES_DAY
    assert clock.now() == SINGLES_DAY + HOUR
    clock.at = SINGLES_DAY + 2 * HOUR
    assert clock.now() == SINGLES_DAY + 2 * HOUR


def test_a_fixed_clock_moves_only_when_told() -> None:
    clock = FixedClock(SINGLES_DAY)
    assert clock.now() == clock.now() == SINGLES_DAY
    clock.advance(HOUR)
    assert clock.now() == SINGLES_DAY + HOUR
    clock.jump(SINGLES_DAY)
    assert clock.now() == SINGLES_DAY + HOUR
    clock.jump(SINGLES_DAY + 2 * HOUR)
    assert clock.now() == SINGLES_DAY + 2 * HOUR
    with pytest.raises(AssertionError):
        clock.advance(-HOUR)


def test_a_fast_clock_runs_by_its_speed_and_never_back() -> None:
    clock = MovedFast(SINGLES_DAY, SINGLES_DAY, 3600)
    clock.at = SINGLES_DAY + timedelta(seconds=2)
    assert clock.now() == SINGLES_DAY + 2 * HOUR
    clock.at = SINGLES_DAY
    assert clock.now() == SINGLES_DAY + 2 * HOUR


def test_a_second_start_goes_on(tmp_path: Path) -> None:
    file = tmp_path / "clock"
    first = FastClock.resume(file, 3600, first=SINGLES_DAY)
    assert first.now() >= SINGLES_DAY
    before = first.now()
    first.save(file)
    after = first.now()
    second = FastClock.resume(file, 1, first=SINGLES_DAY - HOUR)
    assert before <= second.now() < after + HOUR
    second.save(file)
    assert FastClock.resume(file, 1).now() >= before
    assert [path.name for path in tmp_path.iterdir()] == ["clock"]


def test_a_first_start_without_a_word_begins_now(tmp_path: Path) -> None:
    clock = FastClock.resume(tmp_path / "clock", 60)
    assert abs(clock.now() - datetime.now(UTC)) < timedelta(minutes=5)


@pytest.mark.parametrize(
    "text", ["", "{}", "[]", '{"business": "soon"}', '{"business": 1}', '{"business": "2026-11-11"}']
)
def test_a_damaged_file_is_a_sentence(tmp_path: Path, text: str) -> None:
    file = tmp_path / "clock"
    file.write_text(text)
    with pytest.raises(Invalid):
        FastClock.resume(file, 1)


@pytest.mark.parametrize("speed", [0, -1])
def test_time_has_to_move(speed: float) -> None:
    with pytest.raises(Invalid):
        FastClock(SINGLES_DAY, SINGLES_DAY, speed)


def test_instants_are_utc() -> None:
    beijing = timezone(8 * HOUR)
    assert FixedClock(datetime(2026, 11, 11, 8, tzinfo=beijing)).now().tzinfo is UTC
    with pytest.raises(Invalid):
        FixedClock(datetime(2026, 11, 11))  # noqa: DTZ001
    clock: Clock = SystemClock()
    assert clock.now().tzinfo is UTC
    assert clock.monotonic_s() <= clock.monotonic_s()
