"""`caselaw check-answer`: the checks of a case on what an agent answered, for people and tools."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import orjson

from pipeline.datadir import DataDir

if TYPE_CHECKING:
    from pipeline.exports import Case, Verdict

__all__ = ["check_answer"]

_LONGEST = 16 * 2**20  # bytes of one request


@click.command("check-answer")
@click.option("--cases", "path", type=click.Path(dir_okay=False, path_type=Path),
              metavar="FILE", help="A cases.jsonl of an export; else the suite.")  # fmt: skip
@click.option("--case", "case_id", help="The case that the answer is for.")
@click.option("--stream", is_flag=True,
              help="Requests as JSON lines, {case, answer}; verdicts likewise.")  # fmt: skip
@click.pass_obj
def check_answer(place: DataDir, path: Path | None, case_id: str | None, stream: bool) -> None:
    """Run a case's checks on an answer from standard input, the way every export does.

    An answer is a text, or a JSON object {"caselaw": {...}} with any of answer, texts, messages,
    calls, documents, system, finish_reason, turns, tokens. What it does not tell is undecided.

    Exit codes: 0 the checks hold, 1 one fails, 2 wrong usage, 4 none could be decided. With
    --stream always 0: each verdict says so of itself, and a request that cannot be answered gets
    {"error"}.
    """
    if stream == (case_id is not None):
        raise click.UsageError("say one: --case ID, or --stream")
    cases = _cases(place, path)
    if stream:
        _serve(cases)
    else:
        sys.exit(_once(cases, str(case_id)))


def _cases(place: DataDir, path: Path | None) -> Mapping[str, Case]:
    from pipeline.cli.exporting import suite_cases
    from pipeline.exports import ExportError, case_of

    if path is None:
        every = suite_cases(place)
        return {case.case_id: case for case in every if case.split != "holdout"}
    if not path.is_file():
        raise click.UsageError(f"{path} is no file; export it: caselaw export pytest")
    found = {}
    for number, line in enumerate(path.read_bytes().splitlines(), 1):
        try:
            body = orjson.loads(line)
            case = case_of(body if isinstance(body, dict) else {}, f"line {number}")
        except (orjson.JSONDecodeError, ExportError) as error:
            why = error if isinstance(error, ExportError) else f"line {number} is not JSON"
            raise click.UsageError(f"{path}: {why}; export it anew") from None
        found[case.case_id] = case
    return found


def _serve(cases: Mapping[str, Case]) -> None:
    """Answer requests until there are no more; a broken one costs itself alone."""
    for line in sys.stdin.buffer:
        sys.stdout.buffer.write(orjson.dumps(_reply(cases, line)) + b"\n")
        sys.stdout.buffer.flush()


def _reply(cases: Mapping[str, Case], line: bytes) -> dict[str, Any]:
    from pipeline.exports import AnswerRefused

    if len(line) > _LONGEST:
        return {"error": f"a request is longer than {_LONGEST} bytes"}
    try:
        request = orjson.loads(line)
    except orjson.JSONDecodeError:
        return {"error": "a request is no JSON"}
    named = request.get("case") if isinstance(request, dict) and "answer" in request else None
    case = cases.get(named) if isinstance(named, str) else None
    if case is None:
        return {"error": "a request is {case, answer}, the case one of the file's"}
    try:
        return _as_json(_verdict(case, request["answer"]))
    except AnswerRefused as refused:
        return {"error": str(refused)}


def _verdict(case: Case, given: object) -> Verdict:
    """The verdict; an answer that no check foresaw, such as one nested too deep, is refused."""
    from pipeline.exports import Answer, AnswerRefused
    from pipeline.exports import check_answer as run_checks

    try:
        return run_checks(case, Answer.read(given))
    except AnswerRefused:
        raise
    except Exception as error:
        name = type(error).__name__
        raise AnswerRefused(f"the checks could not be run on it ({name})") from None


def _as_json(verdict: Verdict) -> dict[str, Any]:
    checks = [
        {"kind": r.kind, "expects": r.expects, "passed": r.passed, "why": r.why}
        for r in verdict.results
    ]
    return {"case": verdict.case_id, "passed": verdict.passed, "checks": checks}


def _once(cases: Mapping[str, Case], case_id: str) -> int:
    from pipeline.exports import AnswerRefused

    if case_id not in cases:
        raise click.UsageError(
            f"no case {case_id!r} among {len(cases)}; cases of the holdout are exported first, "
            "with --why, and given by --cases"
        )
    text = sys.stdin.buffer.read().decode("utf-8", "replace")
    try:
        verdict = _verdict(cases[case_id], _unpacked(text))
    except AnswerRefused as refused:
        raise click.UsageError(str(refused)) from None
    words = {True: "passed", False: "FAILED", None: "undecided"}
    for result in verdict.results:
        why = f" ({result.why})" if result.why else ""
        expects = f": the agent {result.expects}" if result.expects else ""
        click.echo(f"{result.kind} {words[result.passed]}{expects}{why}")
    return {True: 0, False: 1, None: 4}[verdict.passed]


def _unpacked(text: str) -> object:
    """The text, or the structured answer that travels as one."""
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError:
        return text.removesuffix("\n")
    packed = isinstance(value, dict) and list(value) == ["caselaw"]
    return value["caselaw"] if packed else text.removesuffix("\n")
