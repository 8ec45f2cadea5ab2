"""Accounts over the API: at aggregators, and at carriers through them. Secrets go in and never come out."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path
from msgspec import Meta
from starlette.responses import Response

from waystream.core.ports import CarrierAccount
from waystream.kernel.tx import Tx
from waystream.parts.catalogue import actions as catalogue
from waystream.parts.hub import actions
from waystream.parts.hub.model import AccountIn, AggregatorIn, AggregatorRow
from waystream.web.interface import Call, may, told
from waystream.web.wire import MAX_ID, Asked, Id, Told, see

READ, WRITE = "setup:read", "setup:write"

router = APIRouter(tags=["accounts"])

RowId = Annotated[int, Path(ge=1, le=MAX_ID)]
Word = Annotated[str, Meta(max_length=200)]


class NewAggregator(Asked, frozen=True):
    """`code` stands in the push address. `key` is the shared secret the aggregator's console shows."""

    code: Annotated[str, Meta(min_length=1, max_length=32)]
    integration: Annotated[str, Meta(min_length=1, max_length=32)]
    merchant_id: Word
    base_url: Annotated[str, Meta(max_length=500)]
    key: Annotated[str, Meta(min_length=1, max_length=500)]

    def __repr__(self) -> str:
        return f"NewAggregator({self.code})"


class ChangeAggregator(Asked, frozen=True):
    """An empty `key` keeps the stored one; code and integration stay, they are in the push address."""

    merchant_id: Word
    base_url: Annotated[str, Meta(max_length=500)]
    key: Annotated[str, Meta(max_length=500)] = ""

    def __repr__(self) -> str:
        return "ChangeAggregator(…)"


class AggregatorAccount(Told, frozen=True):
    """`push_url` is what to paste into the aggregator's console; `test_said` is empty when the test call worked."""

    id: Id
    code: str
    integration: str
    merchant_id: str
    base_url: str
    push_url: str
    tested_at: datetime | None
    test_said: str
    first_push_at: datetime | None
    last_push_at: datetime | None
    bad_signatures: int
    last_bad_at: datetime | None


class Aggregators(Told, frozen=True):
    aggregators: tuple[AggregatorAccount, ...]


class Parameters(Asked, frozen=True):
    """What the carrier wants to know of us; empty secrets keep what is stored."""

    customer_name: Word = ""
    customer_password: Word = ""
    month_code: Word = ""
    send_site: Word = ""
    send_staff: Word = ""
    warehouse_code: Word = ""
    pay_type: Annotated[int, Meta(ge=1, le=4)] = 3
    product_type: Word = "1"
    template_size: Word = ""

    def __repr__(self) -> str:
        return "Parameters(…)"

    def of(self, carrier: str) -> CarrierAccount:
        return CarrierAccount(
            carrier.upper(), self.customer_name, self.customer_password, self.month_code, self.send_site,
            self.send_staff, self.warehouse_code, self.pay_type, self.product_type, self.template_size,
        )  # fmt: skip


class AccountSettings(Asked, frozen=True):
    """`warehouse` null: any; a lower `priority` is used first; below `low_mark` numbers the page warns."""

    name: Annotated[str, Meta(min_length=1, max_length=60)]
    parameters: Parameters
    warehouse: Id | None = None
    priority: Annotated[int, Meta(ge=0, le=1000)] = 100
    low_mark: Annotated[int, Meta(ge=0, le=100_000_000)] = 500

    def told(self, tx: Tx, aggregator_id: int, carrier: str) -> AccountIn:
        """Raises `Missing` for an unknown warehouse."""
        warehouse = catalogue.get_warehouse(tx, int(self.warehouse)) if self.warehouse is not None else None
        parameters, warehouse_id = self.parameters.of(carrier), warehouse.id if warehouse else None
        return AccountIn(aggregator_id, self.name, parameters, warehouse_id, self.priority, self.low_mark)


class NewAccount(AccountSettings, frozen=True, kw_only=True):
    aggregator: Id
    carrier: Annotated[str, Meta(min_length=1, max_length=20, description="The aggregator's code, such as ZTO")]


class Account(Told, frozen=True):
    """`available` null: how many numbers are left is not known."""

    id: Id
    aggregator_id: Id
    aggregator: str
    carrier: str
    name: str
    warehouse_id: Id | None
    warehouse: str | None
    priority: int
    low_mark: int
    available: int | None
    balance_at: datetime | None
    disabled: bool
    low: bool


class Accounts(Told, frozen=True):
    accounts: tuple[Account, ...]


class Switch(Asked, frozen=True):
    on: bool


@router.get("/aggregators", summary="List accounts at aggregators")
@told(gives=Aggregators)
def list_aggregators(call: Annotated[Call, may(READ)]) -> Response:
    def read(tx: Tx) -> Aggregators:
        return Aggregators(aggregators=tuple(_see(call, row) for row in actions.list_aggregators(tx)))

    return call.show(read, setup=True)


@router.post("/aggregators", summary="Add an account at an aggregator", status_code=201)
@told(
    takes=NewAggregator,
    gives=AggregatorAccount,
    errors=(409, 422),
    status=201,
    example={
        "code": "main",
        "integration": "kdniao",
        "merchant_id": "1237100",
        "base_url": "https://api.kdniao.com",
        "key": "…",
    },
)
def add_aggregator(call: Annotated[Call, may(WRITE)]) -> Response:
    asked = call.read(NewAggregator)
    wanted = AggregatorIn(asked.code, asked.integration, asked.merchant_id, asked.base_url, asked.key)
    known = call.context.networks.keys()

    def add(tx: Tx) -> AggregatorAccount:
        return _see(call, actions.add_aggregator(tx, wanted, integrations=known, actor=call.actor))

    return call.do(add, status=201, setup=True)


