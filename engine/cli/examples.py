"""Examples that end each command's help. The tests run every one of them."""

from __future__ import annotations

import click

EXAMPLES: dict[str, tuple[str, ...]] = {
    "backup": ("engine backup music.bak",),
    "classify": ("engine classify song.mp3", "engine classify song.mp3 --write-tags"),
    "completion": ("engine completion bash",),
    "doctor": ("engine doctor", "engine doctor --repair --json"),
    "duplicates": ("engine duplicates", "engine duplicates --kind same_recording --csv"),
    "encoders": ("engine encoders",),
    "evaluate": ("engine evaluate --data clips.csv",),
    "explain": (
        "engine explain song.mp3",
        "engine explain song.mp3 --plot attention.png",
        "engine explain song.mp3 other.flac",
        "engine explain song.mp3 other.flac --by timbre,rhythm,harmony,mood",
    ),
    "export": ("engine export signatures.npz",),
    "find": (
        'engine find "calm piano at night, no vocals"',
        'engine find "very happy 80s dance music" -k 10 --not-genre metal',
    ),
    "genres": ("engine genres", "engine genres --threshold 0.8 --plot genres"),
    "index": ("engine index ~/Music", "engine index ~/Music --prune"),
    "map": ("engine map --out map.html", "engine map --out map.png --dims 3"),
    "playlist": (
        "engine playlist song.mp3 -n 20 --out radio.m3u8",
        'engine playlist song.mp3 -n 10 --drift "ever calmer"',
        "engine playlist --from song.mp3 --to other.flac -n 10",
        "engine playlist --order list.m3u8 --out smooth.m3u8",
        "engine playlist --order list.m3u8 --mix",
    ),
    "recommend": ("engine recommend --history history.csv -n 10",),
    "relocate": ("engine relocate ~/Music ~/Archive",),
    "remove": ("engine remove 12 ~/Music/Demos",),
    "restore": ("engine restore music.bak",),
    "search": ("engine search ruby lane",),
    "serve": ("engine serve", "engine serve --host 127.0.0.1 --port 8000"),
    "similar": (
        "engine similar song.mp3 -k 10",
        "engine similar song.mp3 --by rhythm=2,timbre=1",
        "engine similar song.mp3 --at 1:05-1:20 --per-artist 1",
        'engine similar song.mp3 --but "slower, with strings"',
        "engine similar song.mp3 --tag guitar --not-tag vocals",
        'engine similar --like song.mp3 --like "artist:Ruby Lane" --unlike 12',
    ),
    "stats": ("engine stats", "engine stats --json"),
    "study": ("engine study table.toml --data clips.csv --out table",),
    "tags": ("engine tags", "engine tags --json"),
    "train": ("engine train --data ~/Labelled --from attention_signature --out mine.safetensors",),
    "user": (
        "engine user add ann --admin",
        "engine user key ann --label phone",
        "engine user list",
    ),
    "watch": ("engine watch ~/Music",),
}


def add_examples(group: click.Group) -> None:
    """End the help of each command of a group with its examples."""
    for name, command in group.commands.items():
        lines = EXAMPLES.get(name, ())
        if lines:
            command.epilog = "\b\nExamples:\n" + "\n".join(f"  {line}" for line in lines)
