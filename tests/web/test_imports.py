"""Importing on the pages: columns looked at and chosen, tried, saved, imported; a run that stopped."""

import html
import io
import re
import threading

import pytest

from tests.web.conftest import HTML, Office, Person
from waystream.parts.imports import actions
from waystream.parts.imports.model import Given
from waystream.web.pages.imports.runs import desk

HEAD = "流水号,收货人姓名（必填）,手机号码,省,市,区,详细地址,商家编码,件数\n"
ROW = "E{n},王小明,13800001111,四川省,成都市,武侯区,天府大道 1 号,TS-01,{quantity}\n"
GOOD = HEAD + ROW.format(n=1, quantity=2) + ROW.format(n=2, quantity=1)


def hand_in(person: Person, body: str = GOOD, *, do: str = "look", **given: str) -> str:
    """The address of the run."""
    answer = person.client.post(
        "/import",
        data={"csrf": person.csrf, "target": "orders", "shop": "qinghe", "warehouse": "yuhang", "do": do, **given},
        files={"file": ("erp.csv", body.encode(), "text/csv")},
        headers=HTML,
        follow_redirects=False,
    )
    assert answer.status_code == 303, answer.text
    return answer.headers["location"].removesuffix("/columns")


def choose(person: Person, address: str, do: str, **given: str) -> str:
    """Send the page's own choices with these changed; the page it leads to, when the run has ended."""
    page = person.get(f"{address}/columns").text
    chosen = {}
    for name, options in re.findall(r'<select class="input" name="(column-\d+)".*?>(.*?)</select>', page):
        found = re.search(r'value="([^"]*)" selected', options)
        chosen[name] = found[1] if found else ""
    answer = person.post(f"{address}/columns", **{**chosen, **given}, do=do)
    if answer.status_code != 303:
        return answer.text
    desk().wait(address.rsplit("/", 1)[1])
    return person.get(answer.headers["location"]).text


def answer_of(page: str) -> str:
    found = re.search(r'<h1 class="answer">(.*?)(<small>.*?</small>)?</h1>', page)
    assert found
    return html.unescape(re.sub("<.*?>", "", found[1]))


class TestColumns:
    """What the file's columns mean: guessed, chosen, tried, saved."""

    def test_headers_are_guessed_and_what_lacks_is_said(self, office: Office) -> None:
        person = office.hire()
        page = person.get(hand_in(person) + "/columns").text
        assert answer_of(page) == "7 of 9 columns of erp.csv are understood."
        assert "Still needed: order number 订单号 / quantity 数量" in page
        assert '<option value="receiver.name" selected>' in page
        assert "王小明" in page
        assert office.rows("SELECT count(*) FROM orders WHERE number LIKE 'E%%'") == [(0,)]

    def test_a_choice_that_cannot_be_comes_back_with_its_sentence(self, office: Office) -> None:
        person = office.hire()
        address = hand_in(person)
        page = choose(person, address, "try")
        assert "no column says it" in page
        page = choose(person, address, "try", **{"column-0": "number", "column-8": "number"})
        assert "two columns say the same thing" in page
        assert '<option value="number" selected>' in page

    def test_it_is_tried_saved_and_imported(self, office: Office) -> None:
        person = office.hire()
        address, fields = hand_in(person), {"column-0": "number", "column-8": "line.quantity"}
        page = choose(person, address, "try", mapping="erp", **fields)
        assert answer_of(page) == "Every line of erp.csv is good; nothing is imported yet."
        assert "only tried: 2 new" in page
        assert office.rows("SELECT count(*) FROM orders WHERE number LIKE 'E%%'") == [(0,)]

        person.post(f"{address}/again", do="import")
        desk().wait(address.rsplit("/", 1)[1])
        page = person.get(address).text
        assert answer_of(page) == "erp.csv is imported."
        assert office.rows("SELECT count(*) FROM orders WHERE number LIKE 'E%%'") == [(2,)]
        assert person.get(f"{address}/columns").status_code == 409, "the file is gone"

        again = hand_in(person, do="import", mapping="erp")
        desk().wait(again.rsplit("/", 1)[1])
        assert "2 as before" in person.get(again).text

    def test_trying_names_every_bad_line_by_its_reason(self, office: Office) -> None:
        person = office.hire()
        address = hand_in(person, HEAD + ROW.format(n=1, quantity="x") + ROW.format(n=2, quantity=1))
        page = choose(person, address, "try", **{"column-0": "number", "column-8": "line.quantity"})
        assert answer_of(page) == "1 line has to be mended first."
        assert "line 2, 件数" in page
        assert "not a number" in page

    def test_too_many_columns_are_a_sentence(self, office: Office) -> None:
        person = office.hire()
        answer = person.get(hand_in(person, ",".join(f"c{n}" for n in range(200)) + "\n1\n") + "/columns")
        assert answer.status_code == 413
        assert "leave out what is not needed" in answer.text