@router.get("/aggregators/{aggregator}", summary="Read one account at an aggregator")
@told(gives=AggregatorAccount, errors=(404, 422))
def get_aggregator(call: Annotated[Call, may(READ)], aggregator: RowId) -> Response:
    return call.show(lambda tx: _see(call, actions.get_aggregator(tx, aggregator)), setup=True)


@router.put("/aggregators/{aggregator}", summary="Change an account at an aggregator")
@told(takes=ChangeAggregator, gives=AggregatorAccount, errors=(404, 422))
def change_aggregator(call: Annotated[Call, may(WRITE)], aggregator: RowId) -> Response:
    asked = call.read(ChangeAggregator)
    wanted = AggregatorIn("", "", asked.merchant_id, asked.base_url, asked.key)
    known = call.context.networks.keys()

    def change(tx: Tx) -> AggregatorAccount:
        return _see(call, actions.change_aggregator(tx, aggregator, wanted, integrations=known, actor=call.actor))

    return call.do(change, setup=True)


@router.post("/aggregators/{aggregator}/test", summary="Try an account with a harmless call", status_code=202)
@told(gives=AggregatorAccount, errors=(404, 409, 422), status=202)
def test_aggregator(call: Annotated[Call, may(WRITE)], aggregator: RowId) -> Response:
    """Asks for the balance of its first carrier account; how it went stands in `tested_at` and `test_said`."""

    def test(tx: Tx) -> AggregatorAccount:
        actions.ask_test_call(tx, aggregator, actor=call.actor)
        return _see(call, actions.get_aggregator(tx, aggregator))

    return call.do(test, status=202, setup=True)


def _see(call: Call, row: AggregatorRow) -> AggregatorAccount:
    return AggregatorAccount(
        id=Id(row.id), code=row.code, integration=row.integration, merchant_id=row.merchant_id, base_url=row.base_url,
        push_url=call.context.push_address + row.push_path, tested_at=row.tested_at, test_said=row.test_said,
        first_push_at=row.first_push_at, last_push_at=row.last_push_at, bad_signatures=row.bad_signatures,
        last_bad_at=row.last_bad_at,
    )  # fmt: skip


@router.get("/accounts", summary="List carrier accounts by priority")
@told(gives=Accounts)
def list_accounts(call: Annotated[Call, may(READ)]) -> Response:
    def read(tx: Tx) -> Accounts:
        return Accounts(accounts=tuple(see(Account, row) for row in actions.list_accounts(tx)))

    return call.show(read, setup=True)


@router.post("/accounts", summary="Add a carrier account", status_code=201)
@told(
    takes=NewAccount,
    gives=Account,
    errors=(404, 409, 422),
    status=201,
    example={
        "aggregator": "1",
        "carrier": "ZTO",
        "name": "中通 余杭",
        "parameters": {"customer_name": "…", "customer_password": "…"},
    },
)
def add_account(call: Annotated[Call, may(WRITE)]) -> Response:
    asked = call.read(NewAccount)

    def add(tx: Tx) -> Account:
        wanted = asked.told(tx, int(asked.aggregator), asked.carrier)
        return see(Account, actions.add_account(tx, wanted, actor=call.actor))

    return call.do(add, status=201, setup=True)


@router.get("/accounts/{account}", summary="Read one carrier account")
@told(gives=Account, errors=(404, 422))
def get_account(call: Annotated[Call, may(READ)], account: RowId) -> Response:
    return call.show(lambda tx: see(Account, actions.get_account(tx, account)), setup=True)


@router.put("/accounts/{account}", summary="Change a carrier account")
@told(takes=AccountSettings, gives=Account, errors=(404, 409, 422))
def change_account(call: Annotated[Call, may(WRITE)], account: RowId) -> Response:
    """Carrier and aggregator stay; empty secrets keep what is stored."""
    asked = call.read(AccountSettings)

    def change(tx: Tx) -> Account:
        old = actions.get_account(tx, account)
        wanted = asked.told(tx, old.aggregator_id, old.carrier)
        return see(Account, actions.change_account(tx, account, wanted, actor=call.actor))

    return call.do(change, setup=True)


@router.post("/accounts/{account}/switch", summary="Switch a carrier account on or off")
@told(takes=Switch, gives=Account, errors=(404, 422))
def switch_account(call: Annotated[Call, may(WRITE)], account: RowId) -> Response:
    """Numbers under way are not affected; new ones go to the next account."""
    asked = call.read(Switch)

    def switch(tx: Tx) -> Account:
        actions.switch_account(tx, account, on=asked.on, actor=call.actor)
        return see(Account, actions.get_account(tx, account))

    return call.do(switch, setup=True)


@router.post("/accounts/{account}/count", summary="Ask how many numbers an account has left", status_code=202)
@told(gives=Account, errors=(404, 422), status=202)
def count_numbers(call: Annotated[Call, may(WRITE)], account: RowId) -> Response:
    """The answer stands in `available` and `balance_at` as soon as the network has told."""

    def count(tx: Tx) -> Account:
        actions.count_numbers(tx, account)
        return see(Account, actions.get_account(tx, account))

    return call.do(count, status=202, setup=True)
