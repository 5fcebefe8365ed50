"""What a certificate says that it does not promise."""

from __future__ import annotations

from tranship.model.certificate import Certificate, CertifiedRun
from tranship.model.verdict import DatabaseInfo
from tranship.report.certificate import caveats
from tranship.report.verdict import NOT_ONE_MOMENT


def certificate(*runs: CertifiedRun) -> Certificate:
    new = DatabaseInfo("h", 5432, "d", "u", 180000, "")
    return Certificate(
        tool_version="1", made="", old="o", new=new, runs=runs, tables=(), constraints=(), cells=0
    )


RUN = CertifiedRun("r", "1", "", "", "", "", "", "", "", "", None, None, {})


def test_nothing_is_said_of_a_plain_run() -> None:
    assert caveats(certificate(RUN)) == []


def test_tables_of_several_moments_and_references_that_keep_old_keys() -> None:
    line = "public.a: 'cust' looks like a reference"
    first, second = (
        CertifiedRun(i, "1", "", "", "", "", "", "", "", "", None, None, {}, True, (line,))
        for i in ("r", "s")
    )
    assert caveats(certificate(first, second)) == [NOT_ONE_MOMENT, f"Compared as values only: {line}"]
