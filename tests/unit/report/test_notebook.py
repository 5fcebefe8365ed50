"""Tables for notebooks: what needs a person comes first, and no name is markup."""

from __future__ import annotations

from support.build import catalog, table
from tranship.model.verification import Verification, VerifiedTable
from tranship.planning.comparing.compare import compare
from tranship.planning.matching.match import match
from tranship.planning.matching.scope import make_scope
from tranship.report.notebook import comparison_html, verification_html


def test_a_comparison() -> None:
    old = catalog(table("<b>", "id int", "gone bytea"))
    new = catalog(table("<b>", "id bigint", "more date"))
    scope, _ = make_scope(old, new, None)
    page = comparison_html(compare(old, new, match(old, new, scope)))
    assert "<caption>3 changes: 1 breaking, 1 transformable, 1 safe</caption>" in page
    assert (
        page.index("<td>breaking</td>") < page.index("<td>transformable</td>") < page.index("<td>safe</td>")
    )
    assert "<td>public.&lt;b&gt;</td>" in page
    assert "<b>" not in page


def test_a_long_comparison_is_cut() -> None:
    old = catalog(table("t", "id int"))
    new = catalog(table("t", "id int", *(f"c{n} int" for n in range(300))))
    scope, _ = make_scope(old, new, None)
    page = comparison_html(compare(old, new, match(old, new, scope)))
    assert page.count("<tr>") == 201
    assert page.endswith("<p>… and 100 more</p>")


def test_a_verification() -> None:
    tables = (
        VerifiedTable(run="r", table="<a>", new_table="b", rows=3, verified=True, cells=6, cells_verified=6),
        VerifiedTable(run="r", table="c", new_table="c", rows=1, verified=None, verified_why="no sums"),
    )
    page = verification_html(
        Verification(
            tool_version="0",
            status="not verified",
            exit_status=1,
            started="",
            finished="",
            runs=("r",),
            tables=tables,
        )
    )
    assert "<caption>Not verified: no sums; verified 6 of 6 cells</caption>" in page
    assert "<td>&lt;a&gt;</td><td>b</td><td>3</td><td>verified, 3 rows</td>" in page
    assert "<td>not verified: no sums</td>" in page
