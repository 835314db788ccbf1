"""Known modes that have become alike are one from then on, under the oldest id, and stay one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from itertools import pairwise
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.embedding import word_embedder
from pipeline.failures import assign_modes, consolidate_modes
from pipeline.failures.lifecycle import advance_states, measure_rates
from pipeline.failures.matching import Assignment
from pipeline.failures.merging import alike_modes
from pipeline.failures.records import ModeRecord, to_records
from pipeline.failures.signatures import Failures, Signature
from pipeline.failures.vectors import centre, signature_vectors
from pipeline.registry import Fix, NamedMode, Registry, Settings
from pipeline.tables import FAILURE_MODES
from tests.pipeline.failures.hand_made import MONDAY, frame, grade, on_day, weeks

PART, REST = ("track_parcel", "refund_request"), ("newsletter", "warranty_policy")
SPANS = weeks(8)


def registry(*modes: NamedMode, fixes: tuple[Fix, ...] = ()) -> Registry:
    return Registry(Settings(), (), (), (), modes, {}, (), fixes)


PLAIN = registry()


def failures(number: int, intents: Sequence[str], **fields: Any) -> list[dict[str, Any]]:
    """Three failures an intent in the n-th week."""
    return [
        row
        for intent in intents
        for n in range(3)
        for row in on_day(7 * number + n, grade(f"w{number}-{intent}-{n}", intent=intent, **fields))
    ]


def alone(intents: Sequence[str], number: int = 0, **fields: Any) -> pl.DataFrame:
    """The modes of a week that saw nothing but these failures."""
    rows = frame(failures(number, intents, **fields))
    return consolidate_modes(rows, None, PLAIN, word_embedder(), SPANS[number]).frame


def ids_of(modes: pl.DataFrame) -> list[str]:
    return modes["failure_mode_id"].to_list()


@pytest.fixture
def twins() -> tuple[pl.DataFrame, str, str]:
    """Two known modes of one kind, as a chain may have them: the first is a week older."""
    old, young = alone(PART), alone(REST, 1)
    return pl.concat([old, young]), ids_of(old)[0], ids_of(young)[0]


def third_week(before: pl.DataFrame, words: Registry = PLAIN, **fields: Any) -> pl.DataFrame:
    """The third week, in which both twins fail."""
    rows = failures(2, PART) + failures(2, REST, **fields)
    return consolidate_modes(frame(rows), before, words, word_embedder(), SPANS[2]).frame


def test_two_alike_live_on_under_the_oldest_id(twins):
    before, old, young = twins
    after = third_week(before)
    (row,) = after.to_dicts()
    assert (row["failure_mode_id"], row["merged_from"]) == (old, [young])
    assert (row["size_week"], row["size_total"], row["state"]) == (12, 24, "ongoing")
    assert (row["first_seen"], len(row["signatures"])) == (MONDAY, 4)
    # the days of that week still say the id that went; those after it say the one that stayed
    day = frame([grade("t", intent=REST[0])])
    (then,) = assign_modes(day, before, PLAIN, word_embedder()).frame["failure_mode_id"]
    (now,) = assign_modes(day, after, PLAIN, word_embedder()).frame["failure_mode_id"]
    assert (then, now) == (young, old)


def test_a_new_place_of_either_finds_the_mode_that_both_became(twins):
    before, _, _ = twins
    merged, first = np.array(third_week(before)["centroid"][0]), np.array(before["centroid"][0])
    (there,) = signature_vectors([Signature("completeness", REST[1], "", "missed_part")],
                                 word_embedder())  # fmt: skip
    assert there @ merged > there @ first


def test_one_that_did_not_fail_this_week_waits(twins):
    before, old, young = twins
    rows = frame(failures(2, PART))
    quiet = consolidate_modes(rows, before, PLAIN, word_embedder(), SPANS[2]).frame
    assert ids_of(quiet) == sorted([old, young])


def test_alike_for_one_week_is_not_enough(twins):
    before, old, young = twins
    (elsewhere,) = alone(["newsletter"], check="tone", error_class="cold")["centroid"]
    for centroid in (elsewhere, [0.0] * 3, []):  # unlike, or of an embedder of another size
        was = pl.when(pl.col("failure_mode_id") == young).then(pl.lit(pl.Series([centroid])))
        strange = before.with_columns(centroid=was.otherwise("centroid"))
        assert ids_of(third_week(strange)) == sorted([old, young])


def test_centroids_that_agree_do_not_outweigh_failures_that_do_not(twins):
    before, old, _ = twins
    cold = alone(REST, 1, check="tone", error_class="cold")
    tone = ids_of(cold)[0]
    same = pl.lit(pl.Series([before["centroid"][0].to_list()]))
    both = pl.concat([before.filter(pl.col("failure_mode_id") == old),
                      cold.with_columns(centroid=same)])  # fmt: skip
    after = third_week(both, check="tone", error_class="cold")
    assert ids_of(after) == sorted([old, tone])


def test_planned_and_unplanned_stay_apart():
    before = pl.concat([alone(PART), alone(["unknown"], 1)])
    rows = frame(failures(2, [*PART, "unknown"]))
    assert consolidate_modes(rows, before, PLAIN, word_embedder(), SPANS[2]).frame.height == 2


def test_what_parted_from_a_mode_never_comes_together_with_it_again(twins):
    before, old, young = twins
    parted = pl.when(pl.col("failure_mode_id") == young).then(pl.lit(old))
    assert third_week(before.with_columns(split_from=parted.otherwise(None))).height == 2


def test_what_parted_may_be_one_with_another_mode_and_takes_its_kin_along(twins):
    before, old, young = twins
    cold = alone(["newsletter"], 1, check="tone", error_class="cold")
    (tone,) = ids_of(cold)
    parted = pl.when(pl.col("failure_mode_id") == young).then(pl.lit(tone))
    both = pl.concat([before.with_columns(split_from=parted.otherwise(None)), cold])
    after = third_week(both)
    assert {m["failure_mode_id"]: m["split_from"] for m in after.to_dicts()} == {
        old: tone, tone: None,
    }  # fmt: skip
    twin = alone(["newsletter", "stock_question"], 1, check="tone", error_class="cold")
    alike = pl.concat([after, twin.with_columns(failure_mode_id=pl.lit("fm-kin"),
                                                split_from=pl.lit(old))])  # fmt: skip
    rows = frame(failures(3, ["newsletter", "stock_question"], check="tone", error_class="cold"))
    again = consolidate_modes(rows, alike, PLAIN, word_embedder(), SPANS[3]).frame
    assert {tone, "fm-kin"} <= set(ids_of(again))  # fm-kin parted from old, old from tone


def said(who: str, old: str, young: str) -> Registry:
    """What a person says of one of the twins."""
    words: dict[str, tuple[tuple[NamedMode, ...], tuple[Fix, ...]]] = {
        "claims": ((NamedMode(id=young, name="A", checks=("completeness",), intents=REST),), ()),
        "ignored": ((NamedMode(id=young, name="A", state="ignored"),), ()),
        "closed": ((NamedMode(id=old, name="A", state="archived"),), ()),
        "both named": ((NamedMode(id=old, name="A"), NamedMode(id=young, name="B")), ()),
        "fix": ((), (Fix(mode=young, release="9", effective_from=MONDAY),)),
        "fix of the older": ((), (Fix(mode=old, release="9", effective_from=MONDAY),)),
    }
    return registry(*words[who][0], fixes=words[who][1])


@pytest.mark.parametrize(
    "who", ["claims", "ignored", "closed", "both named", "fix", "fix of the older"]
)
def test_what_people_decided_is_left_alone(twins, who):
    before, old, young = twins
    assert ids_of(third_week(before, said(who, old, young))) == sorted([old, young])


def test_a_named_mode_takes_in_its_twin_whichever_is_older(twins):
    before, old, young = twins
    for name, other in ((old, young), (young, old)):
        (row,) = third_week(before, registry(NamedMode(id=name, name="Half"))).to_dicts()
        assert (row["failure_mode_id"], row["name"], row["merged_from"]) == (name, "Half", [other])
        assert row["first_seen"] == MONDAY


def test_a_merge_is_taken_back_by_claiming_the_failures(twins):
    """As `caselaw modes unmerge` writes it; nothing then brings the two together again."""
    before, old, young = twins
    merged = third_week(before)
    back = registry(
        NamedMode(id=young, name="Rest", checks=("completeness",),
                  error_classes=("missed_part",), intents=REST)
    )  # fmt: skip
    modes = merged
    for number in (3, 4, 5):
        rows = frame(failures(number, [*PART, *REST]))
        modes = consolidate_modes(rows, modes, back, word_embedder(), SPANS[number]).frame
        assert {m["failure_mode_id"]: (m["size_week"], m["merged_from"])
                for m in modes.to_dicts()} == {old: (6, []), young: (6, [])}  # fmt: skip


def circle(*degrees: float) -> tuple[dict[str, ModeRecord], Failures, dict, dict]:
    """Modes `a`, `b`, ... with one signature each, as points on a circle."""
    names = "abcdefgh"[: len(degrees)]
    (row,) = alone(["newsletter"]).to_dicts()
    (record,) = to_records(pl.DataFrame([row], schema=FAILURE_MODES.schema)).values()
    points = {
        name: np.array([np.cos(np.radians(angle)), np.sin(np.radians(angle))])
        for name, angle in zip(names, degrees, strict=True)
    }
    records = {
        name: ModeRecord(**(vars(record) | {"failure_mode_id": name, "centroid": tuple(point)}))
        for name, point in points.items()
    }
    rows = pl.DataFrame({"signature": [name for name in names for _ in range(3)]})
    assigned = {name: Assignment(name, 1.0, False) for name in names}
    return records, Failures(rows, {}, rows.height), assigned, points


@pytest.mark.parametrize(
    ("degrees", "heirs"),
    [
        # cosines: 30 degrees .87, 60 degrees .5; the ends of a chain do not meet
        ((0, 30, 60), {"b": "a"}),
        ((0, 30, 60, 90), {"b": "a", "d": "c"}),
        ((0, 10, 20), {"b": "a", "c": "a"}),
        ((0, 40), {}),
    ],
)
def test_every_pair_of_a_group_is_alike(degrees, heirs):
    records, rows, assigned, points = circle(*degrees)
    assert alike_modes(records, records, rows, assigned, points, PLAIN) == heirs
    turned = dict(reversed(records.items()))
    again = dict(reversed(assigned.items()))
    assert alike_modes(turned, turned, rows, again, points, PLAIN) == heirs


def test_what_would_be_split_at_once_is_not_merged():
    # a holds two kinds, 80 degrees apart, and b lies between: to each of them its cosine is .77
    records, _, _, points = circle(0, 0)
    points = {"a1": circle(40)[3]["a"], "a2": circle(-40)[3]["a"], "b": points["b"]}
    assigned = {key: Assignment(key[0], 1.0, False) for key in points}
    rows = pl.DataFrame({"signature": [key for key in points for _ in range(3)]})
    known = (records, records, Failures(rows, {}, rows.height), assigned, points, PLAIN)
    assert alike_modes(*known) == {}
    narrow = points | {"a1": circle(20)[3]["a"], "a2": circle(-20)[3]["a"]}
    assert alike_modes(*known[:4], narrow, PLAIN) == {"b": "a"}


def test_a_claim_on_an_id_that_was_folded_is_judged_on_the_mode_that_it_became(twins):
    before, old, young = twins
    modes, states, rates = before, None, []
    for number in (2, 3):
        passing = [
            row | {"verdict": "pass", "release": "2"}
            for row in failures(number, ["newsletter"])
            for row in [row | {"trace_id": f"p{row['trace_id']}"}]
        ]
        grades = frame(failures(number, [*PART, *REST], release="1") + passing)
        words = registry(fixes=(Fix(mode=young, release="2", effective_from=MONDAY),)
                         if number == 3 else ())  # fmt: skip
        modes = consolidate_modes(grades, modes, words, word_embedder(), SPANS[number]).frame
        week = pl.lit(SPANS[number].first, pl.Date).alias("week")
        rates.append(measure_rates(grades, modes, words).frame.with_columns(week))
        states = advance_states(modes, pl.concat(rates), states, words, SPANS[number])
        assert states.unknown == ()
        states = states.frame
    (row,) = states.to_dicts()
    assert (row["failure_mode_id"], row["fix_release"]) == (old, "2")
    assert (row["before_n"], row["after_n"]) == (24, 6)
    assert row["open_since"] == MONDAY


def merged_into(*pairs: tuple[str, str]) -> Registry:
    """People's merges: (mode, into what)."""
    targets = {into for _, into in pairs} - {mode for mode, _ in pairs}
    return registry(
        *(NamedMode(id=mode, name=mode, merged_into=into) for mode, into in pairs),
        *(NamedMode(id=mode, name=mode) for mode in sorted(targets)),
    )


