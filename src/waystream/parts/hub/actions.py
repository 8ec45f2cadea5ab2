"""What can be done with accounts and subscriptions. Callers check `Caller.may("setup:write")` before they write.

A secret goes in and is never given out again, except to whoever is about to use it (`open_aggregator`, `open_account`).
"""

from collections.abc import Collection, Sequence

from waystream.core import account as sealing
from waystream.core import person
from waystream.core.errors import Conflict, Missing
from waystream.core.ports import Aggregator
from waystream.kernel.audit import Entry
from waystream.kernel.jobs import Job
from waystream.kernel.tx import Tx
from waystream.kernel.vault import open_sealed
from waystream.parts.hub import store
from waystream.parts.hub.model import (
    AccountIn,
    AccountRow,
    AggregatorIn,
    AggregatorRow,
    OpenAccount,
    OpenAggregator,
    Watched,
    Waybill,
    checked_account,
    checked_aggregator,
)

SUBSCRIBE, COUNT_NUMBERS, TEST_CALL = "subscribe", "count_numbers", "test_aggregator"
GAVE_UP = "asking was given up"


def add_aggregator(tx: Tx, told: AggregatorIn, *, integrations: Collection[str], actor: str) -> AggregatorRow:
    """A new account at an aggregator. Raises `Invalid` per field, `Conflict` when the code is taken."""
    checked_aggregator(told, integrations=integrations, new=True)

    sealed = tx.keys.vault.seal_secret(told.key, aad=sealing.aggregator_aad(told.code))
    aggregator_id = store.insert_aggregator(tx.conn, told, sealed=sealed, at=tx.now)
    if aggregator_id is None:
        raise Conflict(f"There is an account named {told.code} already.", path="code")

    tx.note(Entry(actor, "aggregator.add", f"aggregator:{aggregator_id}"))
    return get_aggregator(tx, aggregator_id)


def change_aggregator(
    tx: Tx, aggregator_id: int, told: AggregatorIn, *, integrations: Collection[str], actor: str
) -> AggregatorRow:
    """Code and integration stay: they are in the push URL. An empty key keeps the old one."""
    old = get_aggregator(tx, aggregator_id)
    told = AggregatorIn(old.code, old.integration, told.merchant_id, told.base_url, told.key)
    checked_aggregator(told, integrations=integrations, new=False)

    sealed = tx.keys.vault.seal_secret(told.key, aad=sealing.aggregator_aad(old.code)) if told.key else None
    store.update_aggregator(tx.conn, aggregator_id, told, sealed=sealed)

    tx.note(Entry(actor, "aggregator.change", f"aggregator:{aggregator_id}"))
    return get_aggregator(tx, aggregator_id)


def list_aggregators(tx: Tx) -> list[AggregatorRow]:
    return store.list_aggregators(tx.conn)


def get_aggregator(tx: Tx, aggregator_id: int) -> AggregatorRow:
    found = store.find_aggregator(tx.conn, aggregator_id)
    if found is None:
        raise Missing("There is no such aggregator account.")
    return found


def find_aggregator(tx: Tx, code: str) -> OpenAggregator | None:
    """The account a push names, ready to verify it with."""
    row = store.find_by_code(tx.conn, code)
    return _opened(tx, row) if row is not None else None


def open_aggregator(tx: Tx, aggregator_id: int) -> OpenAggregator:
    """The account with its key, for a call."""
    return _opened(tx, get_aggregator(tx, aggregator_id))


def _opened(tx: Tx, row: AggregatorRow) -> OpenAggregator:
    sealed = store.aggregator_key(tx.conn, row.id)
    key = tx.keys.vault.open_secret(sealed, aad=sealing.aggregator_aad(row.code))
    return OpenAggregator(row.id, row.code, row.integration, Aggregator(row.merchant_id, key, row.base_url))


