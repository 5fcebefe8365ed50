SELECT id, encode(convert_to(v, 'UTF8'), 'hex'), j, b, n FROM t ORDER BY id;
