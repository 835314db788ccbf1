"""The commands that pull traces from a platform's API."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import click

from pipeline.cli.pulling import When, common_options, run_pull, secret, setting

__all__ = ["pull"]

_ONE_API = click.Choice(["auto", "current", "legacy"])


@click.group()
def pull() -> None:
    """Pull traces from a platform's API into landing.

    Keys come from the environment. The same command goes on where it was stopped. Exit code 3:
    it stopped, or the API told of more than it gave.
    """


@pull.command()
@common_options
@click.option("--environment", "environments", multiple=True, help="Only these environments.")
@click.option("--tag", "tags", multiple=True, help="Only traces with all of these tags.")
@click.option("--user", help="Only this user's.")
@click.option("--session", help="Only this session's.")
@click.option("--name", help="Only traces of this name.")
@click.option("--metadata", "metadata_keys", multiple=True, metavar="KEY",
              help="Get these metadata in full: others are cut at 200 characters.")  # fmt: skip
@click.option("--api", type=_ONE_API, default="auto", show_default=True,
              help="legacy: a self-hosted server v3.")  # fmt: skip
@click.pass_context
def langfuse(
    context: click.Context, /, start: datetime | None, end: datetime | None, host: str | None,
    overlap: int, minutes: int, **chosen: Any,
) -> None:  # fmt: skip
    """Observations and scores (of a server v3: traces too) of a Langfuse project.

    LANGFUSE_PUBLIC_KEY and LANGFUSE_SECRET_KEY; LANGFUSE_HOST or LANGFUSE_BASE_URL.
    """
    from pipeline.connectors import Platform
    from pipeline.connectors.langfuse import LangfuseFilters, authorization, plan

    public, private = secret("LANGFUSE_PUBLIC_KEY"), secret("LANGFUSE_SECRET_KEY")
    filters = LangfuseFilters(**chosen)
    platform = Platform("langfuse", (public, filters.environments, filters.tags, filters.user,
                                     filters.session, filters.name, filters.metadata_keys),
                        plan(filters, datetime.now(UTC)))  # fmt: skip
    url = host or setting("LANGFUSE_HOST", "LANGFUSE_BASE_URL") or "https://cloud.langfuse.com"
    names = "LANGFUSE_PUBLIC_KEY and LANGFUSE_SECRET_KEY"
    run_pull(
        context,
        platform,
        url,
        authorization(public, private),
        names,
        When(start, end, overlap, minutes),
    )


@pull.command()
@common_options
@click.option("--project", envvar="LANGSMITH_PROJECT", help="The project's name or id.")
@click.option("--name", help="Only traces whose root run has this name.")
@click.option("--tag", "tags", multiple=True, help="Only traces whose root run has these tags.")
@click.option("--session", help="Only traces of this thread.")
@click.option("--run-type", help="Only runs of this type: llm, tool, ...")
@click.option("--roots-only", is_flag=True, help="Only root runs, without what lies below.")
@click.option("--filter", metavar="EXPRESSION", help="On every run, in LangSmith's language.")
@click.option("--trace-filter", metavar="EXPRESSION", help="The same, on the root run.")
@click.option("--api", type=_ONE_API, default="auto", show_default=True,
              help="current: /api/v2/runs/query.")  # fmt: skip
@click.pass_context
def langsmith(
    context: click.Context, /, start: datetime | None, end: datetime | None, host: str | None,
    overlap: int, minutes: int, project: str | None, **chosen: Any,
) -> None:  # fmt: skip
    """Runs and their feedback of a LangSmith project.

    LANGSMITH_API_KEY, for more than one workspace LANGSMITH_WORKSPACE_ID; LANGSMITH_ENDPOINT.
    """
    from pipeline.connectors import Platform
    from pipeline.connectors.langsmith import LangSmithFilters, plan, root_of

    if not project:
        raise click.UsageError("name the project: --project or LANGSMITH_PROJECT")
    key, workspace = secret("LANGSMITH_API_KEY"), setting("LANGSMITH_WORKSPACE_ID")
    filters = LangSmithFilters(project, **chosen)
    selection = (workspace, project, filters.name, filters.tags, filters.session, filters.run_type,
                 filters.roots_only, filters.filter, filters.trace_filter)  # fmt: skip
    headers = {"x-api-key": key} | ({"X-Tenant-Id": workspace} if workspace else {})
    url = root_of(host or setting("LANGSMITH_ENDPOINT") or "https://api.smith.langchain.com")
    platform = Platform("langsmith", selection, plan(filters))
    run_pull(
        context,
        platform,
        url,
        headers,
        "LANGSMITH_API_KEY",
        When(start, end, overlap, minutes),
        interval=1,
    )


@pull.command()
@common_options
@click.option("--project", envvar="PHOENIX_PROJECT_NAME", default="default", show_default=True,
              help="The project's name or id.")  # fmt: skip
@click.option("--name", "names", multiple=True, help="Only spans of these names.")
@click.option("--span-kind", "span_kinds", multiple=True, help="Only spans of these kinds: LLM ...")
@click.option("--attribute", "attributes", multiple=True, metavar="KEY:VALUE",
              help="Only spans with all of these, such as session.id:abc.")  # fmt: skip
@click.option("--roots-only", is_flag=True, help="Only root spans, without what lies below.")
@click.pass_context
def phoenix(
    context: click.Context, /, start: datetime | None, end: datetime | None, host: str | None,
    overlap: int, minutes: int, **chosen: Any,
) -> None:  # fmt: skip
    """Spans and annotations of a Phoenix project.

    PHOENIX_API_KEY where the server asks for one; PHOENIX_COLLECTOR_ENDPOINT or PHOENIX_HOST.
    """
    from pipeline.connectors import Platform
    from pipeline.connectors.phoenix import PhoenixFilters, authorization, plan

    filters = PhoenixFilters(**chosen)
    selection = (filters.project, filters.names, filters.span_kinds, filters.attributes,
                 filters.roots_only)  # fmt: skip
    url = host or setting("PHOENIX_COLLECTOR_ENDPOINT", "PHOENIX_HOST") or "http://127.0.0.1:6006"
    platform = Platform("phoenix", selection, plan(filters))
    headers = authorization(setting("PHOENIX_API_KEY"))
    when = When(start, end, overlap, minutes)
    run_pull(context, platform, url, headers, "PHOENIX_API_KEY", when)
