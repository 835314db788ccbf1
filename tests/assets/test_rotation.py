"""A new surrogate key means a rebuild of everything redacted, and no mixture is ever read."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import dagster as dg
import polars as pl
import pytest

from assets.plan import PUBLISH, Task, restatement
from pipeline.datadir import DataDir
from pipeline.lake import Lake
from pipeline.redaction import SURROGATE, KeyRefused
from pipeline.redaction.replacement.rotation import DaysLost, drop_lost_days, rotate, scheme_in
from pipeline.tables import EVAL_SUITE, PROMOTED_CASES, RAW_TRACES, REDACTED_TRACES
from pipeline.windows import day, week
from tests.assets.conftest import FRIDAY, Lineage, OpenLineage, tree_hash
from tests.assets.test_laws import copy_of_what_landed

DAYS = [day(f"2026-11-{n:02}") for n in range(6, 9)]
WEEK = week("2026-11-02")
CASES = Path("eval") / "cases_from_prod.yaml"


@pytest.fixture
def lineage(closed_week: Lineage, tmp_path: Path, open_lineage: OpenLineage) -> Lineage:
    """The closed week in a directory of its own."""
    shutil.copytree(closed_week.place.root, tmp_path / "data", symlinks=True)
    return open_lineage(DataDir(tmp_path / "data"))


def case_ids(lake: Lake) -> set[str]:
    decided = pl.concat(lake.read(PROMOTED_CASES, d) for d in DAYS)
    return set(decided["case_id"].drop_nulls()) | set(lake.read(EVAL_SUITE, None)["case_id"])


def surrogates(text: str) -> set[str]:
    return set(SURROGATE.findall(text))


def change_policy(lineage: Lineage, before: str, after: str) -> None:
    shutil.copytree(lineage.place.registry, lineage.place.root / "registry")
    path = lineage.place.registry / "pii_policy.yaml"
    text = path.read_text()
    assert before in text
    path.write_text(text.replace(before, after))


def refusal_of_the_warehouse(lineage: Lineage) -> str:
    """What the warehouse says when it is run by itself."""
    key = dg.AssetKey("warehouse")
    job = lineage.runner.defs.resolve_implicit_job_def_def_for_assets([key])
    assert job is not None
    result = job.execute_in_process(asset_selection=[key], raise_on_error=False)
    (event,) = [event for event in result.all_events if event.is_step_failure]
    told = event.step_failure_data.user_failure_data
    assert told is not None
    return told.description or ""


def test_a_key_that_changed_by_itself_is_refused(lineage: Lineage) -> None:
    before = tree_hash(lineage.place.lake)
    (lineage.place.keys / "surrogate.key").write_text(os.urandom(32).hex())
    (outcome,) = lineage.run(Task("daily", (DAYS[1],)))
    (error,) = outcome.errors
    assert "2 published days (2026-11-06 to 2026-11-08) were made as" in error
    assert "caselaw rotate-key" in error
    assert tree_hash(lineage.place.lake) == before


@pytest.mark.parametrize(
    ("before", "after"),
    [("scope: dataset", "scope: trace"), ("style: typed", "style: format_preserving")],
)
def test_another_scope_or_style_is_refused_like_another_key(
    lineage: Lineage, before: str, after: str
) -> None:
    change_policy(lineage, before, after)
    (outcome,) = lineage.run(Task("daily", (DAYS[1],)))
    assert "caselaw rotate-key" in outcome.errors[0]


@pytest.mark.slow
def test_a_declared_change_of_form_runs_through_to_the_suite(lineage: Lineage) -> None:
    ids = case_ids(lineage.lake)
    change_policy(lineage, "style: typed, styles: {}", "style: format_preserving, styles: {}")
    rotation = rotate(lineage.place, {})
    assert rotation.retired is None  # the key stays
    assert rotation.scheme.endswith("-format_preserving")
    outcomes = lineage.run(*restatement(FRIDAY, lineage.lake))
    assert [(o.errors, o.failed_checks) for o in outcomes] == [([], [])] * 3
    assert case_ids(lineage.lake) == ids
    texts = (lineage.place.root / CASES).read_text()
    assert not re.search(r"(?:EMAIL_ADDRESS|PERSON|ZIP_CODE)_[B-Z]{12}", texts)
    assert re.search(r"[a-z]{12}\.[a-z]{5}@example\.com", texts)


def test_a_rotation_rebuilds_every_text_and_keeps_every_case_id(lineage: Lineage) -> None:
    lake, suite = lineage.lake, lineage.place.root / CASES
    ids, old_text = case_ids(lake), suite.read_text()
    assert ids
    assert surrogates(old_text)
    edited = "a person wrote PERSON_BCDFGHJKLMNP"
    suite.write_text(re.sub(r'title: ".*"', f'title: "{edited}"', old_text, count=1))

    rotation = rotate(lineage.place, {})
    assert rotation.left == tuple(DAYS)
    assert rotation.retired is not None
    assert rotation.retired.stat().st_mode & 0o777 == 0o600

    # half-way: the day itself may be rebuilt, but nothing that reads it with older days
    outcomes = lineage.run(Task("daily", (DAYS[0],)), Task("weekly", (WEEK,)), PUBLISH)
    assert scheme_in(lake, REDACTED_TRACES, DAYS[0]) == rotation.scheme
    assert outcomes[0].errors == []
    assert len(outcomes[1].errors) == 3  # modes, unknown intents, and the judge's calibration
    assert len(outcomes[2].errors) == 1  # the suite; the warehouse waits for it, or refuses too
    for error in (*outcomes[1].errors, *outcomes[2].errors, refusal_of_the_warehouse(lineage)):
        assert "made with 2 keys: 2 partitions (day=2026-11-07 to day=2026-11-08)" in error
        assert error.endswith(f"make restate CASELAW_DATA={lineage.place.root} FROM=2026-11-07")
    assert surrogates(suite.read_text()) >= surrogates(old_text)
    assert rotate(lineage.place, {}).retired is None  # none begins before the last one ends

    outcomes = lineage.run(*restatement(FRIDAY, lake))
    assert [outcome.errors for outcome in outcomes] == [[], [], []]
    assert {scheme_in(lake, REDACTED_TRACES, d) for d in DAYS} == {rotation.scheme}
    assert case_ids(lake) == ids
    new_text = suite.read_text()
    assert f'title: "{edited}"' in new_text  # what a person wrote stays theirs
    fresh = surrogates(new_text.replace(edited, ""))
    assert fresh
    assert fresh.isdisjoint(surrogates(old_text))


def test_days_whose_raw_traces_are_gone_are_named_before_anything_changes(lineage: Lineage) -> None:
    key = (lineage.place.keys / "surrogate.key").read_text()
    shutil.rmtree(lineage.lake.directory(RAW_TRACES, DAYS[0]))
    with pytest.raises(DaysLost, match=r"1 days \(2026-11-06 to 2026-11-06\)"):
        rotate(lineage.place, {})
    assert (lineage.place.keys / "surrogate.key").read_text() == key
    assert drop_lost_days(lineage.place) == DAYS[:1]
    assert rotate(lineage.place, {}).left == tuple(DAYS[1:])


def test_a_key_of_the_environment_is_rotated_there(lineage: Lineage) -> None:
    old = (lineage.place.keys / "surrogate.key").read_text()
    with pytest.raises(KeyRefused, match="CASELAW_SURROGATE_KEY: set it to a new one"):
        rotate(lineage.place, {"CASELAW_SURROGATE_KEY": old})
    declared = rotate(lineage.place, {"CASELAW_SURROGATE_KEY": bytes(range(32)).hex()})
    assert declared.left == tuple(DAYS)
    assert (lineage.place.keys / "surrogate.key").read_text() == old


@pytest.mark.slow
def test_a_process_killed_while_it_redacts_leaves_whole_days_and_is_taken_up_again(
    closed_week: Lineage, tmp_path: Path
) -> None:
    place = copy_of_what_landed(closed_week, tmp_path / "data")
    command = [sys.executable, "-m", "assets.backfill", "--from", "2026-11-06"]
    command += ["--to", "2026-11-08"]
    env, root = os.environ | {"CASELAW_DATA": str(place.root)}, Path(__file__).parents[2]
    running = subprocess.Popen(command, stderr=subprocess.DEVNULL, env=env, cwd=root)
    lake = Lake(place)
    while not lake.exists(REDACTED_TRACES, DAYS[0]):
        assert running.poll() is None
        time.sleep(0.005)
    running.send_signal(signal.SIGKILL)
    running.wait()

    lake.require_readable()
    done = lake.windows(REDACTED_TRACES)
    assert DAYS[2] not in done  # it was killed in the middle
    for window in done:
        assert lake.digests(REDACTED_TRACES, [window]) == closed_week.lake.digests(
            REDACTED_TRACES, [window]
        )
    again = subprocess.run(command, capture_output=True, check=False, env=env, cwd=root)
    assert again.returncode == 0, again.stderr
    assert tree_hash(place.lake) == tree_hash(closed_week.place.lake)
