"""What must hold within `infra/compute.yaml` and between the four templates, beyond cfn-lint.

Every check is a small function that says, in sentences, what is wrong; `CHECKS` lists them. Where
two places must agree, one is held against the other; what only one place says is held by a literal.
Words (descriptions) are nobody's business here. What the containers share with docker-compose.yml
(their numbers, user, health checks and environment values) is held by the parity of both.
"""

from collections.abc import Iterator

from scripts.aws.checks import alarms, bootstrap, containers, network, parameters, roles, scaling
from scripts.aws.checks.reading import Check, Templates, at, differs, sub
from scripts.aws.checks.templates import Template, TemplateUnreadable

# What compute.yaml consists of, by kind; `_ASKED_FOR` is there only when somebody asked for it.
_KINDS = {
    "EC2::VPC": ("Network",),
    "EC2::InternetGateway": ("Internet",),
    "EC2::VPCGatewayAttachment": ("NetworkInternet",),
    "EC2::Subnet": ("FirstSubnet", "SecondSubnet"),
    "EC2::RouteTable": ("Routes",),
    "EC2::Route": ("RouteOut",),
    "EC2::SubnetRouteTableAssociation": ("FirstSubnetRoutes", "SecondSubnetRoutes"),
    "EC2::SecurityGroup": ("LoadBalancerSecurity", "WebappSecurity", "TrainerSecurity"),
    "ElasticLoadBalancingV2::LoadBalancer": ("LoadBalancer",),
    "ElasticLoadBalancingV2::TargetGroup": ("WebTargetGroup",),
    "ElasticLoadBalancingV2::Listener": ("HttpListener", "HttpsListener"),
    "IAM::Role": ("TrainerExecutionRole", "WebappExecutionRole"),
    "IAM::Policy": ("TrainerMayFinish",),
    "ECS::Cluster": ("Cluster",),
    "ECS::TaskDefinition": ("TrainerTask", "WebappTask"),
    "ECS::Service": ("TrainerService", "WebappService"),
    "SNS::Topic": ("AlarmTopic",),
    "SNS::Subscription": ("AlarmMail",),
    "CloudWatch::Alarm": (
        *("TrainingsFailed", "UploadsFailed", "TrainingsWaitLong"),
        *("CreateDataFails", "AppFails", "AppDoesNotAnswer"),
    ),
    "CloudWatch::Dashboard": ("Dashboard",),
}
_ASKED_FOR = {"HttpsListener", "AlarmTopic", "AlarmMail"}
# What AWS has no tags for, or gives nothing to tell apart.
_UNTAGGED = {
    *("EC2::VPCGatewayAttachment", "EC2::Route", "EC2::SubnetRouteTableAssociation"),
    *("ElasticLoadBalancingV2::Listener", "IAM::Policy", "SNS::Subscription"),
    *("CloudWatch::Dashboard", "S3::BucketPolicy"),
    *("ApplicationAutoScaling::ScalableTarget", "ApplicationAutoScaling::ScalingPolicy"),
}
_TAGS = [{"Key": "project", "Value": "chartbuster"}, {"Key": "stage", "Value": {"Ref": "Stage"}}]
_WAY_OUT = ["RouteOut", "FirstSubnetRoutes", "SecondSubnetRoutes"]


def findings(
    compute: Template, data: Template, scaling: Template, bootstrap: Template
) -> list[str]:
    """What is wrong with the templates, in sentences; empty when all holds."""
    templates = Templates(compute, data, scaling, bootstrap)
    found = [sentence for check in CHECKS for sentence in said_by(check, templates)]
    return list(dict.fromkeys(found))


def said_by(check: Check, templates: Templates) -> list[str]:
    """What one check says; a part that is not there, or of another shape, is a finding too."""
    try:
        return list(check(templates))
    except (TemplateUnreadable, LookupError, TypeError, ValueError, AttributeError) as error:
        return [f"{check.__name__.replace('_', ' ')}: cannot be told, {error!r}"]


def every_resource_is_of_its_kind(templates: Templates) -> Iterator[str]:
    wanted = {name: f"AWS::{kind}" for kind, names in _KINDS.items() for name in names}
    found = {name: part["Type"] for name, part in templates.compute["Resources"].items()}
    yield from differs("what compute.yaml consists of", found, wanted)
    yield from differs(
        "the format of compute.yaml", templates.compute["AWSTemplateFormatVersion"], "2010-09-09"
    )


