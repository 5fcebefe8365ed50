"""Some seeds of the simulation, and the broken twins that it must catch (the snapshot's own twin needs a real
OLD: tests/interrupted).
"""

from __future__ import annotations

from pathlib import Path

import pytest

from support import ROOT, run_python
from support.twins import TWINS

ENV = {"PYTHONPATH": f"{ROOT / 'src'}:{ROOT / 'tests'}"}


def test_no_seed_violates_anything(tmp_path: Path) -> None:
    done = run_python("-m", "long.simulation.run", "--seeds", "800", cwd=tmp_path, env=ENV)
    assert done.status == 0, done


def test_a_seed_is_one_history(tmp_path: Path) -> None:
    code = (
        "from long.simulation import run; run.install();"
        " print([run.simulate(s) == run.simulate(s) for s in range(20)].count(False))"
    )
    assert run_python("-c", code, cwd=tmp_path, env=ENV).stdout == "0\n"


@pytest.mark.parametrize("twin", [t for t in TWINS if t != "lock_after_snapshot"])
def test_a_broken_twin_is_caught(tmp_path: Path, twin: str) -> None:
    done = run_python("-m", "long.simulation.run", "--seeds", "400", "--twin", twin, cwd=tmp_path, env=ENV)
    assert done.status == 1, done
    assert "400 seeds" in done.stdout
