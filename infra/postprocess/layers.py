"""The layers: packages that some functions need, which all others would pay for at each cold start.

The table `LAYERS` is the one list of them. A layer is what `requirements-{name}.txt` pins;
packaging makes `layer-{name}.zip` of it, and a function has it by its name in `FUNCTIONS`. No zip
of a function holds any of it, and what imports it is named in infra/record_generated.py.

Neighbours: functions.py (who has which), ../trimming.py (what is left out), ../package.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from infra.postprocess.shapes import Object


@dataclass(frozen=True)
class Layer:
    """One layer."""

    name: str
    logical_id: str
    holds: str  # as CloudFormation describes it

    @property
    def requirements(self) -> str:
        """The file beside app.py that pins what it holds."""
        return f"requirements-{self.name}.txt"

    @property
    def zipped(self) -> str:
        """The file beside the packaged template."""
        return f"layer-{self.name}.zip"


LISTS: Final = "lists"
WALLETS: Final = "wallets"
PGP: Final = "pgp"

LAYERS: Final[Mapping[str, Layer]] = {
    layer.name: layer
    for layer in (
        Layer(LISTS, "ListsLayer", "numpy, for the function that builds list segments"),
        Layer(WALLETS, "WalletsLayer", "cryptography, for the function that signs passes"),
        Layer(PGP, "PgpLayer", "Sequoia, for the functions that write or read encrypted files"),
    )
}  # fmt: skip


def layer_resource(layer: Layer, runtime: str, architecture: str) -> Object:
    """The layer as the template has it."""
    return {
        "Type": "AWS::Serverless::LayerVersion",
        "Properties": {
            "LayerName": {"Fn::Sub": f"tandem-${{Stage}}-{layer.name}"},
            "Description": layer.holds,
            "ContentUri": f"./{layer.zipped}",
            "CompatibleRuntimes": [runtime],
            "CompatibleArchitectures": [architecture],
            # A former version is of use to nobody: a rolled-back deployment brings its own.
            "RetentionPolicy": "Delete",
        },
    }
