"""What `simulate` promises: same bytes, known rates, a ground truth that fits the traffic."""

from __future__ import annotations

import datetime as dt
import hashlib
import math
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import polars as pl
import pytest

from pipeline.simulate import plan, simulate
from pipeline.simulate.conversations import conversations_on
from pipeline.simulate.phrasebook import load

from .conftest import MONDAY, World


def _digest(folder: Path, keep: str = "*") -> dict[str, str]:
    return {
        str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest()
        for p in sorted(folder.rglob(keep))
        if p.is_file()
    }


def test_same_seed_gives_same_bytes_and_another_seed_does_not(tmp_path: Path) -> None:
    for name, seed in (("one", 3), ("two", 3), ("other", 4)):
        simulate(tmp_path / name, start=MONDAY, days=2, per_day=40, seed=seed)
    assert _digest(tmp_path / "one") == _digest(tmp_path / "two")
    assert not set(_digest(tmp_path / "one").values()) & set(_digest(tmp_path / "other").values())


def test_a_day_does_not_depend_on_how_many_are_asked_for(tmp_path: Path) -> None:
    simulate(tmp_path / "short", start=MONDAY, days=3, per_day=40)
    simulate(tmp_path / "long", start=MONDAY, days=6, per_day=40)
    short, long = _digest(tmp_path / "short"), _digest(tmp_path / "long")
    tail = (MONDAY + dt.timedelta(days=3)).isoformat()
    for name, digest in short.items():
        if name.startswith("landing") and tail in name:
            continue  # spans that ended after the last midnight; the longer run has more of them
        if not name.startswith("simulated"):
            assert long[name] == digest, name


def test_start_has_to_be_a_monday(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="Monday"):
        simulate(tmp_path, start=MONDAY + dt.timedelta(days=1))


