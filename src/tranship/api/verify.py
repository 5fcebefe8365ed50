"""The verification of finished runs, and its result file."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import NamedTuple

from msgspec.structs import replace

from tranship import __version__
from tranship.codec import check_folder, free_path, write_json, write_text
from tranship.codec.certificate import faults, read_certificate, sealed
from tranship.codec.files import result_path
from tranship.config import Config
from tranship.errors import Differs
from tranship.errors.codes.differs import CertificateAltered
from tranship.execution.time_spent import Stopwatch, spent
from tranship.execution.verification.command import OnTable
from tranship.execution.verification.command import verify as compare
from tranship.model.certificate import Certificate
from tranship.model.verification import Verification, VerifiedTable, VerifyOptions
from tranship.report.certificate import certificate_page
from tranship.report.notebook import verification_html
from tranship.report.spelled import spelled_problems


class Verified(NamedTuple):
    """What a verification says, and where its files are."""

    result: Verification
    path: Path
    certificate: Path | None
    """The page of the certificate; the same as JSON stands beside it. None: not every row is verified."""

    def _repr_html_(self) -> str:
        """Returns the tables with the verdict about each, which notebooks show."""
        return verification_html(self.result)


async def verify(
    config: Config, options: VerifyOptions | None = None, on_table: OnTable | None = None
) -> Verified:
    """Compares what runs brought into NEW with the sums in its journal, at any time after them. It writes to
    no database. Without ``options`` all runs are verified; ``on_table`` is called as each table is done.

    Raises:
        TranshipError: there is nothing to verify, or NEW cannot be read.
    """
    options = options or VerifyOptions()
    stamp = datetime.datetime.now(tz=datetime.UTC).strftime("%Y%m%d_%H%M%S")
    name = f"verification_{stamp}"
    path = free_path(result_path(options.results_dir, options.prefix, f"{name}.json"))
    check_folder(path)
    with Stopwatch().running():
        result, certificate = await compare(config, options, on_table or _unheard)
        problems = spelled_problems(result.problems, options.invocation, options.databases)
        result = replace(result, problems=problems)
        if options.profile:
            result = replace(result, profile=spent())
    write_json(path, result)
    if certificate is None:
        return Verified(result, path, None)
    whole = sealed(certificate)
    page = path.with_name(f"{path.stem}_certificate.html")
    write_json(page.with_suffix(".json"), whole)
    write_text(page, certificate_page(whole))
    return Verified(result, path, page)


def check_certificate(path: Path) -> Certificate:
    """Returns the certificate of a file, JSON or page, which is as it was made.

    Raises:
        UsageError: the file is no certificate.
        Differs: it was changed; the message says what is wrong.
    """
    file = read_certificate(path)
    certificate, text, found = file.certificate, file.text, faults(file)
    # Another version may word the page otherwise; the document in it is checked all the same.
    paged = text.lstrip().startswith("<") and certificate.tool_version == __version__
    if paged and not found and text != certificate_page(certificate):
        found.append("the page does not say what the certificate in it says")
    if found:
        raise Differs(CertificateAltered(path, "; ".join(found)))
    return certificate


def _unheard(_: VerifiedTable) -> None:
    """Ignores a verdict: the caller gave no ``on_table``."""
