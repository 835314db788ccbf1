"""What the documentation says is so: its examples run, its commands parse, its tables are whole."""

from __future__ import annotations

import ast
import re
import shlex
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from pipeline.cli.main import cli, main
from pipeline.ingest.quarantine import REASONS
from pipeline.ingest.readers import READERS, Reader
from pipeline.registry.settings import Ingest, Judge, Lifecycle, Privacy, Promotion, Review

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "land-your-traces.md"
PRIVACY = ROOT / "docs" / "privacy.md"
PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
INGEST = ROOT / "pipeline" / "ingest"

# ```json chat.jsonl is a file of the examples; ```console holds commands and what they print.
_FENCE = re.compile(r"^```(\w*)(?: (\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"[a-z]+(_[a-z0-9]+)*")


def fences(page: Path) -> list[tuple[str, str | None, str]]:
    """Language, file name and content of every fenced block."""
    return [(m[1], m[2] or None, m[3]) for m in _FENCE.finditer(page.read_text())]


def examples() -> list[str]:
    """The blocks of commands with their output."""
    return [content for language, _, content in fences(PAGE) if language == "console"]


def output_of(command: str, capsys: pytest.CaptureFixture[str]) -> str:
    """What a command line prints, in the order stdout, stderr."""
    with suppress(SystemExit):
        main(shlex.split(command)[1:])
    printed = capsys.readouterr()
    # The reader's data directory is the default one, which no command names.
    return re.sub(r" CASELAW_DATA=\S+", "", printed.out + printed.err)


@pytest.mark.parametrize("block", examples())
def test_an_example_prints_what_the_page_shows(
    block: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CASELAW_DATA", str(tmp_path / "data"))
    for _, name, content in fences(PAGE):
        if name:
            (tmp_path / name).write_text(content)
    shown = ""
    for line in block.splitlines():
        if line.startswith("$ "):
            shown += f"{line}\n{output_of(line[2:], capsys)}"
    assert shown == block


def commands() -> list[str]:
    """Every `caselaw` command line of the pages, in blocks and in the prose."""
    found: dict[str, None] = {}
    for page in PAGES:
        text = page.read_text()
        lines = [line for _, _, content in fences(page) for line in content.splitlines()]
        lines += re.findall(r"`(caselaw [^`]+)`", _FENCE.sub("", text))
        for line in lines:
            words = re.sub(r"\s# .*", "", line.removeprefix("$ "))
            words = re.sub(r"^(\w+=\S+ )+", "", words).partition(" > ")[0].strip()
            if words.startswith("caselaw "):
                found[words] = None
    return list(found)


@pytest.mark.parametrize("line", commands())
def test_a_command_line_parses(line: str) -> None:
    words = [word for word in shlex.split(line)[1:] if word != "..."]
    context = click.Context(cli, info_name="caselaw")
    command: click.Command = cli
    while True:
        # Named in prose, a command may stand without its arguments: only what is there is checked.
        parser = command.make_parser(context)
        parser.allow_interspersed_args = not isinstance(command, click.Group)
        values, words, order = parser.parse_args(args=words)
        for option in order:
            given = values.get(str(option.name))
            if isinstance(option, click.Option) and given is not None:
                option.type_cast_value(context, given)
        if not isinstance(command, click.Group) or not words:
            break
        name, found, words = command.resolve_command(context, words)
        assert found is not None
        command, context = found, click.Context(found, info_name=name, parent=context)
    assert not words or any(isinstance(p, click.Argument) for p in command.params), words


def every_command(group: click.Group, name: str) -> Iterator[str]:
    """The full names of all commands below a group."""
    for word, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from every_command(command, f"{name} {word}")
        else:
            yield f"{name} {word}"


@pytest.mark.parametrize("name", list(every_command(cli, "caselaw")))
def test_a_command_is_documented_and_tells_of_itself(name: str) -> None:
    assert any(name in page.read_text().replace("--data /tmp/try ", "") for page in PAGES)
    told = CliRunner().invoke(cli, [*name.split()[1:], "--help"])
    assert told.exit_code == 0
    assert len(told.output.splitlines()) > 3


@pytest.mark.parametrize("reader", READERS, ids=lambda reader: reader.name)
def test_a_format_is_documented(reader: Reader) -> None:
    assert f"`{reader.name}`" in PAGE.read_text()


@pytest.mark.parametrize("name", Ingest.model_fields)
def test_a_setting_is_documented_with_its_default(name: str) -> None:
    assert f"| `{name}` | {Ingest.model_fields[name].default} |" in PAGE.read_text()


@pytest.mark.parametrize("name", Judge.model_fields)
def test_a_setting_of_the_judge_is_documented_with_its_default(name: str) -> None:
    default = Judge.model_fields[name].get_default(call_default_factory=True)
    shown = "" if default in (None, (), {}) else f"{default} "
    assert f"| `{name}` | {shown}|" in (ROOT / "docs" / "judge.md").read_text()


@pytest.mark.parametrize("name", Privacy.model_fields)
def test_a_setting_of_privacy_is_documented(name: str) -> None:
    default = Privacy.model_fields[name].default
    shown = "as above" if default is None else default
    shown = f"`{default[0]}`, ..." if isinstance(default, tuple) else shown
    assert f"| `{name}` | {shown} |" in PRIVACY.read_text()


@pytest.mark.parametrize("name", Lifecycle.model_fields)
def test_a_setting_of_the_lifecycle_is_documented_with_its_default(name: str) -> None:
    shown = f"| `{name}` | {Lifecycle.model_fields[name].default} |"
    assert shown in (ROOT / "docs" / "modes-over-time.md").read_text()


@pytest.mark.parametrize("name", Review.model_fields)
def test_a_setting_of_the_review_is_documented_with_its_default(name: str) -> None:
    field = Review.model_fields[name]
    shown = f"| `{name}` | {field.default} | {field.description} |"
    assert shown in (ROOT / "docs" / "review.md").read_text()


@pytest.mark.parametrize(
    "name",
    ["duplicate_similarity", "duplicate_meaning", "example_share", "holdout_share",
     "prompt_files", "retire_after_days"],
)  # fmt: skip
def test_a_setting_of_the_suite_is_documented_with_its_default(name: str) -> None:
    default = Promotion.model_fields[name].default
    shown = "" if default == () else f"{default} "
    assert f"| `{name}` | {shown}|" in (ROOT / "docs" / "suite.md").read_text()


@pytest.mark.parametrize("code", REASONS)
def test_a_reason_is_documented_as_quarantine_says_it(code: str) -> None:
    assert f"| `{code}` | {REASONS[code]} |" in PAGE.read_text()


def texts_in(node: ast.AST) -> set[str]:
    """Every text in an expression that looks like a code, but for what it is compared with."""
    if isinstance(node, ast.Compare):
        return set()
    if isinstance(node, ast.Constant):
        text = node.value
        return {text} if isinstance(text, str) and _CODE.fullmatch(text.rstrip("_")) else set()
    return {text for child in ast.iter_child_nodes(node) for text in texts_in(child)}


def codes_in(node: ast.AST) -> set[str]:
    """The code that an expression is, or the two that it chooses between."""
    match node:
        case ast.Constant():
            return texts_in(node)
        case ast.IfExp(body=body, orelse=other):
            return codes_in(body) | codes_in(other)
    return set()


def syntax_trees() -> Iterator[ast.AST]:
    """The modules of ingest."""
    for path in sorted(INGEST.rglob("*.py")):
        if path.name != "quarantine.py":
            yield ast.parse(path.read_text())


def named(node: ast.AST) -> str:
    """The name that a call is of, or that is assigned to."""
    return node.id if isinstance(node, ast.Name) else getattr(node, "attr", "")


# What makes a record malformed, and at which place of its arguments the reason stands.
_MAKERS = {"Malformed": 0, "malformed": 0, "Unreadable": 0, "Unpacked": 0, "BadSpan": 0,
           "unreadable": 3, "read_one": 2, "read_each": 2}  # fmt: skip


def reasons_given() -> set[str]:
    """Every reason code that stands in the source of ingest."""
    found: set[str] = set()
    for tree in syntax_trees():
        for node in ast.walk(tree):
            match node:
                case ast.Call(func=func, args=args, keywords=keywords):
                    at = _MAKERS.get(named(func))
                    if at is not None and len(args) > at:
                        found |= codes_in(args[at])
                    for keyword in keywords:
                        found |= codes_in(keyword.value) if keyword.arg == "reason" else set()
                case ast.Assign(targets=[target], value=value):
                    # `reason, detail = "too_deep", f"..."`, and what several calls share.
                    if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
                        pairs = list(zip(target.elts, value.elts, strict=False))
                    else:
                        first = value.elts[0] if isinstance(value, ast.Tuple) else value
                        pairs = [(target, first)]
                    for to, text in pairs:
                        found |= codes_in(text) if named(to) in ("reason", "_BAD") else set()
                case ast.arguments(args=args, defaults=defaults):
                    for arg, default in zip(args[::-1], defaults[::-1], strict=False):
                        found |= codes_in(default) if arg.arg == "reason" else set()
    return found


def test_every_reason_that_ingest_gives_has_its_meaning_and_no_other() -> None:
    assert reasons_given() == set(REASONS)


def flags_given() -> set[str]:
    """Every flag that stands in the source of ingest: texts of sets where flags are made."""
    found: set[str] = set()
    for tree in syntax_trees():
        for function in ast.walk(tree):
            if isinstance(function, ast.FunctionDef) and "flag" in ast.unparse(function):
                for node in ast.walk(function):
                    match node:
                        case ast.Assign(targets=[ast.Name("flags" | "odd")], value=value):
                            found |= texts_in(value)
                        case ast.AugAssign(target=ast.Name("flags" | "odd"), value=value):
                            found |= texts_in(value)
                        case ast.Call(func=ast.Attribute(ast.Name("flags"), "add"), args=[value]):
                            found |= texts_in(value)
                        case ast.keyword(arg="flags", value=value):
                            found |= texts_in(value)
                        case ast.Return(value=ast.expr() as value):
                            sets = [n for n in ast.walk(value) if isinstance(n, ast.Set)]
                            found |= {text for one in sets for text in texts_in(one)}
    return found


def test_every_flag_that_ingest_sets_is_documented() -> None:
    table = PAGE.read_text().partition("**Flags**")[2].partition("## ")[0]
    rows = re.findall(r"^\| (`.+?) \|", table, re.MULTILINE)
    documented = {flag for row in rows for flag in re.findall(r"`(\w+)`", row)}
    units = {"time_unit_us", "time_unit_ms", "time_unit_s"}  # of f"time_unit_{unit}"
    assert documented - units == flags_given() - {"time_unit_"}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    prose = _FENCE.sub("", page.read_text())
    for target in re.findall(r"\]\(([^)\s]+)\)", prose):
        path, _, anchor = target.partition("#")
        if path.startswith("http"):
            continue
        linked = (page.parent / path).resolve() if path else page
        assert linked.exists(), target
        if anchor:
            titles = re.findall(r"^#+ (.+)$", _FENCE.sub("", linked.read_text()), re.MULTILINE)
            anchors = {re.sub(r"[^\w\- ]", "", t.lower()).replace(" ", "-") for t in titles}
            assert anchor in anchors, target
