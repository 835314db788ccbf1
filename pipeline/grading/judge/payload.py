"""What a remote judge is shown: the conversation as data, within bounds."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from pipeline.grading.conversation import Call, Document, Message, Turn
from pipeline.grading.judge.interface import Case
from pipeline.ids import canonical_json, digest

__all__ = ["SHOWN", "Payload", "write_payload"]

T = TypeVar("T")

_LONGEST_TEXTS: Final = (4_000, 1_000, 250)  # characters of one text; shorter where it is too much
_LARGEST: Final = 200_000  # bytes of a conversation that every text may have its full length in
_MOST: Final = 40  # turns of a conversation, and calls, documents and answers of a turn
SHOWN: Final = (_LONGEST_TEXTS, _LARGEST, _MOST)
"""How much of a conversation is shown: part of what a verdict hangs on."""


@dataclass(frozen=True)
class Payload:
    """The conversation as the judge sees it; the marker of a call is no part of it.

    Attributes:
        data: canonical JSON. Calls and documents are numbered, so that the same conversation
            gives the same bytes whatever its span ids are.
        refs: what evidence may name, and the ref of ours that it stands for.
        axes: those that are asked for; None: all.
    """

    data: bytes
    refs: Mapping[str, str]
    axes: tuple[str, ...] | None = None

    @property
    def content(self) -> str:
        """The digest that an answer is kept under."""
        return digest(self.data.decode(), *(self.axes or ()))


def write_payload(case: Case) -> Payload:
    """Show a case: invisible characters are dropped, and of long texts head and tail are kept.

    Of very long conversations the first and last turns are kept, of a turn the first and last
    calls, documents and answers, and shorter texts: an agent that ran wild is shown in outline.
    """
    for longest in _LONGEST_TEXTS:
        shown = _Shown(longest)
        data = canonical_json(shown.conversation(case))
        if len(data) <= _LARGEST:
            break
    return Payload(data, shown.refs, case.axes)


class _Shown:
    """One showing of a conversation, and what its evidence may name.

    Calls and documents are numbered by their place; messages keep their number.
    """

    def __init__(self, longest: int) -> None:
        self.refs: dict[str, str] = {}
        self._longest = longest
        self._numbers: Counter[str] = Counter()

    def conversation(self, case: Case) -> dict[str, Any]:
        turns, left_out = _ends(case.conversation.turns)
        return {
            "came_for": case.intent.title if case.intent else "unknown",
            "turns": [self._turn(turn) for turn in turns],
            "turns_left_out_in_the_middle": left_out,
        }

    def _turn(self, turn: Turn) -> dict[str, Any]:
        calls, calls_out = _ends(turn.calls)
        documents, documents_out = _ends(turn.documents)
        texts, texts_out = _ends(turn.texts)
        body: dict[str, Any] = {
            "user": self._message(turn.user) if turn.user else None,
            "calls": [self._call(call) for call in calls],
            "documents": [
                {
                    "ref": self._name("document", d.ref),
                    "id": self._text(d.id),
                    "text": self._text(d.content),
                }
                for d in documents
            ],
            "answers": [self._message(text) for text in texts],
        }
        left_out = {"calls": calls_out, "documents": documents_out, "answers": texts_out}
        if any(left_out.values()):
            body["left_out_in_the_middle"] = left_out
        return body

    def _call(self, call: Call) -> dict[str, Any]:
        return {
            "ref": self._name("call", call.ref),
            "tool": self._text(call.name),
            "arguments": self._text(call.arguments_text),
            "status": call.status,
            "result": self._text(call.result_text),
        }

    def _document(self, document: Document) -> dict[str, Any]:
        return {
            "ref": self._name("document", document.ref),
            "id": self._text(document.id),
            "text": self._text(document.content),
        }

    def _message(self, message: Message) -> dict[str, str]:
        self.refs[message.ref] = message.ref
        return {"ref": message.ref, "text": self._text(message.text)}

    def _name(self, kind: str, ref: str) -> str:
        self._numbers[kind] += 1
        name = f"{kind}:{self._numbers[kind]}"
        self.refs[name] = ref
        return name

    def _text(self, text: str) -> str:
        if not text.isascii():
            text = "".join(c for c in text if unicodedata.category(c) != "Cf")
        if len(text) <= self._longest:
            return text
        half = self._longest // 2
        return f"{text[:half]} [... {len(text) - 2 * half} characters left out ...] {text[-half:]}"


def _ends(items: Sequence[T]) -> tuple[Sequence[T], int]:
    """The first and last of many, and how many between them are left out."""
    half = _MOST // 2
    return (
        (items, 0) if len(items) <= _MOST else ((*items[:half], *items[-half:]), len(items) - _MOST)
    )
