"""Channels kept: what is stored and shown, who is asked first, how each fares."""

from datetime import timedelta

import pytest

from tests.parts.channels.conftest import GATEWAYS, LETTER, Counter
from waystream.core.channels import ChannelKind, Handed
from waystream.core.errors import Conflict, Invalid, Missing, Refused
from waystream.kernel.clock import FixedClock
from waystream.kernel.database import Database, Shops
from waystream.kernel.tx import Work
from waystream.kernel.vault import Keys
from waystream.parts.channels import actions, model
from waystream.parts.channels.model import ChannelIn


def test_a_channel_is_added_with_its_usual_pace(counter: Counter) -> None:
    channel = counter.add(name="  our   mail ")
    assert (channel.name, channel.reach, channel.gateway) == ("our mail", "email", "smtp")
    assert (channel.rank, channel.per_minute, channel.priorities, channel.causes) == (100, 60, (), ())
    assert (channel.fails, channel.testing, channel.disabled_at) == (False, False, None)
    with counter.world.work.begin() as tx:
        audit = tx.conn.execute("SELECT actor, action, subject, shop_id, detail FROM audit").fetchall()
    assert audit == [("staff:1", "channel.add", f"channel:{channel.id}", counter.world.tea, {})]


def test_what_was_typed_in_is_sealed_and_a_secret_is_never_shown(counter: Counter) -> None:
    values = counter.values(security="starttls", username="shop", password="hunter2-secret")
    channel = counter.add(values=values)
    with counter.world.work.begin() as tx:
        [(stored,)] = tx.conn.execute("SELECT channel::text FROM channel").fetchall()
        assert actions.open_values(tx, channel.id) == values
        shown = actions.show_values(tx, channel.id, gateways=GATEWAYS)
    assert "password" not in shown and shown["username"] == "shop"
    for planted in ("hunter2-secret", "service@example.com"):
        assert planted not in stored and planted.encode().hex() not in stored
    assert "hunter2" not in repr(ChannelIn("x", values))


def test_an_empty_secret_keeps_the_stored_one(counter: Counter) -> None:
    channel = counter.add(values=counter.values(security="tls", username="shop", password="old"))
    told = ChannelIn("mail", counter.values(security="tls", username="shop2", password=""))
    with counter.world.work.begin() as tx:
        actions.change_channel(tx, channel.id, told, gateways=GATEWAYS, actor="staff:1")
        values = actions.open_values(tx, channel.id)
    assert (values["username"], values["password"]) == ("shop2", "old")


def test_names_are_one_in_a_shop_whatever_their_case(counter: Counter) -> None:
    counter.add()
    with pytest.raises(Conflict):
        counter.add(name="MAIL")
    counter.add(name="MAIL", shop_id=counter.world.toys)


def test_a_removed_channel_frees_its_name_and_forgets_its_settings(counter: Counter) -> None:
    channel = counter.add()
    with counter.world.work.begin() as tx:
        actions.remove_channel(tx, channel.id, actor="staff:1")
        assert tx.conn.execute("SELECT settings_sealed FROM channel").fetchall() == [(b"",)]
        with pytest.raises(Missing):
            actions.get_channel(tx, channel.id)
    counter.add()


def test_a_shop_has_a_bounded_number_of_channels(counter: Counter, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model, "CHANNELS_MAX", 1)
    counter.add()
    with pytest.raises(Conflict):
        counter.add(name="second")


@pytest.mark.parametrize(
    ("given", "path"),
    [
        ({"name": " "}, "name"),
        ({"name": "x" * 61}, "name"),
        ({"name": "a\x00b"}, "name"),
        ({"rank": -1}, "rank"),
        ({"per_minute": 6_001}, "per_minute"),
        ({"values": {"host": "x"}}, "port"),
    ],
)
def test_what_is_told_is_checked(counter: Counter, given: dict[str, object], path: str) -> None:
    with pytest.raises(Invalid) as wrong:
        counter.add(**given)  # type: ignore[arg-type]
    assert wrong.value.path == path


def test_an_unknown_gateway_is_invalid(counter: Counter) -> None:
    with pytest.raises(Invalid):
        counter.add("pigeon")


def test_the_office_opens_what_is_on_the_preferred_first(counter: Counter) -> None:
    counter.add(name="second", rank=20)
    counter.add(name="first", rank=10)
    off = counter.add(name="off", rank=1)
    counter.add(name="toys", shop_id=counter.world.toys)
    with counter.world.work.begin() as tx:
        actions.switch_channel(tx, off.id, on=False, actor="staff:1")
        opened = counter.office(tx, counter.world.tea)
    assert [each.name for each in opened] == ["first", "second"]
    assert {each.kind for each in opened} == {ChannelKind.EMAIL}


