"""`benchmarks.care`: the week is what it says, the judge judges by what was seeded, and a small week runs through."""

import json
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from benchmarks.week import judge
from benchmarks.week.gaps import BEIJING
from benchmarks.week.journeys import Journey, Passed, Trip, Trouble, travel
from benchmarks.week.judge import Silence, Ticket
from benchmarks.week.network import news_of
from benchmarks.week.plan import STORM_HUB, Parcel, Week
from waystream.core.channels import Letter
from waystream.sandbox.cities import city_of

MONDAY = datetime(2026, 3, 30, tzinfo=BEIJING).astimezone(UTC)
PARCELS = 1_000


def at(hours: float) -> datetime:
    return MONDAY + timedelta(hours=hours)


def parcel(n: int, *hours: float, trouble: Trouble = Trouble.NONE, since: float = 0, until: float = 0) -> Parcel:
    """A parcel scanned at these hours of the week."""
    scans = tuple(Passed(at(hour), at(hour), "2", "走", "杭州市") for hour in hours)
    trip = Trip(1, f"N{n}", "ZTO", city_of("杭州市"), city_of("武汉市"), MONDAY, trouble)
    trouble_at = at(since) if trouble else None
    return Parcel(n, n, "hangzhou", trip, Journey(scans, trouble, trouble_at, at(until) if until else None, ()))


# ------------------------------------------------------------------ the week


def test_the_same_seed_is_the_same_week_and_another_is_another() -> None:
    assert Week(PARCELS, 1, MONDAY).all == Week(PARCELS, 1, MONDAY).all
    assert Week(PARCELS, 1, MONDAY).all != Week(PARCELS, 2, MONDAY).all


def test_a_week_has_the_trouble_it_was_seeded_with() -> None:
    week = Week(PARCELS, 1, MONDAY)
    assert Counter(parcel.trouble for parcel in week.all if parcel.trouble) == {
        Trouble.STALLED: 20, Trouble.FAILED: 10, Trouble.DAMAGED: 3, Trouble.LOST: 1, Trouble.STORM: 50,
    }  # fmt: skip
    assert len({parcel.trip.number for parcel in week.all}) == PARCELS


def test_healthy_silences_reach_into_the_stalls() -> None:
    week = Week(PARCELS, 1, MONDAY)
    stalls = [parcel.journey for parcel in week.all if parcel.trouble is Trouble.STALLED]
    shortest = min(one.still_until - one.trouble_at for one in stalls if one.still_until and one.trouble_at)
    longest = max(after.at - before.at for parcel in week.all if parcel.healthy
                  for before, after in zip(parcel.journey.scans, parcel.journey.scans[1:], strict=False))  # fmt: skip
    assert timedelta(hours=72) <= shortest < longest


def test_a_stall_is_a_silence_after_a_scan() -> None:
    for parcel in Week(PARCELS, 1, MONDAY).all:
        journey = parcel.journey
        if parcel.trouble is Trouble.STALLED:
            assert journey.trouble_at in {scan.at for scan in journey.scans}
            assert not [scan for scan in journey.scans if journey.trouble_at < scan.at < journey.still_until]


def test_every_parcel_is_fetched_within_a_day() -> None:
    assert all(parcel.journey.scans[0].at - parcel.trip.dispatched_at < timedelta(hours=24)
               for parcel in Week(PARCELS, 1, MONDAY).all)  # fmt: skip


def test_nothing_is_scanned_in_the_hub_while_the_storm_lasts() -> None:
    week = Week(PARCELS, 1, MONDAY)
    storm = week.storm
    assert storm is not None
    visits = [moment for parcel in week.all for hub, moment in parcel.journey.hub_visits if hub == STORM_HUB]
    assert not [moment for moment in visits if storm.began_at <= moment < storm.ended_at]
    assert any(moment < storm.began_at for moment in visits) and any(moment >= storm.ended_at for moment in visits)


def test_fair_weather_changes_nothing_for_whom_the_storm_misses() -> None:
    week = Week(PARCELS, 1, MONDAY)
    calm = [parcel for parcel in week.all if parcel.trouble is not Trouble.STORM]
    assert all(travel(parcel.trip) == parcel.journey for parcel in calm[:100])


def test_the_network_tells_what_happened_by_now() -> None:
    told = news_of(parcel(1, 1, 5, 9), at(5))
    assert [trace.at for trace in told.traces] == [at(1), at(5)]


# ------------------------------------------------------------------ the judge


STALLED = parcel(1, 1, 10, trouble=Trouble.STALLED, since=10, until=200)
SAID = Silence(1, at(10), at(50))


def test_a_stall_is_found_in_time_while_it_lasts() -> None:
    def recall(ticket_h: float, silence: Silence = SAID) -> float:
        return judge.recall_silent([STALLED], [Ticket(1, "stalled", at(ticket_h))], [silence])

    assert recall(51) == 1
    assert recall(90) == 1
    assert recall(90.1) == 0, "later than twice the due time"
    assert recall(201, Silence(1, at(10), at(150))) == 0, "it had gone on"
    assert recall(51, Silence(1, at(1), at(8))) == 0, "another silence"
    assert judge.recall_silent([STALLED], [Ticket(1, "damaged", at(51))], [SAID]) == 0
    assert judge.recall_silent([STALLED], [], [SAID]) == 0, "nobody got a ticket"


