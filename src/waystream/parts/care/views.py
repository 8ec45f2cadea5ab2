"""Views of the queue that a person keeps under a name: filters of an address, theirs alone."""

from dataclasses import dataclass

from waystream.core.errors import Conflict, Invalid
from waystream.kernel.tx import Tx
from waystream.parts.care import store_views

VIEWS_MAX = 20
NAME_MAX_CHARS = 40
FILTERS_MAX_CHARS = 500


@dataclass(frozen=True, slots=True)
class View:
    """`filters` is the query of an address, `due=today&carrier=YTO`."""

    id: int
    name: str
    filters: str


def list_views(tx: Tx, actor: str) -> list[View]:
    """In the order they were kept."""
    return [View(*row) for row in store_views.list_views(tx.conn, actor, limit=VIEWS_MAX)]


def keep_view(tx: Tx, *, actor: str, name: str, filters: str) -> None:
    """Kept again under the same name it is changed. Raises `Invalid`, `Conflict` when there are too many."""
    name = " ".join(name.split())
    if not 1 <= len(name) <= NAME_MAX_CHARS or not name.isprintable():
        raise Invalid("name", f"a view needs a name of at most {NAME_MAX_CHARS} characters")
    if len(filters) > FILTERS_MAX_CHARS or not filters.isascii():
        raise Invalid("filters", "these are no filters of the queue")
    views = list_views(tx, actor)
    if len(views) >= VIEWS_MAX and name not in {view.name for view in views}:
        raise Conflict(f"You keep {VIEWS_MAX} views: forget one first.")

    store_views.save(tx.conn, actor=actor, name=name, filters=filters, at=tx.now)


def forget_view(tx: Tx, view_id: int, *, actor: str) -> None:
    """Somebody else's view stays."""
    store_views.delete(tx.conn, view_id, actor=actor)