def test_a_letter_leaves_and_the_channel_works(counter: Counter, clock: FixedClock) -> None:
    channel = counter.add()
    with counter.world.work.begin() as tx:
        [opened] = counter.office(tx, counter.world.tea)
    assert opened.send(LETTER) == Handed("4XK2QX")
    assert counter.read(channel.id).worked_at == clock.now()
    assert [taken.recipients for taken in counter.mail.handler.taken] == [("buyer@example.com",)]


def test_a_failure_stands_at_the_channel_until_it_works_again(counter: Counter, clock: FixedClock) -> None:
    channel = counter.add()
    with counter.world.work.begin() as tx:
        [opened] = counter.office(tx, counter.world.tea)
    counter.mail.handler.on["mail"] = "553 13912345678 not yours"
    with pytest.raises(Refused):
        opened.send(LETTER)
    failed = counter.read(channel.id)
    assert (failed.fails, failed.failed_code) == (True, "sender 553")
    assert "1391" not in failed.failed_said
    assert "belongs to the account" in GATEWAYS["smtp"].mend_sentence(failed.failed_code, "en")
    counter.mail.handler.on.clear()
    clock.advance(timedelta(seconds=1))
    opened.send(LETTER)
    assert not counter.read(channel.id).fails


def test_a_private_address_is_refused_in_words(counter: Counter) -> None:
    channel = counter.add(values=counter.values(host="localhost"))
    with counter.world.work.begin() as tx:
        [opened] = counter.office(tx, counter.world.tea)
    with pytest.raises(Refused) as refused:
        opened.send(LETTER)
    assert refused.value.code == "private"
    assert "private network" in counter.read(channel.id).failed_said


def test_a_test_is_sent_and_its_address_is_kept_nowhere(counter: Counter, clock: FixedClock) -> None:
    channel = counter.add()
    with counter.world.work.begin() as tx:
        actions.test_channel(tx, channel.id, to="me@example.com", language="en-GB", actor="staff:1")
        jobs = tx.conn.execute("SELECT kind, key, subject, args FROM job").fetchall()
    assert jobs == [("test_channel", str(channel.id), f"channel:{channel.id}", {"language": "en"})]
    assert counter.read(channel.id).testing
    counter.run_jobs()
    [taken] = counter.mail.handler.taken
    assert taken.recipients == ("me@example.com",)
    assert taken.message["Subject"] == "A test from Waystream"
    tested = counter.read(channel.id)
    assert (tested.testing, tested.tested_at, tested.worked_at) == (False, clock.now(), clock.now())


def test_a_test_that_fails_says_so_and_is_over(counter: Counter) -> None:
    channel = counter.add()
    counter.mail.handler.on["rcpt"] = "550 5.1.1 no such user"
    with counter.world.work.begin() as tx:
        actions.test_channel(tx, channel.id, to="me@example.com", language="zh", actor="staff:1")
    counter.run_jobs()
    tested = counter.read(channel.id)
    assert (tested.testing, tested.fails, tested.failed_code) == (False, True, "5.1.1")


def test_a_test_needs_an_address(counter: Counter) -> None:
    channel = counter.add()
    with counter.world.work.begin() as tx, pytest.raises(Invalid):
        actions.test_channel(tx, channel.id, to=" ", language="zh", actor="staff:1")


def test_another_shop_sees_nothing(counter: Counter, page_database: Database, clock: FixedClock, keys: Keys) -> None:
    channel = counter.add()
    page = Work(page_database, clock, keys)
    with page.begin(shops=Shops.of([counter.world.toys])) as tx:
        assert actions.list_channels(tx) == []
        with pytest.raises(Missing):
            actions.switch_channel(tx, channel.id, on=False, actor="staff:2")
    with page.begin(shops=Shops.of([counter.world.tea])) as tx:
        assert [each.id for each in actions.list_channels(tx)] == [channel.id]


def test_a_report_address_is_known_to_nobody_else(counter: Counter) -> None:
    channel, other = counter.add(), counter.add(name="other")
    with counter.world.work.begin() as tx:
        path = actions.report_path(tx, channel.id, channel.shop_id)
        mark = path.rpartition("/")[2]
        assert path == f"/receipts/{channel.id}/{mark}"
        assert actions.find_reporting(tx, channel.id, mark) == channel
        assert actions.find_reporting(tx, other.id, mark) is None
        assert actions.find_reporting(tx, channel.id, "ü" + mark[1:]) is None
        assert actions.find_reporting(tx, 999, mark) is None
