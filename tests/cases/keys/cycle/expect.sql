SELECT * FROM team ORDER BY 1;
SELECT * FROM member ORDER BY 1;
SELECT conname, convalidated FROM pg_constraint WHERE contype = 'f' ORDER BY 1;
