"""SQL about booleans and UUIDs."""

from __future__ import annotations

from tranship.model.types import PgType


def boolean_shape(new: PgType) -> str | None:
    """Returns the words that every version reads as true or false."""
    return r"^(t|f|true|false|yes|no|on|off|1|0)$"


def uuid_shape(new: PgType) -> str | None:
    """Returns the form in which PostgreSQL prints a UUID."""
    return r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"
