"""Langfuse, both of its APIs, with everything that goes wrong while one pages."""

from __future__ import annotations

import stat
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import orjson
import pytest

from pipeline.connectors import Api, ApiError, Limits, Platform, Window, pull
from pipeline.connectors.langfuse import LangfuseFilters, authorization, plan
from tests.pipeline.connectors.langfuse_server import (
    START,
    Langfuse,
    observation,
    score,
    trace,
)
from tests.pipeline.connectors.platform_server import Answer

DAY = Window(START, START + timedelta(days=1))
NOW = datetime(2026, 11, 9, tzinfo=UTC)


@pytest.fixture
def project() -> Langfuse:
    """250 traces of one generation each, four minutes apart; every tenth has a score."""
    numbers = range(250)
    return Langfuse(
        [trace(n, 4 * n) for n in numbers],
        [observation(n, 4 * n) for n in numbers],
        [score(n, 4 * n + 2000) for n in numbers if n % 10 == 0],
    )


@pytest.fixture
def run(place, server):
    """Pulls; returns whether all is there, and what was said."""

    def go(window: Window = DAY, key: str = "sk-1", **filters):
        chosen = LangfuseFilters(**filters)
        api = Api(server.url, authorization("pk-1", key), "LANGFUSE_SECRET_KEY",
                  Limits(interval=0, timeout=5), sleep=lambda _seconds: None)  # fmt: skip
        said: list[str] = []
        try:
            platform = Platform("langfuse", (chosen,), plan(chosen, NOW))
            return pull(place, api, platform, window, said.append), said
        finally:
            api.close()

    return go


def landed(place, stream: str) -> list[str]:
    """The ids of a stream in landing, as often as they stand there."""
    files = (place.landing / "pulled" / "langfuse").glob(f"{stream}-*.jsonl")
    return sorted(
        orjson.loads(line)["id"] for file in files for line in file.read_bytes().splitlines()
    )


def test_a_server_v3_gives_traces_observations_and_scores(project, server, place, run):
    project.legacy(server)
    whole, said = run()
    assert whole
    assert [line for line in said if "got" in line] == [
        "traces: got 250 of 250, truncated: no",
        "observations: got 250 of 250, truncated: no",
        "scores: got 25 of 25, truncated: no",
    ]
    assert len(landed(place, "traces")) == len(set(landed(place, "observations"))) == 250
    # Scores come after the traces: those of a week after are pulled too.
    assert landed(place, "scores") == [f"score-{n:04}" for n in range(0, 250, 10)]
    assert [asked.one("limit") for asked in server.paths("/api/public/observations")] == ["100"] * 3


def test_langfuse_cloud_gives_observations_and_scores_by_cursor(project, server, place, run):
    project.current(server)
    whole, said = run()
    assert whole
    assert "observations: got 250 of an unknown total, truncated: no" in said
    assert len(landed(place, "observations")) == 250
    assert len(landed(place, "scores")) == 25
    asked = server.paths("/api/public/v2/observations")[-1]
    assert "trace_context" in asked.one("fields")


def test_files_are_the_apis_own_records_and_open_to_their_owner_alone(project, server, place, run):
    project.current(server)
    run()
    folder = place.landing / "pulled" / "langfuse"
    [file] = folder.glob("scores-2026-11-02-*.jsonl")
    assert orjson.loads(file.read_bytes().splitlines()[0]) in project.scores
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    everything = [p for p in place.root.rglob("*") if p.is_file()]
    assert not [path for path in everything if b"sk-1" in path.read_bytes()]


def test_the_fields_that_are_missing_are_said(project, server, run):
    for row in project.observations[:50]:
        row["usageDetails"] = {}
    project.legacy(server)
    _, said = run()
    assert "  traces: input 100 %, output 100 %, session 100 %, user 0 %" in said
    # 200 of 250 have tokens.
    assert "  observations: input 100 %, output 100 %, model 0 %, tokens 80 %, cost 0 %" in said
    assert "  No user: people cannot be told apart" in said


