"""Tables for notebooks: what needs a person comes first, and no name is markup."""

from __future__ import annotations

from support.build import catalog, table
from tranship.planning.comparing.compare import compare
from tranship.planning.matching.match import match
from tranship.planning.matching.scope import make_scope
from tranship.report.notebook import comparison_html


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
