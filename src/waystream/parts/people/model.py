"""Who calls and what they may do: the table of roles, the scopes of API keys, the rules of sign-in.

Guaranteed: whoever may do a thing is decided by `Caller.may` and the table below, nowhere else. Which shops' rows a
caller sees is held by row-level security besides. Hashing and tokens are `credentials`, rows are `store`.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from waystream.core.errors import Forbidden, Invalid
from waystream.kernel.database import Shops


class Role(StrEnum):
    OWNER = "owner"  # 店主
    WAREHOUSE = "warehouse"  # 仓库
    CARE = "care"  # 客服
    FINANCE = "finance"  # 财务
    ANALYST = "analyst"  # 分析


class Permission(StrEnum):
    ORDERS_READ = "orders:read"
    ORDERS_WRITE = "orders:write"  # import, cancel, hold, release, confirm
    PARCELS_READ = "parcels:read"
    PARCELS_WRITE = "parcels:write"  # decide, dismiss, adopt
    SHIP_WRITE = "ship:write"  # ship, dispatch, reprint, cancel a number
    SETUP_READ = "setup:read"  # carriers, accounts, printers, warehouses, SKUs
    SETUP_WRITE = "setup:write"  # what all shops use: carriers, accounts, printers, warehouses, a new shop
    SHOP_WRITE = "shop:write"  # what is a shop's own: SKUs, when its orders are complete
    TICKETS_READ = "tickets:read"  # what somebody has to look after
    TICKETS_WRITE = "tickets:write"  # take, note, close: an agent's work
    TICKETS_LEAD = "tickets:lead"  # take from others, hand out what they have
    NOTICES_READ = "notices:read"  # what buyers were told
    NOTICES_SAY = "notices:say"  # tell a buyer something, or again; take back; who wants nothing
    NOTICES_WRITE = "notices:write"  # how a shop speaks: its words, hours, limits
    WEBHOOKS_READ = "webhooks:read"
    WEBHOOKS_WRITE = "webhooks:write"  # who outside is told what happens in a shop
    PEOPLE_WRITE = "people:write"  # staff and API keys
    AUDIT_READ = "audit:read"
    MACHINE_READ = "machine:read"  # rules, jobs, how the machine does: of every shop
    MACHINE_WRITE = "machine:write"  # retry, give up, resume, replay
    PERSON_MASKED = "person:masked"  # sees 罗** 158****6021, finds by phone and name
    PERSON_UNMASK = "person:unmask"  # asks for the whole, with a reason
    PERSON_ERASE = "person:erase"  # makes a receiver unreadable for good, with a reason


P = Permission

#: The one table of who may what. A tick is a permission.
ROLES: dict[Role, frozenset[Permission]] = {
    Role.OWNER: frozenset(P),
    Role.WAREHOUSE: frozenset(
        {
            P.ORDERS_READ,
            P.PARCELS_READ,
            P.PARCELS_WRITE,
            P.SHIP_WRITE,
            P.SETUP_READ,
            P.TICKETS_READ,
            P.PERSON_MASKED,
            P.PERSON_UNMASK,
        }
    ),
    Role.CARE: frozenset(
        {
            P.ORDERS_READ,
            P.ORDERS_WRITE,
            P.PARCELS_READ,
            P.PARCELS_WRITE,
            P.TICKETS_READ,
            P.TICKETS_WRITE,
            P.NOTICES_READ,
            P.NOTICES_SAY,
            P.PERSON_MASKED,
            P.PERSON_UNMASK,
        }
    ),
    Role.FINANCE: frozenset({P.ORDERS_READ, P.PARCELS_READ, P.TICKETS_READ, P.PERSON_MASKED}),
    Role.ANALYST: frozenset({P.ORDERS_READ, P.PARCELS_READ}),
}

#: What an API key can be given: a program never reads a receiver in the clear.
KEY_SCOPES = frozenset(P) - {P.PERSON_UNMASK}

LOGIN_MAX, PASSWORD_MIN, PASSWORD_MAX = 64, 10, 200
FREE_TRIES = 5
FIRST_LOCK_S, LONGEST_LOCK_S = 30, 3_600
SESSION_S = 14 * 24 * 3600

_LOGIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@+-]{0,63}")


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks: `actor` is `staff:ID` or `key:ID` as the audit writes it; `warehouses` None means every one.

    `role` is None for an API key.
    """

    actor: str
    role: Role | None
    scopes: frozenset[Permission]
    shops: Shops
    warehouses: frozenset[int] | None = None
    language: str = "zh"
    name: str = ""
    must_change: bool = False  # a person who has to choose a password before anything else

    def may(self, permission: str) -> bool:
        return not self.must_change and permission in self.scopes

    def require(self, permission: str) -> None:
        """Raises `Forbidden`, naming what is lacking."""
        if not self.may(permission):
            raise Forbidden(f"You may not do this: it needs {permission}.")

    def may_warehouse(self, warehouse_id: int) -> bool:
        return self.warehouses is None or warehouse_id in self.warehouses

    def sees(self, other: "Caller") -> bool:
        """Whether every shop and warehouse of the other is one of this caller's."""
        return _within(other.shops.ids, self.shops.ids) and _within(other.warehouses, self.warehouses)

    def covers(self, other: "Caller") -> bool:
        """Whether the other may nothing and sees nothing that this caller does not."""
        return self.sees(other) and all(self.may(scope) for scope in other.scopes)

    def narrowed(self, to: "Caller") -> "Caller":
        """This caller with no more than the other has too."""
        return replace(
            self,
            scopes=self.scopes & to.scopes,
            shops=Shops(_both(self.shops.ids, to.shops.ids)),
            warehouses=_both(self.warehouses, to.warehouses),
        )


