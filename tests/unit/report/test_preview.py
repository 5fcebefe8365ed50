"""A preview as lines: aligned, and nothing in them controls a terminal."""

from __future__ import annotations

from msgspec.structs import replace

from tranship.model.preview import PreviewCell, PreviewColumn, PreviewRow, TablePreview
from tranship.report.preview import preview_lines


def test_each_value_stands_beside_what_it_becomes() -> None:
    table = TablePreview(
        flow="members -> profiles",
        old_table="public.members",
        new_table="public.profiles",
        old_columns=("id", "bio", "code"),
        columns=(
            PreviewColumn("user_id", "copied", ("id",)),
            PreviewColumn("state", "value_mapping", ("id",)),
            PreviewColumn("origin", "constant"),
        ),
        rows=(
            PreviewRow(
                (PreviewCell("1"), PreviewCell("a\x1b[31m\nb"), PreviewCell("q")),
                (PreviewCell("1"), PreviewCell("x" * 70, "refused: no"), PreviewCell(note="open question")),
            ),
        ),
        unnamed=("bio", "code"),
        open=("code",),
        notes=("rows are merged",),
    )
    lines = list(preview_lines(replace(table, flow="public.members")))
    assert len({line.index("→") for line in lines[3:]}) == 1
    assert [" ".join(line.split()) for line in lines] == [
        "public.members → public.profiles",
        "rows are merged",
        "row 1",
        "id '1' → user_id '1'",
        f"id '1' (value_mapping) → state '{'x' * 60}…' (refused: no)",
        "(undecided) → origin (open question)",
        "bio 'a\\u001b[31m\\u000ab' → (left behind, unless an expression or another flow reads it)",
        "code 'q' → (open question)",
    ]
    flow = list(preview_lines(table))
    assert flow[0] == "members -> profiles: public.members → public.profiles"
    assert "  not named by this flow: bio, code" in flow
    assert not [line for line in flow if "left behind" in line]


def test_null_is_told_from_a_text() -> None:
    table = TablePreview(
        "t",
        "t",
        "t",
        ("a",),
        (PreviewColumn("a", "copied", ("a",)),),
        (PreviewRow((PreviewCell(None),), (PreviewCell("NULL"),)),),
    )
    assert list(preview_lines(table))[-1] == "    a NULL → a 'NULL'"
