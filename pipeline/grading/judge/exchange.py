"""One conversation put before a model: the question, the reply, once more if need be, the bill."""

from __future__ import annotations

import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from pipeline.grading.judge.interface import Judgement, JudgeRefused
from pipeline.grading.judge.payload import Payload
from pipeline.grading.judge.prices import Prices
from pipeline.grading.judge.progress import Progress
from pipeline.grading.judge.prompt import reply_schema, write_messages
from pipeline.grading.judge.reply import ReplyProblem, problem_judgements, read_reply
from pipeline.grading.judge.transport import ModelReply, Rejected, Transport, Unavailable
from pipeline.grading.ledger import BudgetSpent, CallRecord, Ledger, Limits
from pipeline.registry import Axis
from pipeline.registry.settings import Judge as JudgeSettings

__all__ = ["Answer", "Exchange"]

_GIVE_UP: Final = 5  # calls in a row that found no provider: the rest is left pending


@dataclass(frozen=True)
class Answer:
    """What came of one conversation; `reasoning` is the model's own, for the ledger alone."""

    judgements: tuple[Judgement, ...]
    reasoning: dict[str, str]


@dataclass(frozen=True)
class Exchange:
    """Everything a call needs; `billed_to` is the judge that the ledger names."""

    settings: JudgeSettings
    prices: Prices
    transport: Transport
    ledger: Ledger
    run_id: str
    billed_to: str
    progress: Progress

    async def grade(self, payload: Payload, axes: Sequence[Axis], trace_id: str) -> Answer | None:
        """Ask until an answer can be used, twice at most; None where it stays pending.

        A reply that was cut off is asked for again with twice the tokens, one that cannot be
        read with a reminder of the form; a refusal is taken as it is.
        """
        code, snapshot, max_tokens = "unparsable", "", self.settings.max_tokens
        for again in (False, True):
            marker = f"DATA-{secrets.token_hex(8)}"
            messages = write_messages(
                payload.data, axes, marker, again=again, datamarking=self.settings.datamarking
            )
            reply = await self._call(payload, axes, trace_id, messages, max_tokens)
            if reply is None:
                return None
            if isinstance(reply, str):
                code = reply
                break
            snapshot = reply.snapshot
            if reply.finish_reason == "length":
                code, max_tokens = "truncated", max_tokens * 2
                continue
            if reply.refused:
                code = "refused"
                break
            try:
                judgements, reasoning = read_reply(reply.text, axes, marker, payload.refs)
            except ReplyProblem as problem:
                code = problem.code
                continue
            return Answer(_from(snapshot, judgements), reasoning)
        return Answer(_from(snapshot, problem_judgements(code, axes)), {})

    async def _call(
        self,
        payload: Payload,
        axes: Sequence[Axis],
        trace_id: str,
        messages: list[dict[str, str]],
        max_tokens: int,
    ) -> ModelReply | str | None:
        """One paid call: the reply, a problem's code, or None where it stays pending."""
        most = self.prices.most(sum(len(m["content"].encode()) for m in messages), max_tokens)
        limits = Limits(self.settings.budget_usd_per_run, self.settings.budget_usd_per_day)
        try:
            call_id = self.ledger.reserve(
                self.run_id, self.billed_to, payload.content, trace_id, most, limits
            )
        except BudgetSpent as spent:
            self.progress.why = self.progress.why or str(spent)
            return None
        started = time.monotonic()
        outcome, reply, lost = "lost", None, 1
        try:
            reply = await self.transport.ask(messages, reply_schema(axes), max_tokens)
            outcome, lost, self.progress.failed_in_a_row = "answered", reply.lost, 0
            return reply
        except Rejected:
            outcome, lost = "rejected", 0
            return "rejected"
        except Unavailable as error:
            outcome, lost = error.code, error.lost
            self.progress.failed_in_a_row += 1
            self.progress.last_failure = f"the provider does not answer: {error.code}"
            if self.progress.failed_in_a_row >= _GIVE_UP:
                self.progress.why = self.progress.why or self.progress.last_failure
            return None
        except JudgeRefused as error:
            outcome, lost, self.progress.refused = "refused_access", 0, error
            return None
        finally:
            latency = (time.monotonic() - started) * 1000
            self.ledger.settle(call_id, self._record(outcome, reply, latency, most, lost))

    def _record(
        self, outcome: str, reply: ModelReply | None, latency: float, most: float, lost: int
    ) -> CallRecord:
        # each try that timed out may have been billed: it counts in full, other failures do not
        if reply is None:
            return CallRecord(outcome, most * lost, latency)
        told = reply.input_tokens is not None and reply.output_tokens is not None
        cost = self.prices.cost(reply.input_tokens or 0, reply.output_tokens or 0)
        return CallRecord(
            outcome,
            (cost if told else most) + most * lost,
            latency,
            reply.input_tokens,
            reply.output_tokens,
            reply.model,
            reply.fingerprint,
        )


def _from(snapshot: str, judgements: Sequence[Judgement]) -> tuple[Judgement, ...]:
    return tuple(replace(one, snapshot=snapshot) for one in judgements)