def test_a_mode_folded_by_a_week_follows_when_a_person_merges_what_it_became(twins):
    before, old, young = twins
    after = consolidate_modes(
        frame(failures(3, REST)), third_week(before), merged_into((old, "half")), word_embedder(),
        SPANS[3],
    ).frame  # fmt: skip
    (row,) = after.to_dicts()
    assert (row["failure_mode_id"], row["merged_from"]) == ("half", sorted([old, young]))
    assert row["size_total"] == 30


def test_a_mode_that_people_merge_a_second_time_takes_its_id_along_and_leaves_its_past(twins):
    before, old, young = twins
    cold = alone(["newsletter"], 1, check="tone", error_class="cold")
    (tone,) = ids_of(cold)
    both = pl.concat([before, cold])
    rows = frame(failures(2, [*PART, *REST]) + failures(2, ["newsletter"], check="tone",
                                                        error_class="cold"))  # fmt: skip
    first = consolidate_modes(
        rows, both, merged_into((young, old)), word_embedder(), SPANS[2]
    ).frame
    second = consolidate_modes(
        rows.with_columns(pl.col("day") + timedelta(days=7)), first, merged_into((young, tone)),
        word_embedder(), SPANS[3],
    ).frame  # fmt: skip
    stands = {m["failure_mode_id"]: (m["size_total"], m["merged_from"]) for m in second.to_dicts()}
    assert stands == {old: (36, []), tone: (9, [young])}


