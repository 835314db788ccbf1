"""What every pull command has: its options, the run itself, and the command that goes on."""

from __future__ import annotations

import os
import shlex
import signal
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

import click

from pipeline.cli.options import say_next
from pipeline.datadir import DataDir

if TYPE_CHECKING:
    from pipeline.connectors import Platform

__all__ = ["When", "common_options", "run_pull", "secret", "setting"]


class _Moment(click.ParamType):  # type: ignore[type-arg]  # generic from click 8.4 on
    """A UTC day, or a time in ISO 8601 (UTC where it names no zone)."""

    name = "day or time"

    def __init__(self, *, last: bool) -> None:
        self._last = last

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> datetime:
        """A day as `--to` means its end."""
        if isinstance(value, datetime):
            return value
        try:
            day = date.fromisoformat(value) if len(value) == 10 else None
            moment = datetime.fromisoformat(value) if day is None else None
        except ValueError:
            self.fail(f"{value!r} is neither YYYY-MM-DD nor an ISO time", param, ctx)
        if moment is not None:
            return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
        assert day is not None
        return datetime.combine(day + timedelta(days=self._last), time(), UTC)


@dataclass(frozen=True)
class When:
    """The options that every pull has."""

    start: datetime | None
    end: datetime | None
    overlap: int
    minutes: int


def common_options(command: Callable[..., None]) -> Callable[..., None]:
    """--from, --to, --host, --overlap and --minutes."""
    for option in reversed((
        click.option("--from", "start", type=_Moment(last=False),
                     help="First UTC day, or a time; else where the last pull ended."),
        click.option("--to", "end", type=_Moment(last=True),
                     help="Last UTC day (all of it), or a time; else now."),
        click.option("--host", help="The server's URL."),
        click.option("--overlap", type=click.IntRange(0), default=15, show_default=True,
                     metavar="MINUTES", help="Pulled again where no --from is given: platforms "
                     "show records late."),
        click.option("--minutes", type=click.IntRange(1), default=120, show_default=True,
                     help="Stop after so long; the same command goes on."),
    )):  # fmt: skip
        command = option(command)
    return command


def run_pull(
    context: click.Context, platform: Platform, url: str, headers: Mapping[str, str],
    key_names: str, when: When, interval: float = 0.25,
) -> None:  # fmt: skip
    """Pull, print what came of it, and exit with 3 where it did not come to its end."""
    from pipeline.connectors import Api, ApiError, Busy, Limits, Window, checked_url, last_end
    from pipeline.connectors import pull as run
    from pipeline.connectors.answers import is_loopback

    place: DataDir = context.obj
    try:
        base = checked_url(url)
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    # A server on this very machine is nobody else's: no distance is kept.
    api = Api(base, headers, key_names,
              Limits(interval=0 if is_loopback(base) else interval, deadline=60 * when.minutes),
              say=click.echo)  # fmt: skip
    start, end = when.start, when.end or datetime.now(UTC).replace(microsecond=0)
    if start is None:
        before = last_end(place, platform.name, api.host, platform.selection)
        if before is None:
            raise click.UsageError("the first pull needs --from, such as --from 2026-11-01")
        start = before - timedelta(minutes=when.overlap)
    if start >= end:
        raise click.UsageError(f"nothing lies between {start:%Y-%m-%d %H:%M} and {end:%H:%M} UTC")
    again = _command(context, start, end)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # as Ctrl-C: what came is landed
    try:
        whole = run(place, api, platform, Window(start, end), click.echo)
    except (ApiError, Busy) as error:
        click.echo(f"caselaw: {error}", err=True)
    except KeyboardInterrupt:
        click.echo("caselaw: stopped", err=True)
    else:
        if whole:
            first, last = start.date(), (end - timedelta(microseconds=1)).date()
            days = (first + timedelta(days=n) for n in range((last - first).days + 1))
            say_next(place, (day.isoformat() for day in days))
            return
        click.echo("caselaw: the API told of more than it gave", err=True)
    finally:
        api.close()
    click.echo(f"What was pulled is landed. To go on: {again}", err=True)
    sys.exit(3)


def _command(context: click.Context, start: datetime, end: datetime) -> str:
    """The one command that goes on with this very window."""
    words = ["caselaw", "--data", str(context.obj.root), "pull", str(context.info_name)]
    values = {**context.params, "start": start, "end": end}
    for option in context.command.params:
        value = values.get(str(option.name))
        given = value if isinstance(value, tuple) else (value,)
        for one in given:
            if one is True:
                words.append(option.opts[0])
            elif one not in (None, False) and one != option.default:
                words += [
                    option.opts[0],
                    one.isoformat() if isinstance(one, datetime) else str(one),
                ]
    return shlex.join(words)


def setting(*names: str) -> str | None:
    """The first of these environment variables that is set."""
    return next((os.environ[name] for name in names if os.environ.get(name)), None)


def secret(name: str) -> str:
    """A key from the environment; it is never printed."""
    found = setting(name)
    if not found:
        raise click.UsageError(f"set {name}: keys come from the environment")
    return found
