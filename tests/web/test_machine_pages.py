"""Rules, jobs and the machine on their pages: the answer first, the deeds by form, and nothing for who may not."""

import re
from typing import Any

import pytest
from markupsafe import escape

from tests.web.conftest import MODULES, RULES, Office, Person
from tests.web.standstill import BEHIND, ERROR, HALTED, PARKING, stand_still
from tests.web.test_pages import answer_of
from waystream.kernel import job_mending, rule_cursor
from waystream.kernel.dispatcher import Dispatcher
from waystream.kernel.rule_jobs import handlers
from waystream.kernel.runner import Runner
from waystream.parts.people.model import Role
from waystream.web.charts import draw_bars, draw_line


@pytest.fixture
def owner(office: Office) -> Person:
    """In an office whose machine stands still here and there."""
    office.context.machine.run(lambda tx: stand_still(tx, office.world))
    return office.hire(Role.OWNER)


def poison_of(office: Office, rule: str) -> list[rule_cursor.Poison]:
    with office.context.machine.begin(read_only=True) as tx:
        return rule_cursor.list_poison(tx.conn, rule, limit=10)


def audited(office: Office) -> list[tuple[Any, ...]]:
    return office.rows("SELECT action, subject, reason FROM audit WHERE action ~ '^(rule|job)[.]' ORDER BY id")


def test_every_rule_is_listed_with_its_sentence_in_both_languages(office: Office, owner: Person) -> None:
    english = owner.get("/rules").text
    owner.client.cookies.set("language", "zh")
    chinese = owner.get("/rules").text
    for rule in RULES.values():
        assert str(escape(rule.sentence)) in english
        assert rule.sentence_zh.endswith("。"), f"{rule.name} says its sentence in Chinese, too"
        assert rule.sentence_zh in chinese
    assert answer_of(english).startswith("1 rule is halted and waits for a person")


def test_the_answer_says_the_gravest_thing(office: Office, owner: Person) -> None:
    change = office.context.machine.run
    change(lambda tx: rule_cursor.resume(tx.conn, HALTED))
    assert answer_of(owner.get("/rules").text).startswith("3 events could not be digested and are parked")
    change(lambda tx: tx.conn.execute("DELETE FROM parked"))
    assert answer_of(owner.get("/rules").text).startswith("The slowest rule is 3 events behind, by 0 s")
    change(lambda tx: tx.conn.execute("UPDATE rule_cursor SET position = (SELECT position FROM sequencer)"))
    assert answer_of(owner.get("/rules").text) == "Every rule is at the end of the log; nothing is parked."


def test_a_rule_shows_what_it_parked_and_why(office: Office, owner: Person) -> None:
    page = owner.get(f"/rules/{PARKING}").text
    [poison] = poison_of(office, PARKING)
    assert answer_of(page).startswith("This rule goes on, but 1 event could not be digested and is parked.")
    assert f'href="/orders/{office.world.order_ids[0]}"' in page
    assert ERROR in page
    assert f"do=skip&amp;rule={PARKING}&amp;event={poison.event_id}" in page
    assert "do=replay" in page, "it declares itself repeatable"
    assert "do=replay" not in owner.get("/rules/printed_label_dispatches").text
    assert owner.get("/rules/nobody").status_code == 404


def test_what_is_parked_is_tried_again_by_another_process(office: Office, owner: Person) -> None:
    dialog = owner.get(f"/rules/ask?do=retry&rule={PARKING}").text
    assert "Try again what this rule parked?" in dialog
    answer = owner.post("/rules/retry", rule=PARKING)
    assert (answer.status_code, answer.headers["location"]) == (303, f"/rules/{PARKING}")
    assert "Under way" in owner.get(f"/rules/{PARKING}").text
    assert len(poison_of(office, PARKING)) == 1, "the page runs no rule"

    Runner(office.context.machine, handlers(Dispatcher(office.context.machine, MODULES))).drain()
    assert not poison_of(office, PARKING)
    assert "Digested: 2; still parked: 0." in owner.get(f"/rules/{PARKING}").text
    assert audited(office) == [("rule.retry", f"rule:{PARKING}", "")]


def test_an_event_is_given_up_with_a_reason(office: Office, owner: Person) -> None:
    [poison] = poison_of(office, PARKING)
    assert owner.post("/rules/skip", rule=PARKING, event=str(poison.event_id)).status_code == 422, "no reason"
    assert owner.post("/rules/skip", rule=PARKING, event="7", reason="x").status_code == 404
    assert owner.post("/rules/skip", rule=PARKING, event=str(poison.event_id), reason="by hand").status_code == 303
    assert not poison_of(office, PARKING)
    assert audited(office) == [("rule.skip", f"rule:{PARKING}", "by hand")]


def test_a_halted_rule_is_resumed(office: Office, owner: Person) -> None:
    assert owner.post("/rules/resume", rule=HALTED, reason="mended").status_code == 303
    assert owner.post("/rules/resume", rule=HALTED, reason="again").status_code == 409
    [(halted,)] = office.rows("SELECT halted FROM rule_cursor WHERE rule = %s", HALTED)
    assert halted == ""


