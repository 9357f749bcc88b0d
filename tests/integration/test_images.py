"""The images: what is in them and what is not, and that the same commit gives the same ones."""

import json
import os
import shutil
import subprocess
import textwrap
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from chartbuster.identity import code_digest
from compose import engine, manifest
from compose.manifest import IMAGES, Manifest
from scripts.build import BASE
from tests import containers
from tests.emulator import ROOT, require

pytestmark = pytest.mark.integration

LARGEST = {"trainer": 600e6, "webapp": 820e6}


@pytest.fixture(scope="module")
def built() -> Manifest:
    """What this checkout's build made."""
    require(containers.lacking())
    return manifest.read(ROOT / manifest.FILE)


def inspected(image: str) -> dict[str, Any]:
    (found,) = json.loads(engine.call(("image", "inspect", image), os.environ))
    return dict(found)


def inside(image: str, code: str) -> Any:
    """What a Python program says, as JSON, that runs in a container of the image, offline."""
    program = ("--entrypoint", "python", image, "-c", textwrap.dedent(code))
    return json.loads(
        engine.call(("run", "--rm", "--network", "none", "--read-only", *program), os.environ)
    )


@pytest.mark.parametrize("name", LARGEST)
def test_an_image_that_goes_to_aws_is_no_larger_than_it_has_to_be(built: Manifest, name: str):
    assert inspected(built.images[name].id)["Size"] < LARGEST[name]


@pytest.mark.parametrize("name", IMAGES)
def test_an_image_says_what_it_is_and_where_it_comes_from(built: Manifest, name: str):
    image = built.images[name]
    found = inspected(image.id)
    labels = {
        label.removeprefix("org.opencontainers.image."): value
        for label, value in found["Config"]["Labels"].items()
    }

    assert {"title", "description", "licenses"} <= set(labels)
    assert labels["revision"] == image.revision
    assert labels["base.name"] == BASE
    (wheel,) = (ROOT / "build" / "wheels").glob("chartbuster-*.whl")
    assert wheel.name.startswith(f"chartbuster-{labels['version']}-")
    assert f"{found['Os']}/{found['Architecture']}" == image.platform
    assert inspected(BASE)["Id"] == image.base


