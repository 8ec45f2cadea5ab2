"""Signing in, staying in, keys and the people who have them. Times are business time; secrets are told once."""

import hashlib
import secrets
from datetime import datetime, timedelta
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from waystream.core.errors import Conflict, Forbidden, Invalid, Missing
from waystream.kernel.audit import Entry
from waystream.kernel.database import Shops
from waystream.kernel.tx import Tx
from waystream.parts.people import store
from waystream.parts.people.model import (
    SESSION_IDLE,
    SESSION_LIFE,
    ApiKey,
    ApiKeyIn,
    AuditLine,
    Caller,
    FirstLogin,
    Staff,
    StaffIn,
    checked_key,
    checked_password,
    checked_staff,
    locked_for,
)

NOTED_EVERY = timedelta(minutes=5)
FIRST_LOGIN = "owner"
KEY_PREFIX = "ws"
AUDIT_PAGE_MAX = 200

_hasher = PasswordHasher()
_WRONG = "The login or the password is wrong."


@cache
def _decoy() -> str:
    """A hash to check against when there is no such login, so that the answer takes the same time."""
    return _hasher.hash(secrets.token_urlsafe(16))


def _fits(password_hash: str, password: str) -> bool:
    try:
        return _hasher.verify(password_hash, password)
    except (VerificationError, InvalidHashError):
        return False


def _token_hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


def ensure_owner(tx: Tx) -> FirstLogin | None:
    """The first run's owner, told once; None when somebody works here already."""
    if store.any_staff(tx.conn):
        return None
    return add_staff(tx, StaffIn(FIRST_LOGIN, "Owner", "owner", every_shop=True), actor="system")


def add_staff(tx: Tx, staff: StaffIn, *, actor: str) -> FirstLogin:
    """A new person with a one-time password they have to change; `Conflict` when the login is taken."""
    checked_staff(staff)
    if store.login_taken(tx.conn, staff.login):
        raise Conflict(f"There is a login {staff.login} already.", path="login")

    password = secrets.token_urlsafe(12)
    hashed = _hasher.hash(password)
    staff_id = store.insert_staff(tx.conn, staff, password_hash=hashed, must_change=True, at=tx.now)

    tx.note(Entry(actor, "staff.add", f"staff:{staff_id}", detail={"role": staff.role}))
    return FirstLogin(staff.login, password)


def change_staff(tx: Tx, staff_id: int, staff: StaffIn, *, actor: str) -> None:
    """Change a person's name, role and limits; the last owner stays one."""
    checked_staff(staff)
    if store.login_taken(tx.conn, staff.login, but=staff_id):
        raise Conflict(f"There is a login {staff.login} already.", path="login")
    if staff.role != "owner":
        _keep_an_owner(tx, staff_id)

    if not store.update_staff(tx.conn, staff_id, staff):
        raise Missing("There is no such person.")

    tx.note(Entry(actor, "staff.change", f"staff:{staff_id}", detail={"role": staff.role}))


def switch_staff(tx: Tx, staff_id: int, *, on: bool, actor: str) -> None:
    """Let a person in or out; out also ends their sessions."""
    if not on:
        _keep_an_owner(tx, staff_id)

    if not store.set_disabled(tx.conn, staff_id, at=None if on else tx.now):
        raise Missing("There is no such person.")
    if not on:
        store.delete_sessions(tx.conn, staff_id)

    tx.note(Entry(actor, "staff.on" if on else "staff.off", f"staff:{staff_id}"))


def _keep_an_owner(tx: Tx, staff_id: int) -> None:
    if store.owners_left(tx.conn, without=staff_id) == 0:
        raise Conflict("Somebody has to stay owner: make another owner first.")


def reset_password(tx: Tx, staff_id: int, *, actor: str) -> FirstLogin:
    """A new one-time password; the person's sessions end."""
    staff = store.find_staff(tx.conn, staff_id)
    if staff is None:
        raise Missing("There is no such person.")

    password = secrets.token_urlsafe(12)
    store.set_password(tx.conn, staff_id, _hasher.hash(password), must_change=True)
    store.delete_sessions(tx.conn, staff_id)

    tx.note(Entry(actor, "staff.reset", f"staff:{staff_id}"))
    return FirstLogin(staff.login, password)


def change_password(tx: Tx, staff_id: int, *, old: str, new: str, token: str = "") -> None:
    """A person's own new password; their other sessions end. `Forbidden` when the old one is wrong."""
    current = store.find_password(tx.conn, staff_id)
    staff = store.find_staff(tx.conn, staff_id)
    if current is None or staff is None or not _fits(current, old):
        raise Forbidden("The present password is wrong.", path="old")
    checked_password(new, login=staff.login)
    if new == old:
        raise Invalid("password", "The new password is the old one.")

    store.set_password(tx.conn, staff_id, _hasher.hash(new), must_change=False)
    store.delete_sessions(tx.conn, staff_id, but=_token_hash(token) if token else b"")

    tx.note(Entry(f"staff:{staff_id}", "staff.password", f"staff:{staff_id}"))


