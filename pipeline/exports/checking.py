"""The checks of a case on an answer: the same code that judged the recorded failure.

The answer is put behind the case's messages and read as a trace is, so that facts, documents and
calls of earlier turns count as they did when the case was made.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from pipeline.exports.answers import Answer, GivenCall
from pipeline.exports.case import Case
from pipeline.grading.conversation import read_conversation
from pipeline.ids import canonical_json
from pipeline.promotion import Check, CheckBroken, Outcome, run_check
from pipeline.promotion.episodes import Episode, recorded_outcome
from pipeline.promotion.wording import in_words

__all__ = ["Result", "Verdict", "check_answer", "outcome_of", "recorded_answer"]

_OF_TOOLS = ("tool_called", "tool_not_called", "argument_max", "calls_repeated")


@dataclass(frozen=True)
class Result:
    """What one check says; `passed` is None where it cannot be decided, and `why` says why."""

    kind: str
    expects: str
    passed: bool | None
    why: str | None = None


@dataclass(frozen=True)
class Verdict:
    """What all checks of a case say of an answer."""

    case_id: str
    results: tuple[Result, ...]

    @property
    def passed(self) -> bool | None:
        """False where a check fails, True where one passes and none fails, else None."""
        decided = {result.passed for result in self.results} - {None}
        return None if not decided else False not in decided

    @property
    def undecided(self) -> int:
        """How many checks could not be decided."""
        return sum(result.passed is None for result in self.results)


def check_answer(case: Case, answer: Answer) -> Verdict:
    """Run the checks of `case` on `answer`."""
    outcome = outcome_of(case, answer)
    return Verdict(case.case_id, tuple(_result(check, answer, outcome) for check in case.checks))


def _result(check: Check, answer: Answer, outcome: Outcome) -> Result:
    expects = in_words(check)
    if check.kind in _OF_TOOLS and not answer.tells_calls:
        return Result(check.kind, expects, None, "the answer does not tell its calls of tools")
    if check.kind == "not_cut_off" and outcome.finish_reason is None:
        return Result(check.kind, expects, None, "the answer tells no finish_reason")
    try:
        passed = run_check(check, outcome)
    except CheckBroken:
        why = "the check is broken: its pattern or schema cannot be read"
        return Result(check.kind, expects, None, why)
    reason = None
    if passed is None:
        needs_judge = check.kind == "rubric"
        reason = "a judge has to say" if needs_judge else "the answer does not tell what it needs"
    return Result(check.kind, expects, passed, reason)


def outcome_of(case: Case, answer: Answer) -> Outcome:
    """What `answer` did in the turn under test, with all that it may rest on.

    Calls of earlier turns come from the case. Where the answer does not tell its calls, the
    fixtures of the recorded turn count as found by it: an agent under test was given them.
    """
    earlier, own = _fixtures(case)
    spans = own if not answer.tells_calls else [_span(c.model_dump()) for c in answer.calls or ()]
    before = _with_calls(case, earlier)
    row = {
        "trace_id": case.case_id,
        "messages": [*_said(answer.system), *before, *_turn(answer)],
        "tool_calls": [{**s, "span_id": f"call-{n}"} for n, s in enumerate([*earlier, *spans])],
        "retrievals": _retrievals(case, answer),
    }
    conversation = read_conversation(row)
    outcome = recorded_outcome(Episode(conversation, conversation.turns[-1], len(before)), None)
    calls = outcome.calls if answer.tells_calls else ()
    finish = answer.finish_reason or outcome.finish_reason
    return replace(
        outcome, calls=calls, finish_reason=finish, turns=answer.turns, tokens=answer.tokens
    )


def recorded_answer(case: Case) -> Answer:
    """What the failing agent did, as far as a case keeps it: its last text and its calls."""
    said = case.part("recorded").get("answer")
    _, own = _fixtures(case)
    calls = tuple(GivenCall.model_validate(span) for span in own)
    return Answer(answer=said if isinstance(said, str) else None, calls=calls)


def _fixtures(case: Case) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The calls of earlier turns, and those of the recorded turn."""
    spans = [_span(fixture) for fixture in case.fixtures]
    own = case.part("recorded").get("calls")
    cut = len(spans) - (len(own) if isinstance(own, list) else 0)
    return spans[: max(cut, 0)], spans[max(cut, 0) :]


def _span(call: Any) -> dict[str, Any]:
    status = call.get("status")
    return {
        "call_id": None,
        "name": str(call.get("name") or ""),
        "arguments": _as_text(call.get("arguments")),
        "result": _as_text(call.get("result")),
        "status": status if isinstance(status, str) else "ok",
        "error": None,
    }


def _as_text(value: Any) -> str | None:
    return value if isinstance(value, str | None) else canonical_json(value).decode()


def _with_calls(case: Case, earlier: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The messages; calls that no message asked for (agents that log spans alone) are put first."""
    messages = [_message(message) for message in case.messages]
    asked = Counter(c["name"] for m in messages for c in m["tool_calls"] or ())
    unasked = []
    for span in earlier:
        asked[span["name"]] -= 1
        if asked[span["name"]] < 0:
            unasked.append({"id": None, "name": span["name"], "arguments": span["arguments"]})
    put = [_message({"role": "assistant", "tool_calls": unasked})] if unasked else []
    return [*put, *messages]


def _turn(answer: Answer) -> Iterator[dict[str, Any]]:
    for message in answer.messages or ():
        asked = [
            {
                "id": call.id,
                "name": (call.function.name if call.function else call.name) or "",
                "arguments": _as_text((call.function or call).arguments),
            }
            for call in message.tool_calls or ()
        ]
        yield _message(message.model_dump() | {"tool_calls": asked})
    said = list(answer.texts)
    if answer.answer is not None and answer.answer not in said[-1:]:
        said.append(answer.answer)
    for text in said:
        yield _message({"role": "assistant", "content": text})


def _message(given: Any) -> dict[str, Any]:
    names = ("content", "tool_call_id", "name")
    asked = [
        {"id": c.get("id"), "name": c.get("name"), "arguments": _as_text(c.get("arguments"))}
        for c in given.get("tool_calls") or ()
    ]
    kept = {name: given.get(name) for name in names}
    return {"role": given["role"], **kept, "tool_calls": asked, "finish_reason": None}


def _said(system: str | None) -> list[dict[str, Any]]:
    return [_message({"role": "system", "content": system})] if system else []


def _retrievals(case: Case, answer: Answer) -> list[dict[str, Any]]:
    """The searches: what the answer found, else what the recorded agent did."""
    if answer.documents is not None:
        found = [{"query": "", "documents": [d.model_dump() for d in answer.documents]}]
    else:
        found = [
            {
                "query": str(search.get("query") or ""),
                "documents": [
                    {"id": str(d.get("id") or ""), "content": str(d.get("content") or ""),
                     "score": d.get("score")}
                    for d in search.get("documents") or ()
                    if isinstance(d, dict)
                ],
            }
            for search in case.documents
        ]  # fmt: skip
    return [{**search, "span_id": f"search-{n}"} for n, search in enumerate(found)]
