"""What a published partition says of itself: where it came from and that nothing was lost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from pipeline.ids import canonical_json

__all__ = ["ConservationError", "Counts", "Provenance"]


class ConservationError(RuntimeError):
    """A step lost or invented records; nothing was published."""


@dataclass(frozen=True)
class Counts:
    """The conservation law of one step: in = out + duplicates + quarantined + filtered.

    `unit` says what is counted (spans, traces, failures); `filtered` is by reason.
    """

    unit: str
    records_in: int
    records_out: int
    duplicates: int = 0
    quarantined: int = 0
    filtered: Mapping[str, int] = field(default_factory=dict)

    def check(self, where: str) -> None:
        """Raise unless the law holds.

        Raises:
            ConservationError: naming the step and every term.
        """
        left = self.records_out + self.duplicates + self.quarantined + sum(self.filtered.values())
        if left != self.records_in:
            raise ConservationError(
                f"{where}: {self.records_in} {self.unit} came in, but out {self.records_out} + "
                f"duplicates {self.duplicates} + quarantined {self.quarantined} + filtered "
                f"{dict(sorted(self.filtered.items()))} make {left}; nothing was published and "
                "the partition is as it was. This is a defect of the step: please report it"
            )


@dataclass(frozen=True)
class Provenance:
    """The Parquet footer of a partition; equal provenance and inputs give equal bytes.

    `inputs` maps each upstream partition ("table/day=...") or file to its sha256; `registry`
    maps each registry section that was read to the digest of its entries as of the window's end.
    """

    counts: Counts
    inputs: Mapping[str, str] = field(default_factory=dict)
    registry: Mapping[str, str] = field(default_factory=dict)
    code_version: str = "1"

    def footer(self, schema_version: str) -> dict[str, str]:
        """The footer's entry, one canonical JSON text under the key `caselaw`."""
        body: dict[str, Any] = asdict(self) | {"schema_version": schema_version}
        return {"caselaw": canonical_json(body).decode()}
