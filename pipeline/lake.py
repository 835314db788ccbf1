"""The lake: one Parquet file per table and partition, published atomically, locking nobody."""

from __future__ import annotations

import errno
import json
import os
import shutil
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.datadir import DataDir
from pipeline.files import make_directory, replace_file, sha256, sweep
from pipeline.ids import canonical_json
from pipeline.parquet import conform_all, count_rows, write_frames
from pipeline.provenance import Provenance
from pipeline.tables import ALL, Table
from pipeline.windows import Window, is_key

__all__ = [
    "CorruptPartition",
    "DiskFull",
    "Lake",
    "MissingPartition",
]

_SPARE_BYTES = 64 * 2**20
_NO_FOOTER = (pa.ArrowException, OSError, KeyError, ValueError)


class MissingPartition(LookupError):
    """A partition that a step needs was never published."""


class DiskFull(OSError):
    """There is no room for a partition; what was published stays."""


class CorruptPartition(RuntimeError):
    """A published file is torn, foreign or altered."""


@dataclass(frozen=True)
class Lake:
    """Publishes and reads partitions of `pipeline.tables` below one data directory."""

    place: DataDir

    def directory(self, table: Table, window: Window | None) -> Path:
        """The directory of a partition, or of an unpartitioned table where `window` is None."""
        root = (self.place.raw if table.zone == "raw" else self.place.lake) / table.name
        if (table.unit is None) != (window is None) or (window and window.unit != table.unit):
            raise ValueError(f"{table.name!r} is partitioned by {table.unit}, not by {window}")
        return root / str(window) if window else root

    def files(self, table: Table, window: Window | None) -> list[Path]:
        """The published files of a partition, none where it was never published."""
        folder = self.directory(table, window)
        return [f for part in table.parts if (f := folder / f"{part}.parquet").exists()]

    def exists(self, table: Table, window: Window | None) -> bool:
        """Whether the partition was published."""
        return bool(self.files(table, window))

    def publish(
        self,
        table: Table,
        window: Window | None,
        rows: pl.DataFrame | Iterable[pl.DataFrame],
        provenance: Provenance,
        part: str = "part-0",
    ) -> Path:
        """Publish `rows` as the partition's file, replacing what was there at one stroke.

        Many rows may come as frames in the order of the table's key: each is written, and
        forgotten, before the next is asked for.

        Raises:
            ConservationError: the counts do not add up.
            SchemaError: the frame does not fit the table.
            DiskFull: there is no room for it; what was published stays.
        """
        where = f"{table.name}/{window or 'all'}"
        provenance.counts.check(where)
        frames = conform_all(table, [rows] if isinstance(rows, pl.DataFrame) else rows)
        folder = self.directory(table, window)
        raw = table.zone == "raw"
        zone = self.place.raw if raw else self.place.lake
        for made in dict.fromkeys((zone, zone / table.name, folder)):
            make_directory(made, private=raw)
        sweep(folder)
        path = folder / f"{part}.parquet"
        with replace_file(path, 0o600 if raw else 0o644) as temporary:
            roomy = self._while_there_is_room(folder, frames, where)
            write_frames(temporary, roomy, provenance.footer(table.version))
        self._write_manifest(folder, raw)
        return path

    def read(
        self,
        table: Table,
        windows: Window | Iterable[Window] | None,
        columns: Sequence[str] | None = None,
    ) -> pl.DataFrame:
        """Read one partition, or several after one another; all columns unless told.

        Raises:
            MissingPartition: naming the partition and the command that makes it.
            PastRetention: it was raw data, and has been dropped.
            CorruptPartition: naming the file and the command that makes it anew.
        """
        wanted = [windows] if windows is None or isinstance(windows, Window) else list(windows)
        frames = [table.empty().select(list(columns or table.columns))]
        for window in wanted:
            files = self.files(table, window)
            if not files:
                self._refuse_dropped(table, window)
                lacks = f"has no partition {window}" if window else "was not made yet"
                raise MissingPartition(
                    f"{table.name} {lacks}; nothing was changed. Run: {self.command(window)}"
                )
            frames += [self._read_file(table, window, file, columns) for file in files]
        return pl.concat(frames)

    def digests(self, table: Table, windows: Iterable[Window | None]) -> dict[str, str]:
        """The sha256 of every published file of the partitions, by "table/partition/file"."""
        return {
            f"{table.name}/{window or 'all'}/{file.name}": sha256(file)
            for window in windows
            for file in self.files(table, window)
        }

    def footer(self, table: Table, window: Window | None, part: str = "part-0") -> dict[str, Any]:
        """The provenance that a published file carries.

        Raises:
            CorruptPartition: it is torn, or not one of ours.
        """
        path = self.directory(table, window) / f"{part}.parquet"
        try:
            return _read_footer(path)
        except FileNotFoundError:
            raise
        except _NO_FOOTER as error:
            raise self._corrupt(table, window, path, error) from error

    def windows(self, table: Table) -> list[Window]:
        """The published partitions of a table, in order; folders of other names are none."""
        if table.unit is None:
            return []
        root = (self.place.raw if table.zone == "raw" else self.place.lake) / table.name
        keys = sorted(
            p.parent.name.partition("=")[2] for p in root.glob(f"{table.unit}=*/*.parquet")
        )
        return [Window(table.unit, key) for key in dict.fromkeys(keys) if is_key(key)]

    def command(self, window: Window | None, *, there: bool = False) -> str:
        """The command that makes a partition; `there`: it looks whole, and is to be made anew.

        A week outlives the raw data of its days, which are run no more.
        """
        from pipeline.retention.mark import is_past

        if window is None:
            return self.place.make("publish")
        if window.unit == "week" and is_past(self.place, window):
            return self.place.make(*(("restate", window.key) if there else ("backfill",)))
        return self.place.make("backfill", window.key, window.days[-1].key)

    def require_readable(self, *, raw: bool = False) -> None:
        """Open every published file of the lake, and of the raw zone if told.

        Raises:
            CorruptPartition: naming the first that is no Parquet, and the command that mends it.
        """
        for table in (table for table in ALL.values() if raw or table.zone == "lake"):
            for window in self.windows(table) if table.unit else [None]:
                for path in self.files(table, window):
                    try:
                        pq.read_metadata(path)
                    except (pa.ArrowException, OSError) as error:
                        raise self._corrupt(table, window, path, error) from error

    def _read_file(
        self, table: Table, window: Window | None, path: Path, columns: Sequence[str] | None
    ) -> pl.DataFrame:
        wanted = list(columns or table.columns)
        try:
            return pl.read_parquet(
                path,
                columns=None if columns is None else wanted,
                hive_partitioning=False,
                glob=False,
            ).match_to_schema({name: table.schema[name] for name in wanted})
        except PermissionError:  # the file may be sound, and making it anew would not help
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path)) from None
        except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
            raise self._corrupt(table, window, path, error) from error

    def _corrupt(
        self, table: Table, window: Window | None, path: Path, error: Exception
    ) -> CorruptPartition:
        where = f"{table.name}: {path.relative_to(self.place.root)}"
        columns = _columns_of(path)
        if columns not in (None, table.version):
            again = self.place.make("backfill") if window else self.command(window)
            return CorruptPartition(
                f"{where} has the columns of another version of Caselaw; the file was left as it "
                f"is. Make it, and all others like it, anew with: {again}"
            )
        return CorruptPartition(
            f"{where} cannot be read ({type(error).__name__}); the file was left as it is. "
            f"Make it anew with: {self.command(window, there=columns is not None)}"
        )

    def _refuse_dropped(self, table: Table, window: Window | None) -> None:
        from pipeline.retention.mark import require_kept  # retention itself stands on the lake

        if table.zone == "raw" and window is not None:
            require_kept(self.place, window)

    def _while_there_is_room(
        self, folder: Path, frames: Iterable[pl.DataFrame], where: str
    ) -> Iterator[pl.DataFrame]:
        for rows in frames:
            need = int(rows.estimated_size()) + _SPARE_BYTES
            free = shutil.disk_usage(folder).free
            if free < need:
                raise DiskFull(
                    f"{where} needs about {need >> 20} MB in {folder}, which has {free >> 20}; "
                    "nothing was changed. Free some space and run it again"
                )
            yield rows

    def _write_manifest(self, folder: Path, raw: bool) -> None:
        body = {
            file.name: {"sha256": sha256(file), "rows": count_rows(file)}
            for file in sorted(folder.glob("*.parquet"))
        }
        with replace_file(folder / "_manifest.json", 0o600 if raw else 0o644) as temporary:
            temporary.write_bytes(canonical_json(body) + b"\n")


def _columns_of(path: Path) -> str | None:
    """The version of the columns that a file says it has; None where it does not say."""
    try:
        return str(_read_footer(path)["schema_version"])
    except _NO_FOOTER:
        return None


def _read_footer(path: Path) -> dict[str, Any]:
    """The provenance in a file; what is torn or not one of ours raises one of `_NO_FOOTER`."""
    raw = pq.read_metadata(path).metadata or {}
    body: dict[str, Any] = json.loads(raw[b"caselaw"])
    return body
