"""Problems that say the same of many objects are one, with one statement that mends all of them."""

from __future__ import annotations

from tranship.model.resolution import Problem
from tranship.report.said_once import said_once


def lacking(table: str, rights: str = "SELECT, INSERT", *, usage: bool = True, role: str = '"rw"') -> Problem:
    schema, name = table.split(".")
    first = f'GRANT USAGE ON SCHEMA "{schema}" TO {role}; ' if usage else ""
    grant = f'{first}GRANT {rights} ON "{schema}"."{name}" TO {role};'
    return Problem("TS366", table, f"NEW table {table}: rw lacks {rights}", grant)


def test_rights_on_many_tables_are_granted_by_one_statement() -> None:
    tables = [f"public.t{n}" for n in range(50)]
    (one,) = said_once([lacking(table) for table in tables])
    assert one.message.startswith(
        "NEW table public.t0: rw lacks SELECT, INSERT\n  the same for 49 more: public.t1,"
    )
    assert one.message.endswith("public.t40 and 9 more")
    named = ", ".join(f'"public"."t{n}"' for n in range(50))
    assert one.hint == f'GRANT USAGE ON SCHEMA "public" TO "rw"; GRANT SELECT, INSERT ON {named} TO "rw";'


def test_other_rights_schemas_and_roles_stay_apart() -> None:
    of_one = [lacking("public.a"), lacking("public.b"), lacking("public.c")]
    others = [lacking("sales.a"), lacking("public.d", "SELECT"), lacking("public.e", role='"x; y"')]
    shown = said_once([*others, *of_one])
    assert [one.object for one in shown] == ["sales.a", "public.d", "public.e", "public.a"]
    assert [one.hint for one in shown[:3]] == [one.hint for one in others]


def test_sequences_of_both_sides_are_granted_by_two_statements() -> None:
    problems = []
    for name in ("a", "b", "c"):
        for side, rights in (("NEW", "SELECT, UPDATE"), ("OLD", "SELECT")):
            grant = f'GRANT {rights} ON SEQUENCE "public"."{name}_id_seq" TO "r";'
            about = f"public.{name}_id_seq"
            problems.append(
                Problem("TS369", about, f"sequence {about} of {side} may not be used by r", grant)
            )
    shown = said_once(problems)
    assert [one.hint for one in shown] == [
        f'GRANT {rights} ON SEQUENCE "public"."a_id_seq", "public"."b_id_seq", "public"."c_id_seq" TO "r";'
        for rights in ("SELECT, UPDATE", "SELECT")
    ]


def test_two_are_no_fewer_lines_together() -> None:
    two = [lacking("public.a"), lacking("public.b")]
    assert said_once(two) == two
