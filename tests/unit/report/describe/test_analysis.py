"""The report to the letter of the classic one."""

from __future__ import annotations

import re

from msgspec.structs import replace

from support.build import catalog, table
from tranship.model.catalog import Catalog, Check
from tranship.model.catalog_codes import RelationKind
from tranship.model.evidence import Breaks, ColumnFacts, Demand, Evidence, Misfits
from tranship.model.names import ColumnRef, TableName
from tranship.planning.comparing.compare import compare
from tranship.planning.deciding.suggest import suggest
from tranship.planning.matching.match import match
from tranship.planning.matching.scope import make_scope
from tranship.report.describe.analysis import describe_analysis
from tranship.report.text import Look, render_text

RULER = "=" * 80

CLASSIC = f"""{RULER}
DATABASE MIGRATION ANALYSIS REPORT
{RULER}
Verdict: 1 question needs an answer before anything can be moved.
To decide: users (1)
Old database (OLD): mydb (PostgreSQL 15.0, schema public), 1 table compared
New database (NEW): mydb (PostgreSQL 15.0, schema public)
Total Changes: 3
  - Safe (auto-handled): 1
  - Transformable (auto-converted): 1
  - Breaking (manual required): 1

SAFE CHANGES (Can be handled automatically):
  [users] Column 'created_at' only exists in new DB
    → Action: Default in new DB: CURRENT_TIMESTAMP

TRANSFORMABLE CHANGES (Can be converted automatically):
  [users] Column 'user_name' likely renamed to 'username' in new DB
    → Action: Rename column
      names are equal but for case and separators

BREAKING CHANGES (MANUAL INTERVENTION REQUIRED):
  [users] Column 'email' type mismatch: current(varchar(50)) vs new(integer)
    ⚠ Manual action required!
      text that is not a valid integer is refused

{RULER}
1 question needs an answer before anything can be moved.
resolve generate asks it, with what the data suggests.
{RULER}
"""


def report(old: Catalog, new: Catalog, tables: list[str] | None = None, *, signs: bool = True) -> str:
    scope, _ = make_scope(old, new, tables)
    comparison = compare(old, new, match(old, new, scope))
    suggestions = suggest(old, new, scope, Evidence())
    return render_text(describe_analysis(comparison, (old, new), suggestions), Look(signs=signs))


def users() -> tuple[Catalog, Catalog]:
    old = catalog(table("users", "id int!", "user_name text", "email varchar(50)", key=["id"]))
    new = catalog(
        table(
            "users",
            "id int!",
            "username text",
            "email int",
            "created_at timestamp! = CURRENT_TIMESTAMP",
            key=["id"],
        )
    )
    return old, new


def test_the_classic_report() -> None:
    assert report(*users()) == CLASSIC


def test_without_signs() -> None:
    plain = report(*users(), signs=False)
    assert "    -> Action: Rename column\n" in plain
    assert "    ! Manual action required!\n" in plain
    assert plain.isascii()


def test_no_changes() -> None:
    same = catalog(table("t", "id int"))
    text = report(same, same)
    assert (
        "Total Changes: 0\n  - Safe (auto-handled): 0\n  - Transformable (auto-converted): 0\n"
        "  - Breaking (manual required): 0\n" in text
    )
    assert "CHANGES (" not in text
    assert "No changes: the data can be moved as it is." in text


def test_new_constraints_and_other_structure_are_said() -> None:
    old = catalog(table("t", "id int"), table("v", "id int", kind="v"))
    text = report(old, catalog(table("t", "id int!")))
    assert "NEW CONSTRAINTS (rows that break them are rejected):\n  [t] New NOT NULL on column 'id'\n" in text
    assert "ALSO DIFFERENT OR NOT MOVED (nothing to decide):\n" in text
    assert "'public.v'" in text or "[v]" in text


def test_out_of_scope_is_one_line() -> None:
    both = catalog(table("a", "id int"), table("b", "id int"), table("c", "id int"))
    text = report(both, catalog(table("a", "id int")), ["a"])
    assert "Out of scope: 2 old tables are not among the configured tables\n" in text
    assert "Total Changes: 0" in text


def test_schemas_are_named_where_there_are_several() -> None:
    old = catalog(table("a", "x int", schema="crm"), table("a", "x int"), schemas=("public", "crm"))
    text = report(old, catalog(schemas=("public", "crm")))
    assert "  [a] Table 'a' only exists in old DB\n" in text
    assert "  [crm.a] Table 'a' only exists in old DB\n" in text


