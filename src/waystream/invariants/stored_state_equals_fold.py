"""Every parcel is where the fold of its facts puts it; once its scans have left for the lake, where it was then."""

from waystream.core.parcel import fold
from waystream.kernel.tx import Tx
from waystream.parts.tracking import store, store_partitions

SENTENCE_ZH = "每个包裹的状态就是其事实折叠的结果；扫描归档之后，停在当时的状态。"
AT_ONCE = 1_000


def broken(tx: Tx) -> list[str]:
    """The parcels whose stored track is another than the fold of their facts."""
    wrong: list[str] = []
    detached = store_partitions.list_detached(tx.conn)
    last = 0
    while tracks := store.list_tracks(tx.conn, after=last, limit=AT_ONCE):
        facts = store.list_facts(tx.conn, tracks)
        wrong += [
            f"parcel {stored.parcel_id}"
            for stored in tracks
            if fold(*facts[stored.parcel_id].values()) != stored.track
            and not any(left.holds(stored.parcel_id) for left in detached)
        ]
        last = tracks[-1].parcel_id
    return wrong
