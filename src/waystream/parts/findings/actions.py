"""What checks found, noted and told."""

from collections.abc import Sequence

from waystream.kernel.tx import Tx
from waystream.parts.findings import store
from waystream.parts.findings.model import Checked, Finding, State, began_anew, rest_s, state_after


def note(tx: Tx, checked: Checked) -> State:
    """Keep what a check saw, and when it is to be checked again."""
    before = store.find_state(tx.conn, checked.name)

    state = state_after(checked, before)

    store.save(tx.conn, checked, state=state, anew=began_anew(state, before), rest_s=rest_s(checked, state), at=tx.now)
    return state


def list_due(tx: Tx, names: Sequence[str]) -> list[str]:
    """Of all that is checked, what is due now; what is checked no longer is forgotten."""
    store.drop_others(tx.conn, names)
    resting = store.list_resting(tx.conn)
    return [name for name in names if name not in resting]


def list_findings(tx: Tx) -> list[Finding]:
    """What is broken first."""
    return store.list_findings(tx.conn)
