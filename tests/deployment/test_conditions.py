"""A part that is asked for comes with the parameter that asks for it, and with no other."""

from typing import Any

import pytest

from scripts.aws.checks.conditions import ASKED_BY, findings
from scripts.aws.checks.sources import read
from scripts.aws.mutation import DROPPED, changed
from tests.emulator import ROOT

COMPUTE = read(ROOT).documents["compute.yaml"]


def test_every_condition_hangs_on_its_own_parameter():
    assert findings(COMPUTE) == []
    assert set(ASKED_BY.values()) <= set(COMPUTE["Parameters"])


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("Conditions", "WithSignIn"), COMPUTE["Conditions"]["WithSignInBefore"]),
        (("Conditions", "WithHttps"), {"Fn::Equals": [{"Ref": "CertificateArn"}, ""]}),
        (("Conditions", "WithAlarmEmail"), DROPPED),
        (("Conditions", "ForArm", "Fn::Equals", 1), "x86_64"),
        (("Conditions", "Another"), COMPUTE["Conditions"]["WithHttps"]),
    ],
)
def test_a_condition_that_hangs_on_something_else_is_found(path: Any, value: Any):
    (line,) = findings(changed(COMPUTE, path, value))
    assert f"the condition {path[1]} is" in line


@pytest.mark.parametrize("value", [DROPPED, ""])
def test_a_rule_that_does_not_say_what_would_be_right_is_found(value: Any):
    path = ("Rules", "TheAppsSignInNeedsHttps", "Assertions", 0, "AssertDescription")

    (line,) = findings(changed(COMPUTE, path, value))

    assert line.startswith("the rule TheAppsSignInNeedsHttps does not say")