def choose_language(tx: Tx, staff_id: int, language: str) -> None:
    if language not in ("zh", "en"):
        raise Invalid("language", "The language must be zh or en.")
    store.set_language(tx.conn, staff_id, language)


def sign_in(tx: Tx, *, login: str, password: str) -> str | None:
    """A new session's token, or None: who is unknown, disabled, locked or mistaken hears the same, after the same time.

    Failures are counted in this transaction: the caller commits it either way.
    """
    found = store.find_sign_in(tx.conn, login[:60])
    fits = _fits(found.password_hash if found else _decoy(), password[:200])
    if found is None or found.disabled or _is_locked(found.locked_until, tx.now):
        return None
    if not fits:
        failures = found.failed_signins + 1
        wait = locked_for(failures)
        store.set_failures(tx.conn, found.id, failures=failures, locked_until=tx.now + wait if wait else None)
        return None

    token = secrets.token_urlsafe(32)
    store.set_failures(tx.conn, found.id, failures=0, locked_until=None)
    store.insert_session(tx.conn, _token_hash(token), found.id, at=tx.now, expires_at=tx.now + SESSION_LIFE)

    tx.note(Entry(f"staff:{found.id}", "staff.sign-in", f"staff:{found.id}"))
    return token


def _is_locked(until: datetime | None, now: datetime) -> bool:
    return until is not None and until > now


def sign_out(tx: Tx, token: str) -> None:
    store.delete_session(tx.conn, _token_hash(token))


def find_caller(tx: Tx, token: str) -> Caller | None:
    """The person behind a session token."""
    hashed = _token_hash(token)
    row = store.find_session(tx.conn, hashed, at=tx.now, seen_after=tx.now - SESSION_IDLE)
    if row is None:
        return None
    store.saw_session(tx.conn, hashed, at=tx.now, before=tx.now - NOTED_EVERY)
    return _caller(row, actor=f"staff:{row.id}")


def find_key_caller(tx: Tx, secret: str) -> Caller | None:
    """The program behind an API key, `ws_PREFIX_SECRET`."""
    name, _, rest = secret.partition("_")
    prefix, _, own = rest.partition("_")
    found = store.find_key(tx.conn, prefix) if name == KEY_PREFIX and prefix and own else None
    if found is None or not secrets.compare_digest(found[0], _token_hash(own)):
        return None
    store.used_key(tx.conn, found[1].id, at=tx.now, before=tx.now - NOTED_EVERY)
    return _caller(found[1], actor=f"key:{found[1].id}")


def _caller(row: store.SeatRow, *, actor: str) -> Caller:
    return Caller(
        actor=actor,
        name=row.name,
        role=row.role,
        shops=Shops.every() if row.every_shop else Shops.of(row.shop_ids),
        scopes=frozenset(row.scopes),
        warehouses=frozenset(row.warehouse_ids),
        language=row.language,
        staff_id=None if row.role == "key" else row.id,
        must_change=row.must_change,
    )


def add_key(tx: Tx, key: ApiKeyIn, *, by: Caller) -> str:
    """A new key's secret, told once. Nobody gives a key more than they have."""
    checked_key(key)
    beyond = [scope for scope in key.scopes if not by.may(scope)]
    if beyond or (key.every_shop and by.shops.ids is not None) or any(shop not in by.shops for shop in key.shop_ids):
        raise Forbidden("A key cannot do more than the person who makes it.")

    prefix, own = secrets.token_hex(4), secrets.token_urlsafe(32)
    hashed = _token_hash(own)
    key_id = store.insert_key(
        tx.conn, key, prefix=prefix, secret_hash=hashed, created_by=by.staff_id, at=tx.now
    )

    tx.note(Entry(by.actor, "key.add", f"key:{key_id}", detail={"scopes": " ".join(key.scopes)}))
    return f"{KEY_PREFIX}_{prefix}_{own}"


def revoke_key(tx: Tx, key_id: int, *, actor: str) -> None:
    if not store.revoke_key(tx.conn, key_id, at=tx.now):
        raise Missing("There is no such key, or it was revoked before.")

    tx.note(Entry(actor, "key.revoke", f"key:{key_id}"))


def list_staff(tx: Tx) -> list[Staff]:
    return store.list_staff(tx.conn)


def get_staff(tx: Tx, staff_id: int) -> Staff:
    staff = store.find_staff(tx.conn, staff_id)
    if staff is None:
        raise Missing("There is no such person.")
    return staff


def list_keys(tx: Tx) -> list[ApiKey]:
    return store.list_keys(tx.conn)


def list_audit(
    tx: Tx, *, shops: Shops, before: tuple[datetime, int] | None = None, actor: str = "", subject: str = "",
    limit: int = 50,
) -> list[AuditLine]:  # fmt: skip
    """The audit, newest first; lines of other shops are left out."""
    ids = None if shops.ids is None else sorted(shops.ids)
    return store.list_audit(
        tx.conn, before=before, actor=actor, subject=subject, shops=ids, limit=min(limit, AUDIT_PAGE_MAX)
    )
