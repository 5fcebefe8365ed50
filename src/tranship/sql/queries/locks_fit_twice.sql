-- Whether the locks of this session fit into the shared lock table once more, with half of the table left to everybody else.
-- PostgreSQL documentation, "max_locks_per_transaction"; the size of the table is that of limits.sql without the processes of the server itself.
-- PostgreSQL 11 and newer.
SELECT 4 * (SELECT pg_catalog.count(*) FROM pg_catalog.pg_locks l WHERE l.pid = pg_catalog.pg_backend_pid())
  <= pg_catalog.current_setting('max_locks_per_transaction')::bigint * pg_catalog.current_setting('max_connections')::bigint
