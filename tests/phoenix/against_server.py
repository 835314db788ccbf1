"""`caselaw pull phoenix` against a real Phoenix server; run by `make test-phoenix`, not by `test`.

The server is installed into an environment of its own. Spans come from the OpenTelemetry SDK, the
annotations by Phoenix's own API.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import orjson
import pytest
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

PHOENIX = Path(__file__).resolve().parents[2] / ".venv-phoenix" / "bin" / "phoenix"
TRACES = 700  # of two spans each: more than one page of 500
PROJECT = "support agent"


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Phoenix server with a database of its own."""
    folder = tmp_path_factory.mktemp("phoenix")
    port, grpc_port = free_port(), free_port()
    environment = {
        **os.environ,
        "PHOENIX_WORKING_DIR": str(folder),
        "PHOENIX_HOST": "127.0.0.1",
        "PHOENIX_PORT": str(port),
        "PHOENIX_GRPC_PORT": str(grpc_port),
        "PHOENIX_TELEMETRY_ENABLED": "false",
    }
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [PHOENIX, "serve"], env=environment, cwd=folder, stdout=log, stderr=subprocess.STDOUT
        )
    try:
        address = f"http://127.0.0.1:{port}"
        wait_for(lambda: answers(f"{address}/healthz"), 120)
        yield address
    finally:
        process.terminate()
        process.wait(30)


@pytest.fixture(scope="module")
def sent(url: str) -> list[str]:
    """The ids of spans that the SDK sent, once Phoenix has stored them, with two annotations."""
    resource = Resource({"openinference.project.name": PROJECT, "service.name": "support"})
    provider = TracerProvider(resource=resource)
    exporter = OTLPSpanExporter(f"{url}/v1/traces")
    provider.add_span_processor(BatchSpanProcessor(exporter, max_queue_size=4 * TRACES))
    tracer = provider.get_tracer("agent")
    ids, traces = [], []
    for number in range(TRACES):
        with tracer.start_as_current_span("agent") as agent:
            agent.set_attribute("openinference.span.kind", "AGENT")
            agent.set_attribute("session.id", f"session-{number // 2}")
            with tracer.start_as_current_span("chat") as chat:
                chat.set_attributes({
                    "openinference.span.kind": "LLM",
                    "llm.model_name": "small-model",
                    "llm.input_messages.0.message.role": "user",
                    "llm.input_messages.0.message.content": f"Grüße {number} 👋",
                    "llm.output_messages.0.message.role": "assistant",
                    "llm.output_messages.0.message.content": "Hello!",
                    "llm.token_count.prompt": 7,
                    "llm.token_count.completion": 2,
                })  # fmt: skip
        for span in (agent, chat):
            ids.append(f"{span.get_span_context().span_id:016x}")
        traces.append(f"{agent.get_span_context().trace_id:032x}")
    provider.shutdown()
    root = f"{url}/v1/projects/{PROJECT}"
    wait_for(lambda: count(f"{root}/spans") == 2 * TRACES, 120)
    verdict = {"name": "helpful", "annotator_kind": "HUMAN",
               "result": {"label": "no", "score": 0, "explanation": "wrong order"}}  # fmt: skip
    for kind, target in (("span", ids[1]), ("trace", traces[0])):
        said = {"data": [{**verdict, f"{kind}_id": target}]}
        answer = httpx.post(f"{url}/v1/{kind}_annotations?sync=true", json=said)
        answer.raise_for_status()
    return ids


def test_a_pull_lands_every_span_and_annotation(url: str, sent: list[str], tmp_path: Path) -> None:
    out = pull(url, tmp_path)
    assert f"spans: got {2 * TRACES:,} of an unknown total, truncated: no" in out
    assert "span_annotations: got 1 of an unknown total, truncated: no" in out
    assert "trace_annotations: got 1 of an unknown total, truncated: no" in out
    assert "session_annotations: got 0 of an unknown total, truncated: no" in out
    # The LLM spans have content and tokens, and no cost; the roots a session, and no user.
    share = "input 100 %, output 100 %, model 100 %, tokens 100 %, cost 0 %, session 100 %"
    assert f"  spans: {share}, user 0 %" in out
    rows = landed(tmp_path, "spans")
    assert sorted(row["context"]["span_id"] for row in rows) == sorted(sent)
    [annotation] = landed(tmp_path, "span_annotations")
    assert (annotation["span_id"], annotation["result"]["label"]) == (sent[1], "no")


