"""The suite grows with all days, keeps its ids, and never overwrites what people wrote."""

from __future__ import annotations

from datetime import date, timedelta

import polars as pl
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.registry import NamedMode
from pipeline.suite import Suite, SuiteFileError, assemble_suite, parse_suite
from pipeline.suite.edits import settle
from pipeline.suite.file import render_suite
from pipeline.tables import EVAL_SUITE, FAILURE_MODES
from tests.pipeline.promotion.hand_made import (
    MONDAY,
    Chat,
    all_days,
    annotations,
    apart,
    decisions,
    registry,
    trusted,
)

NOBODY = annotations()
PATTERN = decisions([apart(n) for n in range(3)])


def suite(
    *days: pl.DataFrame, existing: str | None = None, people: pl.DataFrame = NOBODY, reg=None
) -> Suite:
    made = assemble_suite(all_days(*days), people, None, existing, reg or registry())
    made.counts.check("eval_suite")
    return made


def rewrite(text: str, change) -> str:
    """What a person's editor leaves: the file with one change, in YAML of its own making."""
    body = yaml.safe_load(text)
    change(body["cases"])
    return yaml.safe_dump(body, allow_unicode=True)


def test_what_the_days_promoted_is_in_and_running_again_changes_no_byte():
    made = suite(PATTERN)
    assert made.frame.height == 3
    assert made.frame["status"].to_list() == ["active"] * 3
    assert not made.frame["edited"].any()
    assert sorted(parse_suite(made.text)) == made.frame["case_id"].to_list()
    again = suite(PATTERN, existing=made.text)
    assert again.text == made.text
    assert again.frame.equals(made.frame)


def test_an_empty_lake_makes_an_empty_suite():
    made = assemble_suite(
        PATTERN.frame.with_columns(pl.lit(date(2026, 11, 2)).alias("day")).clear(),
        NOBODY,
        None,
        None,
        registry(),
    )
    assert parse_suite(made.text) == {}
    assert made.frame.schema == EVAL_SUITE.schema


def test_one_offs_of_several_days_become_a_pattern_together():
    days = [decisions([apart(n)]) for n in range(3)]
    assert all(day.frame["decision"].to_list() == ["rejected"] for day in days)
    assert suite(*days[:2]).frame.height == 0  # two of three traces
    whole = suite(*days)
    assert whole.frame.height == 3
    assert whole.counts.records_out == 3
    assert suite(*days[:2]).counts.filtered == {"no_pattern": 2}


def test_one_users_one_day_is_no_pattern_of_all_days():
    rows = [apart(n, user="the same") for n in range(2)]
    assert suite(decisions(rows)).frame.height == 0


def twin(name: str, number: str) -> Chat:
    return Chat(name, asked=f"Where is my parcel {number}, it was due last Monday already?")


def test_twins_across_days_are_one_case_with_a_history():
    days = [decisions([twin(f"t{n}", str(n))]) for n in range(4)]
    made = suite(*days)
    (row,) = made.frame.to_dicts()
    assert row["case_id"] == days[0].frame["case_id"][0]  # the earliest one's
    assert (row["occurrences"], row["first_day"], row["last_day"]) == (
        4, date(2026, 11, 2), date(2026, 11, 5),
    )  # fmt: skip
    assert made.counts.duplicates == 3


def test_a_published_id_stays_when_an_earlier_twin_comes_to_light():
    days = [decisions([twin(f"t{n}", str(n))]) for n in range(5)]
    empty = decisions([apart(0, fails={})])
    first = suite(empty, *days[1:])
    (published,) = first.frame["case_id"]
    later = suite(*days, existing=first.text)  # Monday was backfilled
    (row,) = later.frame.to_dicts()
    assert row["case_id"] == published != days[0].frame["case_id"][0]
    assert (row["first_day"], row["occurrences"]) == (date(2026, 11, 2), 5)
    provenance = parse_suite(later.text)[published]["provenance"]
    assert provenance["trace_id"] == "t1"  # still written from the trace it was published from


def test_a_published_id_stays_when_its_own_day_gets_an_earlier_twin():
    asked = "Where is my parcel {}, it was due last Monday already?"
    others = [apart(n, tool="get_order") for n in (3, 5)]
    on_time = Chat("on time", asked=asked.format(1), hour=9)
    first = suite(decisions([on_time, *others]))
    published = set(first.frame["case_id"])
    late = Chat("late arrival", asked=asked.format(2), hour=6)
    day = decisions([late, on_time, *others])
    assert set(day.frame["case_id"]) != published  # the day itself calls it otherwise
    again = suite(day, existing=first.text)
    assert set(again.frame["case_id"]) == published
    assert again.frame["occurrences"].sum() == 4


