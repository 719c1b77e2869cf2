"""The command `engine`: global options, exit codes, and errors as one line each.

Exit codes: 0 all well, 1 some or all files or queries failed, 2 usage, 3 nothing could be done (library, weights,
device).
Nothing here imports torch, FAISS or SQLAlchemy: `engine --help` starts at once.
"""

from __future__ import annotations

import io
import os
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from engine.cli.streams import discard_output, prepare_streams
from engine.errors import AudioError, EngineError, QueryError, SignatureError, visible
from engine.runtime.threads import THREADS, cap_pools

if TYPE_CHECKING:
    from engine.library import Engine

FAILED, USAGE, NOTHING_DONE = 1, 2, 3
LONGEST_LINE = 1000  # characters of an error that are printed


@dataclass(frozen=True)
class Settings:
    """The global options."""

    library: str | None
    encoder: str | None
    device: str
    threads: int | None
    precision: str
    quiet: bool

    def open(self, *, create: bool = False, coverage: str | None = None) -> Engine:
        """Open the library that the options name."""
        from engine.library import Engine

        return Engine.open(
            self.library,
            encoder=self.encoder,
            coverage=coverage,
            device=self.device,
            threads=self.threads,
            precision=self.precision,
            create=create,
        )


def _print_version(context: click.Context, _: click.Parameter, wanted: bool) -> None:
    if not wanted or context.resilient_parsing:
        return
    import engine
    from engine.db import SCHEMA_VERSION
    from engine.models.weights_files import default_id
    from engine.runtime.faiss_distribution import faiss_distribution

    found = f"encoder {default_id()}, schema {SCHEMA_VERSION}, {faiss_distribution()}"
    click.echo(f"engine {engine.__version__}, {found}")
    context.exit()


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.option(
    "--library", metavar="FILE", envvar="ENGINE_LIBRARY", help="The library; default: in your data directory."
)
@click.option("--encoder", metavar="NAME[@HASH]", help="Encoder, or a .safetensors file; default: the library's own.")
@click.option("--device", type=click.Choice(["auto", "cpu", "cuda"]), default="auto", show_default=True)
@click.option(
    "--threads",
    type=click.IntRange(THREADS[0], THREADS[-1]),
    metavar="N",
    help="Default: half of the cores, at least two.",
)
@click.option(
    "--precision", type=click.Choice(["auto", "float32"]), default="auto", show_default=True,
    help="auto: bf16 where the processor computes in it.",
)  # fmt: skip
@click.option("--quiet", is_flag=True, help="No progress, no summary; answers and errors still print.")
@click.option(
    "--version", is_flag=True, is_eager=True, expose_value=False, callback=_print_version, help="Show and exit."
)
@click.pass_context
def cli(
    context: click.Context,
    library: str | None,
    encoder: str | None,
    device: str,
    threads: int | None,
    precision: str,
    quiet: bool,
) -> None:
    """Find music that sounds alike.

    Index your music once, then ask:

    \b
      engine index ~/Music
      engine similar track.flac -k 5
    """
    if os.environ.get("NO_COLOR"):
        context.color = False
    cap_pools(threads)
    context.obj = Settings(library, encoder, device, threads, precision, quiet)


def main() -> None:
    """Run the command and exit with its code; no error leaves as a traceback."""
    prepare_streams()
    sys.exit(_run())


def _run() -> int:
    try:
        code = _invoke()
        sys.stdout.flush()
        return code
    except click.ClickException as error:
        shown = io.StringIO()
        error.show(shown)
        click.echo(visible(shown.getvalue(), keep="\n"), nl=False, err=True)
        return USAGE
    except (click.Abort, KeyboardInterrupt):
        return _complain("stopped; run the same command again to go on", FAILED)
    except (QueryError, AudioError, SignatureError) as error:
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
    if completion.VARIABLE in os.environ:  # the shell asks what could follow
        completion.offer_values(cli)
        cli.main(prog_name="engine", standalone_mode=False)
    try:
        with cli.make_context("engine", sys.argv[1:]) as context:
            return int(cli.invoke(context) or 0)
    except click.exceptions.Exit as done:  # --help and --version
        return done.exit_code


def _describe(error: OSError) -> str:
    """Describe an error of the system: of a file that it names, else of the terminal, pipe or file of the answer."""
    reason = error.strerror or error
    if error.filename is None:
        return f"cannot write the answer: {reason}"
    return f"{os.fsdecode(error.filename)}: {reason}"


def _complain(message: str, code: int) -> int:
    line = visible(" ".join(message.split()).encode("utf-8", "surrogateescape").decode("utf-8", "replace"))
    click.echo(f"engine: {line if len(line) <= LONGEST_LINE else line[:LONGEST_LINE] + '…'}", err=True)
    return code


from engine.cli import (  # noqa: E402 (they register themselves on `cli`)
    ask,
    classify,
    completion,
    doctor,
    draw_map,
    duplicates,
    evaluate,
    examples,
    explain,
    genres,
    index,
    manage,
    playlist,
    recommend,
    similar,
    study,
    train,
)

examples.add_examples(cli)

__all__ = [
    "Settings",
    "ask",
    "classify",
    "cli",
    "completion",
    "doctor",
    "draw_map",
    "duplicates",
    "evaluate",
    "examples",
    "explain",
    "genres",
    "index",
    "main",
    "manage",
    "playlist",
    "recommend",
    "similar",
    "study",
    "train",
]
