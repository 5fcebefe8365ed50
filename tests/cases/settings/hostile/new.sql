CREATE TABLE public.t (id int PRIMARY KEY, ts timestamp, tz timestamptz, d date, i interval, b bytea, f double precision, r real, a text[], s text, day date, n int NOT NULL DEFAULT 5);
DO $$ DECLARE setting text; BEGIN
  FOREACH setting IN ARRAY ARRAY['datestyle=''German''', 'timezone=''Asia/Kathmandu''', 'bytea_output=escape', 'standard_conforming_strings=off',
    'extra_float_digits=-15', 'search_path=nowhere', 'default_transaction_read_only=on', 'statement_timeout=50', 'lock_timeout=1',
    'idle_in_transaction_session_timeout=100', 'intervalstyle=iso_8601', 'client_encoding=LATIN1', 'array_nulls=off',
    'default_transaction_isolation=serializable', 'default_transaction_deferrable=on', 'quote_all_identifiers=on', 'transform_null_equals=on']
  LOOP EXECUTE format('ALTER DATABASE %I SET %s', current_database(), setting); END LOOP;
END $$;
