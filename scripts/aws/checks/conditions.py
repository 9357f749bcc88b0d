"""Which parameter decides about which part of compute.yaml, and what is said to who asks wrongly.

Parts that are there only when they are asked for must not come with something else that was.
"""

from collections.abc import Mapping
from typing import Any

ASKED_BY = {
    "WithHttps": "CertificateArn",
    "WithSignIn": "SignInSecretArn",
    "WithSignInBefore": "OidcIssuer",
    "WithAlarmEmail": "AlarmEmail",
}
"""By condition the parameter that makes it hold by not being empty."""


def findings(compute: Mapping[str, Any]) -> list[str]:
    """Each condition that hangs on something else, and each rule that is mute, as a line."""
    wanted = {
        "ForArm": {"Fn::Equals": [{"Ref": "Architecture"}, "arm64"]},
        **{
            name: {"Fn::Not": [{"Fn::Equals": [{"Ref": parameter}, ""]}]}
            for name, parameter in ASKED_BY.items()
        },
    }
    found = compute["Conditions"]
    mute = [
        f"the rule {name} does not say what would be right; expected an AssertDescription"
        for name, rule in compute["Rules"].items()
        if not all(assertion.get("AssertDescription") for assertion in rule["Assertions"])
    ]
    return mute + [
        f"the condition {name} is {found.get(name)}; expected {wanted.get(name)}"
        for name in sorted({*found, *wanted})
        if found.get(name) != wanted.get(name)
    ]
