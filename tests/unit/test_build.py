"""Building images: what dates and labels them, and when none has to be built."""

import itertools
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest
from rich.console import Console

from chartbuster.errors import Misconfigured
from compose import manifest
from compose.composed import project
from compose.engine import EngineFailed
from compose.manifest import IMAGES, Manifest
from scripts.build import (
    BASE,
    RECIPES,
    Builder,
    Origin,
    Recipe,
    build,
    build_command,
    digest_of,
    dot_env,
    origin_of,
    write,
)
from scripts.steps import Steps
from tests.fake_docker import FakeDocker
from tests.unit.test_manifest import MADE

TRAINER = next(recipe for recipe in RECIPES if recipe.name == "trainer")
NOBODY = {
    **{f"GIT_{role}_NAME": "nobody" for role in ("AUTHOR", "COMMITTER")},
    **{f"GIT_{role}_EMAIL": "nobody@example.com" for role in ("AUTHOR", "COMMITTER")},
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_SYSTEM": os.devnull,
}


class Repository:
    """A small git repository; its first commit has a file of ours and a README."""

    def __init__(self, root: Path) -> None:
        self.root = root
        root.mkdir(exist_ok=True)
        self._git("init", "--quiet")
        (root / "ours").mkdir()
        self.commit({"ours/code.py": "print(1)\n", "README.md": "words\n"}, at=1_700_000_000)

    def commit(self, files: Mapping[str, str], *, at: int) -> str:
        """Write and commit `files` at a time in seconds since 1970; returns the commit."""
        for name, text in files.items():
            (self.root / name).parent.mkdir(parents=True, exist_ok=True)
            (self.root / name).write_text(text)
        self._git("add", "--all")
        when = {"GIT_AUTHOR_DATE": f"{at} +0200", "GIT_COMMITTER_DATE": f"{at} +0200"}
        self._git("commit", "--quiet", "--message", "a change", **when)
        return self._git("rev-parse", "HEAD")

    def _git(self, *arguments: str, **environ: str) -> str:
        return subprocess.run(
            ["git", *arguments],
            cwd=self.root,
            env={**os.environ, **NOBODY, **environ},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path / "repository")


def test_the_origin_is_the_last_commit_that_touched_the_files_and_its_time(
    repository: Repository,
):
    changed = repository.commit({"ours/code.py": "print(2)\n"}, at=1_700_000_100)

    assert origin_of(repository.root, ("ours",)) == Origin(changed, 1_700_000_100)


def test_a_commit_of_the_readme_alone_changes_no_origin(repository: Repository):
    before = origin_of(repository.root, ("ours", "LICENSE"))

    readme = repository.commit({"README.md": "other words\n"}, at=1_700_000_200)

    assert origin_of(repository.root, ("ours", "LICENSE")) == before
    assert origin_of(repository.root, (".",)) == Origin(readme, 1_700_000_200)


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.name)
def test_a_template_that_only_goes_to_aws_changes_no_image(repository: Repository, recipe: Recipe):
    repository.commit(
        {"infra/data.yaml": "a: 1\n", recipe.dockerfile: "FROM base\n"}, at=1_700_000_100
    )
    paths = (recipe.dockerfile, *recipe.sources)
    before = origin_of(repository.root, paths)

    templates = [f"infra/{part}.yaml" for part in ("bootstrap", "compute", "scaling")]
    repository.commit(dict.fromkeys(templates, "a: 2\n"), at=1_700_000_200)

    assert origin_of(repository.root, paths) == before


@pytest.mark.parametrize("name", ["ours/code.py", "ours/new.py"])
def test_what_is_not_committed_yet_shows_in_the_origin(repository: Repository, name: str):
    before = origin_of(repository.root, ("ours",))

    (repository.root / name).write_text("print(3)\n")

    assert origin_of(repository.root, ("ours",)) == Origin(
        f"{before.revision}-changed", before.epoch
    )
    assert origin_of(repository.root, ("README.md",)).revision == before.revision


def test_what_git_ignores_changes_no_origin(repository: Repository):
    repository.commit({".gitignore": "build/\n"}, at=1_700_000_300)
    before = origin_of(repository.root, (".",))

    (repository.root / "build").mkdir()
    (repository.root / "build" / "wheel").write_text("made")

    assert origin_of(repository.root, (".",)) == before


def test_a_folder_without_history_is_nobody_s_and_has_a_fixed_date(tmp_path: Path):
    assert origin_of(tmp_path, (".",)) == Origin("unknown", 315532800)


def files(root: Path, *names: str) -> Path:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(f"this is {name}\n")
    return root


def test_a_digest_is_over_names_and_contents_and_not_over_the_folder(tmp_path: Path):
    one = files(tmp_path / "one", "a.txt", "b/c-1.whl")
    two = files(tmp_path / "two", "a.txt", "b/c-1.whl")
    patterns = ("a.txt", "b/c-*.whl")
    before = digest_of(one, patterns)
    assert digest_of(two, patterns) == before

    (two / "a.txt").write_text("changed")
    assert digest_of(two, patterns) != before

    (one / "b/c-1.whl").rename(one / "b/c-2.whl")
    assert digest_of(one, patterns) != before


