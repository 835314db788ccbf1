"""Modes live on from week to week under one id, and every day's id can be joined to them."""

from __future__ import annotations

from datetime import date

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.embedding import word_embedder
from pipeline.failures import assign_modes, consolidate_modes
from pipeline.registry import NamedMode, Registry, Settings
from pipeline.tables import FAILURE_MODES
from tests.pipeline.failures.hand_made import MONDAY, frame, grade, on_day, weeks

PLAIN = Registry(Settings(), (), (), (), (), {})


def registry(*modes: NamedMode) -> Registry:
    return Registry(Settings(), (), (), (), modes, {})


def only(modes: pl.DataFrame, **where: str) -> dict:
    (row,) = [r for r in modes.to_dicts() if all(r[k] == v for k, v in where.items())]
    return row


def test_three_weeks_one_id(embedder):
    one, two, three = weeks(3)
    first = consolidate_modes(
        frame(on_day(0, grade("a"), grade("b")) + on_day(2, grade("c"))), None, PLAIN, embedder, one
    ).frame
    (row,) = first.to_dicts()
    assert (row["state"], row["size_week"], row["size_total"], row["days_seen"]) == ("new", 3, 3, 2)
    assert row["weighted_week"] == 6.0  # three failures, each drawn with a chance of one half
    assert row["first_seen"] == MONDAY
    assert row["last_seen"] == date(2026, 11, 4)

    # the second week has nothing: the mode is carried forward
    second = consolidate_modes(frame([]).with_columns(pl.lit(None, pl.Date).alias("day")), first,
                               PLAIN, embedder, two).frame  # fmt: skip
    (row,) = second.to_dicts()
    assert (row["state"], row["size_week"], row["size_total"]) == ("quiet", 0, 3)
    assert row["exemplars"] == ["a", "b", "c"]

    # the third brings it back with another intent and a new release: same id, history added
    third = consolidate_modes(
        frame(on_day(15, grade("d", intent="refund_request", release="2026.11.3"))),
        second,
        PLAIN,
        embedder,
        three,
    ).frame
    (row,) = third.to_dicts()
    assert row["failure_mode_id"] == first["failure_mode_id"][0]
    assert (row["state"], row["size_week"], row["size_total"], row["days_seen"]) == (
        "ongoing", 1, 4, 3,
    )  # fmt: skip
    assert row["releases"] == ["2026.11.1", "2026.11.3"]
    assert len(row["signatures"]) == 2
    assert row["first_seen"] == MONDAY


def test_the_first_week_may_start_with_an_empty_table(embedder):
    modes = consolidate_modes(
        frame(on_day(0, grade("a"))), FAILURE_MODES.empty(), PLAIN, embedder, weeks(1)[0]
    )
    assert modes.frame.height == 1
    modes.counts.check("failure_modes")


def test_a_long_quiet_mode_is_archived_and_a_failure_brings_it_back(embedder):
    spans = weeks(16)
    none = frame([]).with_columns(pl.lit(None, pl.Date).alias("day"))
    modes = consolidate_modes(frame(on_day(0, grade("a"))), None, PLAIN, embedder, spans[0]).frame
    states = []
    for span in spans[1:15]:
        modes = consolidate_modes(none, modes, PLAIN, embedder, span).frame
        states.append(modes["state"][0])
    # last seen on Monday of week 0; thirteen weeks later a Sunday is 91 days or more away
    assert states == ["quiet"] * 12 + ["archived"] * 2
    back = consolidate_modes(
        frame(on_day(15 * 7, grade("b"))), modes, PLAIN, embedder, spans[15]
    ).frame
    assert back["state"][0] == "ongoing"
    assert back["size_total"][0] == 2


