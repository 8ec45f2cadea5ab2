"""Importing carrier accounts from a file: all of them, or none and every bad row by line, column and reason.

Guaranteed: an account is known by its name and stands in one row only; of a known one, an empty cell keeps what is
stored; repeating an import changes nothing. Secrets go in and are in no message.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from waystream.core.errors import Invalid, Missing
from waystream.core.ports import CarrierAccount
from waystream.kernel.audit import Entry
from waystream.kernel.sheet_file import ImportedRows, Progress, Sheet, read_sheet
from waystream.kernel.tx import Tx
from waystream.parts.hub import actions, store
from waystream.parts.hub.columns import ACCOUNT_COLUMNS
from waystream.parts.hub.model import AccountIn, AccountRow, checked_account

ACCOUNTS_MAX = 1_000


@dataclass(frozen=True, slots=True)
class _Known:
    """What rows may name."""

    aggregators: Mapping[str, int]
    warehouses: Mapping[str, int]
    accounts: Mapping[str, AccountRow]


def import_accounts(
    tx: Tx, path: Path, *, actor: str, mapping: str = "", chosen: Mapping[str, str] | None = None,
    progress: Progress = lambda done, of: None,
) -> ImportedRows:  # fmt: skip
    """Add carrier accounts or change those of the same name. Raises `InvalidMany`: "line 3, 快递公司"."""
    known = _Known(
        {row.code: row.id for row in actions.list_aggregators(tx)},
        store.list_warehouse_codes(tx.conn),
        {row.name: row for row in actions.list_accounts(tx)},
    )
    by_header = _mapping(tx, mapping) if chosen is None else chosen
    sheet = Sheet(ACCOUNT_COLUMNS, lambda row: _account(tx, row, known), key="name")
    told, ignored = read_sheet(path, sheet, chosen=by_header, progress=progress)
    if len(told) > ACCOUNTS_MAX:
        raise Invalid("file", f"at most {ACCOUNTS_MAX} carrier accounts at once")

    changed = sum(_save(tx, each, known, actor=actor) for each in told)
    tx.note(Entry(actor, "import", "accounts", detail={"rows": len(told)}))
    return ImportedRows(len(told), changed, ignored)


def _account(tx: Tx, row: dict[str, Any], known: _Known) -> AccountIn:
    """The account a row tells of, over what is stored of it."""
    name = row.get("name", "").strip()
    stored = known.accounts.get(name)
    now = _stored(tx, stored) if stored else AccountIn(_aggregator(row, known), name, CarrierAccount(carrier=""))
    parameters = row.get("parameters", {})
    if "carrier" in parameters:
        parameters |= {"carrier": parameters["carrier"].upper()}
    told = replace(
        now,
        parameters=replace(now.parameters, **parameters),
        warehouse_id=_warehouse(row, known) or now.warehouse_id,
        priority=row.get("priority", now.priority),
        low_mark=row.get("low_mark", now.low_mark),
    )
    if stored:
        _refuse_moved(row, told, stored, known)
    return checked_account(told)


def _stored(tx: Tx, row: AccountRow) -> AccountIn:
    parameters = actions.open_account(tx, row.id).parameters
    return AccountIn(row.aggregator_id, row.name, parameters, row.warehouse_id, row.priority, row.low_mark)


def _aggregator(row: Mapping[str, Any], known: _Known) -> int:
    code = row.get("aggregator", "")
    if not code and len(known.aggregators) == 1:
        return next(iter(known.aggregators.values()))
    if code not in known.aggregators:
        raise Invalid("aggregator", f"name one of the accounts at aggregators: {', '.join(sorted(known.aggregators))}")
    return known.aggregators[code]


def _warehouse(row: Mapping[str, Any], known: _Known) -> int | None:
    code = row.get("warehouse", "")
    if code and code not in known.warehouses:
        raise Invalid("warehouse", "there is no such warehouse")
    return known.warehouses.get(code)


def _refuse_moved(row: Mapping[str, Any], told: AccountIn, stored: AccountRow, known: _Known) -> None:
    """Numbers were taken from it: the account stays what it is."""
    if told.parameters.carrier != stored.carrier:
        raise Invalid("parameters.carrier", f"the account of this name is {stored.carrier}'s: give another name")
    if row.get("aggregator") and _aggregator(row, known) != stored.aggregator_id:
        raise Invalid("aggregator", f"the account of this name is used through {stored.aggregator}: give another name")


def _save(tx: Tx, told: AccountIn, known: _Known, *, actor: str) -> bool:
    """Whether anything is new or different."""
    stored = known.accounts.get(told.name)
    if stored is None:
        actions.add_account(tx, told, actor=actor)
        return True
    if told == _stored(tx, stored):
        return False
    actions.change_account(tx, stored.id, told, actor=actor)
    return True


def _mapping(tx: Tx, name: str) -> dict[str, str]:
    found = store.find_mapping(tx.conn, name) if name else {}
    if found is None:
        raise Missing("There is no mapping of this name.")
    return found
