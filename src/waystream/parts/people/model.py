"""Roles, permissions and the caller: pure. The table below is the whole truth about who may do what."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from waystream.core.errors import Invalid
from waystream.kernel.database import Shops

#: permission -> the roles that have it (the owner has every one)
PERMISSIONS: dict[str, frozenset[str]] = {
    "overview:read": frozenset({"warehouse", "care", "finance", "analyst"}),
    "orders:read": frozenset({"warehouse", "care", "finance", "analyst"}),
    "orders:write": frozenset({"care"}),
    "orders:hold": frozenset({"warehouse", "care"}),
    "ship:write": frozenset({"warehouse"}),
    "parcels:read": frozenset({"warehouse", "care", "finance", "analyst"}),
    "parcels:write": frozenset({"warehouse", "care"}),
    "labels:read": frozenset({"warehouse"}),
    "raw:read": frozenset({"care"}),
    "person:read": frozenset({"warehouse", "care", "finance"}),
    "person:unmask": frozenset({"care"}),
    "catalogue:read": frozenset({"warehouse", "care", "finance", "analyst"}),
    "catalogue:write": frozenset({"warehouse"}),
    "printers:write": frozenset({"warehouse"}),
    "strangers:read": frozenset({"warehouse", "care"}),
    "strangers:write": frozenset({"care"}),
    "setup:read": frozenset(),
    "setup:write": frozenset(),
    "people:read": frozenset(),
    "people:write": frozenset(),
    "audit:read": frozenset({"finance"}),
}
ROLES = ("owner", "warehouse", "care", "finance", "analyst")
#: what an API key can be given; people and keys are kept by people only
SCOPES = tuple(name for name in PERMISSIONS if not name.startswith("people:") and name != "person:unmask")

PASSWORD_MIN, PASSWORD_MAX = 10, 200
LOCK_AFTER = 5
LOCK_FIRST = timedelta(seconds=30)
LOCK_MOST = timedelta(minutes=30)
SESSION_LIFE = timedelta(days=14)
SESSION_IDLE = timedelta(days=3)


@dataclass(frozen=True, slots=True)
class Caller:
    """Who is asking. `actor` is how the audit names them; `shops` and `warehouses` bound what they see."""

    actor: str
    name: str
    role: str
    shops: Shops
    scopes: frozenset[str] = frozenset()
    warehouses: frozenset[int] = frozenset()  # empty: every one
    language: str = "zh"
    staff_id: int | None = None
    must_change: bool = False

    def may(self, permission: str) -> bool:
        """An unknown permission is refused to everybody: a misspelt one must not open a door."""
        if permission not in PERMISSIONS:
            return False
        if self.role == "key":
            return permission in self.scopes
        return self.role == "owner" or self.role in PERMISSIONS[permission]


@dataclass(frozen=True, slots=True)
class Staff:
    """A person who works here, as the people page shows them."""

    id: int
    login: str
    name: str
    role: str
    every_shop: bool
    shop_ids: tuple[int, ...]
    warehouse_ids: tuple[int, ...]
    language: str
    disabled: bool
    locked_until: datetime | None
    seen_at: datetime | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class StaffIn:
    """What a person is made of or changed to; no shops and not every shop means they see none."""

    login: str
    name: str
    role: str
    every_shop: bool = False
    shop_ids: tuple[int, ...] = ()
    warehouse_ids: tuple[int, ...] = ()
    language: str = "zh"


@dataclass(frozen=True, slots=True)
class FirstLogin:
    """Told once: the login and its one-time password."""

    login: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key as the page shows it; its secret was told once when it was made."""

    id: int
    name: str
    prefix: str
    scopes: tuple[str, ...]
    every_shop: bool
    shop_ids: tuple[int, ...]
    created_at: datetime
    used_at: datetime | None
    revoked: bool


@dataclass(frozen=True, slots=True)
class ApiKeyIn:
    name: str
    scopes: tuple[str, ...]
    every_shop: bool = False
    shop_ids: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class AuditLine:
    """Who did what, to what, why."""

    id: int
    at: datetime
    actor: str
    actor_name: str
    action: str
    subject: str
    reason: str


def checked_staff(staff: StaffIn) -> StaffIn:
    """The same, or `Invalid` with the field that is wrong."""
    if not 2 <= len(staff.login) <= 60 or not staff.login.isprintable() or " " in staff.login:
        raise Invalid("login", "A login has 2 to 60 characters and no blanks.")
    if not 1 <= len(staff.name.strip()) <= 60:
        raise Invalid("name", "A name has 1 to 60 characters.")
    if staff.role not in ROLES:
        raise Invalid("role", f"The role must be one of {', '.join(ROLES)}.")
    if staff.language not in ("zh", "en"):
        raise Invalid("language", "The language must be zh or en.")
    return staff


def checked_password(password: str, *, login: str) -> str:
    """A password long enough to be worth hashing."""
    if not PASSWORD_MIN <= len(password) <= PASSWORD_MAX:
        raise Invalid("password", f"A password has {PASSWORD_MIN} to {PASSWORD_MAX} characters.")
    if password.lower() == login.lower():
        raise Invalid("password", "The password must not be the login.")
    return password


def checked_key(key: ApiKeyIn) -> ApiKeyIn:
    if not 1 <= len(key.name.strip()) <= 60:
        raise Invalid("name", "A key needs a name of at most 60 characters.")
    unknown = sorted(set(key.scopes) - set(SCOPES))
    if unknown or not key.scopes:
        raise Invalid("scopes", f"Unknown scope {unknown[0]}." if unknown else "A key needs at least one scope.")
    return key


def locked_for(failures: int) -> timedelta:
    """How long sign-in rests after so many failures in a row: nothing at first, then twice as long each time."""
    if failures < LOCK_AFTER:
        return timedelta(0)
    doublings: int = min(failures - LOCK_AFTER, 16)
    return min(LOCK_FIRST * (1 << doublings), LOCK_MOST)
