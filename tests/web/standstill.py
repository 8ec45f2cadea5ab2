"""A machine that mostly flows: one rule is behind, one has parked events, one is halted; jobs were given up."""

import random
from datetime import timedelta

from tests.web.sample import World
from waystream import rules
from waystream.core.events.orders import OrderHeld, OrderReleased
from waystream.kernel import job_mending, log, open_list, rule_cursor, samples
from waystream.kernel.jobs import Job
from waystream.kernel.samples import EDGES_MS, EDGES_PUSHES, DatabaseSample, PushSample, QueuePoint, RulePoint
from waystream.kernel.tx import Tx

PARKING, HALTED, BEHIND = "parcel_moves_order", "waybill_issued_prints_label", "waybill_issued_subscribes"
EVERY = [module.__name__.rpartition(".")[2] for module in open_list.load(rules)]
ERROR = "ForeignKeyViolation 23503 table=track constraint=track_parcel_id_fkey"


def stand_still(tx: Tx, world: World) -> None:
    """In the sample world. The first parked event is the first order's being held; its release waits behind it."""
    shop_id, (first, second, *_) = world.shop_ids[0], world.order_ids
    for order_id in (first, second):
        tx.emit(
            OrderHeld(shop_id=shop_id, order_id=order_id, reason="x"), OrderReleased(shop_id=shop_id, order_id=order_id)
        )
    while log.sequence(tx.conn):
        pass
    _stop_rules(tx)
    _give_up_jobs(tx, shop_id, world.parcel_ids[0])
    _hear(tx)
    _sample(tx)


def _stop_rules(tx: Tx) -> None:
    head = log.head(tx.conn)
    for rule in EVERY:
        rule_cursor.register(tx.conn, rule, from_beginning=False, at=tx.now - timedelta(minutes=2))
    told = log.read(tx.conn, after=head - 4, limit=4)
    for rule, poison in ((PARKING, told[:1]), (HALTED, told[::2])):
        rule_cursor.park(tx.conn, rule, poison, error=ERROR, at=tx.now - timedelta(hours=3))
    rule_cursor.park(tx.conn, PARKING, told[1:2], at=tx.now - timedelta(hours=2))
    rule_cursor.halt(tx.conn, HALTED, "more than 100 events could not be digested")
    rule_cursor.move(tx.conn, BEHIND, position=head - 3, at=tx.now - timedelta(seconds=20))


def _give_up_jobs(tx: Tx, shop_id: int, parcel_id: int) -> None:
    subject = f"parcel:{parcel_id}"
    tx.enqueue(Job("subscribe", shop_id, "1", subject), Job("drain_printer", 0, "printer:1", "printer:1"))
    tx.conn.execute(
        """UPDATE job SET state = 'given_up', attempts = 12, error = '快递公司不支持订阅',
                  finished_at = clock_timestamp()
           WHERE kind = 'subscribe' AND key = '1'"""
    )
    assert job_mending.list_given_up(tx, kind="subscribe")
    tx.enqueue(Job("subscribe", shop_id, "2", subject))


def _hear(tx: Tx) -> None:
    """SF is heard all the time; ZTO usually is silent for two hours and is for nine."""
    for carrier, silent_h, usual_s in (("SF", 0.1, 3_600.0), ("ZTO", 9.0, 7_200.0)):
        tx.conn.execute(
            """INSERT INTO carrier_heard (aggregator_id, carrier, day, pushes, last_at, longest_gap_s)
               SELECT (SELECT min(id) FROM aggregator), %(carrier)s, (%(at)s::timestamptz - n * interval '1 day')::date,
                      900, %(at)s::timestamptz - n * interval '1 day', %(usual)s
               FROM generate_series(0, 7) AS n""",
            {"carrier": carrier, "at": tx.now - timedelta(hours=silent_h), "usual": usual_s},
        )


def _sample(tx: Tx) -> None:
    """An hour of samples, a minute apart, the last one just now."""
    chance = random.Random(7)
    for minute in range(60):
        pushes = 200 + chance.randrange(120)
        commit = [0] * (len(EDGES_MS) + 1)
        commit[6], commit[9] = pushes - 1, 1
        groups = [chance.randrange(40) // (at + 1) for at in range(len(EDGES_PUSHES) + 1)]
        told = (
            ("host:1", PushSample(pushes, int(minute % 17 == 0), 0, 0, tuple(commit), tuple(groups))),
            (samples.DATABASE, _database_sample(minute, lag=chance.randrange(900))),
        )
        for source, sample in told:
            samples.insert(tx.conn, source, sample)
            tx.conn.execute(
                """UPDATE machine_sample SET at = clock_timestamp() - make_interval(mins => %s)
                   WHERE source = %s AND at = (SELECT max(at) FROM machine_sample WHERE source = %s)""",
                [59 - minute, source, source],
            )


def _database_sample(minute: int, *, lag: int) -> DatabaseSample:
    rules = (RulePoint(PARKING, 1000 * minute, lag, 2), RulePoint(BEHIND, 900 * minute, 2 * lag, 0))
    queues = (QueuePoint("subscribe", lag // 9, 1, 0, 0.0),)
    return DatabaseSample(1000 * minute, lag // 20, 0.1, rules, queues, 10**9)
