"""The workbench over HTTP: the queue, one ticket, what is done with it, and what two people at once may not do."""

import re

import pytest

from tests.web.conftest import Office, Person
from tests.web.sample_tickets import make_tickets
from waystream.parts.people.model import Role


@pytest.fixture
def tickets(office: Office) -> list[int]:
    return office.context.machine.run(lambda tx: make_tickets(tx, office.world))


def _queued(page: str) -> list[int]:
    return [int(found) for found in re.findall(r'id="k(\d+)"', page)]


def _state(office: Office, ticket: int) -> tuple[object, ...]:
    [row] = office.rows("SELECT state, assignee, ending FROM ticket WHERE id = %s", ticket)
    return row


def _taker(office: Office, person: Person, ticket: int) -> None:
    assert person.post("/workbench/take", id=ticket, back=f"/workbench?t={ticket}").status_code == 303


def test_the_queue_is_what_is_open_in_the_order_it_is_due(office: Office, tickets: list[int]) -> None:
    page = office.hire(Role.CARE).get("/workbench")
    assert page.status_code == 200
    assert _queued(page.text) == tickets[:50]
    assert f'id="k{tickets[0]}" aria-current="true"' in page.text
