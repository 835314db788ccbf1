"""A conversation and its reasons as a reviewer reads them in a terminal.

Every line of the trace stands behind a bar, so that no text in it can pass for ours.
"""

from __future__ import annotations

import json
import shlex
import shutil
import sys
import textwrap
from collections.abc import Iterator, Sequence
from pathlib import Path

import click

from pipeline.cli.options import counted
from pipeline.cli.printing import harmless
from pipeline.datadir import DataDir
from pipeline.review.queue import Exhibit, Item, Passage

__all__ = ["command", "decide_commands", "page", "why_page"]

_LINES, _CHARACTERS = 14, 1200  # of one passage, before it is folded
_PROMPT_LINES = 2  # the same prompt stands above every conversation
_PASSAGES, _HEAD, _TAIL = 60, 10, 30  # of one conversation, before its middle is left out


def command(place: DataDir, *words: str) -> str:
    """The command line `caselaw review ...` for this data directory, to be pasted into a shell.

    Where a shell would not find `caselaw`, it is named as it was called.
    """
    own = [] if place.root == DataDir.from_environment().root else ["--data", str(place.root)]
    called = sys.argv[0]
    found = shutil.which("caselaw") or Path(called).name != "caselaw"
    return shlex.join(["caselaw" if found else called, *own, "review", *words])


def page(exhibit: Exhibit, *, full: bool) -> Iterator[str]:
    """The conversation, line by line."""
    head = [f"Trace {exhibit.trace_id}", str(exhibit.started_at or exhibit.day)[:16]]
    head += [harmless(one) for one in (exhibit.service, exhibit.release) if one]
    yield click.style("  ".join(head), bold=True)
    passages = exhibit.passages
    left_out = 0 if full or len(passages) <= _PASSAGES else len(passages) - _HEAD - _TAIL
    for number, passage in enumerate(passages):
        if left_out and _HEAD <= number < _HEAD + left_out and not passage.marked_by:
            if number == _HEAD:
                yield f"\n[{counted(left_out, 'passage')} here, shown where marked: --full]"
            continue
        yield ""
        yield from _passage(passage, full)
    if not passages:
        yield "(no message)"


def why_page(exhibit: Exhibit, item: Item | None) -> Iterator[str]:
    """Why it waits, and what was said of it, as far as that may be told."""
    if exhibit.feedback:
        yield "The user said: " + "; ".join(map(harmless, exhibit.feedback))
    for told in exhibit.told:
        where = f" [{', '.join(told.evidence)}]" if told.evidence else ""
        yield f"{told.verdict:<7} {told.check} ({told.layer}): {harmless(told.reason)}{where}"
    if item is None:
        yield "It is not in the queue." if not exhibit.blind else "It was drawn at random."
        return
    for case in item.cases:
        mode = f", {harmless(case.mode_name)}" if case.mode_name else ""
        twins = len(case.traces) - 1
        more = f", with {counted(twins, 'near-duplicate')}" if twins else ""
        yield f"{case.case_id}: {case.check} ({case.layer}), {case.severity}{mode}{more}"
    yield click.style("It waits because: ", bold=True) + harmless(" ".join(item.reasons))
    if item.value is not None:
        parts = ", ".join(f"{name} {part:.2f}" for name, part in item.parts.items())
        yield f"Waiting since {item.since}. Value of a look {item.value:.2f}: {parts}"
    if item.blind:
        yield "You are blind: nothing that a judge or a rule said is shown, so that yours counts."


def decide_commands(
    place: DataDir, trace: str, item: Item | None, axes: Sequence[str], who: Sequence[str]
) -> list[str]:
    """The commands that decide on a trace, ready to be pasted."""
    words = ["decide", trace]
    first = axes[0] if axes else "helpfulness"
    if item is not None and item.cases:
        name = item.cases[0].mode_name
        said = [["confirm", *(("--mode", name) if name else ())], ["reject"]]
        said += [["partial"]]
    else:
        said = [["good", "--axis", "rest=pass"]]
        said += [["bad", "--axis", f"{first}=fail", "--axis", "rest=pass"]]
    said += [["skip", "--note", "not my field"]]
    return [command(place, *words, *one, *who) for one in said]


def _passage(passage: Passage, full: bool) -> Iterator[str]:
    kind = {"call": "calls", "document": "found"}.get(passage.kind, passage.kind)
    title = " ".join(filter(None, (kind, harmless(passage.title).replace("\n", " "))))
    number = passage.ref.removeprefix("message:")
    line = f"[{number}] {title}" if passage.ref.startswith("message:") else title
    if passage.marked_by:
        yield click.style(f">> {line}   <- {', '.join(passage.marked_by)}", fg="yellow", bold=True)
    else:
        yield click.style(line, bold=True)
    text = harmless(_spaced(passage.text))
    prompt = passage.kind == "system" and not passage.marked_by
    shown = text if full else _folded(text, _PROMPT_LINES if prompt else _LINES)
    width = max(shutil.get_terminal_size((100, 24)).columns - 4, 20)
    for row in shown.split("\n"):
        for part in textwrap.wrap(row, width, replace_whitespace=False, break_on_hyphens=False) or [
            ""
        ]:
            yield f"  | {part}"
    if len(shown) < len(text):
        yield f"  [{len(text) - len(shown):,} more characters: --full]"


def _spaced(text: str) -> str:
    """JSON with spaces, so that lines break between its values; other text as it is."""
    if text[:1] not in ("{", "["):
        return text
    try:
        return json.dumps(json.loads(text), ensure_ascii=False)
    except (ValueError, RecursionError):
        return text


def _folded(text: str, lines: int) -> str:
    """The beginning of a long text."""
    rows = text.split("\n")
    if len(rows) <= lines and len(text) <= _CHARACTERS * lines // _LINES:
        return text
    return "\n".join(rows[:lines])[: _CHARACTERS * lines // _LINES]
