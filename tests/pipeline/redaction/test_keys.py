from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.redaction import KeyRefused, SurrogateKey, load_key
from pipeline.redaction.replacement.keys import replace_key

TEXT = "correct horse battery staple, 32 bytes and more"


def test_a_missing_key_file_is_made_once_and_readable_by_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "surrogate.key"
    made = load_key(path, {}, create=True)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert load_key(path, {}, create=True) == made
    assert [p.name for p in path.parent.iterdir()] == ["surrogate.key"]  # no leftovers


def test_processes_that_create_at_once_get_one_key(tmp_path: Path) -> None:
    path = tmp_path / "surrogate.key"
    script = (
        "import sys; from pathlib import Path; from pipeline.redaction import load_key; "
        "print(load_key(Path(sys.argv[1]), {}, create=True).key_id)"
    )
    running = [
        subprocess.Popen([sys.executable, "-c", script, str(path)], stdout=subprocess.PIPE)
        for _ in range(4)
    ]
    ids = {process.communicate()[0] for process in running}
    assert len(ids) == 1
    assert ids != {b""}


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    env = {"CASELAW_SURROGATE_KEY": TEXT}
    assert load_key(tmp_path / "absent", env, create=False).secret == TEXT.encode()


def test_sixty_four_hexadecimal_characters_are_thirty_two_bytes(tmp_path: Path) -> None:
    env = {"CASELAW_SURROGATE_KEY": bytes(range(32)).hex()}
    assert load_key(tmp_path / "absent", env, create=False).secret == bytes(range(32))


@pytest.mark.parametrize("short", ["too short", "ab" * 20, "x" * 64])
def test_a_short_or_regular_key_is_refused_and_not_repeated(tmp_path: Path, short: str) -> None:
    with pytest.raises(KeyRefused) as refused:
        load_key(tmp_path / "absent", {"CASELAW_SURROGATE_KEY": short}, create=True)
    assert "CASELAW_SURROGATE_KEY" in str(refused.value)
    assert short not in str(refused.value)


def test_a_file_that_others_may_read_is_refused_with_the_remedy(tmp_path: Path) -> None:
    path = tmp_path / "surrogate.key"
    load_key(path, {}, create=True)
    os.chmod(path, 0o640)
    with pytest.raises(KeyRefused, match="chmod 600"):
        load_key(path, {}, create=True)


def test_a_missing_key_is_refused_where_none_may_be_made(tmp_path: Path) -> None:
    with pytest.raises(KeyRefused, match="no key file"):
        load_key(tmp_path / "absent", {}, create=False)


def test_the_secret_never_shows_in_repr_or_key_id() -> None:
    key = SurrogateKey(TEXT.encode())
    assert "horse" not in repr(key)
    assert key.secret.hex()[:12] != key.key_id
    assert key.subkey("surrogates") != key.subkey("content")


def test_the_content_digest_depends_on_content_and_key_alone() -> None:
    one, other = SurrogateKey(bytes(range(32))), SurrogateKey(bytes(range(1, 33)))
    assert one.content_digest({"a": 1, "b": 2}) == one.content_digest({"b": 2, "a": 1})
    assert one.content_digest({"a": 1}) != one.content_digest({"a": 2})
    assert one.content_digest({"a": 1}) != other.content_digest({"a": 1})


def test_a_key_is_replaced_beside_the_old_one(tmp_path: Path) -> None:
    path = tmp_path / "surrogate.key"
    old = load_key(path, {}, create=True)
    retired = replace_key(path)
    new = load_key(path, {}, create=False)
    assert new != old
    assert load_key(retired, {}, create=False) == old
    assert {stat.S_IMODE(p.stat().st_mode) for p in (path, retired)} == {0o600}
    assert sorted(tmp_path.iterdir()) == sorted([path, retired])  # nothing left aside