def test_a_name_cannot_write_lines_of_its_own() -> None:
    evil = "x\n  [users] \x1b[31mfake\u202eeman"
    text = report(catalog(table(evil, "id int")), catalog())
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert "x\\u000a  [users] \\u001b[31mfake\\u202eeman" in text


def test_what_the_data_said_stands_below_the_change() -> None:
    old = catalog(table("t", "code varchar(9)", "legacy text", "n int"))
    new = catalog(table("t", "code varchar(4)", "n int!"))
    code, legacy, n = (ColumnRef(TableName("public", "t"), name) for name in ("code", "legacy", "n"))
    evidence = Evidence(
        columns=(
            ColumnFacts(code, rows=10, nulls=0, distinct=7, longest=9),
            ColumnFacts(legacy, 10, 10, 0, sampled=True),
            ColumnFacts(n, 10, 1, 9),
        ),
        misfits=(Misfits(code, ColumnRef(TableName("public", "t"), "code"), 3, "longer than 4 characters"),),
        breaks=(Breaks(Demand(TableName("public", "t"), "null", (("n", "n"),)), 1),),
    )
    scope, _ = make_scope(old, new, None)
    comparison = compare(old, new, match(old, new, scope))
    suggestions = suggest(old, new, scope, evidence)
    text = render_text(describe_analysis(comparison, (old, new), suggestions, evidence))
    assert (
        "      10 of 10 rows hold a value, 7 distinct, the longest 9 characters\n"
        "      3 rows of OLD would be refused: longer than 4 characters\n" in text
    )
    assert "      0 of 10 rows hold a value, 0 distinct (in a sample)\n" in text
    assert "      1 row of OLD breaks it\n" in text


def unfolded(text: str) -> str:
    """The report with every note on one line."""
    return re.sub(r"\n {8,}", " ", text)


def test_what_is_no_classic_line_fits_a_wide_terminal() -> None:
    names = [f"a_table_with_a_long_name_{n}" for n in range(30)]
    old = catalog(
        *(table(name, "id int!", f"made int = nextval('{name}_made_seq')", "gone int") for name in names)
    )
    new = catalog(*(table(name, "id int!", "made int = 7") for name in names))
    text = report(old, new)
    assert "\n  [a_table_with_a_long_name_0] Column 'gone' only exists in old DB\n" in text
    assert [line for line in text.splitlines() if len(line) > 140] == []
    assert len(text.splitlines()) > len(unfolded(text).splitlines())


def test_a_classic_line_stays_one_line() -> None:
    names = [f"a_table_with_a_very_long_name_that_somebody_gave_it_{n}" for n in range(30)]
    old = catalog(*(table(name, "id int!", "user_name varchar(50)") for name in names))
    new = catalog(*(table(name, "id int!", "user_name int") for name in names))
    line = f"  [{names[0]}] Column 'user_name' type mismatch: current(varchar(50)) vs new(integer)"
    assert f"\n{line}\n    ⚠ Manual action required!\n" in report(old, new)


def test_equal_notes_are_said_once() -> None:
    names = [f"t{n}" for n in range(12)]
    old = catalog(*(table(name, "id int!", f"made int = nextval('{name}_made_seq')") for name in names))
    new = catalog(*(table(name, "id int!", "made int = 7") for name in names))
    text = report(old, new)
    (line,) = [line for line in unfolded(text).splitlines() if "the same for" in line]
    assert line.strip().startswith("the same for 11 more columns: t1.made, t10.made, ")
    assert line.endswith(" and 3 more")
    few = report(catalog(*old.tables[:2]), catalog(*new.tables[:2]))
    assert "the same for" not in few


def test_the_head_names_the_tables_to_decide() -> None:
    old = catalog(*(table(f"t{n:02}", "id int", *(f"gone{m} int" for m in range(n))) for n in range(1, 13)))
    new = catalog(*(table(f"t{n:02}", "id int") for n in range(1, 13)))
    text = report(old, new)
    assert "Verdict: 78 questions need an answer before anything can be moved.\n" in text
    assert "To decide: t12 (12), t11 (11), " in text
    assert "t03 (3) and 2 more tables\n" in text
    one_less = report(catalog(*old.tables[1:]), catalog(*new.tables[1:]))
    assert "t03 (3) and 1 more table\n" in one_less


