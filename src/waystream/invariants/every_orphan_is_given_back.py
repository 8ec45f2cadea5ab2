"""A number nobody wants is cancelled, being cancelled, or listed for a person; none is forgotten."""

SENTENCE_ZH = "没人要的单号要么已取消、正在取消，要么列给人处理，没有被遗忘的。"

SQL = """
SELECT 'orphan take ' || take.id || ' was never given back' FROM take
WHERE take.state = 'orphan' AND NOT EXISTS (SELECT FROM waybill_cancel WHERE waybill_cancel.take_id = take.id)
UNION ALL
SELECT 'cancel ' || waybill_cancel.id || ' is asked but nobody asks' FROM waybill_cancel
WHERE waybill_cancel.state = 'asked' AND NOT EXISTS (
    SELECT FROM job WHERE job.kind = 'cancel_waybill' AND job.key = waybill_cancel.id::text
    AND job.state IN ('ready', 'running'))
UNION ALL
SELECT 'number ' || binding.number || ' is being cancelled by nobody' FROM binding
WHERE binding.state = 'cancelling' AND NOT EXISTS (
    SELECT FROM waybill_cancel WHERE waybill_cancel.state IN ('asked', 'unsupported')
    AND (waybill_cancel.binding_id = binding.id OR waybill_cancel.take_id = binding.take_id))
"""
