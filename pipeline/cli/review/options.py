"""What the commands of `caselaw review` have in common."""

from __future__ import annotations

import getpass
import json
import os
from typing import Any

import click

__all__ = ["AS", "FULL", "JSON", "MORE", "echo_json", "who_again"]


def _login() -> str:
    """Who sits here, where nobody said."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "reviewer"


AS = click.option(
    "--as", "reviewer", envvar="CASELAW_REVIEWER", default=_login, metavar="NAME",
    help="Who reviews; else CASELAW_REVIEWER, else the login name.",
)  # fmt: skip
JSON = click.option("--json", "as_json", is_flag=True, help="One JSON object, for programs.")
FULL = click.option("--full", is_flag=True, help="Fold nothing.")
MORE = click.option("--more", is_flag=True, help="Go on beyond the quota of the day.")


def who_again(reviewer: str) -> tuple[str, ...]:
    """How to give the same name again: not at all where it is the default."""
    default = os.environ.get("CASELAW_REVIEWER") or _login()
    return () if reviewer == default else ("--as", reviewer)


def echo_json(body: Any) -> None:
    """One line of pure ASCII, so that nothing in it reaches a terminal as it is."""
    click.echo(json.dumps(body, default=_plain, sort_keys=True))


def _plain(value: Any) -> Any:
    return sorted(value) if isinstance(value, frozenset) else str(value)