def test_a_person_turns_a_merge_of_the_week_round(twins):
    before, old, young = twins
    merged = third_week(before)
    rows = frame(failures(3, [*PART, *REST]))
    turned = consolidate_modes(
        rows, merged, merged_into((old, young)), word_embedder(), SPANS[3]
    ).frame
    (row,) = turned.to_dicts()
    assert (row["failure_mode_id"], row["merged_from"], row["size_total"]) == (young, [old], 36)


INTENTS = (
    *("track_parcel", "refund_request", "newsletter", "warranty_policy", "stock_question"),
    *("damaged_item", "voucher_problem", "unknown"),
)
KINDS = st.tuples(
    st.sampled_from(["completeness", "tone"]),
    st.sampled_from(["missed_part", "cold"]),
    st.sampled_from(INTENTS),
)


def jumbled(kinds: Sequence[tuple[str, str, str]], blocks: Sequence[int]) -> pl.DataFrame:
    """Known modes that hold signatures as the blocks say, however little they have in common."""
    base = alone(["newsletter"]).row(0, named=True)
    rows = []
    for block in sorted(set(blocks)):
        own = [Signature(c, i, "", e) for (c, e, i), b in zip(kinds, blocks, strict=True)
               if b == block]  # fmt: skip
        vectors = signature_vectors(own, word_embedder())
        rows.append(
            base
            | {
                "failure_mode_id": f"fm-{block}",
                "intent": own[0].intent,
                "signatures": sorted(one.key for one in own),
                "centroid": centre(vectors).tolist(),
                "first_seen": date(2026, 10, 5) + timedelta(days=block),
            }
        )
    return pl.DataFrame(rows, schema=FAILURE_MODES.schema)


