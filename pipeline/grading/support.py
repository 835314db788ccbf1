"""What an answer may rest on: all that was said or found before it."""

from __future__ import annotations

from pipeline.grading.conversation import Conversation, Turn
from pipeline.grading.facts import Support

__all__ = ["support_before"]


def support_before(conversation: Conversation, turn: Turn) -> Support:
    """The support of the answer of `turn`: prompt, users, tools and documents up to it.

    What the agent itself said before is no support; the arguments of calls that succeeded are.
    """
    support = Support()
    support.add_text(conversation.system)
    for earlier in conversation.turns[: turn.number + 1]:
        if earlier.user:
            support.add_text(earlier.user.text)
        for call in earlier.calls:
            if not call.failed:
                support.add_text(call.result_text)
                support.add_text(call.arguments_text)
                support.add_json([call.result, call.arguments])
        for document in earlier.documents:
            support.add_text(document.content)
            support.ids.add(document.id.upper())
    return support
