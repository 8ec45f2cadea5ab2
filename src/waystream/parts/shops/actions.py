"""What can be done with shops.

Before they write, callers check `Caller.may`: `setup:write` for a new shop, `shop:write` for a shop's policy.
"""

from waystream.core.errors import Conflict, Missing
from waystream.kernel.audit import Entry
from waystream.kernel.tx import Tx
from waystream.parts.shops import store
from waystream.parts.shops.model import Policy, Shop, checked_code, checked_name


def create_shop(tx: Tx, *, code: str, name: str, actor: str, platform: str = "", policy: Policy | None = None) -> Shop:
    """Raises `Invalid` for a code that cannot be one, `Conflict` when it is taken."""
    code, name = checked_code(code.strip()), checked_name(name)
    platform = checked_name(platform, path="platform") if platform else ""

    shop_id = store.insert(tx.conn, code=code, name=name, platform=platform, policy=policy or Policy(), at=tx.now)
    if shop_id is None:
        raise Conflict("There is a shop of this code already.")
    tx.note(Entry(actor, "create", f"shop:{shop_id}", shop_id))
    return get_shop(tx, shop_id)


def list_shops(tx: Tx) -> list[Shop]:
    """Every shop the transaction may see, by code."""
    return store.list_all(tx.conn)


def get_shop(tx: Tx, shop_id: int) -> Shop:
    shop = store.find(tx.conn, shop_id)
    if shop is None:
        raise Missing("There is no such shop.")
    return shop


def find_shop(tx: Tx, code: str) -> Shop | None:
    return store.find_by_code(tx.conn, code)


def set_policy(tx: Tx, shop_id: int, policy: Policy, *, actor: str) -> None:
    """From now on; orders that are complete stay so. Raises `Missing` for an unknown shop."""
    if not store.set_policy(tx.conn, shop_id, policy):
        raise Missing("There is no such shop.")
    tx.note(
        Entry(
            actor,
            "set_policy",
            f"shop:{shop_id}",
            shop_id,
            detail={"trusted": ",".join(sorted(policy.trusted)), "confirm_days": policy.confirm_days},
        )
    )


def set_embedding(tx: Tx, shop_id: int, origins: tuple[str, ...], *, actor: str) -> None:
    """Whose pages may show this shop's buyers their order. Raises `Missing` for an unknown shop."""
    if not store.set_embedding(tx.conn, shop_id, origins):
        raise Missing("There is no such shop.")
    tx.note(Entry(actor, "set_embedding", f"shop:{shop_id}", shop_id, detail={"origins": ",".join(origins)}))
