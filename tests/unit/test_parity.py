"""The report of `make parity`, made of values."""

from dataclasses import replace
from pathlib import Path

from tests.acceptance.parity import Observation, Outcome, report, sentence
from tests.acceptance.probes import Probe
from tests.acceptance.targets import LOCAL, TARGETS
from tests.acceptance.targets.embedded import Embedded

ONE = Embedded(name="one", about="a stack", emulator="Emulator 1.0")
TWO = replace(ONE, name="two", emulator="Emulator 2.0")


def probe(what: str, on_aws: str) -> Probe:
    return Probe(what, on_aws, observe=lambda _lab: "")


def section(text: str, title: str) -> str:
    return text.split(f"## {title}\n")[1].split("\n## ")[0]


def test_a_check_is_a_row_with_what_became_of_it_on_each_target():
    text = report(
        [(ONE, None), (TWO, None)],
        [
            Outcome("it works", "one", "passed", "by magic"),
            Outcome("it works", "two", "known difference: there is no magic"),
            Outcome("it stays", "two", "failed"),
        ],
        [],
    )

    checks = section(text, "Checks")
    assert "| check | one | two |" in checks
    assert "| it works | passed (by magic) | known difference: there is no magic |" in checks
    assert "| it stays | - | failed |" in checks


def test_a_target_that_could_not_run_has_its_reason_and_no_column():
    text = report([(ONE, None), (TWO, "no engine")], [Outcome("it works", "one", "passed")], [])

    assert "| two | a stack | Emulator 2.0 | not run: no engine |" in text
    assert "| check | one |" in section(text, "Checks")


def test_observations_are_sorted_by_whether_the_emulators_agree_with_each_other_and_with_aws():
    differing, agreeing, wrong = (probe(what, "yes") for what in ("first", "second", "third"))

    text = report(
        [(ONE, None), (TWO, None)],
        [],
        [
            *(Observation(differing, "one", "yes"), Observation(differing, "two", "no")),
            *(Observation(agreeing, name, "yes") for name in ("one", "two")),
            *(Observation(wrong, name, "no") for name in ("one", "two")),
        ],
    )

    assert "| first | yes | yes | no |" in section(text, "Differences found between emulators")
    assert "| second | yes |" in section(text, "Alike, and as on AWS")
    assert "| third | yes | no |" in section(text, "Alike, but not as on AWS")


def test_what_would_break_a_table_is_written_so_that_it_does_not():
    text = report([(ONE, None)], [Outcome("a|b", "one", "passed")], [])

    assert "| a\\|b | passed |" in text
    assert section(text, "Differences found between emulators").endswith("None.\n")


def test_a_tests_name_is_its_sentence():
    assert sentence("test_a_file_is_refused") == "a file is refused"


def test_every_known_difference_names_a_test_there_is():
    tests = (Path(__file__).parents[1] / "acceptance" / "test_stack.py").read_text()
    for target in TARGETS.values():
        for name in target.known_differences:
            assert f"def {name}(" in tests, f"{target.name}: {name}"


def test_a_real_account_is_never_among_what_runs_unasked():
    assert "aws" not in {target.name for target in LOCAL}
