"""Commands that read what the pipeline published."""

from __future__ import annotations

import sys
import textwrap
from pathlib import Path

import click
import orjson

from pipeline.datadir import DataDir
from pipeline.files import sha256
from pipeline.lake import Lake, MissingPartition
from pipeline.windows import Window, is_key

__all__ = ["query", "sql", "summary", "verify"]


@click.command()
@click.argument("day", required=False)
@click.pass_obj
def summary(place: DataDir, day: str | None) -> None:
    """Print the run summary of DAY (YYYY-MM-DD), else of the latest day."""
    if day is not None and not is_key(day):
        raise click.UsageError(f"{day!r} is no day; write YYYY-MM-DD")
    pages = sorted(place.reports.glob(f"day={day or '*'}/summary.md"))
    if not pages:
        raise MissingPartition(
            f"no summary {'of ' + day if day else 'yet'} in {place.reports}; "
            f"run: {place.make('backfill', day or 'YYYY-MM-DD')}"
        )
    click.echo(pages[-1].read_text("utf-8"))


@click.command()
@click.argument("name", required=False)
@click.option("--set", "settings", multiple=True, metavar="NAME=VALUE",
              help="A variable of the query, such as mode=asked_again.")  # fmt: skip
@click.option("--csv", "as_csv", is_flag=True, help="Comma-separated values, nothing left out.")
@click.pass_obj
def query(place: DataDir, name: str | None, settings: tuple[str, ...], as_csv: bool) -> None:
    """Run a query of sql/queries on the warehouse; without NAME, list them."""
    from pipeline.cli.printing import csv_text, print_frame
    from pipeline.report import UnknownVariable, list_queries, notes_of, run_query, variables_of

    if name is None:
        for known, question in list_queries().items():
            takes = "".join(f" [--set {one}=...]" for one in variables_of(known))
            click.echo(f"{known:<28} {question}{takes}")
        return
    if any("=" not in setting for setting in settings):
        raise click.UsageError("--set takes NAME=VALUE")
    try:
        frame = run_query(place, name, dict(s.split("=", 1) for s in settings))
    except KeyError:
        known = ", ".join(list_queries())
        raise click.UsageError(f"no query {name!r}; there are: {known}") from None
    except UnknownVariable as error:
        raise click.UsageError(str(error)) from None
    if as_csv:
        click.echo(csv_text(frame), nl=False)
    else:
        print_frame(frame)
        if notes := notes_of(name):
            click.echo("\n" + textwrap.fill(notes, 100))


@click.command()
@click.argument("statements")
@click.option("--csv", "as_csv", is_flag=True, help="Comma-separated values, nothing left out.")
@click.pass_obj
def sql(place: DataDir, statements: str, as_csv: bool) -> None:
    """Run SELECT STATEMENTS on the warehouse; - reads them from standard input.

    The connection reads the views and nothing else: no other file, no network, nothing written.
    """
    import duckdb
    import polars as pl

    from pipeline.catalog import StatementRefused, open_warehouse, run_sql
    from pipeline.cli.printing import csv_text, print_frame

    text = sys.stdin.read() if statements == "-" else statements
    with open_warehouse(place) as connection:
        try:
            frame = pl.DataFrame(run_sql(connection, text).to_arrow_table())
            if as_csv:
                click.echo(csv_text(frame), nl=False)
            else:
                print_frame(frame)
        except duckdb.CatalogException as error:
            # what it suggests is as often a table of the catalog as one of the views
            told = str(error).partition("\nDid you mean")[0].partition("\n\nLINE")[0]
            raise click.UsageError(f'{told} The views: caselaw sql "SHOW TABLES"') from None
        except (StatementRefused, duckdb.Error) as error:
            raise click.UsageError(str(error)) from None
        except pl.exceptions.PolarsError:
            raise click.UsageError(
                "a column is of a type that cannot be printed; cast it: CAST(x AS VARCHAR)"
            ) from None


@click.command()
@click.pass_obj
def verify(place: DataDir) -> None:
    """Compare every published file with the digest in its manifest.

    Exit code 1: one differs, or a manifest cannot be read.
    """
    checked, wrong = 0, 0
    for manifest in sorted(
        [*place.lake.rglob("_manifest.json"), *place.raw.rglob("_manifest.json")]
    ):
        listed = _listed(manifest)
        if listed is None:
            wrong += 1
            shown = manifest.relative_to(place.root)
            click.echo(f"{shown}: cannot be read; make it anew with: {_mend(place, manifest)}")
        for name, wanted in (listed or {}).items():
            path = manifest.parent / name
            actual = sha256(path) if path.exists() else "missing"
            checked += 1
            if actual != wanted:
                wrong += 1
                click.echo(
                    f"{path.relative_to(place.root)}: expected {wanted[:12]}, "
                    f"is {actual[:12]}; make it anew with: {_mend(place, path)}"
                )
    click.echo(f"{checked} files checked, {wrong} differ from their manifest")
    sys.exit(1 if wrong else 0)


def _listed(manifest: Path) -> dict[str, str] | None:
    """The digests of a manifest by file; None where it is torn."""
    try:
        body = orjson.loads(manifest.read_bytes())
        return {str(name): str(entry["sha256"]) for name, entry in body.items()}
    except (ValueError, TypeError, KeyError, AttributeError):
        return None


def _mend(place: DataDir, path: Path) -> str:
    """The command that publishes the partition of a file again."""
    unit, _, key = path.parent.name.partition("=")
    window = Window("week" if unit == "week" else "day", key) if is_key(key) else None
    return Lake(place).command(window, there=True)
