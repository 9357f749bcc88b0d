"""`make drift`, seen over reports in memory."""

import dataclasses
import io
import json

import pytest
from rich.console import Console

from chartbuster.drift import AttributeDrift, DriftReport, level_of
from chartbuster.errors import InvalidName
from chartbuster.memory import InMemoryStore
from chartbuster.registry import Registry
from scripts.drift import as_json, nothing, reports_of, show


def attribute(name: str, psi: float, kind: str = "number") -> AttributeDrift:
    ks, before, now = (0.5, 120.4, 98.0) if kind == "number" else (None, None, None)
    return AttributeDrift(name, kind, psi, 0.05, ks, before, now, 0.0, 0.125, level_of(psi - 0.05))


def report(dataset: str, psi: float, *, genres: int = 1) -> DriftReport:
    return DriftReport(
        dataset=dataset,
        version="v2",
        champion="run1",
        at="2026-03-01T12:00:00+00:00",
        songs_before=1200,
        songs_now=3400,
        songs_shared=1000,
        popularity=attribute("popularity", 0.1),
        features=(attribute("tempo", psi), attribute("key", 0.01, "word")),
        new_genres={f"Genre {n}": 0.3 - n / 100 for n in range(genres)},
        vanished_genres={},
        level=level_of(psi - 0.05),
        sentence="The songs differ.",
    )


def shown(*reports: DriftReport, terminal: bool = False) -> str:
    out = io.StringIO()
    show(reports, Console(file=out, highlight=False, force_terminal=terminal, width=80))
    return out.getvalue()


@pytest.fixture
def registry() -> Registry:
    registry = Registry(InMemoryStore())
    for found in (report("calm", 0.0), report("wild", 2.0), report("mild", 0.2)):
        registry.record_drift(found)
    return registry


def test_the_most_drifted_dataset_comes_first(registry: Registry):
    assert [found.dataset for found in reports_of(registry, None)] == ["wild", "mild", "calm"]


def test_one_dataset_can_be_asked_for(registry: Registry):
    assert [found.dataset for found in reports_of(registry, "mild")] == ["mild"]
    assert reports_of(registry, "none") == ()
    with pytest.raises(InvalidName):
        reports_of(registry, "../runs")


def test_the_table_has_the_most_drifted_attribute_first_and_fits_a_terminal():
    text = shown(report("wild", 2.0))
    lines = text.splitlines()
    rows = [line.split()[0] for line in lines if " 0.050 " in line]
    assert rows == ["tempo", "popularity", "key"]
    (tempo,) = (" ".join(line.split()) for line in lines if "tempo" in line)
    assert tempo == "tempo much 2.000 0.050 0.500 120 → 98 0.0% → 12.5%"
    assert "3,400 songs, 1,000 of them among the 1,200 of the champion's run run1" in text
    assert "new genres: Genre 0 (30.0%)" in text
    assert "vanished" not in text
    assert "…" not in text


def test_many_genres_are_cut_short():
    assert "Genre 7 (23.0%) and 3 more\n" in shown(report("wild", 2.0, genres=11))


def test_colour_is_for_terminals_only():
    assert "\x1b[" not in shown(report("wild", 2.0))
    assert "\x1b[" in shown(report("wild", 2.0), terminal=True)


def test_json_holds_every_field():
    (found,) = json.loads(as_json([report("wild", 2.0)]))
    assert set(found) == {field.name for field in dataclasses.fields(DriftReport)}
    assert found["features"][0]["psi"] == 2.0
    assert json.loads(as_json([])) == []


def test_without_a_report_it_says_how_to_get_one():
    assert "No dataset has a drift report yet." in nothing(None)
    assert "'mine' has no drift report yet" in nothing("mine")
