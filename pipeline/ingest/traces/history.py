"""A conversation out of messages that repeat it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from msgspec.structs import replace

from pipeline.ingest.messages import read_messages
from pipeline.ingest.records import Message

__all__ = ["History", "merge_history"]


Turn = tuple[object, ...]
_CALLS = 2  # items of a turn that is known by its calls


class _Line:
    """One line of conversation: calls that repeat each other's history."""

    def __init__(self, origin: _Line | None = None) -> None:
        self.origin = origin
        """The line that this one takes up after its beginning was cut off."""
        self.known: dict[Turn, int] = {}
        self.read: dict[Turn, int] = {}
        """What the last call read."""
        self.last: Turn | None = None
        self.last_but_one: Turn | None = None
        self.system: Any = None
        self.heard: Any = None

    def note(self, turn: Turn) -> None:
        """Know one more of a turn."""
        self.known[turn] = self.known.get(turn, 0) + 1
        self.last, self.last_but_one = turn, self.last
        if self.origin is not None:
            self.origin.known[turn] = self.origin.known.get(turn, 0) + 1


class History:
    """Collects what span after span tells of one conversation.

    Agents send the whole history with every call, its latest part, or only what is new. Calls
    that begin alike are one line of it; agents that take turns may each have a line of their own.
    """

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self._first: Turn | None = None
        self._systems: set[Turn] = set()
        self._lines: dict[Turn, _Line] = {}
        self._line: _Line | None = None

    def hear(self, system: Any, heard: Any, said: Any) -> None:
        """Add what one model call read and wrote."""
        tail = self._tail(system, heard)
        answer = read_messages(said, "assistant")
        line = self._line
        if tail is None or line is None:
            told = read_messages(heard)
            if not any(m.role == "system" for m in told):
                # OpenAI's responses repeat the instructions before what they say.
                stated = read_messages(system, "system") or [
                    m for m in answer if m.role == "system"
                ]
                told = [*(replace(m, role="system") for m in stated), *told]
            answer = [m for m in answer if m.role != "system"]
            line = self.take(told)
        else:
            self._read(line, tail)
        self._answer(line, answer)
        line.system, line.heard = system, heard

    def begins(self, heard: Any) -> bool:
        """Whether a call that read this was told what the conversation began with."""
        return self._first is not None and _opening(read_messages(heard)) == self._first

    def _tail(self, system: Any, heard: Any) -> list[Message] | None:
        """What a call read beyond what the one before it did, where the JSON text shows it.

        Most agents send the whole history with every call, so its text begins with the last
        call's: parsing only what follows halves the time that a long conversation takes.
        """
        line = self._line
        if line is None or type(heard) is not str or type(line.heard) is not str:
            return None
        before = line.heard
        border = len(before) - 1
        if system != line.system or before[:1] != "[" or before[border:] != "]":
            return None
        if heard == before:
            return []
        if heard[border : border + 1] != "," or not heard.startswith(before[:border]):
            return None
        return read_messages("[" + heard[border + 1 :].lstrip())

    def take(self, told: Sequence[Message]) -> _Line:
        """Add messages that a call read, or a trace told; returns the line they are of.

        Where a line of conversation begins alike, each message counts as often as it stands there
        beyond what is known. Where they take up the last line's end, its beginning was cut off,
        or replaced by a summary: what follows that end is new. Else all of it is.
        """
        turns = [_turn(message) for message in told]
        spoken = [turn for turn, m in zip(turns, told, strict=True) if m.role != "system"]
        line = self._begun_by(spoken)
        if line is not None:
            line.read = {}
            self._read(line, told)
        else:
            end = self._taken_up(turns, spoken)
            line = self._opened(turns, told) if end is None else self._continued(turns, told, end)
            line.read = _counts(turns)
            if spoken:
                self._lines[spoken[0]] = line
                self._first = self._first or spoken[0]
        self._line = line
        return line

    def _begun_by(self, spoken: Sequence[Turn]) -> _Line | None:
        """The line that begins with these turns.

        One that did not open the conversation must go on alike: "yes" begins more than one.
        """
        line = self._lines.get(spoken[0]) if spoken else None
        if line is None or spoken[0] == self._first:
            return line
        return line if len(spoken) > 1 and spoken[1] in line.known else None

    def _taken_up(self, turns: Sequence[Turn], spoken: Sequence[Turn]) -> int | None:
        """Where the end of the last line stands among `turns`; None where it does not.

        An answer alone shows that only where it comes first or holds calls: others are repeated.
        """
        line = self._line
        if line is None or line.last is None or line.last not in spoken:
            return None
        end = len(turns) - 1 - list(reversed(turns)).index(line.last)
        sure = spoken[0] == line.last or len(line.last) == _CALLS
        return end if sure or turns[end - 1] == line.last_but_one else None

    def _continued(self, turns: Sequence[Turn], told: Sequence[Message], end: int) -> _Line:
        """The last line from its end on, which stands at `end`."""
        before = self._line
        assert before is not None
        line = _Line(before.origin or before)
        read: dict[Turn, int] = {}
        for number, (turn, message) in enumerate(zip(turns, told, strict=True)):
            read[turn] = read.get(turn, 0) + 1
            if number > end or read[turn] > before.known.get(turn, 0):
                self._add(message, turn)
                line.note(turn)
            else:
                line.known[turn] = line.known.get(turn, 0) + 1
                line.last, line.last_but_one = turn, line.last
        return line

    def _opened(self, turns: Sequence[Turn], told: Sequence[Message]) -> _Line:
        """A new line; of its system prompts those that stand there are not repeated."""
        line = _Line()
        there = self._systems.intersection(turns)
        for turn, message in zip(turns, told, strict=True):
            if turn not in there:
                self._add(message, turn)
            line.note(turn)
        return line

    def _read(self, line: _Line, messages: Iterable[Message]) -> None:
        read = line.read
        for message in messages:
            turn = _turn(message)
            read[turn] = count = read.get(turn, 0) + 1
            if count > line.known.get(turn, 0):
                self._add(message, turn)
                line.note(turn)

    def _answer(self, line: _Line, messages: Iterable[Message]) -> None:
        said: dict[Turn, int] = {}
        for message in messages:
            turn = _turn(message)
            said[turn] = count = said.get(turn, 0) + 1
            if line.read.get(turn, 0) + count > line.known.get(turn, 0):
                self._add(message, turn)
                line.note(turn)

    def _add(self, message: Message, turn: Turn) -> None:
        self.messages.append(message)
        if message.role == "system":
            self._systems.add(turn)


def merge_history(known: list[Message], later: Iterable[Message]) -> list[Message]:
    """`known`, and what a later trace's messages add to it; see `History.take`."""
    history = History()
    if known:
        history.take(known)
    history.take(list(later))
    return history.messages


def _counts(turns: Iterable[Turn]) -> dict[Turn, int]:
    counts: dict[Turn, int] = {}
    for turn in turns:
        counts[turn] = counts.get(turn, 0) + 1
    return counts


def _opening(messages: Iterable[Message]) -> Turn | None:
    """The first turn that is no system prompt."""
    return next((_turn(m) for m in messages if m.role != "system"), None)


def _turn(message: Message) -> Turn:
    """What makes two messages the same turn, repeated.

    Neither the finish reason nor the name does: an answer rarely carries what the history says of
    it. Calls are known by their ids, whether or not the text beside them was kept.
    """
    calls = message.tool_calls
    if calls and None not in [call.id for call in calls]:
        return message.role, calls
    content = message.content
    return message.role, content.strip() if content else None, calls, message.tool_call_id
