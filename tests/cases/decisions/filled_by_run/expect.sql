SELECT * FROM a_item ORDER BY id;
