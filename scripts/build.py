"""Builds the images where there is a Docker Engine, and writes build/manifest.json.

The wheel, the Lambda's zip and the demo catalogue are there already: the Makefile made them. An
image that is there and whose inputs did not change is not built again. Without an engine the
manifest has no images, and embedded mode needs none.
"""

import argparse
import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from chartbuster.errors import Misconfigured
from chartbuster.identity import digest
from compose import engine, manifest
from compose.composed import project
from compose.manifest import Image, Manifest
from scripts.command import run
from scripts.running import ROOT
from scripts.steps import Steps

BASE = "python:3.13-slim-trixie"
DOT_ENV = Path(".env")
_ALIKE = (".dockerignore", "scripts/stage.sh", "scripts/tools.txt")
_PACKAGES = ("chartbuster", "trainer", "webapp", "infra")
# What pyproject.toml leaves out of the wheel: a change of one of these is no new image.
_AWS_ONLY = ("bootstrap.yaml", "compute.yaml", "scaling.yaml")
_WHEEL = (
    *_PACKAGES,
    *(f":(exclude)infra/{name}" for name in _AWS_ONLY),
    ":(glob)compose/*.py",
    "pyproject.toml",
    "LICENSE",
)


@dataclass(frozen=True)
class Recipe:
    """One image: what it is called, its Dockerfile, and which files it is made of.

    `files` go into the build; `sources` are the tracked files behind them, whose last commit dates
    and labels the image.
    """

    name: str
    title: str
    dockerfile: str
    files: tuple[str, ...]
    sources: tuple[str, ...]

    @property
    def tag(self) -> str:
        """What people call it; programs go by its id."""
        return f"chartbuster/{self.name}:local"

    @property
    def inputs(self) -> tuple[str, ...]:
        """Every file the image depends on, some as patterns."""
        return (self.dockerfile, *_ALIKE, *self.files)


_EMULATOR = Recipe(
    "localstack",
    "LocalStack with ChartBuster's Lambda executor",
    "compose/localstack/Dockerfile",
    (
        "compose/localstack/requirements.txt",
        "compose/localstack/launch.py",
        "compose/process_executor/runtime.txt",
        "chartbuster/probe.py",
        "build/wheels/localstack_process_executor-*.whl",
    ),
    tuple(
        f"compose/process_executor/{name}"
        for name in ("localstack_process_executor", "pyproject.toml", "README.md")
    ),
)

RECIPES = (
    _EMULATOR,
    Recipe(
        "keeper",
        "Deploys ChartBuster's stack into LocalStack and keeps its state",
        _EMULATOR.dockerfile,
        (
            *_EMULATOR.files,
            "build/wheels/chartbuster-*.whl",
            "build/create_data.zip",
            "build/demo_catalogue.csv.gz",
        ),
        (*_EMULATOR.sources, *_WHEEL, "lambdas", "scripts/build_zip.py"),
    ),
    Recipe(
        "trainer",
        "ChartBuster's trainer",
        "trainer/Dockerfile",
        ("trainer/requirements.txt", "build/wheels/chartbuster-*.whl"),
        _WHEEL,
    ),
    Recipe(
        "webapp",
        "ChartBuster's web app",
        "webapp/Dockerfile",
        ("webapp/requirements.txt", "build/wheels/chartbuster-*.whl"),
        _WHEEL,
    ),
)


@dataclass(frozen=True)
class Origin:
    """Where an image's inputs come from: a commit and when it was made (seconds since 1970)."""

    revision: str
    epoch: int


def digest_of(root: Path, patterns: tuple[str, ...]) -> str:
    """The digest over the names and contents of the files that match `patterns` below `root`.

    Raises `Misconfigured` naming a pattern without a file.
    """
    seen = hashlib.sha256()
    for pattern in patterns:
        found = sorted(root.glob(pattern))
        if not found:
            raise Misconfigured(f"{pattern} is not there; `make build` makes it first")
        for path in found:
            name = path.relative_to(root).as_posix()
            seen.update(f"{name}\0{digest(path.read_bytes())}\n".encode())
    return seen.hexdigest()