def ask_test_call(tx: Tx, aggregator_id: int, *, actor: str) -> None:
    """Try the account with a harmless call (the balance of its first carrier account); see `tested_at`."""
    get_aggregator(tx, aggregator_id)
    if store.first_account(tx.conn, aggregator_id) is None:
        raise Conflict("Add a carrier account first: the test call asks for its balance.")

    tx.enqueue(Job(TEST_CALL, 0, str(aggregator_id), f"aggregator:{aggregator_id}"))
    tx.note(Entry(actor, "aggregator.test", f"aggregator:{aggregator_id}"))


def note_tested(tx: Tx, aggregator_id: int, said: str) -> None:
    """`said` is empty when the test call worked, else the sentence that says what to mend."""
    store.set_tested(tx.conn, aggregator_id, said=said, at=tx.now)


def note_push(tx: Tx, aggregator_id: int) -> None:
    """A good push arrived: the "first push received" light."""
    store.saw_push(tx.conn, aggregator_id, at=tx.now)


def note_bad_signatures(tx: Tx, aggregator_id: int, count: int = 1) -> None:
    store.add_bad_signatures(tx.conn, aggregator_id, count=count, at=tx.now)


def add_account(tx: Tx, told: AccountIn, *, actor: str) -> AccountRow:
    """A carrier account used through an aggregator. Raises `Invalid` per field, `Conflict` when the name is taken."""
    checked_account(told)
    get_aggregator(tx, told.aggregator_id)
    _refuse_taken(tx, told.name)

    account_id = store.next_account_id(tx.conn)
    store.insert_account(tx.conn, account_id, told, sealed=_sealed(tx, account_id, told), at=tx.now)

    tx.enqueue(_count_job(account_id))
    tx.note(Entry(actor, "account.add", f"account:{account_id}"))
    return get_account(tx, account_id)


def change_account(tx: Tx, account_id: int, told: AccountIn, *, actor: str) -> AccountRow:
    """The carrier and the aggregator stay; empty secret parameters keep what is stored."""
    old = get_account(tx, account_id)
    kept = open_account(tx, account_id).parameters
    told = AccountIn(old.aggregator_id, told.name, sealing.merged(kept, told.parameters), told.warehouse_id,
                     told.priority, told.low_mark)  # fmt: skip
    checked_account(told)
    _refuse_taken(tx, told.name, but=account_id)

    store.update_account(tx.conn, account_id, told, sealed=_sealed(tx, account_id, told))

    tx.note(Entry(actor, "account.change", f"account:{account_id}"))
    return get_account(tx, account_id)


def switch_account(tx: Tx, account_id: int, *, on: bool, actor: str) -> None:
    """Numbers under way are not affected; new ones go to the next account."""
    if not store.set_disabled(tx.conn, account_id, at=None if on else tx.now):
        raise Missing("There is no such carrier account.")
    tx.note(Entry(actor, "account.on" if on else "account.off", f"account:{account_id}"))


def _refuse_taken(tx: Tx, name: str, *, but: int = 0) -> None:
    if store.account_name_taken(tx.conn, name.strip(), but=but):
        raise Conflict(f"There is a carrier account named {name.strip()} already.", path="name")


def _sealed(tx: Tx, account_id: int, told: AccountIn) -> bytes:
    return tx.keys.vault.seal_secret(sealing.to_text(told.parameters), aad=sealing.account_aad(account_id))


def list_accounts(tx: Tx) -> list[AccountRow]:
    """By priority."""
    return store.list_accounts(tx.conn)


def get_account(tx: Tx, account_id: int) -> AccountRow:
    found = store.find_account(tx.conn, account_id)
    if found is None:
        raise Missing("There is no such carrier account.")
    return found


def open_account(tx: Tx, account_id: int) -> OpenAccount:
    """The account with its parameters, for a call."""
    row = get_account(tx, account_id)
    text = tx.keys.vault.open_secret(store.account_parameters(tx.conn, account_id), aad=sealing.account_aad(account_id))
    aggregator = open_aggregator(tx, row.aggregator_id)
    return OpenAccount(account_id, aggregator.integration, aggregator.aggregator, sealing.from_text(text))


def count_numbers(tx: Tx, account_id: int) -> None:
    """Ask how many numbers the account has left."""
    get_account(tx, account_id)
    tx.enqueue(_count_job(account_id))


