"""The fixed SQL texts, one ``.sql`` file each, with a comment head that says what a row is and from which server version it holds."""

from __future__ import annotations

from functools import cache
from importlib.resources import files


@cache
def query(name: str) -> str:
    """The text of ``<name>.sql``, as it lies in the package."""
    return files(__package__).joinpath(f"{name}.sql").read_text(encoding="utf-8")
