"""What a call costs: prices from the settings, else from litellm's own table."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.grading.judge.interface import JudgeRefused
from pipeline.registry.settings import Judge as JudgeSettings

__all__ = ["Prices", "find_prices"]


@dataclass(frozen=True)
class Prices:
    """USD per token read and written."""

    input: float
    output: float

    def cost(self, input_tokens: int, output_tokens: int) -> float:
        """USD of so many tokens."""
        return input_tokens * self.input + output_tokens * self.output

    def most(self, prompt_bytes: int, max_tokens: int) -> float:
        """The most a call can cost: no token is shorter than a byte of the prompt."""
        return self.cost(prompt_bytes, max_tokens)


def find_prices(settings: JudgeSettings) -> Prices:
    """The prices of the configured model.

    Raises:
        JudgeRefused: nobody knows them; a call of unknown cost is not made.
    """
    given = (settings.input_usd_per_million, settings.output_usd_per_million)
    if given[0] is not None and given[1] is not None:
        return Prices(given[0] / 1e6, given[1] / 1e6)
    from pipeline.grading.judge.transport import load_litellm

    table, name = load_litellm().model_cost, settings.model or ""
    known = table.get(name, {})
    if not known and not settings.api_base:  # the table often goes without the provider's name
        known = table.get(name.partition("/")[2], {})
    if "input_cost_per_token" in known and "output_cost_per_token" in known:
        return Prices(float(known["input_cost_per_token"]), float(known["output_cost_per_token"]))
    raise JudgeRefused(
        f"judge: the price of model {settings.model!r} is not known and no call was made. Set "
        "judge.input_usd_per_million and judge.output_usd_per_million in registry/settings.yaml "
        "(0 for a server of your own)"
    )