def many(count: int) -> str:
    """The report of tables that change alike."""
    old = catalog(
        *(table(f"t{n:02}", "id int!", "a varchar(9)", "at timestamp", "gone int") for n in range(count))
    )
    new = catalog(
        *(table(f"t{n:02}", "id int!", "a text", "at timestamptz", "more text") for n in range(count))
    )
    return report(old, new)


def test_a_long_report_begins_with_what_needs_a_person_and_says_equal_things_once() -> None:
    said = many(30)
    assert said.index("Verdict: ") < said.index("BREAKING CHANGES (") < said.index("TRANSFORMABLE CHANGES (")
    assert said.index("TRANSFORMABLE CHANGES (") < said.index("SAFE CHANGES (")
    assert said.count("Column 'more' only exists in new DB") == 1
    safe = said[said.index("SAFE CHANGES (") :]
    assert "the same for 29 more columns: t01.more, t02.more, t03.more" in safe
    assert "and 21 more" in safe
    # What a person decides is named wholly.
    breaking = said[said.index("BREAKING CHANGES (") : said.index("TRANSFORMABLE CHANGES (")]
    assert all(f"t{n:02}.at" in breaking for n in range(1, 30))
    assert said.count("\n") < 60


def test_a_short_report_has_the_order_of_the_classic_one() -> None:
    said = many(3)
    assert (
        said.index("SAFE CHANGES (")
        < said.index("TRANSFORMABLE CHANGES (")
        < said.index("BREAKING CHANGES (")
    )
    assert said.count("Column 'more' only exists in new DB") == 3


def test_changes_that_reject_different_numbers_of_rows_are_not_said_together() -> None:
    names = [f"t{n:02}" for n in range(24)]
    old = catalog(*(table(name, "code varchar(9)") for name in names))
    new = catalog(*(table(name, "code varchar(4)") for name in names))
    refs = [ColumnRef(TableName("public", name), "code") for name in names]
    misfits = tuple(Misfits(ref, ref, 3 if ref is refs[5] else 0, "longer than 4 characters") for ref in refs)
    scope, _ = make_scope(old, new, None)
    comparison = compare(old, new, match(old, new, scope))
    evidence = Evidence(misfits=misfits)
    suggestions = suggest(old, new, scope, evidence)
    said = render_text(describe_analysis(comparison, (old, new), suggestions, evidence))
    assert said.count("Column 'code' type mismatch") == 2
    assert "0 rows of OLD would be refused: longer than 4 characters\n      the same for 22 more" in said
    assert "  [t05] Column 'code' type mismatch" in said
    assert "3 rows of OLD would be refused" in said


def test_the_verdict_counts_what_a_person_will_be_asked() -> None:
    old = catalog(*(table(f"t{n}", "id int", "at timestamp") for n in range(5)))
    new = catalog(*(table(f"t{n}", "id int", "at timestamptz") for n in range(5)))
    text = report(old, new)
    both = "1 question needs an answer before anything can be moved. It decides all 5 breaking changes.\n"
    assert f"Verdict: {both}" in text and f"\n{both}" in text
    assert "To decide: several tables at once (1)\n" in text
    assert "  - Breaking (manual required): 5\n" in text


def test_one_check_of_a_table_that_several_fill_is_said_once() -> None:
    """Inheritance children flow into the partitioned counterpart of their parent."""
    years = range(2017, 2024)
    parent = table("m", "id int", "v int")
    children = [replace(table(f"m_{y}", "id int", "v int"), parents=(parent.name,)) for y in years]
    old = catalog(parent, *children)
    check = Check("m_v_check", "(v > 0)", ("v",))
    new = catalog(
        replace(table("m", "id int", "v int"), kind=RelationKind.PARTITIONED_TABLE, checks=(check,))
    )
    text = report(old, new)
    assert text.count("New CHECK 'm_v_check'") == 1
    assert "the same for 7 more: m_2017, m_2018" in text


def test_what_is_taken_for_renamed_because_of_its_place_is_named_with_its_new_name() -> None:
    said = "zone pot lid cap bar rim jar box mug pan pin hub cog rod peg net bow urn vat axe saw awl"
    words = said.split()
    old = catalog(*(table(f"t{word}", "id int!", "z int", f"{word} int", "b int") for word in words))
    new = catalog(*(table(f"t{word}", "id int!", "z int", f"held_{word}s int", "b int") for word in words))
    text = unfolded(report(old, new))
    assert "To read: 22 columns taken for renamed because of the place\n" in text
    assert all(f"t{word}.{word} → held_{word}s" in text for word in sorted(words)[1:])
    assert "and 13 more" not in text
