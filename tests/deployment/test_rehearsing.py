"""What the rehearsal is made of: what is compared, what is run, and what is left behind."""

import signal
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from compose import manifest
from compose.manifest import Image, Manifest
from scripts.aws import local_task
from scripts.aws.programs import Ended, Programs, Unexpected
from scripts.aws.rehearsal import (
    CANNOT_SHOW,
    check,
    checkout_with,
    planned_in,
    verdicts_of,
    with_trainer,
)
from scripts.aws.shown import NOTHING, Fact, changed, shown
from scripts.aws.standin import StandIn
from tests.emulator import ROOT

MADE = Manifest(
    revision="abc",
    artifacts={"create_data.zip": "1" * 64},
    templates={},
    images={
        name: Image(f"sha256:{name}", "linux/amd64", "base", "abc", "inputs")
        for name in ("trainer", "webapp")
    },
)
CONTAINER = {
    "environment": [{"name": "RAW_BUCKET", "value": "raw"}],
    "user": "10001:10001",
    "readonlyRootFilesystem": True,
    "cpu": "2048",
    "memory": "4096",
}
TEMPLATE = {
    "LinuxParameters": {
        "InitProcessEnabled": True,
        "Capabilities": {"Drop": ["ALL"]},
        "Tmpfs": [{"ContainerPath": "/tmp", "Size": 256, "MountOptions": ["mode=1777"]}],
    },
    "HealthCheck": {"Command": ["CMD", "python", "-m", "chartbuster.probe"]},
}


def programs(root: Path, **environ: str) -> Programs:
    """Programs of a checkout that holds what `program` below writes."""
    return Programs.over(StandIn("http://127.0.0.1:1", root), root, environ)


def program(root: Path, name: str, code: str) -> None:
    (root / "scripts").mkdir(exist_ok=True)
    (root / "scripts" / "__init__.py").touch()
    (root / "scripts" / f"{name}.py").write_text(code)


def test_what_differs_between_two_moments_is_named():
    before = {"stack data": "done", "create_data": "1", "gone": "yes"}

    assert changed(before, before) == set()
    assert changed(before, {"stack data": "done", "create_data": "2", "new": "yes"}) == {
        *("create_data", "gone", "new")
    }


def test_all_facts_that_do_not_hold_are_told_with_what_was_expected_and_found():
    with pytest.raises(Unexpected, match=r"port: expected 80, found 81; user: expected 'a', fo"):
        check(Fact("port", 80, 81), Fact("path", "/", "/"), Fact("user", "a", None))


def test_to_have_nothing_to_check_is_no_success():
    with pytest.raises(Unexpected, match="expected something to check"):
        check()


def test_an_account_with_nothing_in_it_shows_nothing(standin: StandIn):
    assert set(shown(standin.account("empty")).values()) == {NOTHING}


def test_the_planned_resources_are_read_from_the_plan():
    said = """\
account 123456789012, region us-east-1, stage dev
stack chartbuster-dev-data: nothing changes
stack chartbuster-dev-compute: 1 changed, 1 replaced
  changed   TrainerService (AWS::ECS::Service)
  replaced  TrainerTask (AWS::ECS::TaskDefinition)
  planned with examples for TrainerImage, not known yet
"""
    assert planned_in(said) == {"TrainerService", "TrainerTask"}


def test_verdicts_are_read_behind_whatever_is_said_before():
    said = '  reading what is deployed\n{"artifacts": [{"artifact": "zip", "verdict": "same"}]}'

    assert verdicts_of(said) == {"zip": "same"}
    assert verdicts_of("error: no account") == {}


def test_another_image_of_the_trainer_changes_nothing_else_of_what_was_built():
    other = with_trainer(MADE, "sha256:other")

    assert other.images["trainer"].id == "sha256:other"
    assert other.images["webapp"] == MADE.images["webapp"]
    assert with_trainer(other, MADE.images["trainer"].id) == MADE


def test_a_checkout_with_another_build_has_the_same_programs_and_artifacts(tmp_path: Path):
    root = tmp_path / "root"
    (root / "build").mkdir(parents=True)
    (root / manifest.FILE).write_text(MADE.to_json())
    (root / "build" / "create_data.zip").write_bytes(b"zip")
    program(root, "where", "from pathlib import Path\nprint(Path(__file__).parents[1])")

    made = checkout_with(with_trainer(MADE, "sha256:other"), root, tmp_path / "other")

    assert manifest.read(made / manifest.FILE).images["trainer"].id == "sha256:other"
    assert (made / "build" / "create_data.zip").read_bytes() == b"zip"
    # The program believes it is at home there, and so finds the other manifest.
    assert programs(root).at(made).run("where", "dev").said.strip() == str(made)
    assert manifest.read(root / manifest.FILE) == MADE


