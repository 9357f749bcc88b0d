"""Templates as plain values, and what CloudFormation would make of them for given parameters."""

import pytest

from scripts.aws.checks.templates import TemplateUnreadable, chosen, load, parsed, refused

SMALL = parsed("""
Parameters:
  Colour: { Type: String, Default: "" }
  Shade: { Type: String }
Rules:
  ADarkOneIsBlue:
    RuleCondition: !Equals [!Ref Shade, dark]
    Assertions: [{ Assert: !Equals [!Ref Colour, blue], AssertDescription: Colour must be blue }]
Conditions:
  Coloured: !Not [!Equals [!Ref Colour, ""]]
  Gaudy: !And [!Not [!Equals [!Ref Colour, ""]], !Equals [!Ref Shade, bright]]
  Plain: !Or [!Equals [!Ref Colour, ""], !Equals [!Ref Shade, pale]]
Resources:
  Paint:
    Type: AWS::Made::Up
    Condition: Coloured
    Properties: { Colour: !Ref Colour }
  Wall:
    Type: AWS::Made::Up
    Properties:
      Paint: !If [Coloured, !GetAtt Paint.Name, !Ref AWS::NoValue]
      Layers: [primer, !If [Gaudy, varnish, !Ref AWS::NoValue], !If [Plain, chalk, gloss]]
Outputs:
  Paint: { Condition: Coloured, Value: !Sub "${Paint}!" }
""")


def test_short_tags_are_read_as_their_name_and_value():
    assert SMALL["Conditions"]["Coloured"] == {"Not": [{"Equals": [{"Ref": "Colour"}, ""]}]}
    assert SMALL["Outputs"]["Paint"]["Value"] == {"Sub": "${Paint}!"}


def test_without_what_was_not_asked_for():
    found = chosen(SMALL, {"Shade": "bright"})

    assert found["Outputs"] == {}
    assert list(found["Resources"]) == ["Wall"]
    assert found["Resources"]["Wall"]["Properties"] == {"Layers": ["primer", "chalk"]}


def test_with_all_that_was_asked_for_and_references_left_as_they_are():
    found = chosen(SMALL, {"Colour": "red", "Shade": "bright"})

    assert list(found["Resources"]) == ["Paint", "Wall"]
    assert found["Resources"]["Wall"]["Properties"] == {
        "Paint": {"GetAtt": "Paint.Name"},
        "Layers": ["primer", "varnish", "gloss"],
    }


@pytest.mark.parametrize(
    ("shade", "colour", "rules"),
    [("dark", "red", ["ADarkOneIsBlue"]), ("dark", "blue", []), ("pale", "red", [])],
)
def test_a_rule_refuses_only_where_its_condition_holds(shade, colour, rules):
    assert refused(SMALL, {"Shade": shade, "Colour": colour}) == rules


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Resources: [", "no YAML"),
        ("just words", "no Resources"),
        ("Resources: !Map { a: 1 }", "mapping"),
    ],
)
def test_what_is_no_template_says_why(text, words):
    with pytest.raises(TemplateUnreadable, match=words):
        parsed(text)


@pytest.mark.parametrize(
    "broken",
    [
        {"Conditions": {"Coloured": {"Perhaps": []}}},
        {"Conditions": {"Coloured": {"Equals": [{"Ref": "Nobody"}, ""]}}},
        {"Conditions": {}},
    ],
)
def test_what_cannot_be_worked_out_is_told_and_not_guessed(broken):
    with pytest.raises(TemplateUnreadable, match="expected"):
        chosen({**SMALL, **broken}, {"Shade": "pale"})


@pytest.mark.parametrize("part", ["bootstrap", "data", "compute", "scaling"])
def test_every_template_can_be_read_and_sent_as_it_is(part):
    template = load(f"{part}.yaml")

    assert "Stage" in template["Parameters"]