def draw_numbers(tx: Tx, account_id: int, *, on: bool, actor: str) -> None:
    """Whether takes of this account draw from numbers assigned beforehand instead of asking for one."""
    if not store.set_draws(tx.conn, account_id, draws=on):
        raise Missing("There is no such carrier account.")
    tx.note(Entry(actor, "account.draw" if on else "account.ask", f"account:{account_id}"))


def note_balance(tx: Tx, account_id: int, available: int | None) -> None:
    """`available` None: the network does not tell."""
    store.set_balance(tx.conn, account_id, available=available, at=tx.now)


def _count_job(account_id: int) -> Job:
    return Job(COUNT_NUMBERS, 0, str(account_id), f"account:{account_id}")


def watch(tx: Tx, binding_ids: Sequence[int]) -> None:
    """See that these numbers are watched. A number taken through the network is watched by the taking itself."""
    to_ask = store.insert_subscriptions(tx.conn, binding_ids, at=tx.now)
    tx.enqueue(*(_subscribe_job(watched) for watched in to_ask))


def renew_watch(tx: Tx, died: Sequence[tuple[int, str]]) -> None:
    """The aggregator stopped watching these bindings, for these reasons: ask again, when its rules allow and it helps
    (the job knows)."""
    gone = store.set_died(tx.conn, died, at=tx.now)
    tx.enqueue(*(_subscribe_job(watched) for watched in gone if watched.died_reason != GAVE_UP))


def list_dead(tx: Tx, *, warehouse_ids: Collection[int] | None = None, limit: int = 100) -> list[Watched]:
    """Live numbers nobody watches any more."""
    return store.list_dead(tx.conn, warehouses=None if warehouse_ids is None else sorted(warehouse_ids), limit=limit)


def get_parcel_of_binding(tx: Tx, binding_id: int) -> int:
    """Whose number it is. Raises `Missing`."""
    found = store.find_binding_parcel(tx.conn, binding_id)
    if found is None:
        raise Missing("There is no such number.")
    return found


def watch_again(tx: Tx, binding_id: int, *, actor: str) -> None:
    """A person wants a number watched that died: asked for as soon as the aggregator's rules allow."""
    watched = store.lock_watched(tx.conn, binding_id)
    if watched is None:
        raise Missing("There is no such number.")
    if watched.state != "died":
        raise Conflict("This number is watched, or its journey is over.")

    store.set_asked(tx.conn, binding_id)

    tx.enqueue(_subscribe_job(watched))
    tx.note(Entry(actor, "subscription.ask", f"parcel:{watched.parcel_id}", watched.shop_id))


def watch_after_restore(tx: Tx) -> int:
    """What was pushed between the restored moment and now is not here; asking again makes the aggregator tell it all.
    How many; they are asked at the rate that its rules allow."""
    asked = store.set_all_asked(tx.conn)
    tx.enqueue(*(_subscribe_job(watched) for watched in asked))
    return len(asked)


def end_watch(tx: Tx, parcel_ids: Sequence[int]) -> None:
    """These journeys are over."""
    if parcel_ids:
        store.set_ended(tx.conn, parcel_ids)


def go_on_watching(tx: Tx, parcel_ids: Sequence[int]) -> None:
    """The end was retracted: the journey goes on."""
    if parcel_ids:
        store.set_reopened(tx.conn, parcel_ids)


def _subscribe_job(watched: Watched) -> Job:
    return Job(SUBSCRIBE, watched.shop_id, str(watched.binding_id), f"parcel:{watched.parcel_id}")


def phone_tail(tx: Tx, waybill: Waybill) -> str:
    """The receiver's last four digits, for carriers that want them; empty when the receiver was erased."""
    key = tx.keys.load(tx.conn, [waybill.person_key]).get(waybill.person_key)
    if key is None:
        return ""
    plain = open_sealed(key, waybill.person_sealed, aad=person.person_aad(waybill.person_id))
    return person.phone_tail(plain)
