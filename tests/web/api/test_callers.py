"""Four callers on every route: nobody, the wrong role, the right role, and somebody of another shop.

The table in `examples` has a good request for every route that needs one; a new route without one fails the test.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.parts.world import raw_order
from tests.web.api.desk import EVERY, GATEWAYS, OWNER, Desk, Program
from waystream.core.care import Cause, Ending, Trouble
from waystream.core.facts import Verdict
from waystream.kernel import job_mending, log, rule_cursor
from waystream.kernel.jobs import Job
from waystream.kernel.tx import Tx
from waystream.kernel.vault import seal
from waystream.parts.care import actions as care
from waystream.parts.care import handling
from waystream.parts.channels import actions as channels
from waystream.parts.channels.model import ChannelIn
from waystream.parts.fulfilment import actions as fulfilment
from waystream.parts.fulfilment import ranges
from waystream.parts.notices import actions as notices
from waystream.parts.notices.actions import Saying
from waystream.parts.orders import actions as orders
from waystream.parts.people import actions as people
from waystream.parts.people.actions import Limits
from waystream.parts.tracking import actions as tracking
from waystream.parts.webhooks import actions as webhooks
from waystream.parts.webhooks.model import EndpointIn
from waystream.web.auth import SIGNED_IN
from waystream.web.openapi import Route, list_routes
from waystream.web.wire import read

REASON = {"reason": "because"}
NEW = {"name": "x", "role": "care"}
UNMASK, GIVING = "person:unmask", "people:write"
PUSH = 7
RULE = "parcel_moves_order"

#: What belongs to the shop `tea` and must look the same after somebody else tried everything.
BELONGINGS = (
    "SELECT id, word, held_at, cancelled_at, completed_at FROM orders ORDER BY id",
    "SELECT id, stage, account_id, weighed_g FROM parcel ORDER BY id",
    "SELECT parcel_id, number, state FROM binding ORDER BY id",
    "SELECT id, state FROM waybill_cancel ORDER BY id",
    "SELECT id, withdrawn_at FROM decision ORDER BY id",
    "SELECT id, trusted_kinds, confirm_days FROM shop WHERE code = 'tea'",
    "SELECT id, name FROM sku ORDER BY id",
    "SELECT id, role, disabled_at, password_hash FROM staff WHERE login = 'li'",
    "SELECT id, revoked_at FROM api_key WHERE name = 'tea'",
    "SELECT id FROM print",
    "SELECT rule, position, halted FROM rule_cursor",
    "SELECT rule, event_id FROM parked ORDER BY event_id",
    "SELECT count(*) FROM rule_request",
    "SELECT id, state FROM job WHERE kind = 'print' ORDER BY id",
    "SELECT id, settled_by FROM unread_line",
    "SELECT id, state, priority, assignee, ending, version FROM ticket ORDER BY id",
    "SELECT id, what FROM ticket_entry ORDER BY id",
    "SELECT slowdown_id, ended_at FROM notice_round",
    "SELECT id, url, secret_sealed, disabled_at FROM webhook_endpoint ORDER BY id",
    "SELECT id, state, attempts_before FROM webhook_delivery ORDER BY id",
)


MAIL = {"host": "smtp.example.com", "port": "587", "security": "starttls", "sender": "a@example.com"}


@dataclass(frozen=True, slots=True)
class Story:
    """What the examples are about. Parcels by what is done with them; `left` has left the warehouse."""

    parcels: dict[str, int]
    ids: dict[str, int]


@pytest.fixture
def story(desk: Desk) -> Story:
    """Orders of one shop at every stage a route needs, and what is set up."""
    bench = desk.bench
    with desk.work.begin() as tx:
        printer = insert(tx, "INSERT INTO printer (name, uri) VALUES ('A3', 'folder:///tmp/x') RETURNING id")
        idle = insert(tx, "INSERT INTO printer (name, uri) VALUES ('A4', 'folder:///tmp/y') RETURNING id")
        tx.conn.execute("UPDATE warehouse SET printer_id = %s", [printer])
    names = ("main", "left", "void", "reissue", "cancelled", "refused")
    order_ids = bench.orders(*names, "bare", "unshipped")
    bench.ship(*order_ids[:5])
    bench.drain()
    bench.carrier.faults.append("denied")
    bench.ship(order_ids[5])
    bench.drain()
    rows = bench.rows("SELECT number, parcel_id FROM parcel_order JOIN orders ON orders.id = order_id")
    parcels = dict(rows)
    bench.carrier.cancel_outcomes.append("unsupported")
    bench.run(lambda tx: fulfilment.void(tx, [parcels["cancelled"]], reason="x", actor="staff:1"))
    bench.drain()
    with desk.work.begin() as tx:
        fulfilment.dispatch(tx, [parcels["left"]], by="scan", actor="staff:1")
        orders.derive(tx, order_ids)
        follow(tx, parcels["main"])
    with desk.work.begin() as tx:
        batch = ranges.add_numbers(tx, bench.accounts["ZTO"], "ZT0001-ZT0003", actor="staff:1").batch_id
        ids = {
            "batch": batch,
            "order": order_ids[0], "parcel": parcels["main"], "printer": printer, "idle": idle,
            "account": bench.accounts["ZTO"], "aggregator": insert(tx, "SELECT id FROM aggregator"),
            "decision": insert(tx, "SELECT id FROM decision"), "cancel": insert(tx, "SELECT id FROM waybill_cancel"),
            "push": insert(tx, "SELECT id FROM quarantine"), "line": insert(tx, "SELECT id FROM unread_line"),
            **hire(tx, desk.world.tea), **stop_the_machine(tx),
            **tell_outside(tx, desk.world.tea), **trouble(tx, desk.world.tea, parcels["left"]),
            "channel": open_channel(tx, desk.world.tea),
            "notice": notices.say(tx, order_ids[0], Saying(text="在查"), actor="staff:1"),
        }  # fmt: skip
    return Story(parcels, ids)


def insert(tx: Tx, query: str) -> int:
    row = tx.conn.execute(query.encode()).fetchone()
    assert row is not None
    return int(row[0])


def follow(tx: Tx, parcel_id: int) -> None:
    """The parcel is tracked, decided on, told of by a push; and a push nobody can read is kept."""
    [(binding, aggregator)] = tx.conn.execute(
        "SELECT id, aggregator_id FROM binding WHERE parcel_id = %s", [parcel_id]
    ).fetchall()
    tracking.begin_tracks(tx, [binding])
    tracking.decide(tx, parcel_id, verdict=Verdict.LOST, actor="staff:1", reason="x")
    key_id, key = tx.keys.day_key(tx.conn, tx.now.date())
    tx.conn.execute(
        """INSERT INTO inbox (digest, id, aggregator_id, received_at, size, key_id, sealed)
           VALUES ('d', %s, %s, %s, 2, %s, %s)""",
        [PUSH, aggregator, tx.now, key_id, seal(key, b"{}", aad=b"d")],
    )
    tx.conn.execute(
        """INSERT INTO telling (binding_id, source, parcel_id, shop_id, listed_at, inbox_id)
           SELECT id, 'kdniao', parcel_id, shop_id, %s, %s FROM binding WHERE id = %s""",
        [tx.now, PUSH, binding],
    )
    tx.conn.execute(
        """INSERT INTO unread_line (aggregator_id, carrier, number, line, reason, parcel_id, shop_id, inbox_id, seen_at)
           SELECT aggregator_id, carrier, number, number, 'no time', parcel_id, shop_id, %s, %s FROM binding
           WHERE id = %s""",
        [PUSH, tx.now, binding],
    )
    tracking.quarantine(tx, aggregator_id=aggregator, digest=b"q" * 32, body=b"", reason="unreadable")


def stop_the_machine(tx: Tx) -> dict[str, int]:
    """A rule that could not digest two events of the shop and is halted; two jobs that were given up."""
    log.sequence(tx.conn)
    first, second = log.read(tx.conn, after=0, limit=2)
    rule_cursor.register(tx.conn, RULE, from_beginning=False, at=tx.now)
    rule_cursor.park(tx.conn, RULE, [first, second], error="ValueError at x.py:1", at=tx.now)
    rule_cursor.halt(tx.conn, RULE, "too much")
    tx.enqueue(*(Job("print", first.event.shop_id, key, first.event.subject) for key in ("again", "never")))
    tx.conn.execute("UPDATE job SET state = 'given_up', finished_at = clock_timestamp() WHERE kind = 'print'")
    again, never = (job.id for job in job_mending.list_given_up(tx, kind="print"))
    return {"event": first.id, "job": again, "never": never}


def hire(tx: Tx, shop_id: int) -> dict[str, int]:
    """A person and a key of this shop."""
    limits = Limits(shops=(shop_id,))
    made = people.create_staff(tx, login="li", name="Li", role="care", limits=limits, by=OWNER)
    new = people.create_key(tx, name="tea", scopes=["orders:read"], limits=limits, by=OWNER)
    return {"person": made.staff.id, "key": new.key.id}


def tell_outside(tx: Tx, shop_id: int) -> dict[str, int]:
    """An endpoint of this shop, and something that is told to it."""
    new = webhooks.add_endpoint(tx, shop_id, EndpointIn("https://erp.example/", ("*",)), actor="staff:1")
    webhooks.test_endpoint(tx, new.endpoint.id, actor="staff:1")
    return {"webhook": new.endpoint.id, "delivery": insert(tx, "SELECT id FROM webhook_delivery")}


def trouble(tx: Tx, shop_id: int, parcel_id: int) -> dict[str, int]:
    """A ticket for each deed there is, one of them closed."""
    causes = {
        "ticket": Cause.STALLED, "released": Cause.SUBSCRIPTION_DEAD, "handed": Cause.BUYER_NOT_RECEIVED,
        "closed": Cause.BUYER_DAMAGED, "reopened": Cause.CANCELLED_NUMBER_SCANNED, "merged": Cause.OVERDUE,
    }  # fmt: skip
    at = {"shop_id": shop_id, "at": tx.now, "because": "event:1", "parcel_id": parcel_id}
    care.raise_troubles(tx, [Trouble(cause=cause, **at) for cause in causes.values()])
    ids = {name: insert(tx, f"SELECT id FROM ticket WHERE cause = '{cause}'") for name, cause in causes.items()}
    handling.close(tx, [ids["reopened"]], Ending.SOLVED, actor="staff:1")
    return ids | {"incident": slow_down(tx, shop_id)}


def slow_down(tx: Tx, shop_id: int) -> int:
    """The ticket of an incident that holds nothing by now."""
    slowdown_id = insert(
        tx,
        f"""INSERT INTO slowdown (carrier, place, began_at, silent, expected)
            VALUES ('YTO', '杭州', '{tx.now}', 9, 1) RETURNING id""",
    )
    told = Trouble(shop_id=shop_id, cause=Cause.INCIDENT, at=tx.now, because="event:1", slowdown_id=slowdown_id)
    care.raise_troubles(tx, [told])
    return insert(tx, "SELECT id FROM ticket WHERE cause = 'incident'")


def open_channel(tx: Tx, shop_id: int) -> int:
    told = ChannelIn("mail", MAIL)
    return channels.add_channel(tx, shop_id, "smtp", told, gateways=GATEWAYS, actor="staff:1").id


@dataclass(frozen=True, slots=True)
class Ask:
    """What to send; `path` where the route's own cannot be filled in from the story's ids."""

    body: Any = None
    path: str = ""
    expected: int = 0


def examples(story: Story, desk: Desk) -> dict[str, Ask]:
    """A good request for every route that needs more than the story's ids, by the name of its function, in an order
    in which all of them can be done."""
    tea, yh, parcels, ids = desk.world.tea, desk.world.yh, story.parcels, story.ids
    main, account = {"orders": ["tea:main"]}, {"name": "ours", "parameters": {"customer_name": "us"}}
    at = {name: f"/api/parcels/{parcel_id}" for name, parcel_id in parcels.items()}
    return {
        "get_sku": Ask(path="/api/skus/tea/T1"),
        "get_shop": Ask(path=f"/api/shops/{tea}"),
        "get_hours": Ask(path=f"/api/shops/{tea}/deadlines"),
        "get_warehouse": Ask(path=f"/api/warehouses/{yh}"),
        "draw_label": Ask(path=f"{at['main']}/label.pdf"),
        "unmask_order": Ask(REASON),
        "open_push": Ask({"push": str(PUSH), **REASON}),
        "accept_orders": Ask(raw_order("new")),
        "add_numbers": Ask({"numbers": ["YT0001-YT0002"]}),
        "draw_numbers": Ask({"on": False}),
        "save_mapping": Ask({"name": "erp", "target": "orders", "columns": {"流水": "number"}}),
        "drop_mapping": Ask({"name": "erp"}),
        "erase_receiver": Ask(REASON, "/api/orders/tea:new/erase"),
        "hold_orders": Ask({"orders": ["tea:bare"], **REASON}),
        "release_orders": Ask({"orders": ["tea:bare"], **REASON}),
        "cancel_orders": Ask({"orders": ["tea:bare"], **REASON}),
        "confirm_orders": Ask({"orders": ["tea:left"]}),
        "ship_orders": Ask(main),
        "ship_number": Ask({"order": "tea:unshipped", "carrier": "YTO", "number": "YT800000001"}),
        "withdraw_decision": Ask(REASON),
        "decide_parcel": Ask({"verdict": "delivered", **REASON}),
        "reprint_label": Ask(REASON),
        "dispatch_parcels": Ask({"parcels": [str(parcels["main"])]}),
        "void_parcel": Ask(REASON, f"{at['void']}/void"),
        "reissue_parcel": Ask(REASON, f"{at['reissue']}/reissue"),
        "bind_number": Ask({"carrier": "YTO", "number": "YT700000001"}, f"{at['refused']}/bind"),
        "settle_cancel": Ask({"outcome": "confirmed", **REASON}),
        "save_skus": Ask({"shop": "tea", "skus": [{"code": "S1", "name": "tea"}]}),
        "create_shop": Ask({"code": "new", "name": "New"}),
        "set_policy": Ask({"trusted_kinds": ["in_person"], "confirm_days": 3}, f"/api/shops/{tea}/policy"),
        "set_hours": Ask(
            {"ship_by_h": 24, "collection_h": 24, "pickup_h": 24, "watched": ["ship_by"]}, f"/api/shops/{tea}/deadlines"
        ),
        "save_warehouse": Ask(
            {"code": "w2", "name": "W", "province": "浙江省", "city": "杭州市",
             "sender": {"name": "x", "mobile": "13800000000", "address": "y"}}
        ),
        "link_printer": Ask({"printer": str(ids["printer"])}, f"/api/warehouses/{yh}/printer"),
        "add_aggregator": Ask(
            {"code": "two", "integration": "kdniao", "merchant_id": "1", "base_url": "https://x.example", "key": "k"}
        ),
        "change_aggregator": Ask({"merchant_id": "1", "base_url": "https://x.example"}),
        "add_account": Ask(account | {"aggregator": str(ids["aggregator"]), "carrier": "SF"}),
        "change_account": Ask(account | {"name": "mine"}),
        "switch_account": Ask({"on": True}),
        "add_printer": Ask({"name": "B4", "uri": "folder:///tmp/z"}),
        "change_printer": Ask({"name": "C5", "uri": "folder:///tmp/z"}),
        "switch_printer": Ask({"on": True}),
        "move_queue": Ask({"to": str(ids["idle"])}),
        "remove_printer": Ask(path=f"/api/printers/{ids['idle']}", expected=409),
        "add_person": Ask({"login": "wu", "shops": [str(tea)], **NEW}),
        "change_person": Ask({"shops": [str(tea)], **NEW}),
        "create_key": Ask({"name": "k", "scopes": ["orders:read"], "shops": [str(tea)]}),
        "dismiss_strangers": Ask({"waybills": [{"carrier": "YTO", "number": "YT9"}]}),
        "retry_push": Ask(expected=409),
        "show_rule": Ask(path=f"/api/rules/{RULE}"),
        "retry_rule": Ask(path=f"/api/rules/{RULE}/retry"),
        "skip_event": Ask({"event_id": str(ids["event"]), **REASON}, f"/api/rules/{RULE}/skip"),
        "resume_rule": Ask(REASON, f"/api/rules/{RULE}/resume"),
        "replay_rule": Ask({"position": 1, **REASON}, f"/api/rules/{RULE}/replay"),
        "dismiss_job": Ask(REASON, f"/api/jobs/{ids['never']}/dismiss"),
        "retry_unread": Ask(expected=409),
        "add_channel": Ask({"shop": "tea", "gateway": "smtp", "name": "second", "settings": MAIL}),
        "change_channel": Ask({"name": "third", "settings": MAIL}),
        "switch_channel": Ask({"on": True}),
        "test_channel": Ask({"to": "me@example.com"}),
        "set_unread_aside": Ask(),
        "open_ticket": Ask({"cause": "buyer_wants_address", "parcel": str(parcels["left"]), "text": "after six"}),
        "set_embedding": Ask({"origins": ["https://shop.example"]}, f"/api/shops/{tea}/embedding"),
        "say": Ask({"text": "您好，包裹已在查。"}),
        "say_again": Ask(expected=409),
        "settle": Ask({"said": True}, expected=409),
        "opt_out": Ask({}),
        "opt_in": Ask({}),
        "note_tickets": Ask({"tickets": [str(ids["ticket"])], "text": "called twice"}),
        "prioritise_tickets": Ask({"tickets": [str(ids["ticket"])], "priority": "low"}),
        "take_tickets": Ask({"tickets": [str(ids["ticket"])], "versions": {}}),
        "release_tickets": Ask({"tickets": [str(ids["released"])]}),
        "hand_over_tickets": Ask({"tickets": [str(ids["handed"])], "to": f"staff:{ids['person']}"}),
        "close_tickets": Ask({"tickets": [str(ids["closed"])], "ending": "refunded"}),
        "reopen_tickets": Ask({"tickets": [str(ids["reopened"])]}),
        "merge_tickets": Ask({"tickets": [str(ids["merged"])], "into": str(ids["reopened"])}),
        "read_telling": Ask(path=f"/api/tickets/{ids['incident']}/tell"),
        "tell_incident": Ask({"zh": "会晚到"}, path=f"/api/tickets/{ids['incident']}/tell"),
        "take_next_ticket": Ask({"priorities": ["high"]}),
        "add_webhook": Ask({"shop": "tea", "url": "https://erp.example/2", "wanted": ["parcel.*"]}),
        "change_webhook": Ask({"url": "https://erp.example/3", "wanted": ["order.held"]}),
        "switch_webhook": Ask({"on": True}),
        "replay_webhook_delivery": Ask(),
        "replay_webhook": Ask({"since": "2026-11-11T00:00:00Z", "until": "2026-11-12T00:00:00Z"}),
        "rotate_webhook": Ask(),
        "test_webhook": Ask(),
        "remove_webhook": Ask(),
    }  # fmt: skip


@pytest.fixture
def routes(desk: Desk, story: Story) -> list[tuple[Route, Ask]]:
    """Reading first, then the deeds in the order of the examples."""
    asks = examples(story, desk)
    found = list_routes(desk.client.app)  # type: ignore[arg-type]
    assert asks.keys() <= {route.endpoint.__name__ for route in found}
    done = [*asks]

    def turn(route: Route) -> tuple[bool, int]:
        name = route.endpoint.__name__
        return route.method != "GET", done.index(name) if name in asks else len(done)

    return [(route, asks.get(route.endpoint.__name__, Ask())) for route in sorted(found, key=turn)]


def send(program: Program, story: Story, route: Route, ask: Ask) -> Any:
    path = ask.path or re.sub(r"{(\w+)}", lambda found: str(story.ids[found[1]]), route.path)
    return program.post(path, ask.body, method=route.method)


def test_nobody_and_the_wrong_role_are_refused(desk: Desk, story: Story, routes: list[tuple[Route, Ask]]) -> None:
    before = belongings(desk)
    nobody, forger = Program(desk.client, {}), Program(desk.client, {"Authorization": "Bearer ws_nobody_nothing"})
    for route, ask in routes:
        for program in (nobody, forger):
            assert send(program, story, route, ask).status_code == 401, route
        if route.permission != SIGNED_IN:
            others = EVERY - {route.permission}
            answer = send(desk.key(*others), story, route, ask)
            assert answer.status_code == 403, route
            assert answer.headers["content-type"] == "application/problem+json"
    assert belongings(desk) == before


def test_the_right_role_is_served(desk: Desk, story: Story, routes: list[tuple[Route, Ask]]) -> None:
    care, owner = desk.person("care"), desk.person("owner")
    for route, ask in routes:
        if route.permission in (UNMASK, GIVING):
            # No key sees anybody in the clear, and nobody gives more than they have.
            program = care if route.permission == UNMASK else owner
        else:
            program = desk.key(route.permission if route.permission != SIGNED_IN else "orders:read")
        answer = send(program, story, route, ask)
        assert answer.status_code == (ask.expected or route.doc.status), (route, answer.text)
        if answer.is_success and route.doc.gives is not bytes:
            read(answer.json(), route.doc.gives)


def test_another_shop_sees_and_touches_nothing(desk: Desk, story: Story, routes: list[tuple[Route, Ask]]) -> None:
    before = belongings(desk)
    program = desk.key(shops=(desk.world.toys,))
    owner = desk.person("owner", shops=(desk.world.toys,))
    marks = {str(row_id) for row_id in (story.ids["order"], *story.parcels.values())}
    marks |= {number for (number,) in desk.bench.rows("SELECT number FROM binding")} | {'"tea"'}
    assert all(mark in desk.key().get("/api/parcels").text for mark in map(str, story.parcels.values()))
    for route, ask in routes:
        answer = send(owner if route.permission == UNMASK else program, story, route, ask)
        assert answer.status_code < 500, (route, answer.text)
        assert answer.status_code != 401, route
        assert not [mark for mark in marks if mark in answer.text], (route, answer.text)
        if {"{order}", "{parcel}", "{line}", "{webhook}", "{ticket}"} & set(route.path.split("/")):
            assert answer.status_code == 404, route
    assert belongings(desk) == before


def belongings(desk: Desk) -> list[Any]:
    return [desk.bench.rows(query) for query in BELONGINGS]


def test_a_form_of_another_site_does_nothing(desk: Desk, story: Story) -> None:
    owner = desk.person("owner")
    forged = Program(desk.client, {"Cookie": owner.headers["Cookie"]})
    answer = forged.post("/api/orders/cancel", {"orders": ["tea:bare"], **REASON})
    assert answer.status_code == 403


def test_rubbish_is_never_our_fault(desk: Desk, story: Story, routes: list[tuple[Route, Ask]]) -> None:
    """Each field of each example in turn is something else; then ids and filters are."""
    program = desk.person("owner")
    for route, ask in routes:
        for body in rubbish(ask.body) if ask.body is not None else ():
            answer = send(program, story, route, Ask(body, ask.path))
            assert answer.status_code < 500, (route, body, answer.text)
        if route.method == "GET":
            for text in ("x", "-1", "99999999999999999999", "%ff", "' OR 1=1 --"):
                path = re.sub(r"{\w+}", text, route.path)
                answer = program.get(path, params=dict.fromkeys(("after", "limit", "shop", "q", "stage"), text))
                assert answer.status_code < 500, (route, text, answer.text)


def rubbish(body: Any) -> Iterator[Any]:
    yield from (None, [], 7, "x", [[]], {"x": 1}, [None])
    if isinstance(body, dict):
        yield body | {"unheard_of": 1}
        for name in body:
            yield from ({**body, name: other} for other in (None, -1, 2**70, {}, [None], "x" * 10_000))
