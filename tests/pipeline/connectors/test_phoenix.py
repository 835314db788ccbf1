"""Phoenix: spans by cursor, and what was said of them; `make test-phoenix` asks the real one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import orjson
import pytest

from pipeline.connectors import Api, ApiError, Limits, Platform, Window, pull
from pipeline.connectors.phoenix import PhoenixFilters, authorization, plan
from tests.pipeline.connectors.platform_server import Answer, Asked, Server

START = datetime(2026, 11, 1, tzinfo=UTC)
DAY = Window(START, START + timedelta(days=1))
SPANS = [
    {
        "id": f"U3Bhbjo{n}",
        "name": "chat",
        "context": {"trace_id": f"{n // 2:032x}", "span_id": f"{n:016x}"},
        "span_kind": "LLM" if n % 2 else "AGENT",
        "parent_id": f"{n - 1:016x}" if n % 2 else None,
        "start_time": (START + timedelta(seconds=n)).isoformat(),
        "end_time": (START + timedelta(seconds=n + 1)).isoformat(),
        "attributes": {"input.value": "hello", "llm.token_count.prompt": 3, "session.id": "s-1"},
    }
    for n in range(1200)
]


def serve(server: Server, project: str = "default", *, annotations: bool = True) -> None:
    """The endpoints as documented, over SPANS; every 400th span has an annotation."""

    def spans(asked: Asked) -> Answer:
        low, high = asked.one("start_time"), asked.one("end_time")
        found = [span for span in SPANS[::-1] if low <= span["start_time"] < high]
        after, limit = int(asked.one("cursor", "0")), int(asked.one("limit"))
        following = str(after + limit) if after + limit < len(found) else None
        return Answer({"data": found[after : after + limit], "next_cursor": following})

    def said_of(ids: str):
        def route(asked: Asked) -> Answer:
            if len(asked.params[ids]) > 1000:
                return Answer({"detail": "Too many"}, 422)
            found = [{"id": f"{ids}{one}", "name": "good", "annotator_kind": "HUMAN",
                      "result": {"score": 1}} for one in asked.params[ids]
                     if int(one, 16) % 400 == 0]  # fmt: skip
            return Answer({"data": found, "next_cursor": None})

        return route

    root = f"/v1/projects/{project}"
    server.routes[f"{root}/spans"] = spans
    if annotations:
        server.routes[f"{root}/span_annotations"] = said_of("span_ids")
        server.routes[f"{root}/trace_annotations"] = said_of("trace_ids")


@pytest.fixture
def run(place, server):
    """Pulls; returns whether all is there, and what was said."""

    def go(**filters):
        chosen = PhoenixFilters(**filters)
        api = Api(server.url, authorization("px-1"), "PHOENIX_API_KEY",
                  Limits(interval=0), sleep=lambda _seconds: None)  # fmt: skip
        said: list[str] = []
        try:
            platform = Platform("phoenix", (chosen.project,), plan(chosen))
            return pull(place, api, platform, DAY, said.append), said
        finally:
            api.close()

    return go


def test_spans_and_what_was_said_of_them(server, place, run):
    serve(server)
    whole, said = run()
    assert whole
    assert [line for line in said if "got" in line] == [
        "spans: got 1,200 of an unknown total, truncated: no",
        "span_annotations: got 3 of an unknown total, truncated: no",  # spans 0, 400, 800
        "trace_annotations: got 2 of an unknown total, truncated: no",  # traces 0, 400
    ]
    assert "session_annotations: this server does not offer them" in said
    assert len(server.paths("/v1/projects/default/spans")) == 3
    # 1,200 ids, a hundred a request: the URL stays short.
    assert len(server.paths("/v1/projects/default/span_annotations")) == 12
    assert server.asked[0].headers["Authorization"] == "Bearer px-1"
    files = list((place.landing / "pulled" / "phoenix").glob("spans-*.jsonl"))
    rows = [orjson.loads(line) for file in files for line in file.read_bytes().splitlines()]
    assert sorted(row["id"] for row in rows) == sorted(span["id"] for span in SPANS)


def test_the_share_of_fields(server, run):
    serve(server)
    _, said = run()
    line = "input 100 %, output 0 %, model 0 %, tokens 100 %, cost 0 %, session 100 %, user 0 %"
    assert f"  spans: {line}" in said
    assert "  No output: answers cannot be graded" in said


def test_a_name_with_odd_characters_is_one_step_of_the_path(server, run):
    serve(server, "my%20project")
    run(project="my project", attributes=("session.id:s-1",), span_kinds=("llm",), roots_only=True)
    asked = server.asked[0]
    assert asked.path == "/v1/projects/my%20project/spans"
    assert asked.params["attribute"] == ["session.id:s-1"]
    assert asked.params["span_kind"] == ["LLM"]
    assert asked.params["parent_id"] == ["null"]


def test_a_project_that_is_not_there_ends_the_pull(server, run):
    serve(server)
    with pytest.raises(ApiError, match=r"/v1/projects/other/spans: not there \(HTTP 404\)"):
        run(project="other")
