"""One value is changed at a time, and what becomes of each change is told truly."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from io import StringIO
from typing import Any

import pytest
from rich.console import Console

from chartbuster.errors import Misconfigured
from scripts import mutate_aws
from scripts.aws import mutation
from scripts.aws.checks.every import CHECKS
from scripts.aws.checks.sources import COMPOSE, Sources, parsed, read
from scripts.aws.mutation import DROPPED, Listed, Mutant, Verdicts, changed, differences, listed
from scripts.mutate_aws import (
    all_mutants,
    applied,
    failures,
    noticed_by,
    reasons,
    report,
    roles_of,
    survey,
    untouched,
)
from tests.emulator import ROOT

TOY = parsed("""
Description: A toy.
Parameters:
  Stage: { Type: String, Description: Which one., Default: dev }
  Other: { Type: String, Description: Another one., Default: dev }
Resources:
  Queue:
    Type: AWS::SQS::Queue
    Properties:
      QueueName: !Sub toy-${Stage}
      VisibilityTimeout: 30
      SqsManagedSseEnabled: true
  Spare:
    Type: AWS::SQS::Queue
    Properties: { QueueName: !Ref Stage }
  Role:
    Type: AWS::IAM::Role
    Properties: { Policies: [!GetAtt Queue.Arn, !If [Big, 1, 2]] }