def test_no_more_than_a_few_cases_of_one_lesson():
    days = [decisions([apart(n), apart(n + 3)]) for n in range(3)]
    made = suite(*days)
    assert made.frame.height == 3
    assert made.counts.filtered == {"covered": 3}


def test_a_person_confirms_what_went_to_review_and_rejects_for_good():
    chat = apart(0, fails={"tone": "judge"}, error_class="harsh")
    day = decisions([chat])
    assert suite(day).frame.height == 0
    confirmed = suite(day, people=annotations(("t0", "bad")))
    (case_id,) = confirmed.frame["case_id"]
    # the axis counts before the overall verdict
    other = suite(day, people=annotations(("t0", "bad"), axes={"tone": "pass"}))
    assert other.frame.height == 0
    gone = suite(day, existing=confirmed.text, people=annotations(("t0", "good"), ("t0", "good")))
    assert gone.frame.height == 0
    assert case_id not in gone.text
    assert gone.counts.filtered == {"rejected_by_person": 1}
    split_vote = suite(
        day, existing=confirmed.text, people=annotations(("t0", "good"), ("t0", "bad"))
    )
    assert split_vote.frame["case_id"].to_list() == [case_id]


def test_what_fails_in_the_same_way_needs_one_case():
    made = suite(PATTERN, reg=registry(cases_per_variant=1))
    assert made.frame["occurrences"].to_list() == [1]
    assert made.counts.filtered == {"covered": 2}
    otherwise = decisions([apart(n, error_class="another way") for n in range(3, 6)])
    both = suite(PATTERN, otherwise, reg=registry(cases_per_variant=1))
    assert both.frame.height == 2


def test_a_conversation_with_a_case_leaves_its_second_failure_to_another():
    two = {"fails": {"right_tool": "rule", "faithfulness": "judge"}, "said": "It costs 77 EUR.",
           "error_class": "unsupported_number"}  # fmt: skip
    limits = registry(cases_per_variant=1)
    believed = trusted("faithfulness")

    def founders(*chats: Chat) -> list[tuple[str, str]]:
        made = suite(decisions(list(chats), calibration=believed), reg=limits)
        cases = parse_suite(made.text).values()
        return sorted((case["check"], case["provenance"]["trace_id"]) for case in cases)

    both = founders(*(apart(n, **two) for n in range(3)))
    assert both == [("faithfulness", "t0"), ("right_tool", "t1")]


def test_a_blind_verdict_settles_that_it_failed_and_not_that_it_makes_a_case():
    invented = {"fails": {"faithfulness": "judge"}, "said": "It costs 77 EUR.",
                "error_class": "unsupported_number"}  # fmt: skip
    chats = [apart(n, **invented) for n in range(3)]
    assert suite(decisions(chats)).frame.height == 0  # the judge is not trusted yet
    blind = annotations(("t0", "bad"), blind=True)
    assert suite(decisions(chats), people=blind).frame.height == 1
    one_off = decisions(chats[:1])
    assert suite(one_off, people=blind).frame.height == 0  # no pattern, and nobody asked for it
    assert suite(one_off, people=annotations(("t0", "bad"))).frame.height == 1


def test_a_good_verdict_keeps_a_promoted_failure_out():
    made = suite(PATTERN, people=annotations(("t1", "good")))
    assert made.frame.height == 2
    again = suite(PATTERN, existing=made.text, people=annotations(("t1", "good")))
    assert again.text == made.text


def test_edits_are_kept_and_the_rest_follows_the_pipeline():
    made = suite(PATTERN)
    name = made.frame["case_id"][0]

    def edit(cases):
        (case,) = [c for c in cases if c["id"] == name]
        case["expected"] = "The agent names the carrier's last scan."
        case["owner"] = "returns team"
        case["title"] = "Ours"

    edited = rewrite(made.text, edit)
    named = registry(NamedMode(id="wrong_one", name="Picks the wrong tool", checks=("right_tool",)))
    days = decisions([apart(n) for n in range(3)], reg=named)
    again = suite(days, existing=edited, reg=named)
    case = parse_suite(again.text)[name]
    assert case["expected"] == "The agent names the carrier's last scan."
    assert case["owner"] == "returns team"
    assert case["mode"]["name"] == "Picks the wrong tool"  # not edited: follows
    assert case["title"] == "Ours"
    assert [str(one) for one in again.conflicts] == [
        f"{name}: title"
    ]  # both sides changed it: theirs stands
    assert again.frame.filter(pl.col("edited"))["case_id"].to_list() == [name]
    third = suite(days, existing=again.text, reg=named)
    assert third.text == again.text
    assert third.conflicts == again.conflicts


