"""A measured figure says whether its target was met."""

import pytest

from infra.stacks import Change
from scripts.figures import Figure
from scripts.plan import spelt


@pytest.mark.parametrize(
    ("value", "more", "verdict"),
    [(9.96, True, "MISSED"), (10.0, True, "met"), (10.0, False, "met"), (10.04, False, "MISSED")],
)
def test_a_figure_is_held_to_its_target_as_it_was_measured(value, more, verdict):
    figure = Figure("speed", value, "x", 10, more=more)
    assert str(figure).endswith(verdict)


def test_a_figure_just_under_its_target_is_not_shown_as_equal_to_it():
    assert "9.96" in str(Figure("speed", 9.96, "x", 10, more=True))


def test_a_plan_is_told_in_words():
    changes = (Change("Modify", "Queue", "AWS::SQS::Queue", replaced=True),)
    assert spelt(changes) == ["Modify  Queue (AWS::SQS::Queue), made anew"]
