"""Finding orders: lists, counts, one order, and what a person types into the search box.

Guaranteed: nothing here opens a sealed receiver; a search by phone or name goes over keyed hashes, shop by shop.
Callers without `person:masked` search with `personal=False` and are shown no masks.
"""

from waystream.core.errors import Missing
from waystream.core.order import Word
from waystream.core.person import Term, name_terms, only_digits, phone_terms
from waystream.kernel.tx import Tx
from waystream.parts.orders import people, store_lists
from waystream.parts.orders.form import clean, is_phone, normal_phone
from waystream.parts.orders.views import After, Filters, Order, OrderPage

PAGE_MAX = 500
COUNT_MAX = 10_000
FOUND_MAX = 200
PREFIX_MIN = 3
WAYBILL_MIN = 6

EVERYTHING = Filters()

_Terms = set[tuple[Term, str]]


def list_orders(tx: Tx, filters: Filters = EVERYTHING, *, after: After | None = None, limit: int = 50) -> OrderPage:
    """Last moved first. `after` is what the page before gave."""
    limit = min(limit, PAGE_MAX)
    rows = store_lists.list_orders(tx.conn, filters, after=after, limit=limit + 1)
    last = rows[limit - 1] if len(rows) > limit else None
    return OrderPage(tuple(rows[:limit]), (last.moved_at, last.id) if last else None)


def count_words(tx: Tx, filters: Filters = EVERYTHING) -> dict[Word, int]:
    """How many orders of each word within the filters; `COUNT_MAX` + 1 means more than `COUNT_MAX`."""
    return store_lists.count_words(tx.conn, filters, upto=COUNT_MAX + 1)


def get_order(tx: Tx, order_id: int) -> Order:
    """Raises `Missing`."""
    found = store_lists.find_order(tx.conn, order_id)
    if found is None:
        raise Missing("There is no such order.")
    return found


def find_order(tx: Tx, shop_code: str, number: str) -> Order | None:
    return store_lists.find_order_by_number(tx.conn, shop_code, number)


def search(tx: Tx, text: str, *, personal: bool = True) -> tuple[int, ...]:
    """Order ids for what a person typed, newest first, at most `FOUND_MAX`.

    Tried all at once: the beginning of an order number, a waybill (old ones too), and with `personal` a whole phone,
    its last four digits, a name or a part of one from two characters on.
    """
    text = clean(text)
    found: set[int] = set()
    if len(text) >= PREFIX_MIN:
        found.update(store_lists.find_by_number(tx.conn, text, limit=FOUND_MAX))
    if len(text) >= WAYBILL_MIN:
        found.update(store_lists.find_by_waybill(tx.conn, text.upper(), limit=FOUND_MAX))
    for terms in _alternatives(text) if personal else ():
        found.update(_find_people(tx, terms))
    return tuple(sorted(found, reverse=True)[:FOUND_MAX])


def _alternatives(text: str) -> list[_Terms]:
    """Each set has to be carried whole by one person."""
    phone = normal_phone(text)
    if len(phone) == 4 and phone.isascii() and phone.isdigit():
        return [{(Term.LAST_FOUR, phone)}]
    if is_phone(phone):
        whole = max(phone_terms(phone), key=lambda term: (term[0] is Term.PHONE, len(term[1])))
        return [{whole}] if len(only_digits(phone)) >= 7 else []
    terms = name_terms(text)
    bigrams = {term for term in terms if term[0] is Term.BIGRAM}
    return [bigrams or terms] if terms and not text.isdigit() else []


def _find_people(tx: Tx, terms: _Terms) -> list[int]:
    hashed = [
        (shop_id, term, people.blind(tx, shop_id, term=term, value=value))
        for shop_id in store_lists.list_shop_ids(tx.conn)
        for term, value in terms
    ]
    return store_lists.find_by_terms(
        tx.conn,
        shops=[shop_id for shop_id, _, _ in hashed],
        purposes=[term for _, term, _ in hashed],
        hashes=[digest for _, _, digest in hashed],
        all_of=len(terms),
        limit=FOUND_MAX,
    )
