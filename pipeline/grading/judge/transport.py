"""One call to a model through litellm, with retries that a provider can live with."""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
import time
import warnings
from dataclasses import dataclass, replace
from email.utils import parsedate_to_datetime
from typing import Any

from pipeline.grading.judge.interface import JudgeRefused
from pipeline.ids import digest
from pipeline.registry.settings import Judge as JudgeSettings

__all__ = ["ModelReply", "Rejected", "Transport", "Unavailable", "load_litellm"]

_LONGEST_WAIT = 60.0  # seconds; a Retry-After beyond it is not waited for


class Unavailable(RuntimeError):
    """The provider did not answer in time; `code` says how, `lost` how many tries timed out."""

    def __init__(self, code: str, lost: int = 0) -> None:
        super().__init__(code)
        self.code = code
        self.lost = lost


class Rejected(RuntimeError):
    """The provider will not take this call: its content or its length."""


@dataclass(frozen=True)
class ModelReply:
    """What came back."""

    text: str
    finish_reason: str
    refused: bool
    input_tokens: int | None
    output_tokens: int | None
    model: str | None
    fingerprint: str | None
    lost: int = 0
    """Tries before this one that timed out: the provider may bill them as well."""

    @property
    def snapshot(self) -> str:
        """Six hexadecimal characters for the model and fingerprint that answered, or nothing."""
        told = (self.model or "", self.fingerprint or "")
        return digest(*told, size=3) if any(told) else ""


def load_litellm() -> Any:
    """Import litellm so that it neither fetches its price list nor prints nor reports home."""
    os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")
    import litellm

    # both would print pieces of a reply, and a reply may quote the trace
    logging.getLogger("LiteLLM").setLevel(logging.CRITICAL)
    warnings.filterwarnings("ignore", message="Pydantic serializer warnings")
    litellm.suppress_debug_info = True
    litellm.turn_off_message_logging = True
    litellm.telemetry = False
    return litellm


