"""What is asked for and by whom it is given: parameters, rules and outputs."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from scripts.aws.checks.reading import (
    CERTIFICATE,
    EVERYTHING,
    GIVEN,
    HTTPS,
    IMAGE,
    OIDC,
    SIGN_IN_ARN,
    Templates,
    differs,
    sub,
)
from scripts.aws.checks.templates import refused

# For each parameter what it takes and what it refuses.
_TAKES: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "Stage": (("dev", "a", "eu-2", "a" * 16), ("", "Dev", "1a", "-a", "a_b", "a" * 17)),
    "TrainerImage": (
        (IMAGE.format("trainer"), "127.0.0.1:5000/trainer@sha256:" + "f9" * 32),
        ("", "trainer:latest", "trainer@sha256:123", "a b@sha256:" + "f9" * 32),
    ),
    "WebappImage": (
        (IMAGE.format("webapp"), "127.0.0.1:5000/webapp@sha256:" + "f9" * 32),
        ("", "webapp:latest", "webapp@sha256:123", "a b@sha256:" + "f9" * 32),
    ),
    "AllowedCidr": (
        ("203.0.113.7/32", "10.0.0.0/8", "192.168.1.0/24", "0.0.0.0/0"),
        ("", "203.0.113.7", "203.0.113.7/33", "203.0.113/24", "::/0", "0.0.0.0/0,1.1.1.1/32"),
    ),
    "CertificateArn": (
        ("", CERTIFICATE, CERTIFICATE.replace("arn:aws:", "arn:aws-cn:")),
        ("songs.example.com", SIGN_IN_ARN, f" {CERTIFICATE}"),
    ),
    "DomainName": (
        ("", "songs.example.com", "a-1.example.co"),
        ("https://songs.example.com", "songs.example.com/", "Songs.example.com", "songs", "-a.com"),
    ),
    "SignInSecretArn": (
        ("", SIGN_IN_ARN),
        ("chartbuster-dev", CERTIFICATE, f"{SIGN_IN_ARN}:KEY::"),
    ),
    "OidcSecretArn": (("", SIGN_IN_ARN), ("chartbuster-dev", CERTIFICATE, f"{SIGN_IN_ARN}:KEY::")),
    **{
        name: (("", "https://id.example.com/a"), ("id.example.com", "http://id.example.com"))
        for name in OIDC
        if name not in {"OidcClientId", "OidcSecretArn"}
    },
    "AlarmEmail": (("", "ops@example.com"), ("ops", "ops@example", "ops @example.com")),
}
_ONE_OF = {"Architecture": ["x86_64", "arm64"], "TrainerCapacity": ["FARGATE", "FARGATE_SPOT"]}
_DEFAULTS = {
    "Architecture": "x86_64",
    "TrainerCapacity": "FARGATE",
    **dict.fromkeys([*HTTPS, *OIDC, "SignInSecretArn", "AlarmEmail"], ""),
}


def every_parameter_has_somebody_who_fills_it_in(templates: Templates) -> Iterator[str]:
    """A person, the program, or the output of an earlier stack; nobody is let in by default."""
    fixed = set(GIVEN) | set(_DEFAULTS)
    parameters = templates.compute["Parameters"]
    for name in set(parameters) - fixed - set(templates.data["Outputs"]):
        yield f"compute.yaml asks for {name}, which is no output of data.yaml"
    for name in (fixed | {"FunctionName", "QueueUrl", "TrainerRoleArn", "WebappRoleArn"}) - set(
        parameters
    ):
        yield f"compute.yaml has no parameter {name}"
    found = {name: about["Default"] for name, about in parameters.items() if "Default" in about}
    yield from differs("the defaults of compute.yaml", found, _DEFAULTS)
    for name, about in templates.scaling["Parameters"].items():
        if "Default" not in about and name not in {"Stage", *templates.compute["Outputs"]}:
            yield f"scaling.yaml asks for {name}, which is no output of compute.yaml"
    for name, about in templates.data["Parameters"].items():
        known = {"Stage", "CodeKey", "Architecture", *templates.bootstrap["Outputs"]}
        if "Default" not in about and name not in known:
            yield f"data.yaml asks for {name}, which is no output of bootstrap.yaml"
    yield from differs(
        "what bootstrap.yaml asks for", list(templates.bootstrap["Parameters"]), ["Stage"]
    )


def parameters_take_what_is_right_and_refuse_what_is_not(templates: Templates) -> Iterator[str]:
    parameters = templates.compute["Parameters"]
    for name, about in parameters.items():
        wanted = {"Type", "Description"}
        wanted |= {"Default"} if name in _DEFAULTS else set()
        wanted |= {"AllowedPattern", "ConstraintDescription"} if name in _TAKES else set()
        wanted |= {"AllowedValues"} if name in _ONE_OF else set()
        yield from differs(f"what is said of {name}", sorted(about), sorted(wanted))
        # A stand-in takes no other type.
        yield from differs(f"{name}.Type", about["Type"], "String")
        if name in _ONE_OF:
            yield from differs(f"{name}.AllowedValues", about["AllowedValues"], _ONE_OF[name])
    for name, (right, wrong) in _TAKES.items():
        pattern = re.compile(parameters[name]["AllowedPattern"])
        for value in right:
            if not pattern.fullmatch(value):
                yield f"{name} refuses {value!r}; expected it to be taken"
        for value in wrong:
            if pattern.fullmatch(value):
                yield f"{name} takes {value!r}; expected it to be refused"
    for name in ("data", "bootstrap", "scaling"):
        pattern = getattr(templates, name)["Parameters"]["Stage"]["AllowedPattern"]
        yield from differs(
            f"the pattern of Stage in {name}.yaml", pattern, parameters["Stage"]["AllowedPattern"]
        )


def nonsense_is_refused_before_anything_is_made(templates: Templates) -> Iterator[str]:
    for name, rule in templates.compute["Rules"].items():
        for assertion in rule["Assertions"]:
            asked = _asked(assertion["Assert"])
            untold = [each for each in asked if each not in assertion["AssertDescription"]]
            if untold:
                yield f"{name} does not say that it asks for {', '.join(untold)}"
    sign_in = {"SignInSecretArn": SIGN_IN_ARN}
    for words, given, wanted in (
        ("no wish", {}, []),
        ("HTTPS", HTTPS, []),
        ("sign-in over HTTPS", {**HTTPS, **sign_in}, []),
        ("sign-in at the load balancer", {**HTTPS, **OIDC}, []),
        ("every wish", EVERYTHING, []),
        ("sign-in over HTTP", sign_in, ["TheAppsSignInNeedsHttps"]),
        ("sign-in at the load balancer over HTTP", OIDC, ["TheLoadBalancersSignInIsWhole"]),
        *((f"{one} alone", {one: HTTPS[one]}, ["HttpsHasANameAndACertificate"]) for one in HTTPS),
        *(
            (f"{one} alone", {**HTTPS, one: OIDC[one]}, ["TheLoadBalancersSignInIsWhole"])
            for one in OIDC
        ),
        *(
            (f"no {one}", {**HTTPS, **OIDC, one: ""}, ["TheLoadBalancersSignInIsWhole"])
            for one in OIDC
        ),
    ):
        found = refused(templates.compute, {**GIVEN, **given})
        yield from differs(f"what refuses {words}", found, wanted)


def _asked(condition: Any) -> Iterator[str]:
    """The parameters a condition looks at."""
    match condition:
        case {"Ref": str(name)}:
            yield name
        case Mapping():
            for part in condition.values():
                yield from _asked(part)
        case list():
            for part in condition:
                yield from _asked(part)


def outputs_say_what_others_ask_for(templates: Templates) -> Iterator[str]:
    def got(name: str) -> dict[str, str]:
        return {"GetAtt": name}

    wanted = {
        "LoadBalancerDnsName": got("LoadBalancer.DNSName"),
        "Cluster": {"Ref": "Cluster"},
        "TrainerService": got("TrainerService.Name"),
        "WebappService": got("WebappService.Name"),
        "TrainerTaskDefinition": {"Ref": "TrainerTask"},
        "WebappTaskDefinition": {"Ref": "WebappTask"},
        "LoadBalancerFullName": got("LoadBalancer.LoadBalancerFullName"),
        "TargetGroupFullName": got("WebTargetGroup.TargetGroupFullName"),
    }
    for wishes, template, url in (
        ("without wishes", templates.plain, "http://${LoadBalancer.DNSName}"),
        ("with every wish", templates.whole, "https://${DomainName}"),
    ):
        found = {name: output["Value"] for name, output in template["Outputs"].items()}
        yield from differs(f"the outputs {wishes}", found, {**wanted, "WebUrl": sub(url)})
