"""The page of a run."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from tranship.codec import check_folder, write_text
from tranship.codec.certificate import faults, read_certificate
from tranship.codec.files import result_path
from tranship.config import Config
from tranship.errors import UsageError
from tranship.execution.upkeep.reported import reported
from tranship.model.certificate import Certificate
from tranship.model.reported_run import FoundCertificate, ReportedRun
from tranship.report.describe.run import describe_run, run_verdict
from tranship.report.html import render_html


class RunReport(Struct, frozen=True):
    """A run, and where its page is."""

    run: ReportedRun
    certificate: FoundCertificate | None
    verdict: tuple[str, ...]
    """What became of the run, and what comes next, in words."""
    page: str

    @property
    def without_values(self) -> RunReport:
        """The same without values of rows, for terminals."""
        return replace(self, run=self.run.without_values)


async def report(
    config: Config, *, run: str | None = None, prefix: str | None = None, results_dir: str = "results"
) -> RunReport:
    """Writes the page of a run, the latest where none is named. It has what NEW's journal knows, and names
    the newest certificate of the run among the results. It writes to no database. The page holds values of
    rejected rows, so that only its owner may read it.

    Raises:
        UsageError: the journal knows no such run, or the page cannot be written.
    """
    # Asked first: a folder that nobody may write to is known without a server.
    check_folder(result_path(results_dir, prefix, "run_0123456789abcdef.html"), named=Path(results_dir))
    found = await reported(config, run)
    path = result_path(results_dir, prefix, f"run_{found.id}.html")
    certificate = _certificate(path.parent, found)
    write_text(path, render_html(describe_run(found, certificate, config.words)))
    verdict = run_verdict(found, certificate, config.words)
    return RunReport(found, certificate, verdict.lines, str(path))


def _certificate(folder: Path, run: ReportedRun) -> FoundCertificate | None:
    """Returns the newest certificate in a folder that certifies a run and is as it was made."""
    found = [
        (certificate, path) for certificate, path in _certificates(folder) if _certifies(certificate, run)
    ]
    if not found:
        return None
    certificate, path = max(found, key=lambda one: datetime.datetime.fromisoformat(one[0].made))
    page = path.with_suffix(".html")
    shown = page if page.exists() else path
    return FoundCertificate(str(shown), certificate.made, certificate.sha256, certificate.cells)


def _certificates(folder: Path) -> Iterator[tuple[Certificate, Path]]:
    for path in sorted(folder.glob("*_certificate.json")):
        try:
            file = read_certificate(path)
        except UsageError:
            # Somebody else's file, or of a version to come: it certifies nothing here.
            continue
        if not faults(file):
            yield file.certificate, path


def _certifies(certificate: Certificate, run: ReportedRun) -> bool:
    return any(one.id == run.id and one.plan_hash == run.plan_hash for one in certificate.runs)
