"""One day full of canaries through the whole lineage, in processes of their own, umask 022.

Where a canary was planted: what users and tools say, keys and values of JSON, attributes, error and
exception texts, the name of the landing file, records that cannot be read, a trace that redaction
holds back, and traces that fail and become cases. Where it may be found: landing/ and raw/ alone.
"""

from __future__ import annotations

import json
import os
import sqlite3
import stat
import subprocess
import sys
import zlib
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

from assets.errors import explain
from pipeline.datadir import COMMITTED, DataDir
from pipeline.files import make_directory
from pipeline.ingest.index import IndexFailed
from pipeline.lake import Lake
from pipeline.tables import PROMOTED_CASES, QUARANTINED_RECORDS, REDACTED_TRACES, STRATIFIED_SAMPLES
from pipeline.windows import day
from tests.pipeline.ingest.spans import NOON, attribute, chat, message, request, span

DAY, BROKEN_DAY = "2026-11-02", "2026-11-03"
CASELAW = ("-c", "from pipeline.cli import main; main()")
PAID = """
import sys; from pathlib import Path
from pipeline.grading.judge_calls import export_ledger
from pipeline.grading.ledger import Ledger
ledger = Ledger(Path(sys.argv[1])); ledger.keep("judge", "content", "{}")
export_ledger(Path(sys.argv[1])); ledger.hit("run", "judge", "content", "t"); ledger.close()
"""
ROOT = Path(__file__).parents[2]
RAW_ROOMS = ("landing", "raw")
PRIVATE_ROOMS = (*RAW_ROOMS, "keys", "receipts", "dagster", "ledger")

_NAMES = ["Jonathan Whitfield", "Margaret Ashworth", "Benjamin Calloway", "Katherine Delaney",
          "Christopher Langley", "Elizabeth Hargreave", "Nathaniel Prescott", "Rebecca Thornton",
          "Sebastian Marlowe", "Victoria Pemberton", "Frederick Holloway", "Josephine Carmichael",
          "Theodore Winslow", "Henrietta Blackwood"]  # fmt: skip
_STREETS = ["Baxter", "Cranleigh", "Dunmore", "Elmhurst", "Fairfax", "Glenwood", "Hartley",
            "Ingram", "Jessamine", "Kendrick", "Larkspur", "Maplewood", "Norfolk",
            "Oakfield"]  # fmt: skip


def luhn(digits: str) -> str:
    """The digits with the check digit of a payment card."""
    total = 0
    for n, digit in enumerate(reversed(digits)):
        doubled = int(digit) * 2 if n % 2 == 0 else int(digit)
        total += doubled - 9 if doubled > 9 else doubled
    return digits + str(-total % 10)


def iban(account: str) -> str:
    """A German IBAN of ten digits of bank and ten of account: 98 less the remainder by 97."""
    check = 98 - int(f"3704004405{account[:8]}131400") % 97
    return f"DE{check:02}3704004405{account[:8]}"


class Canaries:
    """One person a place: every kind of personal value, none of them used anywhere else."""

    def __init__(self) -> None:
        self.planted: dict[str, list[str]] = {}

    def person(self, place: str) -> dict[str, str]:
        """The values of the person of a place."""
        n = len(self.planted)
        name = _NAMES[n]
        first, last = name.casefold().split()
        made = {
            "name": name,
            "email": f"{first}.{last}@mailbox{n}.example.org",
            "phone": f"+49 30 {5550100 + n * 7}",
            "address": f"{140 + n * 11} {_STREETS[n]} Street",
            "card": luhn(f"45399{n:02}11223344"),
            "iban": iban(f"5320{n:02}13"),
            "secret": f"AKIAQ7ZL3MN5P2RT{n:02}XW",
            "user_id": f"{first}_{last}_{4400 + n}",
        }
        self.planted[place] = list(made.values())
        return made

    def sentence(self, place: str) -> str:
        """All of them said as people say them."""
        one = self.person(place)
        return (
            f"My name is {one['name']}, my e-mail is {one['email']} and my phone number is "
            f"{one['phone']}. I live at {one['address']}. Charge card {one['card']} or take it "
            f"from {one['iban']}. The API key is {one['secret']} and my user id {one['user_id']}."
        )