""")
COMPOSED = {"services": {"trainer": {"user": "10001:10001"}, "webapp": {"cpus": 1}}}
ROLE = ("Resources", "Role")
QUIET = Console(file=StringIO())


def toys(template: dict[str, Any] = TOY) -> Sources:
    """The toy as compute.yaml, without anything in data.yaml."""
    documents = {"compute.yaml": template, "data.yaml": {"Resources": {}}, COMPOSE: COMPOSED}
    return Sources(documents, {})


def made(part: mutation.Path, template: dict[str, Any] = TOY) -> list[tuple[str, str, Any]]:
    return [
        (".".join(map(str, mutant.path[len(part) :])), mutant.change, mutant.value)
        for mutant in mutation.mutants("compute.yaml", template, [part])
    ]


# --- what is changed ------------------------------------------------------------------------------


def test_every_leaf_of_a_resource_is_changed_in_a_way_of_its_own_and_every_key_is_dropped():
    assert made(("Resources", "Queue")) == [
        ("Type", "dropped", DROPPED),
        ("Type", "changed", "AWS::SQS::Queue-changed"),
        ("Properties", "dropped", DROPPED),
        ("Properties.QueueName", "dropped", DROPPED),
        ("Properties.QueueName.Fn::Sub", "changed", "toy-${Stage}-changed"),
        ("Properties.QueueName.Fn::Sub", "another name", "toy-${Other}"),
        ("Properties.VisibilityTimeout", "dropped", DROPPED),
        ("Properties.VisibilityTimeout", "one more", 31),
        ("Properties.VisibilityTimeout", "one less", 29),
        ("Properties.SqsManagedSseEnabled", "dropped", DROPPED),
        ("Properties.SqsManagedSseEnabled", "flipped", False),
    ]


def test_a_reference_comes_to_name_another_thing_of_the_same_kind():
    assert ("Properties.QueueName.Ref", "changed", "Other") in made(("Resources", "Spare"))
    assert ("Properties.Policies.0.Fn::GetAtt", "changed", ["Spare", "Arn"]) in made(ROLE)


def test_a_reference_to_the_only_one_of_its_kind_comes_to_name_nothing():
    one = {"Parameters": {"Stage": {"Type": "String", "Default": {"Ref": "Stage"}}}}

    assert ("Default.Ref", "changed", "StageChanged") in made(("Parameters", "Stage"), one)


def test_elements_are_dropped_and_the_branches_of_a_condition_are_swapped():
    changes = made(ROLE)

    assert ("Properties.Policies.1", "dropped", DROPPED) in changes
    assert ("Properties.Policies.1.Fn::If", "branches swapped", ["Big", 2, 1]) in changes
    assert ("Properties.Policies.1.Fn::If.1", "one more", 2) in changes
    # A function without one of its parts is no function; cfn-lint would see nothing else.
    assert not [path for path, change, _ in changes if "Fn::If." in path and change == "dropped"]


def test_words_that_only_explain_are_left_alone():
    assert not [path for path, _, _ in made(("Parameters",)) if "Description" in path]


@pytest.mark.parametrize(
    ("text", "another"),
    [
        ("2048", "2049"),
        ("15s", "16s"),
        ("0.5s", "1.5s"),
        ("true", "false"),
        ("disabled", "enabled"),
        ("Enabled", "Suspended"),
        ("10001:10001", "10001:10001-changed"),
        ("2012-10-17", "2012-10-17-changed"),
        ("", "-changed"),
    ],
)
def test_a_string_becomes_another_of_its_kind(text: str, another: str):
    document = {"x": {"Name": text}}

    assert made(("x",), document)[1] == ("Name", "changed", another)


def test_a_change_leaves_the_document_it_was_made_from_as_it_was():
    before = json.dumps(TOY)

    after = [changed(TOY, mutant.path, mutant.value) for mutant in all_of_the_toy()]

    assert json.dumps(TOY) == before
    assert all(json.dumps(each) != before for each in after)
    assert len({json.dumps(each) for each in after}) == len(after)


def all_of_the_toy() -> list[Mutant]:
    return [mutant for mutant in all_mutants(toys()) if mutant.file == "compute.yaml"]


def test_services_are_changed_with_what_they_share_and_of_data_yaml_only_the_roles():
    found = all_mutants(read(ROOT))
    places = {mutant.place for mutant in found}

    assert f"{COMPOSE} services.webapp.security_opt.0" in places
    assert f"{COMPOSE} services.trainer.environment.AWS_REGION" in places
    assert not [place for place in places if place.startswith(f"{COMPOSE} services.keeper")]
    in_data = {mutant.path[1] for mutant in found if mutant.file == "data.yaml"}
    assert in_data == {"CreateDataRole", "TrainerRole", "WebappRole"}


# --- who notices ----------------------------------------------------------------------------------


def timeout_is_30(sources: Sources) -> list[str]:
    queue = sources.documents["compute.yaml"]["Resources"]["Queue"]["Properties"]
    return [] if queue["VisibilityTimeout"] == 30 else ["the timeout is another"]


def verdicts_of(toy: Sources, **how: Any) -> Verdicts:
    checks = {"timeout": timeout_is_30}
    return survey(toy, checks, **{"seconds": 60.0, "with_lint": False, "tell": QUIET, **how})


def test_a_change_that_a_check_finds_is_noticed_and_another_survives():
    found = verdicts_of(toys())
    survivors = {str(mutant) for mutant in found.survivors}

    assert found.finished
    assert found.total == len(all_mutants(toys()))
    place = "compute.yaml Resources.Queue.Properties"
    # The value, the properties and the queue dropped; the value one more and one less.
    assert found.noticed == {"timeout": 5}
    assert f"{place}.VisibilityTimeout (one more)" not in survivors
    assert f"{place}.SqsManagedSseEnabled (flipped)" in survivors


def test_a_check_that_cannot_read_the_change_has_noticed_it():
    without = applied(toys(), Mutant("compute.yaml", ("Resources",), "dropped", DROPPED))

    assert noticed_by(without, {"timeout": timeout_is_30}) == "timeout"
    assert noticed_by(toys(), {"timeout": timeout_is_30}) == ""


def test_cfn_lint_is_asked_about_what_no_check_noticed():
    queue = {
        "Type": "AWS::SQS::Queue",
        "Properties": {"VisibilityTimeout": 30, "SqsManagedSseEnabled": True},
    }
    clean = {"Resources": {"Queue": queue}}

    found = verdicts_of(toys(clean), with_lint=True)

    survivors = {str(mutant) for mutant in found.survivors}
    place = "compute.yaml Resources.Queue"
    assert found.finished
    assert found.noticed == {"timeout": 5, "cfn-lint": 2}  # the type dropped, and changed
    assert f"{place}.Type (changed)" not in survivors
    assert f"{place}.Properties.SqsManagedSseEnabled (flipped)" in survivors
    # cfn-lint knows no Compose files; what no check noticed there has survived.
    assert f"{COMPOSE} services.trainer.user (changed)" in survivors
    assert found.total == len(all_mutants(toys(clean)))


def test_a_time_too_short_leaves_changes_waiting_and_the_run_fails():
    found = verdicts_of(toys(), seconds=0.0)

    assert not found.finished
    assert found.survivors == ()
    assert len(found.waiting) == len(all_mutants(toys()))
    (line,) = failures(found, {}, None)
    assert line.startswith(f"not finished: {len(found.waiting)} changes")


def test_a_time_too_short_for_cfn_lint_leaves_what_it_was_not_asked_about_waiting():
    asked = mutate_aws.linted(
        toys(),
        all_of_the_toy(),
        enough=answers(False, False, True),
        progress=lambda _done: None,
        workers=1,
    )

    assert asked.waiting
    assert asked.total == len(all_of_the_toy())


def answers(*given: bool) -> Any:
    rest: Iterator[bool] = iter(given)
    return lambda: next(rest, True)


def test_nothing_is_changed_while_the_checks_find_something_in_the_files_as_they_are():
    wrong = toys(changed(TOY, ("Resources", "Queue", "Properties", "VisibilityTimeout"), 31))

    untouched(toys(), {"timeout": timeout_is_30})
    with pytest.raises(Misconfigured, match="timeout: the timeout is another"):
        untouched(wrong, {"timeout": timeout_is_30})


# --- what may survive -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        (("Resources", "Task", "ContainerDefinitions", 0, "PortMappings", 0, "Protocol"), "ports"),
        (("Resources", "Listener", "Properties", "Port"), "ports"),
        (("Resources", "Task", "ContainerDefinitions", 0, "Image", "Ref"), "images"),
        (("Parameters", "TrainerImage", "AllowedPattern"), "images"),
        (("Resources", "Task", "Properties", "TaskRoleArn", "Ref"), "roles"),
        (("Resources", "Role", "Properties", "Policies", 0), "roles"),
        (("Resources", "Target", "Properties", "HealthCheckPath"), "health checks"),
        (("Resources", "Target", "Properties", "Matcher", "HttpCode"), "health checks"),
        (("services", "trainer", "healthcheck", "interval"), "health checks"),
        (("Resources", "T", "Properties", "TargetGroupAttributes", 0, "Value"), "stickiness"),
        (("Resources", "Task", "ContainerDefinitions", 0, "StopTimeout"), "stop times"),
        (("services", "webapp", "stop_grace_period"), "stop times"),
        (("Resources", "Task", "ContainerDefinitions", 0, "Environment", 0), "environment"),
        (("services", "webapp", "environment", "RAW_BUCKET"), "environment"),
        (("Resources", "Dashboard", "Properties", "DashboardBody"), ""),
    ],
)
def test_what_must_never_survive_is_known_by_its_path(path: mutation.Path, kind: str):
    assert mutation.forbidden(Mutant("compute.yaml", path, "changed", ""), [ROLE]) == kind


def survivor(path: str, change: str = "changed") -> Mutant:
    return Mutant("compute.yaml", tuple(path.split(".")), change, "")


def test_what_must_never_survive_fails_the_run_though_it_is_listed():
    port = survivor("Resources.Listener.Port")
    found = Verdicts({}, (port,))

    allowed = [Listed(port.place, ("changed",), "because")]

    assert failures(found, {}, allowed) == [f"{port}: ports must never survive"]
    assert failures(found, {}, None) == [f"{port}: ports must never survive"]
    assert "ports must never survive" in report(found, {})[-1]


def test_survivors_are_those_listed_no_more_and_no_less():
    one, other = survivor("Resources.One"), survivor("Resources.Other", "dropped")
    rows = [
        Listed(one.place, ("changed", "dropped"), "because"),
        Listed("compute.yaml Resources.Gone", ("changed",), "because"),
    ]

    assert differences([one, other], rows) == [
        "compute.yaml Resources.Other (dropped) survives and is not listed",
        "compute.yaml Resources.One (dropped) is listed and does not survive any more",
        "compute.yaml Resources.Gone (changed) is listed and does not survive any more",
    ]


def test_a_run_that_did_not_finish_cannot_say_that_something_no_longer_survives():
    rows = [Listed("compute.yaml Resources.One", ("changed",), "because")]

    assert differences([], rows, complete=False) == []


def test_a_star_stands_for_one_step_of_a_path():
    row = Listed("compute.yaml Resources.*.Properties", ("changed",), "because")

    assert row.covers(survivor("Resources.One.Properties"))
    assert not row.covers(survivor("Resources.One.Properties", "dropped"))
    assert not row.covers(survivor("Resources.One.Two.Properties"))
    assert not row.covers(survivor("Resources.One.Properties.Name"))
    assert not row.covers(survivor("Resources.One"))
    assert not row.covers(Mutant("data.yaml", ("Resources", "One", "Properties"), "changed", ""))


TABLE = """Words before.
<!-- survivors -->
| place | changes | reason |
| --- | --- | --- |
| `compute.yaml Resources.One` | changed, dropped | nobody minds |
<!-- end of survivors -->
| `compute.yaml Resources.Two` | changed | after the end |
"""


def test_the_list_is_the_table_between_the_marks():
    assert listed(TABLE) == (
        Listed("compute.yaml Resources.One", ("changed", "dropped"), "nobody minds"),
    )


@pytest.mark.parametrize(
    "text",
    [
        "no marks",
        TABLE.replace("<!-- end of survivors -->", ""),
        TABLE.replace("nobody minds", ""),
        TABLE.replace("| `compute.yaml Resources.One`", "compute.yaml Resources.One"),
    ],
)
def test_a_list_without_marks_or_reasons_is_none(text: str):
    with pytest.raises(ValueError, match=r"expected|is no row"):
        listed(text)


def test_a_document_that_lists_nothing_is_named(tmp_path):
    with pytest.raises(Misconfigured, match="lists no survivors"):
        reasons(tmp_path / "nowhere.md")


def test_the_roles_of_both_templates_are_known():
    found = roles_of(read(ROOT))

    assert ("Resources", "WebappRole") in found["data.yaml"]
    assert ("Resources", "TrainerExecutionRole") in found["compute.yaml"]
    assert ("Resources", "TrainerMayFinish") in found["compute.yaml"]


# --- the program ----------------------------------------------------------------------------------


def test_the_checks_find_nothing_in_the_files_as_they_are():
    untouched(read(ROOT), CHECKS)


def program(*options: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "scripts.mutate_aws", *options],
        cwd=ROOT,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def test_a_run_that_was_too_short_ends_with_an_error():
    run = program("--seconds", "0", "--no-lint")
    _, errors = run.communicate(timeout=60)

    assert run.returncode == 1
    assert "not finished" in errors


def test_it_says_how_it_is_used():
    run = program("--help")
    told, _ = run.communicate(timeout=60)

    assert run.returncode == 0
    assert "example: make mutate-aws" in told


def test_an_interruption_ends_it_at_once_with_a_word():
    run = program("--seconds", "600")
    assert run.stderr is not None
    try:
        with pytest.raises(subprocess.TimeoutExpired):
            run.wait(timeout=4)
        os.kill(run.pid, signal.SIGINT)
        _, errors = run.communicate(timeout=20)
    finally:
        run.kill()

    assert run.returncode == 130
    assert "stopped; nothing was changed on disk" in errors


def test_no_change_of_the_files_as_they_are_survives_but_for_those_listed():
    """Our own checks are enough for that; what only cfn-lint notices has a run of its own."""
    sources, listed_now = read(ROOT), reasons(ROOT / mutate_aws.DOCUMENT)

    found = survey(sources, CHECKS, seconds=600, with_lint=False, tell=QUIET)

    assert failures(found, roles_of(sources), listed_now) == []
    assert found.total > 2000