@pytest.mark.parametrize("value", [2**70, float("nan"), date(2026, 11, 2), [], {"a": {"b": None}}])
def test_whatever_yaml_has_words_for_may_be_a_persons_field(value):
    made = suite(PATTERN)
    name = made.frame["case_id"][0]
    cases = parse_suite(made.text)
    cases[name] |= {"title": value, "note": value}
    again = suite(PATTERN, existing=render_suite(list(cases.values())))
    assert again.frame.filter(pl.col("edited"))["case_id"].to_list() == [name]
    kept = parse_suite(again.text)[name]
    assert repr(kept["title"]) == repr(kept["note"]) == repr(value)
    assert suite(PATTERN, existing=again.text).text == again.text


def test_a_retired_case_stays_retired_and_a_deleted_one_comes_back():
    made = suite(PATTERN)
    first, second, _ = made.frame["case_id"]

    def edit(cases):
        for case in list(cases):
            if case["id"] == first:
                case["status"] = "retired"
            if case["id"] == second:
                cases.remove(case)

    again = suite(PATTERN, existing=rewrite(made.text, edit))
    assert dict(again.frame.select("case_id", "status").iter_rows())[first] == "retired"
    assert second in again.frame["case_id"].to_list()


def test_a_field_that_a_person_took_out_stays_out():
    made = suite(PATTERN)
    name = made.frame["case_id"][0]

    def edit(cases):
        (case,) = [c for c in cases if c["id"] == name]
        del case["recorded"]

    again = suite(PATTERN, existing=rewrite(made.text, edit))
    assert "recorded" not in parse_suite(again.text)[name]
    assert suite(PATTERN, existing=again.text).text == again.text


def test_a_case_that_people_added_here_is_kept():
    made = suite(PATTERN)
    own = rewrite(made.text, lambda cases: cases.append({"id": "ours-1", "title": "By hand"}))
    again = suite(PATTERN, existing=own)
    assert again.kept == ("ours-1",)
    assert parse_suite(again.text)["ours-1"]["title"] == "By hand"
    assert suite(PATTERN, existing=again.text).text == again.text


def test_a_mode_that_the_weeks_merged_is_one_pattern_under_its_new_id():
    first, second = (
        registry(NamedMode(id=name, name=name, checks=("right_tool",))) for name in ("old", "new")
    )
    days = [
        decisions([apart(0), apart(1)], reg=first),
        decisions([apart(2)], reg=second),
    ]
    assert suite(*days).frame.height == 0  # two traces here, one there
    base = dict.fromkeys(FAILURE_MODES.schema.names())
    merged = base | {
        "failure_mode_id": "new", "name": "New", "merged_from": ["old"], "signatures": [],
        "centroid": [], "exemplars": [], "releases": [], "intent": "track_parcel",
        "first_seen": date(2026, 11, 2), "last_seen": date(2026, 11, 3),
    }  # fmt: skip
    modes = pl.DataFrame([merged], schema=FAILURE_MODES.schema)
    made = assemble_suite(all_days(*days), NOBODY, modes, None, registry())
    assert made.frame["failure_mode_id"].to_list() == ["new"] * 3
    assert {case["mode"]["name"] for case in parse_suite(made.text).values()} == {"New"}


def test_the_same_request_in_other_words_joins_the_case():
    asked = "I never got the {} that I ordered last month, can you {} where it is?"
    alike = [
        Chat(f"t{n}", asked=asked.format("lamp", verb)) for n, verb in enumerate(("see", "check"))
    ]
    other = Chat("t2", asked="The website says that my parcel was handed to somebody else?")
    day = decisions([*alike, other])
    assert day.frame["case_id"].n_unique() == 3  # no twins by their words
    made = suite(day, reg=registry(duplicate_meaning=0.92))
    assert sorted(made.frame["occurrences"]) == [1, 2]
    assert made.counts.duplicates == 1
    again = suite(day, existing=made.text, reg=registry(duplicate_meaning=0.92))
    assert again.text == made.text


