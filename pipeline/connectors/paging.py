"""Page after page of one stream into landing, on guard against what APIs do while one pages."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from typing import Any

from pipeline.connectors.http import Api, Request, SmallerPages
from pipeline.connectors.landed import Landed, Row
from pipeline.connectors.state import PartState, PullState
from pipeline.ids import digest

__all__ = ["Field", "Page", "Part", "Stream", "batches", "days", "id_of", "numbered", "pull_stream"]

_GROUP_PAGES, _GROUP_BYTES = 10, 8 * 2**20
_FRUITLESS_PAGES = 3
_PASSES = 3


@dataclass(frozen=True)
class Part:
    """A piece of a stream that is paged through on its own: a day, or the ids of a batch."""

    key: str
    start: datetime
    end: datetime
    ids: tuple[str, ...] = ()


@dataclass(frozen=True)
class Page:
    """Records, the cursor of the next page if there is one, and the part's total if it is told."""

    rows: Sequence[Row]
    next: str | None
    total: int | None = None


@dataclass(frozen=True)
class Field:
    """Something that grading needs, in the records that `of` picks; `without` says what is lost."""

    name: str
    has: Callable[[Row], bool]
    of: Callable[[Row], bool] = lambda _row: True
    without: str = ""


@dataclass(frozen=True)
class Stream:
    """How one kind of record is asked for, and what its pages look like.

    `sizes` are page sizes, largest first; where pages are numbered each divides the one before.
    `read` may raise KeyError, TypeError or AttributeError for a document that is no page.
    """

    name: str
    parts: tuple[Part, ...]
    sizes: tuple[int, ...]
    request: Callable[[Part, str | None, int], Request]
    read: Callable[[Any, str | None, int], Page]
    identity: Callable[[Row], str | None]
    keep: Callable[[Row], bool] = lambda _row: True
    fields: tuple[Field, ...] = ()
    optional: bool = False
    """Whether a server without this endpoint is fine."""


@dataclass
class _Pass:
    """What is known while one part is paged through."""

    seen: set[str]
    cursors: set[str | None] = field(default_factory=set)
    waiting: list[Row] = field(default_factory=list)
    weight: int = 0
    pages: int = 0
    fruitless: int = 0


def days(start: datetime, end: datetime) -> tuple[Part, ...]:
    """The window cut at midnights UTC."""
    parts = []
    while start < end:
        midnight = datetime.combine(start.date() + timedelta(days=1), time(), UTC)
        stop = min(midnight, end)
        whole = stop - start == timedelta(days=1)
        key = start.date().isoformat() if whole else f"{start:%Y-%m-%dT%H%M%S}"
        parts.append(Part(key, start, stop))
        start = stop
    return tuple(parts)


def pull_stream(api: Api, stream: Stream, state: PullState, landed: Landed) -> None:
    """Pull every part that is not done; what was pulled is landed and remembered at any end.

    A part that cannot be brought to its end (the API goes in circles, or gives fewer than it says)
    is left with its `trouble`; the others go on.

    Raises:
        ApiError: the API does not answer any more.
    """
    for part in stream.parts:
        progress = state.parts.setdefault(f"{stream.name}/{part.key}", PartState())
        if not progress.done:
            _pull_part(api, stream, part, progress, state, landed)


def _pull_part(
    api: Api, stream: Stream, part: Part, progress: PartState, state: PullState, landed: Landed
) -> None:
    known = {i for row in landed.rows_of(progress) if (i := stream.identity(row))}
    under_way = _Pass(seen=known)
    progress.trouble = None
    cursor = progress.cursor

    def land(reached: str | None) -> None:
        if under_way.waiting:
            name = landed.write(stream.name, part.key, under_way.waiting)
            progress.files = sorted({*progress.files, name})
        progress.cursor = reached
        under_way.waiting, under_way.weight, under_way.pages = [], 0, 0
        state.save()

    passes = 1
    try:
        while True:
            page = _next_page(api, stream, part, progress, cursor)
            _take(stream, page, progress, under_way)
            under_way.weight += api.received
            under_way.cursors.add(cursor)
            cursor = page.next
            if cursor is None:
                # Numbered pages shift when records come or go: until all are seen, once more.
                if page.total is None or len(under_way.seen) >= page.total:
                    break
                progress.fetched = len(under_way.seen)
                if passes == _PASSES:
                    progress.trouble = f"the API tells of {page.total} and gave {progress.fetched}"
                    break
                passes += 1
                under_way.cursors.clear()
            elif cursor in under_way.cursors:
                progress.trouble = "the API's pages go in a circle"
                break
            elif under_way.fruitless == _FRUITLESS_PAGES and passes == 1:
                progress.trouble = f"{_FRUITLESS_PAGES} pages in a row held nothing new"
                break
            if under_way.pages >= _GROUP_PAGES or under_way.weight >= _GROUP_BYTES:
                land(cursor)
    except BaseException:
        land(cursor)
        raise
    progress.done = progress.trouble is None
    land(None)


def _next_page(
    api: Api, stream: Stream, part: Part, progress: PartState, cursor: str | None
) -> Page:
    while True:
        size = progress.size or stream.sizes[0]
        smaller = [other for other in stream.sizes if other < size]
        request = stream.request(part, cursor, size)
        try:
            document = api.fetch(request, shrinkable=bool(smaller))
            return stream.read(document, cursor, size)
        except SmallerPages:
            progress.size = smaller[0]
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise api.unreadable(request, type(error).__name__) from None


def _take(stream: Stream, page: Page, progress: PartState, under_way: _Pass) -> None:
    """Keep what is new of a page."""
    new = 0
    for row in page.rows:
        identity = stream.identity(row)
        if identity is None or identity not in under_way.seen:
            new += 1
            if identity is not None:
                under_way.seen.add(identity)
            if stream.keep(row):
                progress.kept += 1
                under_way.waiting.append(row)
    progress.fetched += new
    progress.repeated += len(page.rows) - new
    progress.total = page.total
    under_way.fruitless = 0 if new or not page.rows else under_way.fruitless + 1
    under_way.pages += 1


def numbered(
    rows: str | None, total: Callable[[Any], int | None]
) -> Callable[[Any, str | None, int], Page]:
    """Reads pages by number: the cursor is how many records lie before the page."""

    def read(document: Any, cursor: str | None, size: int) -> Page:
        found = _rows(document[rows] if rows else document)
        told = total(document)
        after = int(cursor or 0) + (size if told is not None else len(found))
        more = found and (after < told if told is not None else len(found) >= size)
        return Page(found, str(after) if more else None, told)

    return read


def id_of(row: Row) -> str | None:
    """The record's own id."""
    found = row.get("id")
    return str(found) if found else None


def _rows(value: Any) -> list[Row]:
    if not isinstance(value, list) or not all(isinstance(row, Mapping) for row in value):
        raise TypeError("not a list of records")
    return value


def batches(ids: Sequence[str], size: int, start: datetime, end: datetime) -> tuple[Part, ...]:
    """Ids of an earlier stream, so many a request; the same ids are the same part."""
    groups = [tuple(ids[n : n + size]) for n in range(0, len(ids), size)]
    return tuple(
        Part(f"{start:%Y-%m-%d}-{digest(*group, size=6)}", start, end, group) for group in groups
    )