def test_progress_counts_days(tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    simulate(
        tmp_path,
        start=MONDAY,
        days=2,
        per_day=5,
        progress=lambda *done: seen.append(done),
    )
    assert seen == [(1, 2), (2, 2)]


def test_the_truth_names_every_conversation_once(world: World) -> None:
    assert world.truth["trace_id"].n_unique() == world.truth.height == world.report.conversations
    assert set(world.truth["trace_id"]) == set(world.talks)
    for row in world.truth.iter_rows(named=True):
        talk = world.talks[row["trace_id"]]
        assert talk.release == row["release"]
        first = min(int(s["startTimeUnixNano"]) for s in talk.spans) / 1e9
        assert dt.datetime.fromtimestamp(first, tz=dt.UTC).date() == row["day"]


def test_every_planned_kind_happens(world: World) -> None:
    assert all(world.report.failures[kind] > 0 for kind in plan.KINDS)
    assert set(world.truth["intent"]) == set(plan.STAKES)
    assert len(set(world.truth["intent"])) >= 20


def test_rates_are_those_of_the_table(world: World) -> None:
    first = world.truth.with_columns(kind=pl.col("failure_kinds").list.first())
    by_release = dict(first.group_by("release").len().iter_rows())
    for kind, base in plan.FAILURE_RATES.items():
        # Sum of binomials over the releases; four standard deviations either side.
        rates = {r: base * plan.RELEASE_EFFECTS[r].get(kind, 1.0) for r in by_release}
        mean = sum(n * rates[r] for r, n in by_release.items())
        spread = math.sqrt(sum(n * rates[r] * (1 - rates[r]) for r, n in by_release.items()))
        count = first.filter(pl.col("kind") == kind).height
        # Customs conversations (under 3 % of two weeks) carry no other kind.
        assert 0.96 * mean - 4 * spread <= count <= mean + 4 * spread, (kind, count, mean)


def test_a_fixed_kind_is_gone_until_a_later_release_brings_it_back() -> None:
    days = {release.version: release.day + 1 for release in plan.RELEASES}
    kinds = {
        version: Counter(
            kind
            for talk in conversations_on(7, MONDAY, day, 600, "tuned")
            for kind in talk.failure_kinds
        )
        for version, day in days.items()
    }
    assert kinds["2.5.0"]["missing_citation"]
    assert kinds["2.5.0"]["loop"]
    assert kinds["2.6.0"]["missing_citation"] == kinds["2.6.0"]["loop"] == 0
    assert kinds["2.6.0"]["wrong_language"] > 5 * kinds["2.7.0"]["wrong_language"]
    assert kinds["2.7.0"]["reasked_question"]  # claimed to be fixed, and is not
    assert kinds["2.8.0"]["loop"]
    assert not kinds["2.8.0"]["missing_citation"]


def test_one_intent_needs_more_and_more_retries_and_still_ends_well() -> None:
    def retried(day: int, intent: str) -> float:
        talks = [t for t in conversations_on(7, MONDAY, day, 2000, "tuned") if t.intent == intent]
        clean = [t for t in talks if not t.failure_kinds]
        again = [
            t for t in clean if any(call.error for turn in t.scene.turns for call in turn.calls)
        ]
        return len(again) / len(clean)

    assert retried(55, plan.CREEPING) > retried(14, plan.CREEPING) + 0.2
    assert abs(retried(55, "track_parcel") - retried(14, "track_parcel")) < 0.1


def test_customs_only_from_week_two_and_growing(world: World) -> None:
    customs = world.truth.filter(pl.col("intent") == "customs_declaration")
    assert min(customs["day"].to_list()) >= MONDAY + dt.timedelta(days=7)
    half = MONDAY + dt.timedelta(days=11)
    assert (
        customs.filter(pl.col("day") >= half).height > customs.filter(pl.col("day") < half).height
    )
    unplanned = world.truth.filter(pl.col("failure_kinds").list.contains("unplanned_intent"))
    assert 0 < unplanned.height < customs.height
    assert set(unplanned["intent"]) == {"customs_declaration"}


def test_lessons_recur_and_one_offs_do_not(world: World) -> None:
    uses = Counter(world.truth["lesson_id"].drop_nulls())
    one_off = set(world.truth.filter(pl.col("one_off"))["lesson_id"])
    assert len(one_off) == 8
    assert all(uses[lesson] == 1 for lesson in one_off)
    recurring = [n for lesson, n in uses.items() if lesson not in one_off]
    assert len(recurring) > 50
    assert sum(n > 1 for n in recurring) > 45


def test_customers_come_back_on_later_days(world: World) -> None:
    days: dict[str, set[dt.date]] = {}
    for row in world.truth.iter_rows(named=True):
        talk = world.talks[row["trace_id"]]
        user = next(s["attrs"]["user.id"] for s in talk.spans if "user.id" in s["attrs"])
        days.setdefault(user, set()).add(row["day"])
    assert sum(len(d) > 1 for d in days.values()) > 200


@pytest.mark.parametrize("lang", plan.LANGUAGES)
def test_phrase_sets_say_the_same_things_in_other_words(lang: str) -> None:
    tuned, held_out = load("tuned", lang), load("held_out", lang)
    assert set(tuned) == set(held_out)
    said = {line for lines in tuned.values() for line in lines}
    assert not said & {line for lines in held_out.values() for line in lines}


def test_the_bytes_do_not_depend_on_the_hash_seed_of_the_process(tmp_path: Path) -> None:
    script = (
        "import datetime, pathlib, sys; from pipeline.simulate import simulate;"
        "simulate(pathlib.Path(sys.argv[1]), start=datetime.date(2026, 11, 2), days=1, per_day=60)"
    )
    for number in ("1", "2"):
        environment = {**os.environ, "PYTHONHASHSEED": number}
        command = [sys.executable, "-c", script, str(tmp_path / number)]
        subprocess.run(command, env=environment, check=True, cwd=Path(__file__).parents[3])
    assert _digest(tmp_path / "1") == _digest(tmp_path / "2")