@pytest.mark.parametrize("name", IMAGES)
def test_an_image_is_dated_by_the_last_commit_that_touched_what_it_is_made_of(
    built: Manifest, name: str
):
    image = built.images[name]
    commit = image.revision.removesuffix("-changed")
    told = subprocess.run(
        ["git", "show", "--no-patch", "--format=%ct", commit],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout

    assert datetime.fromisoformat(inspected(image.id)["Created"]).timestamp() == int(told)


@pytest.mark.parametrize("name", IMAGES)
def test_an_image_runs_one_program_as_somebody_without_rights(built: Manifest, name: str):
    config = inspected(built.images[name].id)["Config"]

    assert config["User"] == "10001:10001"
    assert config["Entrypoint"][0] == "python"
    assert config["Healthcheck"]["Test"][0] == "CMD"
    assert not config.get("Volumes")


@pytest.mark.parametrize("name", IMAGES)
def test_nothing_that_only_a_build_needs_is_left_in_an_image(built: Manifest, name: str):
    found = inside(built.images[name].id, FILES)

    names = {Path(path).name for path in found["programs"] + found["packages"]}
    assert "python" in names
    # LocalStack needs setuptools to run.
    needed = {"setuptools"} if name in {"localstack", "keeper"} else set()
    assert names & BUILDERS == needed
    assert found["only for developers"] == []
    assert found["left over"] == []


@pytest.mark.parametrize("name", IMAGES)
def test_all_may_read_what_is_in_an_image_and_nobody_may_write_it(built: Manifest, name: str):
    found = inside(built.images[name].id, FILES)

    assert found["files"] > 1000
    assert found["dates"] == [315532800]  # 1980
    assert found["unreadable"] == []
    assert found["not root's"] == []


BUILDERS = {
    *("pip", "pip3", "uv", "uvx", "hatchling", "setuptools", "wheel"),
    *("gcc", "cc", "g++", "ld", "make", "cmake", "cython"),
}
FILES = """
    import json, os, stat
    from pathlib import Path

    ours = list(Path("/opt").rglob("*"))
    state = {str(path): path.lstat() for path in ours}
    print(json.dumps({
        "files": len(ours),
        "programs": [str(path) for path in ours if path.is_file() and os.access(path, os.X_OK)],
        "packages": os.listdir("/opt/venv/lib/python3.13/site-packages"),
        "only for developers": [
            str(path) for path in ours if path.name in {"tests", "include"} and path.is_dir()
        ],
        "left over": [
            *(path for path in ("/out", "/tools", "/root/.cache") if os.path.exists(path)),
            *map(str, Path("/tmp").iterdir()),
        ],
        "dates": sorted({int(about.st_mtime) for about in state.values()}),
        "unreadable": [
            path for path, about in state.items()
            if not stat.S_ISLNK(about.st_mode) and not about.st_mode & stat.S_IROTH
        ],
        "not root's": [path for path, about in state.items() if about.st_uid or about.st_gid],
    }))
"""


@pytest.mark.parametrize("name", ["trainer", "webapp", "keeper"])
def test_an_image_holds_the_code_this_checkout_holds(built: Manifest, name: str):
    code = """
        import json
        from chartbuster.identity import code_digest
        print(json.dumps(code_digest("chartbuster", "trainer")))
    """

    assert inside(built.images[name].id, code) == code_digest("chartbuster", "trainer")


@pytest.mark.parametrize("name", IMAGES)
def test_byte_code_is_there_and_holds_no_time_and_is_taken_without_a_look_at_its_source(
    built: Manifest, name: str
):
    code = """
        import json
        from pathlib import Path

        compiled = list(Path("/opt").rglob("*.pyc"))
        print(json.dumps([
            len(compiled), [str(p) for p in compiled if p.read_bytes()[4:8] != b"\\1\\0\\0\\0"]
        ]))
    """

    files, others = inside(built.images[name].id, code)

    assert files > 1000
    assert others == []


@dataclass(frozen=True)
class Clone:
    """A clone of the last commit, in which `make build` is called as a person would.

    `umask` and `environ` are what one person's machine has different from another's.
    """

    root: Path
    umask: int
    environ: Mapping[str, str]

    def build(self, *arguments: str) -> Manifest:
        inherited = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("MAKE", "MFLAGS", "UV_"))
        }
        done = subprocess.run(
            ["make", "build", *arguments],
            cwd=self.root,
            env={**inherited, **self.environ},
            umask=self.umask,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout
        return manifest.read(self.root / manifest.FILE)

    def git(self, *arguments: str) -> None:
        somebody = ("-c", "user.name=somebody", "-c", "user.email=somebody@example.com")
        subprocess.run(["git", *somebody, *arguments], cwd=self.root, check=True)


def clone(root: Path, *, umask: int = 0o022, **environ: str) -> Clone:
    root.parent.mkdir(parents=True)
    subprocess.run(["git", "clone", "--quiet", ROOT, root], umask=umask, check=True)
    return Clone(root, umask, environ)


@pytest.fixture
def no_image_is_left() -> Iterator[None]:
    """Images that the test made and that were not there before are removed."""
    before = set(image_ids())
    yield
    for image in set(image_ids()) - before:
        # Somebody may have begun to use it: then it stays.
        with suppress(engine.EngineFailed):
            engine.call(("image", "rm", image), os.environ)


def image_ids() -> list[str]:
    return engine.call(("image", "ls", "--quiet", "--no-trunc"), os.environ).split()


@pytest.fixture
def clones(tmp_path: Path) -> Iterator[Path]:
    """A folder that is removed at once: two checkouts with their environments are large."""
    yield tmp_path
    shutil.rmtree(tmp_path, ignore_errors=True)


@pytest.mark.usefixtures("built", "no_image_is_left")
def test_one_commit_gives_the_same_artifacts_and_images_wherever_and_however_often_it_is_built(
    clones: Path,
):
    here = clone(clones / "here" / "chartbuster")
    there = clone(
        clones / "there" / "in a folder of another name",
        umask=0o077,
        TZ="Pacific/Auckland",
        PYTHONHASHSEED="7",
    )

    first = here.build()
    # Nothing that was built before is used.
    second = there.build("NO_CACHE=1")

    assert set(first.images) == set(IMAGES)
    assert second == first
    texts = [(each.root / manifest.FILE).read_text() for each in (here, there)]
    assert texts[0] == texts[1]
    assert str(here.root) not in texts[0]

    readme = here.root / "README.md"
    readme.write_text(readme.read_text() + "\nOne more sentence.\n")
    here.git("commit", "--quiet", "--message", "One more sentence", "README.md")
    third = here.build()

    assert third.revision != first.revision
    assert (third.artifacts, third.templates) == (first.artifacts, first.templates)
    assert third.images == first.images