def test_a_file_that_is_not_built_yet_is_named_with_what_builds_it(tmp_path: Path):
    root = files(tmp_path, "a.txt")

    with pytest.raises(Misconfigured) as raised:
        digest_of(root, ("a.txt", "build/*.whl"))

    assert str(raised.value) == "build/*.whl is not there; `make build` makes it first"


def test_an_image_is_built_with_its_dockerfile_its_date_and_its_labels(tmp_path: Path):
    iidfile = tmp_path / "id"

    command = build_command(TRAINER, Origin("abc", 1_700_000_000), version="1.2", iidfile=iidfile)

    assert command[:2] == ["docker", "build"]
    assert command[-1] == "."
    assert pairs(command, "--file") == ["trainer/Dockerfile"]
    assert pairs(command, "--tag") == ["chartbuster/trainer:local"]
    assert pairs(command, "--iidfile") == [str(iidfile)]
    assert pairs(command, "--build-arg") == ["SOURCE_DATE_EPOCH=1700000000"]
    assert pairs(command, "--target") == []
    labels = dict(label.split("=", 1) for label in pairs(command, "--label"))
    assert labels["org.opencontainers.image.revision"] == "abc"
    assert labels["org.opencontainers.image.version"] == "1.2"
    assert labels["org.opencontainers.image.base.name"] == BASE
    assert labels["org.opencontainers.image.licenses"] == "Apache-2.0"
    assert {name.rsplit(".", 1)[1] for name in labels} >= {"title", "description"}


def test_a_dockerfile_of_two_images_is_told_which(tmp_path: Path):
    origin = Origin("abc", 0)
    targets = {
        recipe.name: pairs(build_command(recipe, origin, version="1", iidfile=tmp_path), "--target")
        for recipe in RECIPES
    }

    assert targets == {
        "localstack": ["localstack"],
        "keeper": ["keeper"],
        "trainer": [],
        "webapp": [],
    }


def test_every_image_of_the_manifest_has_a_recipe():
    assert tuple(recipe.name for recipe in RECIPES) == IMAGES


def test_compose_by_hand_reads_the_project_and_the_images_from_dot_env(tmp_path: Path):
    lines = dot_env(tmp_path, MADE).splitlines()

    assert lines[0].startswith("#")
    settings = dict(line.split("=", 1) for line in lines[1:])
    assert settings == {"COMPOSE_PROJECT_NAME": project(tmp_path), **manifest.variables(MADE)}


def test_a_file_that_says_the_same_already_is_not_touched(tmp_path: Path):
    file = tmp_path / "file"
    write(file, "words")
    os.utime(file, (1, 1))

    write(file, "words")

    assert file.stat().st_mtime == 1
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_file_is_replaced_in_one_step(tmp_path: Path):
    file = tmp_path / "file"
    write(file, "words")
    with file.open() as reader:
        write(file, "other words")

        # Whoever was reading reads the old one to its end.
        assert reader.read() == "words"
    assert file.read_text() == "other words"
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


class Checkout:
    """A checkout with all that images are made of, and an engine that pretends to build them."""

    def __init__(self, tmp_path: Path) -> None:
        self.root = tmp_path / "checkout"
        names = {pattern.replace("*", "1.0") for each in RECIPES for pattern in each.inputs}
        files(self.root, *names, "infra/data.yaml")
        self.docker = FakeDocker(tmp_path / "docker")
        self.docker.is_an_engine()
        self.docker.says("image inspect sha256:", inspected("sha256:an image"))
        self.docker.says("image rm")
        self.is_based_on("sha256:base")
        self.gives("sha256:first")

    def is_based_on(self, base: str) -> None:
        self.docker.says(f"image inspect {BASE}", inspected(base))

    def gives(self, image: str) -> None:
        """Let every build end well, with an image whose id begins so."""
        self.docker.does(
            "build",
            'while [ "$1" != --iidfile ]; do if [ "$1" = --file ]; then file=$2; fi; shift; done; '
            f'echo "{image}-of-$2" | /bin/sed "s,-of-.*/,-of-," > "$2"; echo building $file',
        )

    def build(self) -> Manifest:
        self.docker.forget_calls()
        steps = Steps(Console(quiet=True))
        return build(self.root, self.docker.environ, steps, images=True)

    @property
    def built(self) -> set[str]:
        """What the last build built."""
        calls = [call.split() for call in self.docker.calls if call.startswith("build")]
        return {tag.split("/")[1].split(":")[0] for call in calls for tag in pairs(call, "--tag")}

    def removed(self) -> set[str]:
        calls = (call for call in self.docker.calls if call.startswith("image rm "))
        return {call.removeprefix("image rm ") for call in calls}


def inspected(image: str) -> str:
    return f'[{{"Id": "{image}", "Os": "linux", "Architecture": "amd64"}}]'


