"""The rule about tools that were needed: by signs in the trace first, then by its intent."""

from __future__ import annotations

from pipeline.grading.conversation import Call, Conversation
from pipeline.grading.facts import facts_of
from pipeline.grading.rules.kinds import PASS, SKIPPED, Finding, Scope, checks, failed, search
from pipeline.grading.rules.mismatch import foreign_write, unused_id
from pipeline.registry import Intent
from pipeline.registry.rules import ExpectedTool

__all__: list[str] = []


@checks(ExpectedTool)
def expected_tool(conversation: Conversation, params: ExpectedTool, scope: Scope) -> Finding:
    """A right run calls one of the intent's tools; a run without any call must not state facts.

    Fails first where signs in the trace agree that another tool was due, whatever the intent
    (see `mismatch`). Else the intent decides: skipped where it is unknown, weakly matched or
    names no tools, and where no intent speaks of any of the tools called: another agent's run.
    Unknown where the intent itself is in doubt: none of its keywords is in the user's words,
    another intent's are that fits the calls, the agent had proposed something and the user
    did not take it up, or the answer names a source that it retrieved.
    """
    strange = _without_intent(conversation, params, scope)
    if strange:
        return strange
    intent = scope.intent
    if intent is None or not intent.expected_tools:
        return SKIPPED
    called = [call for call in conversation.calls if call.name not in params.neutral]
    if any(call.name in intent.expected_tools for call in conversation.calls):
        called = _foreign_writes(conversation, params, intent)
        if not called:
            return PASS
    if not called:
        return _without_call(conversation)
    names = {call.name for call in called}
    known = {tool for i in scope.intents for tool in (*i.expected_tools, *i.tools)}
    if not names & (known | set(params.writing)):
        return SKIPPED  # tools that no intent speaks of: nothing was planned for them
    fitting = (i for i in scope.intents if i is not intent and names & set(i.expected_tools))
    if any(search(p, conversation.user_text) for other in fitting for p in other.keywords):
        return Finding("unknown", "The calls fit another intent that the words fit too.")
    worded = any(search(p, conversation.user_text) for p in intent.keywords)
    if (intent.keywords and not worded) or _moved_on(conversation) or _names_source(conversation):
        return Finding("unknown", "The calls do not fit the intent, which is in doubt itself.")
    return failed(
        "None of the tools that this intent needs was called; another one was.",
        *(call.ref for call in called),
        subject=called[0].name,
        error_class="wrong_tool",
    )


def _without_intent(
    conversation: Conversation, params: ExpectedTool, scope: Scope
) -> Finding | None:
    write = foreign_write(conversation, params, scope)
    if write:
        return failed(
            "What was changed is not what was asked for and proposed.",
            write.ref,
            subject=write.name,
            error_class="wrong_tool",
        )
    planned = {tool for i in scope.intents for tool in i.expected_tools}
    unused = unused_id(conversation, params.neutral)
    if unused and unused[1].name in planned and not _names_source(conversation):
        return failed(
            "The customer gave a number and the agent called a tool that does not use it.",
            unused[0],
            unused[1].ref,
            subject=unused[1].name,
            error_class="wrong_tool",
        )
    return None


def _moved_on(conversation: Conversation) -> bool:
    """Whether, before any call, the agent asked something and the next turn had no call either."""
    asked = False
    for turn in conversation.turns:
        if turn.calls:
            return False
        if asked:
            return True
        asked = turn.answer is not None and "?" in turn.answer.text
    return False


def _names_source(conversation: Conversation) -> bool:
    ids = {document.id.upper() for document in conversation.documents if len(document.id) > 2}
    said = " ".join(answer.text for _, _, answer in conversation.answered).upper()
    return any(name in said for name in ids)


def _foreign_writes(conversation: Conversation, params: ExpectedTool, intent: Intent) -> list[Call]:
    """Calls that changed something, where the intent has such a tool of its own and none ran."""
    writing = set(params.writing) - set(params.neutral)
    own = writing & set(intent.expected_tools)
    done = [call for call in conversation.calls if call.name in writing]
    if not own or any(call.name in own for call in done):
        return []
    return done


def _without_call(conversation: Conversation) -> Finding:
    """Judge a run in which nothing but neutral tools ran."""
    if conversation.calls or not conversation.answered:
        return SKIPPED
    said = {fact.value for fact in facts_of(conversation.user_text)}
    for _, _, answer in conversation.answered:
        new = [f for f in facts_of(answer.text) if f.kind in ("amount", "date", "time", "id")]
        if [fact for fact in new if fact.value not in said] and "?" not in answer.text:
            return failed(
                "The answer states particulars although no tool was called.",
                answer.ref,
                error_class="no_tool_called",
            )
    return Finding("unknown", "No tool was called; the agent may still have been asking.")
