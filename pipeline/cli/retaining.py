"""`caselaw retention`: drops raw data that is past its period, and shows what there is."""

from __future__ import annotations

from datetime import UTC, datetime

import click

from pipeline.cli.options import counted
from pipeline.datadir import DataDir

__all__ = ["retention"]


@click.command()
@click.option("--dry-run", is_flag=True, help="Show what would be dropped; change nothing.")
@click.option("--clock-is-right", is_flag=True, help="Even all raw data, if it is that old.")
@click.pass_obj
def retention(place: DataDir, dry_run: bool, clock_is_right: bool) -> None:
    """Drop raw traces, landing files, quarantine and judge answers past their period.

    Periods: privacy.retention_days in registry/settings.yaml. A receipt is left in receipts/, and
    a day whose raw data was dropped is refused from then on, never published as empty.
    """
    import polars as pl

    from pipeline.cli.printing import print_frame
    from pipeline.retention import drop_expired, footprint, never_run, privacy_today, strays

    found = footprint(place, privacy_today(place), datetime.now(UTC).date())
    rows = [
        {
            "kind": one.kind,
            "days": one.days,
            "drop": sum(piece.count for piece in one.expired),
            "drop_mb": sum(piece.size for piece in one.expired) / 1e6,
            "keep": sum(piece.count for piece in one.kept),
            "keep_mb": sum(piece.size for piece in one.kept) / 1e6,
            "unit": f"{one.noun}s",
            "oldest_kept": one.kept[0].day.isoformat() if one.kept else None,
        }
        for one in found
    ]
    lost = never_run(place, found)
    receipt = None if dry_run else drop_expired(place, found, clock_is_right=clock_is_right)
    print_frame(pl.DataFrame(rows, schema_overrides={"oldest_kept": pl.String}), fold=False)
    if lost:
        span = lost[0] if len(lost) == 1 else f"{lost[0]} to {lost[-1]}"
        tense = "would go" if dry_run else "went"
        click.echo(f"{counted(len(lost), 'day')} that never ran {tense} with it: {span}", err=True)
    for path in strays(place):
        click.echo(f"{path} is no partition and stays: it may hold raw data, look at it", err=True)
    if receipt is None:
        click.echo("Nothing was changed. Drop it with: caselaw retention")
    else:
        click.echo(f"Receipt: {receipt.path}")
