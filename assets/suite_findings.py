"""What can be found out about the suite: it holds its index, is sound, and keeps its holdout."""

from __future__ import annotations

from collections import Counter

from assets.findings import Finding
from pipeline.lake import Lake
from pipeline.registry import Registry
from pipeline.suite import read_cases
from pipeline.suite.checking import check_cases, holdout_leaks, load_cases
from pipeline.suite.proposal import suite_folder
from pipeline.suite.store import FROM_PROD
from pipeline.tables import EVAL_SUITE

__all__ = ["cases_are_sound", "holdout_stays_apart", "suite_holds_its_index"]


def suite_holds_its_index(lake: Lake, registry: Registry, window: None) -> Finding:
    """`cases_from_prod.yaml` is plain YAML and holds each case of the index exactly once."""
    listed = set(read_cases(suite_folder(lake.place, registry) / FROM_PROD))
    indexed = set(lake.read(EVAL_SUITE, None)["case_id"])
    return Finding(
        listed == indexed,
        {
            "cases": len(listed),
            "not_in_index": len(listed - indexed),
            "not_in_file": len(indexed - listed),
        },
    )


def cases_are_sound(lake: Lake, registry: Registry, window: None) -> Finding:
    """Each case says what it must in words that there are, and no id stands in both files."""
    problems = check_cases(load_cases(suite_folder(lake.place, registry)))
    return Finding(not problems, {"problems": len(problems)})


def holdout_stays_apart(lake: Lake, registry: Registry, window: None) -> Finding:
    """No text of the holdout is near to an example or a prompt, and no session is torn apart.

    `caselaw suite check` names the cases.
    """
    folder = suite_folder(lake.place, registry)
    leaks, unread = holdout_leaks(load_cases(folder), lake.read(EVAL_SUITE, None), registry, folder)
    by_reason = Counter(leak.why for leak in leaks)
    facts = {f"near: {why}": number for why, number in sorted(by_reason.items())}
    return Finding(
        not leaks and not unread,
        {"leaking_cases": len({leak.case_id for leak in leaks}), "prompts_unread": len(unread)}
        | facts,
    )
