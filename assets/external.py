"""What people and other systems own: named in the graph, never made by it."""

import dagster as dg

__all__ = ["REGISTRY", "SPECS", "annotations", "landing_files", "registry_key"]

REGISTRY = {
    "settings": "Budgets, thresholds and periods, in dated entries.",
    "intents": "What users come for: exemplars, stakes, the tools a right run uses.",
    "rules": "The deterministic checks and their parameters.",
    "rubric": "What the judge is asked, axis by axis.",
    "failure_modes": "Names, merges and states of failure modes, and claims of fixes, by people.",
    "opt_outs": "Users, tenants and traces that are never sampled.",
    "pii_policy": "What counts as personal data, and what may pass.",
}
"""Sections of the registry, each a YAML file of its own."""


def registry_key(section: str) -> dg.AssetKey:
    """The asset key of a section; the prefix keeps it apart from the tables."""
    return dg.AssetKey(["registry", section])


landing_files = dg.AssetSpec(
    "landing_files",
    group_name="traces",
    description="Trace files as they arrived in `landing/`, in whatever format. Full of personal "
    "data; only `raw_traces` reads them. The sensor `late_traces` sees what arrives late.",
)
annotations = dg.AssetSpec(
    "annotations",
    group_name="people",
    description="Verdicts, names and corrections by reviewers, one small file an action.",
)
SPECS = [
    landing_files,
    annotations,
    *(
        dg.AssetSpec(registry_key(section), group_name="registry", description=meaning)
        for section, meaning in REGISTRY.items()
    ),
]
