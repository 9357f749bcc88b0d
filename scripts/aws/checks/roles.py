"""What may be done by whom, but for what data.yaml gives the components."""

from collections.abc import Iterator, Mapping
from typing import Any

from scripts.aws.checks.reading import SERVICES, Templates, at, differs, log_group, properties, sub


def tasks_are_started_with_the_least_right_that_starts_them(templates: Templates) -> Iterator[str]:
    for wishes, template in templates.both:
        for service, name in SERVICES.items():
            role = properties(template, f"{name}ExecutionRole")
            what = f"{name}ExecutionRole {wishes}"
            yield from differs(what, sorted(role), ["AssumeRolePolicyDocument", "Policies"])
            yield from _trusts(what, role, "ecs-tasks")
            (policy,) = role["Policies"]
            yield from differs(f"{what}: PolicyName", policy["PolicyName"], f"start-{service}")
            secret = service == "webapp" and template is templates.whole
            yield from differs(
                what,
                _rights(policy["PolicyDocument"]),
                _rights_to_start(service, with_secret=secret),
            )
    yield from _repositories_and_log_groups_are_those_of_the_other_stacks(templates)


def _rights_to_start(service: str, *, with_secret: bool) -> dict[str, tuple[set[str], Any]]:
    arn = "arn:${AWS::Partition}:%s:${AWS::Region}:${AWS::AccountId}:%s"
    rights: dict[str, tuple[set[str], Any]] = {
        "SignInToRegistry": ({"ecr:GetAuthorizationToken"}, "*"),
        "PullImage": (
            {
                "ecr:BatchCheckLayerAvailability",
                "ecr:BatchGetImage",
                "ecr:GetDownloadUrlForLayer",
            },
            sub(arn % ("ecr", f"repository/chartbuster-${{Stage}}/{service}")),
        ),
        "WriteLogs": (
            {"logs:CreateLogStream", "logs:PutLogEvents"},
            sub(arn % ("logs", f"log-group:{log_group('${Stage}', service)}:*")),
        ),
    }
    if with_secret:
        rights["ReadSignIn"] = ({"secretsmanager:GetSecretValue"}, {"Ref": "SignInSecretArn"})
    return rights


def _repositories_and_log_groups_are_those_of_the_other_stacks(
    templates: Templates,
) -> Iterator[str]:
    for service, name in SERVICES.items():
        repository = properties(templates.bootstrap, f"{name}Repository")["RepositoryName"]
        yield from differs(
            f"{name}Repository.RepositoryName",
            repository,
            sub(f"chartbuster-${{Stage}}/{service}"),
        )
        group = properties(templates.data, f"{name}Logs")["LogGroupName"]
        yield from differs(f"{name}Logs", group, sub(log_group("${Stage}", service)))


def _trusts(what: str, role: Mapping[str, Any], service: str) -> Iterator[str]:
    wanted = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": f"{service}.amazonaws.com"},
                "Action": "sts:AssumeRole",
            }
        ],
    }
    yield from differs(f"{what}: who may take it on", role["AssumeRolePolicyDocument"], wanted)


def _rights(document: Mapping[str, Any]) -> dict[str, tuple[set[str], Any]]:
    """What a policy allows: by the name of each statement its actions and its resource.

    Raises `ValueError` for a statement that says anything else, like a condition or a denial.
    """
    if document["Version"] != "2012-10-17" or set(document) != {"Version", "Statement"}:
        raise ValueError(f"a policy of version {document['Version']!r}; expected '2012-10-17'")
    found = {}
    for statement in document["Statement"]:
        if set(statement) != {"Sid", "Effect", "Action", "Resource"} or (
            statement["Effect"] != "Allow"
        ):
            raise ValueError(f"{dict(statement)!r}; expected a name and what is allowed on what")
        actions = statement["Action"]
        actions = {actions} if isinstance(actions, str) else set(actions)
        found[statement["Sid"]] = (actions, statement["Resource"])
    return found


def components_have_the_roles_of_the_data_stack(templates: Templates) -> Iterator[str]:
    for name, service in (
        ("TrainerRole", "ecs-tasks"),
        ("WebappRole", "ecs-tasks"),
        ("CreateDataRole", "lambda"),
    ):
        yield from _trusts(name, properties(templates.data, name), service)
    for name in ("TrainerRole", "WebappRole"):
        found = at(templates.data, "Outputs", f"{name}Arn", "Value")
        yield from differs(f"the output {name}Arn", found, {"GetAtt": f"{name}.Arn"})


def a_trainer_may_ask_not_to_be_stopped_and_no_other_task_may(
    templates: Templates,
) -> Iterator[str]:
    found = properties(templates.compute, "TrainerMayFinish")
    rights = _rights(found.pop("PolicyDocument"))
    tasks = "arn:${AWS::Partition}:ecs:${AWS::Region}:${AWS::AccountId}:task/${Cluster}/*"
    yield from differs(
        "TrainerMayFinish",
        found,
        {
            "PolicyName": "finish-the-job-in-hand",
            "Roles": [{"Select": [1, {"Split": ["/", {"Ref": "TrainerRoleArn"}]}]}],
        },
    )
    yield from differs(
        "TrainerMayFinish",
        rights,
        {
            "ProtectItselfFromScaleIn": (
                {"ecs:GetTaskProtection", "ecs:UpdateTaskProtection"},
                sub(tasks),
            )
        },
    )
