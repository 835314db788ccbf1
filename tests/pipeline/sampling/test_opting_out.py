"""Who opted out, by attribute or by the registry's list, is never drawn and always counted."""

from __future__ import annotations

import io
from datetime import date
from pathlib import Path

import orjson
import pytest

from pipeline.cli.main import main
from pipeline.datadir import DataDir
from pipeline.embedding import sentence_embedder
from pipeline.ids import keyed_digest
from pipeline.redaction.replacement.keys import load_key
from pipeline.registry import OptOut, load_registry
from pipeline.sampling import draw_sample, listed_traces, opt_out_digest
from tests.pipeline.sampling.conftest import REGISTRY

KEY = bytes(range(32))
TENANTS = ("app.tenant",)
MIA = keyed_digest(KEY, "user", "mia_li_3668")  # as ingest writes it into user_key


@pytest.fixture
def day(trace, frame):
    """Mia twice, once on behalf of Acme; somebody else of Acme; one whom nobody listed."""
    acme = orjson.dumps({"app.tenant": "Acme GmbH", "app.region": "EU"}).decode()
    rows = [
        trace("a" * 32, "Where is it?", "Near.", user_key=MIA, attributes=acme),
        trace("b" * 32, "Where is it?", "Near.", user_key=MIA, attributes="{}"),
        trace("c" * 32, "Where is it?", "Near.", user_key="other", attributes=acme),
        trace("d" * 32, "Hi", "Hello.", member_trace_ids=["d" * 32, "e" * 32]),
    ]
    return frame(rows)


@pytest.mark.parametrize("given", ["mia_li_3668", MIA])
def test_a_user_is_listed_by_id_or_by_digest(day, given):
    assert listed_traces(day, [OptOut(users=(given,))], KEY, TENANTS) == {"a" * 32, "b" * 32}


@pytest.mark.parametrize("given", ["Acme GmbH", opt_out_digest("tenant", "Acme GmbH", KEY)])
def test_a_tenant_is_listed_by_name_or_by_digest(day, given):
    assert listed_traces(day, [OptOut(tenants=(given,))], KEY, TENANTS) == {"a" * 32, "c" * 32}


def test_a_trace_is_listed_by_any_trace_of_its_conversation(day):
    # Hexadecimal ids are the same in either case.
    assert listed_traces(day, [OptOut(traces=("E" * 32,))], KEY, TENANTS) == {"d" * 32}


def test_who_is_listed_is_not_drawn_and_counted_with_those_whose_traces_say_so(day, registry):
    listed = listed_traces(day, [OptOut(users=(MIA,), traces=("d" * 32,))], KEY, TENANTS)
    sample = draw_sample(day, registry, sentence_embedder(), listed)
    assert sample.frame["trace_id"].to_list() == ["c" * 32]
    assert sample.counts.filtered == {"not_drawn": 0, "opted_out": 3}
    sample.counts.check("sample")


def test_the_list_is_dated_and_a_registry_without_it_lists_nobody(tmp_path: Path):
    for path in REGISTRY.glob("*.yaml"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / "opt_outs.yaml").write_text(
        'opt_outs:\n  - users: ["u1"]\n  - users: ["u2"]\n    effective_from: 2026-11-10\n'
    )
    before = load_registry(tmp_path, date(2026, 11, 9))
    assert [entry.users for entry in before.opt_outs] == [("u1",)]
    assert "u1" not in repr(before)
    (tmp_path / "opt_outs.yaml").unlink()
    assert load_registry(tmp_path, date(2026, 11, 9)).opt_outs == ()


def test_the_command_prints_an_entry_without_the_id(
    place: DataDir, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    load_key(place.keys / "content.key", {}, create=True)
    key = load_key(place.keys / "content.key", {}, create=False).subkey("user")
    monkeypatch.setattr("sys.stdin", io.StringIO("mia_li_3668\n"))
    with pytest.raises(SystemExit) as ended:
        main(["--data", str(place.root), "opt-out", "--user", "-"])
    assert ended.value.code == 0
    printed = capsys.readouterr().out
    assert printed == f'  - users: ["{keyed_digest(key, "user", "mia_li_3668")}"]\n'


def test_without_the_key_the_command_says_so(place: DataDir, capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit) as ended:
        main(["--data", str(place.root), "opt-out", "--tenant", "Acme"])
    assert ended.value.code == 3
    assert "no key file" in capsys.readouterr().err