def tool(trace: int, canaries: Canaries) -> dict[str, Any]:
    """A failing tool call that is told of persons in every part of it."""
    asks, answers = canaries.person("tool arguments"), canaries.person("tool result")
    key, said = canaries.person("JSON key"), canaries.person("exception")
    made = span(
        trace, 9, parent=1, second=2,
        gen_ai__operation__name="execute_tool", gen_ai__tool__name="lookup_customer",
        gen_ai__tool__call__id="call_1",
        gen_ai__tool__call__arguments=json.dumps(
            {"customer": {"name": asks["name"], "email": asks["email"], "phone": asks["phone"]},
             "address": asks["address"], "card_number": asks["card"], "iban": asks["iban"],
             "api_key": asks["secret"], "user_id": asks["user_id"]}),
        gen_ai__tool__call__result=json.dumps(
            {"customers": {key["user_id"]: {"email": key["email"]}},
             "users": {key["email"]: 1, key["user_id"]: 2, key["iban"]: 3, key["card"]: 4},
             "profile": {"full_name": answers["name"], "email": answers["email"],
                         "mobile": answers["phone"], "street": answers["address"],
                         "pan": answers["card"], "bank_account": answers["iban"],
                         "token": answers["secret"], "login": answers["user_id"]}}),
    )  # fmt: skip
    canaries.planted["JSON key"] = [key["user_id"], key["email"], key["iban"], key["card"]]
    made["status"] = {"code": 2, "message": canaries.sentence("error message")}
    text = f"LookupError: {' '.join(said.values())}"
    made["events"] = [
        {
            "timeUnixNano": made["endTimeUnixNano"],
            "name": "exception",
            "attributes": [
                attribute("exception.message", text),
                attribute("exception.stacktrace", f"File lookup.py, line 3\n{text}"),
                attribute("exception.type", "LookupError"),
            ],
        }
    ]
    return made


def traffic(canaries: Canaries) -> list[str]:
    """The day's lines: three conversations that fail, one too large to redact, one of somebody
    who opted out, one torn line.
    """
    lines = []
    for trace in (1, 2, 3):
        hello = "Where is my order PX-1234567? "
        heard = [message("user", hello + canaries.sentence(f"user text {trace}"))]
        asked = [message("assistant", "Happy to help. What is your order number?")]
        more: dict[str, Any] = {"user__id": canaries.planted[f"user text {trace}"][-1]}
        if trace == 1:
            more |= {
                "app__tenant": canaries.sentence("listed attribute"),
                "app__note": canaries.sentence("other attribute"),
            }
        spans = [chat(trace, 1, heard, asked, session__id=f"session-{trace}", **more)]
        spans += [tool(trace, canaries)] if trace == 1 else []
        lines.append(request(*spans))
    large = canaries.sentence("held back by redaction") + " and so on" * 3000
    lines.append(request(chat(4, 1, [message("user", large)], [message("assistant", "Yes.")])))
    shy = [message("user", canaries.sentence("opted out"))]
    lines.append(request(chat(5, 1, shy, [message("assistant", "Yes.")])))
    lines.append('{"resourceSpans": [' + canaries.sentence("unreadable record"))
    return lines


def environment(place: DataDir) -> dict[str, str]:
    """As somebody has it who exported nothing."""
    without = {"CASELAW_DATA", "DAGSTER_HOME", "DAGSTER_REDACT_USER_CODE_ERRORS"}
    kept = {key: value for key, value in os.environ.items() if key not in without}
    return kept | {"CASELAW_DATA": str(place.root)}


