"""`make bench-weeks`: do modes persist, do fixes hold, is the suite free of noise?

Eight simulated weeks through the whole lineage, in a folder that keeps what it holds.

The ground truth is read here and nowhere else. Modes are compared on failures of conversations
with one planted kind, by checks that name this kind (`CAUGHT_BY`).
"""

from __future__ import annotations

import shutil
import sys
from datetime import date, timedelta
from pathlib import Path

import polars as pl
from rich.console import Console

from pipeline.datadir import COMMITTED, DataDir
from pipeline.lake import Lake
from pipeline.promotion.candidate import SLOW_FAILURE
from pipeline.simulate import simulate
from pipeline.simulate.plan import CREEPING, CUSTOMS, FIXES, REGRESSIONS, RELEASES
from pipeline.tables import (
    EVAL_SUITE,
    FAILURE_MODE_CLUSTERS,
    FAILURE_MODES,
    MODE_STATES,
    PROMOTED_CASES,
    SLOW_FAILURES,
    UNKNOWN_INTENTS,
)
from pipeline.windows import Window, days_between, week_of
from tests.bench.findings import CAUGHT_BY
from tests.bench.likeness import compare_likeness
from tests.bench.torn import compare_torn

__all__ = ["main"]

START, DAYS = date(2026, 9, 28), 56
_JUDGED = ["fixed_unverified", "verified", "regressed"]
_MODE_OF = {"missing_citation": "missing_source", "reasked_question": "asked_again"}


def prepare(place: DataDir) -> None:
    """Simulate, and claim in the registry what the releases claim of themselves."""
    simulate(place.root, start=START, days=DAYS)
    shutil.copytree(COMMITTED / "registry", place.root / "registry", dirs_exist_ok=True)
    live = {release.version: START + timedelta(days=release.day) for release in RELEASES}
    claims = "".join(
        f"  - mode: {_MODE_OF.get(fix.kind, fix.kind)}\n"
        f"    release: {fix.release!r}\n"
        f"    effective_from: {live[fix.release]}\n"
        for fix in FIXES
    )
    with (place.root / "registry" / "failure_modes.yaml").open("a", encoding="utf-8") as file:
        file.write(f"\nfixes:\n{claims}")


def run_weeks(place: DataDir) -> None:
    """Backfill all days and weeks through Dagster, as `make backfill` does."""
    from assets.backfill import run
    from assets.plan import backfill

    last = START + timedelta(days=DAYS - 1)
    if run(place, backfill(START, last, Lake(place)), 1, Console(stderr=True)):
        raise SystemExit("the backfill did not finish; see above")


def labelled_failures(lake: Lake, truth: pl.DataFrame) -> pl.DataFrame:
    """Failures with their planted kind: trace_id, check, day, signature, kind, failure_mode_id."""
    named = pl.DataFrame(
        [(kind, check) for kind, checks in CAUGHT_BY.items() for check in sorted(checks)],
        schema=["kind", "check"],
        orient="row",
    )
    single = truth.filter(pl.col("failure_kinds").list.len() == 1)
    kinds = single.select("trace_id", kind=pl.col("failure_kinds").list.first())
    days = [
        lake.read(FAILURE_MODE_CLUSTERS, day).with_columns(day=pl.lit(day.first))
        for day in _days()
        if lake.exists(FAILURE_MODE_CLUSTERS, day)
    ]
    return pl.concat(days).join(kinds, on="trace_id").join(named, on=["kind", "check"], how="semi")


def modes_by_signature(lake: Lake, week: Window) -> dict[str, str]:
    """Which mode each signature belongs to as of a week's end."""
    rows = lake.read(FAILURE_MODES, week).select("failure_mode_id", "signatures")
    return {key: mode for mode, keys in rows.iter_rows() for key in keys}


def print_modes(lake: Lake, failures: pl.DataFrame) -> None:
    """Homogeneity and completeness at the end, adjusted Rand between consecutive weeks."""
    from sklearn.metrics import adjusted_rand_score, completeness_score, homogeneity_score

    weeks = [week for week in _weeks() if lake.exists(FAILURE_MODES, week)]
    by_week = [modes_by_signature(lake, week) for week in weeks]
    modes = failures["signature"].replace_strict(by_week[-1], default="(none)").to_list()
    kinds = failures["kind"].to_list()
    print(f"failures with one planted kind: {len(kinds)}, modes they lie in: {len(set(modes))}")
    print(f"  homogeneity  {homogeneity_score(kinds, modes):.3f}")
    print(f"  completeness {completeness_score(kinds, modes):.3f}")
    table = failures.with_columns(mode=pl.Series(modes))
    print(table.group_by("kind", "mode").len().sort("kind", "len", descending=[False, True]))
    for (before, earlier), (after, later) in zip(
        zip(weeks, by_week, strict=True), list(zip(weeks, by_week, strict=True))[1:], strict=False
    ):
        seen = failures.filter(pl.col("day") <= before.days[-1].first)["signature"]
        left = seen.replace_strict(earlier, default="(none)").to_list()
        right = seen.replace_strict(later, default="(none)").to_list()
        same = sum(a == b for a, b in zip(left, right, strict=True))
        print(
            f"  {before.key} to {after.key}: adjusted Rand "
            f"{adjusted_rand_score(left, right):.3f}, {same} of {len(left)} under the same id"
        )


