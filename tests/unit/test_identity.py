"""Identities: equal input gives equal names, everywhere."""

from typing import Any

import pytest

from chartbuster.errors import InvalidName
from chartbuster.identity import (
    checked_dataset,
    checked_file,
    code_digest,
    dataset_version,
    normalised,
    run_id,
    upload_id,
)

_RUN: dict[str, Any] = {"version": "v", "configuration": {"seed": 1}, "code": "c", "lock": "l"}


def test_an_upload_is_named_by_its_bytes():
    assert upload_id(b"") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert upload_id(b"a") != upload_id(b"b")


def test_a_dataset_version_ignores_order_and_repeats():
    assert dataset_version(["b", "a", "a"]) == dataset_version(["a", "b"])
    assert dataset_version(["a"]) != dataset_version(["a", "b"])
    assert dataset_version(["ab"]) != dataset_version(["a", "b"])


@pytest.mark.parametrize("part", sorted(_RUN))
def test_a_run_changes_with_each_of_its_parts(part):
    other = {**_RUN, part: {"seed": 2} if part == "configuration" else "other"}

    assert run_id(**other) != run_id(**_RUN)
    assert len(run_id(**_RUN)) == 16


def test_a_run_does_not_depend_on_the_order_of_its_configuration():
    one = run_id(**{**_RUN, "configuration": {"a": 1, "b": 2}})
    two = run_id(**{**_RUN, "configuration": {"b": 2, "a": 1}})

    assert one == two


def test_the_code_digest_covers_every_file_and_no_byte_code(tmp_path, monkeypatch):
    package = tmp_path / "digested"
    (package / "data").mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "data" / "figures.json").write_text("{}")
    monkeypatch.syspath_prepend(tmp_path)
    before = code_digest("digested")

    (package / "__pycache__").mkdir(exist_ok=True)
    (package / "__pycache__" / "x.pyc").write_bytes(b"x")
    assert code_digest("digested") == before

    (package / "data" / "figures.json").write_text("[]")
    assert code_digest("digested") != before


def test_names_are_compared_without_case_width_and_spacing():
    assert normalised("  Beyoncé \n  KNOWLES ") == normalised("beyonce\u0301 knowles")


@pytest.mark.parametrize("name", ["", "Demo", "-demo", "de mo", "a/b", "..", "x" * 64])
def test_an_impossible_dataset_name_is_refused_with_an_example(name):
    with pytest.raises(InvalidName, match="expected 1 to 63 lower-case letters"):
        checked_dataset(name)


@pytest.mark.parametrize("name", ["", "songs", "songs.txt", "a/b.csv", "x\n.csv", ".csv"])
def test_an_impossible_file_name_is_refused_with_an_example(name):
    with pytest.raises(InvalidName, match=r"ending in \.csv or \.csv\.gz"):
        checked_file(name)


@pytest.mark.parametrize("name", ["songs.csv", "SpotifyFeatures (1).CSV.GZ", "été 2019+.csv"])
def test_the_names_people_have_are_taken_as_they_are(name):
    assert checked_file(name) == name
