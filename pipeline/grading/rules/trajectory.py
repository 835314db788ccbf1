"""The rule about the way to an answer: retries, the same look-ups, circles, far too much of it.

An answer may be right and the run a weak one all the same: it costs, and it is how the next
failure begins.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Final

from pipeline.grading.conversation import Call, Conversation
from pipeline.grading.rules.kinds import PASS, SKIPPED, Finding, Scope, checks, failed
from pipeline.ids import canonical_json
from pipeline.registry.rules import Trajectory

__all__: list[str] = []

_LONGEST_ROUND: Final = 10


@checks(Trajectory)
def trajectory(conversation: Conversation, params: Trajectory, scope: Scope) -> Finding:
    """Few retries, no look-up made again for the same answer, no circles, no excess of effort.

    Effort is measured against the median of the intent's traces that were sampled the same day;
    where too few were, it is not judged.
    """
    calls = conversation.calls
    if not calls and scope.norm is None:
        return SKIPPED
    found = (
        _repeats(calls, params.retries, failures=True)
        or _repeats(calls, params.redundant, failures=False)
        or _circle(calls, params.circle)
        or _excess(conversation, params, scope)
    )
    return found or PASS


def _repeats(calls: Sequence[Call], times: int, *, failures: bool) -> Finding | None:
    """The same call with the same outcome `times` times over the conversation."""
    same: dict[bytes, list[Call]] = defaultdict(list)
    for call in calls:
        if call.failed == failures:
            outcome = call.status if failures else call.result_text
            same[canonical_json([call.name, call.arguments_text, outcome])].append(call)
    for again in same.values():
        if len(again) >= times:
            what = "A call that failed was tried" if failures else "The same was looked up"
            return failed(
                f"{what} {len(again)} times with the same arguments.",
                *(call.ref for call in again),
                subject=again[0].name,
                error_class="retried" if failures else "redundant",
            )
    return None


def _circle(calls: Sequence[Call], times: int) -> Finding | None:
    """A round of two to ten different calls, gone through `times` times without a break.

    Longer rounds are not looked for, so that the time grows with the calls and no faster.
    """
    steps = [canonical_json([call.name, call.arguments_text]) for call in calls]
    for length in range(2, min(_LONGEST_ROUND, len(steps) // times) + 1):
        as_before = 0  # calls in a row, each the same as the one a round earlier
        for end in range(length, len(steps)):
            as_before = as_before + 1 if steps[end] == steps[end - length] else 0
            start = end + 1 - length * times
            if as_before >= length * (times - 1) and len(set(steps[start : start + length])) > 1:
                again = calls[start : end + 1]
                return failed(
                    f"A round of {length} calls was gone through {times} times.",
                    *(call.ref for call in again),
                    subject=again[0].name,
                    error_class="circular",
                )
    return None


def _excess(conversation: Conversation, params: Trajectory, scope: Scope) -> Finding | None:
    norm = scope.norm
    if norm is None or norm.traces < params.norm_traces:
        return None
    spoken = [turn.user for turn in conversation.turns if turn.user]
    if spoken and norm.turns and len(spoken) > params.norm_factor * norm.turns:
        return failed(
            f"The conversation took more than {params.norm_factor:g} times its intent's turns.",
            spoken[-1].ref,
            error_class="excess_turns",
        )
    tokens = scope.tokens or 0
    if norm.tokens and tokens > params.norm_factor * norm.tokens:
        return failed(
            f"The conversation took more than {params.norm_factor:g} times its intent's tokens.",
            error_class="excess_tokens",
        )
    return None
