"""No deadline stands for what is done: a collected or delivered parcel, an order that left, arrived or was cancelled.

Orders and parcels whose events the rules of deadlines have still to read are left out.
"""

SENTENCE_ZH = "已经完成的事不再有期限：已揽收或签收的包裹，已发出、已送达或已取消的订单。"

SQL = """
SELECT 'parcel ' || t.parcel_id || ' was collected, and its collection is awaited' FROM deadline d
JOIN track t ON t.parcel_id = d.subject_id
WHERE d.kind = 'collection' AND d.stand IN ('open', 'missed') AND t.collected_at IS NOT NULL
  AND NOT EXISTS (
      SELECT FROM event e LEFT JOIN log ON log.event_id = e.id
      WHERE e.subject = 'parcel:' || d.subject_id AND (log.position IS NULL OR log.position > COALESCE(
          (SELECT position FROM rule_cursor WHERE rule = 'parcels_have_deadlines'), 0)))
UNION ALL
SELECT 'parcel ' || t.parcel_id || ' does not wait, and it is to be fetched' FROM deadline d
JOIN track t ON t.parcel_id = d.subject_id
WHERE d.kind = 'pickup' AND d.stand IN ('open', 'missed')
  AND (t.direction = 'back' OR t.state <> 'ready_for_pickup' AND (t.state, t.kind) <> ('exception', 'locker_overdue'))
  AND NOT EXISTS (
      SELECT FROM event e LEFT JOIN log ON log.event_id = e.id
      WHERE e.subject = 'parcel:' || d.subject_id AND (log.position IS NULL OR log.position > COALESCE(
          (SELECT position FROM rule_cursor WHERE rule = 'parcels_have_deadlines'), 0)))
UNION ALL
SELECT 'order ' || o.id || ' is done, and its ' || d.kind || ' is awaited' FROM deadline d
JOIN orders o ON o.id = d.subject_id
WHERE d.stand IN ('open', 'missed')
  AND (d.kind IN ('ship_by', 'promise') AND o.cancelled_at IS NOT NULL
       OR d.kind = 'promise' AND o.word IN ('delivered', 'completed', 'closed'))
  AND NOT EXISTS (
      SELECT FROM event e LEFT JOIN log ON log.event_id = e.id
      WHERE e.subject = 'order:' || o.id AND (log.position IS NULL OR log.position > COALESCE(
          (SELECT position FROM rule_cursor WHERE rule = 'orders_have_deadlines'), 0)))
"""
