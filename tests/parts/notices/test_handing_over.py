"""The outside refuses, is away, or does not answer: the next channel, later, or in doubt; never twice."""

from datetime import timedelta

import pytest

from tests.parts.notices.conftest import Desk, Recording
from waystream.core.channels import ChannelKind, Handed, Letter, Report, ReportState
from waystream.core.errors import Conflict, Refused, Unavailable
from waystream.core.state import State
from waystream.kernel.runner import Runner
from waystream.parts.notices import actions, reading, sending
from waystream.parts.notices.actions import Saying
from waystream.parts.notices.model import Policy


def refuse(letter: Letter) -> Handed:
    raise Refused(f"550 <{letter.to}> user unknown, call 13812345678", code="")


def away(letter: Letter) -> Handed:
    raise Unavailable("The server is away.", sent=False)


def silent(letter: Letter) -> Handed:
    raise Unavailable("No answer came.", sent=True)


def announce(desk: Desk) -> int:
    order_id = desk.order()
    desk.dispatch(desk.parcel(order_id, state="awaiting_collection"))
    return order_id


def test_a_refusal_leads_to_the_next_channel_in_the_shops_order(desk: Desk) -> None:
    mail, sms, shop = (
        Recording("mail", answer=refuse),
        Recording("sms", ChannelKind.SMS),
        Recording("own", ChannelKind.SHOP),
    )
    desk.channels = [shop, sms, mail]
    desk.speak(channels=("mail", "sms"))
    announce(desk)
    desk.settle()
    assert (len(mail.letters), len(sms.letters), len(shop.letters)) == (1, 1, 0)
    assert (sms.letters[0].to, sms.letters[0].id) == ("15812346021", mail.letters[0].id)
    assert desk.rows("SELECT state, channel, refused_by, to_mask FROM notice") == [
        ("handed", "sms", ["mail"], "158****6021")
    ]


def test_what_every_channel_refuses_is_refused_and_quotes_nobody(desk: Desk) -> None:
    desk.channels = [Recording(answer=refuse)]
    announce(desk)
    desk.settle()
    [(state, why, said)] = desk.rows("SELECT state, why, said FROM notice")
    assert (state, why) == ("refused", "refused")
    assert "user unknown" in said and "luo@" not in said and "13812345678" not in said
    assert desk.said() == ["NoticeRefused"]


def test_a_channel_that_is_away_is_asked_again_then_another(desk: Desk) -> None:
    mail, sms = Recording(answer=away), Recording("sms", ChannelKind.SMS)
    desk.channels = [mail, sms]
    announce(desk)
    desk.settle()
    assert (len(mail.letters), len(sms.letters)) == (4, 1)
    assert {letter.id for letter in mail.letters} == {sms.letters[0].id}
    assert desk.notices() == [("shipped", "handed", "")]


def test_the_only_channel_that_stays_away_is_given_up(desk: Desk) -> None:
    desk.channels = [Recording(answer=away)]
    announce(desk)
    desk.settle()
    assert len(desk.letters) == 12
    assert desk.notices() == [("shipped", "refused", "unavailable")]
    assert desk.said() == ["NoticeRefused"]


def test_no_answer_is_a_doubt_and_is_not_said_again_by_itself(desk: Desk) -> None:
    desk.channels = [Recording(answer=silent), Recording("sms", ChannelKind.SMS)]
    announce(desk)
    desk.settle()
    desk.send()
    assert len(desk.letters) == 1
    assert desk.rows("SELECT state, doubted_at IS NOT NULL, said FROM notice") == [("sending", True, "No answer came.")]
    [row] = desk.do(lambda tx: reading.list_notices(tx, reading.Filters(doubted=True)))

    desk.do(lambda tx: actions.settle_doubt(tx, row.id, was_said=True, actor="staff:1"))

    assert desk.notices() == [("shipped", "handed", "")]
    assert desk.said() == ["NoticeSent"]
    with pytest.raises(Conflict):
        desk.do(lambda tx: actions.settle_doubt(tx, row.id, was_said=True, actor="staff:1"))