def test_a_person_names_merges_and_ignores(embedder):
    one, two = weeks(2)
    rows = on_day(0, grade("a"), grade("b", check="tone", error_class="cold"))
    before = consolidate_modes(frame(rows), None, PLAIN, embedder, one).frame
    part = only(before, check="completeness")["failure_mode_id"]
    cold = only(before, check="tone")["failure_mode_id"]
    words = registry(
        NamedMode(id="poor_answer", name="Poor answer", state="ignored"),
        NamedMode(id=cold, name="Cold", merged_into="poor_answer"),
        NamedMode(id=part, name="Half of the question"),
    )
    after = consolidate_modes(
        frame(on_day(7, grade("c", check="tone", error_class="cold"))), before, words, embedder, two
    ).frame
    assert sorted(after["failure_mode_id"]) == sorted([part, "poor_answer"])
    merged = only(after, failure_mode_id="poor_answer")
    assert merged["merged_from"] == [cold]
    assert (merged["size_total"], merged["state"], merged["named_by"]) == (2, "ignored", "person")
    assert only(after, failure_mode_id=part)["name"] == "Half of the question"
    # and the next day's failure of the old mode goes to the new id
    today = assign_modes(
        frame([grade("d", check="tone", error_class="cold")]), before, words, embedder
    ).frame
    assert today["failure_mode_id"].to_list() == ["poor_answer"]


def test_a_merge_can_be_taken_back_or_turned_round(embedder):
    claims = {"tone": {"checks": ("tone",)}, "part": {"checks": ("completeness",)}}

    def entries(**into: str):
        return registry(
            *(NamedMode(id=i, name=i, merged_into=into.get(i), **claims[i]) for i in claims)
        )

    def failures(number: int):
        day = 7 * number
        two = (grade(f"p{number}"), grade(f"t{number}", check="tone", error_class="cold"))
        return frame(on_day(day, *two, grade(f"u{number}", check="tone", error_class="cold")))

    def sizes(modes: pl.DataFrame):
        return {m["failure_mode_id"]: (m["size_week"], m["merged_from"]) for m in modes.to_dicts()}

    first, second, third = weeks(3)
    apart = consolidate_modes(failures(0), None, entries(), embedder, first).frame
    said = entries(tone="part")
    merged = consolidate_modes(failures(1), apart, said, embedder, second).frame
    assert sizes(merged) == {"part": (3, ["tone"])}
    again = consolidate_modes(failures(2), merged, entries(), embedder, third).frame
    assert sizes(again) == {"part": (1, []), "tone": (2, [])}
    turned = consolidate_modes(failures(2), merged, entries(part="tone"), embedder, third).frame
    assert sizes(turned) == {"tone": (3, ["part"])}


def test_a_mode_that_drifts_apart_is_split_with_a_record(embedder):
    """The mode was matched by hand to two kinds that have little in common; a week shows both."""
    one, two, three = weeks(3)
    none = frame([]).with_columns(pl.lit(None, pl.Date).alias("day"))
    first = consolidate_modes(frame(on_day(0, grade("a"))), None, PLAIN, embedder, one).frame
    (old,) = first["failure_mode_id"]
    cold = {"check": "tone", "error_class": "cold", "intent": "newsletter"}
    stray = assign_modes(frame([grade("x", **cold)]), None, PLAIN, embedder).frame["signature"][0]
    drifted = first.with_columns(signatures=pl.concat_list("signatures", pl.lit(stray)))
    rows = [grade(f"b{n}") for n in range(3)] + [grade(f"c{n}", **cold) for n in range(3)]
    second = consolidate_modes(frame(on_day(7, *rows)), drifted, PLAIN, embedder, two).frame
    kept, new = only(second, failure_mode_id=old), only(second, check="tone")
    assert (new["split_from"], kept["split_from"]) == (old, None)
    assert (kept["size_week"], new["size_week"], new["state"]) == (3, 3, "new")
    assert stray in new["signatures"]
    assert stray not in kept["signatures"]
    # from the next day on, its failures are found under its own id, and the record stays
    today = assign_modes(frame([grade("d", **cold)]), second, PLAIN, embedder).frame
    assert today["failure_mode_id"].to_list() == [new["failure_mode_id"]]
    third = consolidate_modes(none, second, PLAIN, embedder, three).frame
    assert only(third, check="tone")["split_from"] == old


