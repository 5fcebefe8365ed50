"""Published tables of NEW whose rows a run would update, and the server would not."""

from __future__ import annotations

import asyncpg

from tranship.errors.codes.runs import NoReplicaIdentityToUpdate
from tranship.execution.context import Job
from tranship.model.names import TableName
from tranship.model.resolution import Problem
from tranship.planning.plan.found import updates
from tranship.sql.new.rollback import whole_rows_identify
from tranship.sql.queries import query


async def without_identity(new: asyncpg.Connection, job: Job) -> list[Problem]:
    """Returns the published tables of which the server lets nobody update a row."""
    oids = [job.after(plan).oid for plan in job.plan.tables if updates(plan)]
    problems = []
    for row in await new.fetch(query("without_replica_identity"), oids, True) if oids else ():
        name = TableName(row["schema"], row["relation"])
        problems.append(
            NoReplicaIdentityToUpdate(name, row["publication"], whole_rows_identify(name)).problem()
        )
    return problems
