"""People who sign in, over the API. Nobody gives more than they have; a one-time password is told once."""

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Path
from msgspec import Meta
from starlette.responses import Response

from waystream.core.errors import Missing
from waystream.kernel.tx import Tx
from waystream.parts.people import actions, model
from waystream.parts.people.actions import Limits
from waystream.parts.people.model import Permission, Role
from waystream.web.auth import SIGNED_IN
from waystream.web.interface import Call, may, told
from waystream.web.wire import MAX_ID, Asked, Id, Told, see

WRITE = "people:write"

router = APIRouter(tags=["people"])

StaffId = Annotated[int, Path(ge=1, le=MAX_ID)]
Ids = Annotated[tuple[Id, ...], Meta(max_length=500)]


class StaffIn(Asked, frozen=True):
    """`shops` counts without `every_shop`; no warehouse named means every one."""

    name: Annotated[str, Meta(min_length=1, max_length=64)]
    role: Role
    every_shop: bool = False
    shops: Ids = ()
    warehouses: Ids = ()
    language: Literal["zh", "en"] = "zh"

    @property
    def limits(self) -> Limits:
        return Limits(self.every_shop, tuple(map(int, self.shops)), tuple(map(int, self.warehouses)))


class NewStaffIn(StaffIn, frozen=True, kw_only=True):
    login: Annotated[str, Meta(min_length=1, max_length=64)]


class Staff(Told, frozen=True):
    id: Id
    login: str
    name: str
    role: Role
    every_shop: bool
    shops: tuple[Id, ...]
    warehouses: tuple[Id, ...]
    language: str
    must_change: bool
    disabled_at: datetime | None
    created_at: datetime


class People(Told, frozen=True):
    people: tuple[Staff, ...]


class OneTimePassword(Told, frozen=True):
    """`password` is told once and has to be changed at the first sign-in."""

    staff: Staff
    password: str

    def __repr__(self) -> str:
        return f"OneTimePassword({self.staff.id})"


class Me(Told, frozen=True):
    """Who calls, and what they may do. `shops` and `warehouses` null: every one."""

    actor: str
    name: str
    role: Role | None
    permissions: tuple[Permission, ...]
    shops: tuple[Id, ...] | None
    warehouses: tuple[Id, ...] | None


@router.get("/me", summary="Read who calls and what they may do")
@told(gives=Me)
def get_me(call: Annotated[Call, may(SIGNED_IN)]) -> Response:
    caller = call.seat.caller

    def read(tx: Tx) -> Me:
        return Me(
            actor=caller.actor, name=caller.name, role=caller.role, permissions=tuple(sorted(caller.scopes)),
            shops=_ids(caller.shops.ids), warehouses=_ids(caller.warehouses),
        )  # fmt: skip

    return call.show(read)


def _ids(ids: frozenset[int] | None) -> tuple[Id, ...] | None:
    return None if ids is None else tuple(Id(row_id) for row_id in sorted(ids))


@router.get("/people", summary="List people who sign in")
@told(gives=People)
def list_people(call: Annotated[Call, may(WRITE)]) -> Response:
    """Those who see no more than the caller."""

    def read(tx: Tx) -> People:
        rows = [row for row in actions.list_staff(tx) if call.seat.caller.sees(row.caller())]
        return People(people=tuple(see(Staff, row) for row in rows))

    return call.show(read, setup=True)


@router.get("/people/{person}", summary="Read one person who signs in")
@told(gives=Staff, errors=(404, 422))
def get_person(call: Annotated[Call, may(WRITE)], person: StaffId) -> Response:
    return call.show(lambda tx: see(Staff, _get(tx, call, person)), setup=True)


@router.post("/people", summary="Add a person", status_code=201)
@told(
    takes=NewStaffIn,
    gives=OneTimePassword,
    errors=(409, 422),
    status=201,
    example={"login": "li.na", "name": "Li Na", "role": "warehouse", "shops": ["1"]},
)
def add_person(call: Annotated[Call, may(WRITE)]) -> Response:
    asked = call.read(NewStaffIn)

    def add(tx: Tx) -> OneTimePassword:
        _require_there(tx, asked.limits)
        new = actions.create_staff(
            tx, login=asked.login, name=asked.name, role=asked.role, limits=asked.limits, language=asked.language,
            by=call.seat.caller,
        )  # fmt: skip
        return OneTimePassword(staff=see(Staff, new.staff), password=new.password)

    return call.do(add, status=201, setup=True)


@router.put("/people/{person}", summary="Change a person's role and limits")
@told(takes=StaffIn, gives=Staff, errors=(404, 409, 422))
def change_person(call: Annotated[Call, may(WRITE)], person: StaffId) -> Response:
    """They hold from the next request; the last owner stays one."""
    asked = call.read(StaffIn)

    def change(tx: Tx) -> Staff:
        _get(tx, call, person)
        _require_there(tx, asked.limits)
        changed = actions.change_staff(
            tx, person, name=asked.name, role=asked.role, limits=asked.limits, language=asked.language,
            by=call.seat.caller,
        )  # fmt: skip
        return see(Staff, changed)

    return call.do(change, setup=True)


@router.post("/people/{person}/disable", summary="Shut a person out")
@told(gives=Staff, errors=(404, 409, 422))
def disable_person(call: Annotated[Call, may(WRITE)], person: StaffId) -> Response:
    """Their sessions end; what they did stays theirs."""

    def disable(tx: Tx) -> Staff:
        _get(tx, call, person)
        actions.disable_staff(tx, person, by=call.seat.caller)
        return see(Staff, actions.get_staff(tx, person))

    return call.do(disable, setup=True)


@router.post("/people/{person}/enable", summary="Let a person in again")
@told(gives=Staff, errors=(404, 422))
def enable_person(call: Annotated[Call, may(WRITE)], person: StaffId) -> Response:
    def enable(tx: Tx) -> Staff:
        _get(tx, call, person)
        actions.enable_staff(tx, person, by=call.seat.caller)
        return see(Staff, actions.get_staff(tx, person))

    return call.do(enable, setup=True)


@router.post("/people/{person}/reset-password", summary="Give a person a one-time password")
@told(gives=OneTimePassword, errors=(404, 422))
def reset_password(call: Annotated[Call, may(WRITE)], person: StaffId) -> Response:
    """In place of a forgotten one; every session of theirs ends."""

    def reset(tx: Tx) -> OneTimePassword:
        _get(tx, call, person)
        new = actions.reset_password(tx, person, by=call.seat.caller)
        return OneTimePassword(staff=see(Staff, new.staff), password=new.password)

    return call.do(reset, setup=True)


def _get(tx: Tx, call: Call, staff_id: int) -> model.Staff:
    """Somebody who sees more than the caller is not told of."""
    staff = actions.get_staff(tx, staff_id)
    if not call.seat.caller.sees(staff.caller()):
        raise Missing("There is no such person.")
    return staff


def _require_there(tx: Tx, limits: Limits) -> None:
    """Raises `Missing` for a shop or warehouse that is not there."""
    for path, query, ids in (
        ("shops", "SELECT id FROM shop WHERE id = ANY (%s)", limits.shops),
        ("warehouses", "SELECT id FROM warehouse WHERE id = ANY (%s)", limits.warehouses),
    ):
        known = {row[0] for row in tx.conn.execute(query.encode(), [list(ids)])}
        for at, row_id in enumerate(ids):
            if row_id not in known:
                raise Missing("There is no such shop or warehouse.", path=f"{path}[{at}]")