def test_the_split_of_a_published_case_outlives_the_settings_and_a_persons_word_counts():
    made = suite(PATTERN)
    first = dict(made.frame.select("case_id", "split").iter_rows())
    everything = registry(holdout_share=1.0, example_share=0.0)
    again = suite(PATTERN, existing=made.text, reg=everything)
    assert dict(again.frame.select("case_id", "split").iter_rows()) == first
    assert set(suite(PATTERN, reg=everything).frame["split"]) == {"holdout"}
    name = made.frame["case_id"][0]

    def edit(cases):
        (case,) = [c for c in cases if c["id"] == name]
        case["split"] = "example"

    moved = suite(PATTERN, existing=rewrite(made.text, edit), reg=everything)
    assert dict(moved.frame.select("case_id", "split").iter_rows())[name] == "example"
    assert moved.conflicts == ()


def days_later(number: int, *chats: Chat) -> pl.DataFrame:
    """The pattern on Monday, and a day of its own so much later."""
    late = decisions(chats or [apart(9, fails={}, unsure=("tone",), anomaly=0.9)])
    return pl.concat(
        [
            all_days(PATTERN),
            late.frame.with_columns(pl.lit(MONDAY + timedelta(days=number)).alias("day")),
        ]
    )


def assembled(rows: pl.DataFrame, existing: str | None) -> Suite:
    return assemble_suite(rows, NOBODY, None, existing, registry())


def test_cases_of_a_mode_that_has_long_not_failed_retire_and_return():
    made = suite(PATTERN)
    assert set(made.frame["added_on"]) == {MONDAY}
    still = assembled(days_later(89), made.text)
    assert set(still.frame["status"]) == {"active"}
    quiet = assembled(days_later(90), still.text)
    assert set(quiet.frame["status"]) == {"retired"}
    assert set(quiet.frame["retired_because"]) == {"mode_quiet"}
    assert set(quiet.frame["retired_on"]) == {MONDAY + timedelta(days=90)}
    assert set(quiet.frame["added_on"]) == {MONDAY}
    assert assembled(days_later(90), quiet.text).text == quiet.text
    back = assembled(days_later(90, apart(7)), quiet.text)
    assert set(back.frame["status"]) == {"active"}
    assert back.frame["retired_on"].null_count() == back.frame.height
    assert sorted(back.frame["case_id"])[0] in set(made.frame["case_id"])


def test_a_rejected_case_goes_even_when_no_candidate_stands_behind_it():
    made = suite(PATTERN)
    nothing = decisions([apart(0, fails={})])
    kept = suite(nothing, existing=made.text)
    assert len(kept.kept) == 3
    gone = suite(nothing, existing=made.text, people=annotations(("t1", "good")))
    assert len(gone.kept) == 2
    assert '"t1"' not in gone.text


def test_one_blind_good_takes_no_published_case_out_whether_its_day_is_there_or_not():
    """Nor where a trace that moved stands in two days; two people who judge blind do."""
    made = suite(PATTERN)
    one = annotations(("t1", "good"), blind=True)
    two = annotations(("t1", "good"), ("t1", "good"), blind=True)
    nothing = decisions([apart(0, fails={})])
    for days in ((PATTERN,), (PATTERN, PATTERN), (nothing,)):
        held = suite(*days, existing=made.text, people=one)
        assert sorted(parse_suite(held.text)) == sorted(parse_suite(made.text))
        assert '"t1"' not in suite(*days, existing=made.text, people=two).text


def test_a_conflict_is_settled_either_way():
    made = suite(PATTERN)
    name = made.frame["case_id"][0]
    edited = rewrite(
        made.text, lambda cases: [c.update(title="Ours") for c in cases if c["id"] == name]
    )
    named = registry(NamedMode(id="wrong_one", name="Picks the wrong tool", checks=("right_tool",)))
    days = decisions([apart(n) for n in range(3)], reg=named)
    (conflict,) = suite(days, existing=edited, reg=named).conflicts
    assert (conflict.theirs, conflict.field) == ("Ours", "title")
    for mine, title in ((True, "Ours"), (False, conflict.pipelines)):
        cases = parse_suite(edited)
        cases[name] = settle(cases[name], {"title": conflict.pipelines}, mine=mine)
        after = suite(days, existing=render_suite(list(cases.values())), reg=named)
        assert after.conflicts == ()
        assert parse_suite(after.text)[name]["title"] == title
        assert after.frame.filter(pl.col("edited")).height == int(mine)