def test_a_channel_that_says_a_letter_once_is_handed_it_again(desk: Desk) -> None:
    answers = iter((silent, silent, lambda letter: Handed("r1")))
    mail = Recording(repeatable=True, answer=lambda letter: next(answers)(letter))
    desk.channels = [mail]
    announce(desk)
    desk.settle()
    assert len(mail.letters) == 3 and len({(letter.id, letter.text) for letter in mail.letters}) == 1
    assert desk.notices() == [("shipped", "handed", "")]
    assert desk.said() == ["NoticeSent"]


@pytest.mark.parametrize("repeatable", [True, False])
def test_a_crash_between_claim_and_answer_says_nothing_twice(desk: Desk, repeatable: bool) -> None:
    desk.channels, desk.link = [Recording(repeatable=repeatable)], "https://ship.example/t/abc"
    announce(desk)
    desk.digest()
    desk.clock.advance(timedelta(minutes=3))
    [(notice_id,)] = desk.rows("SELECT id FROM notice")
    desk.runner.sweep("due_notices")
    claimed = desk.do(lambda tx: sending.compose(tx, notice_id, desk._of_shop, lambda tx, order_id: desk.link))
    assert claimed is not None  # … and here the process dies

    desk.send()

    assert claimed.letter.unsubscribe == "https://ship.example/t/abc/unsubscribe"
    assert desk.letters == ([claimed.letter] if repeatable else [])
    assert desk.rows("SELECT state, doubted_at IS NOT NULL FROM notice") == [
        ("handed", False) if repeatable else ("sending", True)
    ]


def test_reports_settle_what_was_handed_over_once(desk: Desk) -> None:
    announce(desk)
    desk.settle()
    report = Report(ReportState.DELIVERED, receipt="receipt-1")
    elsewhere = desk.world.toys
    assert desk.do(lambda tx: actions.take_reports(tx, elsewhere, "mail", [report])) == 0
    assert desk.do(lambda tx: actions.take_reports(tx, desk.world.tea, "mail", [report, report])) == 1
    late = Report(ReportState.REFUSED, receipt="receipt-1", said="UNDELIV 13812345678")
    assert desk.do(lambda tx: actions.take_reports(tx, desk.world.tea, "mail", [late])) == 0
    assert desk.notices() == [("shipped", "delivered", "")]
    assert desk.said() == ["NoticeSent", "NoticeDelivered"]


def test_a_report_that_it_did_not_arrive_refuses_it(desk: Desk) -> None:
    announce(desk)
    desk.settle()
    bad = Report(ReportState.REFUSED, letter_id=desk.letters[0].id, said="mailbox full")
    desk.do(lambda tx: actions.take_reports(tx, desk.world.tea, "mail", [bad]))
    assert desk.rows("SELECT state, why, said FROM notice") == [("refused", "reported", "mailbox full")]
    assert desk.said() == ["NoticeSent", "NoticeRefused"]


def test_a_person_says_something_with_todays_facts(desk: Desk) -> None:
    order_id = desk.order()
    desk.parcel(order_id, state="in_transit", number="YT42")
    saying = Saying("您好[，{收件人}]：包裹 [{运单号} ]已在查。[取件码 {code}]", subject="关于 {order}")
    desk.do(lambda tx: actions.say(tx, order_id, saying, actor="staff:7"))
    desk.send()
    [letter] = desk.letters
    assert (letter.subject, letter.template) == ("关于 A1", "said")
    assert letter.text == "您好，罗小明：包裹 YT42 已在查。"


