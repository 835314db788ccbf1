"""Stands where Dagster expects an IO manager, and refuses."""

from __future__ import annotations

from typing import Any, NoReturn

import dagster as dg

__all__ = ["RefusingIOManager"]


class RefusingIOManager(dg.ConfigurableIOManager):
    """Raises on every use: assets publish to the lake themselves and hand no value over.

    Dagster's own default would pickle whatever an asset returns, personal data and all.
    """

    def handle_output(self, context: dg.OutputContext, obj: Any) -> NoReturn:
        """Refuse to store a value."""
        raise dg.DagsterInvariantViolationError(
            f"{context.step_key} returned a value of type {type(obj).__name__}; nothing was "
            "stored. Publish it to the lake and return the MaterializeResult"
        )

    def load_input(self, context: dg.InputContext) -> NoReturn:
        """Refuse to load a value."""
        raise dg.DagsterInvariantViolationError(
            f"{context.op_def.name} asks Dagster for the value of an asset; none is kept. Name the "
            "asset in `deps` and read its table from the lake"
        )