def test_a_program_is_told_of_the_stand_in_and_nothing_of_the_persons_account(tmp_path: Path):
    program(tmp_path, "said", "import os\nprint(*(f'{k}={v}' for k, v in os.environ.items()))")

    ended = programs(tmp_path, AWS_PROFILE="mine", HTTPS_PROXY="http://p", PATH="/bin").run(
        "said", "trial"
    )

    ended.as_expected(0, "STAGE=trial", "AWS_ENDPOINT_URL=http://127.0.0.1:1", "PATH=/bin")
    assert "AWS_PROFILE" not in ended.said
    assert "HTTPS_PROXY" not in ended.said


def test_another_end_than_the_expected_is_told_with_what_was_said():
    ended = Ended("deploy_aws --until data", 1, "error: no such bucket\n")

    assert ended.as_expected(1, "no such bucket") is ended
    with pytest.raises(Unexpected, match=r"until data: expected that it ended with 0; it ended wi"):
        ended.as_expected()
    with pytest.raises(Unexpected, match="and said 'CertificateArn'; it ended with 1 and said:\n"):
        ended.as_expected(1, "CertificateArn")


@pytest.mark.parametrize("by", [signal.SIGINT, signal.SIGKILL])
def test_a_program_is_interrupted_once_it_has_said_something(tmp_path: Path, by: signal.Signals):
    program(tmp_path, "works", "import time\nprint('pushing', flush=True)\ntime.sleep(60)")

    ended = programs(tmp_path).interrupted("works", "dev", when=lambda s: "pushing" in s, by=by)

    assert ended.code == -by
    assert ended.said.startswith("pushing\n")


def test_a_program_that_is_too_quick_to_be_interrupted_was_not_interrupted(tmp_path: Path):
    program(tmp_path, "quick", "print('done')")

    with pytest.raises(Unexpected, match="expected it to be at work when it is interrupted"):
        programs(tmp_path).interrupted("quick", "dev", when=lambda _: False, by=signal.SIGINT)


def test_a_container_is_run_as_its_task_definition_and_its_template_say():
    assert local_task.options(CONTAINER, TEMPLATE, environ={"AWS_REGION": "us-east-1"}) == {
        "environment": {"RAW_BUCKET": "raw", "AWS_REGION": "us-east-1"},
        "user": "10001:10001",
        "read_only": True,
        "init": True,
        "cap_drop": ["ALL"],
        "tmpfs": {"/tmp": "size=256m,mode=1777"},
        "nano_cpus": 2_000_000_000,
        "mem_limit": "4096m",
        "network_mode": "host",
    }


def test_only_a_health_check_that_names_a_program_can_be_run():
    assert local_task.health_command(TEMPLATE) == ["python", "-m", "chartbuster.probe"]
    with pytest.raises(local_task.TaskFailed, match="begins with 'CMD-SHELL'; expected CMD"):
        local_task.health_command({"HealthCheck": {"Command": ["CMD-SHELL", "true"]}})


class FewImages:
    """An engine's images by id with their names, and no containers."""

    def __init__(self, names: dict[str, list[str]]) -> None:
        self.names = names
        self.api = self
        self.containers = SimpleNamespace(list=lambda **_: [])

    def images(self) -> list[dict[str, object]]:
        return [{"Id": each, "RepoTags": list(names)} for each, names in self.names.items()]

    def remove_image(self, name: str, *, noprune: bool) -> None:
        for names in self.names.values():
            if name in names:
                names.remove(name)


def test_a_rehearsal_takes_its_names_from_the_images_and_keeps_what_was_built():
    engine = FewImages(
        {
            "built": ["chartbuster/trainer:local", "127.0.0.1:5000/dev/trainer:1"],
            "built, and nobody else has a name for it": ["127.0.0.1:5000/dev/webapp:2"],
            "made for the rehearsal": ["127.0.0.1:5000/dev/trainer:3"],
            "of another rehearsal": ["127.0.0.1:5001/dev/trainer:1"],
        }
    )

    local_task.forget(
        engine,
        "127.0.0.1:5000",
        keep={"built", "built, and nobody else has a name for it"},
    )

    assert engine.names == {
        "built": ["chartbuster/trainer:local"],
        "built, and nobody else has a name for it": ["127.0.0.1:5000/dev/webapp:2"],
        "made for the rehearsal": [],
        "of another rehearsal": ["127.0.0.1:5001/dev/trainer:1"],
    }


def test_programs_run_with_the_interpreter_that_runs_the_rehearsal(tmp_path: Path):
    program(tmp_path, "which", "import sys\nprint(sys.executable)")

    assert programs(tmp_path).run("which", "dev").said.strip() == sys.executable


def test_the_document_lists_what_a_stand_in_cannot_show_and_nothing_else():
    text = (ROOT / "docs/aws.md").read_text(encoding="utf-8")
    listed = text.partition("<!-- cannot show -->")[2].partition("<!-- end of cannot show -->")[0]

    items = [" ".join(item.split()) for item in listed.split("\n- ")[1:]]
    assert items == [f"{what}: {why}" for what, why in CANNOT_SHOW.items()]
