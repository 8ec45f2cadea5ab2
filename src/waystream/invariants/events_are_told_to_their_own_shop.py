"""An event is told only to endpoints of its own shop."""

SENTENCE_ZH = "事件只告诉本店铺的接收地址。"

SQL = """
SELECT 'delivery ' || webhook_delivery.id || ' of endpoint ' || endpoint_id
FROM webhook_delivery JOIN webhook_endpoint ON webhook_endpoint.id = endpoint_id
LEFT JOIN event ON event.id = event_id
WHERE webhook_delivery.shop_id <> webhook_endpoint.shop_id OR event.shop_id <> webhook_endpoint.shop_id
"""