def test_a_page_of_more_than_5_mb_is_asked_for_in_smaller_pieces(project, server, place, run):
    """Langfuse Cloud refuses to answer with more than 5 MB."""
    for row in project.observations:
        row["input"] = "x" * 100_000
    project.legacy(server)
    honest = server.routes["/api/public/observations"]

    def refuse_large(asked):
        answer = honest(asked)
        return answer if len(orjson.dumps(answer.value)) < 5_000_000 else Answer("", 413)

    server.routes["/api/public/observations"] = refuse_large
    whole, said = run()
    assert whole
    assert len(set(landed(place, "observations"))) == 250
    # 100 and 50 records of 100 kB are too much; 25 are not: 10 pages of those.
    limits = [asked.one("limit") for asked in server.paths("/api/public/observations")]
    assert limits == ["100", "50", *["25"] * 10]
    assert "observations: got 250 of 250, truncated: no" in said


@pytest.mark.parametrize(("arrivals", "whole"), [(1, True), (9, False)])
def test_records_that_come_while_one_pages_are_looked_for_again(
    project, server, place, run, arrivals, whole
):
    """v3 lists the newest observations first: one that comes shifts all pages by one.

    The pass after finds one that came late. Where one comes in every pass, the third is the last.
    """
    project.legacy(server)
    late = [observation(900 + n, 1200 + n) for n in range(arrivals)]

    def arrive(asked):
        if asked.path == "/api/public/observations" and asked.one("page") == "2" and late:
            project.observations.append(late.pop())

    server.before = arrive
    found, said = run()
    ids = landed(place, "observations")
    assert found == whole
    assert len(ids) == len(set(ids)) == (251 if whole else 252)
    counted = next(line for line in said if line.startswith("observations: got"))
    assert ("251 of 251, truncated: no" if whole else "252 of 253, truncated: yes") in counted


def test_a_server_that_repeats_one_page_is_noticed(project, server, place, run):
    project.legacy(server)
    honest = server.routes["/api/public/traces"]
    server.routes["/api/public/traces"] = lambda asked: honest(
        replace(asked, params={**asked.params, "page": ["1"]})
    )
    whole, said = run()
    assert not whole
    # Three pages in each of three passes, of which the first one was new.
    assert "traces: got 100 of 250, truncated: yes, 800 given more than once" in said
    assert "  2026-11-01: the API tells of 250 and gave 100" in said
    assert len(landed(place, "traces")) == 100
    assert len(landed(place, "observations")) == 250, "the other streams are pulled all the same"


def test_ever_new_cursors_to_the_same_page_are_noticed(project, server, place, run):
    project.current(server)
    honest = server.routes["/api/public/v2/observations"]

    def stuck(asked):
        answer = honest(replace(asked, params={**asked.params, "cursor": [""]}))
        answer.value["meta"]["cursor"] = f"cursor {len(server.asked)}"
        return answer

    server.routes["/api/public/v2/observations"] = stuck
    whole, said = run()
    assert not whole
    assert "  2026-11-01: 3 pages in a row held nothing new" in said
    assert len(landed(place, "observations")) == 100


def test_a_circle_of_cursors_is_noticed(project, server, place, run):
    project.current(server)
    honest = server.routes["/api/public/v2/observations"]
    first: list[str] = []

    def circle(asked):
        answer = honest(asked)
        if asked.one("limit") == "100":  # and not the question which API there is
            first.append(answer.value["meta"]["cursor"])
            answer.value["meta"]["cursor"] = first[0]
        return answer

    server.routes["/api/public/v2/observations"] = circle
    whole, said = run()
    assert not whole
    assert "  2026-11-01: the API's pages go in a circle" in said
    assert len(landed(place, "observations")) == 200


