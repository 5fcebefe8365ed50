"""Certificates: their hash, and whether a file is one as it was made."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import msgspec
from msgspec import UNSET
from msgspec.structs import replace

from tranship.codec.files import read_text
from tranship.errors import UsageError
from tranship.errors.codes.usage import NoCertificate
from tranship.model.certificate import Certificate, CertifiedTable

BEGIN = '<script type="application/json" id="certificate">'
END = "</script>"
"""What stands around the certificate in a page."""


def sealed(certificate: Certificate) -> Certificate:
    """Returns a certificate with its hash."""
    return replace(certificate, sha256=_hash(msgspec.to_builtins(certificate)))


def in_page(certificate: Certificate) -> str:
    """Returns the element of a page that holds the whole certificate; a browser does not show it."""
    document = msgspec.json.encode(certificate, order="sorted").decode()
    # "</" would end the element.
    return BEGIN + document.replace("</", "<\\/") + END


class CertificateFile(NamedTuple):
    """A certificate as a file has it."""

    certificate: Certificate
    text: str
    """Of the whole file."""
    members: dict[str, object]
    """The document, with members that only another version knows."""


def read_certificate(path: Path) -> CertificateFile:
    """Returns the certificate of a file, JSON or page.

    Raises:
        UsageError: the file cannot be read or is no certificate.
    """
    text = read_text(path)
    document = text
    if text.lstrip().startswith("<"):
        _, _, rest = text.partition(BEGIN)
        document = rest.partition(END)[0]
    try:
        certificate = msgspec.json.decode(document, type=Certificate)
        return CertificateFile(certificate, text, json.loads(document, object_pairs_hook=_once))
    except (msgspec.DecodeError, msgspec.ValidationError, _NamedTwice) as error:
        raise UsageError(NoCertificate(path, str(error))) from None


class _NamedTwice(Exception):
    """An object has a member twice: programs take the last one, people may read the first."""


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    names = [name for name, _ in pairs]
    twice = next((name for n, name in enumerate(names) if name in names[:n]), None)
    if twice is not None:
        raise _NamedTwice(f"it has {twice} twice")
    return dict(pairs)


def faults(file: CertificateFile) -> list[str]:
    """Returns what is wrong with a certificate; nothing: it is as it was made."""
    found, certificate = [], file.certificate
    # Of what the file says, not of what this version reads: another one has other members.
    if certificate.sha256 != _hash(file.members):
        found.append("its SHA-256 is not that of its content: it was changed after it was made")
    found += [what for table in certificate.tables for what in _table_faults(table)]
    if certificate.cells != sum(table.cells for table in certificate.tables):
        found.append(f"the cells of its tables do not add up to {certificate.cells}")
    missing = {table.run for table in certificate.tables} - {run.id for run in certificate.runs}
    found += [f"it does not describe run {run}" for run in sorted(missing)]
    found += [
        f"{one.kind} {one.name} of {one.table} is not met by every row"
        for one in certificate.constraints
        if one.broken
    ]
    return found


def _table_faults(table: CertifiedTable) -> list[str]:
    found = []
    counted = (table.written, table.rejected, table.already_there, table.kept, table.updated, table.merged)
    if table.made != sum(counted):
        found.append(f"{table.new_table}: {table.made} rows were made and {sum(counted)} are accounted for")
    if table.rejected != sum(table.rejected_by_reason.values()):
        found.append(f"{table.new_table}: the rejects by reason do not add up to {table.rejected}")
    if table.causes is not UNSET and table.rejected != sum(cause.rows for cause in table.causes):
        found.append(f"{table.new_table}: the rejects by cause do not add up to {table.rejected}")
    if table.cells != table.written * table.columns:
        found.append(f"{table.new_table}: {table.cells} cells are not {table.columns} columns of all rows")
    return found


def _hash(members: Mapping[str, object]) -> str:
    document = {name: value for name, value in members.items() if name != "sha256"}
    return hashlib.sha256(msgspec.json.encode(document, order="sorted")).hexdigest()
