"""A label that may be used belongs to the live number of its parcel."""

SQL = """
SELECT 'label ' || label.id || ' of parcel ' || label.parcel_id || ' is for a number that is ' || binding.state
FROM label JOIN binding ON binding.id = label.binding_id
WHERE label.voided_at IS NULL AND (binding.state <> 'live' OR binding.parcel_id <> label.parcel_id)
"""
