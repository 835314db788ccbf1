"""The page of a day, as HTML and as Markdown: made of the summary's figures alone."""

from __future__ import annotations

import base64
import hashlib
from functools import lru_cache
from pathlib import Path

import jinja2
from markupsafe import Markup

from pipeline.datadir import DataDir
from pipeline.files import make_directory, replace_file, sweep
from pipeline.lake import Lake
from pipeline.report import figures
from pipeline.report.figures import Figures
from pipeline.report.headline import headline
from pipeline.report.paid import Paid, read_paid
from pipeline.report.summary import Summary

__all__ = ["render_html", "render_markdown", "write_pages"]

_TEMPLATES = Path(__file__).resolve().parent / "templates"


def render_html(summary: Summary, paid: Paid | None = None) -> str:
    """The page as one HTML file: no script, nothing remote, a strict content policy.

    Args:
        summary: the day.
        paid: what the ledger says, where it is known; left out otherwise.
    """
    style = (_TEMPLATES / "summary.css").read_text("utf-8")
    hashed = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return _render("summary.html.j2", summary, paid, style=Markup(style), style_hash=hashed)


def render_markdown(summary: Summary, paid: Paid | None = None) -> str:
    """The same page as Markdown that reads well as plain text."""
    return _render("summary.md.j2", summary, paid)


def write_pages(place: DataDir, summary: Summary) -> tuple[Path, Path]:
    """Write `summary.html` and `summary.md` of the day, each swapped in whole.

    What was really paid for judging is read from the ledger here: the pages say it, the published
    figures do not.

    Returns:
        Their paths, HTML first.
    """
    paid = read_paid(Lake(place), summary.window)
    folder = place.reports / str(summary.window)
    make_directory(folder, private=False)
    pages = {
        "summary.html": render_html(summary, paid),
        "summary.md": render_markdown(summary, paid),
    }
    sweep(folder)
    for name, text in pages.items():
        with replace_file(folder / name) as aside:
            aside.write_text(text, "utf-8")
    return folder / "summary.html", folder / "summary.md"


def _render(template: str, summary: Summary, paid: Paid | None, **more: object) -> str:
    found = Figures(summary.frame)
    return (
        _environment()
        .get_template(template)
        .render(
            day=summary.window.first,
            figures=found,
            headline=headline(found),
            paid=paid,
            table=figures.table,
            **more,
        )
    )


@lru_cache(maxsize=1)
def _environment() -> jinja2.Environment:
    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATES),
        autoescape=jinja2.select_autoescape(["html.j2", "html"]),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    made.filters |= {
        name: getattr(figures, name)
        for name in (
            "amount", "estimated", "interval", "money", "money_interval", "percent",
            "percent_interval", "plain", "plural",
        )
    }  # fmt: skip
    return made
