"""Nothing is printed for a dead number: no print starts after its label was voided, and no queue keeps it."""

SENTENCE_ZH = "不为失效的单号打印：面单作废后不再开始打印，队列里也不留。"

# A queue is cleared by a rule: only labels whose voiding every rule has digested are judged. A printer may finish what
# it was printing when the label was voided; it must not begin.
SQL = """
SELECT 'print ' || print.id || ' of void label ' || label.id || ' is ' || print.state
FROM print JOIN label ON label.id = print.label_id
WHERE label.voided_at IS NOT NULL
  AND (print.queued_at > label.voided_at AND print.state <> 'voided'
       OR print.state = 'queued' AND EXISTS (
           SELECT FROM event JOIN log ON log.event_id = event.id
           WHERE event.subject = 'parcel:' || label.parcel_id AND event.name = 'LabelVoided'
             AND (event.body ->> 'label_id')::bigint = label.id
             AND log.position <= (SELECT min(position) FROM rule_cursor)))
"""
