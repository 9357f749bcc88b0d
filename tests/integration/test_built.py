"""What `make` built is what this checkout holds."""

import re
import subprocess
import zipfile

import pytest

from chartbuster.identity import code_digest
from compose.layout import Layout
from tests.emulator import ROOT, require

pytestmark = pytest.mark.integration

_PRINT = (
    "from chartbuster.identity import code_digest; print(code_digest('chartbuster', 'trainer'))"
)
_TEMPLATE = r"infra/.*\.yaml"


def test_the_installed_wheel_names_runs_as_the_source_does(tmp_path):
    python = Layout(ROOT).python("trainer")
    require(
        None if python.exists() else "the trainer's environment is not there; `make test` makes it"
    )

    told = subprocess.run(
        [python, "-P", "-c", _PRINT], cwd=tmp_path, capture_output=True, text=True, check=True
    ).stdout

    assert told.strip() == code_digest("chartbuster", "trainer")


def test_the_wheel_holds_every_source_of_its_packages_and_no_other_folder():
    built = list((ROOT / "build" / "wheels").glob("chartbuster-*.whl"))
    require(None if built else "build/wheels/ has no wheel; `make test` builds it")
    packages = {"chartbuster", "trainer", "webapp", "compose", "infra"}

    with zipfile.ZipFile(built[0]) as wheel:
        names = set(wheel.namelist())

    folders = {name.split("/")[0] for name in names}
    assert {name for name in folders if not name.endswith(".dist-info")} == packages
    assert not [
        name for name in names if name.startswith(("compose/localstack/", "compose/process_"))
    ]
    for package in packages - {"compose"}:
        for source in (ROOT / package).rglob("*.py"):
            assert source.relative_to(ROOT).as_posix() in names


def test_of_the_templates_the_wheel_holds_only_the_one_that_every_stack_runs():
    built = list((ROOT / "build" / "wheels").glob("chartbuster-*.whl"))
    require(None if built else "build/wheels/ has no wheel; `make test` builds it")

    with zipfile.ZipFile(built[0]) as wheel:
        templates = [name for name in wheel.namelist() if re.fullmatch(_TEMPLATE, name)]

    assert templates == ["infra/data.yaml"]


def test_make_builds_no_new_wheel_for_a_template_that_only_goes_to_aws():
    sources = subprocess.run(
        ["make", "--eval", "sources: ; @echo $(WHEEL_SOURCES)", "sources"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()

    assert [name for name in sources if re.fullmatch(_TEMPLATE, name)] == ["infra/data.yaml"]
