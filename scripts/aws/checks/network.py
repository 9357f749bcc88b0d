"""Who may call whom, and how people reach the app: subnets, groups, the load balancer."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from scripts.aws.checks.reading import (
    ANYWHERE,
    GIVEN,
    HEALTH,
    HTTPS,
    NETWORK,
    OIDC,
    PORT,
    SUBNETS,
    Templates,
    by,
    differs,
    properties,
    sub,
)
from scripts.aws.checks.templates import chosen


def the_network_is_two_public_subnets_with_a_way_out(templates: Templates) -> Iterator[str]:
    for name, wanted in {
        "Network": {"CidrBlock": NETWORK, "EnableDnsSupport": True, "EnableDnsHostnames": True},
        "Internet": {},
        "NetworkInternet": {"VpcId": {"Ref": "Network"}, "InternetGatewayId": {"Ref": "Internet"}},
        "Routes": {"VpcId": {"Ref": "Network"}},
        "RouteOut": {
            "RouteTableId": {"Ref": "Routes"},
            "DestinationCidrBlock": ANYWHERE,
            "GatewayId": {"Ref": "Internet"},
        },
        **{
            f"{name}Subnet": {
                "VpcId": {"Ref": "Network"},
                "CidrBlock": f"10.0.{number}.0/24",
                "AvailabilityZone": {"Select": [number, {"GetAZs": ""}]},
            }
            for number, name in enumerate(("First", "Second"))
        },
        **{
            f"{name}SubnetRoutes": {
                "SubnetId": {"Ref": f"{name}Subnet"},
                "RouteTableId": {"Ref": "Routes"},
            }
            for name in ("First", "Second")
        },
    }.items():
        yield from differs(name, properties(templates.compute, name), wanted)


def only_the_load_balancer_can_be_called_and_only_it_calls_the_app(
    templates: Templates,
) -> Iterator[str]:
    for wishes, template in templates.both:
        for service, callers, called in (
            (
                "LoadBalancer",
                {("AllowedCidr", 80), ("AllowedCidr", 443)},
                {(NETWORK, PORT)} | ({(ANYWHERE, 443)} if template is templates.whole else set()),
            ),
            ("Webapp", {("LoadBalancerSecurity", PORT)}, {(ANYWHERE, 443)}),
            ("Trainer", None, {(ANYWHERE, 443)}),
        ):
            group = properties(template, f"{service}Security")
            what = f"{service}Security {wishes}"
            yield from differs(f"{what}: VpcId", group["VpcId"], {"Ref": "Network"})
            found = _ends(group["SecurityGroupIngress"]) if callers is not None else None
            yield from differs(f"{what}: who may call", found, callers)
            yield from differs(
                f"{what}: whom it may call", _ends(group["SecurityGroupEgress"]), called
            )
            known = {"GroupDescription", "VpcId", "SecurityGroupEgress"}
            known |= {"SecurityGroupIngress"} if callers is not None else set()
            yield from differs(f"{what}: what it says", sorted(group), sorted(known))


def _ends(rules: Sequence[Mapping[str, Any]]) -> set[tuple[str, Any]]:
    """The other end and the port of each rule of a security group; all of a rule that is wider."""
    found: set[tuple[str, Any]] = set()
    for rule in rules:
        other = rule.get("CidrIp", rule.get("SourceSecurityGroupId"))
        end = str(other["Ref"] if isinstance(other, Mapping) else other)
        ports = rule["FromPort"], rule["ToPort"]
        narrow = ports[0] == ports[1] and rule["IpProtocol"] == "tcp" and len(rule) == 5
        found.add((end, ports[0] if narrow else str(rule)))
    return found


def the_load_balancer_stands_in_both_subnets(templates: Templates) -> Iterator[str]:
    found = properties(templates.compute, "LoadBalancer")
    attributes = by("Key", "Value", found.pop("LoadBalancerAttributes"))
    wanted = {
        "Name": sub("chartbuster-${Stage}"),
        "Type": "application",
        "Scheme": "internet-facing",
        "IpAddressType": "ipv4",
        "Subnets": SUBNETS,
        "SecurityGroups": [{"Ref": "LoadBalancerSecurity"}],
    }
    yield from differs("LoadBalancer", found, wanted)
    yield from differs(
        "the attributes of LoadBalancer",
        attributes,
        {
            "idle_timeout.timeout_seconds": "300",
            "routing.http.drop_invalid_header_fields.enabled": "true",
        },
    )


def the_target_group_knows_whether_the_app_answers_and_keeps_sessions_together(
    templates: Templates,
) -> Iterator[str]:
    found = properties(templates.compute, "WebTargetGroup")
    attributes = by("Key", "Value", found.pop("TargetGroupAttributes"))
    wanted = {
        "VpcId": {"Ref": "Network"},
        "TargetType": "ip",
        "Protocol": "HTTP",
        "Port": PORT,
        "HealthCheckProtocol": "HTTP",
        "HealthCheckPath": HEALTH,
        "HealthCheckPort": "traffic-port",
        "HealthCheckIntervalSeconds": 10,
        "HealthCheckTimeoutSeconds": 5,
        "HealthyThresholdCount": 2,
        "UnhealthyThresholdCount": 3,
        "Matcher": {"HttpCode": "200"},
    }
    yield from differs("WebTargetGroup", found, wanted)
    yield from differs(
        "the attributes of WebTargetGroup",
        attributes,
        {
            "stickiness.enabled": "true",
            "stickiness.type": "lb_cookie",
            "stickiness.lb_cookie.duration_seconds": "86400",
            "deregistration_delay.timeout_seconds": "30",
        },
    )


def http_forwards_or_leads_to_https(templates: Templates) -> Iterator[str]:
    listener = {"LoadBalancerArn": {"Ref": "LoadBalancer"}, "Port": 80, "Protocol": "HTTP"}
    forward = {"Type": "forward", "TargetGroupArn": {"Ref": "WebTargetGroup"}}
    redirect = {
        "Type": "redirect",
        "RedirectConfig": {"Protocol": "HTTPS", "Port": "443", "StatusCode": "HTTP_301"},
    }
    for (wishes, template), action in zip(templates.both, (forward, redirect), strict=True):
        found = properties(template, "HttpListener")
        yield from differs(
            f"HttpListener {wishes}", found, {**listener, "DefaultActions": [action]}
        )


def https_is_modern_and_asks_who_it_is_when_told_to(templates: Templates) -> Iterator[str]:
    forward = {"Type": "forward", "Order": 2, "TargetGroupArn": {"Ref": "WebTargetGroup"}}
    client = "{{resolve:secretsmanager:${OidcSecretArn}:SecretString:OIDC_CLIENT_SECRET}}"
    sign_in = {
        "Type": "authenticate-oidc",
        "Order": 1,
        "AuthenticateOidcConfig": {
            "Issuer": {"Ref": "OidcIssuer"},
            "AuthorizationEndpoint": {"Ref": "OidcAuthorizationEndpoint"},
            "TokenEndpoint": {"Ref": "OidcTokenEndpoint"},
            "UserInfoEndpoint": {"Ref": "OidcUserInfoEndpoint"},
            "ClientId": {"Ref": "OidcClientId"},
            "ClientSecret": sub(client),
            "Scope": "openid email profile",
            "OnUnauthenticatedRequest": "authenticate",
        },
    }
    for wishes, given, actions in (
        ("alone", HTTPS, [forward]),
        ("with sign-in", {**HTTPS, **OIDC}, [sign_in, forward]),
    ):
        template = chosen(templates.compute, {**GIVEN, **given})
        wanted = {
            "LoadBalancerArn": {"Ref": "LoadBalancer"},
            "Port": 443,
            "Protocol": "HTTPS",
            "SslPolicy": "ELBSecurityPolicy-TLS13-1-2-Res-2021-06",
            "Certificates": [{"CertificateArn": {"Ref": "CertificateArn"}}],
            "DefaultActions": actions,
        }
        yield from differs(f"HttpsListener {wishes}", properties(template, "HttpsListener"), wanted)
