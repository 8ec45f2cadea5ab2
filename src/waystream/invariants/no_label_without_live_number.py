"""A label that may be used belongs to the live number of its parcel."""

SENTENCE_ZH = "可用的面单属于其包裹的有效单号。"

SQL = """
SELECT 'label ' || label.id || ' of parcel ' || label.parcel_id || ' is for a number that is ' || binding.state
FROM label JOIN binding ON binding.id = label.binding_id
WHERE label.voided_at IS NULL AND (binding.state <> 'live' OR binding.parcel_id <> label.parcel_id)
"""
