SELECT * FROM t ORDER BY id; SELECT * FROM g ORDER BY id;
SELECT id, s, short || '|' FROM c ORDER BY id;
