"""What counts as known of a source is stored here or has left for the lake; a whole list misses nothing stored."""

SENTENCE_ZH = "来源已知的扫描要么存在这里，要么已归档；完整清单不漏已存的。"

SQL = """
SELECT telling.parcel_id, telling.source, listed.key::bigint AS key, 'listed but not stored' AS wrong
FROM telling CROSS JOIN jsonb_object_keys(telling.codes) AS listed (key)
WHERE NOT EXISTS (SELECT FROM scan WHERE scan.parcel_id = telling.parcel_id AND scan.key = listed.key::bigint)
  AND NOT EXISTS (SELECT FROM scan_detached WHERE telling.parcel_id >= first AND telling.parcel_id < past)
UNION ALL
SELECT scan.parcel_id, scan.source, scan.key, 'stored but not listed'
FROM scan JOIN telling USING (binding_id, source)
WHERE telling.whole AND NOT telling.codes ? scan.key::text
"""
