"""What can be done about people. Managing takes the `Caller` who does it: nobody gives more than they have.

Guaranteed: a refused sign-in says nothing of why, costs the same whether the account exists, and is counted: so it
returns None instead of raising, for an error would roll the count back. Secrets are returned once and stored nowhere.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from waystream.core.errors import Conflict, Forbidden, Invalid, Missing
from waystream.kernel.audit import Entry
from waystream.kernel.database import Shops
from waystream.kernel.tx import Tx
from waystream.parts.people import credentials, store
from waystream.parts.people.model import (
    PASSWORD_MAX,
    ROLES,
    SESSION_S,
    ApiKey,
    AuditLine,
    Caller,
    NewKey,
    Permission,
    Role,
    SignedIn,
    Staff,
    checked_login,
    checked_name,
    checked_password,
    checked_scopes,
    held_scopes,
    locked_until,
)

PAGE_MAX = 200
SWEEP_MAX = 10_000
LANGUAGES = ("zh", "en")

#: The actor where no person acts: the first run, a lock-out.
SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class Limits:
    """What somebody is limited to. No shop at all without `every_shop`; no warehouse named means every one."""

    every_shop: bool = False
    shops: tuple[int, ...] = ()
    warehouses: tuple[int, ...] = ()

    def caller(self, scopes: Iterable[str]) -> Caller:
        """Whoever gets these scopes within these limits."""
        shops, warehouses = (
            Shops.every() if self.every_shop else Shops.of(self.shops),
            frozenset(self.warehouses) or None,
        )
        held = held_scopes(frozenset(map(Permission, scopes)), shops, warehouses)
        return Caller(actor="", role=None, scopes=held, shops=shops, warehouses=warehouses)


@dataclass(frozen=True, slots=True)
class NewStaff:
    """`password` is shown once and has to be changed at the first sign-in."""

    staff: Staff
    password: str = field(repr=False)

    @property
    def login(self) -> str:
        return self.staff.login


def ensure_owner(tx: Tx, *, login: str = "owner", name: str = "Owner", language: str = "zh") -> NewStaff | None:
    """Make the owner of a new installation, with a random password; None when there is anybody already."""
    if store.any_staff(tx.conn):
        return None
    return _create(
        tx, login=login, name=name, role=Role.OWNER, limits=Limits(every_shop=True), language=language, actor=SYSTEM
    )


def create_staff(
    tx: Tx, *, login: str, name: str, role: str, limits: Limits, by: Caller, language: str = "zh"
) -> NewStaff:
    """Raises `Invalid` (login, name, role), `Conflict` when the login is taken, `Forbidden` beyond the maker's own."""
    given = _role(role)
    _require_own(by, limits.caller(ROLES[given]))
    _require_there(tx, limits)
    return _create(tx, login=login, name=name, role=given, limits=limits, language=language, actor=by.actor)


def _create(tx: Tx, *, login: str, name: str, role: Role, limits: Limits, language: str, actor: str) -> NewStaff:
    password = credentials.new_password()
    staff_id = store.insert_staff(
        tx.conn,
        login=checked_login(login.strip()),
        name=checked_name(name),
        role=role,
        every_shop=limits.every_shop,
        password_hash=credentials.hash_password(password),
        language=_language(language),
        must_change=True,
        at=tx.now,
    )
    if staff_id is None:
        raise Conflict("Somebody has this login already.")
    store.set_limits(tx.conn, staff_id, shops=limits.shops, warehouses=limits.warehouses)
    tx.note(Entry(actor, "create", f"staff:{staff_id}", detail={"role": role}))
    return NewStaff(get_staff(tx, staff_id), password)


def change_staff(
    tx: Tx, staff_id: int, *, name: str, role: str, limits: Limits, by: Caller, language: str = "zh"
) -> Staff:
    """Change name, role and limits; they hold from the next request. The last owner stays one."""
    before, given = get_staff(tx, staff_id), _role(role)
    _require_own(by, limits.caller(ROLES[given]))
    _require_there(tx, limits)
    _require_touch(by, before)
    if given is not Role.OWNER or not limits.every_shop:
        _keep_an_owner(tx, before)

    store.update_staff(
        tx.conn,
        staff_id,
        name=checked_name(name),
        role=given,
        every_shop=limits.every_shop,
        language=_language(language),
    )
    store.set_limits(tx.conn, staff_id, shops=limits.shops, warehouses=limits.warehouses)
    tx.note(Entry(by.actor, "change", f"staff:{staff_id}", detail={"role": given}))
    return get_staff(tx, staff_id)


def set_language(tx: Tx, staff_id: int, language: str) -> None:
    """What a person does for themselves."""
    store.set_language(tx.conn, staff_id, _language(language))


def list_staff(tx: Tx) -> list[Staff]:
    return store.list_staff(tx.conn)


