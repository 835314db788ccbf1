"""What is kept beside the tables: the judge's answers, people's notes, pages, states of pulls."""

from __future__ import annotations

import contextlib
import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

from pipeline.datadir import DataDir
from pipeline.erasure.receipts import Line
from pipeline.files import replace_file
from pipeline.grading.judge_calls import export_ledger
from pipeline.ingest.id_words import stands_in
from pipeline.ingest.suppression import Suppression
from pipeline.ledger_file import telling_of_ledger

__all__ = ["erase_caches", "notes_about"]

_WORD = re.compile(r"[\w.@+-]{3,}")
_GONE = "(erased)"


def erase_caches(place: DataDir, listed: Suppression, *, dry_run: bool) -> Iterator[Line]:
    """Take them out of everything that is no table."""
    yield Line("annotations", _erase_annotations(place, listed, dry_run))
    yield Line("judge's ledger", 0, _erase_answers(place, listed, dry_run))
    yield Line("reports", 0, _erase_pages(place, listed, dry_run))
    yield Line("states of pulls", _erase_pulls(place, listed, dry_run))


def _erase_answers(place: DataDir, listed: Suppression, dry_run: bool) -> int:
    """Forget the judge's answers on their traces; what the calls cost stays, without a trace id.

    Returns:
        How many calls.
    """
    path = place.ledger / "judge.sqlite"
    if not path.exists():
        return 0
    with (
        telling_of_ledger(path, "the erasure is not finished"),
        contextlib.closing(sqlite3.connect(path, timeout=60)) as connection,
    ):
        connection.isolation_level = None
        known = [row[0] for row in connection.execute("SELECT DISTINCT trace_id FROM calls")]
        theirs = [(one,) for one in known if listed.covers("trace", one)]
        counted = "SELECT COUNT(*) FROM calls WHERE trace_id = ?"
        calls = sum(int(connection.execute(counted, one).fetchone()[0]) for one in theirs)
        if dry_run or not theirs:
            return calls
        connection.execute("PRAGMA secure_delete=ON")
        connection.execute("BEGIN IMMEDIATE")
        content = "SELECT content FROM calls WHERE trace_id = ?"
        connection.executemany(f"DELETE FROM answers WHERE content IN ({content})", theirs)
        connection.executemany(
            "UPDATE calls SET trace_id = '', content = '' WHERE trace_id = ?", theirs
        )
        connection.execute("COMMIT")
        connection.execute("VACUUM")  # and what was freed before secure_delete was on
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    if (place.ledger / "export").is_dir():
        export_ledger(place.ledger)
    return calls


def _erase_annotations(place: DataDir, listed: Suppression, dry_run: bool) -> int:
    """Remove people's verdicts and notes on their traces; returns how many."""
    theirs = [path for path, about in _annotations(place, listed) if about]
    for path in () if dry_run else theirs:
        path.unlink(missing_ok=True)
    return len(theirs)


def notes_about(place: DataDir, listed: Suppression, by_hand: Path) -> list[str]:
    """Notes on other traces, cases written by hand and opt-outs in which an id of theirs stands.

    They are people's own words: people decide.
    """
    found = [path for path, about in _annotations(place, listed) if not about]
    opt_outs = place.registry / "opt_outs.yaml"
    there = [path for path in (*found, by_hand, opt_outs) if path.exists()]
    return sorted(str(path) for path in there if _words_of(_text(path), listed))


def _annotations(place: DataDir, listed: Suppression) -> Iterator[tuple[Path, bool]]:
    """Every annotation, and whether it is about a trace of theirs."""
    for path in sorted(p for p in place.annotations.glob("*/*") if p.is_file()):
        text = _text(path)
        try:
            trace = orjson.loads(text).get("trace_id")
            about = listed.covers("trace", listed.form("trace", str(trace)))
        except (orjson.JSONDecodeError, AttributeError):
            about = bool(_words_of(text, listed))  # it counts for nothing as it is
        yield path, about


def _erase_pages(place: DataDir, listed: Suppression, dry_run: bool) -> int:
    """Take their ids out of the pages of days; returns how many pages had one."""
    pages = [p for p in sorted(place.reports.rglob("*")) if p.suffix in (".html", ".md", ".json")]
    found = 0
    for path in pages:
        text = _text(path)
        words = _words_of(text, listed)
        found += bool(words)
        if words and not dry_run:
            with replace_file(path, path.stat().st_mode & 0o777) as temporary:
                shown = re.sub("|".join(map(re.escape, sorted(words))), _GONE, text)
                temporary.write_text(shown, "utf-8")
    return found


def _erase_pulls(place: DataDir, listed: Suppression, dry_run: bool) -> int:
    """Remove states of pulls that name an id of theirs: such a pull starts anew."""
    states = [p for p in place.ledger.glob("pulls/*.json") if _words_of(_text(p), listed)]
    for path in () if dry_run else states:
        path.unlink(missing_ok=True)
    return len(states)


def _words_of(text: str, listed: Suppression) -> set[str]:
    """The words of a text that are ids on the list."""
    words: set[str] = set(_WORD.findall(text))
    words |= {one for one in listed.spoken if stands_in(one, text)}
    return {word for word in words if _is_listed(word, listed)}


def _is_listed(word: str, listed: Suppression) -> bool:
    kinds: tuple[Any, ...] = ("trace", "session", "user")
    as_published = any(listed.covers(kind, word) for kind in kinds)
    return as_published or bool(listed.found_in((word,), (word,), (word,)))


def _text(path: Path) -> str:
    return path.read_bytes().decode("utf-8", "replace")
