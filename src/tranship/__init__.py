"""tranship moves the data of an old PostgreSQL database into a new one whose schema differs, and proves the
result.

Imports go one way, from the first of these packages to the last; ``pyproject.toml`` holds the contracts.

* ``cli``: the command line. ``demo``: two throw-away servers and a generated shop. ``api``: one function per
  command.
* ``analysis`` reads both databases, ``execution`` does runs, ``report`` words what they found and did.
* ``server``: connections, snapshot, catalog reader, journal.
* ``sql``: every statement. ``planning``: every judgement, without a connection. ``config``: the configuration
  file.
* ``codec``: files. ``errors``: exceptions and the table of error codes. ``model``: the nouns in which all of
  them speak.

Users of the library import everything from ``tranship.api`` (the page ``docs/library.md``).

Begin with ``model/catalog.py`` and ``model/plan.py``, then ``api/migrate.py``. Each package says in its
``__init__`` what lives there.
"""

__version__ = "0.2.0.dev0"
