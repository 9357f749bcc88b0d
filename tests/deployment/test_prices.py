"""What a deployment costs follows from the templates, and says of which day and region it is."""

from collections.abc import Mapping

import boto3
import pytest

from infra.stacks import template
from scripts.aws import prices
from scripts.aws.account import Account
from scripts.aws.checks.resolving import Resolved
from scripts.aws.prices import Cost, Line, cost, told
from scripts.aws.templates import read

ACCOUNT = Account("111122223333", "us-east-1", "dev", endpoint="", session=boto3.Session())
PARAMETERS = {"Stage": "dev", "AllowedCidr": "203.0.113.7/32"}


def stack(part: str, *edits: tuple[str, str], **parameters: str) -> Resolved:
    """A part's template, with each edit's first text replaced by its second where it stands."""
    text = template(f"{part}.yaml")
    for old, new in edits:
        assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in {part}.yaml"
        text = text.replace(old, new)
    wanted = read(part, text)
    defaults = {each.name: each.default or "" for each in wanted.parameters}
    return wanted.resolved({**defaults, **PARAMETERS, **parameters}, ACCOUNT)


def stacks(**changed: Resolved) -> Mapping[str, Resolved]:
    return {"compute": stack("compute"), "scaling": stack("scaling"), **changed}


def dollars(found: Cost, words: str) -> float:
    (line,) = (line for line in found.idle if words in line.what)
    return line.dollars


def test_an_idle_month_is_the_load_balancer_its_addresses_one_app_and_what_watches_them():
    found = cost(stacks())

    app = (1 * 0.04048 + 2 * 0.004445 + 0.005) * 730
    assert dollars(found, "load balancer") == pytest.approx(0.0225 * 730)
    assert dollars(found, "2 public addresses") == pytest.approx(2 * 0.005 * 730)
    assert dollars(found, "one web app (1 vCPU, 2 GB") == pytest.approx(app)
    assert dollars(found, "dashboard") == 3
    assert found.month == pytest.approx(sum(line.dollars for line in found.idle))


def test_an_hour_of_training_is_the_trainers_processors_memory_and_address():
    found = cost(stacks())

    assert found.training_hour == pytest.approx(2 * 0.04048 + 4 * 0.004445 + 0.005)


def test_an_app_with_other_processors_costs_another_sum():
    before = cost(stacks())

    after = cost(stacks(compute=stack("compute", ('Cpu: "1024"', 'Cpu: "4096"'))))

    assert after.month - before.month == pytest.approx(3 * 0.04048 * 730)
    assert after.training_hour == before.training_hour


def test_a_trainer_with_more_memory_costs_more_an_hour_and_the_same_idle():
    before = cost(stacks())

    after = cost(stacks(compute=stack("compute", ('Memory: "4096"', 'Memory: "8192"'))))

    assert after.training_hour - before.training_hour == pytest.approx(4 * 0.004445)
    assert after.month == before.month


def test_arm_and_spot_are_cheaper():
    intel = cost(stacks())
    arm = cost(stacks(compute=stack("compute", Architecture="arm64")))
    spot = cost(stacks(compute=stack("compute", TrainerCapacity="FARGATE_SPOT")))

    assert arm.month < intel.month
    assert arm.training_hour == pytest.approx(2 * 0.03238 + 4 * 0.00356 + 0.005)
    assert spot.month == intel.month
    assert spot.training_hour - 0.005 == pytest.approx(0.3 * (intel.training_hour - 0.005))
    assert "Spot" in str(spot.trainer)


def test_without_scaling_a_trainer_that_never_stops_is_part_of_the_month():
    found = cost({"compute": stack("compute")})

    assert dollars(found, "never stopped") == pytest.approx(found.training_hour * 730)


def test_every_metric_that_an_alarm_looks_at_is_counted():
    alone = cost({"compute": stack("compute")})
    scaled = cost(stacks())

    # One alarm on one metric, and one on two of them put together.
    assert dollars(scaled, "alarms") - dollars(alone, "alarms") == pytest.approx(3 * 0.10)


def test_the_day_and_the_region_of_the_prices_are_named():
    found = Cost(
        (Line("load balancer", 16.43), Line("dashboard", 3)), 0.104, cost(stacks()).trainer
    )

    here = told(found, region=prices.REGION)
    elsewhere = told(found, region="eu-west-1")

    assert here[0] == (
        f"cost by list prices of us-east-1 as of {prices.DATE}, before taxes and free tiers"
    )
    assert elsewhere[0] == here[0] + "; eu-west-1 differs by some"
    assert any(line.split() == ["idle", "$", "19.43", "a", "month"] for line in here)
    assert any("training" in line and "0.104 an hour" in line for line in here)
