SELECT * FROM up ORDER BY id;
SELECT * FROM down ORDER BY id;
INSERT INTO up (v) VALUES ('next') RETURNING id;
INSERT INTO down (v) VALUES ('next') RETURNING id;
INSERT INTO never (v) VALUES ('next') RETURNING id;
INSERT INTO ahead (v) VALUES ('next') RETURNING id;
INSERT INTO new_is_further (v) VALUES ('next') RETURNING id;
