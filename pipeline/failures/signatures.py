"""What failed, in our own words, and the signature that makes two failures the same."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import polars as pl

from pipeline.ids import digest
from pipeline.redaction import SURROGATE
from pipeline.registry import Registry

__all__ = ["Failures", "Signature", "collect_failures", "mask", "words"]

_SEVERITY = {"low": 1, "medium": 2, "high": 3}
_NUMBER = re.compile(r"\d+(?:[.,:/-]\d+)*")
_UNSEEN = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]+")
_LONGEST = 240  # characters of a description


@dataclass(frozen=True, order=True)
class Signature:
    """What makes two failures the same: the check, the intent, what it was about, how it failed.

    The judge's or rule's sentence is no part of it: a mode must not hang on a wording.
    """

    check: str
    intent: str
    subject: str
    error_class: str

    @property
    def key(self) -> str:
        """The signature's digest, 16 hexadecimal characters."""
        return digest(self.check, self.intent, self.subject, self.error_class, size=8)


@dataclass(frozen=True)
class Failures:
    """The failures of some days.

    `rows` has one row per (trace_id, check): the columns of `grades` that clusters keep, plus
    `signature`, `description` and `severity_rank`. `signatures` maps each key to its parts.
    """

    rows: pl.DataFrame
    signatures: Mapping[str, Signature]
    records_in: int

    @property
    def duplicates(self) -> int:
        """Verdicts folded because another grader failed the same trace on the same check."""
        return self.records_in - self.rows.height

    def on(self, day: object) -> Failures:
        """The failures of one day, where the rows carry a `day`."""
        rows = self.rows.filter(pl.col("day") == day)
        present = rows["signature"].unique().to_list()
        return Failures(rows, {key: self.signatures[key] for key in sorted(present)}, rows.height)


def mask(text: str) -> str:
    """Replace what differs from one failure to the next: numbers by #, surrogates by their type."""
    typed = SURROGATE.sub(lambda found: found.group().rsplit("_", 1)[0], text)
    return " ".join(_NUMBER.sub("#", _UNSEEN.sub(" ", typed)).split())


def words(code: str) -> str:
    """A code as words: `wrong_tool` reads "wrong tool"."""
    return " ".join(re.sub(r"[_\-./]+", " ", code).split()).lower()


def collect_failures(grades: pl.DataFrame, registry: Registry) -> Failures:
    """Take the failing verdicts, one per trace and check, and describe each.

    Args:
        grades: rows of `grades`, with or without a `day`.
        registry: for the titles of rules.

    Where several graders fail one check of one trace, the gravest verdict speaks for it.
    """
    failing = grades.filter(pl.col("verdict") == "fail")
    rank = pl.col("severity").replace_strict(_SEVERITY, default=1, return_dtype=pl.Int64)
    rows = (
        failing.with_columns(
            rank.alias("severity_rank"),
            pl.col("intent").fill_null("unknown"),
            pl.col("subject").fill_null("").map_elements(mask, pl.String, skip_nulls=False),
            pl.col("error_class").fill_null(""),
        )
        .sort(
            "trace_id",
            "check",
            "severity_rank",
            "grader_id",
            descending=[False, False, True, False],
        )
        .unique(["trace_id", "check"], keep="first", maintain_order=True)
    )
    parts = ["check", "intent", "subject", "error_class"]
    keys = {found: found.key for found in _signatures(rows.select(parts).unique().sort(parts))}
    titles = {rule.id: rule.title for rule in registry.rules}
    named = [keys[found] for found in _signatures(rows.select(parts))]
    said = [
        _describe(found, titles.get(found.check, ""), reason)
        for found, reason in zip(_signatures(rows.select(parts)), rows["reason"], strict=True)
    ]
    described = rows.with_columns(
        pl.Series("signature", named, pl.String), pl.Series("description", said, pl.String)
    )
    return Failures(described, {key: found for found, key in keys.items()}, failing.height)


def _signatures(rows: pl.DataFrame) -> Iterator[Signature]:
    return (Signature(*row) for row in rows.iter_rows())


def _describe(signature: Signature, title: str, reason: str | None) -> str:
    what = title or words(signature.check).capitalize()
    tail = [f"intent {signature.intent}"]
    tail += [f"about {signature.subject}"] if signature.subject else []
    tail += [words(signature.error_class)] if signature.error_class else []
    said = mask(reason or "").rstrip(".")
    body = f"{what}: {said}" if said else what
    return f"{body[:_LONGEST]} ({'; '.join(tail)})"
