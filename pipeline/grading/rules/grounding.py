"""Rules about what answers rest on: failed calls, empty results, missed searches."""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.grading.conversation import Call, Conversation, Message, Turn
from pipeline.grading.facts import facts_of
from pipeline.grading.lexicons import says
from pipeline.grading.rules.kinds import PASS, SKIPPED, Finding, Scope, checks, failed
from pipeline.grading.speech import admits_failure, holds_back
from pipeline.grading.support import GrowingSupport, Support
from pipeline.grading.words import content_words
from pipeline.registry.rules import EmptyResult, RetrievalMiss, ToolFailure

__all__: list[str] = []


@checks(ToolFailure)
def tool_failure(conversation: Conversation, params: ToolFailure, scope: Scope) -> Finding:
    """A failed call without a later success is admitted in the turn's answer.

    Where it is not: an answer that states particulars found nowhere, or says what is usual,
    was made without the tool (`invented`); any other passes over the failure (`ignored`).
    """
    any_failure = False
    support = GrowingSupport(conversation)
    for turn, call, answer in _unanswered_failures(conversation):
        any_failure = True
        if holds_back(answer.text) or says(answer.text, "hands_over"):
            continue
        if _explained(call, answer):
            continue
        invented = _made_up(support.until(turn), answer)
        if params.shape == "invented" and invented:
            return failed(
                "A tool gave no result and the answer states particulars as if it had.",
                call.ref,
                answer.ref,
                subject=call.name,
                error_class=f"answered_after_{call.status}",
            )
        if params.shape == "ignored" and not invented:
            return failed(
                "A tool gave no result and the answer does not say so.",
                call.ref,
                answer.ref,
                subject=call.name,
                error_class=f"unacknowledged_{call.status}",
            )
    return PASS if any_failure else SKIPPED


def _unanswered_failures(conversation: Conversation) -> Iterator[tuple[Turn, Call, Message]]:
    for turn in conversation.turns:
        answer = turn.answer
        for position, call in enumerate(turn.calls):
            later = turn.calls[position + 1 :]
            if (
                answer
                and call.failed
                and not any(c.name == call.name and not c.failed for c in later)
            ):
                yield turn, call, answer


def _explained(call: Call, answer: Message) -> bool:
    """Whether the tool said what was wrong ("amount does not add up") and the answer acts on it.

    A bare code such as `connection_reset` explains nothing.
    """
    reasons = content_words(call.result_text)
    if len(reasons) < 3:
        return False
    shared = {f.value for f in facts_of(call.result_text)} & {
        f.value for f in facts_of(answer.text)
    }
    asks = "?" in answer.text
    return bool(shared) or asks or len(reasons & content_words(answer.text)) >= 2


def _made_up(support: Support, answer: Message) -> bool:
    invented = [fact for fact in facts_of(answer.text) if not support.supports(fact)]
    return bool(invented) or says(answer.text, "generalises")


@checks(EmptyResult)
def empty_result(conversation: Conversation, params: EmptyResult, scope: Scope) -> Finding:
    """After an empty look-up the answer does not state that the thing does not exist.

    Fails where the answer denies it, or neither says that nothing was found nor asks to check,
    and the user's next turn does not accept that; and where it denies it flatly at the end. Of
    tools that no intent names nobody said that an empty result is a miss (a search may rightly
    find nothing, a tool may have nothing to return): there only the user's objection tells.
    """
    found = False
    looked_up = {tool for i in scope.intents for tool in (*i.tools, *i.expected_tools)}
    for turn in conversation.turns:
        empty = [c for c in turn.calls if c.empty]
        full = {c.name for c in turn.calls if not c.failed and not c.empty}
        empty = [c for c in empty if c.name not in full]
        if not empty or turn.answer is None:
            continue
        found = True
        answer, call = turn.answer, empty[-1]
        invites = "?" in answer.text or says(answer.text, "asks_to_check")
        denies = says(answer.text, "denies")
        said = conversation.next_user(turn)
        admits = says(answer.text, "found_nothing", "admits_failure", "hands_over")
        objects = said is not None and says(said.text, "contradicts", "corrects", "complains")
        refused = said is not None and not says(said.text, "accepts", "declines")
        contradicted = objects or (refused and not invites and not admits)
        stated = (contradicted and (denies or not invites)) or (denies and not invites)
        if stated and (objects or call.name in looked_up):
            return failed(
                "An empty look-up was stated as a fact"
                + (", and the user's next turn contradicts it." if contradicted else "."),
                *(ref for ref in (call.ref, answer.ref, said.ref if said else None) if ref),
                subject=call.name,
                error_class="empty_contradicted" if contradicted else "empty_asserted",
            )
    return PASS if found else SKIPPED


@checks(RetrievalMiss)
def retrieval_miss(conversation: Conversation, params: RetrievalMiss, scope: Scope) -> Finding:
    """After a search without a fitting document the answer states nothing the sources lack.

    A miss is a best score under `low_score`, or no document at all, or a word of the query that
    no document holds. It fails only with facts in the answer that nothing supports.
    """
    missed = False
    support = GrowingSupport(conversation)
    for turn in conversation.turns:
        if turn.answer is None or not _is_miss(turn, params.low_score):
            continue
        missed = True
        if says(turn.answer.text, "found_nothing") or admits_failure(turn.answer.text):
            continue
        invented = _invented(turn.answer, support.until(turn))
        if invented:
            ref = turn.documents[0].ref if turn.documents else turn.answer.ref
            return failed(
                "The search found nothing that fits and the answer states facts of its own.",
                ref,
                turn.answer.ref,
                error_class="invented_after_miss",
            )
    return PASS if missed else SKIPPED


def _is_miss(turn: Turn, low_score: float) -> bool:
    searched = turn.queries or any(call.name and "search" in call.name for call in turn.calls)
    if not turn.documents:
        return bool(turn.queries) and bool(searched)
    scores = [d.score for d in turn.documents if d.score is not None]
    if scores and max(scores) < low_score:
        return True
    held = " ".join(document.content for document in turn.documents).lower()
    words = [w for query in turn.queries for w in query.lower().split() if len(w) > 4]
    return bool(words) and any(word[:5] not in held for word in words)


def _invented(answer: Message, support: Support) -> list[object]:
    facts = [f for f in facts_of(answer.text) if f.kind != "id"]
    return [fact for fact in facts if not support.supports(fact)]
