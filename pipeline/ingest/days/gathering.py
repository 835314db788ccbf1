"""A day's rows, share by share: those that are ready, and those that had to be assembled."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import polars as pl

from pipeline.datadir import DataDir
from pipeline.ingest.days.passes import assemble, events_of
from pipeline.ingest.days.planning import Plan
from pipeline.ingest.days.scratch import rows_file, scratch_folder
from pipeline.ingest.days.share import Share
from pipeline.ingest.index.landed import LandedFile
from pipeline.ingest.index.ready import read_ready, read_ready_names
from pipeline.ingest.index.tables import BUCKETS, bucket_of
from pipeline.ingest.parallel import run_tasks
from pipeline.ingest.safety import safe_id
from pipeline.ingest.suppression import Suppression
from pipeline.tables import RAW_TRACES

__all__ = ["DayRows", "divide", "gather"]

_SHARE_BYTES = 64 * 2**20


@dataclass(frozen=True)
class DayRows:
    """The rows of a day; those that had to be assembled lie in `made`, or in files of `scratch`."""

    place: DataDir
    plan: Plan
    ready: pl.DataFrame
    """The plan's members whose rows lie ready, with their share."""
    shares: int
    made: pl.DataFrame
    scratch: Path | None
    content_key: bytes

    def frames(self) -> Iterator[pl.DataFrame]:
        """A frame a share; shares follow the key of `raw_traces`, rows within one do not."""
        return (self._share(share) for share in range(self.shares))

    def _share(self, share: int) -> pl.DataFrame:
        mine = self.ready.filter(pl.col("share") == share)
        found = [read_ready(self.place, self.plan.files, mine, self.content_key)]
        if self.scratch is not None:
            found.append(pl.read_parquet(rows_file(self.scratch, share), glob=False))
        else:
            found.append(self.made.filter(pl.col("share") == share).drop("share"))
        return pl.concat(found)


def gather(
    place: DataDir, plan: Plan, events: pl.DataFrame, content_key: bytes,
    suppression: Suppression, stack: ExitStack,
) -> tuple[DayRows, Share]:  # fmt: skip
    """Assemble what is not ready: at once, or in two processes where it would not fit.

    Args:
        place: the data directory.
        plan: the day's conversations.
        events: what was said of them elsewhere (see `attachments.events_about`).
        content_key: key of the digests of ids.
        suppression: who was erased; their conversations are left out.
        stack: closes the scratch folder.
    """
    ready, rest = divide(plan, events)
    total = Share()
    if suppression:
        ready, total = _without_erased(place, plan, ready, suppression)
    shares = _shares(int(ready["bytes"].sum()), int(rest["bytes"].sum()))
    ready, rest = _with_share(ready, shares, content_key), _with_share(rest, shares, content_key)
    records = int(ready["records"].sum())
    total = total.plus(
        Share(
            records=records,
            kept=records,
            files={plan.files[number].sha256 for number in ready["file"].unique()},
            members=ready["trace_id"].to_list(),
        )
    )
    spoken = sorted(rest["files"].explode().unique().drop_nulls())
    files, made, scratch = [plan.files[n] for n in spoken], RAW_TRACES.empty(), None
    if int(rest["bytes"].sum()) <= _SHARE_BYTES:
        about = events_of(events, set(rest["trace_id"]))
        made, share = assemble(place, files, rest, content_key, about, suppression)
        total = total.plus(share)
    else:
        scratch = stack.enter_context(scratch_folder(place))
        keys = content_key, suppression.key
        for share in _assembled(place, files, rest, events, keys, scratch, shares):
            total = total.plus(share)
    of = [_share_of(trace_id, shares) for trace_id in made["trace_id"]]
    made = made.with_columns(pl.Series("share", of, pl.Int64))
    return DayRows(place, plan, ready, shares, made, scratch, content_key), total


def divide(plan: Plan, events: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The plan's members whose rows lie ready, and those that are to be assembled."""
    members = plan.members.with_columns(file=pl.col("files").list.first())
    spoken_of = pl.col("trace_id").is_in(events["trace_id"].unique().implode())
    is_ready = pl.col("ready") & ~spoken_of
    return members.filter(is_ready), members.filter(~is_ready)


def _without_erased(
    place: DataDir, plan: Plan, ready: pl.DataFrame, suppression: Suppression
) -> tuple[pl.DataFrame, Share]:
    """The members that nobody on the list has a part in, and what was left out."""
    share, gone = Share(), list[str]()
    for trace_id, session, user in read_ready_names(place, plan.files, ready).iter_rows():
        if names := suppression.found_in((trace_id,), (session,), (user,)):
            gone.append(trace_id)
            share.erased_for |= names
    leaving = pl.col("trace_id").is_in(gone)
    share.records = share.erased = int(ready.filter(leaving)["records"].sum())
    share.members = gone
    share.files = {plan.files[n].sha256 for n in ready.filter(leaving)["file"].unique()}
    return ready.filter(~leaving), share


def _assembled(
    place: DataDir, files: Sequence[LandedFile], members: pl.DataFrame, events: pl.DataFrame,
    keys: tuple[bytes, bytes], scratch: Path, shares: int,
) -> Iterator[Share]:  # fmt: skip
    members.write_parquet(scratch / "members.parquet", statistics=False)
    events.write_parquet(scratch / "events.parquet", statistics=False)
    task: dict[str, Any] = {
        "do": "assemble",
        "root": str(place.root),
        "files": msgspec.to_builtins(files),
        "scratch": str(scratch),
        "key": keys[0].hex(),
        "suppression_key": keys[1].hex(),
    }
    tasks = [task | {"share": share} for share in range(shares)]
    for answer in run_tasks("pipeline.ingest.worker", tasks):
        yield msgspec.convert(answer, Share)


def _shares(ready: int, rest: int) -> int:
    """How many shares records of so many bytes take: a power of two, at most BUCKETS.

    It depends on the records alone, so that equal inputs give equal bytes.
    """
    shares = 1
    while shares * _SHARE_BYTES < ready + rest and shares < BUCKETS:
        shares *= 2
    return shares


def _with_share(members: pl.DataFrame, shares: int, content_key: bytes) -> pl.DataFrame:
    ids = (str(safe_id(c, content_key)) for c in members["conversation"])
    of = [_share_of(conversation, shares) for conversation in ids]
    return members.with_columns(pl.Series("share", of, pl.Int64))


def _share_of(trace_id: str, shares: int) -> int:
    return bucket_of(trace_id) * shares // BUCKETS
