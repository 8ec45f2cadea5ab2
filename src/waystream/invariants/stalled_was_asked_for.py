"""A parcel is told as stalled only after its carrier network was asked, or had no live number to be asked for."""

SENTENCE_ZH = "只有先向聚合平台查询过（或没有可查询的有效单号），才会说一个包裹停滞。"

SQL = """
SELECT silence.id, silence.parcel_id, 'nobody was asked' AS wrong
FROM silence JOIN track ON track.parcel_id = silence.parcel_id JOIN binding ON binding.id = track.binding_id
WHERE silence.state = 'stalled' AND binding.state = 'live' AND binding.bound_at < silence.found_at
  AND EXISTS (SELECT FROM rule_cursor WHERE rule = 'overdue_scan_is_asked_for' AND halted = ''
              AND position >= (SELECT position FROM sequencer))
  AND NOT EXISTS (SELECT FROM parked WHERE rule = 'overdue_scan_is_asked_for')
  AND NOT EXISTS (SELECT FROM event_new)
  AND NOT EXISTS (SELECT FROM inquiry WHERE inquiry.parcel_id = silence.parcel_id
                  AND (inquiry.created_at >= silence.found_at - interval '1 day' OR inquiry.state = 'queued'))
"""