@pytest.mark.parametrize(
    ("start", "status"),
    [("1", 303), ("2026-11-01", 303), ("2026-11-12T00:00+08:00", 303), ("soon", 422), ("", 422), ("9" * 18, 422)],
)
def test_a_replay_begins_at_a_position_or_a_time(office: Office, owner: Person, start: str, status: int) -> None:
    answer = owner.post("/rules/replay", rule=PARKING, start=start, reason="mended")
    assert answer.status_code == status
    [(position,)] = office.rows("SELECT position FROM rule_cursor WHERE rule = %s", PARKING)
    [(head,)] = office.rows("SELECT position FROM sequencer")
    assert position == (0 if status == 303 else head)


def test_only_a_repeatable_rule_is_replayed_any_is_rehearsed(office: Office, owner: Person) -> None:
    rule = {"rule": "printed_label_dispatches", "start": "1"}
    assert owner.post("/rules/replay", reason="x", **rule).status_code == 409
    assert owner.post("/rules/dry-run", **rule).status_code == 303
    Runner(office.context.machine, handlers(Dispatcher(office.context.machine, MODULES))).drain()
    assert re.search(r"Read from position 1 on: \d+; would follow: ", owner.get("/rules/printed_label_dispatches").text)


def test_jobs_are_listed_tried_again_and_dismissed(office: Office, owner: Person) -> None:
    page = owner.get("/jobs").text
    assert answer_of(page).startswith("1 job was given up and waits for a person")
    assert "快递公司不支持订阅" in page
    with office.context.machine.begin(read_only=True) as tx:
        [job] = job_mending.list_given_up(tx)
    assert owner.post("/jobs/dismiss", id=str(job.id)).status_code == 422, "no reason"
    assert owner.post("/jobs/retry", id=str(job.id)).status_code == 303
    assert office.rows("SELECT state, attempts FROM job WHERE id = %s", job.id) == [("ready", 0)]
    assert owner.post("/jobs/retry", id=str(job.id)).status_code == 404, "it is given up no more"

    office.context.machine.run(
        lambda tx: tx.conn.execute("UPDATE job SET state = 'given_up', finished_at = due_at WHERE id = %s", [job.id])
    )
    assert "(filtered)" not in owner.get("/jobs?kind=nothing").text
    assert owner.post("/jobs/dismiss", id=str(job.id), reason="seen").status_code == 303
    assert not office.rows("SELECT FROM job WHERE id = %s", job.id)
    assert [line[:1] + line[2:] for line in audited(office)] == [("job.retry", ""), ("job.dismiss", "seen")]


def test_a_job_that_is_under_way_already_is_not_tried_twice(office: Office, owner: Person) -> None:
    office.context.machine.run(lambda tx: tx.conn.execute("UPDATE job SET key = '1' WHERE key = '2'"))
    with office.context.machine.begin(read_only=True) as tx:
        [job] = job_mending.list_given_up(tx)
    assert owner.post("/jobs/retry", id=str(job.id)).status_code == 409


def test_the_machine_answers_in_one_sentence(office: Office, owner: Person) -> None:
    change = office.context.machine.run
    page = owner.get("/machine").text
    assert answer_of(page).startswith("1 rule is halted and waits for a person")
    assert all(word in page for word in ("postgresql", "SF Express", "Quiet", "Pushes committed together"))
    change(lambda tx: rule_cursor.resume(tx.conn, HALTED))
    assert answer_of(owner.get("/machine").text).startswith("Everything flows but 3 parked events")
    change(lambda tx: tx.conn.execute("DELETE FROM parked"))
    assert answer_of(owner.get("/machine").text).startswith("1 carrier is silent for longer than usual")
    change(lambda tx: tx.conn.execute("DELETE FROM carrier_heard"))
    assert answer_of(owner.get("/machine").text).startswith("Pushes are applied within 20 ms; nothing waits.")
    change(lambda tx: tx.conn.execute("DELETE FROM machine_sample"))
    assert answer_of(owner.get("/machine").text).startswith("No push came in the last five minutes")
    change(lambda tx: tx.conn.execute("UPDATE event SET at = at - interval '1 hour'"))
    assert answer_of(owner.get("/machine").text).startswith("Pushes are taken, but a rule is")


def test_an_empty_machine_says_so(empty_office: Office) -> None:
    owner = empty_office.hire(Role.OWNER)
    assert answer_of(owner.get("/machine").text).startswith("No push came")
    assert answer_of(owner.get("/jobs").text).startswith("Every job is done in time; 0 wait")
    assert answer_of(owner.get("/rules").text).startswith("Every rule is at the end of the log")


def test_whoever_is_limited_to_a_shop_sees_no_machine(office: Office, owner: Person) -> None:
    for person in (office.hire(Role.OWNER, shops=office.world.shop_ids[:1]), office.hire(Role.WAREHOUSE)):
        for path in ("/rules", f"/rules/{BEHIND}", "/jobs", "/machine"):
            assert person.get(path).status_code == 403, path
        assert 'href="/machine"' not in person.get("/orders").text


def test_charts_keep_their_peaks_and_draw_nothing_of_nothing() -> None:
    assert draw_line([1]) is None
    flat = draw_line([0, 0])
    assert flat is not None
    assert flat.flat
    peak = draw_line([0.0] * 500 + [9.0] + [0.0] * 500)
    assert peak is not None
    assert " 4.0" in peak.path
    assert draw_bars([("1", 0, "0")]) == ()
    assert [bar.height for bar in draw_bars([("1", 4, "4"), ("2", 1, "1"), ("5", 0, "0")])] == [48, 12]
