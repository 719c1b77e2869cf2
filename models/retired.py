"""Encoders of earlier versions: their networks no longer ship, but their heads and centroids do, 25 to 200 kB each.

A library made by one of them is still queried by its stored embeddings; only new files need a shipped network.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import resources
from pathlib import Path


@dataclass(frozen=True)
class Retired:
    """SHA-256 of the weights that once shipped, and of the file of their heads."""

    digest: str
    heads_digest: str


RETIRED: dict[str, Retired] = {
    "attention_cnn@17746e": Retired(
        "17746ef02bd304d9b7b165769c1ccb9d436dac8c01afb2df1c7642b85d730824",
        "0e31cd488750b5a411c975c5dd68613b9a4537b7d002845b73ec5436008bc434",
    ),
    "attention_cnn@b98467": Retired(
        "b9846716f0696dce7623252bf7e25f9760c2b8abc1e14d8db25b34c097bcfba9",
        "f3376c3f68ae6f2b2e34a23ecec971fca7a50a2ca69bd7c98399c0cebe381ffc",
    ),
    "attention_signature@f5293d": Retired(
        "f5293da9b90b8697f7b509d62b7ddcbb458b4add0bb5f8ebb1f1c51e6d939eda",
        "c5155cbc5a62efde0a3acf8b7f23940366469a07cee1ada2506376309eef9fc1",
    ),
    "attention_signature@50beaf": Retired(
        "50beafcdf59c373993bf3451640af64e11b6855a8a530cf78778c0881a70372e",
        "f5a6ad47371fd5b1aba35cc843c6dada7305137707313fd95e9c41b58a135a0a",
    ),
    "attention_signature@55198d": Retired(
        "55198df390120d01da139aaef536eba3b0ec0da3e7a5fc86d4881e86d4c6ee19",
        "922dda8833aa9f96d2d4b349c2f6765f00b3e7dc56c92fcd10f448c52e847d74",
    ),
    "icff_net@d64392": Retired(
        "d643921e00b4de34e622a063dad0d95e0df5e1805b06534166451f6e583d4b79",
        "7873aab0d3648d116887227e0dd1cef34f01dc8325e9c6f8ba168b097583a18c",
    ),
    "icff_net@9b7b32": Retired(
        "9b7b325e38eaccda1dc5aa173754a8ce28e3860bee37e23802c799dfe4a247a4",
        "4a820a7954fc8ce89fd972ce9fbda62142b713eadf1e9e783a9998d93e64fb74",
    ),
    "mg_cam@be86fe": Retired(
        "be86fee879c508872afb59342d5e3e657613fc4f85f8754bcb2303323aa0844b",
        "04152a0b4c0394ddb19bd8a6a548a7784932f82e01809e48c7c52ec34b6c3efb",
    ),
    "mg_cam@81c04c": Retired(
        "81c04cd35be4fbfc0818bff32bae9d0d47831d3684d35828f8981251ffcbeeeb",
        "e6b2c0c59e5d445796ecf5a935d74e18ab640f17c7126d9ce76dac401fb3611d",
    ),
    "ts_resformer@ce606a": Retired(
        "ce606a2c0f39d612979482200903848f4eb8be47f41cb5d562605dbc30e22034",
        "c64b5feb7de02fa22552f4f70bc78253b3eb7739653e95bc1f0bf96e3fde0335",
    ),
    "ts_resformer@501b8d": Retired(
        "501b8d3f5cbc3832ec5879814adb5d9e8d91e6a6b9134971f9f72c7ebfd189d7",
        "efa46e670435f90543b0522d3b965062fc0cb54cd9ae177b7b9c73a3882d0a81",
    ),
}


def retired_path(encoder_id: str) -> Path:
    """Return the path of a retired encoder's heads."""
    return (
        Path(str(resources.files("engine.models.weights"))) / "retired" / f"{encoder_id.replace('@', '-')}.safetensors"
    )