def test_what_landed_is_read_as_phoenix_spans(url: str, sent: list[str], tmp_path: Path) -> None:
    from pipeline.ingest.readers import choose_reader
    from pipeline.ingest.records import Event, Span
    from pipeline.ingest.source import Source

    pull(url, tmp_path)
    records = []
    for file in sorted((tmp_path / "landing" / "pulled" / "phoenix").iterdir()):
        reader = choose_reader(Source(file))
        assert reader is not None
        assert reader.name == "phoenix"
        records += reader.read(Source(file))
    spans = {one.span_id: one for one in records if isinstance(one, Span)}
    assert sorted(spans) == sorted(sent)
    assert len(records) == len(spans) + 2
    chat = spans[sent[1]]
    assert chat.parent_id == sent[0]
    assert chat.attributes["llm.input_messages.0.message.content"] == "Grüße 0 👋"
    events = [one for one in records if isinstance(one, Event)]
    assert {one.attributes["gen_ai.evaluation.score.label"] for one in events} == {"no"}
    assert {one.attributes["caselaw.score.source"] for one in events} == {"human"}


def test_filters_reach_the_server(url: str, sent: list[str], tmp_path: Path) -> None:
    out = pull(url, tmp_path, "--span-kind", "agent", "--attribute", "session.id:session-3")
    assert "spans: got 2 of an unknown total" in out  # a session is two traces of one such span


def test_an_exported_dataset_is_uploaded_and_again_updates_in_place(url: str) -> None:
    """`caselaw export phoenix`: ids, splits and hostile texts as they were, never twice."""
    from tests.pipeline.exports.reading import cases_of, exported
    from tests.pipeline.exports.toy import toy_suite

    cases = cases_of(toy_suite(20))
    for change in ("Kind.", "Very kind."):
        changed = [*cases[:-1], replace(cases[-1], body={**cases[-1].body, "expected": change})]
        body = exported("phoenix", changed)["dataset.json"]
        head = {"Content-Type": "application/json"}
        answer = httpx.post(
            f"{url}/v1/datasets/upload?sync=true", content=body, headers=head, timeout=60
        )
        answer.raise_for_status()
    [dataset] = httpx.get(f"{url}/v1/datasets").json()["data"]
    assert (dataset["name"], dataset["example_count"]) == ("toys", len(cases))
    found = httpx.get(f"{url}/v1/datasets/{dataset['id']}/examples").json()["data"]["examples"]
    texts = {e["metadata"]["case_id"]: [m["content"] for m in e["input"]["messages"]]
             for e in found}  # fmt: skip
    assert texts == {case.case_id: [m.get("content") for m in case.messages] for case in cases}
    last = [e for e in found if e["metadata"]["case_id"] == cases[-1].case_id]
    assert [e["output"]["expected"] for e in last] == ["Very kind."]


def pull(url: str, data: Path, *arguments: str) -> str:
    """Run the command over yesterday, today and tomorrow; midnight may pass meanwhile."""
    today = datetime.now(UTC).date()
    first, last = today - timedelta(days=1), today + timedelta(days=1)
    done = subprocess.run(
        [sys.executable, "-c", "from pipeline.cli import main; main()", "--data", str(data),
         "pull", "phoenix", "--host", url, "--project", PROJECT,
         "--from", first.isoformat(), "--to", last.isoformat(), *arguments],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def landed(data: Path, stream: str) -> list[dict]:
    files = sorted((data / "landing" / "pulled" / "phoenix").glob(f"{stream}-2*.jsonl"))
    return [orjson.loads(line) for file in files for line in file.read_bytes().splitlines()]


def count(url: str) -> int:
    """How many spans Phoenix shows, up to two thousand."""
    found, cursor = 0, None
    while True:
        params = {"limit": 1000} | ({"cursor": cursor} if cursor else {})
        answer = httpx.get(url, params=params, timeout=30)
        body = answer.json() if answer.status_code == 200 else {"data": [], "next_cursor": None}
        found, cursor = found + len(body["data"]), body["next_cursor"]
        if not cursor:
            return found


def answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=2).status_code == 200
    except httpx.HTTPError:
        return False


def wait_for(true, seconds: float) -> None:
    until = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < until, "Phoenix did not get ready in time"
        time.sleep(0.3)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
