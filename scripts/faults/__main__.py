"""The command: `python scripts/faults [--short] [--out FILE] [PART ...]`; exit code 1 if any case failed.

The parts are run one after the other on two cores: together under 30 minutes, in the short form about two.
"""

from __future__ import annotations

import argparse
import os
import platform
import resource
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from time import monotonic

os.environ["OMP_NUM_THREADS"] = "1"  # two workers with two threads each would wait for each other
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # tests/audio.py writes the songs
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # started as a folder, which is not yet a package

from faults.children import warm
from faults.disk import disk
from faults.form import Form
from faults.fuzz_audio import fuzz_audio
from faults.fuzz_files import fuzz_files
from faults.identity import identity
from faults.io_errors import as_json, io_errors
from faults.kill import kill
from faults.load import load
from faults.table import Row, show

PARTS: dict[str, Callable[[Path, Form], list[Row]]] = {
    "kill": kill,
    "io": io_errors,
    "disk": disk,
    "load": load,
    "audio": fuzz_audio,
    "files": fuzz_files,
    "identity": identity,
}


def main() -> int:
    """Run the parts and print their table."""
    parser = argparse.ArgumentParser(prog="faults", description="Inject faults and count the runs that survive.")
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}; all by default")
    parser.add_argument("--short", action="store_true", help="a few of each kind, in about two minutes")
    parser.add_argument("--patient", action="store_true", help="all cases, however long a busy machine takes")
    parser.add_argument("--minutes", type=float, help="of each part, for a larger sample of its cases")
    parser.add_argument("--out", type=Path, help="also write the table to a file")
    parser.add_argument("--json", type=Path, help=argparse.SUPPRESS)  # between processes of this harness
    arguments = parser.parse_args()
    if unknown := set(arguments.parts) - set(PARTS):
        parser.error(f"expected parts of {', '.join(PARTS)}, found {', '.join(sorted(unknown))}")
    warm()
    form = Form(arguments.short, arguments.patient, arguments.minutes)
    rows: list[Row] = []
    for name in arguments.parts or PARTS:
        began, computed = monotonic(), _cpu_seconds()
        with tempfile.TemporaryDirectory(prefix="faults-") as folder:
            rows += PARTS[name](Path(folder), form)
        taken = f"{monotonic() - began:.0f} s, of CPU {_cpu_seconds() - computed:.0f} s"
        print(f"{name}: {taken}", file=sys.stderr, flush=True)
        if arguments.json:
            arguments.json.write_text(as_json(rows), "utf-8")
        if arguments.out:
            arguments.out.write_text(_text(rows), "utf-8")
    print(_text(rows))
    return 0 if all(row.held for row in rows) else 1


def _cpu_seconds() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


def _text(rows: list[Row]) -> str:
    return f"{show(rows)}\n\nOn {os.cpu_count()} cores ({platform.machine()}, Linux {platform.release()}).\n"


if __name__ == "__main__":
    sys.exit(main())
