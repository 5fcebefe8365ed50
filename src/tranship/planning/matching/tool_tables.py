"""Tables in which migration tools keep their own records: which changes of a schema were applied. Pure.

Such a record speaks of the schema of its own database, so it is no data: OLD's rows would tell the tool that
NEW lacks what NEW has, or the
reverse. A table is known by its name and by its columns together, as the tools' documentation gives them.
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from tranship.model.catalog import Catalog, Table
from tranship.model.change import ToolTable
from tranship.model.names import TableName

_MORE_COLUMNS = 6
"""Columns beyond the tool's own that a table may have: versions of a tool added some. More make it a table
of the application's own.
"""


class _Shape(Struct, frozen=True):
    """How one tool's table looks."""

    tool: str
    names: frozenset[str]
    columns: frozenset[str]
    schema: str | None = None
    """The schema that belongs to the tool; None: any."""


_KNOWN = """
Rails, golang-migrate, dbmate or Ecto | schema_migrations | version
Rails | ar_internal_metadata | key value
Alembic | alembic_version alembic_versions | versionnum
Django | django_migrations | app name applied
South | south_migrationhistory | appname migration applied
Flyway | flyway_schema_history schema_version | installedrank version description type script checksum success
Liquibase | databasechangelog | id author filename dateexecuted orderexecuted exectype md5sum liquibase
Liquibase | databasechangeloglock | id locked lockgranted lockedby
Diesel | __diesel_schema_migrations | version runon
Prisma | _prisma_migrations | checksum migrationname finishedat appliedstepscount
Knex | knex_migrations adonis_schema | name batch migrationtime
Knex | knex_migrations_lock adonis_schema_lock | index islocked
Adonis | adonis_schema_versions | version
goose | goose_db_version | versionid isapplied
tern | schema_version | version
Laravel | migrations | migration batch
TypeORM | migrations typeorm_migrations migrations_typeorm | timestamp name
node-pg-migrate | pgmigrations migrations | name runon
Sequelize | sequelizemeta sequelizedata sequelize_meta | name
Phinx | phinxlog | version starttime endtime
Doctrine | doctrine_migration_versions migration_versions | version executedat
Entity Framework | __efmigrationshistory | migrationid productversion
Atlas | atlas_schema_revisions | version description type applied total executedat executiontime hash
SQLx | _sqlx_migrations | version description installedon success checksum
SeaORM | seaql_migrations | version appliedat
Refinery | refinery_schema_history | version name appliedon checksum
Yoyo | _yoyo_migration | migrationhash migrationid appliedatutc
Yoyo | _yoyo_log | migrationhash migrationid operation username
Yoyo | _yoyo_version | version installedatutc
Yoyo | yoyo_lock | locked ctime pid
Drizzle | __drizzle_migrations | hash createdat
MikroORM | mikro_orm_migrations | name executedat
Kysely | kysely_migration | name timestamp
Kysely | kysely_migration_lock | id islocked
Play | play_evolutions | hash appliedat applyscript revertscript state
Play | play_evolutions_lock | lock
DbUp | schemaversions | scriptname applied
FluentMigrator | versioninfo | version appliedon description
MyBatis Migrations | changelog | id appliedat description
graphile-migrate | migrations | hash previoushash filename date
Rambler | migrations | migration
Sqitch | releases | version installedat installername | sqitch
Sqitch | projects | project uri creatorname creatoremail | sqitch
Sqitch | changes | changeid change project note committedat plannername | sqitch
Sqitch | tags | tagid tag project changeid note | sqitch
Sqitch | dependencies | changeid type dependency | sqitch
Sqitch | events | event changeid change project note | sqitch
"""


def _shapes() -> tuple[_Shape, ...]:
    found = []
    for line in _KNOWN.strip().split("\n"):
        tool, names, columns, *schema = (part.strip() for part in line.split("|"))
        plain = frozenset(map(_plain, columns.split()))
        found.append(_Shape(tool, frozenset(names.split()), plain, schema[0] if schema else None))
    return tuple(found)


def _plain(name: str) -> str:
    """A column without case and separators: tools write ``MigrationId`` or ``migration_id`` as their naming
    convention says.
    """
    return name.lower().replace("_", "")


_SHAPES = _shapes()


def migration_tool(table: Table) -> str | None:
    """Returns the migration tool whose records a table holds; None: it is a table like any other."""
    columns = {_plain(column.name) for column in table.columns}
    for shape in _SHAPES:
        named = table.name.name.lower() in shape.names and shape.schema in (None, table.name.schema)
        if named and shape.columns <= columns and len(columns) <= len(shape.columns) + _MORE_COLUMNS:
            return shape.tool
    return None


def tool_tables(catalog: Catalog, tables: Iterable[Table]) -> dict[TableName, str]:
    """Returns the tables of migration tools by name; what a table of the application refers to is data."""
    found = {table.name: tool for table in tables if (tool := migration_tool(table)) is not None}
    referred = {
        key.target for table in catalog.tables if table.name not in found for key in table.every_foreign_key
    }
    return {name: tool for name, tool in found.items() if name not in referred}


def paired_tools(
    old: dict[TableName, str], new: dict[TableName, str], schemas: dict[str, str]
) -> tuple[ToolTable, ...]:
    """Returns the tables of both sides, those of one name in one entry.

    ``schemas`` are the new schemas by the old ones.
    """
    twins = {name: TableName(schemas.get(name.schema, name.schema), name.name) for name in sorted(old)}
    both = [ToolTable(name, twin if twin in new else None, old[name]) for name, twin in twins.items()]
    taken = {one.new for one in both}
    return (*both, *(ToolTable(None, name, tool) for name, tool in sorted(new.items()) if name not in taken))
