"""The registry as it stood on a day, and errors that name file, line and field."""

from __future__ import annotations

import os
import shutil
from datetime import date
from pathlib import Path

import pytest

from pipeline.datadir import DataDir
from pipeline.registry import RegistryError, load_registry, read_yaml
from pipeline.windows import day, week

COMMITTED = Path(__file__).resolve().parents[2] / "data" / "registry"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the committed registry, to break."""
    return Path(shutil.copytree(COMMITTED, tmp_path / "registry"))


def test_the_committed_registry_is_sound() -> None:
    registry = load_registry(COMMITTED, day("2026-11-02"))
    assert registry.settings.sampling.budget_per_day == 200
    assert len(registry.intents) >= 20
    assert len(registry.rules) >= 12
    assert {axis.id for axis in registry.rubric} >= {
        "helpfulness", "faithfulness", "completeness", "tone",
    }  # fmt: skip


def test_a_data_directory_without_a_registry_uses_the_committed_one(place: DataDir) -> None:
    assert place.registry == COMMITTED
    (place.root / "registry").mkdir(parents=True)
    assert place.registry == place.root / "registry"


def test_a_setting_holds_from_its_day_on_and_changes_nothing_before(folder: Path) -> None:
    with (folder / "settings.yaml").open("a") as file:
        file.write("  - effective_from: 2026-11-09\n    sampling: {budget_per_day: 40}\n")
    before, after = (load_registry(folder, week(d)) for d in ("2026-11-02", "2026-11-09"))
    assert before.settings.sampling.budget_per_day == 200
    assert after.settings.sampling.budget_per_day == 40
    assert before.digests == load_registry(COMMITTED, week("2026-11-02")).digests
    changed = {name for name in before.digests if before.digests[name] != after.digests[name]}
    assert changed == {"settings.sampling"}


def test_a_retired_entry_is_gone_from_its_day_on(folder: Path) -> None:
    (folder / "failure_modes.yaml").write_text(
        "failure_modes:\n  - {id: old, name: Old, checks: [loop], retired_on: 2026-11-05}\n"
    )
    held = [len(load_registry(folder, date(2026, 11, n)).failure_modes) for n in (4, 5)]
    assert held == [1, 0]


def test_a_claimed_fix_holds_from_its_day_on_and_leaves_the_modes_as_they_were(
    folder: Path,
) -> None:
    with (folder / "failure_modes.yaml").open("a") as file:
        file.write("fixes:\n  - {mode: loop, release: '2.6.0', effective_from: 2026-11-09}\n")
    before, after = (load_registry(folder, week(d)) for d in ("2026-11-02", "2026-11-09"))
    assert (before.fixes, [fix.release for fix in after.fixes]) == ((), ["2.6.0"])
    changed = {name for name in before.digests if before.digests[name] != after.digests[name]}
    assert changed == {"fixes"}


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (
            "failure_modes:\n  - id: a\n    name: A\n    nme: B\n",
            r"line 4: failure_modes\[0\]\.nme: there is no such field",
        ),
        (
            "failure_modes:\n  - {id: a, name: A}\n  - {id: a, name: B}\n",
            r"line 3: failure_modes: id 'a' stands twice",
        ),
        (
            "failure_modes:\n  - {id: a, name: A, merged_into: b}\n",
            "line 2: failure_modes: .* names no entry: 'b'",
        ),
        (
            "failure_modes:\n  - {id: a, name: A, merged_into: b}\n"
            "  - {id: b, name: B, merged_into: a}\n",
            "line 2: failure_modes: merged_into of 'a' leads in a ring",
        ),
        ("failure_modes: [\n", "line 2"),
        ("modes: []\n", "one top-level key 'failure_modes'"),
        ("failure_modes: []\nfixs: []\n", "and beside it 'fixes' alone"),
        ("failure_modes: []\nfixes: {}\n", "'fixes' has to hold a list"),
        (
            "failure_modes: []\nfixes:\n  - {mode: a, release: '2', effective_from: 2026-01-05}\n"
            "  - {mode: a, relase: '2', effective_from: 2026-01-05}\n",
            r"line 4: fixes\[1\]\.release: Field required",
        ),
        (
            "failure_modes: []\nfixes:\n  - {mode: a, release: 2.6, effective_from: 2026-01-05}\n",
            r"line 3: fixes\[0\]\.release: Input should be a valid string",
        ),
        (
            "failure_modes: []\nfixes:\n  - {mode: a, release: '2'}\n",
            r"fixes\[0\]\.effective_from: Field required",
        ),
        (
            "failure_modes: []\nfixes:\n  - {mode: a, release: '2', effective_from: 2026-01-05}\n"
            "  - {mode: a, release: '3', effective_from: 2026-01-05}\n",
            "two fixes of 'a' from 2026-01-05 on",
        ),
        ("failure_modes:\n  - &x {id: a, name: A}\n  - *x\n", "line 3: aliases are not read"),
        ("failure_modes:\n  - id: a\n    id: b\n    name: A\n", "line 3: key 'id' stands twice"),
        ("failure_modes:\n  - !!python/object:os.system {}\n", "could not determine a constructor"),
        ("failure_modes:\n  - id: a\n    name: !!bool maybe\n", "line 3: no number, date"),
        (
            "failure_modes:\n  - id: a\n    name: !!timestamp x\n",
            "line 3: no number, date",
        ),
        ("failure_modes:\n  - id: a\n    name: " + "9" * 5000, "line 3: no number, date"),
        ('failure_modes:\n  - id: a\n    name: "\\ud800"\n', "line 3: half a character"),
        ('failure_modes:\n  - {id: a, name: ""}\n', "at least 1 character"),
    ],
)
def test_a_broken_file_is_explained(folder: Path, text: str, complaint: str) -> None:
    (folder / "failure_modes.yaml").write_text(text)
    with pytest.raises(RegistryError, match=complaint) as caught:
        load_registry(folder, day("2026-11-02"))
    assert "failure_modes.yaml" in str(caught.value)


def test_a_setting_out_of_range_is_explained(folder: Path) -> None:
    (folder / "settings.yaml").write_text("settings:\n  - sampling: {anomaly_share: 2}\n")
    with pytest.raises(
        RegistryError, match=r"settings\.yaml, line 2: settings\[0\]\.sampling\.anomaly_share"
    ):
        load_registry(folder, day("2026-11-02"))


@pytest.mark.parametrize("field", ["naming_api_base", "embedding_api_base"])
def test_a_server_without_a_scheme_is_refused_before_a_run_asks_it(
    folder: Path, field: str
) -> None:
    with (folder / "settings.yaml").open("a") as settings:
        settings.write(f"\n  - failures: {{{field}: 'localhost:4000'}}\n")
    with pytest.raises(RegistryError, match=rf"failures\.{field}: String should match pattern"):
        load_registry(folder, day("2026-11-02"))


def test_a_named_pipe_is_refused_and_waited_for_by_nobody(folder: Path) -> None:
    (folder / "rules.yaml").unlink()
    os.mkfifo(folder / "rules.yaml")
    with pytest.raises(RegistryError, match=r"rules\.yaml: no regular file"):
        load_registry(folder, day("2026-11-02"))


def test_a_file_that_is_no_text_is_explained(folder: Path) -> None:
    (folder / "rules.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(RegistryError, match=r"rules\.yaml"):
        read_yaml(folder / "rules.yaml")


RULE = "rules:\n  - id: quick\n    kind: {}\n    title: Quick\n    params: {}\n"


@pytest.mark.parametrize(
    ("file", "text", "complaint"),
    [
        ("rules", RULE.format("turn_limit", "\n      turnz: 3"),
         r"line 6: rules\[0\]\.params\.turnz: there is no such field"),
        ("rules", RULE.format("turn_limits", "{turns: 3}"), "no kind 'turn_limits'; .*rules kinds"),
        ("rules", RULE.format("tool_use", "{}"), "give required, forbidden or both"),
        ("rules", RULE.format("phrases", "{}"), "give forbidden, required or both"),
        ("rules", RULE.format("phrases", "{forbidden: ['(?=x)']}"), "not an RE2 pattern"),
        ("rules", RULE.format("citation", "{demand: exists, pattern: 'HC-1'}"), "needs one group"),
        ("rules", RULE.format("language", "{languages: [en, xx]}"), "languages: two languages or"),
        ("rules", RULE.format("amount_limit", "{tool: t, argument: a, most: .nan}"), "finite"),
        ("rules", RULE.format("tool_arguments", "{schemas: {t: {$ref: 'http://127.0.0.1:9/s'}}}"),
         "leads out of the schema; nothing is fetched"),
        ("rules", "rules:\n  - {id: a, kind: truncated, title: A, intents: [nope]}\n",
         "rule 'a' names intent 'nope'. None of these intents is in intents.yaml: rename"),
        ("rules", "rules:\n"
         "  - {id: a, kind: truncated, title: A, intents: [nope]}\n"
         "  - id: b\n    kind: truncated\n    title: B\n    examples:\n"
         "      - {verdict: pass, intent: gone, steps: [{user: hi}, {agent: hi}]}\n",
         "rule 'a' names intent 'nope'; an example of rule 'b' names intent 'gone'. None of"),
        ("rules", "rules:\n  - {id: tone, kind: truncated, title: A}\n", "name of an axis"),
        ("rules", "rules:\n  - {id: a, kind: truncated, title: A, effective_from: 2026-13-01}\n",
         "line 2: no such day"),
        ("rules", "rules:\n  - {[1]: 5}\n", "line 2: a key is a plain word"),
        ("rules", "rules: " + "[" * 3000 + "]" * 3000, "nested too deeply"),
        ("rubric", "rubric:\n  - {id: tone, definition: d, passes_when: p, codes: {none: x}}\n",
         "none stands for no fail"),
        ("settings", "settings:\n  - judge: {rates: {tonne: {low: 0.5}}}\n", "no axis 'tonne'"),
        ("settings", "settings:\n  - judge: {input_usd_per_million: -1}\n",
         r"line 2: settings\[0\]\.judge\.input_usd_per_million: .*greater than or equal to 0"),
        ("settings", "settings:\n  - judge: {}\n  - judge:\n      budget_usd_per_day: .nan\n",
         r"line 4: settings\[1\]\.judge\.budget_usd_per_day: .*finite"),
        ("settings", "settings:\n  - judge: {api_base: nowhere}\n", "judge.api_base"),
        ("settings", "settings:\n  - judge: {jury: [{engine: embedded}]}\n", "two members or more"),
    ],
)  # fmt: skip
def test_what_could_never_work_is_refused_with_its_place(
    folder: Path, file: str, text: str, complaint: str
) -> None:
    (folder / f"{file}.yaml").write_text(text)
    with pytest.raises(RegistryError, match=complaint) as caught:
        load_registry(folder, date(2026, 11, 10))
    assert f"{file}.yaml" in str(caught.value)
