"""Fixed SQL texts, one ``.sql`` file each. Each begins with a comment: what one row of its result is, what
its parameters are, and since which server version it works. Texts with parts that depend on names or values
are composed elsewhere in ``sql/``; the markers of ``catalog_*.sql`` are filled by ``sql/catalog.py``.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files


@cache
def query(name: str) -> str:
    """Returns the text of ``<name>.sql`` as it lies in the package.

    Raises:
        FileNotFoundError: there is no such file.
    """
    return files(__package__).joinpath(f"{name}.sql").read_text(encoding="utf-8")