class Transport:
    """Makes calls for one judge; all of its calls keep away while a provider asks for a pause.

    litellm's lighter client (`aiohttp_openai/`) takes half the CPU of this one, but turns every
    failure into a server error without its Retry-After, and drops the usage that calls are paid by.
    """

    def __init__(self, settings: JudgeSettings) -> None:
        self._settings = settings
        self._litellm = load_litellm()
        self._not_before = 0.0
        self._next_start = 0.0

    async def ask(
        self, messages: list[dict[str, str]], schema: dict[str, Any], max_tokens: int
    ) -> ModelReply:
        """Ask once, with up to `attempts` tries over failures that pass.

        Raises:
            Unavailable: every try was rate limited, timed out or failed on the way.
            Rejected: the provider refuses this very content.
            JudgeRefused: no access, no such model: no other call would fare better.
        """
        last, lost = Unavailable("unreachable"), 0
        for attempt in range(self._settings.attempts):
            await asyncio.sleep(self._wait())
            try:
                reply = _reply(await self._complete(messages, schema, max_tokens))
                return replace(reply, lost=lost)
            except Exception as error:
                last, wait = self._judge_error(error)
            lost += last.code == "timeout"
            if attempt + 1 < self._settings.attempts and not await self._pause(attempt, wait):
                break
        raise Unavailable(last.code, lost)

    def _wait(self) -> float:
        """Seconds until the next call may start; takes its place in the queue."""
        now = time.monotonic()
        start = max(now, self._not_before)
        if self._settings.calls_per_second:
            start = max(start, self._next_start)
            self._next_start = start + 1 / self._settings.calls_per_second
        return start - now

    async def _complete(
        self, messages: list[dict[str, str]], schema: dict[str, Any], max_tokens: int
    ) -> Any:
        settings = self._settings
        extra: dict[str, Any] = {}
        if settings.api_base:
            extra["api_base"] = settings.api_base
            # a server of one's own often wants no key, but the client will not go without
            extra["api_key"] = os.environ.get("OPENAI_API_KEY") or "none"
        call = self._litellm.acompletion(
            model=settings.model,
            messages=messages,
            temperature=settings.temperature,
            max_tokens=max_tokens,
            timeout=settings.timeout_seconds,
            num_retries=0,
            max_retries=0,
            drop_params=True,
            response_format={
                "type": "json_schema",
                "json_schema": {"name": "verdicts", "strict": True, "schema": schema},
            },
            **extra,
        )
        # litellm's own timeout restarts with every byte; a slow drip must end as well
        return await asyncio.wait_for(call, settings.timeout_seconds + 1)

    def _judge_error(self, error: Exception) -> tuple[Unavailable, float | None]:
        """Tell a failure that may pass from one that will not; the latter is raised."""
        kinds = self._litellm.exceptions
        if isinstance(error, TimeoutError | kinds.Timeout):
            return Unavailable("timeout"), None
        if isinstance(error, kinds.ContentPolicyViolationError | kinds.ContextWindowExceededError):
            raise Rejected from None
        status = getattr(error, "status_code", None)
        if isinstance(error, kinds.RateLimitError) or status == 429:
            return Unavailable("rate_limited"), _retry_after(error)
        if isinstance(
            error, kinds.AuthenticationError | kinds.PermissionDeniedError | kinds.NotFoundError
        ):
            raise JudgeRefused(
                f"judge: the provider refuses model {self._settings.model!r} "
                f"({type(error).__name__}); nothing was published and answers paid for are kept. "
                "Check the model's name and the provider's key in the environment, then run again"
            ) from None
        if isinstance(status, int) and 400 <= status < 500 and status not in (408, 409, 425):
            raise Rejected from None
        code = "server_error" if isinstance(status, int) and status >= 500 else "unreachable"
        return Unavailable(code), _retry_after(error)

    async def _pause(self, attempt: int, asked: float | None) -> bool:
        """Wait until the next try; false where the provider asks for more than is waited for."""
        if asked is not None:
            if asked > _LONGEST_WAIT:
                return False
            self._not_before = max(self._not_before, time.monotonic() + asked)
        # full jitter, so that calls which failed together do not come back together
        jitter = secrets.randbelow(1000) / 1000
        base = self._settings.backoff_seconds * 2**attempt
        await asyncio.sleep(max(asked or 0.0, 0.0) + min(base, _LONGEST_WAIT) * jitter)
        return True


def _retry_after(error: Exception) -> float | None:
    """Seconds that the provider asks to wait: it says how many, or until when."""
    headers = getattr(error, "litellm_response_headers", None)
    if not headers:
        headers = getattr(getattr(error, "response", None), "headers", None)
    value = (headers or {}).get("retry-after")
    if value is None:
        return None
    try:
        return max(0.0, float(value))
    except ValueError:
        pass
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - time.time())
    except (ValueError, OverflowError):
        return None


def _reply(response: Any) -> ModelReply:
    choice = response.choices[0]
    usage = getattr(response, "usage", None)
    text = choice.message.content or ""
    refusal = getattr(choice.message, "refusal", None) or (
        getattr(choice.message, "provider_specific_fields", None) or {}
    ).get("refusal")
    return ModelReply(
        text,
        choice.finish_reason or "",
        bool(refusal) or choice.finish_reason == "content_filter" or not text.strip(),
        _tokens(getattr(usage, "prompt_tokens", None)),
        _tokens(getattr(usage, "completion_tokens", None)),
        _label(getattr(response, "model", None)),
        _label(getattr(response, "system_fingerprint", None)),
    )


def _tokens(told: Any) -> int | None:
    """A number of tokens; anything else is none, so that the call counts in full."""
    return told if type(told) is int and told >= 0 else None


def _label(told: Any) -> str | None:
    return told[:200] if isinstance(told, str) else None
