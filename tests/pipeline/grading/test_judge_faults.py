"""Providers and ledgers that go wrong in ways that money, verdicts or logs could suffer from."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import sleep
from typing import Any

import pytest

from pipeline.grading import PendingCalls
from pipeline.grading.judge.remote import RemoteJudge
from pipeline.grading.ledger import CallRecord, Ledger, LedgerBroken, Limits
from tests.pipeline.grading.judge_cases import RUBRIC, cases, good, outcomes, settings
from tests.pipeline.grading.judge_server import Answer, Request, serve, verdicts

MOST = 0.03704
"""USD that a call of these settings may cost at most, within a tenth of a cent: by its bytes."""


def message(**parts: Any) -> dict[str, Any]:
    """A reply whose one message is made of `parts`."""
    choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", **parts}}
    return {"choices": [choice]}


CALL = {"id": "1", "type": "function", "function": {"name": "f", "arguments": "{}"}}


@pytest.mark.parametrize(
    "wait", [None, "-5", "nan", "soon", "Wed, 21 Oct 2015 07:28:00 GMT"], ids=repr
)
def test_a_rate_limit_without_a_wait_that_makes_sense_is_tried_again(
    tmp_path: Path, wait: str | None
) -> None:
    def script(number: int, request: Request) -> Answer:
        limited = Answer(status=429, headers={"Retry-After": wait} if wait else {})
        return limited if number == 0 else good(request)

    with serve(script) as server:
        [judged] = RemoteJudge(settings(server.url), RUBRIC, tmp_path).judge(cases())
    assert {one.verdict for one in judged} == {"pass"}


@pytest.mark.parametrize("wait", ["999999", "inf", "Wed, 21 Oct 2099 07:28:00 GMT"])
def test_a_wait_of_hours_is_not_waited_for_and_the_reason_is_told(
    tmp_path: Path, wait: str
) -> None:
    with serve(lambda *_: Answer(status=429, headers={"Retry-After": wait})) as server:
        with pytest.raises(PendingCalls, match=r"pending: 1 \(the provider .*: rate_limited\)"):
            RemoteJudge(settings(server.url), RUBRIC, tmp_path).judge(cases())
        assert len(server.requests) == 1
    assert outcomes(tmp_path) == [("rate_limited", 0.0)]


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (lambda r: Answer(content="x" * 10_000_000), "unparsable"),
        (lambda r: Answer(content=verdicts(r) * 2), "unparsable"),
        (lambda r: Answer(content=verdicts(r, tone={"score": float("nan")})), "unparsable"),
        (lambda r: Answer(content=verdicts(r).replace("0.9", "1e999")), "off_schema"),
        (lambda r: Answer(content=verdicts(r, tone={"evidence": ["message:99"]})), "bad_evidence"),
        (lambda r: Answer(content=verdicts(r, tone={"evidence": [0]})), "off_schema"),
        (lambda r: Answer(content=verdicts(r, tone={"reasoning": "\ud800"})), "unparsable"),
        (lambda r: Answer(body=message(content=None, tool_calls=[CALL])), "refused"),
    ],
)
def test_a_reply_that_says_nothing_usable_is_an_error(
    tmp_path: Path, answer: Callable[[Request], Answer], code: str
) -> None:
    with serve(lambda _, request: answer(request)) as server:
        [judged] = RemoteJudge(settings(server.url), RUBRIC, tmp_path).judge(cases())
    assert {(one.verdict, one.error_class) for one in judged} == {("error", code)}


@pytest.mark.parametrize(
    "broken",
    [
        Answer(raw=b"<html>down for maintenance</html>"),
        Answer(raw=b"null"),
        Answer(raw=b""),
        Answer(body={"choices": []}),
        Answer(body={"choices": None}),
        Answer(body=message(content=[{"type": "text", "text": "SECRET of the trace"}])),
        Answer(status=302, headers={"Location": "http://127.0.0.1:9/"}),
    ],
)
def test_what_is_no_reply_leaves_the_call_pending_and_prints_nothing(
    tmp_path: Path, broken: Answer, capfd: pytest.CaptureFixture[str]
) -> None:
    with serve(lambda *_: broken) as server, pytest.raises(PendingCalls):
        RemoteJudge(settings(server.url), RUBRIC, tmp_path).judge(cases())
    assert capfd.readouterr() == ("", "")


def test_a_finish_reason_nobody_knows_is_not_printed(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    odd = lambda _, request: Answer(content=verdicts(request), finish_reason="banana")  # noqa: E731
    with serve(odd) as server:
        RemoteJudge(settings(server.url), RUBRIC, tmp_path).judge(cases())
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("body", [{"model": {"a": 1}}, {"system_fingerprint": ["b"]}])
def test_a_model_that_is_no_name_is_none(tmp_path: Path, body: dict[str, Any]) -> None:
    with serve(lambda _, request: Answer(content=verdicts(request), body=body)) as server:
        [judged] = RemoteJudge(settings(server.url), RUBRIC, tmp_path).judge(cases())
    assert {one.verdict for one in judged} == {"pass"}
    assert outcomes(tmp_path) == [("answered", pytest.approx(0.012))]


def test_a_provider_cannot_give_budget_back(tmp_path: Path) -> None:
    negative = lambda _, r: Answer(content=verdicts(r), usage=(-1_000_000, -5))  # noqa: E731
    with serve(negative) as server:
        RemoteJudge(settings(server.url), RUBRIC, tmp_path).judge(cases())
    assert outcomes(tmp_path) == [("answered", pytest.approx(MOST, abs=0.01))]


def test_every_try_that_times_out_counts_in_full(tmp_path: Path) -> None:
    """A provider bills what it has answered, whether or not somebody was still listening."""

    def script(number: int, request: Request) -> Answer:
        return Answer(delay=3) if number < 2 else good(request)

    with serve(script) as server:
        patient = settings(server.url, timeout_seconds=0.5, attempts=9)
        RemoteJudge(patient, RUBRIC, tmp_path).judge(cases())
        lost = len(server.requests) - 1  # two, or more where the machine is busy
    [(outcome, usd)] = outcomes(tmp_path)
    assert outcome == "answered"
    assert usd == pytest.approx(0.012 + lost * MOST, abs=0.01 * lost)


def test_a_reply_that_drips_times_out(tmp_path: Path) -> None:
    drip = lambda _, request: Answer(content=verdicts(request), drip=0.05)  # noqa: E731
    with serve(drip) as server:
        slow = settings(server.url, timeout_seconds=0.3, attempts=1)
        judge = RemoteJudge(slow, RUBRIC, tmp_path)
        with pytest.raises(PendingCalls, match="timeout"):
            judge.judge(cases())


def test_two_runs_at_once_go_on_with_the_same_answers(tmp_path: Path) -> None:
    """Both ask, since neither has an answer yet; what was kept first is what both grade by."""

    def script(number: int, request: Request) -> Answer:
        return Answer(content=verdicts(request, tone={"score": number / 100}), delay=0.05)

    asked = cases(*(f"Question {n}?" for n in range(6)))
    with serve(script) as server, ThreadPoolExecutor(2) as runs:
        judges = [RemoteJudge(settings(server.url), RUBRIC, tmp_path) for _ in range(2)]
        first, second = runs.map(lambda judge: judge.judge(asked), judges)
    assert first == second


def test_a_ledger_that_is_no_database_says_so_and_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "judge.sqlite").write_bytes(b"no database at all" * 100)
    with pytest.raises(LedgerBroken, match=r"judge\.sqlite cannot be used .*move the file away"):
        Ledger(tmp_path)


def test_a_full_disk_loses_nothing_that_was_written(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path)
    ledger.keep("judge", "first", "{}")
    pages = ledger._connection.execute("PRAGMA page_count").fetchone()[0]
    ledger._connection.execute(f"PRAGMA max_page_count={pages}")  # as if the disk ended there
    with pytest.raises(LedgerBroken, match=r"cannot be written .*Make room and run it again"):
        ledger.keep("judge", "second", "x" * 100_000)
    with pytest.raises(LedgerBroken):
        _book(ledger, 1_000)
    ledger.close()
    again = Ledger(tmp_path)
    assert again.answer("judge", "first") == "{}"
    assert again.spent("run") == pytest.approx(0.001 * _calls(tmp_path))


def _book(ledger: Ledger, calls: int) -> None:
    for number in range(calls):
        call = ledger.reserve("run", "judge", str(number) * 200, "t", 0.001, Limits(5, 5))
        ledger.settle(call, CallRecord("answered", 0.001, 1.0))


def _calls(folder: Path) -> int:
    with sqlite3.connect(folder / "judge.sqlite") as connection:
        return int(connection.execute("SELECT COUNT(*) FROM calls").fetchone()[0])


def test_a_ledger_that_breaks_in_mid_run_ends_every_call(tmp_path: Path) -> None:
    """One that cannot be written down stops the others too: what is not booked is not asked."""

    def script(number: int, request: Request) -> Answer:
        if number == 0:
            with sqlite3.connect(tmp_path / "judge.sqlite") as connection:
                connection.execute("DROP TABLE answers")
        return good(request)

    with serve(script) as server:
        judge = RemoteJudge(settings(server.url, concurrency=2), RUBRIC, tmp_path)
        with pytest.raises(LedgerBroken, match="no such table: answers"):
            judge.judge(cases(*(f"Question {n}?" for n in range(30))))
        assert len(server.requests) < 10
    told = [outcome for outcome, _ in outcomes(tmp_path)]
    assert "reserved" not in told, "every call that was begun is settled"


def test_a_budget_below_one_call_says_so(tmp_path: Path) -> None:
    with serve(lambda _, request: good(request)) as server:
        judge = RemoteJudge(settings(server.url, budget_usd_per_run=0.001), RUBRIC, tmp_path)
        told = r"is less than one call may cost, 0\.0\d+ USD; judge\.budget_usd_per_run sets it"
        with pytest.raises(PendingCalls, match=told):
            judge.judge(cases())
        assert server.requests == []


RUN = """
import sys; from pathlib import Path
from pipeline.grading.judge.remote import RemoteJudge
from tests.pipeline.grading.judge_cases import RUBRIC, cases, settings
RemoteJudge(settings(sys.argv[1]), RUBRIC, Path(sys.argv[2])).judge(
    cases(*(f"Question {n}?" for n in range(200)))
)
"""


@pytest.mark.parametrize("sign", [signal.SIGKILL, signal.SIGINT], ids=["kill -9", "Ctrl-C"])
def test_a_run_that_is_ended_in_mid_call_pays_for_nothing_twice(
    tmp_path: Path, sign: signal.Signals
) -> None:
    """What was begun and never answered stays booked; Ctrl-C ends the run, not only its parent."""
    command = [sys.executable, "-c", RUN]
    with serve(lambda _, request: Answer(content=verdicts(request), delay=0.3)) as server:
        run = subprocess.Popen([*command, server.url, str(tmp_path)], stderr=subprocess.DEVNULL)
        while len(server.requests) < 10:
            sleep(0.01)
        run.send_signal(sign)
        assert run.wait(60) == -sign
        kept = [outcome for outcome, _ in outcomes(tmp_path)].count("answered")
        assert kept < 100
        RemoteJudge(settings(server.url, concurrency=64), RUBRIC, tmp_path).judge(
            cases(*(f"Question {n}?" for n in range(200)))
        )
    told = [outcome for outcome, _ in outcomes(tmp_path)]
    assert (told.count("answered"), told.count("cached")) == (200, kept)
    assert 1 <= len(told) - 200 - kept <= 4, "what was cut short is booked, four at once"