def test_a_stall_found_before_is_found_again_by_a_ticket_that_reopens() -> None:
    tickets = [Ticket(1, "stalled", at(5)), Ticket(1, "stalled", at(51), again=True)]
    assert judge.recall_silent([STALLED], tickets, [SAID]) == 1
    assert judge.recall_silent([STALLED], tickets[:1], [SAID]) == 0


def test_coded_trouble_is_found_under_its_own_cause() -> None:
    damaged = parcel(2, 1, 3, trouble=Trouble.DAMAGED, since=3)
    failed = parcel(3, 1, 4, trouble=Trouble.FAILED, since=4)
    tickets = [Ticket(2, "damaged", at(3.5)), Ticket(3, "stalled", at(4))]
    assert judge.recall_coded([damaged, failed], tickets) == 0.5
    assert judge.recall_coded([damaged, failed], [*tickets, Ticket(3, "wrong_address", at(4.1))]) == 1


def test_a_healthy_parcel_with_any_ticket_is_a_false_one() -> None:
    healthy = [parcel(n, 1, 2) for n in range(10, 14)]
    tickets = [Ticket(10, "stalled", at(5)), Ticket(10, "lost", at(6)), Ticket(1, "stalled", at(51))]
    assert judge.false_ticket_rate([*healthy, STALLED], tickets) == 0.25
    assert judge.count_false([*healthy, STALLED], tickets) == {"stalled": 1, "lost": 1}


def test_what_the_storm_struck_is_neither_healthy_nor_stalled() -> None:
    struck = parcel(20, 1, 90, trouble=Trouble.STORM, since=1, until=90)
    tickets = [Ticket(20, "stalled", at(60))]
    assert judge.false_ticket_rate([struck, parcel(21, 1)], tickets) == 0
    assert judge.recall_silent([struck], tickets, []) == 1


def test_a_second_ticket_is_a_duplicate_while_the_first_is_open() -> None:
    first = Ticket(1, "stalled", at(5), until=at(8))
    assert judge.count_duplicates([first, Ticket(1, "lost", at(6)), Ticket(1, "stalled", at(8), again=True)]) == 0
    assert judge.count_duplicates([first, Ticket(1, "stalled", at(7))]) == 1
    assert judge.count_duplicates([Ticket(1, "stalled", at(5)), Ticket(1, "stalled", at(700))]) == 1, "never closed"


def test_minutes_count_from_the_scan_or_from_when_the_next_was_due() -> None:
    damaged = parcel(2, 1, 3, trouble=Trouble.DAMAGED, since=3)
    tickets = [Ticket(2, "damaged", at(3.5)), Ticket(1, "stalled", at(51))]
    assert judge.median_minutes_to_ticket([damaged, STALLED], tickets, [SAID]) == 45
    assert judge.median_minutes_to_ticket([damaged], [], []) is None


def letter(template: str, text: str, number: str = "N1") -> Letter:
    return Letter("x", "week", "W1", "zh", template, "139", "", text, {"number": number})


def test_the_same_words_are_said_again_only_where_it_happened_again() -> None:
    out = [letter("out_for_delivery", "正在派送 N1")] * 2
    assert judge.count_told_twice([parcel(1, 1)], out) == 1
    ways = parcel(1, 1, 2)
    again = replace(ways.journey, scans=tuple(replace(scan, code="202") for scan in ways.journey.scans))
    assert judge.count_told_twice([replace(ways, journey=again)], out) == 0
    assert judge.count_told_twice([ways], [letter("delivered", "已签收")] * 3) == 2
    assert judge.count_told_twice([ways], [letter("delivered", "N1 已签收"), letter("delivered", "N2 已签收")]) == 0
    assert judge.notices_per_order_max(out) == 2


def test_the_fixed_rule_finds_every_stall_and_alarms_for_every_slow_lane() -> None:
    slow, quick = parcel(30, 1, 60, 70), parcel(31, 1, 20, 40)
    assert judge.judge_fixed([STALLED, slow, quick]) == judge.Fixed(recall=1.0, false_ticket_rate=0.5)


# ------------------------------------------------------------------ all of it, small


def test_a_small_week() -> None:
    run = subprocess.run([sys.executable, "-m", "benchmarks.care", "--json", "--parcels", "60", "--step-min", "240"],
                         stdout=subprocess.PIPE, check=False, text=True, timeout=240)  # fmt: skip
    told = json.loads(run.stdout.splitlines()[-1])
    assert (told["parked"], told["invariants_broken"], told["duplicates"]) == (0, [], 0)
    assert told["fixed_48h"].keys() == {"recall", "false_ticket_rate"}
    assert {"recall_coded", "recall_silent", "false_ticket_rate", "median_minutes_to_ticket"} <= told.keys()
