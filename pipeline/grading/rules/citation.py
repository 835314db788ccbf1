"""The rule about sources: cited ones were retrieved, and one is cited where it is due."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipeline.grading.conversation import Conversation, Message, Turn
from pipeline.grading.facts import Fact, facts_of
from pipeline.grading.rules.kinds import PASS, SKIPPED, Finding, Scope, checks, compiled, failed
from pipeline.grading.speech import holds_back
from pipeline.grading.words import content_words, sentences
from pipeline.registry.rules import Citation

__all__: list[str] = []


@checks(Citation)
def citation(conversation: Conversation, params: Citation, scope: Scope) -> Finding:
    """Cited sources were retrieved (`exists`), say so (`holds`), are cited where due (`present`).

    A cited document says so if every amount, date, and number with a unit of the sentence that
    cites it stands in it, in another document cited there, or was said by the user.

    Due are answers of an intent that cites, and, whatever the intent, answers that took what
    they say from documents alone (see `_rests_on`).
    """
    pattern = compiled(params.pattern)
    if params.demand == "exists":
        return _cited_exist(conversation, pattern)
    if params.demand == "holds":
        return _cited_hold(conversation, pattern)
    cites = scope.intent is not None and scope.intent.cites
    owed = [
        (turn, answer)
        for turn, _, answer in conversation.answered
        if turn.documents and not holds_back(answer.text) and (cites or _rests_on(turn, answer))
    ]
    if not owed:
        return SKIPPED
    for turn, answer in owed:
        if not pattern.search(answer.text):
            return failed(
                "The answer rests on retrieved documents and names none of them.",
                turn.documents[0].ref,
                answer.ref,
                subject=turn.documents[0].id,
                error_class="missing_citation",
            )
    return PASS


def _rests_on(turn: Turn, answer: Message) -> bool:
    """Whether an answer took its particulars from the turn's documents and nothing else.

    Only searches ran in the turn, and a number with its unit ("30 days"), or most of the words
    that say something and four at least, stand in one document.
    """
    searches = {d.ref for d in turn.documents}
    queries = {query for query in turn.queries if query}
    for call in turn.calls:
        asked = call.arguments.values() if isinstance(call.arguments, Mapping) else ()
        if call.ref not in searches and not queries & {str(value) for value in asked}:
            return False
    said = content_words(answer.text)
    spans = {fact for fact in facts_of(answer.text) if fact.kind == "number" and fact.unit}
    given = set(facts_of(turn.user.text)) if turn.user else set()
    for document in turn.documents:
        if (spans - given) & set(facts_of(document.content)):
            return True
        if len(said & content_words(document.content)) >= max(4, len(said) / 2):
            return True
    return False


def _cited_exist(conversation: Conversation, pattern: Any) -> Finding:
    retrieved = {document.id.upper() for document in conversation.documents}
    cited = [
        (answer, match.group(1))
        for _, _, answer in conversation.answered
        for match in pattern.finditer(answer.text)
    ]
    if not cited:
        return SKIPPED
    for answer, source in cited:
        if source.upper() not in retrieved:
            return failed(
                "The answer cites a source that was not retrieved in this conversation.",
                answer.ref,
                subject=source,
                error_class="phantom_citation",
            )
    return PASS


def _cited_hold(conversation: Conversation, pattern: Any) -> Finding:
    known = {document.id.upper(): document for document in conversation.documents}
    seen = False
    for turn, user, answer in conversation.answered:
        for sentence in sentences(answer.text):
            cited = [known.get(m.group(1).upper()) for m in pattern.finditer(sentence)]
            documents = [document for document in cited if document]
            if not documents:
                continue
            seen = True
            told = {fact for document in documents for fact in facts_of(document.content)}
            claims = {f for f in facts_of(pattern.sub(" ", sentence)) if _is_particular(f)}
            claims -= told
            for text in (user.text, *(call.result_text for call in turn.calls)) if claims else ():
                claims -= set(facts_of(text))
            if claims:
                return failed(
                    "The answer cites a source for a number or date that is not in it.",
                    documents[0].ref,
                    answer.ref,
                    subject=documents[0].id,
                    error_class="unsupported_by_source",
                )
    return PASS if seen else SKIPPED


def _is_particular(fact: Fact) -> bool:
    return fact.kind in ("amount", "date") or (fact.kind == "number" and fact.unit is not None)
