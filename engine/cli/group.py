"""The click group `engine`, its global options, and its exit codes. Commands register themselves on it.

Nothing here imports torch, FAISS or SQLAlchemy: `engine --help` starts at once.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from engine.errors import AudioError, QueryError, SignatureError
from engine.runtime.threads import THREADS, cap_pools

if TYPE_CHECKING:
    from engine.library import Engine

FAILED, USAGE, NOTHING_DONE = 1, 2, 3
QUERY_FAILURES = (QueryError, AudioError, SignatureError)  # of one query; others may succeed
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

    Index your music once, then query it:

    \b
      engine index ~/Music
      engine similar track.flac -k 5
    """
    if os.environ.get("NO_COLOR"):
        context.color = False
    cap_pools(threads)
    context.obj = Settings(library, encoder, device, threads, precision, quiet)