def only_what_was_asked_for_is_there(templates: Templates) -> Iterator[str]:
    every = set(templates.compute["Resources"])
    for wishes, found, wanted in (
        ("without wishes", set(templates.plain["Resources"]), every - _ASKED_FOR),
        ("with every wish", set(templates.whole["Resources"]), every),
    ):
        yield from differs(f"what there is {wishes}", sorted(found), sorted(wanted))


def resources_wait_for_what_they_need(templates: Templates) -> Iterator[str]:
    wanted = {
        "RouteOut": "NetworkInternet",
        "LoadBalancer": "RouteOut",
        "TrainerService": [*_WAY_OUT, "TrainerMayFinish"],
        "WebappService": _WAY_OUT,
    }
    resources = templates.compute["Resources"]
    found = {name: part["DependsOn"] for name, part in resources.items() if "DependsOn" in part}
    yield from differs("DependsOn", found, wanted)
    # ECS takes a target group only once a listener forwards to it.
    for wishes, template, listener in (
        ("without wishes", templates.plain, "HttpListener"),
        ("with every wish", templates.whole, "HttpsListener"),
    ):
        yield from differs(
            f"WebappService.Metadata {wishes}",
            at(template, "Resources", "WebappService", "Metadata"),
            {"IsReachedThrough": {"Ref": listener}},
        )


def everything_is_tagged_with_its_project_and_stage(templates: Templates) -> Iterator[str]:
    for template in (templates.compute, templates.scaling, templates.bootstrap):
        for name, resource in template["Resources"].items():
            kind = resource["Type"].removeprefix("AWS::")
            if kind not in _UNTAGGED:
                key = "ResourceTags" if kind == "Budgets::Budget" else "Tags"
                yield from differs(f"{name}.{key}", resource["Properties"].get(key), _TAGS)


def everything_named_carries_the_stage(templates: Templates) -> Iterator[str]:
    for name, key, wanted in (
        ("Cluster", "ClusterName", "chartbuster-${Stage}"),
        ("TrainerTask", "Family", "chartbuster-${Stage}-trainer"),
        ("WebappTask", "Family", "chartbuster-${Stage}-webapp"),
        ("LoadBalancer", "Name", "chartbuster-${Stage}"),
        ("Dashboard", "DashboardName", "chartbuster-${Stage}"),
        ("AlarmTopic", "TopicName", "chartbuster-${Stage}-alarms"),
    ):
        found = at(templates.compute, "Resources", name, "Properties", key)
        yield from differs(f"{name}.{key}", found, sub(wanted))


CHECKS: tuple[Check, ...] = (
    every_resource_is_of_its_kind,
    only_what_was_asked_for_is_there,
    resources_wait_for_what_they_need,
    everything_is_tagged_with_its_project_and_stage,
    everything_named_carries_the_stage,
    parameters.every_parameter_has_somebody_who_fills_it_in,
    parameters.parameters_take_what_is_right_and_refuse_what_is_not,
    parameters.nonsense_is_refused_before_anything_is_made,
    parameters.outputs_say_what_others_ask_for,
    network.the_network_is_two_public_subnets_with_a_way_out,
    network.only_the_load_balancer_can_be_called_and_only_it_calls_the_app,
    network.the_load_balancer_stands_in_both_subnets,
    network.the_target_group_knows_whether_the_app_answers_and_keeps_sessions_together,
    network.http_forwards_or_leads_to_https,
    network.https_is_modern_and_asks_who_it_is_when_told_to,
    roles.tasks_are_started_with_the_least_right_that_starts_them,
    roles.components_have_the_roles_of_the_data_stack,
    roles.a_trainer_may_ask_not_to_be_stopped_and_no_other_task_may,
    containers.the_cluster_offers_both_capacities_and_no_metrics_that_cost,
    containers.tasks_run_the_image_given_on_its_processor_with_their_own_roles,
    containers.containers_do_what_their_image_says_and_keep_to_themselves,
    containers.containers_are_told_what_they_work_on_and_no_keys,
    containers.secrets_come_from_the_secret_by_their_own_names,
    containers.logs_go_to_the_group_of_the_data_stack,
    containers.containers_are_asked_whether_they_are_well,
    containers.services_roll_back_by_themselves_and_keep_their_count,
    alarms.alarms_watch_what_is_there_and_tell_whoever_asked,
    alarms.the_dashboard_shows_what_is_there,
    bootstrap.repositories_keep_what_was_pushed_and_are_scanned,
    bootstrap.the_code_bucket_is_private_encrypted_and_reached_over_tls_only,
    scaling.trainers_come_with_a_message_and_go_when_nothing_is_left,
    scaling.the_app_never_goes_away_and_grows_with_its_cpu,
    scaling.a_budget_writes_before_the_month_is_over,
)
