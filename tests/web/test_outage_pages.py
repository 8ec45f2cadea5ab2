"""Outages and replays as people see them: how far it is, what would change, and who may say stop and go."""

import pytest

from tests.web.conftest import Office
from tests.web.sample_outage import make_outage, make_replay
from tests.web.test_pages import answer_of
from waystream.parts.people.model import Role


@pytest.fixture
def outage_id(office: Office) -> int:
    return office.context.machine.run(lambda tx: make_outage(tx, office.world))


@pytest.fixture
def replay_id(office: Office) -> int:
    return office.context.machine.run(lambda tx: make_replay(tx, office.world))


def test_nothing_happened_yet(office: Office) -> None:
    owner = office.hire()
    assert answer_of(owner.get("/outages").text).startswith("No outage so far")
    assert "No replay yet" in owner.get("/replay").text


def test_how_far_the_asking_is(office: Office, outage_id: int) -> None:
    page = office.hire().get("/outages").text
    [parcels] = office.rows("SELECT count(*) FROM inquiry")
    assert answer_of(page) == (
        f"Waystream was away for 3 h 40 min. Parcels asked for: {parcels[0] - 2}, of which had moved: 1; "
        "left for about 0 s: 2."
    )
    assert "用户不存在或未开通" in page
    assert 'hx-get="/outages"' in page


def test_stop_and_go_on(office: Office, outage_id: int) -> None:
    owner = office.hire()
    assert owner.post(f"/outages/{outage_id}/stop").status_code == 303
    assert answer_of(owner.get("/outages").text).startswith("The asking after 3 h 40 min away is stopped")
    assert owner.post(f"/outages/{outage_id}/stop").status_code == 409
    assert owner.post(f"/outages/{outage_id}/go-on").status_code == 303
    assert office.rows("SELECT state FROM outage") == [("asking",)]
    assert office.rows("SELECT count(*) FROM job WHERE kind = 'ask_carrier'") == [(3,)]


def test_they_are_of_every_shop(office: Office, outage_id: int, replay_id: int) -> None:
    """An outage and a replay concern all shops: whoever is limited to one does not see them."""
    person = office.hire(shops=(office.world.shop_ids[0],))
    for address in ("/outages", "/replay", f"/replay/{replay_id}"):
        assert person.get(address).status_code == 403


def test_the_difference_first_then_applied(office: Office, replay_id: int) -> None:
    owner = office.hire()
    page = owner.get(f"/replay/{replay_id}").text
    assert answer_of(page) == (
        "Nothing is written yet: facts that would say something else: 1, parcels that would move: 1."
    )
    assert "20618" in page
    assert "Delivered" in page
    assert owner.post(f"/replay/{replay_id}/apply").status_code == 303
    assert office.rows("SELECT kind, key FROM job WHERE kind = 'replay'") == [("replay", str(replay_id))]
    assert owner.post(f"/replay/{replay_id}/apply").status_code == 409
    assert owner.post(f"/replay/{replay_id}/stop").status_code == 303
    assert answer_of(owner.get(f"/replay/{replay_id}").text).startswith("Stopped after 812 pushes")


def test_a_replay_begins_from_the_page(office: Office) -> None:
    owner = office.hire()
    begun = owner.post("/replay", since="2026-11-01", until="2026-11-13", code="20618")
    assert begun.status_code == 303
    [(code, state)] = office.rows("SELECT code, state FROM replay")
    assert (code, state) == ("20618", "comparing")
    assert office.rows("SELECT count(*) FROM job WHERE kind = 'replay'") == [(1,)]
    assert owner.post("/replay", since="yesterday", until="2026-11-13").status_code == 422


def test_only_who_minds_the_machine_may(office: Office, outage_id: int, replay_id: int) -> None:
    packer = office.hire(Role.WAREHOUSE)
    for address in (f"/outages/{outage_id}/stop", f"/replay/{replay_id}/apply", "/replay"):
        assert packer.post(address).status_code == 403


def test_one_parcel_is_asked_for_by_hand(office: Office) -> None:
    owner = office.hire()
    [(parcel_id,)] = office.rows(
        """SELECT track.parcel_id FROM track JOIN binding ON binding.id = track.binding_id
           WHERE binding.state = 'live' ORDER BY 1 LIMIT 1"""
    )
    assert "One number is asked for every half hour." in owner.get(f"/parcels/ask?do=ask_carrier&id={parcel_id}").text
    assert owner.post("/parcels/ask_carrier", id=str(parcel_id), back="/parcels").status_code == 303
    assert office.rows("SELECT kind FROM job WHERE kind = 'ask_carrier'") == [("ask_carrier",)]
    assert owner.post("/parcels/ask_carrier", id=str(parcel_id), back="/parcels").status_code == 409
