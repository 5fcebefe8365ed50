-- One row per fact about the shop that the move must keep, as OLD tells it: (what, value). PostgreSQL 11 or newer.
SELECT 'orders worth, ' || extract(year FROM o.order_date) AS what, sum(i.qty * i.unit_price)::text AS value
FROM orders AS o JOIN order_items AS i ON i.order_id = o.id GROUP BY extract(year FROM o.order_date)
UNION ALL
SELECT 'customers, ' || CASE status WHEN 'inactive' THEN 'dormant' WHEN 'deleted' THEN 'closed' ELSE status END, count(*)::text FROM customers GROUP BY status
UNION ALL
SELECT 'products in ' || coalesce(category, 'no category'), count(*)::text FROM products GROUP BY category
UNION ALL
SELECT 'orders, ' || status, count(*)::text FROM orders GROUP BY status
UNION ALL
SELECT 'events, ' || kind, count(*)::text || ' ' || md5(string_agg(payload::text || coalesce(labels::text, ''), ',' ORDER BY id)) FROM event_log GROUP BY kind
ORDER BY 1
