"""tranship moves the data of an old PostgreSQL database into a new one whose schema differs, and proves the result."""

__version__ = "0.2.0.dev0"
