"""How a template's parameters get their values."""

import pytest

from chartbuster.errors import Misconfigured
from scripts.aws.parameters import (
    Parameter,
    Sources,
    check_given,
    filled,
    lacking,
    parsed,
    refuse_lacking,
)

_CIDR = Parameter(
    "AllowedCidr",
    description="Who may open the app, like 203.0.113.7/32 for one of them.",
    pattern=r"([0-9]{1,3}\.){3}[0-9]{1,3}/[0-9]{1,2}",
    expected="an IPv4 range",
)
_CAPACITY = Parameter("TrainerCapacity", default="FARGATE", allowed=("FARGATE", "FARGATE_SPOT"))
_BUCKET = Parameter("RawBucket", description="The bucket of uploads.")


@pytest.mark.parametrize(
    ("emptied", "expected"),
    [
        ((), "known"),
        (("known",), "output"),
        (("known", "outputs"), "given"),
        (("known", "outputs", "given"), "deployed"),
        (("known", "outputs", "given", "deployed"), "default"),
    ],
)
def test_a_value_comes_from_the_first_source_that_has_it(emptied, expected):
    said = {"known": "known", "outputs": "output", "given": "given", "deployed": "deployed"}
    sources = Sources(
        **{source: {"Name": value} for source, value in said.items() if source not in emptied}
    )

    assert filled([Parameter("Name", default="default")], sources) == {"Name": expected}


def test_an_empty_value_is_a_value():
    assert filled([Parameter("CertificateArn", default="x")], Sources(given={"CertificateArn": ""}))
    assert lacking([Parameter("A")], Sources(given={"A": ""})) == ()


def test_only_what_the_template_asks_for_is_filled_in():
    sources = Sources(known={"Stage": "dev", "CodeKey": "a.zip"})

    assert filled([Parameter("Stage")], sources) == {"Stage": "dev"}


def test_every_parameter_without_a_value_is_named_with_an_example():
    with pytest.raises(Misconfigured) as error:
        filled([_BUCKET, _CAPACITY, _CIDR], Sources())

    assert "RawBucket (The bucket of uploads)" in str(error.value)
    assert "SET='RawBucket=value AllowedCidr=203.0.113.7/32'" in str(error.value)
    assert "TrainerCapacity" not in str(error.value)


def test_a_parameter_two_templates_lack_is_named_once():
    with pytest.raises(Misconfigured) as error:
        refuse_lacking([_CIDR, _CIDR])

    assert str(error.value).count("AllowedCidr=") == 1


def test_nothing_lacking_is_no_error():
    refuse_lacking([])


def test_settings_are_names_and_values_and_a_value_may_hold_an_equals_sign():
    assert parsed(["A=1", "B=x=y", "C=", "A=2"]) == {"A": "2", "B": "x=y", "C": ""}


@pytest.mark.parametrize("setting", ["AllowedCidr", "=1", "two words=1", ""])
def test_what_sets_nothing_is_refused(setting):
    with pytest.raises(Misconfigured, match="expected Name=Value"):
        parsed([setting])


def test_an_unknown_name_is_refused_with_the_nearest_known_one():
    with pytest.raises(Misconfigured, match="'AlowedCidr'; AllowedCidr is the nearest"):
        check_given({"AlowedCidr": "1"}, [_CIDR, _CAPACITY], filled_in=())


def test_what_the_program_fills_in_is_not_a_persons_to_set():
    with pytest.raises(Misconfigured, match="RawBucket is filled in by the program"):
        check_given({"RawBucket": "mine"}, [_CIDR, _BUCKET], filled_in=["RawBucket"])


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("AllowedCidr", "everybody", "expected an IPv4 range"),
        ("AllowedCidr", "203.0.113.7/32 or so", "expected an IPv4 range"),
        ("TrainerCapacity", "SPOT", "expected FARGATE or FARGATE_SPOT"),
    ],
)
def test_a_value_the_template_would_refuse_is_refused_before_anything_is_built(
    name, value, expected
):
    with pytest.raises(Misconfigured, match=expected):
        check_given({name: value}, [_CIDR, _CAPACITY], filled_in=())


def test_values_that_will_do_are_let_through():
    check_given(
        {"AllowedCidr": "203.0.113.7/32", "TrainerCapacity": "FARGATE_SPOT"},
        [_CIDR, _CAPACITY],
        filled_in=["RawBucket"],
    )
