"""Signed links: one way to write a token, one order it opens, and nothing for whatever was not signed here."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.parts.world import World, order
from waystream.core.errors import Conflict, Missing
from waystream.kernel.tx import Tx
from waystream.kernel.vault import Vault
from waystream.parts.buyer import actions, links
from waystream.parts.buyer.links import LEAST, NO_LINK, TERM, TOKEN_CHARS_AT_MOST, Link
from waystream.parts.orders import actions as orders

NOW = datetime(2026, 11, 12, 6, 32, tzinfo=UTC)
OURS, THEIRS = Vault(bytes(range(32))), Vault(bytes(range(1, 33)))

LINKS = st.builds(
    Link,
    shop_id=st.integers(1, 2**32 - 1),
    order_id=st.integers(1, 2**63 - 1),
    expires_on=st.dates(date(2026, 11, 12), date(2199, 6, 1)),
    version=st.integers(0, 65_535),
)


@given(LINKS)
def test_a_token_is_read_as_what_was_signed_and_fits_a_message(link: Link) -> None:
    token = link.signed(OURS)
    assert links.read(OURS, token, now=NOW) == link
    assert token.isalnum() and token.isascii() and len(token) <= TOKEN_CHARS_AT_MOST < 40


@given(LINKS, st.data())
def test_a_token_with_another_letter_opens_nothing(link: Link, data: st.DataObject) -> None:
    token = link.signed(OURS)
    at = data.draw(st.integers(0, len(token) - 1))
    letter = data.draw(st.sampled_from([each for each in links._LETTERS if each != token[at]]))
    _opens_nothing(token[:at] + letter + token[at + 1 :])


@given(LINKS)
def test_no_other_way_of_writing_a_token_opens_anything(link: Link) -> None:
    token = link.signed(OURS)
    for other in ("0" + token, token + "0", token[:-1], token[1:], token.swapcase() + "-", token + "\n", f" {token}"):
        _opens_nothing(other)


@given(st.one_of(st.text(max_size=60), st.text(alphabet=links._LETTERS, min_size=20, max_size=40)))
def test_whatever_was_not_signed_here_opens_nothing(text: str) -> None:
    _opens_nothing(text)


@given(LINKS)
def test_another_installations_token_opens_nothing(link: Link) -> None:
    _opens_nothing(link.signed(THEIRS))


@given(LINKS)
def test_a_token_holds_to_the_end_of_its_day_and_no_longer(link: Link) -> None:
    token = link.signed(OURS)
    assert links.read(OURS, token, now=link.expires_at - timedelta(seconds=1)) == link
    _opens_nothing(token, now=link.expires_at)


@given(st.integers(0, 400).map(lambda days: NOW - timedelta(days=days, hours=days % 24)), st.integers(0, 400))
def test_a_link_lives_at_least_the_least_and_stays_the_same_for_a_term(received_at: datetime, days: int) -> None:
    now = received_at + timedelta(days=days)
    ends = links.expiry(received_at, now=now)
    assert now + LEAST - timedelta(days=1) < datetime(ends.year, ends.month, ends.day, tzinfo=UTC) + timedelta(days=1)
    assert ends <= (now + LEAST + TERM).date()
    assert (ends - received_at.date()) % TERM == timedelta(0)


def _opens_nothing(token: str, *, now: datetime = NOW) -> None:
    with pytest.raises(Missing) as refused:
        links.read(OURS, token, now=now)
    assert refused.value.sentence == NO_LINK


@pytest.fixture
def tx(world: World) -> Iterator[Tx]:
    with world.work.begin() as tx:
        yield tx


@pytest.fixture
def order_id(tx: Tx) -> int:
    [taken] = orders.accept(tx, [order("A1")])
    return taken.order_id


def test_making_a_link_writes_nothing_and_gives_the_same_again(tx: Tx, order_id: int) -> None:
    first = actions.link(tx, order_id)
    assert actions.link(tx, order_id) == first
    assert (first.version, first.expires_on) == (0, (tx.now + TERM).date())
    assert tx.conn.execute("SELECT count(*) FROM buyer_link").fetchone() == (0,)
    actions.check(tx, first)


def test_a_revoked_link_opens_nothing_and_the_new_one_does(tx: Tx, order_id: int) -> None:
    old = actions.link(tx, order_id)
    new = actions.revoke(tx, order_id, actor="staff:1")
    assert (new.version, actions.revoke(tx, order_id, actor="staff:1").version) == (1, 2)
    for told in (old, new):
        with pytest.raises(Missing, match="opens nothing"):
            actions.check(tx, told)
    actions.check(tx, actions.link(tx, order_id))
    assert tx.conn.execute("SELECT actor, action, subject FROM audit").fetchall() == [
        ("staff:1", "revoke_link", f"order:{order_id}")] * 2  # fmt: skip


def test_versions_end_and_never_begin_again(tx: Tx, order_id: int) -> None:
    actions.revoke(tx, order_id, actor="staff:1")
    tx.conn.execute("UPDATE buyer_link SET version = 65535")
    with pytest.raises(Conflict, match="too often"):
        actions.revoke(tx, order_id, actor="staff:1")


def test_a_link_of_another_shop_or_of_no_order_opens_nothing(world: World, tx: Tx, order_id: int) -> None:
    own = actions.link(tx, order_id)
    for told in (Link(world.toys, order_id, own.expires_on, 0), Link(own.shop_id, order_id + 1, own.expires_on, 0)):
        with pytest.raises(Missing, match="opens nothing"):
            actions.check(tx, told)
    with pytest.raises(Missing, match="no such order"):
        actions.link(tx, order_id + 1)
