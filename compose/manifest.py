"""`build/manifest.json`: what `make build` made, by digest; `make up` runs exactly that.

Two builds of one revision give the same manifest, on any machine with the same base image. It holds
no time and no path.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from chartbuster.errors import Misconfigured

FILE = Path("build/manifest.json")
IMAGES = ("localstack", "keeper", "trainer", "webapp")


@dataclass(frozen=True)
class Image:
    """One image: its `id` (the digest of its configuration), and what it was built from.

    `base` is the id of the image it starts from, `revision` the last commit that touched its
    inputs, and `inputs` the digest over those.
    """

    id: str
    platform: str
    base: str
    revision: str
    inputs: str


@dataclass(frozen=True)
class Manifest:
    """The artifacts by file name and the templates by path, each with its SHA-256; the images.

    `revision` is the commit, with `-changed` behind it when the folder held more than that. Without
    a Docker Engine there are no images.
    """

    revision: str
    artifacts: Mapping[str, str]
    templates: Mapping[str, str]
    images: Mapping[str, Image]

    def to_json(self) -> str:
        """The text `read` reads again."""
        return json.dumps(asdict(self), indent=2, sort_keys=True) + "\n"


def read(path: Path) -> Manifest:
    """The manifest in `path`; raises `Misconfigured` where there is none, or half of one."""
    try:
        parts = json.loads(path.read_text(encoding="utf-8"))
        images = {name: Image(**image) for name, image in parts.pop("images").items()}
        return Manifest(**parts, images=images)
    except FileNotFoundError as error:
        raise Misconfigured(f"{path} is not there; `make build` writes it") from error
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise Misconfigured(f"{path} is no build manifest ({error}); run `make build`") from error


def variables(manifest: Manifest) -> dict[str, str]:
    """What docker-compose.yml is filled in with to run exactly what `manifest` names.

    Raises `Misconfigured` when an image was not built, or the template is not named.
    """
    if missing := [name for name in IMAGES if name not in manifest.images]:
        raise Misconfigured(f"no image of {', '.join(missing)} was built; run `make build`")
    if "data.yaml" not in manifest.templates:
        raise Misconfigured("the manifest names no template data.yaml; run `make build`")
    return {
        **{f"{name.upper()}_IMAGE": manifest.images[name].id for name in IMAGES},
        "DATA_TEMPLATE": manifest.templates["data.yaml"],
    }


def built(root: Path) -> dict[str, str]:
    """The `variables` of what was built in the checkout at `root`; raises `Misconfigured`."""
    return variables(read(root / FILE))
