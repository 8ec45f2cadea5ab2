"""What stands in the tally is what a count of the rows gives."""

SENTENCE_ZH = "计数与逐行清点一致。"

SQL = """
SELECT what || ' ' || word || ' of shop ' || shop_id || ' is told ' || sum(told) || ', there are ' || sum(there)
FROM (
    SELECT what, shop_id, warehouse_id, carrier, word, kind, n AS told, 0 AS there FROM tally WHERE slot = '-infinity'
    UNION ALL
    SELECT 'order', shop_id, warehouse_id, '', word, '', 0, count(*) FROM orders GROUP BY 2, 3, 5
    UNION ALL
    SELECT 'stage', shop_id, warehouse_id, carrier, stage, '', 0, count(*) FROM parcel GROUP BY 2, 3, 4, 5
    UNION ALL
    SELECT 'inquiry', shop_id, 0, '', state, outage_id::text, 0, count(*) FROM inquiry WHERE outage_id IS NOT NULL
    GROUP BY shop_id, state, outage_id
    UNION ALL
    SELECT 'state', shop_id, warehouse_id, carrier, state, kind, 0, count(*) FROM track GROUP BY 2, 3, 4, 5, 6
) AS both_counts
GROUP BY what, shop_id, warehouse_id, carrier, word, kind HAVING sum(told) <> sum(there)
"""
