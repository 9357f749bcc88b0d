"""The templates fit together, and every check notices when they do not."""

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import boto3
import pytest

from chartbuster.errors import Misconfigured
from infra.stacks import template
from scripts.aws.account import Account
from scripts.aws.checks.containers import SIGN_IN
from scripts.aws.checks.reading import Templates
from scripts.aws.checks.templates import load
from scripts.aws.checks.wiring import CHECKS, findings, said_by
from webapp.settings import SignIn

PARTS = ("compute", "data", "scaling", "bootstrap")
TEMPLATES = {part: load(f"{part}.yaml") for part in PARTS}
# CloudFormation takes no longer text in a call.
LONGEST = 51_200


def test_the_templates_fit_together():
    assert findings(**TEMPLATES) == []


@pytest.mark.parametrize("part", PARTS)
def test_no_template_is_too_long_to_be_sent_in_a_call(part):
    assert len(template(f"{part}.yaml").encode()) <= LONGEST


def test_the_app_asks_for_the_secrets_it_is_handed_and_no_others():
    with pytest.raises(Misconfigured) as raised:
        SignIn.from_env({"OIDC_METADATA_URL": "https://id.example.com"})

    asked = {words.split()[0] for words in str(raised.value).split(". ") if "is not set" in words}
    assert {"OIDC_METADATA_URL", *asked} == set(SIGN_IN)


@pytest.mark.parametrize("image", ["trainer", "webapp"])
def test_the_programs_push_to_the_repositories_there_are(image):
    name = TEMPLATES["bootstrap"]["Resources"][f"{image.title()}Repository"]["Properties"]
    account = Account("123456789012", "eu-west-1", "dev", "", boto3.Session())

    assert name["RepositoryName"] == {"Sub": account.repository(image).replace("-dev", "-${Stage}")}


# --- each check is red once -----------------------------------------------------------------------

_SECTIONS = {"AWSTemplateFormatVersion", "Parameters", "Rules", "Conditions", "Outputs"}


@dataclass(frozen=True)
class Break:
    """A small change of one template, and words that whoever notices it must say.

    `place` begins with the template, then goes on to a resource or to another section. No value
    means that what is there is gone.
    """

    words: str
    place: str
    value: Any = None

    def broken(self) -> dict[str, dict[str, Any]]:
        """The templates with the change."""
        part, *names = self.place.split(".")
        changed = copy.deepcopy(TEMPLATES[part])
        path = [int(name) if name.isdigit() else name for name in names]
        *inner, last = path if names[0] in _SECTIONS else ["Resources", *path]
        where: Any = changed
        for step in inner:
            where = where[step]
        if self.value is None:
            del where[last]
        else:
            where[last] = self.value
        return {**TEMPLATES, part: changed}


