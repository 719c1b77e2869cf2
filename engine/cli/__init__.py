"""The command `engine`: its commands, and errors as one line each with an exit code.

Exit codes: 0 success, 1 some or all files or queries failed, 2 usage, 3 nothing could be done (library, weights,
device).
"""

from __future__ import annotations

import os
import signal
import sys

import click

from engine.cli import (
    classify,
    completion,
    doctor,
    duplicates,
    encoders,
    evaluate,
    examples,
    explain,
    find,
    genres,
    index,
    manage,
    map,
    playlist,
    recommend,
    search,
    serve,
    similar,
    stats,
    study,
    tags,
    train,
    user,
    watch,
)
from engine.cli.group import FAILED, LONGEST_LINE, NOTHING_DONE, QUERY_FAILURES, USAGE, Settings, cli
from engine.cli.streams import discard_output, prepare_streams
from engine.errors import EngineError, reason_of, visible

examples.add_examples(cli)

__all__ = [
    "Settings",
    "classify",
    "cli",
    "completion",
    "doctor",
    "duplicates",
    "encoders",
    "evaluate",
    "examples",
    "explain",
    "find",
    "genres",
    "index",
    "main",
    "manage",
    "map",
    "playlist",
    "recommend",
    "search",
    "serve",
    "similar",
    "stats",
    "study",
    "tags",
    "train",
    "user",
    "watch",
]


def main() -> None:
    """Run the command and exit with its code; no error ends in a traceback."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # ends a command as Ctrl-C does
    prepare_streams()
    sys.exit(_run())


def _run() -> int:
    try:
        code = _invoke()
        sys.stdout.flush()
        return code
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        return USAGE
    except click.ClickException as error:
        return _complain(_usage_line(error), USAGE)
    except (click.Abort, KeyboardInterrupt):
        return _complain("stopped; run the same command again to continue", FAILED)
    except QUERY_FAILURES as error:
        return _complain(str(error), FAILED)
    except EngineError as error:
        return _complain(str(error), NOTHING_DONE)
    except BrokenPipeError:  # the reader (`| head`) has read enough
        discard_output()
        return 0
    except OSError as error:
        discard_output()
        return _complain(_describe(error), NOTHING_DONE)
    except Exception as error:
        if os.environ.get("ENGINE_DEBUG"):
            raise
        reason = " ".join(str(error).split())[:300]
        return _complain(f"unexpected {type(error).__name__}: {reason}; set ENGINE_DEBUG=1 to see where", NOTHING_DONE)


def _invoke() -> int:
    """Run the command that the arguments name; unlike click's `main`, leave a broken pipe to the caller."""
    if completion.VARIABLE in os.environ:  # the shell requests completions
        completion.offer_values(cli)
        cli.main(prog_name="engine", standalone_mode=False)
    try:
        with cli.make_context("engine", sys.argv[1:]) as context:
            return int(cli.invoke(context) or 0)
    except click.exceptions.Exit as done:  # --help and --version
        return done.exit_code


def _describe(error: OSError) -> str:
    """Describe an operating-system error: of the file that it names, else of the output."""
    reason = reason_of(error)
    if error.filename is None:
        return f"cannot write the answer: {reason}"
    return f"{os.fsdecode(error.filename)}: {reason}"


def _usage_line(error: click.ClickException) -> str:
    """Return a usage error's message, and the help to read."""
    context = getattr(error, "ctx", None)
    return f"{error.format_message().rstrip('.')}; see {context.command_path if context else 'engine'} --help"


def _complain(message: str, code: int) -> int:
    line = visible(" ".join(message.split()).encode("utf-8", "surrogateescape").decode("utf-8", "replace"))
    click.echo(f"engine: {line if len(line) <= LONGEST_LINE else line[:LONGEST_LINE] + '…'}", err=True)
    return code
