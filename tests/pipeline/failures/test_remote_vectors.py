"""Vectors from a real OpenAI-compatible server: asked for once, kept, and never half published."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import numpy as np
import pytest

from pipeline.failures import assign_modes
from pipeline.failures.remote_vectors import RemoteVectors, VectorsPending
from pipeline.registry import Registry, Settings
from tests.pipeline.failures.hand_made import frame, grade


class Provider:
    """Counts the letters of each text: a vector of 26, and whether it works at all."""

    def __init__(self) -> None:
        self.asked: list[list[str]] = []
        self.works = True
        self.url = ""
        self.says: list[Any] | None = None
        """Rows that it answers instead of counting."""

    def answer(self, texts: list[str]) -> bytes:
        rows: list[Any] = [[text.lower().count(chr(97 + n)) for n in range(26)] for text in texts]
        rows = rows if self.says is None else self.says
        data = [{"object": "embedding", "index": n, "embedding": row} for n, row in enumerate(rows)]
        usage = {"prompt_tokens": 1, "total_tokens": 1}
        body = {"object": "list", "data": data[::-1], "model": "letters-1", "usage": usage}
        return json.dumps(body).encode()


@pytest.fixture
def provider() -> Iterator[Provider]:
    found = Provider()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            found.asked.append(body["input"])
            raw = found.answer(body["input"]) if found.works else b"{}"
            self.send_response(200 if found.works else 500)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}).start()
    found.url = f"http://127.0.0.1:{server.server_port}/v1"
    yield found
    server.shutdown()
    server.server_close()


def test_each_text_is_asked_for_once_and_kept(provider, tmp_path):
    vectors = RemoteVectors("openai/letters-1", provider.url, tmp_path)
    first = vectors.embed(["abba", "", "cab", "abba"])
    # abba: a 2, b 2 of length sqrt(8)
    assert first[0, :3].tolist() == pytest.approx([0.707107, 0.707107, 0.0])
    assert not first[1].any()
    assert np.array_equal(first[0], first[3])
    assert provider.asked == [["abba", "cab"]]
    provider.works = False  # nobody is asked again
    again = RemoteVectors("openai/letters-1", provider.url, tmp_path).embed(["cab", "abba"])
    assert np.array_equal(again, first[[2, 0]])


def test_a_provider_that_is_down_leaves_the_partition_pending(provider, tmp_path):
    provider.works = False
    vectors = RemoteVectors("openai/letters-1", provider.url, tmp_path)
    with pytest.raises(VectorsPending, match=r"left 1 descriptions without a vector .*backfill"):
        vectors.embed(["a"])


@pytest.mark.parametrize(
    ("says", "why"),
    [
        ([[float("nan")] * 26] * 2, "no vectors"),
        ([[float("inf"), *[1.0] * 25]] * 2, "no vectors"),
        ([[0.0] * 26] * 2, "no vectors"),
        ([[], []], "no vectors"),
        ([[[1.0] * 13] * 2] * 2, "no vectors"),
        ([[1.0] * 26, [1.0] * 27], "several sizes"),
        ([[1.0] * 3] * 2, "several sizes"),
        ([[1.0] * 26], "1 vectors for 2"),
        (["<html>", "<html>"], "ValueError"),
    ],
)
def test_what_is_no_vector_is_not_kept_and_the_next_try_asks_again(provider, tmp_path, says, why):
    vectors = RemoteVectors("openai/letters-1", provider.url, tmp_path)
    vectors.embed(["cab"])
    provider.says = says
    with pytest.raises(VectorsPending, match=why):
        vectors.embed(["abba", "cab", "d"])
    provider.says = None
    assert np.isfinite(vectors.embed(["abba", "cab", "d"])).all()
    assert provider.asked == [["cab"], ["abba", "d"], ["abba", "d"]]


def test_large_numbers_have_a_direction_too(provider, tmp_path):
    provider.says = [[1e308, 1e308]]
    found = RemoteVectors("openai/letters-1", provider.url, tmp_path).embed(["a"])
    assert found[0].tolist() == pytest.approx([0.707107, 0.707107])


def test_another_model_or_server_is_another_identity(tmp_path):
    names = {
        RemoteVectors(model, base, tmp_path).identity
        for model in ("a", "b")
        for base in (None, "http://127.0.0.1:1/v1")
    }
    assert len(names) == 4


def test_failures_are_clustered_with_it_and_only_codes_of_ours_go_out(provider, tmp_path):
    vectors = RemoteVectors("openai/letters-1", provider.url, tmp_path)
    plain = Registry(Settings(), (), (), (), (), {})
    rows = frame([grade("a", reason="She lives in Oslo."), grade("b", error_class="no_answer")])
    assert assign_modes(rows, None, plain, vectors).frame.height == 2
    said = {text for texts in provider.asked for text in texts}
    assert said == {"missed part completeness", "no answer completeness", "track parcel"}
