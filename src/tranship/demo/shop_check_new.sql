-- One row per fact about the shop that the move must keep, as NEW tells it: (what, value). PostgreSQL 12 or newer.
SELECT 'orders worth, ' || extract(year FROM o.order_date) AS what, sum(i.quantity * i.unit_price)::text AS value
FROM orders AS o JOIN order_items AS i ON i.order_id = o.id GROUP BY extract(year FROM o.order_date)
UNION ALL
SELECT 'customers, ' || status, count(*)::text FROM customers GROUP BY status
UNION ALL
SELECT 'products in ' || coalesce(c.name, 'no category'), count(*)::text FROM products AS p LEFT JOIN categories AS c ON c.id = p.category_id GROUP BY c.name
UNION ALL
SELECT 'orders, ' || s.label, count(*)::text FROM orders AS o JOIN order_statuses AS s ON s.id = o.status_id GROUP BY s.label
UNION ALL
SELECT 'events, ' || kind, count(*)::text || ' ' || md5(string_agg(payload::text || coalesce(labels::text, ''), ',' ORDER BY id)) FROM events GROUP BY kind
ORDER BY 1
