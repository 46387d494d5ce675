"""The measured values of a history as a file: JSON, CSV or Parquet, a piece at a time.

One row per execution and known metric, oldest first. Whatever the size of the history, a
thousand executions are in memory at once.
"""

import io
import json
import math
from collections.abc import Iterator, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

from scriptrunner.errors import MalformedInputError
from scriptrunner.history.models import HistoryFilter
from scriptrunner.history.store import HistoryStore

#: Columns of a row, in the order of the file.
COLUMNS = (
    "timestamp",
    "metric_name",
    "value",
    "script_path",
    "exit_code",
    "run_id",
    "status",
)
#: Columns of an execution that every one of its rows has.
_IDENTITY = ("script_path", "exit_code", "run_id", "status")
#: Place of the first metric in a row of ``iter_chunks``: after start, number, identity.
_FIRST = 2 + len(_IDENTITY)
#: A text cell that begins so would be a formula to a spreadsheet.
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
_encode = json.JSONEncoder(ensure_ascii=False).encode


class ExportFormat(StrEnum):
    """The form of an exported file."""

    JSON = "json"
    CSV = "csv"
    PARQUET = "parquet"


class ParquetMissingError(MalformedInputError):
    """Parquet export needs the extra `parquet`."""

    def __init__(self) -> None:
        """Say how to get it."""
        words = 'Parquet export needs the extra `parquet`: pip install ".[parquet]"'
        super().__init__(
            [{"type": "not_installed", "loc": ["body", "format"], "msg": words}]
        )


class Writer(Protocol):
    """Turns executions into the bytes of a file."""

    media_type: str

    def begin(self) -> bytes:
        """Return what stands before all rows."""

    def write(self, rows: Sequence[tuple[Any, ...]], metrics: Sequence[str]) -> bytes:
        """Return the bytes of some executions.

        Args:
            rows: Start, number, ``_IDENTITY``, then a value or None per metric.
            metrics: Names of these values.
        """

    def end(self) -> bytes:
        """Return what stands after all rows."""


def iter_file(
    store: HistoryStore, wanted: HistoryFilter, metrics: Sequence[str], writer: Writer
) -> Iterator[bytes]:
    """Yield the pieces of a file with all that match.

    If reading fails in the middle, this raises and the file has no end.
    """
    yield writer.begin()
    for rows in store.iter_chunks(wanted, [*_IDENTITY, *metrics]):
        piece = writer.write(rows, metrics)
        if piece:
            yield piece
    yield writer.end()


def make_writer(kind: ExportFormat) -> Writer:
    """Return a writer of one file.

    Raises:
        ParquetMissingError: If the library for it is not installed.
    """
    if kind is ExportFormat.PARQUET:
        return ParquetWriter()
    return JsonWriter() if kind is ExportFormat.JSON else CsvWriter()


def _time(moment: datetime) -> str:
    return moment.isoformat(timespec="microseconds")[:-6] + "Z"


def _known(
    values: Sequence[Any], metrics: Sequence[str]
) -> list[tuple[str, int | float]]:
    return [
        (name, value)
        for name, value in zip(metrics, values, strict=True)
        if value is not None and math.isfinite(value)
    ]


class JsonWriter:
    """One array of objects."""

    media_type = "application/json"

    def __init__(self) -> None:
        """Begin with the first row."""
        self._is_first = True

    def begin(self) -> bytes:
        """Open the array."""
        return b"["

    def write(self, rows: Sequence[tuple[Any, ...]], metrics: Sequence[str]) -> bytes:
        """Return the objects of some executions, each on a line."""
        lines = []
        for at, _, path, code, run_id, status, *values in rows:
            head = f'{{"timestamp":"{_time(at)}","metric_name":"'
            shown = "null" if code is None else code
            tail = (
                f',"script_path":{_encode(path)},"exit_code":{shown},'
                f'"run_id":"{run_id}","status":"{status}"}}'
            )
            lines += [
                f'{head}{name}","value":{value!r}{tail}'
                for name, value in _known(values, metrics)
            ]
        if not lines:
            return b""
        before = "\n" if self._is_first else ",\n"
        self._is_first = False
        return (before + ",\n".join(lines)).encode("utf-8")

    def end(self) -> bytes:
        """Close the array."""
        return b"]" if self._is_first else b"\n]"


