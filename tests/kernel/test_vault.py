"""The vault on real rows: what is sealed opens only with its own key, and a destroyed key is gone."""

import os
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path
from threading import Barrier

import psycopg
import pytest
from zstandard import ZstdCompressor

from waystream.core.errors import Invalid, Unreadable
from waystream.kernel import vault
from waystream.kernel.clock import FixedClock
from waystream.kernel.database import Database
from waystream.kernel.vault import Keys, Vault, open_sealed, seal, seal_packed

DAY = date(2026, 11, 12)


def test_sealed_bytes_open_only_as_what_they_are() -> None:
    key = bytes(32)
    sealed = seal(key, "王小明".encode(), aad=b"person 1")

    assert open_sealed(key, sealed, aad=b"person 1") == "王小明".encode()
    assert seal(key, b"same", aad=b"") != seal(key, b"same", aad=b"")
    for other, bytes_, aad in (
        (key, sealed, b"person 2"),
        (b"\x01" * 32, sealed, b"person 1"),
        (key, sealed[:-1] + bytes([sealed[-1] ^ 1]), b"person 1"),
        (key, sealed[:9], b"person 1"),
        (key, b"", b"person 1"),
    ):
        with pytest.raises(Unreadable):
            open_sealed(other, bytes_, aad=aad)


@pytest.mark.parametrize("body", [b"", b"{}", "已签收".encode() * 10_000, os.urandom(1_000)])
def test_what_is_packed_opens_as_it_was_beside_what_is_not(body: bytes) -> None:
    key = bytes(32)
    assert open_sealed(key, seal_packed(key, body, aad=b"push"), aad=b"push") == body
    assert open_sealed(key, seal(key, body, aad=b"push"), aad=b"push") == body
    with pytest.raises(Unreadable):
        open_sealed(key, seal_packed(key, body, aad=b"push"), aad=b"another")


def test_what_unpacks_to_too_much_or_not_at_all_is_unreadable(monkeypatch: pytest.MonkeyPatch) -> None:
    key = bytes(32)
    too_long = seal_packed(key, bytes(vault.UNPACKED_MAX_BYTES + 1), aad=b"")
    unsized = ZstdCompressor(write_content_size=False).compress(bytes(1_000))
    monkeypatch.setattr(vault, "FORMAT", vault.PACKED)
    odd = [seal(key, inside, aad=b"") for inside in (b"", b"no frame at all", unsized)]
    monkeypatch.undo()
    for sealed in (too_long, *odd, bytes([vault.PACKED[0]]) + bytes(20)):
        with pytest.raises(Unreadable):
            open_sealed(key, sealed, aad=b"")


def test_a_wrapped_key_is_bound_to_its_row() -> None:
    vault = Vault(os.urandom(32))
    wrapped = vault.wrap(b"k" * 32, purpose="person", key_id=7)

    assert vault.unwrap(wrapped, purpose="person", key_id=7) == b"k" * 32
    for purpose, key_id in (("person", 8), ("day", 7)):
        with pytest.raises(Unreadable):
            vault.unwrap(wrapped, purpose=purpose, key_id=key_id)


def test_secrets_of_settings_are_bound_to_their_place() -> None:
    vault = Vault(os.urandom(32))
    sealed = vault.seal_secret("s3cret", aad=b"aggregator 1")

    assert vault.open_secret(sealed, aad=b"aggregator 1") == "s3cret"
    with pytest.raises(Unreadable):
        vault.open_secret(sealed, aad=b"aggregator 2")


def test_blind_hashes_are_equal_only_within_shop_purpose_and_root_key() -> None:
    vault = Vault(bytes(32))
    hashed = vault.blind("phone", 1, "13800000000")

    assert len(hashed) == 16
    assert hashed == Vault(bytes(32)).blind("phone", 1, "13800000000")
    assert hashed != vault.blind("phone", 2, "13800000000")
    assert hashed != vault.blind("name", 1, "13800000000")
    assert hashed != Vault(b"\x01" * 32).blind("phone", 1, "13800000000")


