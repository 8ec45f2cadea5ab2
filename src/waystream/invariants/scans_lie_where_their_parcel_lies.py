"""A scan lies in the afterlife only once its parcel's partition has left, and from then on only there."""

SQL = """
SELECT afterlife.parcel_id, afterlife.key, 'its partition has not left' AS wrong FROM afterlife
WHERE NOT EXISTS (SELECT FROM scan_detached WHERE afterlife.parcel_id >= first AND afterlife.parcel_id < past)
UNION ALL
SELECT scan.parcel_id, scan.key, 'its partition has left'
FROM scan_detached JOIN scan ON scan.parcel_id >= first AND scan.parcel_id < past
"""
