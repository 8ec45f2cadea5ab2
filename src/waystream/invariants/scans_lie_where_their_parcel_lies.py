"""A scan lies in the afterlife only once its parcel's partition has left, and from then on only there."""

SENTENCE_ZH = "包裹的分区归档之后，晚到的扫描才放在归档区，此后只放在那里。"

SQL = """
SELECT afterlife.parcel_id, afterlife.key, 'its partition has not left' AS wrong FROM afterlife
WHERE NOT EXISTS (SELECT FROM scan_detached WHERE afterlife.parcel_id >= first AND afterlife.parcel_id < past)
UNION ALL
SELECT scan.parcel_id, scan.key, 'its partition has left'
FROM scan_detached JOIN scan ON scan.parcel_id >= first AND scan.parcel_id < past
"""
