\o /dev/null
SET statement_timeout = 0; SET datestyle = 'ISO'; SET timezone = 'UTC'; SET intervalstyle = 'postgres'; SET extra_float_digits = 3; SET bytea_output = 'hex'; SET client_encoding = 'UTF8';
\o
SELECT * FROM public.t ORDER BY id;
