"""Every shop with parcels in a slow-down was told of it, and a slow-down that ended holds no ticket back."""

SENTENCE_ZH = "大面积延误中有包裹的店铺都已得知；已结束的延误不再压住任何提醒。"

SQL = """
SELECT silence.slowdown_id, silence.shop_id, 'the shop was not told' AS wrong
FROM silence JOIN slowdown ON slowdown.id = silence.slowdown_id
WHERE slowdown.ended_at IS NULL
  AND NOT EXISTS (SELECT FROM slowdown_shop AS told
                  WHERE told.slowdown_id = silence.slowdown_id AND told.shop_id = silence.shop_id)
UNION ALL
SELECT slowdown_id, shop_id, 'told without a parcel' FROM slowdown_shop AS told
WHERE NOT EXISTS (SELECT FROM silence WHERE silence.slowdown_id = told.slowdown_id)
  AND NOT EXISTS (SELECT FROM silence WHERE silence.shop_id = told.shop_id AND silence.alone_at >= told.told_at)
"""