def print_suite(lake: Lake, truth: pl.DataFrame) -> None:
    """Cases by planted lesson and variant, and one-offs among them."""
    suite = lake.read(EVAL_SUITE, None)
    heads = pl.concat(
        lake.read(PROMOTED_CASES, day).select("case_id", "trace_id") for day in _days()
    )
    founders = heads.unique("case_id", keep="first", maintain_order=True)
    cases = suite.join(founders, on="case_id").join(truth, on="trace_id", suffix="_true")
    active = cases.filter(pl.col("status") == "active")
    print(f"cases: {suite.height}, active {active.height}")
    print(f"  from planted one-offs: {active.filter('one_off').height}")
    clean = active.filter(pl.col("failure_kinds").list.len() == 0)
    print(f"  from clean conversations: {clean.height}")
    planted = active.filter(pl.col("lesson_id").is_not_null())
    for intent in ("intent_true", "intent"):
        variants = planted.group_by("lesson_id", "check", intent, "language").len()
        several = variants.filter(pl.col("len") > 1)
        print(
            f"  by lesson, check, language and {intent}: {variants.height} variants, "
            f"{several.height} of them with more than one case, the most {variants['len'].max()}"
        )
        print(several.sort("len", descending=True))
    lessons = truth.filter(~pl.col("one_off"))["lesson_id"].drop_nulls().unique()
    covered = active["lesson_id"].drop_nulls().unique()
    print(f"  lessons with a case: {len(set(covered) & set(lessons))} of {len(lessons)}")


def print_lives(lake: Lake) -> None:
    """What became of every claimed fix, week by week, and of the measure that creeps up."""
    for fix in FIXES:
        mode = _MODE_OF.get(fix.kind, fix.kind)
        rows = pl.concat(
            lake.read(MODE_STATES, week)
            .filter(failure_mode_id=mode)
            .select(pl.lit(week.key).alias("week"), "state", "reason")
            for week in _weeks()
        )
        back = f", back with {REGRESSIONS[fix.kind]}" if fix.kind in REGRESSIONS else ""
        print(
            f"{mode}: claimed for {fix.release}, planted {'true' if fix.holds else 'false'}{back}"
        )
        for week, state, reason in rows.filter(pl.col("state").is_in(_JUDGED)).iter_rows():
            print(f"  {week} {state}: {reason}")
    print(f"slow failures (planted: retries of {CREEPING}):")
    for week in _weeks():
        for row in lake.read(SLOW_FAILURES, week).filter("creeping").iter_rows(named=True):
            told = f"{row['scope']} {row['subject']}, {row['metric']}, q = {row['q_value']:.3g}"
            print(f"  {week.key} {told}, passing_share {row['passing_share']}")
    print_slow_cases(lake)


def print_slow_cases(lake: Lake) -> None:
    """When the creeping intent was named, and what came of it and of others for the suite."""
    slow = pl.concat(
        lake.read(SLOW_FAILURES, week).with_columns(week=pl.lit(week.key)) for week in _weeks()
    )
    planted = slow.filter("creeping", scope="intent", subject=CREEPING, metric="retries")
    named = planted["week"].min()
    number = [week.key for week in _weeks()].index(str(named)) + 1 if named else "none"
    of_slow = pl.col("check").str.starts_with(SLOW_FAILURE)
    decided = pl.concat(lake.read(PROMOTED_CASES, day).filter(of_slow) for day in _days())
    cases = lake.read(EVAL_SUITE, None).filter(of_slow, status="active")
    own = cases.filter(intent=CREEPING).height
    others = cases.height - own
    print(f"creeping intent: named in week {number}, cases {own}, of other intents {others}")
    print(decided.group_by("intent", "check", "decision").len().sort(pl.all()))


def print_unknown_intents(lake: Lake, truth: pl.DataFrame) -> None:
    """Groups that nobody planned for, their share beside that of the planted intent."""
    customs = truth.filter(intent=CUSTOMS)
    print(f"unknown intents ({CUSTOMS} begins on {customs['day'].min()}):")
    for week in _weeks():
        days = truth.filter(pl.col("day").is_between(week.days[0].first, week.days[-1].first))
        true = days.filter(intent=CUSTOMS).height / days.height
        print(f"  {week.key}: true share {true:.1%}")
        found = lake.read(UNKNOWN_INTENTS, week)
        groups = found.filter((pl.col("n") > 0) & (pl.col("kind") != "all"))
        for row in groups.sort("share", descending=True).iter_rows(named=True):
            share = f"{row['share']:.1%} [{row['share_low']:.1%}, {row['share_high']:.1%}]"
            told = f"{row['kind']}, {row['trend']}: {row['name']}, {share}"
            print(f"    {row['unknown_intent_id']} {told}")


def main(folder: Path) -> None:
    """Run the weeks where the folder does not hold them yet, and print what became of them."""
    place = DataDir(folder)
    pl.Config(tbl_rows=100, tbl_cols=20, tbl_hide_dataframe_shape=True,
              tbl_hide_column_data_types=True, tbl_width_chars=120, fmt_str_lengths=60)  # fmt: skip
    lake = Lake(place)
    if not place.simulated.is_dir():
        prepare(place)
    if not lake.exists(EVAL_SUITE, None):
        run_weeks(place)
    truth = pl.read_parquet(place.simulated / "ground_truth.parquet")
    print_modes(lake, labelled_failures(lake, truth))
    print_lives(lake)
    print_unknown_intents(lake, truth)
    print_suite(lake, truth)
    compare_torn(place)
    compare_likeness(place)


def _days() -> list[Window]:
    return list(days_between(START, START + timedelta(days=DAYS - 1)))


def _weeks() -> list[Window]:
    return sorted({week_of(day) for day in _days()})


if __name__ == "__main__":
    main(Path(sys.argv[1]))
