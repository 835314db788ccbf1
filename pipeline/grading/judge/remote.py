"""The judge over litellm: any provider, or an OpenAI-compatible server of one's own."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Final

from pipeline.grading.judge.interface import Case, Judgement, JudgeRefused, PendingCalls
from pipeline.grading.judge.prices import find_prices
from pipeline.grading.judge.progress import (
    Progress,
    read_kept,
    resolve,
    run_here_or_apart,
)
from pipeline.grading.judge.prompt import (
    Payload,
    prompt_digest,
    reply_schema,
    write_messages,
    write_payload,
)
from pipeline.grading.judge.reply import ReplyProblem, problem_judgements, read_reply
from pipeline.grading.judge.transport import ModelReply, Rejected, Transport, Unavailable
from pipeline.grading.ledger import CallRecord, Ledger
from pipeline.ids import canonical_json, digest
from pipeline.registry import Axis
from pipeline.registry.settings import Judge as JudgeSettings

__all__ = ["REMOTE_VERSION", "RemoteJudge"]

REMOTE_VERSION: Final = "1"
"""Changes whenever a reply may be read otherwise."""

_GIVE_UP: Final = 5  # calls in a row that found no provider: the rest is left pending


class RemoteJudge:
    """Asks a pinned model, keeps every answer, and stops at its budget.

    Args:
        settings: the section `judge`; `model` is required, `budget_usd_per_run` is for the
            lifetime of this object.
        rubric: the axes.
        ledger: folder of the ledger.

    Raises:
        JudgeRefused: no model is named, or its price is unknown.
    """

    def __init__(self, settings: JudgeSettings, rubric: Sequence[Axis], ledger: Path) -> None:
        if not settings.model:
            raise JudgeRefused(
                "judge: engine 'litellm' needs judge.model, a pinned model snapshot, in "
                "registry/settings.yaml; nothing was changed"
            )
        self._settings = settings
        self._axes = tuple(rubric)
        self._schema = reply_schema(self._axes)
        self._prices = find_prices(settings)
        self._folder = ledger
        self._run_id = secrets.token_hex(8)  # names this run in the ledger alone
        self._identity = "litellm-" + digest(
            REMOTE_VERSION,
            settings.model,
            settings.api_base,
            settings.temperature,
            settings.max_tokens,
            prompt_digest(self._axes),
            [axis.model_dump(mode="json") for axis in self._axes],
            size=6,
        )

    @property
    def identity(self) -> str:
        """Digest of engine, model, server, parameters, prompt and rubric."""
        return self._identity

    @property
    def axes(self) -> tuple[Axis, ...]:
        """The axes of the rubric."""
        return self._axes

    def judge(self, cases: Sequence[Case]) -> list[tuple[Judgement, ...]]:
        """Grade `cases`; kept answers cost nothing, equal conversations are asked about once.

        Raises:
            PendingCalls: the budget ran out or the provider does not answer.
            JudgeRefused: the provider refuses model or key.
        """
        run = Progress()
        ledger = Ledger(self._folder)
        try:
            run_here_or_apart(lambda: asyncio.run(self._judge_all(cases, ledger, run)))
        finally:
            ledger.close()
        if run.refused:
            raise run.refused
        if len(run.answers) < len(cases):
            raise PendingCalls(len(cases) - len(run.answers), len(run.answers), run.why)
        return [run.answers[position] for position in range(len(cases))]

    async def _judge_all(self, cases: Sequence[Case], ledger: Ledger, run: Progress) -> None:
        payloads = [write_payload(case) for case in cases]
        contents = [payload.content for payload in payloads]
        firsts: dict[str, int] = {}
        for position, content in enumerate(contents):
            body = ledger.answer(self._identity, content)
            if body is not None:
                trace_id = cases[position].conversation.trace_id
                ledger.hit(self._run_id, self._identity, content, trace_id)
                run.answers[position] = read_kept(body)
            else:
                firsts.setdefault(content, position)
        transport = Transport(self._settings) if firsts else None
        work = iter(firsts.items())

        async def take() -> None:
            for _, position in work:
                if run.stopped or transport is None:
                    return
                trace_id = cases[position].conversation.trace_id
                await self._judge_one(
                    transport, ledger, run, trace_id, payloads[position], position
                )

        await asyncio.gather(*(take() for _ in range(min(self._settings.concurrency, len(firsts)))))
        for position, content in enumerate(contents):
            if position not in run.answers and firsts.get(content) in run.answers:
                run.answers[position] = run.answers[firsts[content]]
        for position in run.answers:
            run.answers[position] = resolve(run.answers[position], payloads[position])

    async def _judge_one(
        self,
        transport: Transport,
        ledger: Ledger,
        run: Progress,
        trace_id: str,
        payload: Payload,
        position: int,
    ) -> None:
        content = payload.content
        code, max_tokens = "unparsable", self._settings.max_tokens
        for again in (False, True):
            marker = f"DATA-{secrets.token_hex(8)}"
            messages = write_messages(payload.data, self._axes, marker, again=again)
            reply = await self._call(
                transport, ledger, run, trace_id, content, messages, max_tokens
            )
            if reply is None:
                return
            if isinstance(reply, str):
                code = reply
                break
            if reply.finish_reason == "length":
                code, max_tokens = "truncated", max_tokens * 2
                continue
            if reply.refused:
                code = "refused"
                break
            try:
                judgements, reasoning = read_reply(reply.text, self._axes, marker, payload.refs)
            except ReplyProblem as problem:
                code = problem.code
                continue
            self._keep(ledger, run, content, position, judgements, reasoning)
            return
        self._keep(ledger, run, content, position, problem_judgements(code, self._axes), {})

    async def _call(
        self,
        transport: Transport,
        ledger: Ledger,
        run: Progress,
        trace_id: str,
        content: str,
        messages: list[dict[str, str]],
        max_tokens: int,
    ) -> ModelReply | str | None:
        """One paid call: the reply, a problem's code, or None where it stays pending."""
        most = self._prices.most(sum(len(m["content"].encode()) for m in messages), max_tokens)
        budget = self._settings.budget_usd_per_run
        if ledger.spent(self._run_id) + most > budget:
            run.why = run.why or f"the budget of {budget:g} USD a run is used up"
            return None
        call_id = ledger.reserve(self._run_id, self._identity, content, trace_id, most)
        started = time.monotonic()
        outcome, reply = "lost", None
        try:
            reply = await transport.ask(messages, self._schema, max_tokens)
            outcome, run.failed_in_a_row = "answered", 0
            return reply
        except Rejected:
            outcome = "rejected"
            return "rejected"
        except Unavailable as error:
            outcome = error.code
            run.failed_in_a_row += 1
            if run.failed_in_a_row >= _GIVE_UP:
                run.why = run.why or f"the provider does not answer: {error.code}"
            return None
        except JudgeRefused as error:
            outcome, run.refused = "refused_access", error
            return None
        finally:
            latency = (time.monotonic() - started) * 1000
            ledger.settle(call_id, self._record(outcome, reply, latency, most))

    def _record(
        self, outcome: str, reply: ModelReply | None, latency: float, most: float
    ) -> CallRecord:
        if reply is None:
            # a call that timed out may have been billed: it counts in full, the others do not
            return CallRecord(outcome, most if outcome in ("timeout", "lost") else 0.0, latency)
        told = reply.input_tokens is not None and reply.output_tokens is not None
        cost = self._prices.cost(reply.input_tokens or 0, reply.output_tokens or 0)
        return CallRecord(
            outcome,
            cost if told else most,
            latency,
            reply.input_tokens,
            reply.output_tokens,
            reply.model,
            reply.fingerprint,
        )

    def _keep(
        self,
        ledger: Ledger,
        run: Progress,
        content: str,
        position: int,
        judgements: tuple[Judgement, ...],
        reasoning: dict[str, str],
    ) -> None:
        body = {"judgements": [asdict(j) for j in judgements], "reasoning": reasoning}
        ledger.keep(self._identity, content, canonical_json(body).decode())
        run.answers[position] = judgements
