"""What a pull lands is what the readers of that platform read."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from pipeline.connectors import Api, Limits, Platform, Window, pull
from pipeline.connectors.langfuse import LangfuseFilters, authorization, plan
from pipeline.ingest.readers import choose_reader
from pipeline.ingest.records import Event, Malformed, Span
from pipeline.ingest.source import Source
from tests.pipeline.connectors.langfuse_server import START, Langfuse, observation, score, trace


@pytest.mark.parametrize("current", [True, False])
def test_both_apis_of_langfuse_give_the_same_spans_and_scores(place, server, current):
    project = Langfuse([trace(1, 5)], [observation(1, 5)], [score(1, 9)])
    if current:
        # The rows of today's API know their trace, and say of what a score is.
        project.observations[0] |= {"traceName": "chat", "sessionId": "session-1", "tags": []}
        about = {"kind": "observation", "id": "obs-0001", "traceId": "trace-0001"}
        project.scores = [score(1, 9, subject=about, value=True, dataType="BOOLEAN")]
        del project.scores[0]["traceId"]
        project.current(server)
    else:
        project.legacy(server)
    chosen = LangfuseFilters()
    api = Api(server.url, authorization("pk-1", "sk-1"), "K", Limits(interval=0))
    window = Window(START, START + timedelta(days=1))
    platform = Platform("langfuse", (), plan(chosen, datetime(2026, 11, 9, tzinfo=UTC)))
    assert pull(place, api, platform, window, lambda _line: None)
    api.close()

    records = []
    for file in sorted((place.landing / "pulled" / "langfuse").iterdir()):
        reader = choose_reader(Source(file))
        assert reader is not None
        assert reader.name.startswith("langfuse"), file.name
        records += reader.read(Source(file))
    assert not [one for one in records if isinstance(one, Malformed)]
    spans = [one for one in records if isinstance(one, Span) and not one.envelope]
    assert [(one.trace_id, one.span_id) for one in spans] == [("trace-0001", "obs-0001")]
    [event] = [one for one in records if isinstance(one, Event)]
    assert (event.trace_id, event.attributes["gen_ai.evaluation.name"]) == ("trace-0001", "thumbs")
