"""What must be true after any crash, counted from the database and the carrier network's own books."""

from collections import Counter
from dataclasses import dataclass

from tests.crash.carriers import Ledger
from tests.crash.network import Network
from waystream.app import App
from waystream.doctor import check
from waystream.kernel.tx import Tx

LIVE = "SELECT parcel_id, count(*) FROM binding WHERE state IN ('live', 'cancelling') GROUP BY 1 HAVING count(*) > 1"
DEAD_LABELS = """
SELECT label.id FROM label JOIN binding ON binding.id = label.binding_id
WHERE label.voided_at IS NULL AND binding.state = 'cancelled'
"""
KNOWN = """
SELECT number FROM binding UNION SELECT number FROM waybill_cancel
UNION SELECT number FROM take WHERE state IN ('conflict', 'orphan', 'doubt') AND number <> ''
"""
#: Issued and neither printed nor waiting nor told to a person.
FORGOTTEN = """
SELECT parcel.id FROM parcel WHERE stage = 'issued' AND NOT EXISTS (
    SELECT 1 FROM print WHERE print.parcel_id = parcel.id AND print.state IN ('failed', 'printed'))
"""
UNSETTLED = "SELECT code FROM take WHERE state IN ('doubt', 'conflict', 'orphan', 'asked', 'planned')"
#: An effect that happened twice: the same event of the same thing; a call that ended well twice; two numbers taken.
TWICE = {
    "event": "SELECT name, subject FROM event GROUP BY name, subject, body HAVING count(*) > 1",
    "job": """SELECT kind, key FROM job WHERE state = 'done' AND kind IN ('take_number', 'cancel_waybill')
              GROUP BY 1, 2 HAVING count(*) > 1""",
    "take": "SELECT parcel_id FROM take WHERE state = 'bound' GROUP BY 1 HAVING count(*) > 1",
    "scan": "SELECT binding_id, at FROM scan GROUP BY binding_id, at, text HAVING count(*) > 1",
    "print": "SELECT label_id FROM print WHERE state = 'printed' GROUP BY 1 HAVING count(*) > 1",
    "stranger": "SELECT number FROM stranger GROUP BY carrier, number, inbox_id HAVING count(*) > 1",
}
SCANS = "SELECT number, count(scan.key) FROM binding LEFT JOIN scan ON scan.binding_id = binding.id GROUP BY 1"
WORDS = """
SELECT binding.number FROM binding JOIN track ON track.binding_id = binding.id
WHERE NOT (track.state = 'delivered' AND track.kind = 'in_person')
"""
UNMOVED = "SELECT number FROM orders WHERE word NOT IN ('delivered', 'completed')"


@dataclass(frozen=True, slots=True)
class Verdict:
    """`lost`: what was acknowledged and is not there. `duplicated`: effects that happened more than once."""

    applied: int
    lost: tuple[str, ...]
    duplicated: tuple[str, ...]
    wrong_states: tuple[str, ...]
    broken: tuple[str, ...]

    @property
    def good(self) -> bool:
        return not (self.lost or self.duplicated or self.wrong_states or self.broken)


def judge(app: App, network: Network, ledger: Ledger) -> Verdict:
    """When nothing is left to do and every journey was told to its end."""
    with app.machine.begin(read_only=True) as tx:
        scans = {number: int(count) for number, count in tx.conn.execute(SCANS)}
        strangers = {row[0] for row in tx.conn.execute("SELECT number FROM stranger")}
        found = {each.number: scans.get(each.number, int(each.number in strangers)) for each in ledger.journeys}
        return Verdict(
            applied=sum(min(found[each.number], each.told) for each in ledger.journeys),
            lost=tuple(each.number for each in ledger.journeys if found[each.number] < each.told),
            duplicated=(*find_twice(tx), *(each.number for each in ledger.journeys if found[each.number] > each.told)),
            wrong_states=tuple(str(row[0]) for query in (WORDS, UNMOVED) for row in tx.conn.execute(query.encode())),
            broken=(*find_broken(tx, app), *find_adrift(tx, network)),
        )


def find_twice(tx: Tx, *, after_event: int = 0) -> tuple[str, ...]:
    """Of events only those with an id above `after_event`."""
    found = []
    for what, query in TWICE.items():
        if what == "event":
            query = query.replace("FROM event", f"FROM event WHERE id > {int(after_event)}")
        found += [f"{what} {tuple(row)}" for row in tx.conn.execute(query.encode())]
    return tuple(found)


def find_broken(tx: Tx, app: App) -> tuple[str, ...]:
    return tuple(f"{each.name}: {each.broken[0]}" for each in check(tx, app.invariants) if not each.holds)


def find_adrift(tx: Tx, network: Network) -> tuple[str, ...]:
    """Numbers and labels that belong nowhere, ours and the network's; the same order code answered twice."""
    known = {row[0] for row in tx.conn.execute(KNOWN)}
    unsettled = {row[0] for row in tx.conn.execute(UNSETTLED)}
    issued = network.ask("issued")
    lost = [one for one in issued if one["number"] not in known and one["order_code"] not in unsettled]
    codes = Counter(one["order_code"] for one in issued)
    wrong = {
        "two live numbers": tx.conn.execute(LIVE).fetchall(),
        "a label of a dead number": tx.conn.execute(DEAD_LABELS).fetchall(),
        "issued and forgotten": tx.conn.execute(FORGOTTEN).fetchall(),
        "a number nobody knows": [one["number"] for one in lost if not one["cancelled"]],
        "a code used twice": [code for code, count in codes.items() if count > 1],
    }
    return tuple(f"{what}: {found[:3]}" for what, found in wrong.items() if found)
