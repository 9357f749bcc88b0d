"""Whether every role may do what its component does, and nothing else.

What the components do was recorded while the whole stack was used: `tests/deployment/calls.json`.
What AWS itself does in a role's name happens on AWS alone, and is listed here with the reason.
LocalStack enforces no policy, so nothing but this comparison says that a policy is right.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from scripts.aws.checks.needs import Need
from scripts.aws.checks.policies import VERSION, Grant, NotUnderstood, grants, narrowest
from scripts.aws.checks.resolving import Resolved
from scripts.aws.checks.sources import CALLS

_DATA, _COMPUTE = "data.yaml", "compute.yaml"
# Unlike anybody's, so that nothing matches because it was written out.
_STAGE, _ACCOUNT, _REGION = "sample", "210987654321", "eu-central-2"
_SECRET = f"arn:aws:secretsmanager:{_REGION}:{_ACCOUNT}:secret:sample"
_ROLES = frozenset({"AssumeRolePolicyDocument", "Policies", "Tags"})
_POLICIES = frozenset({"PolicyName", "PolicyDocument", "Roles"})
_ATTACHED = "AWS::IAM::Policy"


@dataclass(frozen=True)
class Actor:
    """Somebody with a role: in which template, who takes it, and the property that gives it to it.

    `policies` are the names of the role's own policies and of those attached to it elsewhere.
    """

    name: str
    template: str
    role: str
    taken_by: str
    given: tuple[str, str, str]
    policies: tuple[str, ...]


ACTORS = (
    Actor(
        "create_data",
        _DATA,
        "CreateDataRole",
        "lambda.amazonaws.com",
        (_DATA, "CreateData", "Role"),
        ("create-data",),
    ),
    Actor(
        "trainer",
        _DATA,
        "TrainerRole",
        "ecs-tasks.amazonaws.com",
        (_COMPUTE, "TrainerTask", "TaskRoleArn"),
        ("trainer", "finish-the-job-in-hand"),
    ),
    Actor(
        "webapp",
        _DATA,
        "WebappRole",
        "ecs-tasks.amazonaws.com",
        (_COMPUTE, "WebappTask", "TaskRoleArn"),
        ("webapp",),
    ),
    Actor(
        "the start of the trainer",
        _COMPUTE,
        "TrainerExecutionRole",
        "ecs-tasks.amazonaws.com",
        (_COMPUTE, "TrainerTask", "ExecutionRoleArn"),
        ("start-trainer",),
    ),
    Actor(
        "the start of the webapp",
        _COMPUTE,
        "WebappExecutionRole",
        "ecs-tasks.amazonaws.com",
        (_COMPUTE, "WebappTask", "ExecutionRoleArn"),
        ("start-webapp",),
    ),
)
COMPONENTS = ("create_data", "trainer", "webapp")
"""The actors whose calls are recorded; the others act on AWS alone."""


@dataclass(frozen=True)
class Unrecorded:
    """What is done in an actor's name and cannot be recorded here, allowed by the statement `by`.

    `on` begins with a resource of data.yaml, or is an ARN with the stage, account and region open.
    Done only `with_sign_in` where it says so.
    """

    actor: str
    actions: tuple[str, ...]
    on: str
    by: str
    reason: str
    with_sign_in: bool = False


_LOGS = ("logs:CreateLogStream", "logs:PutLogEvents")
_PULL = ("ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer")
_REPOSITORY = "arn:aws:ecr:{region}:{account}:repository/chartbuster-{stage}"

UNRECORDED = (
    Unrecorded(
        "create_data",
        ("sqs:SendMessage",),
        "LambdaDeadLetterQueue",
        "ParkWhatFailed",
        "Lambda itself sends what the function failed on, in the function's role",
    ),
    Unrecorded(
        "create_data",
        _LOGS,
        "CreateDataLogs",
        "WriteLogs",
        "Lambda itself writes down what the function prints, in the function's role",
    ),
    Unrecorded(
        "trainer",
        ("ecs:GetTaskProtection", "ecs:UpdateTaskProtection"),
        "arn:aws:ecs:{region}:{account}:task/chartbuster-{stage}/*",
        "ProtectItselfFromScaleIn",
        "the ECS agent asks in the task's role when the trainer asks it; AWS names both for that",
    ),
    *(
        unrecorded
        for part, logs in (("trainer", "TrainerLogs"), ("webapp", "WebappLogs"))
        for unrecorded in (
            Unrecorded(
                f"the start of the {part}",
                ("ecr:GetAuthorizationToken",),
                "*",
                "SignInToRegistry",
                "ECS signs in before it pulls; this one action knows no resource",
            ),
            Unrecorded(
                f"the start of the {part}",
                _PULL,
                f"{_REPOSITORY}/{part}",
                "PullImage",
                "ECS pulls the image before there is anything of ours",
            ),
            Unrecorded(
                f"the start of the {part}",
                _LOGS,
                logs,
                "WriteLogs",
                "the log driver writes down what the container prints",
            ),
        )
    ),
    Unrecorded(
        "the start of the webapp",
        ("secretsmanager:GetSecretValue",),
        _SECRET,
        "ReadSignIn",
        "ECS hands the sign-in's settings over before there is anything of ours",
        with_sign_in=True,
    ),
)


@dataclass(frozen=True, order=True)
class Call:
    """An action on a resource, like `RawBucket/datasets/*`, and the statements that allow it."""

    action: str
    on: str
    by: tuple[str, ...]


type Calls = Mapping[str, tuple[Call, ...]]


def findings(data: Mapping[str, Any], compute: Mapping[str, Any], calls: Calls) -> list[str]:
    """Each way in which the roles are not what the calls need, as one line; none is right.

    `data` and `compute` are the parsed templates, `calls` the recorded ones. Looked at with and
    without the app's own sign-in.
    """
    found: list[str] = []
    if set(calls) != set(COMPONENTS):
        found.append(
            f"{CALLS} has {', '.join(calls) or 'nobody'}; expected {', '.join(COMPONENTS)}"
        )
    for with_sign_in in (True, False):
        templates = _Templates(data, compute, with_sign_in=with_sign_in)
        found += _nobodys(templates)
        for actor in ACTORS:
            found += _about(actor, templates, calls.get(actor.name, ()))
    return list(dict.fromkeys(found))


def by_statement(data: Mapping[str, Any], needs: Mapping[str, Iterable[Need]]) -> Calls:
    """The recorded `needs` of each component as calls, with the statements of `data` allowing them.

    Resources are resolved for the stage `local` in LocalStack's account; what is no resource of
    `data` keeps its ARN, and what no statement allows has none.
    """
    resolved = Resolved(data, {"Stage": "local"})
    named = _arns(resolved)
    found: dict[str, tuple[Call, ...]] = {}
    for actor in ACTORS:
        if actor.name in COMPONENTS:
            given = _own_grants(actor, resolved)
            found[actor.name] = tuple(
                sorted(
                    Call(need.action, _named(need.resource, named), _allowing(given, need))
                    for need in set(needs.get(actor.name, ()))
                )
            )
    return found


def as_text(calls: Calls) -> str:
    """The calls as JSON for people: one line each."""
    parts = [
        f"  {json.dumps(name)}: [\n"
        + ",\n".join(
            f"    {json.dumps({'action': call.action, 'on': call.on, 'by': list(call.by)})}"
            for call in made
        )
        + "\n  ]"
        for name, made in calls.items()
    ]
    return "{\n" + ",\n".join(parts) + "\n}\n"


def calls_of(document: Mapping[str, Any]) -> Calls:
    """The calls in what `as_text` wrote; raises `KeyError` or `TypeError` for something else."""
    return {
        name: tuple(Call(each["action"], each["on"], tuple(each["by"])) for each in made)
        for name, made in document.items()
    }


class _Templates:
    """Both templates with everything known that a role is about: ARNs, names, outputs."""

    def __init__(
        self, data: Mapping[str, Any], compute: Mapping[str, Any], *, with_sign_in: bool
    ) -> None:
        self.with_sign_in = with_sign_in
        stage = {"Stage": _STAGE}
        resolved = Resolved(data, stage, _ACCOUNT, _REGION, f"https://sqs.{_REGION}.amazonaws.com")
        self.arns = _arns(resolved)
        outputs = {
            name: value
            for name in data.get("Outputs", {})
            if isinstance(value := _known(resolved.output(name), self.arns), str)
        }
        secret = {"SignInSecretArn": _SECRET if with_sign_in else ""}
        self._resolved = {
            _DATA: resolved,
            _COMPUTE: Resolved(compute, {**stage, **outputs, **secret}, _ACCOUNT, _REGION),
        }
        self._known = {_DATA: self.arns, _COMPUTE: _arns(self._resolved[_COMPUTE])}

    def resources(self, template: str) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self._resolved[template].template.get("Resources", {})
        return found

    def properties(self, template: str, name: str) -> Mapping[str, Any]:
        """The resolved properties of a resource; empty where there is none of that name."""
        asked = self.resources(template).get(name, {}).get("Properties", {})
        found: Mapping[str, Any] = _known(
            self._resolved[template].value(asked), self._known[template]
        )
        return found

    def of_type(self, kind: str) -> Iterator[tuple[str, str]]:
        """The template and name of every resource whose type begins with `kind`."""
        for template in self._resolved:
            for name, resource in self.resources(template).items():
                if str(resource.get("Type")).startswith(kind):
                    yield template, name


def _nobodys(templates: _Templates) -> Iterator[str]:
    """Roles and policies that belong to no actor."""
    roles = {(actor.template, actor.role) for actor in ACTORS}
    for template, name in templates.of_type("AWS::IAM::"):
        kind = templates.resources(template)[name]["Type"]
        if kind == "AWS::IAM::Role":
            if (template, name) not in roles:
                yield f"{template} {name}: the role belongs to nobody; say whose in ACTORS"
        elif kind != _ATTACHED:
            yield f"{template} {name}: {kind} is not understood; expected roles and {_ATTACHED}"
        elif not set(_roles_of(templates, template, name)) <= {role for _, role in roles}:
            yield f"{template} {name}: attached to {_roles_of(templates, template, name)}"


def _about(actor: Actor, templates: _Templates, recorded: tuple[Call, ...]) -> Iterator[str]:
    template, resource, key = actor.given
    given, wanted = templates.properties(template, resource).get(key), _role_arn(actor.role)
    if given != wanted:
        yield f"{template} {resource}: {key} is {given!r}; expected that of {actor.role}"
    own = templates.properties(actor.template, actor.role)
    yield from _about_role(actor, own)
    policies = [*_policies(own), *_attached(actor, templates)]
    names = tuple(str(policy.get("PolicyName")) for policy in policies)
    if names != actor.policies:
        yield f"{actor.role}: its policies are {names}; expected {actor.policies}"
    given_rights: list[Grant] = []
    for policy in policies:
        try:
            given_rights += grants(policy.get("PolicyDocument"))
        except NotUnderstood as error:
            yield f"{actor.role}: {error}"
    unrecorded = _unrecorded(actor, with_sign_in=templates.with_sign_in)
    both = {(call.action, call.on) for call in recorded} & {
        (call.action, call.on) for call in unrecorded
    }
    for action, on in sorted(both):
        yield f"{actor.name}: {action} on {on} is recorded, so it is no exception"
    yield from _compared(actor, given_rights, (*recorded, *unrecorded), templates.arns)


def _about_role(actor: Actor, properties: Mapping[str, Any]) -> Iterator[str]:
    if more := set(properties) - _ROLES:
        yield f"{actor.role}: {', '.join(sorted(more))} is not understood; see scripts/aws/checks"
    trusting = {
        "Version": VERSION,
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": actor.taken_by},
                "Action": "sts:AssumeRole",
            }
        ],
    }
    if (said := properties.get("AssumeRolePolicyDocument")) != trusting:
        yield f"{actor.role}: may be taken by {said!r}; expected {actor.taken_by} alone"


def _compared(
    actor: Actor, given: list[Grant], calls: tuple[Call, ...], arns: Mapping[str, str]
) -> Iterator[str]:
    """What is needed and not given, given and not needed, and given more widely than needed."""
    needed = [(call, Need(call.action, _resource(call.on, arns))) for call in calls]
    for call, need in needed:
        by = _allowing(given, need)
        if not by:
            yield f"{actor.name}: {call.action} on {call.on} is allowed by nothing in {actor.role}"
        elif by != call.by:
            yield (
                f"{actor.name}: {call.action} on {call.on} is allowed by {', '.join(by)}; expected "
                f"{', '.join(call.by) or 'nothing'}"
            )
    for grant in given:
        used = {need for _, need in needed if grant.allows(need.action, need.resource)}
        what = f"{actor.role}, {grant.sid}: {grant.action} on {grant.resource}"
        if not used:
            yield f"{what} is used by nobody"
        elif {need.action for need in used} != {grant.action}:
            yield f"{what} is wider than its use, {', '.join(sorted({n.action for n in used}))}"
        elif (narrow := narrowest(need.resource for need in used)) != grant.resource:
            yield f"{what} is wider than its use, {narrow or 'which has no folder in common'}"


def _unrecorded(actor: Actor, *, with_sign_in: bool) -> tuple[Call, ...]:
    return tuple(
        Call(action, each.on, (each.by,))
        for each in UNRECORDED
        if each.actor == actor.name and (with_sign_in or not each.with_sign_in)
        for action in each.actions
    )


def _allowing(given: Iterable[Grant], need: Need) -> tuple[str, ...]:
    allowing = (grant.sid for grant in given if grant.allows(need.action, need.resource))
    return tuple(dict.fromkeys(allowing))


def _own_grants(actor: Actor, resolved: Resolved) -> list[Grant]:
    properties = resolved.template["Resources"][actor.role]["Properties"]
    known = _known(resolved.value(properties), _arns(resolved))
    return [grant for policy in _policies(known) for grant in grants(policy["PolicyDocument"])]


def _policies(properties: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    found: list[Mapping[str, Any]] = properties.get("Policies", [])
    return found


def _attached(actor: Actor, templates: _Templates) -> Iterator[Mapping[str, Any]]:
    for template, name in templates.of_type(_ATTACHED):
        if actor.role in _roles_of(templates, template, name):
            properties = templates.properties(template, name)
            more = set(properties) - _POLICIES
            yield {**properties, "PolicyDocument": None} if more else properties


def _roles_of(templates: _Templates, template: str, name: str) -> tuple[str, ...]:
    """The names of the roles a policy is attached to; what is not known before is spelt out."""
    return tuple(str(role) for role in templates.properties(template, name).get("Roles", ()))


def _role_arn(role: str, account: str = _ACCOUNT) -> str:
    return f"arn:aws:iam::{account}:role/{role}"


def _arns(resolved: Resolved) -> dict[str, str]:
    """The ARN of every resource a role is about, and of the roles, by their names in the template.

    A role's real name is made up by CloudFormation; the ones given here tell them apart.
    """
    found = {}
    for name, resource in resolved.template.get("Resources", {}).items():
        arn = resolved.value({"Fn::GetAtt": [name, "Arn"]})
        if isinstance(arn, str):
            found[name] = arn
        elif resource.get("Type") == "AWS::IAM::Role":
            found[name] = _role_arn(name, resolved.account)
    return found


def _known(node: Any, arns: Mapping[str, str]) -> Any:
    """`node`, as `Resolved` leaves it, with the ARNs of roles too."""
    match node:
        case {"Fn::GetAtt": [str(name), "Arn"], **rest} if not rest:
            return arns.get(name, node)
        case dict():
            return {key: _known(value, arns) for key, value in node.items()}
        case list():
            return [_known(value, arns) for value in node]
    return node


def _named(arn: str, arns: Mapping[str, str]) -> str:
    """`arn` with the name of a resource in the place of its ARN, like `RawBucket/datasets/*`."""
    for name, own in arns.items():
        if arn == own or arn.startswith(f"{own}/"):
            return name + arn.removeprefix(own)
    return arn


def _resource(on: str, arns: Mapping[str, str]) -> str:
    """The ARN that `_named` made `on` from, in the templates' stage and account."""
    if on.startswith("arn:") or on == "*":
        return on.format(region=_REGION, account=_ACCOUNT, stage=_STAGE)
    name, slash, rest = on.partition("/")
    return arns.get(name, name) + slash + rest
