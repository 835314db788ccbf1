"""LangSmith: runs by either version of its query, and the feedback of those that have any."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import orjson
import pytest

from pipeline.connectors import Api, ApiError, Limits, Platform, Window, pull
from pipeline.connectors.langsmith import LangSmithFilters, plan, root_of
from tests.pipeline.connectors.platform_server import Answer, Asked, Server

START = datetime(2026, 11, 1, tzinfo=UTC)
TWO_DAYS = Window(START, START + timedelta(days=2))
PROJECT = "5b8efff7-9803-4103-a269-b633813fc60c"
RUNS = [
    {
        "id": f"run-{n:03}",
        "trace_id": f"run-{n - n % 2:03}",
        "parent_run_id": f"run-{n - 1:03}" if n % 2 else None,
        "run_type": "llm" if n % 2 else "chain",
        "start_time": (START + timedelta(minutes=10 * n)).isoformat(),
        "inputs": {"question": "hello"},
        "outputs": {"answer": "hi"},
        "total_tokens": 12 if n % 2 else None,
        "extra": {"metadata": {"thread_id": "t-1"}},
        "feedback_stats": {"thumbs": {"n": 1}} if n % 100 == 0 else None,
    }
    for n in range(240)
]
FEEDBACK = [{"id": f"feedback-{n}", "run_id": f"run-{n:03}", "key": "thumbs", "score": 1.0,
             "feedback_source": {"type": "api"}} for n in (0, 100, 200)]  # fmt: skip


def serve(server: Server, *, first: bool = True, second: bool = True) -> None:
    """The endpoints as documented, over RUNS and FEEDBACK."""

    def between(low: str, high: str) -> list[dict]:
        return [run for run in RUNS if low <= run["start_time"] < high]

    def query(asked: Asked) -> Answer:
        assert asked.headers["x-api-key"] == "ls-1"
        assert asked.body["session"] == [PROJECT]
        low = asked.body["start_time"]
        high = (datetime.fromisoformat(low) + timedelta(days=1)).isoformat()
        after, limit = int(asked.body.get("cursor", 0)), asked.body["limit"]
        found = between(low, high)
        following = str(after + limit) if after + limit < len(found) else None
        return Answer({"runs": found[after : after + limit], "cursors": {"next": following}})

    def query_v2(asked: Asked) -> Answer:
        assert asked.body["project_ids"] == [PROJECT]
        found = between(asked.body["min_start_time"], asked.body["max_start_time"])
        after, limit = int(asked.body.get("cursor", 0)), asked.body["page_size"]
        body = {"items": found[after : after + limit]}
        if after + limit < len(found):
            body["next_cursor"] = str(after + limit)
        return Answer(body)

    def sessions(asked: Asked) -> Answer:
        return Answer([{"id": PROJECT}] if asked.one("name") == "support" else [])

    def feedback(asked: Asked) -> Answer:
        found = [one for one in FEEDBACK if one["run_id"] in asked.params["run"]]
        offset, limit = int(asked.one("offset")), int(asked.one("limit"))
        return Answer(found[offset : offset + limit])

    server.routes["/api/v1/sessions"] = sessions
    server.routes["/api/v1/feedback"] = feedback
    if first:
        server.routes["/api/v1/runs/query"] = query
    if second:
        server.routes["/api/v2/runs/query"] = query_v2


@pytest.fixture
def run(place, server):
    """Pulls; returns whether all is there, and what was said."""

    def go(project: str = "support", **filters):
        chosen = LangSmithFilters(project, **filters)
        api = Api(server.url, {"x-api-key": "ls-1"}, "LANGSMITH_API_KEY",
                  Limits(interval=0), sleep=lambda _seconds: None)  # fmt: skip
        said: list[str] = []
        try:
            platform = Platform("langsmith", (project,), plan(chosen))
            return pull(place, api, platform, TWO_DAYS, said.append), said
        finally:
            api.close()

    return go


def landed(place, stream: str) -> list[str]:
    files = (place.landing / "pulled" / "langsmith").glob(f"{stream}-*.jsonl")
    return sorted(
        orjson.loads(line)["id"] for file in files for line in file.read_bytes().splitlines()
    )


@pytest.mark.parametrize("versions", [{"second": False}, {"first": False}, {}])
def test_runs_and_feedback_come_by_whichever_version_there_is(server, place, run, versions):
    serve(server, **versions)
    whole, said = run()
    assert whole
    # 144 runs on the first day, 96 on the second.
    assert "runs: got 240 of an unknown total, truncated: no" in said
    assert "feedback: got 3 of an unknown total, truncated: no" in said
    assert landed(place, "runs") == [one["id"] for one in RUNS]
    assert landed(place, "feedback") == [one["id"] for one in FEEDBACK]
    asked = server.paths("/api/v1/feedback")
    assert [one.params["run"] for one in asked] == [["run-000", "run-100", "run-200"]]


def test_a_second_version_that_alone_is_open_answers_501_on_the_first(server, place, run):
    serve(server)
    server.routes["/api/v1/runs/query"] = lambda _asked: Answer({"detail": "disabled"}, 501)
    assert run()[0]
    assert len(landed(place, "runs")) == 240


def test_whole_traces_are_chosen_by_their_root(server, run):
    serve(server)
    run(tags=("vip",), name='the "agent"', session="t-1", filter="gt(latency, 5)")
    body = server.paths("/api/v1/runs/query")[-1].body
    assert body["trace_filter"] == (
        'and(has(tags, "vip"), eq(name, "the \\"agent\\""), '
        'in(metadata_key, ["session_id", "conversation_id", "thread_id"]), '
        'eq(metadata_value, "t-1"))'
    )
    assert body["filter"] == (
        'and(gte(start_time, "2026-11-02T00:00:00+00:00"), '
        'lt(start_time, "2026-11-03T00:00:00+00:00"), gt(latency, 5))'
    )
    assert body["select"][:2] == ["id", "name"]


def test_a_project_that_is_not_there_is_said(server, run):
    serve(server)
    with pytest.raises(ApiError, match="no project 'other' that this key can see"):
        run("other")


def test_a_project_may_be_given_by_its_id(server, run):
    serve(server)
    assert run(PROJECT)[0]
    assert server.paths("/api/v1/sessions") == []


def test_what_is_missing_is_said(server, run):
    serve(server)
    _, said = run()
    line = "input 100 %, output 100 %, model 0 %, tokens 100 %, cost 0 %, session 100 %, user 0 %"
    assert f"  runs: {line}" in said


@pytest.mark.parametrize(
    ("endpoint", "root"),
    [
        ("https://api.smith.langchain.com", "https://api.smith.langchain.com"),
        ("https://example.com/langsmith/api/v1", "https://example.com/langsmith"),
        ("https://example.com/api/", "https://example.com"),
    ],
)
def test_endpoints_are_taken_as_the_sdk_takes_them(endpoint, root):
    assert root_of(endpoint) == root
