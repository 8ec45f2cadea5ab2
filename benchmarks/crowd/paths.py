"""What is asked: every page and resource that shows stored things, and every filter alone and against the grain.

`SHOWN` has the route of each, with the queries to ask it with; `LEFT_OUT` the routes that are not asked, with the
reason. A test holds that every route that is read stands in one of them.
"""

import re
from collections.abc import Iterator

from benchmarks.crowd.stock import FOUND_LAST_FOUR, Stored

WORDS = ("to_ship", "shipped", "in_transit", "out_for_delivery", "part_delivered", "delivered", "completed", "closed")
STATES = ("awaiting_collection", "in_transit", "out_for_delivery", "delivered", "exception", "lost", "returned",
          "customs")  # fmt: skip
DEADLINES = ("ship_by", "promise", "collection", "pickup", "verification")

ORDERS: dict[str, tuple[str, ...]] = {
    "/": ("",),
    "/orders": (
        "", *(f"word={word}" for word in WORDS), "view=late", "view=held", "view=trouble", "shop=1", "shop=6", "shop=8",
        "shop=99", "warehouse=2", "warehouse=3", "warehouse=99", "shop=8&warehouse=3", "shop=6&warehouse=2&word=closed",
        "carrier=SF", "carrier=EMS", "carrier=NOPE", "carrier=EMS&word=to_ship", "carrier=SF&word=to_ship",
        "carrier=STO&word=completed", "view=late&shop=8", "view=trouble&warehouse=3", "view=held&carrier=EMS",
        "after={after}", "word=completed&after={after}", "shop=8&after={after}", "q={number}",
        "q={waybill}", f"q={FOUND_LAST_FOUR}", "q=T0000", "q=15812346021",
    ),
    "/orders/ask": ("do=hold&id={order}",),
    "/orders/{order}": ("",),
    "/orders/{order}/erase": ("",),
    "/t/{token}": ("", "p=1", "lang=en"),
    "/t/{token}.json": ("",),
    "/t/{token}/embed": ("",),
    "/t/{token}/unsubscribe": ("",),
    "/api/orders": (
        "", "word=completed", "word=to_ship&word=shipped", "shop=shop8", "warehouse=wh3", "carrier=SF", "held=true",
        "refund=true", "late=true", "word=to_ship&late=true", "after={after}", "q={waybill}",
    ),
    "/api/orders/counts": ("",),
    "/api/orders/{order}": ("",),
    "/api/orders/{order}/timeline": ("",),
    "/api/orders/{order}/optouts": ("",),
}  # fmt: skip

PARCELS: dict[str, tuple[str, ...]] = {
    "/parcels": (
        "", *(f"state={state}" for state in STATES), "stage=refused", "stage=issued", "stage=printed",
        "stage=dispatched", "view=trouble", "state=delivered&kind=locker", "state=delivered&kind=stalled", "carrier=SF",
        "carrier=EMS", "carrier=NOPE", "state=delivered&carrier=EMS", "state=exception&kind=damaged&carrier=EMS",
        "view=trouble&carrier=EMS", "stage=issued&carrier=EMS", "after={after}", "state=delivered&after={after}",
        "view=trouble&after={after}",
    ),
    "/parcels/ask": ("do=void&id={parcel}", "do=decide&id={parcel}"),
    "/parcels/{parcel}/label.pdf": ("",),
    "/tasks": ("",),
    "/tasks/ask": ("do=bind&id={parcel}",),
    "/numbers": ("", "carrier=EMS", "age=30", "after={after}"),
    "/numbers/ranges": ("",),
    "/outages": ("",),
    "/api/parcels": (
        "", "stage=issued", "state=lost", "state=delivered", "carrier=EMS", "carrier=NOPE",
        "state=delivered&carrier=EMS", "shop=shop8", "warehouse=wh3", "held=true", "held=false", "number=SF0000",
        "number={waybill}", "order={order}", "after={after}", "state=delivered&after={after}",
    ),
    "/api/parcels/counts": ("",),
    "/api/parcels/{parcel}": ("",),
    "/api/parcels/{parcel}/timeline": ("",),
    "/api/parcels/{parcel}/why": ("",),
    "/api/parcels/{parcel}/prints": ("",),
    "/api/parcels/{parcel}/label.png": ("",),
    "/api/cancels": ("",),
    "/api/takes/unclear": ("",),
    "/api/numbers/unused": ("", "carrier=EMS"),
    "/api/numbers/batches": ("",),
}  # fmt: skip

