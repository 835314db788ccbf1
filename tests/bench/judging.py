"""Judge calls a second to a server on loopback, beside the default client of litellm alone."""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import re
import resource
import tempfile
import time
from multiprocessing.connection import Connection
from pathlib import Path

from pipeline.grading import Case, read_conversation
from pipeline.grading.examples import example_row
from pipeline.grading.judge.payload import write_payload
from pipeline.grading.judge.prompt import reply_schema, write_messages
from pipeline.grading.judge.remote import RemoteJudge
from pipeline.grading.judge.transport import load_litellm
from pipeline.registry import Axis
from pipeline.registry.rules import ExampleStep
from pipeline.registry.settings import Judge as JudgeSettings

__all__ = ["compare_judging"]

_AXES = ("helpfulness", "faithfulness", "completeness", "tone")
_CONCURRENCY = 128
_MARKER = re.compile(rb"DATA-[0-9a-f]{16}")
_LENGTH = re.compile(rb"content-length: (\d+)", re.IGNORECASE)
_RUBRIC = tuple(Axis(id=name, definition="It is met.", passes_when="So it is.") for name in _AXES)


class _Server(asyncio.Protocol):
    """Answers every request with a pass on all axes, as fast as one process can."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport, self._buffer = transport, b""

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while (end := self._buffer.find(b"\r\n\r\n")) >= 0:
            found = _LENGTH.search(self._buffer[:end])
            whole = end + 4 + (int(found[1]) if found else 0)
            if len(self._buffer) < whole:
                return
            self._answer(self._buffer[end + 4 : whole])
            self._buffer = self._buffer[whole:]

    def _answer(self, body: bytes) -> None:
        marker = _MARKER.search(body)
        verdicts = [
            {"axis": axis, "reasoning": "Seen.", "evidence": ["message:0"], "verdict": "pass",
             "score": 0.9, "code": "none"} for axis in _AXES
        ]  # fmt: skip
        content = {"marker": marker[0].decode() if marker else "", "verdicts": verdicts}
        message = {"role": "assistant", "content": json.dumps(content)}
        usage = {"prompt_tokens": 900, "completion_tokens": 90, "total_tokens": 990}
        reply = {"id": "c", "object": "chat.completion", "created": 1, "model": "judge-1",
                 "choices": [{"index": 0, "finish_reason": "stop", "message": message}],
                 "usage": usage}  # fmt: skip
        raw = json.dumps(reply).encode()
        head = f"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {len(raw)}"
        self._transport.write(f"{head}\r\n\r\n".encode() + raw)


def _serve(told: Connection) -> None:
    async def run() -> None:
        server = await asyncio.get_running_loop().create_server(_Server, "127.0.0.1", 0)
        told.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(run())


def _case(number: int) -> Case:
    steps = (
        ExampleStep(user=f"Where is order P-{number:08d}?"),
        ExampleStep(call="get_order", arguments={"order_id": number}, result={"eta": "12 May"}),
        ExampleStep(agent=f"It arrives on 12 May, as order {number} says."),
    )
    return Case(read_conversation(example_row(steps)), None)


async def _plain(url: str, cases: list[Case]) -> None:
    """The peer: the same prompts through litellm's default client, nothing read, nothing kept."""
    litellm, work = load_litellm(), iter(cases)
    form = {"name": "verdicts", "strict": True, "schema": reply_schema(_RUBRIC)}

    async def take() -> None:
        for case in work:
            messages = write_messages(
                write_payload(case).data, _RUBRIC, "DATA-0", again=False, datamarking=True
            )
            await litellm.acompletion(
                model="openai/judge-1", api_base=url, api_key="none", messages=messages,
                max_tokens=800, num_retries=0, max_retries=0,
                response_format={"type": "json_schema", "json_schema": form},
            )  # fmt: skip

    await asyncio.gather(*(take() for _ in range(_CONCURRENCY)))


def compare_judging(calls: int = 4_000) -> None:
    """Print calls a second of the whole judge (ledger and replies read) and of the bare client."""
    mine, theirs = multiprocessing.Pipe()
    context = multiprocessing.get_context("spawn")
    server = context.Process(target=_serve, args=(theirs,), daemon=True)
    server.start()
    url = f"http://127.0.0.1:{mine.recv()}/v1"
    settings = JudgeSettings.model_validate(
        {"engine": "litellm", "model": "openai/judge-1", "api_base": url,
         "concurrency": _CONCURRENCY, "input_usd_per_million": 0, "output_usd_per_million": 0}
    )  # fmt: skip
    try:
        with tempfile.TemporaryDirectory() as folder:
            judge = RemoteJudge(settings, _RUBRIC, Path(folder))
            judge.judge([_case(-1)])  # imports and the first connection are no part of it
            before = _memory()
            whole = _rate(calls, lambda cases: judge.judge(cases))
            grown = _memory() - before
        asyncio.run(_plain(url, [_case(-1)]))
        plain = _rate(calls, lambda cases: asyncio.run(_plain(url, cases)))
    finally:
        server.terminate()
        server.join()
    print(
        f"\n== judge through litellm, {calls} calls to a server on loopback, concurrency "
        f"{_CONCURRENCY} ==\n"
        f"the judge, answers read and kept: {whole:.0f} calls/s, memory grown by {grown:.0f} MB\n"
        f"litellm's default client alone:   {plain:.0f} calls/s\n"
        f"ratio: {whole / plain:.2f}"
    )


def _rate(calls: int, run: object) -> float:
    cases = [_case(number) for number in range(calls)]
    started = time.perf_counter()
    run(cases)  # type: ignore[operator]
    return calls / (time.perf_counter() - started)


def _memory() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