BREAKS: Mapping[str, tuple[Break, ...]] = {
    "every_resource_is_of_its_kind": (
        Break("AWS::EC2::Instance", "compute.Network.Type", "AWS::EC2::Instance"),
        Break("lacks RouteOut", "compute.RouteOut"),
        Break("2011", "compute.AWSTemplateFormatVersion", "2011-09-09"),
    ),
    "only_what_was_asked_for_is_there": (
        Break("without wishes", "compute.AlarmTopic.Condition"),
        Break("without wishes", "compute.Dashboard.Condition", "WithHttps"),
        Break("without wishes", "compute.Conditions.WithHttps.Not.0.Equals.1", "x"),
    ),
    "resources_wait_for_what_they_need": (
        Break("lacks RouteOut", "compute.RouteOut.DependsOn"),
        Break("TrainerService", "compute.TrainerService.DependsOn.3"),
        Break(
            "HttpListener",
            "compute.WebappService.Metadata.IsReachedThrough.If.2",
            {"Ref": "HttpsListener"},
        ),
        Break("Metadata", "compute.WebappService.Metadata"),
    ),
    "everything_is_tagged_with_its_project_and_stage": (
        Break("Cluster", "compute.Cluster.Properties.Tags"),
        Break("Network.Tags", "compute.Network.Properties.Tags.1.Value.Ref", "Architecture"),
        Break("Budget", "scaling.Budget.Properties.ResourceTags"),
    ),
    "everything_named_carries_the_stage": (
        Break("Cluster", "compute.Cluster.Properties.ClusterName.Sub", "chartbuster"),
    ),
    "every_parameter_has_somebody_who_fills_it_in": (
        Break("asks for FunctionName", "data.Outputs.FunctionName"),
        Break("AllowedCidr", "compute.Parameters.AllowedCidr.Default", "0.0.0.0/0"),
        Break("no parameter QueueUrl", "compute.Parameters.QueueUrl"),
        Break("asks for Cluster", "compute.Outputs.Cluster"),
        Break("asks for CodeBucket", "bootstrap.Outputs.CodeBucket"),
    ),
    "parameters_take_what_is_right_and_refuse_what_is_not": (
        Break("takes 'trainer:latest'", "compute.Parameters.TrainerImage.AllowedPattern", ".*"),
        Break("refuses '0.0.0.0/0'", "compute.Parameters.AllowedCidr.AllowedPattern", "[1-9].*"),
        Break("Architecture", "compute.Parameters.Architecture.AllowedValues.1"),
        Break("Number", "compute.Parameters.QueueUrl.Type", "Number"),
        Break("scaling.yaml", "scaling.Parameters.Stage.AllowedPattern", ".*"),
    ),
    "nonsense_is_refused_before_anything_is_made": (
        Break("sign-in over HTTP", "compute.Rules.TheAppsSignInNeedsHttps"),
        Break("CertificateArn alone", "compute.Rules.HttpsHasANameAndACertificate"),
        Break("no OidcIssuer", "compute.Rules.TheLoadBalancersSignInIsWhole"),
        Break(
            "does not say",
            "compute.Rules.TheAppsSignInNeedsHttps.Assertions.0.AssertDescription",
            "no",
        ),
    ),
    "outputs_say_what_others_ask_for": (
        Break("WebUrl", "compute.Outputs.WebUrl.Value.If.1", "https://"),
        Break(
            "TrainerService", "compute.Outputs.TrainerService.Value.GetAtt", "WebappService.Name"
        ),
    ),
    "the_network_is_two_public_subnets_with_a_way_out": (
        Break("10.0.0.0/24", "compute.SecondSubnet.Properties.CidrBlock", "10.0.0.0/24"),
        Break("GatewayId", "compute.RouteOut.Properties.GatewayId"),
    ),
    "only_the_load_balancer_can_be_called_and_only_it_calls_the_app": (
        Break(
            "who may call",
            "compute.LoadBalancerSecurity.Properties.SecurityGroupIngress.0.CidrIp",
            "0.0.0.0/0",
        ),
        Break(
            "WebappSecurity",
            "compute.WebappSecurity.Properties.SecurityGroupIngress.0.ToPort",
            9000,
        ),
        Break("TrainerSecurity", "compute.TrainerSecurity.Properties.SecurityGroupIngress", []),
    ),
    "the_load_balancer_stands_in_both_subnets": (
        Break("internal", "compute.LoadBalancer.Properties.Scheme", "internal"),
        Break(
            "idle_timeout", "compute.LoadBalancer.Properties.LoadBalancerAttributes.0.Value", "60"
        ),
    ),
    "the_target_group_knows_whether_the_app_answers_and_keeps_sessions_together": (
        Break("instance", "compute.WebTargetGroup.Properties.TargetType", "instance"),
        Break("8502", "compute.WebTargetGroup.Properties.Port", 8502),
        Break("/healthz", "compute.WebTargetGroup.Properties.HealthCheckPath", "/healthz"),
        Break(
            "stickiness.enabled",
            "compute.WebTargetGroup.Properties.TargetGroupAttributes.0.Value",
            "false",
        ),
    ),
    "http_forwards_or_leads_to_https": (
        Break(
            "with every wish",
            "compute.HttpListener.Properties.DefaultActions.0.If.1.Type",
            "forward",
        ),
        Break("without wishes", "compute.HttpListener.Properties.Port", 8080),
    ),
    "https_is_modern_and_asks_who_it_is_when_told_to": (
        Break(
            "SslPolicy", "compute.HttpsListener.Properties.SslPolicy", "ELBSecurityPolicy-2016-08"
        ),
        Break(
            "with sign-in",
            "compute.HttpsListener.Properties.DefaultActions.0.If.1.AuthenticateOidcConfig.OnUnauthenticatedRequest",
            "allow",
        ),
    ),
    "tasks_are_started_with_the_least_right_that_starts_them": (
        Break(
            "SignInToRegistry",
            "compute.TrainerExecutionRole.Properties.Policies.0.PolicyDocument.Statement.0",
        ),
        Break(
            "ecr:*",
            "compute.TrainerExecutionRole.Properties.Policies.0.PolicyDocument.Statement.1.Action",
            "ecr:*",
        ),
        Break(
            "PullImage",
            "compute.WebappExecutionRole.Properties.Policies.0.PolicyDocument.Statement.1.Resource",
            "*",
        ),
        Break(
            "cannot be told",
            "compute.WebappExecutionRole.Properties.Policies.0.PolicyDocument.Statement.2.Effect",
            "Deny",
        ),
        Break(
            "without wishes",
            "compute.WebappExecutionRole.Properties.Policies.0.PolicyDocument.Statement.3.If.2",
            {"Sid": "ReadSecrets", "Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"},
        ),
        Break(
            "who may take it on",
            "compute.TrainerExecutionRole.Properties.AssumeRolePolicyDocument.Statement.0.Principal",
            "*",
        ),
        Break("RepositoryName", "bootstrap.TrainerRepository.Properties.RepositoryName", "trainer"),
    ),
    "components_have_the_roles_of_the_data_stack": (
        Break(
            "TrainerRole",
            "data.TrainerRole.Properties.AssumeRolePolicyDocument.Statement.0.Principal.Service",
            "ec2.amazonaws.com",
        ),
        Break("TrainerRoleArn", "data.Outputs.TrainerRoleArn.Value.GetAtt", "WebappRole.Arn"),
    ),
    "a_trainer_may_ask_not_to_be_stopped_and_no_other_task_may": (
        Break(
            "Roles",
            "compute.TrainerMayFinish.Properties.Roles.0.Select.1.Split.1.Ref",
            "WebappRoleArn",
        ),
        Break(
            "Protect",
            "compute.TrainerMayFinish.Properties.PolicyDocument.Statement.0.Resource",
            "*",
        ),
    ),
    "the_cluster_offers_both_capacities_and_no_metrics_that_cost": (
        Break("FARGATE_SPOT", "compute.Cluster.Properties.CapacityProviders.1"),
        Break("containerInsights", "compute.Cluster.Properties.ClusterSettings.0.Value", "enabled"),
    ),
    "tasks_run_the_image_given_on_its_processor_with_their_own_roles": (
        Break("TaskRoleArn", "compute.TrainerTask.Properties.TaskRoleArn.Ref", "WebappRoleArn"),
        Break(
            "ExecutionRoleArn",
            "compute.WebappTask.Properties.ExecutionRoleArn.GetAtt",
            "TrainerExecutionRole.Arn",
        ),
        Break(
            "CpuArchitecture",
            "compute.TrainerTask.Properties.RuntimePlatform.CpuArchitecture.If.1",
            "X86_64",
        ),
        Break("NetworkMode", "compute.WebappTask.Properties.NetworkMode", "bridge"),
        Break(
            "the image of trainer",
            "compute.TrainerTask.Properties.ContainerDefinitions.0.Image.Ref",
            "WebappImage",
        ),
        Break("20 GiB", "compute.TrainerTask.Properties.EphemeralStorage", {"SizeInGiB": 20}),
        Break("no number", "compute.TrainerTask.Properties.Cpu", "much"),
    ),
    "containers_do_what_their_image_says_and_keep_to_themselves": (
        Break("Name", "compute.WebappTask.Properties.ContainerDefinitions.0.Name", "web"),
        Break("121", "compute.TrainerTask.Properties.ContainerDefinitions.0.StopTimeout", 121),
        Break(
            "runs as 'root'", "compute.TrainerTask.Properties.ContainerDefinitions.0.User", "root"
        ),
        Break("Command", "compute.TrainerTask.Properties.ContainerDefinitions.0.Command", ["sh"]),
        Break(
            "ReadonlyRootFilesystem",
            "compute.WebappTask.Properties.ContainerDefinitions.0.ReadonlyRootFilesystem",
            False,
        ),
        Break(
            "Capabilities",
            "compute.WebappTask.Properties.ContainerDefinitions.0.LinuxParameters.Capabilities.Drop.0",
            "KILL",
        ),
        Break(
            "4096 MiB",
            "compute.WebappTask.Properties.ContainerDefinitions.0.LinuxParameters.Tmpfs.0.Size",
            4096,
        ),
    ),
    "containers_are_told_what_they_work_on_and_no_keys": (
        Break(
            "READY_BUCKET",
            "compute.TrainerTask.Properties.ContainerDefinitions.0.Environment.3.Value.Ref",
            "RawBucket",
        ),
        Break(
            "AWS_ENDPOINT_URL",
            "compute.WebappTask.Properties.ContainerDefinitions.0.Environment.0.Name",
            "AWS_ENDPOINT_URL",
        ),
        Break(
            "no Name twice",
            "compute.WebappTask.Properties.ContainerDefinitions.0.Environment.0.Name",
            "AWS_DEFAULT_REGION",
        ),
    ),
    "secrets_come_from_the_secret_by_their_own_names": (
        Break(
            "COOKIE_SECRET",
            "compute.WebappTask.Properties.ContainerDefinitions.0.Secrets.If.1.4.ValueFrom.Sub",
            "${SignInSecretArn}:COOKIE::",
        ),
    ),
    "logs_go_to_the_group_of_the_data_stack": (
        Break(
            "awslogs-group",
            "compute.TrainerTask.Properties.ContainerDefinitions.0.LogConfiguration.Options.awslogs-group",
            {"Sub": "/chartbuster/${Stage}/webapp"},
        ),
        Break("awslogs-group", "data.WebappLogs.Properties.LogGroupName", "/logs"),
    ),
    "containers_are_asked_whether_they_are_well": (
        Break(
            "where webapp is asked",
            "compute.WebappTask.Properties.ContainerDefinitions.0.HealthCheck.Command.4",
            "http://127.0.0.1:8502/_stcore/health",
        ),
        Break(
            "find faults soon",
            "compute.TrainerTask.Properties.ContainerDefinitions.0.HealthCheck.Retries",
            10,
        ),
        Break(
            "begins after 0 s",
            "compute.TrainerTask.Properties.ContainerDefinitions.0.HealthCheck.StartPeriod",
            0,
        ),
        Break(
            "Timeout", "compute.WebappTask.Properties.ContainerDefinitions.0.HealthCheck.Timeout"
        ),
    ),
    "services_roll_back_by_themselves_and_keep_their_count": (
        Break(
            "Rollback",
            "compute.TrainerService.Properties.DeploymentConfiguration.DeploymentCircuitBreaker.Rollback",
            False,
        ),
        Break("DesiredCount", "compute.WebappService.Properties.DesiredCount", 1),
        Break(
            "AssignPublicIp",
            "compute.TrainerService.Properties.NetworkConfiguration.AwsvpcConfiguration.AssignPublicIp",
            "DISABLED",
        ),
        Break(
            "SecurityGroups",
            "compute.WebappService.Properties.NetworkConfiguration.AwsvpcConfiguration.SecurityGroups.0.Ref",
            "TrainerSecurity",
        ),
        Break(
            "ContainerName",
            "compute.WebappService.Properties.LoadBalancers.0.ContainerName",
            "trainer",
        ),
        Break("8500", "compute.WebappService.Properties.LoadBalancers.0.ContainerPort", 8500),
        Break(
            "the ports of webapp",
            "compute.WebappTask.Properties.ContainerDefinitions.0.PortMappings.0.ContainerPort",
            8502,
        ),
        Break(
            "FARGATE",
            "compute.TrainerService.Properties.CapacityProviderStrategy.0.CapacityProvider",
            "FARGATE",
        ),
    ),
    "alarms_watch_what_is_there_and_tell_whoever_asked": (
        Break("MetricName", "compute.CreateDataFails.Properties.MetricName", "Error"),
        Break(
            "QueueName",
            "compute.TrainingsFailed.Properties.Dimensions.0.Value.Sub",
            "chartbuster-${Stage}-train",
        ),
        Break(
            "UploadsFailed", "data.LambdaDeadLetterQueue.Properties.QueueName", {"Sub": "letters"}
        ),
        Break("breaching", "compute.AppFails.Properties.TreatMissingData", "breaching"),
        Break("AlarmActions", "compute.AppDoesNotAnswer.Properties.AlarmActions"),
        Break("AlarmTopic", "compute.AlarmTopic.Properties.KmsMasterKeyId", "alias/aws/sns"),
        Break("AlarmMail", "compute.AlarmMail.Properties.Protocol", "sms"),
    ),
    "the_dashboard_shows_what_is_there": (
        Break("cannot be told", "compute.Dashboard.Properties.DashboardBody.Sub", "{"),
        Break("nothing here measures", "data.TrainQueue.Properties.QueueName", {"Sub": "queue"}),
        Break("searches by", "compute.Cluster.Properties.ClusterName.Sub", "other"),
    ),
    "repositories_keep_what_was_pushed_and_are_scanned": (
        Break("MUTABLE", "bootstrap.TrainerRepository.Properties.ImageTagMutability", "MUTABLE"),
        Break(
            "cannot be told",
            "bootstrap.WebappRepository.Properties.LifecyclePolicy.LifecyclePolicyText",
            "{}",
        ),
        Break(
            "WebappRepositoryUri",
            "bootstrap.Outputs.WebappRepositoryUri.Value.GetAtt",
            "TrainerRepository.RepositoryUri",
        ),
    ),
    "the_code_bucket_is_private_encrypted_and_reached_over_tls_only": (
        Break(
            "BlockPublicAcls",
            "bootstrap.CodeBucket.Properties.PublicAccessBlockConfiguration.BlockPublicAcls",
            False,
        ),
        Break(
            "CodeBucketPolicy",
            "bootstrap.CodeBucketPolicy.Properties.PolicyDocument.Statement.0.Effect",
            "Allow",
        ),
        Break("BucketName", "bootstrap.CodeBucket.Properties.BucketName", "code"),
    ),
    "trainers_come_with_a_message_and_go_when_nothing_is_left": (
        Break(
            "ResourceId",
            "scaling.TrainerCount.Properties.ResourceId.Sub",
            "service/${Cluster}/${WebappService}",
        ),
        Break(
            "AdjustmentType",
            "scaling.StartTrainers.Properties.StepScalingPolicyConfiguration.AdjustmentType",
            "ChangeInCapacity",
        ),
        Break("TreatMissingData", "scaling.NothingToDo.Properties.TreatMissingData", "breaching"),
        Break("what is added up", "scaling.NothingToDo.Properties.Metrics.0.Expression", "waiting"),
        Break(
            "inhand",
            "scaling.NothingToDo.Properties.Metrics.2.MetricStat.Metric.MetricName",
            "NumberOfMessagesSent",
        ),
        Break(
            "StartTrainers", "scaling.SomethingWaits.Properties.AlarmActions.0.Ref", "StopTrainers"
        ),
    ),
    "the_app_never_goes_away_and_grows_with_its_cpu": (
        Break("MinCapacity", "scaling.WebappCount.Properties.MinCapacity", 0),
        Break(
            "TargetValue",
            "scaling.WebappByCpu.Properties.TargetTrackingScalingPolicyConfiguration.TargetValue",
            600,
        ),
    ),
    "a_budget_writes_before_the_month_is_over": (
        Break(
            "when it writes",
            "scaling.Budget.Properties.NotificationsWithSubscribers.1.Subscribers.0.Address",
            "me",
        ),
        Break("nobody is to be written to", "scaling.Budget.Condition"),
    ),
}


@pytest.mark.parametrize(
    ("check", "change"),
    [(check, change) for check, changes in BREAKS.items() for change in changes],
    ids=lambda value: value.place if isinstance(value, Break) else "",
)
def test_what_does_not_fit_is_said_by_the_check_that_holds_it(check: str, change: Break):
    (held,) = (each for each in CHECKS if each.__name__ == check)

    said = said_by(held, Templates(**change.broken()))

    assert [sentence for sentence in said if change.words in sentence]
    assert set(said) <= set(findings(**change.broken()))


def test_every_check_has_been_seen_to_notice_something():
    assert set(BREAKS) == {check.__name__ for check in CHECKS}
