"""Writes what is generated from the code: `python3 dev.py manual`."""

from __future__ import annotations

from manual.pages import DOCS, ROOT
from manual.reference import commands, files, man, python
from tranship.report.error_codes import manual_table

CODES = DOCS / "errors.md"
_MARK = "<!-- The table is generated: python3 dev.py manual -->\n"


def generated() -> dict[str, str]:
    """Returns the text of every generated file by its path below the root."""
    before, mark, _ = CODES.read_text(encoding="utf-8").partition(_MARK)
    return {
        "docs/errors.md": f"{before}{mark}\n{manual_table()}\n",
        "docs/reference/commands.md": commands.page(),
        "docs/reference/files.md": files.page(),
        "docs/reference/python.md": python.page(),
        "man/tranship.1": man.page(),
    }


def main() -> None:
    """Writes all of them."""
    for name, text in generated().items():
        path = ROOT / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
