"""The book: what was promised is still there after the process was killed, and nothing else."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from waystream.integrations.kdniao.fake import Issued, Place, Strike, Subscription
from waystream.sandbox.book import Outgoing, SandboxBook
from waystream.sandbox.world import Happening

AT = datetime(2026, 3, 1, 2, tzinfo=UTC)
HERE, THERE = Place("广东省", "深圳市", "南山区"), Place("北京市", "北京市", "朝阳区")


def issued(code: str, number: str, at: datetime = AT) -> Issued:
    return Issued("7", code, "YTO", number, at, HERE, THERE, "C1", b"{}")


def plan(one: Issued) -> list[Happening]:
    return [
        Happening(one.at + timedelta(hours=4), "1", "已揽收", "深圳市"),
        Happening(one.at + timedelta(hours=40), "301", "已签收", "北京市"),
    ]


def open_book(folder: Path, strike: Strike = lambda fault, about: False) -> SandboxBook:
    return SandboxBook(folder / "book.sqlite3", plan=plan, strike=strike)


def watch(one: Issued) -> Subscription:
    return Subscription("7", one.carrier, one.number, one.order_code, "102", one.at)


def test_what_was_given_is_there_after_a_restart(tmp_path: Path) -> None:
    one = issued("WS1", "YT1")
    book = open_book(tmp_path)
    book.issue(one, watch(one))
    serial = book.next_serial()
    book.told([], [Outgoing("7", "102", "{}", AT)], now=AT)
    book.close()

    again = open_book(tmp_path)
    assert again.find_order("7", "WS1") == one
    assert again.find_order("7", "WS2") is None
    assert again.next_serial() == serial + 1
    assert [happening.code for happening in again.list_happenings("YTO", "YT1")] == ["1", "301"]
    assert again.list_due(AT + timedelta(hours=4), limit=9) == [watch(one)]
    assert [push.data for push in again.list_outgoing(AT, limit=9)] == ["{}"]
    again.close()


def test_a_death_before_the_commit_leaves_nothing(tmp_path: Path) -> None:
    def die(fault: str, about: str) -> bool:
        raise SystemExit(9)

    book = open_book(tmp_path, strike=die)
    with pytest.raises(SystemExit):
        book.issue(issued("WS1", "YT1"), None)
    assert book.find_order("7", "WS1") is None
    assert book.list_happenings("YTO", "YT1") == ()
    book.close()


def test_a_code_is_used_once(tmp_path: Path) -> None:
    book = open_book(tmp_path)
    book.issue(issued("WS1", "YT1"), None)
    with pytest.raises(Exception, match="UNIQUE"):
        book.issue(issued("WS1", "YT2"), None)
    book.close()


def test_a_cancelled_number_is_forgotten_by_the_network(tmp_path: Path) -> None:
    book, one = open_book(tmp_path), issued("WS1", "YT1")
    book.issue(one, watch(one))
    assert not book.is_collected(one, AT + timedelta(hours=3))
    assert book.is_collected(one, AT + timedelta(hours=4))
    book.cancel(one, AT + timedelta(hours=1))
    found = book.find_order("7", "WS1")
    assert found is not None
    assert found.cancelled_at == AT + timedelta(hours=1)
    assert book.list_happenings("YTO", "YT1") == ()
    assert book.find_subscription("YT1") is None
    book.close()


def test_a_number_is_reused_once_and_only_long_after_its_parcel_arrived(tmp_path: Path) -> None:
    book, later = open_book(tmp_path), AT + timedelta(days=30)
    book.issue(issued("WS1", "YT1"), None)
    assert book.find_reusable_number("YTO", AT + timedelta(days=4)) is None
    assert book.find_reusable_number("YTO", later) == "YT1"
    assert book.find_reusable_number("ZTO", later) is None
    book.issue(issued("WS2", "YT1", later), None)
    assert book.find_reusable_number("YTO", later + timedelta(days=30)) is None
    assert book.list_happenings("YTO", "YT1")[0].at == later + timedelta(hours=4)
    assert len(book.list_issued()) == 2
    book.close()


def test_a_subscription_is_looked_at_when_there_is_something_to_say(tmp_path: Path) -> None:
    book, one = open_book(tmp_path), issued("WS1", "YT1")
    book.issue(one, watch(one))
    seen = []
    now = AT
    while now < AT + timedelta(days=3):
        due = book.list_due(now, limit=9)
        if due:
            seen.append(now - AT)
            book.told(due, [], now=now)
        now += timedelta(hours=1)
    assert seen == [timedelta(hours=4), timedelta(hours=40)]
    book.close()