def test_an_incident_is_told_once_to_each_order(desk: Desk) -> None:
    first, second = desk.order("A1"), desk.order("A2")
    said = Saying("分拨中心爆仓", once=7)
    assert len(desk.do(lambda tx: actions.say_to_many(tx, [first], said, actor="staff:7"))) == 1
    assert len(desk.do(lambda tx: actions.say_to_many(tx, [first, second], said, actor="staff:7"))) == 1
    desk.send()
    assert sorted(letter.order for letter in desk.letters) == ["A1", "A2"]


def test_a_person_says_a_kind_and_no_rule_says_it_again(desk: Desk) -> None:
    order_id = desk.order()
    parcel_id = desk.parcel(order_id, state="in_transit")
    desk.do(lambda tx: actions.say(tx, order_id, Saying(kind="delayed"), actor="staff:7"))
    desk.send()
    desk.move(parcel_id, State.EXCEPTION)
    desk.settle()
    assert [letter.template for letter in desk.letters] == ["delayed"]
    with pytest.raises(Conflict):
        desk.do(lambda tx: actions.say(tx, order_id, Saying(kind="delayed"), actor="staff:7"))
    with pytest.raises(Conflict):
        desk.do(lambda tx: actions.say(tx, order_id, Saying(kind="delivered"), actor="staff:7"))


def test_said_again_by_a_person_is_one_more_and_no_breach(desk: Desk) -> None:
    announce(desk)
    desk.settle()
    [(first,)] = desk.rows("SELECT id FROM notice")
    desk.do(lambda tx: actions.say_again(tx, first, actor="staff:7"))
    desk.send()
    assert [letter.text for letter in desk.letters] == [desk.letters[0].text] * 2
    assert desk.letters[0].id != desk.letters[1].id
    assert desk.rows("SELECT body -> 'again' FROM event WHERE name = 'NoticeSent' ORDER BY id") == [(False,), (True,)]
    assert desk.broken() == []


def test_a_person_takes_back_what_has_not_left(desk: Desk) -> None:
    announce(desk)
    desk.digest()
    [(planned,)] = desk.rows("SELECT id FROM notice")
    desk.do(lambda tx: actions.drop(tx, planned, actor="staff:7"))
    desk.settle()
    assert desk.notices() == [("shipped", "dropped", "taken_back")] and desk.letters == []


def test_words_are_tried_on_oneself_and_count_as_nothing(desk: Desk) -> None:
    order_id = desk.order()
    desk.parcel(order_id, state="in_transit")
    words = reading.Words("试发 {order}", "给 {order} 的话[：{link}]")
    desk.link = "https://shop.example/t/abc"
    given = {"kind": "shipped", "language": "en", "to": "me@shop.example", "actor": "staff:7"}
    desk.do(lambda tx: actions.test(tx, order_id, words, **given))
    desk.send()
    [letter] = desk.letters
    assert (letter.to, letter.language, letter.text) == (
        "me@shop.example",
        "en",
        "给 A1 的话：https://shop.example/t/abc",
    )
    assert desk.said() == []
    assert desk.rows("SELECT count(*) FROM notice_thing") == [(0,)]
    assert desk.rows("SELECT to_hash FROM notice") == [(None,)]


def test_the_log_shows_what_was_said_masked(desk: Desk) -> None:
    order_id = desk.order()
    desk.do(lambda tx: actions.say(tx, order_id, Saying("[{name}，]您的电话 15812346021 打不通"), actor="staff:7"))
    desk.send()
    [(notice_id,)] = desk.rows("SELECT id FROM notice")
    told = desk.do(lambda tx: reading.read_notice(tx, notice_id))
    assert told.text == "罗**，您的电话 158****6021 打不通"
    assert (told.row.to_mask, told.row.name_mask) == ("l**@example.com", "罗**")


def test_a_shop_without_a_policy_has_the_default_one(desk: Desk) -> None:
    assert desk.do(lambda tx: actions.get_policy(tx, desk.world.toys)) == Policy()
    assert isinstance(desk.runner, Runner)
