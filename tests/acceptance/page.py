"""The page Predict as a visitor uses it, and what the champion it shows would say."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from playwright.sync_api import Page, expect
from playwright.sync_api import TimeoutError as NotSeen

from chartbuster.learn.predictor import Predictor
from chartbuster.runs import RunManifest
from chartbuster.scoring import song_table
from tests.acceptance.stack import Stack
from webapp.predict import form

_SEEN = 30_000


@dataclass(frozen=True)
class Oracle:
    """The champion of a dataset, read from the store as nothing of the app reads it."""

    predictor: Predictor
    model: str

    @classmethod
    def of(cls, stack: Stack, dataset: str) -> "Oracle":
        champion = stack.registry.champion(dataset)
        assert champion is not None
        return cls(Predictor.load(stack.registry, champion.run_id), champion.model)

    def popularity(self, **song: Any) -> float:
        """Of the song the page starts with, with what `song` says instead."""
        run = self.predictor.manifest
        table = song_table([{**start(run), **song}], run.inputs)
        return float(self.predictor.predict(self.model, table)[0])

    def highest(self, attribute: str) -> float:
        """Where the slider of `attribute` ends."""
        sliders = [each for each in _controls(self.predictor.manifest) if each.name == attribute]
        (slider,) = sliders
        assert isinstance(slider, form.Slider)
        return slider.high


def start(run: RunManifest) -> Mapping[str, Any]:
    """The song the page shows before anybody touched a control."""
    genre = form.first_genre(run.inputs)
    controls = {each.name: form.start(run.inputs, genre, each) for each in _controls(run)}
    return {"genre": genre, **controls}


def _controls(run: RunManifest) -> list[form.Control]:
    return [control for group in form.groups(run.inputs) for control in group.controls]


def choose(page: Page, dataset: str) -> None:
    """Choose a dataset on the page, which learns of a new one within seconds."""
    box = page.get_by_role("combobox", name="Dataset")
    option = page.get_by_role("option", name=dataset, exact=True)
    for _ in range(10):
        box.fill(dataset, timeout=_SEEN)
        try:
            option.click(timeout=3_000)
        except NotSeen:
            box.press("Escape")
            continue
        return
    raise AssertionError(f"the page does not offer the dataset {dataset}")


def expect_number(page: Page, popularity: float) -> None:
    """Wait until the page shows this predicted popularity, to the digit."""
    shown = page.get_by_role("status").filter(has_text="of 100")
    expect(shown).to_have_text(f"{popularity:.1f} of 100", timeout=_SEEN)


def expect_run(page: Page, run_id: str) -> None:
    """Wait until the page says that its models are those of this run, without loading it again."""
    # By its capital, because the note of a new champion names the run too, and goes away.
    expect(page.get_by_text(re.compile(f"Run {run_id}"))).to_be_visible(timeout=_SEEN)
