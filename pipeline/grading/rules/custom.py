"""Rules that a function of one's own decides."""

from __future__ import annotations

import importlib
import inspect
import sys
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from copy import deepcopy
from dataclasses import replace
from functools import lru_cache
from io import StringIO
from typing import Any, Final, get_args

from pipeline.grading.conversation import Conversation
from pipeline.grading.rules.kinds import Finding, Scope, Verdict, checks
from pipeline.registry import RegistryError
from pipeline.registry.rules import PythonFunction

__all__ = ["function_source", "load_function"]

_LONGEST: Final = 300  # characters of a reason: one sentence


@checks(PythonFunction)
def python_function(conversation: Conversation, params: PythonFunction, scope: Scope) -> Finding:
    """What the function says; whatever goes wrong in it is an error of this rule on this trace.

    It gets copies, so that nothing it changes reaches another rule or trace, and what it prints
    is dropped: logs hold no text of a trace.
    """
    function = load_function(params.function)
    own = replace(conversation, turns=deepcopy(conversation.turns))
    options = deepcopy(dict(params.options))
    try:
        with redirect_stdout(StringIO()), redirect_stderr(StringIO()):
            found = function(own, options, scope)
    except (Exception, SystemExit) as error:
        return _broken(f"The function broke ({type(error).__name__}).")
    return _broken(wrong) if (wrong := _complaint(found, conversation)) else found


def _broken(reason: str) -> Finding:
    return Finding("error", reason, error_class="check_broke")


def _complaint(found: Any, conversation: Conversation) -> str | None:
    """What keeps a result from standing among the grades; None: nothing."""
    if not isinstance(found, Finding):
        return "The function gave no Finding."
    if found.verdict not in get_args(Verdict):
        return f"The function gave no verdict of {', '.join(get_args(Verdict))}."
    texts = (found.reason, found.subject or "", found.error_class or "")
    if not all(isinstance(text, str) and len(text) <= _LONGEST for text in texts) or not texts[0]:
        return f"The function's reason, subject or code is no text of at most {_LONGEST} letters."
    evidence = found.evidence
    if not isinstance(evidence, tuple) or not set(map(str, evidence)) <= conversation.refs:
        return "The function named evidence that the conversation does not hold."
    return None


def load_function(name: str) -> Callable[..., Any]:
    """Import `module:function`.

    Raises:
        RegistryError: there is no such module or function; the message names it.
    """
    return _load(name)[0]


def function_source(name: str) -> str:
    """What a rule's version hangs on: the text of the function's module, as it was imported.

    Raises:
        RegistryError: as `load_function`, and where the function has no text.
    """
    return _load(name)[1]


@lru_cache(maxsize=64)
def _load(name: str) -> tuple[Callable[..., Any], str]:
    module, _, attribute = name.partition(":")
    try:
        found = getattr(importlib.import_module(module), attribute)
    except (Exception, SystemExit) as error:  # a module may do anything when it is imported
        raise RegistryError(
            f"rules.yaml: function {name!r} cannot be imported ({type(error).__name__}); the "
            "module must be installed or stand on PYTHONPATH"
        ) from None
    if not callable(found):
        raise RegistryError(f"rules.yaml: {name!r} is no function")
    homes = dict.fromkeys((module, getattr(found, "__module__", None) or module))
    try:
        source = "\n".join(inspect.getsource(sys.modules[home]) for home in homes)
    except (OSError, TypeError, KeyError):
        raise RegistryError(
            f"rules.yaml: {name!r} has no Python text that a version could hang on; call it from "
            "a function of your own"
        ) from None
    return found, source
