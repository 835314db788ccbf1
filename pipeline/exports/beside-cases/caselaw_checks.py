"""Runs the checks of the cases in cases.jsonl: the same code as in Caselaw, from any Python.

It needs the standard library alone. The checks run in one process of the command `caselaw`, which
may live in an environment of its own: CASELAW_COMMAND says how it is called where it is not on
the PATH.
"""

from __future__ import annotations

import atexit
import importlib
import json
import os
import shlex
import subprocess
import sys
import threading
from pathlib import Path

HERE = Path(__file__).resolve().parent
CASES = HERE / "cases.jsonl"


def load_cases():
    """The cases by id."""
    with CASES.open(encoding="utf-8") as lines:
        return {case["id"]: case for case in map(json.loads, lines)}


def given(case):
    """What an agent may see of a case: nothing of what is expected of it."""
    tools = case.get("tools") or {}
    asked = case["input"]
    messages = [{"role": "user", "content": asked}] if isinstance(asked, str) else asked["messages"]
    return {
        "id": case["id"],
        "messages": messages,
        "fixtures": tools.get("fixtures") or [],
        "documents": tools.get("documents") or [],
    }


def load_agent(named=None):
    """The agent that CASELAW_AGENT names, as module:function of the working directory's modules.

    It is called with what `given` returns, and returns its answer: a text, or a mapping with
    answer, calls, messages, documents, finish_reason, turns, tokens.
    """
    named = named or os.environ.get("CASELAW_AGENT", "")
    module, _, function = named.partition(":")
    if not (module and function):
        raise RuntimeError("say which agent to test: CASELAW_AGENT=module:function")
    # PWD too: Inspect changes into the folder of the task
    for folder in (os.environ.get("PWD", ""), os.getcwd()):
        if folder not in sys.path:
            sys.path.insert(0, folder)
    return getattr(importlib.import_module(module), function)


class Checker:
    """One running `caselaw check-answer --stream`; safe to be shared by threads."""

    def __init__(self):
        self._lock = threading.Lock()
        self._process = None

    def check(self, case_id, answer):
        """The verdict on an answer: {"case", "passed": true | false | null, "checks": [...]}."""
        with self._lock:
            process = self._started()
            process.stdin.write(json.dumps({"case": case_id, "answer": answer}) + "\n")
            process.stdin.flush()
            line = process.stdout.readline()
        if not line:
            raise RuntimeError("caselaw check-answer ended; its own message says why")
        verdict = json.loads(line)
        if "error" in verdict:
            raise RuntimeError(f"{case_id}: {verdict['error']}")
        return verdict

    def close(self):
        """End the process."""
        if self._process is not None:
            self._process.stdin.close()
            self._process.stdout.close()
            self._process.wait(10)
            self._process = None

    def _started(self):
        if self._process is None:
            command = shlex.split(os.environ.get("CASELAW_COMMAND", "caselaw"))
            try:
                self._process = subprocess.Popen(
                    [*command, "check-answer", "--cases", str(CASES), "--stream"],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    encoding="utf-8",
                )
            except FileNotFoundError:
                raise RuntimeError(
                    f"no command {command[0]!r}: set CASELAW_COMMAND to Caselaw's own, "
                    "CHECKOUT/.venv/bin/caselaw"
                ) from None
            atexit.register(self.close)
        return self._process


CHECKER = Checker()


def check(case_id, answer):
    """The verdict of the checks of a case on an answer."""
    return CHECKER.check(case_id, answer)


def told(verdict):
    """What failed or could not be decided, a line each."""
    lines = []
    for result in verdict["checks"]:
        word = {True: "passed", False: "FAILED", None: "undecided"}[result["passed"]]
        expects = f": the agent {result['expects']}" if result["expects"] else ""
        why = f" ({result['why']})" if result.get("why") else ""
        lines.append(f"{result['kind']} {word}{expects}{why}")
    return "\n".join(lines)
