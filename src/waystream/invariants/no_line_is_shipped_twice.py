"""Parcels that left hold no more of an order line than was ordered."""

SENTENCE_ZH = "已出库的包裹里，订单行的数量不超过所订。"

SQL = """
SELECT 'order line ' || order_line.id || ': ' || sum(parcel_line.quantity) || ' shipped of ' || order_line.quantity
FROM parcel_line JOIN parcel ON parcel.id = parcel_line.parcel_id
JOIN order_line ON order_line.id = parcel_line.order_line_id
WHERE parcel.stage = 'dispatched' GROUP BY order_line.id, order_line.quantity
HAVING sum(parcel_line.quantity) > order_line.quantity
"""
