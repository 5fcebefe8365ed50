"""Large values among many small ones: what is held of OLD's rows at a time stays small."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from support import MakePair
from support.asking import ask_all
from support.runs import migrate
from tranship.execution.probe import portions, records
from tranship.execution.probe.reading import Chunk, Reader
from tranship.server import pages

LARGE = 2_000_000
OLD = f"""
CREATE TABLE t (id int PRIMARY KEY, kind text, body text);
INSERT INTO t SELECT n, 'small', 'x' FROM generate_series(1, 3000) n;
INSERT INTO t SELECT n, 'large', (SELECT string_agg(md5(i::text || n), '') FROM generate_series(1, {LARGE // 32}) i)
  FROM generate_series(3001, 3012) n;
"""
# pg_input_is_valid and octet_length would be asked of OLD; this one only NEW can answer.
NEW = """
CREATE FUNCTION fine(body text) RETURNS boolean IMMUTABLE LANGUAGE plpgsql AS $$BEGIN RETURN length(body) < 1000; END$$;
CREATE TABLE t (id int PRIMARY KEY, kind text, body text CONSTRAINT fine CHECK (fine(body)));
"""


async def test_few_large_rows_are_read_together(make_pair: MakePair, monkeypatch: pytest.MonkeyPatch) -> None:
    most = 3 * LARGE
    monkeypatch.setattr(portions, "BYTES", most)
    monkeypatch.setattr(records, "_BYTES", most)
    asked: list[int] = []
    read: list[int] = []
    stream, read_rows = Reader._stream, records._read

    async def streaming(self: Reader, *given: Any) -> AsyncIterator[Chunk]:
        async for chunk in stream(self, *given):
            texts = (text for column in chunk.texts.values() for text in column if text is not None)
            asked.append(sum(map(len, (*chunk.objects, *texts))))
            yield chunk

    async def reading(*given: Any, **options: Any) -> Any:
        found = await read_rows(*given, **options)
        read.append(sum(len(whole) for _, whole in found.values()))
        return found

    monkeypatch.setattr(Reader, "_stream", streaming)
    monkeypatch.setattr(records, "_read", reading)
    pair = await make_pair(OLD + "ANALYZE t", NEW)
    found = await ask_all(pair)
    assert found.keys("public.t") == list(range(3001, 3013))
    # Of rows that are large only three fit, and what surrounds the values is small.
    assert max(asked) < most + LARGE // 2
    assert max(read) < most + LARGE // 2
    assert len(read) >= 4


FAR_BEHIND = f"""
CREATE TABLE t (id int PRIMARY KEY, filler text, body text);
ALTER TABLE t ALTER filler SET STORAGE PLAIN;
INSERT INTO t SELECT n, repeat('f', 1600), 'x' FROM generate_series(1, 20480) n;
INSERT INTO t SELECT n, '', (SELECT string_agg(md5(i::text || n), '') FROM generate_series(1, {LARGE // 32}) i)
  FROM generate_series(20481, 20488) n;
"""


async def test_rows_are_read_in_the_order_of_their_lengths(
    make_pair: MakePair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A second scan of a large heap would begin where the first one stands (synchronize_seqscans)."""
    monkeypatch.setattr(portions, "BYTES", 3 * LARGE)
    # One batch of the whole heap, as every table of a server before 14 is.
    monkeypatch.setattr(pages, "LARGE", 10**6)
    read: list[int] = []
    stream = Reader._stream

    async def streaming(self: Reader, *given: Any) -> AsyncIterator[Chunk]:
        async for chunk in stream(self, *given):
            read.append(sum(len(text) for column in chunk.texts.values() for text in column if text))
            yield chunk

    monkeypatch.setattr(Reader, "_stream", streaming)
    pair = await make_pair(FAR_BEHIND + "ANALYZE t", NEW.replace("kind text, ", "filler text, "))
    buffers = await pair.old.value("SELECT setting::int FROM pg_settings WHERE name = 'shared_buffers'")
    assert await pair.old.value("SELECT pg_relation_size('t') / 8192") > buffers / 4
    result = await migrate(pair, tmp_path, live=False, batch_size=50_000)
    assert result.rejects_in_file == 8
    assert max(read) < 4 * LARGE


@pytest.mark.parametrize(
    ("lengths", "expected"),
    [
        ([], [[]]),
        ([1, 1, 1], [["a", "b", "c"]]),
        ([9, 1, 1], [["a", "b", "c"]]),
        ([1, 30, 1], [["a"], ["b"], ["c"]]),
        ([30, 30, 30], [["a"], ["b"], ["c"]]),
        ([5, 6, 5], [["a", "b"], ["c"]]),
    ],
)
def test_portions(lengths: list[int], expected: list[list[str]]) -> None:
    things = ["a", "b", "c"][: len(lengths)]
    assert [list(portion) for portion in portions.in_portions(things, lengths, 11)] == expected
