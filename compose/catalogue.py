"""LocalStack's index of AWS's services, made once and beforehand.

Without it LocalStack reads the descriptions of all AWS services at its first request, which takes
3 s and leaves it holding over 300 MB more for as long as it runs.
"""

import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from compose.layout import Layout

_INSIDE = Path("usr/lib/localstack")
_PATIENCE = 120.0


def catalogue_file(layout: Layout) -> Path:
    """Where the index belongs; its name holds both versions it depends on."""
    versions = "-".join(
        _version(layout, distribution).replace(".", "_")
        for distribution in ("localstack_core", "botocore")
    )
    return layout.stack / "cache" / "localstack" / _INSIDE / f"service-catalog-{versions}.dill"


def make_catalogue(layout: Layout, environment: Mapping[str, str]) -> None:
    """Make the index unless it is there. LocalStack can do without, so a failure is none."""
    file = catalogue_file(layout)
    if file.exists():
        return
    shutil.rmtree(file.parent, ignore_errors=True)
    made_in = layout.stack / "tmp" / "catalogue"
    (made_in / _INSIDE).mkdir(parents=True, exist_ok=True)
    subprocess.run(
        [layout.python("emulator"), "-m", "localstack.aws.spec"],
        env={
            **environment,
            "FILESYSTEM_ROOT": str(made_in),
            "CONFIG_DIR": str(made_in / "config"),
            "OVERRIDE_IN_DOCKER": "0",
        },
        cwd=layout.stack,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=_PATIENCE,
        check=False,
    )
    for made in (made_in / _INSIDE).glob("*.dill"):
        file.parent.mkdir(parents=True, exist_ok=True)
        # In one step, so that a stop in the middle leaves no half of it.
        made.replace(file.parent / made.name)


def lend_catalogue(layout: Layout, home: Path) -> None:
    """Let the LocalStack that writes under `home` find the index."""
    folder = home / "files" / "usr"
    folder.parent.mkdir(parents=True, exist_ok=True)
    if not folder.exists():
        folder.symlink_to(layout.stack / "cache" / "localstack" / "usr")


def _version(layout: Layout, distribution: str) -> str:
    """The installed version; `none` for one that is not there."""
    found = layout.packages("emulator").glob(f"{distribution}-*.dist-info")
    names = [path.name.removesuffix(".dist-info") for path in found]
    return names[0].removeprefix(f"{distribution}-") if names else "none"
