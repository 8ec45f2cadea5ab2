"""A parcel has at most one live number, and a live number belongs to one parcel."""

SENTENCE_ZH = "一个包裹最多一个有效单号，一个有效单号只属于一个包裹。"

SQL = """
SELECT 'parcel ' || parcel_id || ' has ' || count(*) || ' live numbers' FROM binding
WHERE state IN ('live', 'cancelling') GROUP BY parcel_id HAVING count(*) > 1
UNION ALL
-- A binding whose number was given out again has ended; one that owns no moment at all never began.
SELECT 'number ' || number || ' of ' || carrier || ' is live for ' || count(*) || ' parcels' FROM binding
WHERE state IN ('live', 'cancelling') AND (owns_until IS NULL OR owns_until <= owns_from)
GROUP BY carrier, number HAVING count(*) > 1
"""