CARE: dict[str, tuple[str, ...]] = {
    "/workbench": (
        "", "due=today", "mine=1", "cause=lost", "cause=refused&carrier=EMS", "carrier=SF", "carrier=EMS",
        "priority=high", "shop=6", "shop=8", "carrier=EMS&cause=lost&priority=low", "q={number}", "q={waybill}",
        f"q={FOUND_LAST_FOUR}", "q=T-{ticket_number}", "after={soon}", "t={ticket}", "t={incident}",
    ),
    "/workbench/queue": ("", "cause=lost", "carrier=EMS"),
    "/workbench/ask": ("do=hand_over&id={ticket}", "do=merge&id={ticket}"),
    "/silence": ("", "slowdown=1", "budget=20", "after={after}"),
    "/deadlines": (
        *(f"kind={kind}" for kind in DEADLINES), *(f"kind={kind}&stand=missed" for kind in DEADLINES),
        *(f"kind={kind}&within=any" for kind in DEADLINES), "kind=promise&shop=8", "kind=promise&after={after}",
        "kind=verification&shop=8",
    ),
    "/deadlines/settings": ("",),
    "/deadlines/settings/{shop}": ("",),
    "/care-hours": ("",),
    "/care-hours/{shop}": ("",),
    "/api/tickets": (
        "", "state=closed", "state=every", "state=taken", "cause=lost", "priority=high&cause=overdue", "assignee=me",
        "assignee=nobody", "shop=shop8", "warehouse=wh3", "state=closed&shop=shop8", "state=every&cause=lost",
        "state=closed&warehouse=wh3&cause=refused", "order={order}", "parcel={parcel}", "overdue=true", "after={after}",
        "state=closed&after={after}", "state=every&warehouse=wh3",
    ),
    "/api/tickets/counts": ("", "shop=shop8"),
    "/api/tickets/{ticket}": ("",),
    "/api/tickets/{ticket}/colleagues": ("",),
    "/api/tickets/{ticket}/tell": ("",),
    "/api/deadlines": ("", *(f"kind={kind}&state=missed" for kind in DEADLINES), "kind=promise&warehouse=wh3"),
    "/api/shops/{shop}/deadlines": ("",),
}  # fmt: skip

MESSAGES: dict[str, tuple[str, ...]] = {
    "/notices": (
        "", "state=planned", "state=handed", "state=delivered", "state=refused", "state=dropped", "state=doubt",
        "kind=delivered", "kind=rejected", "kind=shipped&state=refused", "channel=短信", "channel=短信&state=doubt",
        "order={order}", "after={notice}",
    ),
    "/notices/{notice}": ("",),
    "/notices/templates": ("", "shop={shop}"),
    "/notices/policy/{shop}": ("",),
    "/channels": ("",),
    "/channels/{channel}": ("",),
    "/channels/{channel}/change": ("",),
    "/channels/{channel}/remove": ("",),
    "/webhooks": ("",),
    "/webhooks/{shop}": ("", "state=given_up", "state=waiting", "after={after}"),
    "/webhooks/{shop}/change": ("",),
    "/webhooks/{shop}/remove": ("",),
    "/api/notices": (
        "", "state=refused", "kind=delivered", "kind=rejected", "channel=短信", "doubted=true", "order={order}",
        "after={notice}", "state=refused&kind=shipped&channel=短信",
    ),
    "/api/notices/{notice}": ("",),
    "/api/channels": ("",),
    "/api/channels/{channel}": ("",),
    "/api/webhooks": ("",),
    "/api/webhooks/{shop}": ("",),
    "/api/webhooks/{shop}/deliveries": ("", "state=given_up", "state=delivered"),
}  # fmt: skip