def test_two_strays_are_no_second_kind(embedder):
    one, two = weeks(2)
    first = consolidate_modes(frame(on_day(0, grade("a"))), None, PLAIN, embedder, one).frame
    cold = {"check": "tone", "error_class": "cold", "intent": "newsletter"}
    stray = assign_modes(frame([grade("x", **cold)]), None, PLAIN, embedder).frame["signature"][0]
    drifted = first.with_columns(signatures=pl.concat_list("signatures", pl.lit(stray)))
    rows = [grade(f"b{n}") for n in range(3)] + [grade(f"c{n}", **cold) for n in range(2)]
    second = consolidate_modes(frame(on_day(7, *rows)), drifted, PLAIN, embedder, two).frame
    assert second["failure_mode_id"].to_list() == first["failure_mode_id"].to_list()


def test_an_entry_that_claims_later_takes_the_mode_over_with_its_history(embedder):
    one, two = weeks(2)
    before = consolidate_modes(frame(on_day(0, grade("a"))), None, PLAIN, embedder, one).frame
    claim = registry(NamedMode(id="half", name="Half", checks=("completeness",)))
    after = consolidate_modes(frame(on_day(7, grade("b"))), before, claim, embedder, two).frame
    (row,) = after.to_dicts()
    assert row["failure_mode_id"] == "half"
    assert row["merged_from"] == before["failure_mode_id"].to_list()
    assert (row["size_total"], row["first_seen"]) == (2, MONDAY)


def test_an_entry_that_begins_in_midweek_keeps_the_days_before_it_joinable(embedder):
    claim = NamedMode(
        id="half", name="Half", checks=("completeness",), effective_from=date(2026, 11, 5)
    )
    monday = assign_modes(frame([grade("a")]), None, PLAIN, embedder).frame
    week = consolidate_modes(
        frame(on_day(0, grade("a")) + on_day(4, grade("b"))), None, registry(claim), embedder,
        weeks(1)[0],
    ).frame  # fmt: skip
    (row,) = week.to_dicts()
    assert row["failure_mode_id"] == "half"
    assert row["merged_from"] == monday["failure_mode_id"].to_list()


CODES = st.sampled_from(["missed_part", "missed_detail", "no_answer", "cold", None])
INTENTS = st.sampled_from(["track_parcel", "refund_request", "unknown", "newsletter", "returns"])
CHECKS = st.sampled_from(["completeness", "tone", "right_tool"])
WEEK = st.lists(st.tuples(st.integers(0, 6), CHECKS, INTENTS, CODES), max_size=20)


@settings(max_examples=25, deadline=None)
@given(history=st.lists(WEEK, min_size=1, max_size=3), seed=st.randoms(use_true_random=False))
def test_every_id_of_every_day_is_found_in_its_week(history, seed):
    """The analyst's join: a day's id is a mode of its week or stands in one merged_from."""
    before = None
    for number, drawn in enumerate(history):
        rows = [
            row
            for n, (day, check, intent, code) in enumerate(drawn)
            for row in on_day(
                number * 7 + day,
                grade(f"w{number}t{n}", check=check, intent=intent, error_class=code),
            )
        ]
        grades = frame(rows) if rows else frame([]).with_columns(pl.lit(None, pl.Date).alias("day"))
        window = weeks(number + 1)[number]
        week = consolidate_modes(grades, before, PLAIN, word_embedder(), window)
        week.counts.check("failure_modes")
        seed.shuffle(rows)
        again = frame(rows) if rows else grades
        assert consolidate_modes(again, before, PLAIN, word_embedder(), window).frame.equals(
            week.frame
        )
        ids = set(week.frame["failure_mode_id"])
        merged = week.frame["merged_from"].explode().drop_nulls().to_list()
        assert len(merged) == len(set(merged))
        assert not ids & set(merged)
        if before is not None:  # ids persist
            assert set(before["failure_mode_id"]) <= ids
        for day in window.days:
            own = [
                {k: v for k, v in r.items() if k != "day"} for r in rows if r["day"] == day.first
            ]
            clusters = assign_modes(frame(own), before, PLAIN, word_embedder()).frame
            assert set(clusters["failure_mode_id"]) <= ids | set(merged)
        assert int(week.frame["size_week"].sum()) == len({r["trace_id"] for r in rows})
        before = week.frame
