"""The judge over litellm: any provider, or an OpenAI-compatible server of one's own."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Final

from pipeline.grading.judge.exchange import Answer, Exchange
from pipeline.grading.judge.interface import Case, Judgement, JudgeRefused, PendingCalls
from pipeline.grading.judge.loop import run_on_loop
from pipeline.grading.judge.payload import Payload, write_payload
from pipeline.grading.judge.prices import find_prices
from pipeline.grading.judge.progress import (
    Progress,
    read_kept,
    resolve,
)
from pipeline.grading.judge.prompt import prompt_digest
from pipeline.grading.judge.transport import Transport
from pipeline.grading.ledger import Ledger
from pipeline.ids import canonical_json, digest
from pipeline.registry import Axis
from pipeline.registry.settings import Judge as JudgeSettings

__all__ = ["REMOTE_VERSION", "RemoteJudge"]

REMOTE_VERSION: Final = "2"
"""Changes whenever a reply may be read otherwise."""


class RemoteJudge:
    """Asks a pinned model, keeps every answer, and stops at its budget.

    Args:
        settings: the section `judge`; `model` is required, `budget_usd_per_run` is for the
            lifetime of this object.
        rubric: the axes.
        ledger: folder of the ledger.
        billed_to: the judge that calls are booked under, where it is not this one (a jury).
        fresh: ask anew, whatever answers are kept, and keep none.

    Raises:
        JudgeRefused: no model is named, or its price is unknown.
    """

    def __init__(
        self,
        settings: JudgeSettings,
        rubric: Sequence[Axis],
        ledger: Path,
        billed_to: str | None = None,
        fresh: bool = False,
    ) -> None:
        if not settings.model:
            raise JudgeRefused(
                "judge: engine 'litellm' needs judge.model, a pinned model snapshot, in "
                "registry/settings.yaml; nothing was changed"
            )
        self._settings = settings
        self._axes = tuple(rubric)
        self._prices = find_prices(settings)
        self._folder = ledger
        self._run_id = secrets.token_hex(8)  # names this run in the ledger alone
        self._identity = "litellm-" + digest(
            REMOTE_VERSION,
            settings.model,
            settings.api_base,
            settings.temperature,
            settings.max_tokens,
            settings.datamarking,
            prompt_digest(self._axes),
            [axis.model_dump(mode="json") for axis in self._axes],
            size=6,
        )
        self._billed_to = billed_to or self._identity
        self._fresh = fresh

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
            run_on_loop(self._judge_all(cases, ledger, run))
        finally:
            ledger.close()
        if run.refused:
            raise run.refused
        if len(run.answers) < len(cases):
            raise PendingCalls(len(cases) - len(run.answers), len(run.answers), run.reason)
        return [run.answers[position] for position in range(len(cases))]

    def missing(self, cases: Sequence[Case]) -> int:
        """How many calls `judge` would make for these cases."""
        contents = {write_payload(case).content for case in cases}
        if self._fresh or not (self._folder / "judge.sqlite").exists():
            return len(contents)
        with contextlib.closing(Ledger(self._folder)) as ledger:
            return sum(ledger.answer(self._identity, content) is None for content in contents)

    async def _judge_all(self, cases: Sequence[Case], ledger: Ledger, run: Progress) -> None:
        payloads = [write_payload(case) for case in cases]
        contents = [payload.content for payload in payloads]
        firsts = self._read_kept(cases, contents, ledger, run)
        if firsts:
            await self._ask(cases, payloads, list(firsts.values()), ledger, run)
        for position, content in enumerate(contents):
            if position not in run.answers and firsts.get(content) in run.answers:
                run.answers[position] = run.answers[firsts[content]]
        for position in run.answers:
            run.answers[position] = resolve(run.answers[position], payloads[position])

    def _read_kept(
        self, cases: Sequence[Case], contents: Sequence[str], ledger: Ledger, run: Progress
    ) -> dict[str, int]:
        """Take the kept answers; of what is left, where each content stands first."""
        firsts: dict[str, int] = {}
        for position, content in enumerate(contents):
            body = None if self._fresh else ledger.answer(self._identity, content)
            if body is None:
                firsts.setdefault(content, position)
            else:
                trace_id = cases[position].conversation.trace_id
                ledger.hit(self._run_id, self._billed_to, content, trace_id)
                run.answers[position] = read_kept(body)
        return firsts

    async def _ask(
        self,
        cases: Sequence[Case],
        payloads: Sequence[Payload],
        positions: Sequence[int],
        ledger: Ledger,
        run: Progress,
    ) -> None:
        """Ask about the cases at `positions`, as many at once as the settings allow."""
        transport = Transport(self._settings)
        exchange = Exchange(
            self._settings, self._prices, transport, ledger, self._run_id, self._billed_to, run
        )
        work = iter(positions)

        async def take() -> None:
            for position in work:
                if run.stopped:
                    return
                case, payload = cases[position], payloads[position]
                trace_id = case.conversation.trace_id
                answer = await exchange.grade(payload, case.asked(self._axes), trace_id)
                if answer is not None:
                    run.answers[position] = self._keep(ledger, payload.content, answer)

        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(min(self._settings.concurrency, len(positions))):
                    group.create_task(take())
        except BaseExceptionGroup as failures:  # one that broke has ended the others
            raise failures.exceptions[0] from None

    def _keep(self, ledger: Ledger, content: str, answer: Answer) -> tuple[Judgement, ...]:
        """Keep an answer; what another run has kept meanwhile stands."""
        if self._fresh:
            return answer.judgements
        judgements = [asdict(one) for one in answer.judgements]
        body = {"judgements": judgements, "reasoning": answer.reasoning}
        kept = ledger.keep(self._identity, content, canonical_json(body).decode())
        return read_kept(kept)