class TestMappings:
    """Saved mappings: listed, changed, dropped."""

    @pytest.fixture
    def person(self, office: Office) -> Person:
        person = office.hire()
        fields = {"column-0": "number", "column-8": "line.quantity"}
        choose(person, hand_in(person), "save", mapping="erp", **fields)
        return person

    def test_it_is_listed_and_changed(self, office: Office, person: Person) -> None:
        assert 'href="/import-mappings?name=erp"' in person.get("/import").text
        page = person.get("/import-mappings?name=erp").text
        assert "The mapping erp reads 9 columns." in html.unescape(page)
        person.post("/import-mappings", name="erp", **{"column-0": "number"})
        [(columns,)] = office.rows("SELECT columns FROM import_mapping")
        assert {header: field for header, field in columns.items() if field} == {"流水号": "number"}
        assert person.post("/import-mappings", name="erp", **{"column-0": "nothing"}).status_code == 422

    def test_it_is_dropped(self, office: Office, person: Person) -> None:
        assert person.post("/import-mappings/drop", name="erp").status_code == 303
        assert office.rows("SELECT count(*) FROM import_mapping") == [(0,)]
        assert person.get("/import-mappings?name=erp").status_code == 404
        assert person.post("/import-mappings/drop", name="erp").status_code == 404


class TestRestart:
    """How an import is told when the process that read it is gone."""

    def stopped(self, office: Office, person: Person) -> str:
        """A run that a killed process left behind."""
        actor = f"staff:{person.staff_id}"
        given = Given("erp.csv", "orders", shop="qinghe", warehouse="yuhang")
        columns = {"流水号": "number", "件数": "line.quantity", "收货人姓名（必填）": "receiver.name"}
        with office.context.machine.begin() as tx:
            run_id = actions.keep_file(tx, io.BytesIO(GOOD.encode()), given, actor=actor)
            actions.begin(tx, run_id, actor=actor, rehearsal=False, columns=columns)
            tx.conn.execute("UPDATE import_run SET beat_at = beat_at - interval '1 minute'")
        return run_id

    def test_it_says_that_nothing_was_imported_and_runs_again_at_one_click(self, office: Office) -> None:
        person = office.hire()
        run_id = self.stopped(office, person)
        page = person.get(f"/import/{run_id}").text
        assert answer_of(page) == "Reading erp.csv stopped before the end; nothing was imported."
        assert f'action="/import/{run_id}/again"' in page
        assert "stopped, nothing imported" in person.get("/import").text
        assert person.post(f"/import/{run_id}/again", do="import").status_code == 303
        desk().wait(run_id)
        assert answer_of(person.get(f"/import/{run_id}").text) == "erp.csv is imported."
        assert office.rows("SELECT count(*) FROM orders WHERE number LIKE 'E%%'") == [(2,)]

    def test_what_another_process_reads_is_shown_and_not_begun_twice(self, office: Office) -> None:
        person = office.hire()
        run_id = self.stopped(office, person)
        with office.context.machine.begin() as tx:
            tx.conn.execute("UPDATE import_run SET beat_at = clock_timestamp(), done = 3, total = 9")
        page = person.get(f"/import/{run_id}").text
        assert "3 of about 9" in page
        assert person.post(f"/import/{run_id}/again", do="import").status_code == 409

    def test_only_a_few_run_at_once(self, office: Office) -> None:
        person, never = office.hire(), threading.Event()
        address = hand_in(person)
        with desk().lock:
            desk().running |= {f"busy{n}": never for n in range(2)}
        try:
            assert person.post(f"{address}/again", do="import").status_code == 409
        finally:
            never.set()

    def test_another_persons_import_is_not_to_be_seen(self, office: Office) -> None:
        one, other = office.hire(), office.hire()
        address = hand_in(one)
        for path in (address, f"{address}/columns"):
            assert other.get(path).status_code == 404
        assert other.post(f"{address}/again", do="import").status_code == 404
