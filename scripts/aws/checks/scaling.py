"""How many run, and what they may cost."""

from collections.abc import Iterator, Mapping
from typing import Any

from scripts.aws.checks.reading import Templates, differs, properties, sub
from scripts.aws.checks.templates import chosen


def trainers_come_with_a_message_and_go_when_nothing_is_left(
    templates: Templates,
) -> Iterator[str]:
    most = {"Ref": "MostTrainers"}
    for name, wanted in {
        "TrainerCount": _count("TrainerService", 0, most),
        "StartTrainers": _steps(
            "start", {"MetricIntervalLowerBound": 0, "ScalingAdjustment": most}
        ),
        "StopTrainers": _steps("stop", {"MetricIntervalUpperBound": 0, "ScalingAdjustment": 0}),
    }.items():
        yield from differs(name, properties(templates.scaled, name), wanted)

    queue = [{"Name": "QueueName", "Value": properties(templates.data, "TrainQueue")["QueueName"]}]
    visible = "ApproximateNumberOfMessagesVisible"
    alike = {"TreatMissingData": "notBreaching", "Threshold": 1}
    out = {
        **alike,
        "AlarmName": sub("chartbuster-${Stage}-something-waits"),
        "Namespace": "AWS/SQS",
        "MetricName": visible,
        "Dimensions": queue,
        "Statistic": "Maximum",
        "Period": 60,
        "EvaluationPeriods": 1,
        "ComparisonOperator": "GreaterThanOrEqualToThreshold",
        "AlarmActions": [{"Ref": "StartTrainers"}],
    }
    back = {
        **alike,
        "AlarmName": sub("chartbuster-${Stage}-nothing-to-do"),
        "EvaluationPeriods": 5,
        "DatapointsToAlarm": 5,
        "ComparisonOperator": "LessThanThreshold",
        "AlarmActions": [{"Ref": "StopTrainers"}],
    }
    found = properties(templates.scaled, "NothingToDo")
    total, *parts = found.pop("Metrics")
    for name, alarm, wanted in (
        ("SomethingWaits", properties(templates.scaled, "SomethingWaits"), out),
        ("NothingToDo", found, back),
    ):
        del alarm["AlarmDescription"]
        yield from differs(name, alarm, wanted)
    yield from differs(
        "NothingToDo: what is added up",
        (total["Expression"], total["ReturnData"]),
        (" + ".join(part["Id"] for part in parts), True),
    )
    for part, metric in zip(parts, (visible, "ApproximateNumberOfMessagesNotVisible"), strict=True):
        wanted_part = {
            "Id": part["Id"],
            "ReturnData": False,
            "MetricStat": {
                "Metric": {"Namespace": "AWS/SQS", "MetricName": metric, "Dimensions": queue},
                "Period": 60,
                "Stat": "Maximum",
            },
        }
        yield from differs(f"NothingToDo: {part['Id']}", part, wanted_part)


def _count(service: str, least: int, most: Mapping[str, str]) -> dict[str, Any]:
    return {
        "ServiceNamespace": "ecs",
        "ScalableDimension": "ecs:service:DesiredCount",
        "ResourceId": sub(f"service/${{Cluster}}/${{{service}}}"),
        "MinCapacity": least,
        "MaxCapacity": most,
    }


def _steps(verb: str, step: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "PolicyName": sub(f"chartbuster-${{Stage}}-{verb}-trainers"),
        "PolicyType": "StepScaling",
        "ScalingTargetId": {"Ref": "TrainerCount"},
        "StepScalingPolicyConfiguration": {
            "AdjustmentType": "ExactCapacity",
            "MetricAggregationType": "Maximum",
            "Cooldown": 60,
            "StepAdjustments": [step],
        },
    }


def the_app_never_goes_away_and_grows_with_its_cpu(templates: Templates) -> Iterator[str]:
    for name, wanted in {
        "WebappCount": _count("WebappService", 1, {"Ref": "MostWebapps"}),
        "WebappByCpu": {
            "PolicyName": sub("chartbuster-${Stage}-webapp-by-cpu"),
            "PolicyType": "TargetTrackingScaling",
            "ScalingTargetId": {"Ref": "WebappCount"},
            "TargetTrackingScalingPolicyConfiguration": {
                "PredefinedMetricSpecification": {
                    "PredefinedMetricType": "ECSServiceAverageCPUUtilization"
                },
                "TargetValue": 60,
                "ScaleOutCooldown": 60,
                "ScaleInCooldown": 900,
            },
        },
    }.items():
        yield from differs(name, properties(templates.scaled, name), wanted)


def a_budget_writes_before_the_month_is_over(templates: Templates) -> Iterator[str]:
    found = properties(templates.scaled, "Budget")
    wanted = {
        "BudgetName": sub("chartbuster-${Stage}"),
        "BudgetType": "COST",
        "TimeUnit": "MONTHLY",
        "BudgetLimit": {"Amount": {"Ref": "BudgetLimit"}, "Unit": "USD"},
    }
    yield from differs("Budget", found["Budget"], wanted)
    mails = [{"SubscriptionType": "EMAIL", "Address": {"Ref": "BudgetEmail"}}]
    yield from differs(
        "Budget: when it writes",
        [
            (each["Notification"]["NotificationType"], each["Notification"]["Threshold"])
            for each in found["NotificationsWithSubscribers"]
            if each["Subscribers"] == mails
        ],
        [("ACTUAL", 80), ("FORECASTED", 100)],
    )
    without = chosen(templates.scaling, {"Stage": "dev"})["Resources"]
    if "Budget" in without:
        yield "there is a budget although nobody is to be written to"