MACHINE: dict[str, tuple[str, ...]] = {
    "/strangers": ("", "before=500", "view=quarantine", "view=codes", "view=disputed", "view=lines"),
    "/audit": ("", "actor=staff:3", "actor=nobody", "action=unmask", "action=nothing", "subject=order:77",
               "after={after}"),
    "/setup": ("",),
    "/setup/accounts/{account}": ("",),
    "/setup/warehouses/2": ("",),
    "/setup/aggregators/{aggregator}": ("",),
    "/printers": ("",),
    "/printers/{printer}": ("",),
    "/people": ("",),
    "/people/{person}": ("",),
    "/shops": ("",),
    "/shops/{shop}": ("",),
    "/catalogue": ("", "shop=8", "after=SKU-010000", "q=SKU-0100"),
    "/catalogue/{shop}/SKU-000005": ("",),
    "/import": ("",),
    "/import/run1": ("",),
    "/import-mappings": ("name=mapping 1",),
    "/machine": ("",),
    "/rules": ("",),
    "/rules/{rule}": ("",),
    "/rules/ask": ("do=resume&rule={rule}",),
    "/jobs": ("", "kind=subscribe", "after={after}"),
    "/jobs/ask": ("do=retry&id=2001",),
    "/invariants": ("",),
    "/backups": ("",),
    "/replay": ("",),
    "/replay/60": ("",),
    "/me": ("",),
    "/metrics": ("",),
    "/healthz": ("",),
    "/readyz": ("",),
    "/api/strangers": ("",),
    "/api/quarantine": ("",),
    "/api/unread-lines": ("",),
    "/api/unknown-codes": ("",),
    "/api/clocks-ahead": ("",),
    "/api/disputed-scans": ("",),
    "/api/audit": ("", "actor=staff:3"),
    "/api/jobs": ("",),
    "/api/jobs/given-up": ("", "kind=subscribe"),
    "/api/rules": ("",),
    "/api/rules/{rule}": ("",),
    "/api/aggregators": ("",),
    "/api/aggregators/1": ("",),
    "/api/accounts": ("",),
    "/api/accounts/1": ("",),
    "/api/printers": ("",),
    "/api/printers/1": ("",),
    "/api/printers/1/queue": ("",),
    "/api/import-mappings": ("",),
    "/api/shops": ("",),
    "/api/shops/6": ("",),
    "/api/api-keys": ("",),
    "/api/me": ("",),
    "/api/people": ("",),
    "/api/people/1": ("",),
    "/api/warehouses": ("",),
    "/api/warehouses/2": ("",),
    "/api/skus": ("", "shop=shop6"),
    "/api/skus/shop6/SKU-000005": ("",),
}  # fmt: skip

SHOWN = ORDERS | PARCELS | CARE | MESSAGES | MACHINE

LEFT_OUT = {
    "/assets/{mark}/{name}": "a file of the program",
    "/robots.txt": "says the same always",
    "/components": "shows the parts pages are made of, not what is stored",
    "/sign-in": "a form",
    "/language/{code}": "sets a cookie",
    "/api/openapi.json": "describes the program",
    "/api/asyncapi.json": "describes the program",
    "/api/gateways": "lists what the program can speak to",
    "/live": "a stream: benchmarks.watchers",
    "/t/{token}/live": "a stream: benchmarks.watchers",
    "/orders.csv": "a file of any length, written while it is read",
    "/deadlines.csv": "a file of any length, written while it is read",
    "/numbers.csv": "a file of any length",
    "/parcels/{parcel_id:int}": "leads on to the order",
    "/orders/{order_id:int}/split": "there is nothing left to split in an order of one line",
    "/import/{import_id}/columns": "reads the file itself",
    "/notices/templates/{shop_id:int}/{kind}/{code}": "opens the sealed addresses of the newest orders, empty here",
    **dict.fromkeys(
        (
            "/channels/new/{gateway}", "/webhooks/new", "/setup/aggregators/new", "/setup/accounts/new",
            "/setup/warehouses/new", "/catalogue/new", "/people/new", "/people/keys/new", "/printers/new", "/shops/new",
        ),
        "an empty form",
    ),
}  # fmt: skip


def list_paths(stored: Stored) -> Iterator[tuple[str, str]]:
    """Route and address of everything that is asked."""
    values = {
        "after": f"{int(stored.middle.timestamp())}.000000-{stored.order_id}", "soon": stored.soon, "shop": "6",
        "order": stored.order_id, "parcel": stored.parcel_id, "number": stored.number, "waybill": stored.waybill,
        "token": stored.token, "ticket": stored.ticket_id, "incident": stored.incident_id, "notice": stored.notice_id,
        "ticket_number": f"{stored.ticket_id % 1_000_000:06d}", "channel": "1", "account": "1", "aggregator": "1",
        "printer": "1", "person": "1", "rule": stored.rule,
    }  # fmt: skip
    for route, queries in SHOWN.items():
        for query in queries:
            yield route, f"{route}{'?' if query else ''}{query}".format(**values)


def answers(route: str, path: str) -> bool:
    """Whether an address of `SHOWN` is one that a route of the application answers: `/orders/{order_id:int}`."""
    pattern = re.sub(r"\\\{\w+?:path\\\}", ".+", re.sub(r"\\\{\w+(:int)?\\\}", r"[^/]+", re.escape(route)))
    return re.fullmatch(pattern, path) is not None
