"""The deterministic rules: one function a kind, run over one conversation at a time."""

from pipeline.grading.rules import (
    arguments,
    citation,
    contract,
    custom,
    dialogue,
    disclosure,
    drift,
    expected,
    grounding,
    limits,
    records,
    security,
    tools,
    trajectory,
    use,
)
from pipeline.grading.rules.kinds import Finding, Scope, Verdict, check_of
from pipeline.grading.rules.running import RULES_VERSION, rule_identity, run_rules
from pipeline.grading.rules.tampering import is_suspected

__all__ = [
    "RULES_VERSION",
    "Finding",
    "Scope",
    "Verdict",
    "check_of",
    "is_suspected",
    "rule_identity",
    "run_rules",
]

_FAMILIES = (
    arguments,
    citation,
    contract,
    custom,
    dialogue,
    disclosure,
    drift,
    expected,
    grounding,
    limits,
    records,
    security,
    tools,
    trajectory,
    use,
)  # imported to register checks
