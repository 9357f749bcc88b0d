"""The songs that stand side by side: which there are, and how one is changed, added or removed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from chartbuster.registry import RunManifest
from webapp import links
from webapp.links import Asked, Comparison, Read
from webapp.predict import form
from webapp.predict.naming import label
from webapp.states import Shown

FEWEST, MOST = 2, links.MOST_VARIANTS

LETTERS = "ABCDEF"
"""What the variants go by, in their order."""

GENRE, MODEL = form.GENRE, "model"

LONGEST_NAME = 40

_VARIED_AT_FIRST = 4
_EXAMPLE = "energy"


@dataclass(frozen=True)
class Variant:
    """One of the songs. `number` tells it from the others for as long as the visit lasts."""

    number: int
    asked: Asked

    @property
    def song(self) -> Mapping[str, Any]:
        """What was set; everything else is what is usual for its genre."""
        return self.asked.song


@dataclass(frozen=True)
class Lineup:
    """The variants, all asked of one run; the first is what the others are compared with.

    `varied` names what every variant has a control for: attributes, `genre`, `model`.
    """

    dataset: str
    run_id: str
    variants: tuple[Variant, ...]
    varied: tuple[str, ...]

    @property
    def comparison(self) -> Comparison:
        """The whole of it, for a link."""
        return Comparison(self.dataset, self.run_id, tuple(one.asked for one in self.variants))

    def changed(self, number: int, asked: Asked) -> "Lineup":
        """With the variant `number` as `asked` says."""
        variants = tuple(
            replace(one, asked=asked) if one.number == number else one for one in self.variants
        )
        return replace(self, variants=variants)

    def set(self, number: int, name: str, value: Any) -> "Lineup":
        """With the attribute (or `model`) of the variant `number` set to `value`."""
        asked = self.of(number).asked
        if name == MODEL:
            return self.changed(number, replace(asked, model=value))
        return self.changed(number, replace(asked, song={**asked.song, name: value}))

    def named(self, number: int, name: str | None) -> "Lineup":
        """With the variant `number` called `name`; None for what tells it from the first."""
        return self.changed(number, replace(self.of(number).asked, name=name))

    def varying(self, names: Sequence[str]) -> "Lineup":
        """With a control in every variant for each of `names`."""
        return replace(self, varied=tuple(names))

    def copied(self, number: int) -> "Lineup":
        """With a copy of the variant `number` at the end; without, once there are `MOST`."""
        return self.with_one(replace(self.of(number).asked, name=None))

    def with_one(self, asked: Asked) -> "Lineup":
        """With one more variant at the end; unchanged, once there are `MOST`."""
        if len(self.variants) >= MOST:
            return self
        number = 1 + max(one.number for one in self.variants)
        return replace(self, variants=(*self.variants, Variant(number, asked)))

    def without(self, number: int) -> "Lineup":
        """Without the variant `number`; unchanged, when only `FEWEST` are left."""
        if len(self.variants) <= FEWEST:
            return self
        return replace(self, variants=tuple(one for one in self.variants if one.number != number))

    def of(self, number: int) -> Variant:
        """The variant `number`; raises `KeyError` when there is none."""
        for one in self.variants:
            if one.number == number:
                return one
        raise KeyError(f"no variant {number}; expected one of {[v.number for v in self.variants]}")


def opened(compared: Comparison, shown: Shown) -> Read[Lineup]:
    """What a link compares, as far as the run of `shown` knows it.

    One song gets a copy beside it that can be changed; without any, there is an example.
    """
    run, left_out = shown.run, list[str]()
    asked = []
    for one in compared.variants[:MOST]:
        found = links.fitting(one, run)
        left_out += found.left_out
        asked.append(replace(found.value, model=found.value.model or usual_model(shown)))
    if not asked:
        asked = _example(shown)
    if len(asked) < FEWEST:
        asked.append(replace(asked[0], name=None))
    variants = tuple(Variant(number, one) for number, one in enumerate(asked, start=1))
    lineup = Lineup(shown.dataset, run.run_id, variants, varied=())
    return Read(replace(lineup, varied=_varied_at_first(lineup, run)), tuple(left_out))


def usual_model(shown: Shown) -> str:
    """The champion, or the best of a run that has none."""
    crowned = shown.champion.is_model(shown.run.run_id, shown.champion.model)
    return shown.champion.model if crowned else shown.run.best


def variable(run: RunManifest) -> dict[str, str]:
    """Everything that can be varied between songs asked of `run`, by name, with its label."""
    names = [GENRE] if run.inputs.genres else []
    names += [control.name for control in controls(run)]
    names += [name for name in form.TEXTS if asks_for(run, name)]
    return {name: label(name) for name in [*names, MODEL]}


def controls(run: RunManifest) -> tuple[form.Control, ...]:
    """The controls of the run's attributes, in their order."""
    return tuple(control for group in form.groups(run.inputs) for control in group.controls)


def asks_for(run: RunManifest, text: str) -> bool:
    """Whether it matters to the run's models what the title or artist is."""
    return form.asks_for_title(run) if text == "title" else form.asks_for_artist(run)


def genres_of(run: RunManifest, song: Mapping[str, Any]) -> list[str]:
    """The genres of a song; the one the app starts with where it does not say."""
    if GENRE in song:
        return list(song[GENRE])
    first = form.first_genre(run.inputs)
    return [first] if first else []


def whole(run: RunManifest, song: Mapping[str, Any]) -> dict[str, Any]:
    """The song with everything a model is asked: as set, else as usual for its first genre."""
    genres = genres_of(run, song)
    first = genres[0] if genres else None
    said: dict[str, Any] = {GENRE: genres} if genres else {}
    for control in controls(run):
        said[control.name] = value_of(run, song, first, control)
    return said | {
        name: song[name] for name in form.TEXTS if asks_for(run, name) and song.get(name)
    }


def value_of(
    run: RunManifest, song: Mapping[str, Any], genre: str | None, control: form.Control
) -> Any:
    """What `control` shows for the song: as set, as near as it can, else as usual for `genre`."""
    value = song.get(control.name)
    return form.start(run.inputs, genre, control) if value is None else control.fitted(value)


def _example(shown: Shown) -> list[Asked]:
    """The usual song, and the same with much more, or less, of one attribute."""
    usual = Asked(model=usual_model(shown))
    sliders = [one for one in controls(shown.run) if isinstance(one, form.Slider)]
    if not sliders:
        return [usual]
    slider = next((one for one in sliders if one.name == _EXAMPLE), sliders[0])
    genres = genres_of(shown.run, {})
    now = form.start(shown.run.inputs, genres[0] if genres else None, slider)
    middle = (slider.low + slider.high) / 2
    far = slider.low + (0.9 if now < middle else 0.2) * (slider.high - slider.low)
    return [usual, replace(usual, song={slider.name: slider.fitted(far)})]


def _varied_at_first(lineup: Lineup, run: RunManifest) -> tuple[str, ...]:
    """What was set differently; the example's attribute where that is nothing or very much."""
    names = variable(run)
    found = [
        name
        for name in names
        if any(_set(one, name) != _set(lineup.variants[0], name) for one in lineup.variants[1:])
    ]
    if 0 < len(found) <= _VARIED_AT_FIRST:
        return tuple(found)
    return () if found else tuple(name for name in names if name == _EXAMPLE)


def _set(variant: Variant, name: str) -> Any:
    return variant.asked.model if name == MODEL else variant.song.get(name)