def test_a_total_that_is_more_than_the_pages_hold_is_said(project, server, run):
    project.legacy(server)
    honest = server.routes["/api/public/traces"]

    def overstate(asked):
        answer = honest(asked)
        answer.value["meta"]["totalItems"] = 260
        return answer

    server.routes["/api/public/traces"] = overstate
    whole, said = run()
    assert not whole
    assert said[0].startswith("traces: got 250 of 260, truncated: yes")
    assert "  2026-11-01: the API tells of 260 and gave 250" in said


def test_a_pull_that_broke_goes_on_where_it_was(project, server, place, run):
    project.legacy(server)
    server.before = lambda asked: (
        server.faults.extend([Answer("", 503)] * 8)
        if asked.path == "/api/public/observations" and asked.one("page") == "2"
        else None
    )
    with pytest.raises(ApiError, match="HTTP 503, 8 times in a row"):
        run()
    assert len(landed(place, "observations")) == 100, "the first page is landed"
    server.before = lambda _asked: None
    server.faults.clear()
    server.asked.clear()

    whole, said = run()
    assert whole
    assert said[0] == "Going on where this pull stopped."
    assert server.paths("/api/public/traces") == [], "done streams are not fetched again"
    pages = [asked.one("page") for asked in server.paths("/api/public/observations")]
    assert pages == ["2", "3"]
    ids = landed(place, "observations")
    assert len(ids) == len(set(ids)) == 250
    assert "observations: got 250 of 250, truncated: no" in said


def test_the_same_window_again_adds_no_file_unless_something_changed(project, server, place, run):
    project.legacy(server)
    run()
    before = {path.name for path in (place.landing / "pulled").rglob("*.jsonl")}
    run()
    assert {path.name for path in (place.landing / "pulled").rglob("*.jsonl")} == before
    project.traces.clear()  # the platform's retention has passed
    run()
    assert {path.name for path in (place.landing / "pulled").rglob("*.jsonl")} == before
    assert len(landed(place, "traces")) == 250


def test_traces_are_chosen_on_the_server_and_what_belongs_to_them_comes_along(
    project, server, place, run
):
    for row in project.traces[:20]:
        row["tags"] = ["vip", "de"]
    project.legacy(server)
    _, said = run(tags=("vip", "de"), environments=("production",))
    asked = server.paths("/api/public/traces")[0]
    assert asked.params["tags"] == ["vip", "de"]
    assert asked.params["environment"] == ["production"]
    chosen = [f"obs-{n:04}" for n in range(20)]
    assert landed(place, "observations") == chosen
    assert landed(place, "scores") == ["score-0000", "score-0010"]
    assert "observations: got 250 of 250, truncated: no, 20 of them chosen" in said


def test_filters_of_the_current_api_carry_the_times_with_them(project, server, run):
    """There, `filter` takes the place of every plain parameter."""
    project.current(server)
    run(tags=("vip",), session="session-1")
    asked = server.paths("/api/public/v2/observations")[-1]
    conditions = {(c["column"], c["operator"], str(c["value"])) for c in
                  orjson.loads(asked.one("filter"))}  # fmt: skip
    assert conditions == {
        ("tags", "all of", "['vip']"),
        ("sessionId", "=", "session-1"),
        ("startTime", ">=", "2026-11-01T00:00:00.000Z"),
        ("startTime", "<", "2026-11-02T00:00:00.000Z"),
    }


def test_a_wrong_key_is_said_at_once(project, server, run):
    project.current(server)
    with pytest.raises(ApiError, match="does not accept the key of LANGFUSE_SECRET_KEY"):
        run(key="sk-2")
    assert len(server.asked) <= 2


def test_an_answer_of_another_shape_is_said_without_its_content(project, server, run):
    project.legacy(server)
    server.routes["/api/public/traces"] = lambda _asked: Answer({"items": ["private"]})
    with pytest.raises(ApiError, match="another shape than documented") as caught:
        run()
    assert "private" not in str(caught.value)


def test_rate_limits_of_the_free_plan_are_sat_out(project, server, run):
    project.legacy(server)
    server.faults = [Answer("", 404), *[Answer("", 429, {"Retry-After": "60"})] * 3]
    whole, _ = run()
    assert whole
