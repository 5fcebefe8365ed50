"""``run.started`` becomes one constant, and only where it is not a name of the person's own."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from msgspec.structs import replace

from tranship.model.names import TableName
from tranship.model.plan import TablePlan
from tranship.model.resolution import Resolution, ResolutionFile
from tranship.model.shape import Filter, Shape
from tranship.planning.deciding.resolve.run_started import asks_for_start, constant, with_start
from tranship.planning.plan.content import plan_hash

MOMENT = constant(datetime(2026, 1, 31, 12, 0, tzinfo=UTC))


def entry(text: str) -> Resolution:
    return Resolution("t", "$", "filter", where=text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("old.at < run.started", f"old.at < {MOMENT}"),
        ("RUN . Started - old.at > run.started - old.b", f"{MOMENT} - old.at > {MOMENT} - old.b"),
        ('old."run" AND old.at < run.started', f'old."run" AND old.at < {MOMENT}'),
        ("old.at < (run.started)::date -- run.started", f"old.at < ({MOMENT})::date -- run.started"),
    ],
)
def test_it_becomes_a_constant(text: str, expected: str) -> None:
    file = ResolutionFile((entry(text),))
    assert asks_for_start(file)
    assert with_start(file, MOMENT).entries[0].where == expected


@pytest.mark.parametrize(
    "text",
    [
        "old.v = 'run.started'",
        'old."run.started" IS NULL',
        "old.run.started IS NULL",
        "run.started_at IS NULL",
        "EXISTS (SELECT FROM public.run WHERE run.started < old.at)",
        "EXISTS (SELECT FROM public.jobs AS run WHERE run.started < old.at)",
        'old.at < (SELECT max(run.started) FROM public.jobs AS "run")',
        'old.at < (SELECT run.started FROM public."run")',
        'old.at < (WITH "run" AS (SELECT 1 AS started) SELECT run.started FROM "run")',
    ],
)
def test_another_name_stays(text: str) -> None:
    file = ResolutionFile((entry(text),))
    assert not asks_for_start(file)
    assert with_start(file, MOMENT).entries == file.entries


def test_the_moment_is_no_decision() -> None:
    def plan(moment: str) -> TablePlan:
        shape = Shape(filter=Filter(f"old.at < {moment}"))
        return TablePlan(TableName("a", "t"), TableName("a", "t"), (), (), (), shape=shape, moment=moment)

    later = constant(datetime(2027, 1, 1, tzinfo=UTC))
    assert plan_hash(plan(MOMENT)) == plan_hash(plan(later))
    assert plan_hash(plan(MOMENT)) != plan_hash(replace(plan(later), moment=""))