def get_staff(tx: Tx, staff_id: int) -> Staff:
    staff = store.find_staff(tx.conn, staff_id)
    if staff is None:
        raise Missing("There is no such person.")
    return staff


def disable_staff(tx: Tx, staff_id: int, *, by: Caller) -> None:
    """Nobody signs in as them any more, their sessions end, their keys rest; what they did stays theirs."""
    staff = get_staff(tx, staff_id)
    _require_touch(by, staff)
    _keep_an_owner(tx, staff)
    store.disable(tx.conn, staff_id, at=tx.now)
    store.drop_sessions(tx.conn, staff_id)
    tx.note(Entry(by.actor, "disable", f"staff:{staff_id}"))


def enable_staff(tx: Tx, staff_id: int, *, by: Caller) -> None:
    _require_touch(by, get_staff(tx, staff_id))
    store.disable(tx.conn, staff_id, at=None)
    tx.note(Entry(by.actor, "enable", f"staff:{staff_id}"))


def reset_password(tx: Tx, staff_id: int, *, by: Caller) -> NewStaff:
    """A random password in place of a forgotten one; every session of theirs ends."""
    _require_touch(by, get_staff(tx, staff_id))
    password = credentials.new_password()
    store.set_password(tx.conn, staff_id, credentials.hash_password(password), must_change=True)
    store.drop_sessions(tx.conn, staff_id)
    tx.note(Entry(by.actor, "reset_password", f"staff:{staff_id}"))
    return NewStaff(get_staff(tx, staff_id), password)


def change_password(tx: Tx, staff_id: int, *, old: str, new: str, token: str) -> bool:
    """Replace one's own password, ending every other session (`token` is this one's); False when `old` is wrong.

    Raises `Invalid` for a new one that is too short or easy. A wrong `old` counts like a wrong sign-in.
    """
    staff = get_staff(tx, staff_id)
    guard = store.lock_guard(tx.conn, staff.login)
    assert guard is not None
    if not _passes(tx, guard, old):
        return False
    checked_password(new, login=staff.login)
    if new == old:
        raise Invalid("password", "choose another one than before")

    store.set_password(tx.conn, staff_id, credentials.hash_password(new), must_change=False)
    store.drop_sessions(tx.conn, staff_id, but=credentials.hash_token(token))
    tx.note(Entry(f"staff:{staff_id}", "change_password", f"staff:{staff_id}"))
    return True


def sign_in(tx: Tx, *, login: str, password: str, replacing: str = "") -> SignedIn | None:
    """A new session, or None: wrong, unknown, disabled and locked are not told apart, not by time either.

    From the fifth wrong password in a row the account rests 30 s, then twice as long each time, up to an hour; even the
    right one is refused meanwhile. `replacing` is the token the browser sent, which ends. Commit what this returns.
    """
    guard = store.lock_guard(tx.conn, login.strip())
    if not _passes(tx, guard, password):
        return None
    assert guard is not None
    stale = credentials.needs_rehash(guard.password_hash)
    store.note_success(tx.conn, guard.staff_id, rehashed=credentials.hash_password(password) if stale else None)
    if replacing:
        store.drop_session(tx.conn, credentials.hash_token(replacing))

    token = credentials.new_token()
    expires_at = store.insert_session(
        tx.conn, token_hash=credentials.hash_token(token), staff_id=guard.staff_id, lives_s=SESSION_S
    )
    tx.note(Entry(f"staff:{guard.staff_id}", "sign_in", f"staff:{guard.staff_id}"))
    return SignedIn(token, guard.staff_id, get_staff(tx, guard.staff_id).caller(), expires_at)


def _passes(tx: Tx, guard: store.Guard | None, password: str) -> bool:
    """Check the password whatever the account is like, and count a wrong one."""
    right = credentials.check_password(password[: PASSWORD_MAX + 1], guard.password_hash if guard else None)
    if guard is None or guard.disabled or guard.locked:
        return False
    if not right:
        failed = guard.failed + 1
        until = locked_until(failed, now=guard.at)
        store.note_failure(tx.conn, guard.staff_id, failed=failed, locked_until=until)
        if until is not None:
            tx.note(Entry(SYSTEM, "lock_out", f"staff:{guard.staff_id}", detail={"failed": failed}))
    return right


def find_signed_in(tx: Tx, token: str) -> SignedIn | None:
    """Whose session this token is, while it lives. Marks its use once a minute: not in a read-only transaction."""
    token_hash = credentials.hash_token(token)
    found = store.find_session(tx.conn, token_hash)
    if found is None:
        return None
    staff_id, expires_at, mark = found
    if mark:
        store.mark_session(tx.conn, token_hash)
    return SignedIn(token, staff_id, get_staff(tx, staff_id).caller(), expires_at)


def sign_out(tx: Tx, token: str) -> None:
    """End the session; one that is not there is no error."""
    staff_id = store.drop_session(tx.conn, credentials.hash_token(token))
    if staff_id is not None:
        tx.note(Entry(f"staff:{staff_id}", "sign_out", f"staff:{staff_id}"))


