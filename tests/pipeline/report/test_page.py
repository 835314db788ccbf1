"""The page: everything on it, nothing that could harm, the same bytes every time."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import replace
from html.parser import HTMLParser

import polars as pl
import pytest

from pipeline.datadir import DataDir
from pipeline.lake import Lake
from pipeline.provenance import Provenance
from pipeline.registry import Registry, Settings
from pipeline.report import (
    Paid,
    Summary,
    read_day,
    render_html,
    render_markdown,
    summarise,
    write_pages,
)
from pipeline.report.figures import amount, money, plain, plural, table
from pipeline.report.lives import life_facts
from pipeline.tables import PROMOTED_CASES, RUN_SUMMARIES
from tests.hand_made_lake import EMPTY, MONDAY, frame, publish_hand_made_lake

REGISTRY = Registry(Settings(), (), (), (), (), {})
HOSTILE = (
    '</style><img src=x onerror=alert(1)> [a](javascript:b) | \x1b[31m\u202eevil\nline "quoted"'
)


@pytest.fixture(scope="module")
def hand_made(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    lake = Lake(DataDir(tmp_path_factory.mktemp("lake") / "data"))
    publish_hand_made_lake(lake)
    return lake


@pytest.fixture(scope="module")
def monday(hand_made: Lake) -> Summary:
    return summarise(read_day(hand_made, MONDAY), REGISTRY)


@pytest.fixture(scope="module")
def empty(hand_made: Lake) -> Summary:
    return summarise(read_day(hand_made, EMPTY), REGISTRY)


class Elements(HTMLParser):
    """Collects what a browser would see: elements, attributes, text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.style = ""
        self._inside = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._inside = tag

    def handle_endtag(self, tag: str) -> None:
        self._inside = ""

    def handle_data(self, data: str) -> None:
        if self._inside == "style":
            self.style += data
        elif data.strip():
            self.texts.append(" ".join(data.split()))


def test_starts_with_what_one_would_say_at_a_standup(monday: Summary) -> None:
    assert render_markdown(monday).splitlines()[:6] == [
        "# Caselaw, Monday 2026-11-09 (UTC)",
        "",
        "An estimated 77.8 % of all conversations failed a check (36.0 to 95.6 %, n = 4).",
        "10 conversations came in, 4 were drawn, 4 graded.",
        "3 findings: 1 promoted, 1 for review, 1 rejected.",
        "2 failure modes are new; the largest, “half of the question unanswered”, hit an estimated "
        "4 conversations (1.2 to 7.3, n = 4).",
    ]


def test_both_pages_say_the_same_numbers(monday: Summary) -> None:
    html = " ".join(Elements(render_html(monday)).texts)
    markdown = render_markdown(monday)
    for said in ("77.8 %", "36.0 to 95.6 %", "55.6 %", "25.0 %", "m-half", "m-json", "a3",
                 "malformed_json", "clock_skew", "12 labels, 30 are needed",
                 "untrusted",
                 "only an untrusted judge says so", "embedded-test", "$0.50",
                 "Wilson at the effective n", "opted out: 2"):  # fmt: skip
        assert said in html, said
        assert said in markdown, said


def test_where_all_were_looked_at_nothing_is_called_an_estimate(monday: Summary) -> None:
    sure = monday.frame.with_columns(low=pl.col("value"), high=pl.col("value"))
    summary = replace(monday, frame=sure)
    told = render_markdown(summary)
    assert "\n77.8 % of all conversations failed a check (exact, n = 4).\n" in told
    assert "hit 4 conversations (exact, n = 4).\n" in told
    assert "   4 conversations (exact, n = 4)" in told
    assert "estimated" not in told.partition("\n---\n")[0]
    assert "77.8 % of all conversations failed a check (exact, n = 4)" in render_html(summary)


def test_the_table_fits_a_terminal(monday: Summary) -> None:
    lines = [line for line in render_markdown(monday).splitlines() if line.startswith("|")]
    assert max(map(len, lines)) <= 80


def test_a_rate_never_stands_alone(monday: Summary) -> None:
    # In the table each rate has its interval and n; below it stand estimator, weights and judge.
    lines = [line for line in render_markdown(monday).splitlines() if line.startswith("| ")]
    assert [re.split(r" *\| *", line)[1:5] for line in lines[1:]] == [
        ["any", "77.8 %", "36.0 to 95.6 %", "4"],
        ["helpfulness", "55.6 %", "20.4 to 85.9 %", "4"],
        ["contract", "25.0 %", "5.0 to 67.8 %", "4"],
    ]
    assert "weights 1/inclusion_probability" in render_markdown(monday)


def test_an_empty_day_says_no_traces(empty: Summary) -> None:
    assert "No traces came in." in render_markdown(empty)
    assert "No traces came in." in render_html(empty)
    of_the_day, _, of_the_week = render_markdown(empty).partition("---")[0].partition("## Week by")
    rates = [line for line in of_the_day.splitlines() if "%" in line]
    assert all("of last week's conversations" in line for line in rates)
    assert "%" not in of_the_week.partition("## Decisions")[2]


def test_what_last_week_made_worse_stands_in_the_page(monday: Summary) -> None:
    for page in (render_markdown(monday), render_html(monday)):
        said = " ".join(page.split())
        assert "By last week, 1 failure mode came back after a fix, 1 measure creeps up." in said
        assert "Back again after a fix" in said
        assert "Refund with the wrong tool: failed again from 2026-11-03 on release r0" in said
        assert "intent/refund/turns, now 5" in said
        assert "up by 40 % over 8 weeks (q = 0.01; 90 % of the rise where no check failed)" in said


