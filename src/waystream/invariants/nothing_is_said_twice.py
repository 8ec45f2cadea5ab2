"""Nothing is said twice for one thing, except by a person who wants it said again."""

SENTENCE_ZH = "同一件事不对买家说两遍，除非有人要求重发。"

SQL = """
SELECT 'parcel ' || thing.parcel_id || ' of order ' || thing.order_id || ': ' || thing.kind || ' said by '
       || string_agg(notice.id::text, ' and ' ORDER BY notice.id)
FROM notice_thing thing JOIN notice ON notice.id = thing.notice_id
WHERE notice.state IN ('handed', 'delivered') AND thing.parcel_id <> 0
GROUP BY thing.parcel_id, thing.order_id, thing.kind, thing.nth
HAVING count(*) > 1
"""