def the_week(kinds: Sequence[tuple[str, str, str]], counts: Sequence[int], number: int):
    return [
        row
        for n, ((check, error, intent), count) in enumerate(zip(kinds, counts, strict=True))
        for k in range(count)
        for row in on_day(
            7 * number + k % 7,
            grade(f"w{number}-{n}-{k}", check=check, error_class=error, intent=intent),
        )
    ]


def chain(before: pl.DataFrame, streams: Sequence[list[dict[str, Any]]]) -> list[pl.DataFrame]:
    """The modes of each week; every id that a day says leads to one of them."""
    told = []
    for window, rows in zip(SPANS, streams, strict=False):
        grades = frame(rows) if rows else frame([]).with_columns(pl.lit(None, pl.Date).alias("day"))
        after = consolidate_modes(grades, before, PLAIN, word_embedder(), window).frame
        merged = after["merged_from"].explode().drop_nulls().to_list()
        resolvable = {*ids_of(after), *merged}
        assert len(merged) == len(set(merged))
        assert not set(ids_of(after)) & set(merged)
        for day in {row["day"] for row in rows}:
            own = [
                {k: v for k, v in row.items() if k != "day"} for row in rows if row["day"] == day
            ]
            clusters = assign_modes(frame(own), before, PLAIN, word_embedder()).frame
            assert set(clusters["failure_mode_id"]) <= resolvable
        assert {*ids_of(before), *before["merged_from"].explode().drop_nulls()} <= resolvable
        told.append(after)
        before = after
    return told


