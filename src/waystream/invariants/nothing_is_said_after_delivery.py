"""Of a delivered parcel nothing more is said by itself, but that it was delivered."""

SENTENCE_ZH = "包裹签收后，除了签收本身，不再自动对买家说什么。"

# A parcel's track was last changed at changed_at: what was composed later saw what stands there now, but for pushes
# that were just being taken in (an hour is less than a second where business time runs fast). A message is wrong only
# if it spoke of no other parcel.
SQL = """
SELECT 'notice ' || notice.id || ': ' || notice.kind
FROM notice
WHERE notice.state IN ('sending', 'handed', 'delivered') AND notice.actor = ''
  AND notice.kind NOT IN ('delivered', 'said')
  AND EXISTS (SELECT FROM notice_thing WHERE notice_id = notice.id AND parcel_id <> 0)
  AND NOT EXISTS (
      SELECT FROM notice_thing thing LEFT JOIN track USING (parcel_id)
      WHERE thing.notice_id = notice.id
        AND (track.state IS DISTINCT FROM 'delivered' OR track.changed_at >= notice.composed_at - interval '1 hour'))
"""
