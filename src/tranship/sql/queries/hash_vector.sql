-- One text: hashes of fixed values of every kind that a row's text is made of, and the version's own way to print them.
-- $1: whether hashes are wanted, by the server's own functions (sql/digest.py), else the texts.
SELECT pg_catalog.string_agg(
  CASE WHEN $1 THEN pg_catalog.hashtextextended(v.r COLLATE pg_catalog."C", 0)::text || ' '
         || pg_catalog.hashtextextended(v.r COLLATE pg_catalog."C", 1)::text
       ELSE v.r END, E'\n' ORDER BY v.n)
  || CASE WHEN $1 THEN (SELECT pg_catalog.string_agg(pg_catalog.concat_ws(' ',
      pg_catalog.hashint4extended(n.i, 1), pg_catalog.hashint8extended(n.l, n.l), pg_catalog.uuid_hash_extended(n.u, 3),
      pg_catalog.hashint8extended(n.l, 1), pg_catalog.hashint4extended((n.l operator(pg_catalog.>>) 32)::pg_catalog.int4, -1), pg_catalog.encode(pg_catalog.date_send(n.d), 'hex'),
      pg_catalog.encode(pg_catalog.timestamp_send(n.t), 'hex'), pg_catalog.encode(pg_catalog.timestamptz_send(n.z), 'hex')),
      E'\n' ORDER BY n.i)
    FROM (VALUES
      (-2147483648, -9223372036854775808, '00000000-0000-0000-0000-000000000000'::uuid, 'infinity'::date,
        'infinity'::timestamp, 'infinity'::timestamptz),
      (0, 4294967296, 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '2024-02-29', '2024-02-29 23:59:59.999999',
        '2024-02-29 23:59:59.999999+05:30'),
      (2147483647, 1, 'ffffffff-ffff-ffff-ffff-ffffffffffff', '0044-03-15 BC', '0044-03-15 12:00 BC', '0044-03-15 12:00+00 BC')
    ) AS n(i, l, u, d, t, z)) ELSE '' END
FROM (VALUES
  (1, CAST(ROW(NULL::text, ''::text, 'a,b "c" \ (d)'::text, ' x '::text) AS text)),
  (2, CAST(ROW((-9223372036854775808)::text, 1.00::numeric::text, 'NaN'::numeric::text, 1e100::numeric::text) AS text)),
  (3, CAST(ROW(pg_catalog.encode(pg_catalog.float8send('-0'::float8), 'hex'), pg_catalog.encode(pg_catalog.float4send(0.1::float4), 'hex'),
    (ARRAY[0.1::float8, 1e300::float8])::text) AS text)),
  (4, CAST(ROW('2024-02-29 23:59:59.999999'::timestamp::text, '0044-03-15 BC'::date::text, 'infinity'::timestamp::text,
    '24:00'::time::text, '12:00+05:30'::timetz::text, '1 mon -30 days 25:00:00.000001'::interval::text) AS text)),
  (5, CAST(ROW('\xdeadbeef'::bytea::text, B'101'::text, '192.168.0.1'::inet::text, '00:11:22:33:44:55'::macaddr::text,
    'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'::uuid::text) AS text)),
  (6, CAST(ROW('{"b": 1, "a": [1.0, null, "x"]}'::jsonb::text, '{"b": 1 }'::json::text, '[0:1]={1,NULL}'::int[]::text,
    '{"a,b","NULL",""}'::text[]::text) AS text)),
  (7, CAST(ROW('(1.5,-2)'::point::text, '[1,5)'::int4range::text, true::text, 'ab '::character(5)::text) AS text))
) AS v(n, r);