def origin_of(root: Path, paths: tuple[str, ...]) -> Origin:
    """The last commit that touched `paths`; a folder without history is nobody's, from 1980."""
    said = _git(root, "log", "-1", "--format=%H %ct", "--", *paths).split()
    if len(said) != 2:
        return Origin("unknown", 315532800)
    changed = bool(_git(root, "status", "--porcelain", "--", *paths))
    return Origin(said[0] + ("-changed" if changed else ""), int(said[1]))


def build_command(
    recipe: Recipe, origin: Origin, *, version: str, iidfile: Path, cached: bool = True
) -> list[str]:
    """The call of docker that builds the image and writes its id to `iidfile`."""
    labels = {
        "title": recipe.title,
        "description": "Part of ChartBuster, which predicts how popular a song will be.",
        "version": version,
        "revision": origin.revision,
        "licenses": "Apache-2.0",
        "base.name": BASE,
    }
    return [
        *("docker", "build", "--progress", "plain", "--file", recipe.dockerfile),
        *(() if cached else ("--no-cache",)),
        *("--tag", recipe.tag, "--iidfile", str(iidfile)),
        # The stage that is the image, where a Dockerfile has several; elsewhere its last.
        *(("--target", recipe.name) if recipe.dockerfile == _EMULATOR.dockerfile else ()),
        # BuildKit dates the image by it.
        *("--build-arg", f"SOURCE_DATE_EPOCH={origin.epoch}"),
        *(
            part
            for name, value in sorted(labels.items())
            for part in ("--label", f"org.opencontainers.image.{name}={value}")
        ),
        ".",
    ]


def dot_env(root: Path, made: Manifest) -> str:
    """What `docker compose` by hand needs to run the same stack as `make up`."""
    lines = [
        "# Written by `make build`, read by `docker compose`: the project, and what it runs.",
        f"COMPOSE_PROJECT_NAME={project(root)}",
        *(f"{name}={value}" for name, value in sorted(manifest.variables(made).items())),
    ]
    return "\n".join(lines) + "\n"


class Builder:
    """Builds what is missing of the images of the checkout at `root`."""

    def __init__(
        self, root: Path, environ: Mapping[str, str], steps: Steps, *, cached: bool = True
    ) -> None:
        self._root = root
        self._environ = environ
        self._steps = steps
        self._cached = cached

    def images(self) -> dict[str, Image]:
        """Every image, built now where it has to be; raises `ChartBusterError`."""
        known = self._known() if self._cached else {}
        wanted = {recipe: self._wanted(recipe) for recipe in RECIPES}
        stale = [
            recipe
            for recipe, (inputs, origin) in wanted.items()
            if (old := known.get(recipe.name)) is None
            or (old.inputs, old.revision) != (inputs, origin.revision)
            or not self._is_there(old)
        ]
        if stale:
            self._pull_base()
            names = ", ".join(recipe.name for recipe in stale)
            with self._steps.step(f"building images: {names}", f"images built: {names}"):
                self._build({recipe: wanted[recipe][1] for recipe in stale})
        return {
            recipe.name: self._described(recipe, inputs, origin)
            if recipe in stale
            else known[recipe.name]
            for recipe, (inputs, origin) in wanted.items()
        }

    def _known(self) -> Mapping[str, Image]:
        try:
            return manifest.read(self._root / manifest.FILE).images
        except Misconfigured:
            return {}

    def _wanted(self, recipe: Recipe) -> tuple[str, Origin]:
        tracked = (*recipe.inputs, *recipe.sources)
        tracked = tuple(path for path in tracked if not path.startswith("build/"))
        return digest_of(self._root, recipe.inputs), origin_of(self._root, tracked)

    def _is_there(self, image: Image) -> bool:
        """Whether the engine still has the image, and its base is the one it was built on."""
        try:
            return bool(self._inspect(image.id)) and self._base() == image.base
        except engine.EngineFailed:
            return False

    def _build(self, wanted: Mapping[Recipe, Origin]) -> None:
        """Build side by side; what two images have in common BuildKit makes once."""
        version = _version(self._root)

        def build(recipe: Recipe) -> str:
            """Build one image; returns what went wrong, if anything."""
            log = self._root / "build" / f"{recipe.name}-image.log"
            command = build_command(
                recipe,
                wanted[recipe],
                version=version,
                iidfile=self._iidfile(recipe),
                cached=self._cached,
            )
            with log.open("wb") as output:
                done = subprocess.run(
                    command,
                    cwd=self._root,
                    env={**self._environ, "DOCKER_BUILDKIT": "1"},
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    check=False,
                )
            if done.returncode == 0:
                return ""
            said = "\n".join(log.read_text(errors="replace").strip().splitlines()[-12:])
            name = log.relative_to(self._root)
            return f"the image of {recipe.name} was not built, see {name}:\n{said}"

        with ThreadPoolExecutor(len(wanted)) as side_by_side:
            faults = [fault for fault in side_by_side.map(build, wanted) if fault]
        if faults:
            raise engine.EngineFailed("\n".join(faults))

    def _described(self, recipe: Recipe, inputs: str, origin: Origin) -> Image:
        built = self._iidfile(recipe).read_text(encoding="utf-8").strip()
        found = self._inspect(built)
        return Image(
            id=built,
            platform=f"{found['Os']}/{found['Architecture']}",
            base=self._base(),
            revision=origin.revision,
            inputs=inputs,
        )

    def _base(self) -> str:
        return str(self._inspect(BASE)["Id"])

    def _pull_base(self) -> None:
        """Have the base image here, so that its id can be written down."""
        try:
            self._base()
        except engine.EngineFailed:
            with self._steps.step(f"fetching {BASE}"):
                engine.call(("pull", "--quiet", BASE), self._environ)

    def _inspect(self, name: str) -> Mapping[str, str]:
        found: list[Mapping[str, str]] = json.loads(
            engine.call(("image", "inspect", name), self._environ)
        )
        return found[0]

    def _iidfile(self, recipe: Recipe) -> Path:
        return self._root / "build" / f"{recipe.name}-image.id"


