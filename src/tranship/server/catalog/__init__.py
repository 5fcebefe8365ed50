"""Reading one database's catalog, set-based, whatever the number of tables."""

from tranship.server.catalog.read import read_catalog

__all__ = ["read_catalog"]