class CsvWriter:
    """RFC 4180, with a header, safe to open in a spreadsheet."""

    media_type = "text/csv; charset=utf-8"

    def begin(self) -> bytes:
        """Return the header."""
        return (",".join(COLUMNS) + "\r\n").encode("ascii")

    def write(self, rows: Sequence[tuple[Any, ...]], metrics: Sequence[str]) -> bytes:
        """Return the lines of some executions."""
        lines = []
        for at, _, path, code, run_id, status, *values in rows:
            head = f"{_time(at)},"
            shown = "" if code is None else code
            tail = f",{cell(path)},{shown},{run_id},{status}\r\n"
            lines += [
                f"{head}{name},{value!r}{tail}"
                for name, value in _known(values, metrics)
            ]
        return "".join(lines).encode("utf-8")

    def end(self) -> bytes:
        """Return nothing: the last line was the end."""
        return b""


def cell(text: str) -> str:
    """Return ``text`` as a cell: quoted where it must be, and never a formula."""
    if text.startswith(_FORMULA_STARTS):
        text = f"'{text}"
    if any(character in text for character in ',"\r\n'):
        return '"' + text.replace('"', '""') + '"'
    return text


class _Sink(io.RawIOBase):
    """Takes what the Parquet library writes, until it is fetched."""

    def __init__(self) -> None:
        super().__init__()
        self._pieces: list[bytes] = []
        self._place = 0

    def writable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._place

    def write(self, data: Any) -> int:
        piece = bytes(data)
        self._pieces.append(piece)
        self._place += len(piece)
        return len(piece)

    def fetch(self) -> bytes:
        pieces, self._pieces = self._pieces, []
        return b"".join(pieces)


class ParquetWriter:
    """Apache Parquet with typed columns; one row group per piece."""

    media_type = "application/vnd.apache.parquet"

    def __init__(self) -> None:
        """Load the library.

        Raises:
            ParquetMissingError: If it is not installed.
        """
        try:
            import pyarrow  # noqa: PLC0415 - large, and an extra
            from pyarrow import parquet  # noqa: PLC0415
        except ImportError:
            raise ParquetMissingError from None
        self._arrow = pyarrow
        kinds = (
            pyarrow.timestamp("us", tz="UTC"),
            pyarrow.string(),
            pyarrow.float64(),
            pyarrow.string(),
            pyarrow.int64(),
            pyarrow.string(),
            pyarrow.string(),
        )
        self._schema = pyarrow.schema(list(zip(COLUMNS, kinds, strict=True)))
        self._sink = _Sink()
        self._writer = parquet.ParquetWriter(self._sink, self._schema)

    def begin(self) -> bytes:
        """Return the first bytes."""
        return self._sink.fetch()

    def write(self, rows: Sequence[tuple[Any, ...]], metrics: Sequence[str]) -> bytes:
        """Return the row group of some executions."""
        table: list[tuple[Any, ...]] = []
        for at, _, path, code, run_id, status, *values in rows:
            table += [
                (at, name, float(value), path, code, run_id, status)
                for name, value in _known(values, metrics)
            ]
        if table:
            columns = [
                self._arrow.array(list(column), type=field.type)
                for column, field in zip(
                    zip(*table, strict=True), self._schema, strict=True
                )
            ]
            batch = self._arrow.record_batch(columns, schema=self._schema)
            self._writer.write_batch(batch)
        return self._sink.fetch()

    def end(self) -> bytes:
        """Return the directory of the file, without which it cannot be read."""
        self._writer.close()
        return self._sink.fetch()
