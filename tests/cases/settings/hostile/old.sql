-- Settings of both databases change no value and end no session.
CREATE TABLE public.t (id int PRIMARY KEY, ts timestamp, tz timestamptz, d date, i interval, b bytea, f double precision, r real, a text[], s text, day text);
INSERT INTO public.t VALUES
  (1, '2024-02-03 04:05:06.7', '2024-02-03 04:05:06+00', '2024-02-03', '-1 year 2 mons -3 days 04:05:06', '\x00ff5c27', 0.30000000000000004, 0.1, '{NULL,"null",a}', E'a\\b''c', '03.02.2024'),
  (2, 'infinity', '-infinity', 'infinity', '1-2', '', 1e-300, 3e38, ARRAY['NULL', NULL], '\', '2024-12-01');
DO $$ DECLARE setting text; BEGIN
  FOREACH setting IN ARRAY ARRAY['datestyle=''German''', 'timezone=''Asia/Kathmandu''', 'bytea_output=escape', 'standard_conforming_strings=off',
    'extra_float_digits=-15', 'search_path=nowhere', 'default_transaction_read_only=on', 'statement_timeout=50', 'lock_timeout=1',
    'idle_in_transaction_session_timeout=100', 'intervalstyle=iso_8601', 'client_encoding=LATIN1', 'array_nulls=off',
    'default_transaction_isolation=serializable', 'default_transaction_deferrable=on', 'quote_all_identifiers=on', 'transform_null_equals=on']
  LOOP EXECUTE format('ALTER DATABASE %I SET %s', current_database(), setting); END LOOP;
END $$;