def drop_expired_sessions(tx: Tx) -> int:
    return store.drop_expired(tx.conn, limit=SWEEP_MAX)


def create_key(tx: Tx, *, name: str, scopes: Iterable[str], limits: Limits, by: Caller) -> NewKey:
    """A key for a program, `ws_PREFIX_SECRET`. Raises `Forbidden` for a scope or shop its maker does not have.

    It never may more than its maker may at the time it calls, and rests while they are switched off.
    """
    wanted = checked_scopes(scopes)
    given = limits.caller(wanted)
    _require_own(by, given)
    _require_there(tx, limits)
    if not limits.every_shop and not limits.shops:
        raise Invalid("shops", "name at least one shop, or every shop")
    if given.scopes != frozenset(wanted):
        raise Forbidden(f"A key for some shops cannot have {Permission.SETUP_WRITE}: it would reach every shop.")

    prefix, secret = credentials.new_key()
    key_id = store.insert_key(
        tx.conn,
        name=checked_name(name),
        prefix=prefix,
        secret_hash=credentials.hash_token(secret),
        scopes=wanted,
        every_shop=limits.every_shop,
        shops=limits.shops,
        created_by=_maker(tx, by),
        at=tx.now,
    )
    tx.note(Entry(by.actor, "create", f"key:{key_id}", detail={"scopes": " ".join(wanted)}))
    key = store.find_key(tx.conn, key_id)
    assert key is not None
    return NewKey(key, secret)


def _maker(tx: Tx, by: Caller) -> int | None:
    """The person a new key stands for: who makes it, or who made the key that makes it."""
    kind, _, row_id = by.actor.partition(":")
    if kind == "key":
        key = store.find_key(tx.conn, int(row_id))
        return key.created_by if key else None
    return int(row_id) if kind == "staff" else None


def find_key_caller(tx: Tx, secret: str) -> Caller | None:
    """Who calls with this key; None for anything that is no living key. Marks its use once a minute."""
    prefix = credentials.key_prefix(secret)
    found = store.find_secret(tx.conn, prefix) if prefix else None
    stored = found[1] if found else bytes(32)
    if not credentials.same(credentials.hash_token(secret), stored) or found is None:
        return None
    key_id, _, mark = found
    if mark:
        store.mark_key(tx.conn, key_id)
    key = store.find_key(tx.conn, key_id)
    assert key is not None
    if key.created_by is None:
        return key.caller()
    maker = get_staff(tx, key.created_by)
    return key.caller().narrowed(maker.caller()) if maker.disabled_at is None else None


def list_keys(tx: Tx) -> list[ApiKey]:
    return store.list_keys(tx.conn)


def revoke_key(tx: Tx, key_id: int, *, by: Caller) -> None:
    """Raises `Missing` for a key that is not there or was revoked before, `Forbidden` for one that may more."""
    key = store.find_key(tx.conn, key_id)
    if key is not None and not by.covers(key.caller()):
        raise Forbidden("You may not revoke a key that may more than you.")
    if not store.revoke_key(tx.conn, key_id, at=tx.now):
        raise Missing("There is no such key, or it was revoked before.")
    tx.note(Entry(by.actor, "revoke", f"key:{key_id}"))


def list_audit(
    tx: Tx,
    *,
    subject: str = "",
    actor: str = "",
    action: str = "",
    before: tuple[datetime, int] | None = None,
    limit: int = 50,
) -> list[AuditLine]:
    """Newest first; `before` is (at, id) of the last one seen. Lines of shops not seen here are left out."""
    return store.list_audit(
        tx.conn, subject=subject, actor=actor, action=action, before=before, limit=min(limit, PAGE_MAX)
    )


def _require_own(by: Caller, given: Caller) -> None:
    if not by.covers(given):
        raise Forbidden("You may not give more than you have yourself.")


def _require_there(tx: Tx, limits: Limits) -> None:
    for path in store.missing_limits(tx.conn, shops=limits.shops, warehouses=limits.warehouses):
        raise Missing("There is no such shop or warehouse.", path=path)


def _require_touch(by: Caller, staff: Staff) -> None:
    """Whoever changes a person, or their password, could act as them."""
    if not by.covers(staff.caller()):
        raise Forbidden("You may not change a person who may more than you.")


def _keep_an_owner(tx: Tx, staff: Staff) -> None:
    is_owner = staff.role is Role.OWNER and staff.every_shop and staff.disabled_at is None
    if is_owner and not store.other_owners(tx.conn, staff.id):
        raise Conflict("This is the last owner: make another one first.")


def _role(role: str) -> Role:
    if role not in ROLES:
        raise Invalid("role", f"choose from {', '.join(ROLES)}")
    return Role(role)


def _language(language: str) -> str:
    if language not in LANGUAGES:
        raise Invalid("language", f"choose from {', '.join(LANGUAGES)}")
    return language
