"""Who is told of what: alarms, mail, the dashboard."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from scripts.aws.checks.reading import Templates, at, by, differs, properties, sub


def alarms_watch_what_is_there_and_tell_whoever_asked(templates: Templates) -> Iterator[str]:
    def queue(name: str) -> dict[str, Any]:
        return {"QueueName": properties(templates.data, name)["QueueName"]}

    balancer = {"LoadBalancer": {"GetAtt": "LoadBalancer.LoadBalancerFullName"}}
    targets = {"TargetGroup": {"GetAtt": "WebTargetGroup.TargetGroupFullName"}}
    visible = "AWS/SQS ApproximateNumberOfMessagesVisible Maximum"
    alarms = {
        "TrainingsFailed": (visible, queue("TrainDeadLetterQueue"), 1),
        "UploadsFailed": (visible, queue("LambdaDeadLetterQueue"), 1),
        "TrainingsWaitLong": (
            "AWS/SQS ApproximateAgeOfOldestMessage Maximum",
            queue("TrainQueue"),
            3600,
        ),
        "CreateDataFails": (
            "AWS/Lambda Errors Sum",
            {"FunctionName": {"Ref": "FunctionName"}},
            1,
        ),
        "AppFails": (
            "AWS/ApplicationELB HTTPCode_Target_5XX_Count Sum",
            {**balancer, **targets},
            5,
        ),
        "AppDoesNotAnswer": ("AWS/ApplicationELB HTTPCode_ELB_5XX_Count Sum", balancer, 5),
    }
    for wishes, template in templates.both:
        for name, (metric, dimensions, threshold) in alarms.items():
            found = properties(template, name)
            del found["AlarmDescription"]
            found["Dimensions"] = by("Name", "Value", found["Dimensions"])
            namespace, measured, statistic = metric.split()
            words = re.sub("(?<!^)([A-Z])", r"-\1", name).lower()
            wanted = {
                "AlarmName": sub(f"chartbuster-${{Stage}}-{words}"),
                "Namespace": namespace,
                "MetricName": measured,
                "Dimensions": dimensions,
                "Statistic": statistic,
                "Period": 300,
                "EvaluationPeriods": 1,
                "Threshold": threshold,
                "ComparisonOperator": "GreaterThanOrEqualToThreshold",
                "TreatMissingData": "notBreaching",
            }
            if template is templates.whole:
                wanted["AlarmActions"] = [{"Ref": "AlarmTopic"}]
            yield from differs(f"{name} {wishes}", found, wanted)
    mail = {
        "TopicArn": {"Ref": "AlarmTopic"},
        "Protocol": "email",
        "Endpoint": {"Ref": "AlarmEmail"},
    }
    yield from differs("AlarmMail", properties(templates.whole, "AlarmMail"), mail)
    # A key of AWS's own would keep alarms from writing to it.
    topic = {"TopicName": sub("chartbuster-${Stage}-alarms")}
    yield from differs("AlarmTopic", properties(templates.whole, "AlarmTopic"), topic)


_SEEN = {
    "AWS/SQS": {"ApproximateNumberOfMessagesVisible", "ApproximateNumberOfMessagesNotVisible"},
    "AWS/Lambda": {"Invocations", "Errors"},
    "AWS/ApplicationELB": {
        *("RequestCount", "HTTPCode_Target_5XX_Count", "HTTPCode_ELB_5XX_Count"),
    },
}


def the_dashboard_shows_what_is_there(templates: Templates) -> Iterator[str]:
    dashboard = properties(templates.compute, "Dashboard")
    yield from differs("Dashboard", sorted(dashboard), ["DashboardBody", "DashboardName"])
    queues = {
        part["Properties"]["QueueName"]["Sub"]
        for part in templates.data["Resources"].values()
        if part["Type"] == "AWS::SQS::Queue"
    }
    known = {
        "QueueName": queues,
        "FunctionName": {"${FunctionName}"},
        "LoadBalancer": {"${LoadBalancer.LoadBalancerFullName}"},
    }
    widgets = json.loads(at(dashboard, "DashboardBody", "Sub"))["widgets"]
    yield from differs("how many pictures the dashboard has", len(widgets), 6)
    cluster = properties(templates.compute, "Cluster")["ClusterName"]["Sub"]
    search = re.compile(
        rf"SEARCH\('\{{AWS/ECS,ClusterName,ServiceName\}} ClusterName=\"{re.escape(cluster)}\" "
        r"MetricName=\"(CPU|Memory)Utilization\"', '(Average|Maximum)', 60\)"
    )
    for widget in widgets:
        about = widget["properties"]
        what = f"the dashboard's {about['title']!r}"
        yield from differs(f"{what}: region", about["region"], "${AWS::Region}")
        for metric in about["metrics"]:
            if isinstance(metric[0], Mapping):
                if not search.fullmatch(metric[0]["expression"]):
                    yield f"{what} searches by {metric[0]['expression']!r}"
                continue
            namespace, name, dimension, value = metric
            if name not in _SEEN[namespace] or value not in known[dimension]:
                yield f"{what} shows {metric!r}, which nothing here measures"
