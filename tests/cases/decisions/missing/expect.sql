SELECT count(*) FROM a; SELECT count(*) FROM kept;