def pairs(command: list[str], option: str) -> list[str]:
    return [value for name, value in itertools.pairwise(command) if name == option]


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path)


def test_a_first_build_builds_all_and_writes_what_it_built(checkout: Checkout):
    made = checkout.build()

    assert checkout.built == set(IMAGES)
    assert manifest.read(checkout.root / manifest.FILE) == made
    assert made.images["trainer"].id == "sha256:first-of-trainer-image.id"
    assert made.images["trainer"].base == "sha256:base"
    assert made.images["trainer"].platform == "linux/amd64"
    assert set(made.artifacts) == {
        *("chartbuster-1.0.whl", "localstack_process_executor-1.0.whl"),
        *("create_data.zip", "demo_catalogue.csv.gz"),
    }
    assert set(made.templates) == {"data.yaml"}
    assert "TRAINER_IMAGE=sha256:first-of-trainer" in (checkout.root / ".env").read_text()


def test_a_build_over_a_build_builds_nothing_and_says_the_same(checkout: Checkout):
    made = checkout.build()

    assert checkout.build() == made
    assert checkout.built == set()


def test_only_images_whose_files_changed_are_built_and_no_other_checkout_s_image_goes(
    checkout: Checkout,
):
    checkout.build()
    files(checkout.root, "trainer/requirements.txt")
    (checkout.root / "trainer/requirements.txt").write_text("another")
    checkout.gives("sha256:second")

    made = checkout.build()

    assert checkout.built == {"trainer"}
    # Equal checkouts have equal images: what is old here may be what another one runs.
    assert checkout.removed() == set()
    assert made.images["trainer"].id == "sha256:second-of-trainer-image.id"
    assert made.images["webapp"].id == "sha256:first-of-webapp-image.id"


def test_new_code_is_a_new_wheel_and_leaves_localstack_s_image_alone(checkout: Checkout):
    checkout.build()
    (checkout.root / "build/wheels/chartbuster-1.0.whl").write_text("new code")

    checkout.build()

    assert checkout.built == {"keeper", "trainer", "webapp"}


def test_another_base_image_is_reason_to_build_all(checkout: Checkout):
    checkout.build()
    checkout.is_based_on("sha256:newer base")

    made = checkout.build()

    assert checkout.built == set(IMAGES)
    assert {image.base for image in made.images.values()} == {"sha256:newer base"}


def test_an_image_somebody_removed_is_built_again(checkout: Checkout):
    gone = checkout.build().images["webapp"].id
    checkout.docker.says(f"image inspect {gone}", err="No such image", code=1)
    checkout.gives("sha256:second")
    checkout.docker.says("image inspect sha256:second", inspected("sha256:second"))

    checkout.build()

    assert checkout.built == {"webapp"}


def test_without_the_cache_nothing_an_earlier_build_made_is_used(checkout: Checkout):
    checkout.build()
    checkout.docker.forget_calls()

    Builder(
        checkout.root, checkout.docker.environ, Steps(Console(quiet=True)), cached=False
    ).images()

    assert checkout.built == set(IMAGES)
    builds = [call for call in checkout.docker.calls if call.startswith("build ")]
    assert all(" --no-cache " in call for call in builds)


def test_a_base_image_that_is_not_there_is_fetched_once(checkout: Checkout):
    there = checkout.docker.folder / "there"
    checkout.docker.does(
        f"image inspect {BASE}",
        f"[ -e {there} ] || {{ echo No such image >&2; exit 1; }}; echo '{inspected('sha256:b')}'",
    )
    checkout.docker.does(f"pull --quiet {BASE}", f"> {there}")

    checkout.build()

    assert [call for call in checkout.docker.calls if call.startswith("pull")] == [
        f"pull --quiet {BASE}"
    ]


def test_an_image_that_cannot_be_built_is_named_with_the_end_of_its_log(checkout: Checkout):
    checkout.docker.does(
        "build --progress plain --file webapp/Dockerfile", "echo step 7: no space left >&2; exit 1"
    )

    with pytest.raises(EngineFailed) as raised:
        checkout.build()

    assert str(raised.value) == (
        "the image of webapp was not built, see build/webapp-image.log:\nstep 7: no space left"
    )
    assert not (checkout.root / manifest.FILE).exists()


def test_without_an_engine_the_manifest_has_the_artifacts_alone(checkout: Checkout):
    steps = Steps(Console(quiet=True))

    made = build(checkout.root, {}, steps, images=False)

    assert made.images == {}
    assert len(made.artifacts) == 4
    assert not (checkout.root / ".env").exists()


def test_a_recipe_s_inputs_name_its_dockerfile_and_what_all_images_share():
    recipe = Recipe("it", "a title", "it/Dockerfile", ("it/lock.txt",), ("it",))

    assert recipe.tag == "chartbuster/it:local"
    assert {"it/Dockerfile", "it/lock.txt", ".dockerignore", "scripts/stage.sh"} <= set(
        recipe.inputs
    )
