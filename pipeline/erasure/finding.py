"""What there is of a person: every conversation of theirs, published or only landed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta

import polars as pl

from pipeline.datadir import DataDir
from pipeline.erasure.belonging import rows_of
from pipeline.erasure.telling import Speakers
from pipeline.ingest.days.people import landed_conversations
from pipeline.ingest.index.landed import LandedFile
from pipeline.ingest.suppression import Kind, Suppression
from pipeline.lake import Lake
from pipeline.tables import RAW_TRACES, REDACTED_TRACES
from pipeline.windows import Window

__all__ = ["Found", "Person", "find_person", "speakers_in"]


@dataclass(frozen=True)
class Person:
    """Whom to erase: the kind of id and the id, as the application writes it."""

    kind: Kind
    value: str = field(repr=False)


@dataclass(frozen=True)
class Found:
    """What there is.

    Attributes:
        name: the person's own, as it stands on the list.
        names: that and the name of every trace, so that a file with a part of one is told too.
        conversations: how many.
        windows: the days that they begin on.
        sessions: sessions of theirs that nobody else has a part in.
    """

    name: str
    names: frozenset[str]
    conversations: int
    windows: tuple[Window, ...]
    sessions: frozenset[str] = field(repr=False)


def find_person(
    lake: Lake, files: Sequence[LandedFile], gap: timedelta, person: Person, listed: Suppression
) -> Found:
    """Look through published tables and landing; an id that one member names takes the whole.

    Args:
        lake: the lake.
        files: the landing index.
        gap: the longest pause within a conversation.
        person: whom to look for.
        listed: the list as it is, for its keys.
    """
    name = listed.name(person.kind, listed.form(person.kind, person.value))
    alone = Suppression(listed.key, listed.id_key, frozenset({name}))
    traces: set[str] = set()
    firsts: set[str] = set()
    windows: set[Window] = set()
    for window, ids in _published(lake, alone):
        windows.add(window)
        firsts.add(ids[0])
        traces.update(ids)
    own: set[str] = set()
    others: set[str] = set()
    for one in landed_conversations(lake.place, files, gap):
        if alone.found_in(one.traces, one.sessions, one.users):
            forms = [listed.form("trace", trace) for trace in one.traces]
            windows.add(one.window)
            firsts.add(forms[0])
            traces.update(forms)
            own |= one.sessions
        else:
            others |= one.sessions
    names = {listed.name("trace", trace) for trace in traces} | {name}
    days = tuple(sorted(windows))
    return Found(name, frozenset(names), len(firsts), days, frozenset(own - others))


def _published(lake: Lake, alone: Suppression) -> list[tuple[Window, list[str]]]:
    found = []
    columns = ["trace_id", "member_trace_ids", "session_id", "user_key"]
    for table in (RAW_TRACES, REDACTED_TRACES):
        for window in lake.windows(table):
            frame = lake.read(table, window, columns)
            for row in frame.filter(rows_of(frame, alone)).iter_rows(named=True):
                ids = [row["trace_id"], *(row["member_trace_ids"] or ())]
                found.append((window, list(dict.fromkeys(ids))))
    return found


def speakers_in(
    place: DataDir, files: Sequence[LandedFile], listed: Suppression, sessions: frozenset[str]
) -> tuple[Speakers, list[LandedFile]]:
    """Who speaks in landing, and the files that hold a record of theirs.

    Args:
        place: the data directory.
        files: the landing index.
        listed: with the names of everyone and of every trace.
        sessions: see `Found`.
    """
    spans: set[str] = set()
    touched: dict[str, LandedFile] = {}
    for file in files:
        for path in file.tables(place, "records"):
            rows = pl.read_parquet(path, columns=["trace_id", "span_ids"], glob=False)
            mine = rows.filter(_traces_of(rows, listed))
            if mine.height:
                touched[file.path] = file
                spans.update(one for ids in mine["span_ids"] for one in ids.split("\n") if one)
    speakers = Speakers(listed, frozenset(spans), sessions)
    for file in files:
        if file.path not in touched and _tells_of(place, file, speakers):
            touched[file.path] = file
    return speakers, [file for file in files if file.path in touched]


def _tells_of(place: DataDir, file: LandedFile, speakers: Speakers) -> bool:
    """Whether a score, a log record or a record that cannot be read is theirs."""
    for path in file.tables(place, "events"):
        rows = pl.read_parquet(path, columns=["trace_id", "span_id", "session"], glob=False)
        if any(speakers.own_event(*row) for row in rows.iter_rows()):
            return True
    for path in file.tables(place, "malformed"):
        payloads = pl.read_parquet(path, columns=["payload"], glob=False)["payload"]
        if any(speakers.listed.found_in_text(payload) for payload in payloads):
            return True
    return False


def _traces_of(rows: pl.DataFrame, listed: Suppression) -> pl.Series:
    forms = {one: listed.form("trace", one) for one in rows["trace_id"].unique()}
    covered = [one for one, form in forms.items() if listed.covers("trace", form)]
    return rows["trace_id"].is_in(covered)
