"""Where everything of one agent lies: the data directory and its rooms."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

__all__ = ["COMMITTED", "DataDir"]

COMMITTED = Path(__file__).resolve().parent.parent / "data"
"""The checkout's own data directory, whose registry stands in where another has none."""


@dataclass(frozen=True)
class DataDir:
    """The rooms of a data directory; `CASELAW_DATA` moves the whole of it."""

    root: Path

    @classmethod
    def from_environment(cls) -> DataDir:
        """The directory that `CASELAW_DATA` names, else the checkout's own `data`."""
        return cls(Path(os.environ.get("CASELAW_DATA") or COMMITTED).resolve())

    @property
    def landing(self) -> Path:
        """Files as they came (raw personal data)."""
        return self.root / "landing"

    @property
    def raw(self) -> Path:
        """Tables with personal data: directories 0700, files 0600, no view."""
        return self.root / "raw"

    @property
    def lake(self) -> Path:
        """Redacted tables, one Parquet file a partition."""
        return self.root / "lake"

    @property
    def ledger(self) -> Path:
        """What is volatile: the judge's calls, cache, cost."""
        return self.root / "ledger"

    @property
    def reports(self) -> Path:
        """One page a day."""
        return self.root / "reports"

    @property
    def annotations(self) -> Path:
        """People's verdicts, one small file an action; never cleaned."""
        return self.root / "annotations"

    @property
    def keys(self) -> Path:
        """The surrogate key and the content key (0600)."""
        return self.root / "keys"

    @property
    def privacy(self) -> Path:
        """Who was erased, as keyed digests (0700); never cleaned."""
        return self.root / "privacy"

    @property
    def receipts(self) -> Path:
        """What was erased or dropped, when, and how much of it; never cleaned."""
        return self.root / "receipts"

    @property
    def simulated(self) -> Path:
        """The simulator's ground truth; no asset reads it."""
        return self.root / "simulated"

    @property
    def dagster(self) -> Path:
        """The DAGSTER_HOME."""
        return self.root / "dagster"

    @property
    def warehouse(self) -> Path:
        """The link that analysts open with DuckDB."""
        return self.root / "warehouse.duckdb"

    @property
    def registry(self) -> Path:
        """The human-owned YAML; a data directory without one uses the committed one."""
        own = self.root / "registry"
        return own if own.is_dir() else COMMITTED / "registry"

    def make(self, target: str, first: str | None = None, last: str | None = None) -> str:
        """The command line that makes `target` in this data directory, from a day to a day."""
        words = ["make", target, "" if self.root == COMMITTED else f"CASELAW_DATA={self.root}"]
        words += [f"FROM={first}" if first else "", f"TO={last}" if last else ""]
        return " ".join(filter(None, words))

    def eval_dir(self, configured: str | None) -> Path:
        """Where `cases_from_prod.yaml` is written: the configured folder, else `eval` in here."""
        return (self.root / (configured or "eval")).expanduser()