def artifacts(root: Path) -> dict[str, str]:
    """The SHA-256 of everything `make build` made besides the images, by file name."""
    patterns = ("wheels/*.whl", "create_data.zip", "demo_catalogue.csv.gz")
    return dict(_digests(root / "build", patterns))


def _digests(folder: Path, patterns: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    for pattern in patterns:
        for path in sorted(folder.glob(pattern)):
            yield path.name, digest(path.read_bytes())


def _version(root: Path) -> str:
    (wheel,) = (root / "build" / "wheels").glob("chartbuster-*.whl")
    return wheel.name.split("-")[1]


def _git(root: Path, *arguments: str) -> str:
    """What git says; nothing where there is no git or no repository."""
    try:
        done = subprocess.run(
            ["git", *arguments], cwd=root, capture_output=True, text=True, check=False
        )
    except OSError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def write(path: Path, text: str) -> None:
    """Replace a small file in one step; one that says the same already is left alone."""
    if path.exists() and path.read_text(encoding="utf-8") == text:
        return
    partial = path.with_name(f"{path.name}.partial")
    partial.write_text(text, encoding="utf-8")
    partial.replace(path)


def build(
    root: Path, environ: Mapping[str, str], steps: Steps, *, images: bool, cached: bool = True
) -> Manifest:
    """Build the images if wanted, and write the manifest and .env.

    Without `cached`, nothing that an earlier build made is used.
    """
    made = Builder(root, environ, steps, cached=cached).images() if images else {}
    found = Manifest(
        revision=origin_of(root, (".",)).revision,
        artifacts=artifacts(root),
        templates=dict(_digests(root / "infra", ("*.yaml",))),
        images=made,
    )
    write(root / manifest.FILE, found.to_json())
    if made:
        write(root / DOT_ENV, dot_env(root, found))
    return found


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="example: make build",
    )
    parser.add_argument("--images", action="store_true", help="fail where there is no engine")
    parser.add_argument("--no-cache", action="store_true", help="build every image from nothing")
    options = parser.parse_args()
    steps = Steps(Console(highlight=False))

    def action() -> int:
        try:
            engine.find(os.environ)
            with_images = True
        except engine.NoEngine as error:
            if options.images:
                raise
            steps.say(f"no images: {error}")
            with_images = False
        build(ROOT, os.environ, steps, images=with_images, cached=not options.no_cache)
        steps.say(f"what was built is in {manifest.FILE}")
        return 0

    return run(action, interrupted="stopped; `make build` goes on from what is built")


if __name__ == "__main__":
    sys.exit(main())
