"""What somebody who may create objects in a schema of the search_path can plant there: operators that fit the
operands of catalog queries better than the built-in ones do, and therefore would be taken before them.
"""

from __future__ import annotations

MARK = "planted operator"
"""Part of the error that each of them raises."""

PLANT = f"""
DO $do$ DECLARE types text[] := ARRAY['name', 'text', 'varchar', '"char"', 'oid', 'int2', 'int4', 'int8', 'bool', 'json', 'jsonb'];
  l text; r text; o text;
BEGIN
  SET LOCAL search_path = pg_catalog;
  FOREACH l IN ARRAY types LOOP FOREACH r IN ARRAY types LOOP
    EXECUTE pg_catalog.format('CREATE FUNCTION public.planted(%s, %s) RETURNS bool LANGUAGE plpgsql AS $b$ BEGIN RAISE EXCEPTION %L; END $b$',
      l, r, '{MARK} of ' || l || ' and ' || r);
    FOREACH o IN ARRAY ARRAY['=', '<>', '<', '>', '<=', '>=', '||', '~~', '~', '!~', '+', '-', '->', '->>', '#>>', '@>'] LOOP
      IF NOT EXISTS (SELECT FROM pg_operator WHERE oprname = o AND oprleft = l::regtype AND oprright = r::regtype) THEN
        EXECUTE pg_catalog.format('CREATE OPERATOR public.%s (LEFTARG = %s, RIGHTARG = %s, FUNCTION = public.planted)', o, l, r);
      END IF;
    END LOOP;
  END LOOP; END LOOP;
END $do$;
CREATE FUNCTION public.quote_ident(name) RETURNS text LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION '{MARK}: quote_ident'; END $$;
CREATE FUNCTION public.length(varchar) RETURNS int LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION '{MARK}: length'; END $$;
CREATE FUNCTION public.array_length(text[], int) RETURNS text LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION '{MARK}: array_length'; END $$;
CREATE FUNCTION public.array_agg(oid) RETURNS oid[] LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION '{MARK}: array_agg'; END $$;
"""
"""A script for either database, to be run before its tables exist."""
