"""Installs the tools that exports are for, each into an environment of its own in `.exports`.

None of them is in the lock: they are large, and nothing of the project needs them. A tool that
cannot be installed is told and left out; its tests are skipped.
"""

from __future__ import annotations

import json
import platform
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ROOT / ".exports"
NODE = "22.23.3"
PROMPTFOO = "0.123.1"
PYTHON_TOOLS = {
    "inspect": ["inspect-ai==0.3.285"],
    "deepeval": ["deepeval==4.3.1"],
    "platforms": ["langfuse==5.0.4", "langsmith==0.15.1", "arize-phoenix-client==3.5.0"],
    # What running an eval needs: all that evals declares would be 4 GB, TensorFlow among it.
    "openai-evals": [
        *("openai==3.57.0", "blobfile", "lz4", "pyzstd", "numpy", "pyyaml", "pydantic"),
        *("backoff", "tqdm", "requests", "zstandard", "tiktoken"),
    ],
}
WITHOUT_DEPENDENCIES = {"openai-evals": ["evals==3.0.1.post1"]}
LIBSQL = {
    ("Linux", "x86_64"): "linux-x64-gnu",
    ("Linux", "aarch64"): "linux-arm64-gnu",
    ("Darwin", "x86_64"): "darwin-x64",
    ("Darwin", "arm64"): "darwin-arm64",
}


def main() -> None:
    """Install what is not there yet."""
    for name in (*PYTHON_TOOLS, "promptfoo"):
        room = ROOMS / name
        if (room / ".installed").exists():
            continue
        print(f"Setting up {room.relative_to(ROOT)} (a few minutes) ...", flush=True)
        try:
            install_promptfoo(room) if name == "promptfoo" else install_python(name, room)
        except (OSError, subprocess.CalledProcessError) as error:
            why = getattr(error, "stderr", "") or str(error)
            print(f"{name} could not be installed, its tests are skipped: {why[-300:]}")
        else:
            (room / ".installed").touch()


def install_python(name: str, room: Path) -> None:
    """A virtual environment with the tool."""
    run([sys.executable, "-m", "venv", "--clear", str(room)])
    pip = [
        str(room / "bin" / "python"),
        "-m",
        "pip",
        "install",
        "-q",
        "--disable-pip-version-check",
    ]
    run([*pip, *PYTHON_TOOLS[name]])
    if name in WITHOUT_DEPENDENCIES:
        run([*pip, "--no-deps", *WITHOUT_DEPENDENCIES[name]])


def install_promptfoo(room: Path) -> None:
    """promptfoo, the Node that it asks for, and of what is optional the database it cannot miss."""
    npm = shutil.which("npm")
    if npm is None:
        raise OSError("npm is missing (on Debian: apt install nodejs npm)")
    shutil.rmtree(room, ignore_errors=True)
    room.mkdir(parents=True)
    # npm 11 runs the scripts of those packages alone that are named here
    (room / "package.json").write_text('{"private": true, "allowScripts": {"node": true}}')
    install = [
        npm,
        "install",
        "--no-audit",
        "--no-fund",
        "--silent",
        "--omit=optional",
        "--omit=peer",
    ]
    run([*install, f"node@{NODE}", f"promptfoo@{PROMPTFOO}"], room)
    libsql = json.loads((room / "node_modules" / "libsql" / "package.json").read_text())
    system = LIBSQL.get((platform.system(), platform.machine()))
    if system is None:
        raise OSError(f"its database is not built for {platform.system()} {platform.machine()}")
    run([*install, f"@libsql/{system}@{libsql['version']}"], room)


def run(command: Sequence[str], folder: Path = ROOT) -> None:
    """Run a command; its output is shown only where it fails."""
    subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True)


if __name__ == "__main__":
    main()
