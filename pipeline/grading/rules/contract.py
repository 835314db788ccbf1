"""Rules about the form of answers: JSON contracts, cut-off answers, phrases."""

from __future__ import annotations

import orjson
from jsonschema.exceptions import best_match

from pipeline.grading.conversation import Conversation
from pipeline.grading.lexicons import LANGUAGES, words
from pipeline.grading.rules.kinds import PASS, SKIPPED, Finding, Scope, checks, failed, search
from pipeline.ids import canonical_json
from pipeline.json_schemas import validator_of
from pipeline.registry.rules import JsonContract, Phrases, Truncated

__all__: list[str] = []


@checks(JsonContract)
def json_contract(conversation: Conversation, params: JsonContract, scope: Scope) -> Finding:
    """Every answer owed as JSON is one JSON value that a schema allows, and nothing else.

    The trace's own `gen_ai.output.type` says whether JSON is owed; without it the intent does.
    The schema is the intent's; of JSON under an intent without one, those of all intents.
    """
    schemas = _schemas(conversation, scope)
    if schemas is None or not conversation.answered:
        return SKIPPED
    for _, _, answer in conversation.answered:
        try:
            value = orjson.loads(answer.text)
        except orjson.JSONDecodeError:
            holds_json = "{" in answer.text and "}" in answer.text
            return failed(
                "The answer is not one JSON value and nothing else.",
                answer.ref,
                subject="answer",
                error_class="text_around_json" if holds_json else "not_json",
            )
        errors = [best_match(validator_of(schema).iter_errors(value)) for schema in schemas]
        error = errors[0] if errors and None not in errors else None
        if error is not None:
            path = ".".join(str(p) for p in error.absolute_schema_path if p != "items")[:80]
            return failed(
                "The answer is JSON that the intent's schema does not allow.",
                answer.ref,
                subject=path,  # a path in our own schema: no key of the answer shows
                error_class=f"schema_{error.validator}",
            )
    return PASS


def _schemas(conversation: Conversation, scope: Scope) -> list[bytes] | None:
    """The schemas of which an answer must meet one; None where no JSON is owed."""
    own = scope.intent.output_schema if scope.intent else None
    if conversation.output_type != "json":
        worded = scope.intent and any(
            search(p, conversation.user_text) for p in scope.intent.keywords or (".",)
        )
        if conversation.output_type or not own or not worded:
            return None
    if own:
        return [canonical_json(own)]
    every = {i.id: i.output_schema for i in scope.intents if i.output_schema}
    return [canonical_json(every[name]) for name in sorted(every)]


@checks(Truncated)
def truncated(conversation: Conversation, params: Truncated, scope: Scope) -> Finding:
    """No answer stopped at a limit, and the last one does not break off in a sentence."""
    if not conversation.answered:
        return SKIPPED
    for _, _, answer in conversation.answered:
        if answer.finish_reason in ("length", "max_tokens", "content_filter"):
            return failed(
                "The model was stopped before the answer was complete.",
                answer.ref,
                error_class=f"finish_{answer.finish_reason}",
            )
    last = conversation.answered[-1][2]
    said = last.text.split()
    if len(said) > 3 and (_connects(said[-1]) or said[-1].endswith((",", ":"))):
        return failed(
            "The last answer breaks off in the middle of a sentence.",
            last.ref,
            error_class="breaks_off",
        )
    return PASS


def _connects(word: str) -> bool:
    return any(word.lower() in words(code, "connectives") for code in LANGUAGES)


@checks(Phrases)
def phrases(conversation: Conversation, params: Phrases, scope: Scope) -> Finding:
    """No answer holds a forbidden pattern; every required one occurs in some answer."""
    if not conversation.answered:
        return SKIPPED
    for number, pattern in enumerate(params.forbidden):
        for _, _, answer in conversation.answered:
            if search(pattern, answer.text):
                return failed(
                    "An answer holds a phrase that the rule forbids.",
                    answer.ref,
                    subject=f"forbidden[{number}]",
                    error_class="forbidden_phrase",
                )
    for number, pattern in enumerate(params.required):
        if not any(search(pattern, answer.text) for _, _, answer in conversation.answered):
            return failed(
                "No answer holds a phrase that the rule requires.",
                conversation.answered[-1][2].ref,
                subject=f"required[{number}]",
                error_class="missing_phrase",
            )
    return PASS
