"""Draw the README's picture of a terminal from a real run: `python scripts/picture.py` writes docs/terminal.svg.

Runs one command on the demonstration collection in a pseudo terminal and draws its output. The picture names no font
and loads nothing.
"""

from __future__ import annotations

import io
import os
import pty
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.text import Text

from examples import HOME, MUSIC, ROOT, environment, make_home

COMMAND = 'engine similar search:"hat trick" -k 8'
OUT = ROOT / "docs" / "terminal.svg"
COLUMNS, ROWS = 92, 40
FONT_FACE = re.compile(r"@font-face \{.*?\}\s*", re.DOTALL)  # rich's, from a network
FONT = "ui-monospace, SFMono-Regular, Menlo, Consolas, monospace"


def terminal_output(command: str, home: Path) -> str:
    """Return the output of a command on a terminal of COLUMNS x ROWS, escapes included."""
    leader, follower = pty.openpty()
    variables = environment(home) | {"COLUMNS": str(COLUMNS), "LINES": str(ROWS), "TERM": "xterm-256color"}
    with subprocess.Popen(["bash", "-c", command], cwd=home, env=variables, stdout=follower, stderr=follower):
        os.close(follower)
        parts = []
        try:
            while part := os.read(leader, 65_536):
                parts.append(part)
        except OSError:  # Linux reports the end of a terminal in this way
            pass
    os.close(leader)
    return b"".join(parts).decode("utf-8").replace("\r\n", "\n").replace(str(home), HOME).strip("\n")


def draw(command: str, output: str) -> str:
    """Return a command and its output as SVG."""
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True)
    console.print(Text.assemble(("$ ", "bold green"), (command, "bold")))
    console.print(Text.from_ansi(output))
    svg = FONT_FACE.sub("", console.export_svg(title="engine", unique_id="engine"))
    return svg.replace("Fira Code, monospace", FONT).replace("Fira Code", "monospace")


def main() -> int:
    """Write the picture; return 0, or 3 if the demonstration collection is missing."""
    if not MUSIC.is_dir():
        print(f"expected music in {MUSIC}, found none; run: python scripts/demo_music {MUSIC}", file=sys.stderr)
        return 3
    with tempfile.TemporaryDirectory() as folder:
        home = make_home(Path(folder))
        OUT.write_text(draw(COMMAND, terminal_output(COMMAND, home)), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