def run(place: DataDir, *words: str) -> subprocess.CompletedProcess[str]:
    """A command of the project, in a process whose umask lets others read."""
    return subprocess.run(
        ["/bin/sh", "-c", 'umask 022; exec "$@"', "sh", sys.executable, *words],
        env=environment(place), cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip


def prepare(place: DataDir) -> None:
    """A registry under which a first failure becomes a case; compute logs that are kept."""
    make_directory(place.root, private=False)
    registry = place.root / "registry"
    registry.mkdir()
    for path in (COMMITTED / "registry").glob("*.yaml"):
        (registry / path.name).write_bytes(path.read_bytes())
    with (registry / "settings.yaml").open("a") as settings:
        settings.write(
            "  - ingest: {quarantine_ratio: 0.6}\n"
            "    privacy: {retention_days: 36500}\n"
            "    promotion: {recurrence: 1, lesson_recurrence: 1, threshold: 0.1,\n"
            "                review_threshold: 0.1}\n"
        )
    (registry / "opt_outs.yaml").write_text(f'opt_outs:\n  - traces: ["{5:032x}"]\n')
    policy = (registry / "pii_policy.yaml").read_text()
    assert "max_string_chars: 16000000" in policy
    (registry / "pii_policy.yaml").write_text(
        policy.replace("max_string_chars: 16000000", "max_string_chars: 20000")
    )
    kept = yaml.safe_load((COMMITTED / "dagster" / "dagster.yaml").read_text())
    del kept["compute_logs"]
    place.dagster.mkdir()
    (place.dagster / "dagster.yaml").write_text(yaml.safe_dump(kept))


@pytest.fixture(scope="module")
def flown(tmp_path_factory: pytest.TempPathFactory) -> tuple[DataDir, Canaries]:
    """The data directory after a day was run and published, another failed, and retention ran."""
    folder = tmp_path_factory.mktemp("canaries")
    folder.chmod(0o755)
    place, canaries = DataDir(folder / "data"), Canaries()
    prepare(place)
    # A judge's paid answer, as one that is asked over the network leaves it.
    done = run(place, "-c", PAID, str(place.ledger))
    assert done.returncode == 0, done.stderr
    name = canaries.person("file name")["email"]
    canaries.planted["file name"] = [name]
    landed = folder / f"chats of {name}.jsonl"
    landed.write_text("\n".join(traffic(canaries)) + "\n")
    broken = folder / "broken.jsonl"
    start = NOON.replace(day=3)
    broken.write_text(request(span(7, 1, start=start)) + "\n" + "{\n" * 9)
    done = run(place, *CASELAW, "land", str(landed), str(broken))
    assert done.returncode == 0, done.stdout + done.stderr
    done = run(place, "-m", "assets.backfill", "--from", DAY)
    assert done.returncode == 0, done.stdout + done.stderr
    # Nine of ten records of the other day cannot be read: its run fails, and says so in the log.
    failed = run(place, "-m", "assets.backfill", "--from", BROKEN_DAY)
    assert failed.returncode == 3, failed.stdout + failed.stderr
    done = run(place, *CASELAW, "retention")
    assert done.returncode == 0, done.stderr
    return place, canaries


def files_of(place: DataDir) -> list[Path]:
    return sorted(path for path in place.root.rglob("*") if path.is_file())


def contents(path: Path) -> Iterator[bytes]:
    """A file's bytes, and what they are once unpacked: Parquet, SQLite, zlib."""
    yield path.read_bytes()
    if path.suffix == ".parquet":
        yield json.dumps(pq.read_table(path).to_pylist(), default=str, ensure_ascii=False).encode()
        yield repr(pq.read_metadata(path).metadata).encode()
    if path.read_bytes()[:15] == b"SQLite format 3":
        with closing(sqlite3.connect(path)) as connection:
            names = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
            for (table,) in names.fetchall():
                for row in connection.execute(f'SELECT * FROM "{table}"'):
                    yield repr(row).encode()
                    for cell in row:
                        if isinstance(cell, bytes):
                            with suppress(zlib.error):
                                yield zlib.decompress(cell)


# --- what was planted went through every stage ------------------------------------------------


def test_the_day_did_what_it_should(flown: tuple[DataDir, Canaries]) -> None:
    place, _ = flown
    lake, window = Lake(place), day(DAY)
    assert lake.read(REDACTED_TRACES, window).height == 3
    sampled = lake.footer(STRATIFIED_SAMPLES, window)
    assert sampled["counts"]["filtered"] == {"not_drawn": 0, "opted_out": 1}
    assert "opt_outs/listed" in sampled["inputs"]
    held = lake.read(QUARANTINED_RECORDS, window)
    assert sorted(held["stage"]) == ["ingest", "redaction"]
    assert "promoted" in lake.read(PROMOTED_CASES, window)["decision"].to_list()
    assert 'id: "case-' in (place.root / "eval" / "cases_from_prod.yaml").read_text()
    assert list(place.dagster.rglob("*.err")), "compute logs should be on"
    assert list(place.receipts.iterdir())


def test_canaries_are_in_the_raw_zone(flown: tuple[DataDir, Canaries]) -> None:
    place, canaries = flown
    found = b"\0".join(
        part
        for path in files_of(place)
        if path.relative_to(place.root).parts[0] in RAW_ROOMS
        for part in contents(path)
    )
    missing = [
        value
        for where, values in canaries.planted.items()
        for value in values
        if value.encode() not in found and where != "file name"
    ]
    assert missing == []


# --- and none of it was left anywhere else ----------------------------------------------------


def test_no_canary_leaves_the_raw_zone(flown: tuple[DataDir, Canaries]) -> None:
    place, canaries = flown
    leaks = set()
    for path in files_of(place):
        relative = path.relative_to(place.root)
        if relative.parts[0] in RAW_ROOMS:
            continue
        text = b"\0".join([str(relative).encode(), *contents(path)]).lower()
        leaks |= {
            (where, value, str(relative))
            for where, values in canaries.planted.items()
            for value in values
            if value.lower().encode() in text
        }
    assert sorted(leaks) == []


def test_raw_data_is_its_owners_alone(flown: tuple[DataDir, Canaries]) -> None:
    place, _ = flown
    open_to_others = [
        f"{stat.S_IMODE(path.stat().st_mode):o} {path.relative_to(place.root)}"
        for room in PRIVATE_ROOMS
        for path in [place.root / room, *(place.root / room).rglob("*")]
        if path.stat().st_mode & 0o077 and "export" not in path.parts
    ]
    # It is passed on the way to the export of its costs, which a view reads, and cannot be listed.
    assert open_to_others == ["711 ledger"]


def test_what_is_for_analysts_can_be_read_by_them(flown: tuple[DataDir, Canaries]) -> None:
    place, _ = flown
    shown = [place.root, *(place.root / "ledger" / "export").rglob("*"), place.warehouse.resolve()]
    for room in ("lake", "reports", ".warehouse", "eval"):
        shown += [place.root / room, *(place.root / room).rglob("*")]
    shut = [str(p) for p in shown if not p.stat().st_mode & 0o004]
    assert shut == []


def test_no_parquet_footer_states_a_text(flown: tuple[DataDir, Canaries]) -> None:
    place, _ = flown
    checked, stated = 0, set()
    for path in place.root.rglob("*.parquet"):
        meta = pq.read_metadata(path)
        for group in range(meta.num_row_groups):
            for number in range(meta.num_columns):
                column = meta.row_group(group).column(number)
                checked += 1
                is_text = column.physical_type in ("BYTE_ARRAY", "FIXED_LEN_BYTE_ARRAY")
                if is_text and column.statistics is not None and column.statistics.has_min_max:
                    stated.add((str(path.relative_to(place.root)), column.path_in_schema))
    assert checked > 100
    assert stated == set()


def test_arrow_files_of_the_index_have_no_statistics(flown: tuple[DataDir, Canaries]) -> None:
    place, _ = flown
    for path in place.raw.rglob("*.arrow"):
        with pa.OSFile(str(path)) as source, pa.ipc.open_file(source) as reader:
            assert not reader.schema.metadata


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (
            IndexFailed("landing index: mia@example.org.jsonl was changed or removed while"),
            "raw_traces: landing index: a file was changed or removed while",
        ),
        (
            PermissionError(13, "Permission denied", "/data/landing/mia@example.org.jsonl"),
            "raw_traces: Permission denied (a file in landing) ",
        ),
        (ValueError("mia@example.org"), "raw_traces: ValueError . Its own words are withheld"),
    ],
)
def test_an_error_that_dagster_stores_names_no_landing_file(error: Exception, told: str) -> None:
    assert explain("raw_traces", error).startswith(told)


def test_errors_of_user_code_are_masked_whichever_way_dagster_starts(
    flown: tuple[DataDir, Canaries],
) -> None:
    place, _ = flown
    code = "import os, assets.definitions; print(os.environ['DAGSTER_REDACT_USER_CODE_ERRORS'])"
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment(place), cwd=ROOT, capture_output=True,
        text=True, check=False,
    )  # fmt: skip
    assert done.stdout.strip() == "1", done.stderr