#: A set of ids; None is every one.
Ids = frozenset[int] | None


def _within(inner: Ids, outer: Ids) -> bool:
    return outer is None or (inner is not None and inner <= outer)


def _both(one: Ids, other: Ids) -> Ids:
    if one is None or other is None:
        return other if one is None else one
    return one & other


def held_scopes(scopes: frozenset[Permission], shops: Shops, warehouses: Ids) -> frozenset[Permission]:
    """Carriers, printers and warehouses serve every shop: who is limited to some does not change them.

    Rules and jobs are about every shop's orders and parcels: who is limited does not see them either. A webhook tells
    of every warehouse of its shop, and so do the words of its messages: who is limited to some warehouses has no part
    in it.
    """
    if warehouses is not None:
        scopes = scopes - {P.WEBHOOKS_READ, P.WEBHOOKS_WRITE, P.NOTICES_WRITE}
    everywhere = shops.ids is None and warehouses is None
    return scopes if everywhere else scopes - {P.SETUP_WRITE, P.MACHINE_READ, P.MACHINE_WRITE}


@dataclass(frozen=True, slots=True)
class Staff:
    """A person who signs in. `shops` and `warehouses` empty: every one (shops: only with `every_shop`)."""

    id: int
    login: str
    name: str
    role: Role
    every_shop: bool
    shops: tuple[int, ...]
    warehouses: tuple[int, ...]
    language: str
    must_change: bool
    disabled_at: datetime | None
    created_at: datetime

    def caller(self) -> Caller:
        shops, warehouses = (
            Shops.every() if self.every_shop else Shops.of(self.shops),
            frozenset(self.warehouses) or None,
        )
        return Caller(
            actor=f"staff:{self.id}",
            role=self.role,
            scopes=held_scopes(ROLES[self.role], shops, warehouses),
            shops=shops,
            warehouses=warehouses,
            language=self.language,
            name=self.name,
            must_change=self.must_change,
        )


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key a program calls with; its secret is shown once, when it is made."""

    id: int
    name: str
    prefix: str
    scopes: tuple[str, ...]
    every_shop: bool
    shops: tuple[int, ...]
    created_by: int | None
    created_at: datetime
    used_at: datetime | None
    revoked_at: datetime | None

    def caller(self) -> Caller:
        shops = Shops.every() if self.every_shop else Shops.of(self.shops)
        return Caller(
            actor=f"key:{self.id}",
            role=None,
            scopes=held_scopes(frozenset(P(scope) for scope in self.scopes), shops, None),
            shops=shops,
            language="en",
            name=self.name,
        )


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A session: `token` goes into the cookie and is stored nowhere."""

    token: str
    staff_id: int
    caller: Caller
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class NewKey:
    """`secret` is shown once."""

    key: ApiKey
    secret: str


@dataclass(frozen=True, slots=True)
class AuditLine:
    id: int
    at: datetime
    shop_id: int | None
    actor: str
    action: str
    subject: str
    reason: str
    detail: dict[str, str | int]


def lock_s(failed: int) -> int:
    """How long the account rests after its `failed`-th wrong password in a row: nothing, then 30 s doubling to 1 h."""
    if failed < FREE_TRIES:
        return 0
    return min(LONGEST_LOCK_S, FIRST_LOCK_S << min(failed - FREE_TRIES, 10))


def locked_until(failed: int, *, now: datetime) -> datetime | None:
    seconds = lock_s(failed)
    return now + timedelta(seconds=seconds) if seconds else None


def checked_login(login: str) -> str:
    if not _LOGIN.fullmatch(login):
        raise Invalid("login", f"letters, digits and . _ @ + -, at most {LOGIN_MAX}")
    return login


def checked_password(password: str, *, login: str) -> str:
    """Length is what counts; the login itself is no password."""
    if not PASSWORD_MIN <= len(password) <= PASSWORD_MAX:
        raise Invalid("password", f"between {PASSWORD_MIN} and {PASSWORD_MAX} characters")
    if password.casefold() == login.casefold() or len(set(password)) < 4:
        raise Invalid("password", "too easy to guess")
    return password


def checked_scopes(scopes: Iterable[str]) -> tuple[str, ...]:
    wanted = set(scopes)
    if not wanted or not wanted <= KEY_SCOPES:
        raise Invalid("scopes", f"choose from {', '.join(sorted(KEY_SCOPES))}")
    return tuple(sorted(wanted))


def checked_name(name: str) -> str:
    name = " ".join(name.split())
    if not 1 <= len(name) <= 64 or not name.isprintable():
        raise Invalid("name", "between 1 and 64 characters")
    return name
