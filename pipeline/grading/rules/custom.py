"""Rules that a function of one's own decides."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from pipeline.grading.conversation import Conversation
from pipeline.grading.rules.kinds import Finding, Scope, checks
from pipeline.registry import RegistryError
from pipeline.registry.rules import PythonFunction

__all__ = ["function_source", "load_function"]


@checks(PythonFunction)
def python_function(conversation: Conversation, params: PythonFunction, scope: Scope) -> Finding:
    """What the function says; whatever it raises is an error of this rule on this trace alone."""
    try:
        found = load_function(params.function)(conversation, params.options, scope)
    except RegistryError:
        raise
    except Exception as error:
        name = type(error).__name__
        return Finding("error", f"The function broke ({name}).", error_class="check_broke")
    if not isinstance(found, Finding):
        return Finding("error", "The function gave no Finding.", error_class="check_broke")
    return found


@lru_cache(maxsize=64)
def load_function(name: str) -> Callable[..., Any]:
    """Import `module:function`.

    Raises:
        RegistryError: there is no such module or function; the message names it.
    """
    module, _, attribute = name.partition(":")
    try:
        found = getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError) as error:
        raise RegistryError(
            f"rules.yaml: function {name!r} cannot be imported ({type(error).__name__}); the "
            "module must be installed or stand on PYTHONPATH"
        ) from None
    if not callable(found):
        raise RegistryError(f"rules.yaml: {name!r} is no function")
    return found  # type: ignore[no-any-return]


def function_source(name: str) -> str:
    """What a rule's version hangs on: the text of the module that the function stands in."""
    module = inspect.getmodule(load_function(name))
    return inspect.getsource(module) if module else name