def test_the_root_key_is_made_once_and_closed_to_others(tmp_path: Path) -> None:
    first = Vault.open(tmp_path / "keys")
    path = tmp_path / "keys" / "root.key"

    assert path.stat().st_mode & 0o777 == 0o600
    assert len(path.read_bytes()) == 32
    assert Vault.open(tmp_path / "keys", must_exist=True).blind("x", 1, "y") == first.blind("x", 1, "y")

    path.chmod(0o640)
    with pytest.raises(Invalid, match="chmod 600"):
        Vault.open(tmp_path / "keys")


def test_a_lost_root_key_is_not_replaced_when_data_exists(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="bring it back"):
        Vault.open(tmp_path / "keys", must_exist=True)
    assert not (tmp_path / "keys").exists()


def test_a_day_has_one_key_whoever_asks(database: Database, keys: Keys) -> None:
    with database.tx() as conn:
        first = keys.day_key(conn, DAY)
        assert keys.day_key(conn, DAY) == first
    with database.tx() as conn:
        assert Keys(keys.vault).day_key(conn, DAY) == first
        assert keys.day_key(conn, date(2026, 11, 13)) != first


def test_two_transactions_that_make_the_same_day_agree(database: Database, keys: Keys) -> None:
    """The later one waits for the earlier one's row and then takes it."""
    with ThreadPoolExecutor(2) as pool:
        start = Barrier(2, timeout=10)

        def ask() -> tuple[int, bytes]:
            with database.tx() as conn:
                start.wait()
                return Keys(keys.vault).day_key(conn, DAY)

        first, second = [answer.result() for answer in (pool.submit(ask), pool.submit(ask))]
    assert first == second


def test_a_rolled_back_day_key_is_not_used_again(database: Database, keys: Keys) -> None:
    with database.tx() as conn:
        lost = keys.day_key(conn, DAY)
        conn.rollback()
    with database.tx() as conn:
        kept = keys.day_key(conn, DAY)
        assert kept != lost
        assert Keys(keys.vault).load(conn, [kept[0], lost[0]]) == {kept[0]: kept[1]}


def test_person_keys_are_loaded_by_another_process(database: Database, keys: Keys) -> None:
    with database.tx() as conn:
        made = keys.person_keys(conn, 100)
        assert keys.person_keys(conn, 0) == []
    assert len({key for _, key in made}) == 100
    with database.tx() as conn:
        assert Keys(keys.vault).load(conn, [key_id for key_id, _ in made]) == dict(made)


def test_a_destroyed_key_is_gone_from_row_and_cache(database: Database, keys: Keys, clock: FixedClock) -> None:
    with database.tx() as conn:
        (gone, _), (kept, key) = keys.person_keys(conn, 2)
        keys.load(conn, [gone, kept])
        keys.destroy(conn, [gone], clock.now())
        assert keys.load(conn, [gone, kept]) == {kept: key}
        row = conn.execute("select wrapped, destroyed_at from vault_key where id = %s", [gone]).fetchone()
    assert row == (b"", clock.now())


def test_a_destroyed_day_seals_nothing_more(database: Database, keys: Keys, clock: FixedClock) -> None:
    with database.tx() as conn:
        key_id, _ = keys.day_key(conn, DAY)
        keys.destroy(conn, [key_id], clock.now())
        with pytest.raises(Invalid, match="destroyed"):
            keys.day_key(conn, DAY)


def test_another_root_key_opens_nothing(database: Database, keys: Keys) -> None:
    with database.tx() as conn:
        ((key_id, _),) = keys.person_keys(conn, 1)
        with pytest.raises(Unreadable):
            Keys(Vault(os.urandom(32))).load(conn, [key_id])


def test_the_cache_is_bounded(database: Database, keys: Keys, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("waystream.kernel.vault.CACHE_KEYS", 3)
    with database.tx() as conn:
        made = keys.person_keys(conn, 5)
        assert keys.load(conn, [key_id for key_id, _ in made]) == dict(made)
    assert len(keys._cache) == 3


def test_only_known_purposes_have_keys(database: Database) -> None:
    with pytest.raises(psycopg.errors.CheckViolation), database.tx() as conn:
        conn.execute("insert into vault_key (purpose, wrapped) values ('other', '')")
