"""A dispatched parcel that no carrier has scanned has one collection deadline: open, or missed.

Parcels whose events the rule `parcels_have_deadlines` has still to read are left out, and shops whose settings are just
being applied or that do not watch collections.
"""

SENTENCE_ZH = "已出库而未揽收的包裹，都有且只有一个揽收期限：未到，或已超时。"

SQL = """
SELECT 'parcel ' || p.id || ' was dispatched, and nothing awaits its collection' FROM parcel p
LEFT JOIN track t ON t.parcel_id = p.id
WHERE p.stage = 'dispatched' AND t.collected_at IS NULL
  AND COALESCE(t.state, '') NOT IN ('delivered', 'returned', 'lost', 'cancelled')
  AND NOT EXISTS (
      SELECT FROM deadline d WHERE d.subject_id = p.id AND d.kind = 'collection' AND d.stand IN ('open', 'missed'))
  AND NOT EXISTS (SELECT FROM deadline_setting s WHERE s.shop_id = p.shop_id AND 'collection' = ANY (s.off))
  AND NOT EXISTS (
      SELECT FROM job WHERE job.kind = 'follow_deadlines' AND job.shop_id = p.shop_id
        AND job.state IN ('ready', 'running'))
  AND NOT EXISTS (
      SELECT FROM event e LEFT JOIN log ON log.event_id = e.id
      WHERE e.subject = 'parcel:' || p.id AND (log.position IS NULL OR log.position > COALESCE(
          (SELECT position FROM rule_cursor WHERE rule = 'parcels_have_deadlines'), 0)))
"""
