"""Tables of migration tools are known by name and shape together."""

from __future__ import annotations

import pytest

from support.build import catalog, table
from tranship.model.names import TableName
from tranship.planning.matching.match import Decided, match
from tranship.planning.matching.scope import make_scope
from tranship.planning.matching.tool_tables import migration_tool


@pytest.mark.parametrize(
    ("name", "columns", "known"),
    [
        ("schema_migrations", ["version text!"], True),
        ("schema_migrations", ["version bigint!", "dirty boolean!"], True),
        ("ar_internal_metadata", ["key text!", "value text", "created_at text", "updated_at text"], True),
        ("alembic_version", ["version_num text!"], True),
        ("alembic_version", ["version text!", "released text"], False),
        ("django_migrations", ["id int!", "app text!", "name text!", "applied text!"], True),
        ("__EFMigrationsHistory", ["MigrationId text!", "ProductVersion text!"], True),
        ("__EFMigrationsHistory", ["migration_id text!", "product_version text!"], True),
        ("SequelizeMeta", ["name text!"], True),
        ("knex_migrations_lock", ["index int!", "is_locked int"], True),
        ("migrations", ["id int!", "migration text!", "batch int!"], True),
        ("migrations", ["id int!", "species text", "route text"], False),
        ("schema_version", ["version int!"], True),
        ("versions", ["version int!"], False),
        ("databasechangeloglock", ["id int!", "locked boolean!", "lockgranted text", "lockedby text"], True),
        ("changes", ["change_id text!", "change text", "project text", "note text"], False),
    ],
)
def test_name_and_shape(name: str, columns: list[str], known: bool) -> None:
    assert (migration_tool(table(name, *columns)) is not None) is known


def test_a_decision_and_the_configuration_may_still_move_them() -> None:
    records = table("schema_migrations", "version text!", key=["version"])
    old, new = catalog(records, table("t", "id int!")), catalog(records, table("t", "id int!"))
    name = TableName("public", "schema_migrations")

    def paired(decided: Decided, tables: list[str] | None = None) -> bool:
        scope, _ = make_scope(old, new, tables)
        return name in {pair.old for pair in match(old, new, scope, decided).pairs}

    assert not paired(Decided())
    assert paired(Decided(tables=((name, name),)))
    assert paired(Decided(), ["schema_migrations"])


def test_one_that_only_one_side_has_is_no_question() -> None:
    records = table("goose_db_version", "id int!", "version_id bigint!", "is_applied boolean!", "tstamp text")
    other = table("schema_migrations", "version text!")
    old, new = catalog(records, table("t", "id int!")), catalog(other, table("t", "id int!"))
    scope, _ = make_scope(old, new, None)
    found = match(old, new, scope)
    assert (found.only_old, found.only_new, found.proposals) == ((), (), ())
    assert [(t.old and t.old.name, t.new and t.new.name) for t in found.tool_tables] == [
        ("goose_db_version", None),
        (None, "schema_migrations"),
    ]