def test_what_came_of_it_stands_beside_what_creeps_up(hand_made: Lake) -> None:
    day = read_day(hand_made, MONDAY)
    row = {"check": "slow_failure_turns", "intent": "refund", "release": "r1"}
    shown = [row | {"decision": d} for d in ("promoted", "review", "review")]
    other = row | {"intent": "order_status", "decision": "promoted"}
    decisions = frame(PROMOTED_CASES, [*shown, other])
    facts = life_facts(replace(day, decisions=decisions))
    (told,) = (fact for fact in facts if fact.metric == "slow_failure")
    assert told.label.endswith("; of its conversations today 1 promoted, 2 for review")
    counts = {fact.slice: fact.value for fact in facts if fact.metric == "slow_decided"}
    assert counts == {"intent/refund/turns/promoted": 1, "intent/refund/turns/review": 2}
    assert day.slow_before is not None
    release = day.slow_before.with_columns(scope=pl.lit("release"), subject=pl.lit("r1"))
    both = pl.concat([day.slow_before, release])
    of_both = life_facts(replace(day, decisions=decisions, slow_before=both))
    counts = {f.slice: f.value for f in of_both if f.metric == "slow_decided"}
    # what the intent explains is not counted for the release again
    assert counts["release/r1/turns/promoted"] == 1
    assert "release/r1/turns/review" not in counts


def test_nothing_remote_no_script_and_a_strict_policy(monday: Summary) -> None:
    page = Elements(render_html(monday))
    names = {tag for tag, _ in page.tags}
    assert not names & {"script", "img", "link", "iframe", "object", "form", "a", "base"}
    for _, attributes in page.tags:
        assert not {"style", "href", "src"} & set(attributes)
        assert not any(name.startswith("on") for name in attributes)
    policy = next(
        attributes["content"] or ""
        for tag, attributes in page.tags
        if tag == "meta" and attributes.get("http-equiv") == "Content-Security-Policy"
    )
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in policy
    hashed = base64.b64encode(hashlib.sha256(page.style.encode()).digest()).decode()
    assert f"'sha256-{hashed}'" in policy  # so a browser applies exactly our style
    assert "url(" not in page.style
    assert "@import" not in page.style


def test_a_hostile_label_stays_text(monday: Summary) -> None:
    spoiled = monday.frame.with_columns(
        label=pl.lit(HOSTILE), example=pl.lit(HOSTILE), judge_id=pl.lit(HOSTILE)
    )
    html = render_html(replace(monday, frame=spoiled))
    assert {tag for tag, _ in Elements(html).tags} == {
        tag for tag, _ in Elements(render_html(monday)).tags
    } | {"code"}
    assert "<img" not in html
    for page in (html, render_markdown(replace(monday, frame=spoiled))):
        assert "\x1b" not in page
        assert "\u202e" not in page
        assert "evil\nline" not in page


def test_what_was_paid_is_said_only_where_it_is_known(monday: Summary) -> None:
    assert "really paid" not in render_markdown(monday)
    paid = Paid(calls=3, cached=1, unfinished=1, paid_usd=1.25, uncached_usd=1.5)
    for page in (render_markdown(monday, paid), " ".join(render_html(monday, paid).split())):
        assert "as if nothing were cached: $1.50; really paid: $1.25 for 3 calls" in page
        assert "1 answer from the cache, 1 call unfinished" in page


def test_pages_are_written_whole_and_the_same_twice(monday: Summary, place: DataDir) -> None:
    html, markdown = write_pages(place, monday)
    assert html == place.reports / "day=2026-11-09" / "summary.html"
    first = html.read_bytes(), markdown.read_bytes()
    assert first == (render_html(monday).encode(), render_markdown(monday).encode())
    write_pages(place, monday)
    assert (html.read_bytes(), markdown.read_bytes()) == first
    assert sorted(path.name for path in html.parent.iterdir()) == ["summary.html", "summary.md"]


def test_the_page_needs_the_figures_alone(monday: Summary, lake: Lake) -> None:
    lake.publish(RUN_SUMMARIES, MONDAY, monday.frame, Provenance(monday.counts))
    again = Summary(MONDAY, lake.read(RUN_SUMMARIES, MONDAY), monday.counts)
    assert render_html(again) == render_html(monday)


@pytest.mark.parametrize(
    ("value", "written"),
    [(None, "–"), (0, "0"), (3.0, "3"), (3.26, "3.3"), (1204.4, "1,204")],
)
def test_amounts(value: float | None, written: str) -> None:
    assert amount(value) == written


def test_money_and_plurals() -> None:
    assert [money(x) for x in (None, 0.0, 0.0123, 12.5)] == ["–", "$0.00", "$0.0123", "$12.50"]
    assert plural(1, "case") == "1 case"
    assert plural(2, "case") == "2 cases"


def test_plain_cuts_and_cleans() -> None:
    assert plain("a\x00\n b\u200bc") == "a b c"
    assert len(plain("x" * 500)) == 160


def test_a_table_lines_up_as_plain_text() -> None:
    assert table(["a", "long"], [["1|2", "x"]]).splitlines() == [
        "| a    | long |",
        "|------|------|",
        "| 1\\|2 | x    |",
    ]


def test_the_page_names_what_last_weeks_users_came_for_that_nobody_planned(
    monday: Summary,
) -> None:
    said = "about something nobody planned for: customs, duty (rising, first seen on 2026-11-03)"
    shown = render_markdown(monday)
    assert "4.0 % of last week's conversations (2.0 to 7.0 %, n = 200)" in shown
    assert said in shown
    assert said in render_html(monday)
