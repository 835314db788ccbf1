"""Erases a person: found, put on the list, then taken out of every place, one after another.

The list comes first and holds every trace: whatever is killed after that goes on where it stopped,
and nothing read meanwhile brings anybody back. What is done twice changes nothing the second time.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from pipeline.datadir import DataDir
from pipeline.erasure import caches
from pipeline.erasure.belonging import Traits
from pipeline.erasure.derived import founded_cases, lone_modes
from pipeline.erasure.finding import Person, find_person, speakers_in
from pipeline.erasure.given_up import give_up_again, given_up_in
from pipeline.erasure.landed import erase_landing, with_twins
from pipeline.erasure.leftovers import led_to, still_named, sweep_leftovers
from pipeline.erasure.listing import open_list
from pipeline.erasure.partitions import erase_tables
from pipeline.erasure.receipts import Line, Receipt, finish, note, open_receipt
from pipeline.erasure.suites import SuiteErased, erase_cases
from pipeline.files import replace_file
from pipeline.ingest import landed_files
from pipeline.ingest.index.landed import LandedFile
from pipeline.ingest.suppression import Suppression, add_entries
from pipeline.lake import Lake
from pipeline.lease import erasing
from pipeline.registry import Registry, load_registry
from pipeline.windows import day

__all__ = ["Erasure", "StillOpen", "forget"]


class StillOpen(RuntimeError):
    """Files are being written to: all else is erased, and the same command finishes the work."""


@dataclass(frozen=True)
class Erasure:
    """What was erased (or would be), and where the receipt lies; None in a dry run."""

    receipt: Receipt
    path: Path | None
    before: bool
    """Whether the same was erased once before."""

    @property
    def found(self) -> bool:
        """Whether there was anything."""
        return bool(self.receipt.conversations or any(
            line.dropped or line.changed for line in self.receipt.erased
        ))  # fmt: skip


def forget(
    place: DataDir,
    person: Person,
    *,
    dry_run: bool = False,
    patience: float = 600,
    say: Callable[[str], None] = lambda line: None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Erasure:
    """Erase a person from the data directory and keep them out.

    Args:
        place: the data directory.
        person: whom.
        dry_run: find and count alone.
        patience: seconds to wait for running steps.
        say: told what is being done.
        progress: called with bytes of new landing files read so far, and all of them.

    Raises:
        KeyRefused: there is no content key to recognise anybody with.
        StillWorking: steps did not end in time; nothing was changed.
        StillOpen: a file is being written to.
        CorruptPartition: a published file is torn, so nobody can tell who is in it; nothing was
            changed.
    """
    waiting = partial(say, "Waiting until running steps have ended ...")
    with erasing(place, patience, waiting):
        Lake(place).require_readable(raw=True)  # before anything is changed
        listed = open_list(place, create=not dry_run)  # another erasure may just have added to it
        return _Work(place, person, listed, dry_run, say).run(progress)


class _Work:
    """One erasure."""

    def __init__(
        self, place: DataDir, person: Person, listed: Suppression, dry_run: bool,
        say: Callable[[str], None],
    ) -> None:  # fmt: skip
        self._place, self._person, self._dry_run, self._say = place, person, dry_run, say
        self._lake = Lake(place)
        self._registry: Registry = load_registry(place.registry, day(datetime.now(UTC).date()))
        self._listed = listed
        self._to_rewrite: set[Path] = set()

    def run(self, progress: Callable[[int, int], None]) -> Erasure:
        """Find, list, erase, write the receipt."""
        ingest = self._registry.settings.ingest
        largest = ingest.largest_record_mb * 2**20
        read = partial(landed_files, self._place, largest, ingest.settle_minutes * 60)
        files = read(progress)
        gap = timedelta(minutes=ingest.conversation_gap_minutes)
        found = find_person(self._lake, files, gap, self._person, self._listed)
        receipt = self._receipt = open_receipt(self._place, found.name)
        receipt.conversations = max(receipt.conversations, found.conversations)
        receipt.days = sorted({*receipt.days, *(window.key for window in found.windows)})
        everyone = self._listed.plus(found.names, {self._person.value, *found.sessions})
        founded = founded_cases(self._lake, everyone)
        suite = self._suite(everyone, founded)
        cases = frozenset(receipt.cases) | (suite.cases if suite else frozenset())
        receipt.cases = sorted(cases)
        if not self._dry_run:
            note(self._place, receipt)
            add_entries(
                self._place, self._listed, found.names, cases, receipt.receipt, receipt.erased_on
            )
        elsewhere = led_to(self._place)
        given_up = given_up_in(self._place, files)
        open_files = self._erase_landing(files, everyone, found.sessions, largest)
        if given_up and not self._dry_run:
            give_up_again(self._place, read(), given_up)
        modes = lone_modes(self._lake, everyone)
        traits = Traits(everyone, cases, modes, {a: b for a, b in receipt.replaced.items() if b})
        self._erase_suite(suite)
        for table in erase_tables(self._lake, traits, receipt.receipt, dry_run=self._dry_run):
            self._add(Line(table.table, table.dropped, table.changed, len(table.windows)))
            receipt.days = sorted(
                {*receipt.days, *(w.key for w in table.windows if w and w.unit == "day")}
            )
        self._erase_caches(everyone)
        if not self._dry_run:
            sweep_leftovers(self._place.root, self._suite_path().parent)
        receipt.left_to_people += still_named(self._place, everyone, elsewhere, self._to_rewrite)
        if open_files:
            raise StillOpen(
                f"{', '.join(open_files)}: being written to, so that file was left as it is; all "
                "else is erased. Stop the receiver (or wait until its hour is over), then run the "
                "same again"
            )
        path = None if self._dry_run else finish(self._place, receipt)
        return Erasure(receipt, path, found.name in self._listed.names)

    def _erase_landing(
        self, files: list[LandedFile], everyone: Suppression, sessions: frozenset[str], largest: int
    ) -> list[str]:
        """Returns the files that are being written to."""
        speakers, touched = speakers_in(self._place, files, everyone, sessions)
        if self._dry_run:
            self._add(Line("landing", 0, len(touched), len(touched)))
            self._to_rewrite = {path for _, path in with_twins(self._place, touched)}
            return []

        def before_swap(old: str, new: str) -> None:
            self._receipt.replaced[old] = new
            note(self._place, self._receipt)

        open_files = []
        gone = changed = 0
        for done in erase_landing(self._place, touched, speakers, largest, before_swap):
            if done.outcome is None:
                open_files.append(done.file)
                continue
            gone += done.outcome.what in ("removed", "removed_whole")
            changed += done.outcome.what == "rewritten"
            if done.outcome.what == "removed_whole":
                self._receipt.removed_whole[done.file] = done.outcome.others
        self._add(Line("landing", gone, changed, gone + changed))
        return open_files

    def _erase_suite(self, suite: SuiteErased | None) -> None:
        if suite is None:
            return
        self._add(Line("cases_from_prod.yaml", len(suite.cases), suite.histories, 1))
        if not self._dry_run:
            path = self._suite_path()
            if path.read_text("utf-8") != suite.text:
                with replace_file(path, path.stat().st_mode & 0o777) as temporary:
                    temporary.write_text(suite.text, "utf-8")

    def _erase_caches(self, everyone: Suppression) -> None:
        for line in caches.erase_caches(self._place, everyone, dry_run=self._dry_run):
            self._add(line)
        by_hand = self._suite_path().with_name("cases_by_hand.yaml")
        self._receipt.left_to_people = caches.notes_about(self._place, everyone, by_hand)

    def _add(self, line: Line) -> None:
        if line.dropped or line.changed:
            self._receipt.add([line])
            if not self._dry_run:
                note(self._place, self._receipt)

    def _suite_path(self) -> Path:
        folder = self._place.eval_dir(self._registry.settings.eval_dir)
        return folder / "cases_from_prod.yaml"

    def _suite(self, everyone: Suppression, founded: frozenset[str]) -> SuiteErased | None:
        path = self._suite_path()
        if not path.exists():
            return None

        def theirs(trace: str) -> bool:
            return everyone.covers("trace", trace)

        return erase_cases(path.read_text("utf-8"), theirs, founded)