def owners(modes: pl.DataFrame) -> dict[str, str]:
    return {key: mode for mode, keys in modes.select("failure_mode_id", "signatures").iter_rows()
            for key in keys}  # fmt: skip


@settings(max_examples=20, deadline=None)
@given(
    population=st.lists(st.tuples(KINDS, st.integers(0, 3), st.integers(1, 4)), min_size=6,
                        max_size=14, unique_by=lambda drawn: drawn[0])
)  # fmt: skip
def test_on_the_same_failures_every_week_modes_come_to_rest(population):
    """Whatever jumble the chain starts from: its first week splits, and the later ones only merge.

    They may do so late: a centroid follows by three tenths a week.
    """
    kinds, blocks, counts = ([list(p) for p in zip(*population, strict=True)][n] for n in range(3))
    told = chain(jumbled(kinds, blocks), [the_week(kinds, counts, n) for n in range(8)])
    for was, now in pairwise(told):
        assert set(ids_of(now)) <= set(ids_of(was))


@settings(max_examples=20, deadline=None)
@given(
    population=st.lists(st.tuples(KINDS, st.integers(0, 3)), min_size=6, max_size=12,
                        unique_by=lambda drawn: drawn[0]),
    draws=st.lists(st.lists(st.integers(0, 4), min_size=12, max_size=12), min_size=6, max_size=6),
)  # fmt: skip
def test_on_a_stream_that_varies_nothing_that_parted_comes_together_again(population, draws):
    kinds, blocks = ([list(p) for p in zip(*population, strict=True)][n] for n in range(2))
    streams = [the_week(kinds, counts[: len(kinds)], n) for n, counts in enumerate(draws)]
    told = [owners(modes) for modes in chain(jumbled(kinds, blocks), streams)]
    keys = sorted({key for week in told for key in week})
    for n, one in enumerate(keys):
        for other in keys[:n]:
            together = [week[one] == week[other] for week in told if {one, other} <= week.keys()]
            turns = [(was, now) for was, now in pairwise(together) if was != now]
            assert (True, False) not in turns or (False, True) not in turns[
                turns.index((True, False)) :
            ]