def test_ignoring_a_mode_retires_its_cases_and_keeps_their_ids():
    made = suite(PATTERN)
    mode = PATTERN.frame["failure_mode_id"][0]
    shut = registry(NamedMode(id=mode, name="Fine by us", state="ignored"))
    again = suite(PATTERN, existing=made.text, reg=shut)
    assert again.frame["status"].to_list() == ["retired"] * 3
    assert again.frame["case_id"].to_list() == made.frame["case_id"].to_list()
    assert suite(PATTERN, reg=shut).frame.height == 0


BROKEN = [
    ("cases: [", "line"),
    ("cases:\n- id: a\n- id: a\n", "stands twice"),
    ("cases:\n- title: no id\n", "case number 1"),
    ("- 1\n", "top-level key 'cases'"),
    ("cases: &x []\nmore: *x\n", "aliases"),
    ("cases:\n- id: a\n  id: b\n", "line 3"),
    ("cases: !!python/object:os.system {}\n", "YAML"),
    ("cases:\n- id: a\n  generated: yes\n", "`generated`"),
]


@pytest.mark.parametrize(("text", "says"), BROKEN)
def test_a_broken_file_stops_the_step_and_says_what_to_do(text, says):
    with pytest.raises(SuiteFileError, match=says) as error:
        suite(PATTERN, existing=text)
    assert "left untouched" in str(error.value)
    assert "run the same again" in str(error.value)


HOSTILE = st.text(
    st.one_of(
        st.characters(exclude_categories=["Cs"]),
        st.sampled_from(
            list("\x00\x07\x1b\x85\u200b\u202e\u2066\ufeff\u2028\"\\'{}[]:#&*!|>%@`\n\t ")
        ),
    ),
    max_size=60,
)


@settings(max_examples=200)
@given(text=HOSTILE, key=HOSTILE.filter(bool))
def test_hostile_text_comes_back_as_it_went_in(text, key):
    case = {"id": "case-1", "title": text, "value": {key: [text, 1, 2.5, None, True]}}
    written = render_suite([case])
    assert parse_suite(written)["case-1"] == case
    assert yaml.safe_load(written)["cases"] == [case]
    shown = written.replace("\n", "")
    assert shown.isprintable()  # no control, bidi or zero-width character survives raw


@pytest.mark.parametrize("word", ["no", "0o17", "1e3", "2026-11-02", "~", "null", "12:30", "=", ""])
def test_words_that_yaml_would_read_as_something_else_stay_text(word):
    written = render_suite([{"id": "case-1", "title": word, word or "x": word}])
    assert yaml.safe_load(written)["cases"][0]["title"] == word


@settings(max_examples=15, deadline=None)
@given(
    numbers=st.lists(st.integers(0, 9), min_size=1, max_size=8, unique=True),
    seed=st.randoms(use_true_random=False),
)
def test_the_order_of_rows_changes_nothing(numbers, seed):
    days = [decisions([apart(n), twin(f"x{n}", str(n))]) for n in numbers]
    rows = all_days(*days)
    order = list(range(rows.height))
    seed.shuffle(order)
    first = assemble_suite(rows, NOBODY, None, None, registry())
    shuffled = assemble_suite(rows[order], NOBODY, None, None, registry())
    assert first.text == shuffled.text
    again = assemble_suite(rows[order], NOBODY, None, first.text, registry())
    assert again.text == first.text
    assert len(set(first.frame["case_id"])) == first.frame.height


def test_the_writer_makes_what_any_reader_takes_for_the_same():
    deep = {"id": "case-1", "lists": [[], [[1, 2.5, 1e20], {"a": {}, "b": [{"c": [None]}]}], True]}
    long = {
        "id": "case-2",
        "k" * 2000: {"x": ["y"]},
        "l" * 200: "z",
        "m" * 200: [1],
        "no": 1,
        "": 2,
    }
    dated = {"id": "case-3", "reviewed": date(2026, 11, 2), "large": 2**70, "minus": -0.5}
    cases = [deep, long, dated]
    written = render_suite(cases)
    assert yaml.safe_load(written)["cases"] == cases
    assert list(parse_suite(written).values()) == cases


def test_half_a_surrogate_is_written_as_what_can_be_read():
    assert parse_suite(render_suite([{"id": "case-1", "title": "a\ud83db"}]))["case-1"] == {
        "id": "case-1", "title": "a\ufffdb",
    }  # fmt: skip
