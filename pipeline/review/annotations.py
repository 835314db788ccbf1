"""People's verdicts on traces: one small JSON file an action, only ever appended.

`annotations/<yyyy-mm-dd>/<annotation_id>.json`, the day being that of `annotated_at`. A person who
changes their mind writes a second annotation; which one counts, the reader decides
(`pipeline.review.standing`). Notes and corrections are free text and may hold personal data:
nothing here prints them.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import orjson
import polars as pl
from pydantic import ValidationError

from pipeline.files import leftovers, make_directory, replace_file
from pipeline.review.annotation import Annotation, StoredAnnotation
from pipeline.review.standing import standing_ids
from pipeline.tables.schema import UTC_TIME

__all__ = [
    "ACTIONS",
    "ANNOTATIONS",
    "Annotation",
    "Annotations",
    "Problem",
    "axis_labels",
    "collect_annotations",
    "read_annotations",
    "write_annotation",
]

_LARGEST = 2**20  # bytes; an annotation is typed by a person
_SHOWN = 10
_log = logging.getLogger(__name__)

_COLUMNS: dict[str, pl.DataType | type[pl.DataType]] = {
    "annotation_id": pl.String,
    "trace_id": pl.String,
    "verdict": pl.String,
    "axes": pl.List(pl.Struct({"axis": pl.String, "verdict": pl.String})),
    "failure_mode": pl.String,
    "note": pl.String,
    "corrected_output": pl.String,
    "annotator_id": pl.String,
    "annotated_at": UTC_TIME,
    "blind": pl.Boolean,
    "queue_reason": pl.String,
    "inclusion_probability": pl.Float64,
}
ANNOTATIONS = pl.Schema(_COLUMNS)
"""One row a verdict; `axes` is a list, as the rubric's axes are the registry's to choose."""

ACTIONS = pl.Schema(
    _COLUMNS | {"action": pl.String, "supersedes": pl.List(pl.String), "stands": pl.Boolean}
)
"""One row an action of whatever kind; `stands` is false where its own person undid it."""


@dataclass(frozen=True)
class Problem:
    """A file that was left out: its path below the folder and why, without a word of its text."""

    file: str
    reason: str


@dataclass(frozen=True)
class Annotations:
    """What people did before an instant.

    Attributes:
        frame: verdicts that stand (schema `ANNOTATIONS`, by time and id): what the pipeline counts.
        problems: the files that were left out.
        actions: all that people did, skips and what was undone included (schema `ACTIONS`).
    """

    frame: pl.DataFrame
    problems: tuple[Problem, ...]
    actions: pl.DataFrame


def collect_annotations(folder: Path, before: datetime) -> Annotations:
    """Read every annotation made before the instant `before`; a bad file never stops the rest.

    The same id in two files counts once. A folder that does not exist holds no annotations.
    """
    problems: list[Problem] = []
    found: dict[str, StoredAnnotation] = {}
    for path in sorted(folder.glob("*/*.json")):
        if path.name.startswith("."):
            continue
        stored = _read(path)
        if isinstance(stored, str):
            problems.append(Problem(str(path.relative_to(folder)), stored))
        elif stored.annotated_at < before:
            found.setdefault(stored.key, stored)
    stand = standing_ids(found)
    rows = [_row(found[name]) | {"stands": name in stand} for name in sorted(found)]
    actions = pl.DataFrame(rows, schema=ACTIONS).sort("annotated_at", "annotation_id")
    verdicts = actions.filter(pl.col("stands") & (pl.col("action") == "verdict"))
    return Annotations(verdicts.select(ANNOTATIONS.names()), tuple(problems), actions)


def read_annotations(folder: Path, before: datetime) -> pl.DataFrame:
    """Read the verdicts made before `before` that stand; unreadable files are logged by name.

    Returns:
        A frame of schema `ANNOTATIONS`, sorted by `annotated_at` and `annotation_id`.
    """
    collected = collect_annotations(folder, before)
    if collected.problems:
        shown = "; ".join(f"{p.file!r}: {p.reason}" for p in collected.problems[:_SHOWN])
        _log.warning(
            "%d annotation files in %s were left out, the other %d count: %s%s. Mend or move them,"
            " then materialise again",
            len(collected.problems),
            folder,
            collected.frame.height,
            shown,
            "; ..." if len(collected.problems) > _SHOWN else "",
        )
    return collected.frame


def write_annotation(folder: Path, annotation: Annotation) -> Path:
    """Append one annotation, atomically, readable by its owner alone; return its path.

    Writing the same one again changes nothing. What a killed process left half written beside it
    goes: a note is personal.
    """
    name = annotation.annotation_id
    path = folder / annotation.annotated_at.date().isoformat() / f"{name}.json"
    if not path.exists():
        for room in (folder, path.parent):
            make_directory(room, private=True)
        for left in leftovers(path.parent):
            left.unlink(missing_ok=True)
        body = {"annotation_id": name} | annotation.model_dump(mode="json")
        with replace_file(path, mode=0o600) as temporary:
            temporary.write_bytes(orjson.dumps(body, option=orjson.OPT_INDENT_2) + b"\n")
    return path


def axis_labels(annotations: pl.DataFrame) -> pl.DataFrame:
    """One row per annotation and axis: the frame's columns with `axis` and `axis_verdict`.

    Of several annotations by one person on one trace, an axis takes the latest that names it.
    """
    return (
        annotations.explode("axes", empty_as_null=True)
        .with_columns(
            pl.col("axes").struct.field("axis"),
            pl.col("axes").struct.field("verdict").alias("axis_verdict"),
        )
        .drop("axes")
        .drop_nulls("axis")
        .sort("annotated_at", "annotation_id")
        .unique(["trace_id", "annotator_id", "axis"], keep="last", maintain_order=True)
    )


def _read(path: Path) -> StoredAnnotation | str:
    """One file's annotation, or why it cannot be used."""
    try:
        if not path.is_file():  # to open a named pipe would wait for ever
            return "no regular file"
        if path.stat().st_size > _LARGEST:
            return f"larger than {_LARGEST} bytes"
        return StoredAnnotation.model_validate(orjson.loads(path.read_bytes()))
    except OSError as error:
        return f"cannot be opened: {error.strerror}"
    except orjson.JSONDecodeError:
        return "not JSON"
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        return f"field {first['loc'][0] if first['loc'] else '(all)'!r}: {first['msg']}"


def _row(stored: StoredAnnotation) -> dict[str, object]:
    body = stored.model_dump(mode="python", exclude={"stored_id", "axes"})
    axes = [{"axis": axis, "verdict": verdict} for axis, verdict in sorted(stored.axes.items())]
    return {"annotation_id": stored.key, "axes": axes} | body
