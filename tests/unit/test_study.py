"""One question to a model tells everything about one song, and its parts agree with each other."""

import dataclasses
from collections.abc import Mapping
from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chartbuster.errors import InvalidSong
from chartbuster.explanations import ATTRIBUTES, Curve, Explanation
from chartbuster.learn import stored
from chartbuster.learn.artists import ByArtist
from chartbuster.learn.dataset import inputs_of, matrix, merged, model_columns
from chartbuster.learn.explain import explained
from chartbuster.learn.ground import Ground
from chartbuster.learn.models import pipeline
from chartbuster.learn.predictor import Predictor
from chartbuster.learn.recipes import Boosting
from chartbuster.learn.study import CHANGEABLE, REACH, WORTH, study
from chartbuster.memory import InMemoryStore
from chartbuster.registry import Registry
from chartbuster.scoring import completed, song_table
from chartbuster.songs import ATTRIBUTE, AUDIO, KEYS, MODES
from chartbuster.study import Advice, Change, Study
from tests.unit.made_up_songs import ready_songs
from tests.unit.webapp_store import published

SONG: dict[str, Any] = {"genre": "Pop", "energy": 0.31, "key": "G", "title": "Song (Live)"}


@cache
def run() -> Predictor:
    store = InMemoryStore()
    published(store)
    return Predictor.load(Registry(store), "run1")


@cache
def run_that_knows_artists() -> Predictor:
    songs = merged([ready_songs(300)])
    columns = model_columns(songs)
    fitted = ByArtist(
        *(
            pipeline(Boosting(trees=10, leaf=5), columns, seed=1, history=history)
            for history in (False, True)
        )
    ).fit(matrix(songs, columns), songs["popularity"].to_numpy(dtype=float))
    manifest = dataclasses.replace(run().manifest, columns=columns, inputs=inputs_of(songs))
    return Predictor(manifest, lambda _name: stored.dump(fitted))


def studied(
    song: Mapping[str, Any], model: str = "boosting", predictor: Predictor | None = None
) -> Study:
    predictor = predictor or run()
    outlooks = run().outlooks()
    return study(predictor, model, song, outlooks=outlooks, genre_mean=None)


def predicted(
    *songs: Mapping[str, Any], model: str = "boosting", predictor: Predictor | None = None
) -> list[float]:
    """What the model's own pipeline says, by way of tables."""
    predictor = predictor or run()
    manifest = predictor.manifest
    table = matrix(song_table(songs, manifest.inputs), manifest.columns)
    said: list[float] = np.clip(predictor.model(model).predict(table), 0, 100).tolist()
    return said


@st.composite
def described(draw: st.DrawFn) -> dict[str, Any]:
    """A song as somebody may describe it, with any of its attributes left out."""
    genres = run().manifest.inputs.genres
    song: dict[str, Any] = {
        a.name: draw(st.floats(a.low, a.high)) for a in AUDIO if draw(st.booleans())
    }
    optional = {
        "genre": st.lists(st.sampled_from(genres), max_size=2),
        "key": st.sampled_from(KEYS),
        "mode": st.sampled_from(MODES),
        "release_year": st.integers(1960, 2019),
        "title": st.sampled_from(["Song", "Song (Live)", "Song - Remix"]),
        "artist": st.sampled_from(["Somebody", "Artist 1"]),
    }
    return song | {name: draw(words) for name, words in optional.items() if draw(st.booleans())}


@settings(max_examples=25, deadline=None)
@given(song=described(), model=st.sampled_from(["baseline", "linear", "boosting"]))
def test_all_parts_of_a_study_agree(song: dict[str, Any], model: str) -> None:
    found = studied(song, model)
    used = completed(song, run().manifest.inputs)
    contributions = found.explanation.contributions
    advised = {c.attribute: c.after for c in found.advice.changes} if found.advice else {}
    base, popularity, reached = predicted({}, song, used | advised, model=model)

    assert found.popularity == pytest.approx(popularity, abs=1e-9)
    assert found.explanation.base == pytest.approx(base, abs=1e-9)
    assert {c.attribute for c in contributions} == set(ATTRIBUTES)
    assert sum(c.points for c in contributions) == pytest.approx(
        found.popularity - found.explanation.base, abs=1e-9
    )
    for curve in found.curves:
        own = used[curve.attribute]
        if curve.attribute != "genre" and own is not None:
            assert curve.predictions[curve.values.index(own)] == found.popularity
    if found.advice is not None:
        assert found.advice.prediction == pytest.approx(reached, abs=1e-9)
        assert found.advice.gain == found.advice.prediction - found.popularity >= WORTH


@settings(max_examples=10, deadline=None)
@given(song=described())
def test_every_point_of_a_curve_is_what_the_model_says_of_that_song(song: dict[str, Any]) -> None:
    used = completed(song, run().manifest.inputs)

    curves = studied(song).curves
    middles = [curve.values[len(curve.values) // 2] for curve in curves]
    changed = [used | {c.attribute: v} for c, v in zip(curves, middles, strict=True)]

    assert [c.predictions[len(c.values) // 2] for c in curves] == pytest.approx(
        predicted(*changed), abs=1e-9
    )


def test_there_is_a_curve_for_everything_the_songs_had_and_the_numbers_rise() -> None:
    curves = {curve.attribute: curve for curve in studied(SONG).curves}
    inputs = run().manifest.inputs

    assert set(curves) >= {"genre", *inputs.audio, "key", "mode"}
    assert curves["key"].values == KEYS
    for name in inputs.audio:
        assert list(curves[name].values) == sorted(set(curves[name].values))
    assert 0.31 in curves["energy"].values


def test_a_song_beyond_all_others_is_on_its_curve_too() -> None:
    highest = run().manifest.inputs.audio["tempo"].high
    beyond = ATTRIBUTE["tempo"].high
    assert highest < beyond

    tempo = next(c for c in studied({"tempo": beyond}).curves if c.attribute == "tempo")

    assert tempo.values[-2:] == (highest, beyond)


def test_contributions_are_near_those_of_a_longer_explanation() -> None:
    song = SONG | {"valence": 0.9, "tempo": 180.0, "mode": "Minor"}
    predictor = run()
    (exact,) = explained(
        lambda table: predictor.predict("boosting", table),
        [song],
        predictor.manifest.inputs,
        pairs=400,
    )

    found = {c.attribute: c for c in studied(song).explanation.contributions}

    for expected in exact.contributions:
        contribution = found[expected.attribute]
        assert contribution.points == pytest.approx(expected.points, abs=0.5)
        assert dataclasses.replace(contribution, points=expected.points) == expected


def test_how_sure_a_model_is_comes_with_the_number() -> None:
    sure = studied(SONG).sureness
    outlook = run().outlook("boosting", song_table([SONG], run().manifest.inputs))

    assert sure is not None
    assert (sure.low, sure.high) == (outlook.low[0], outlook.high[0])
    assert (sure.hit, sure.percentile) == (outlook.hit[0], outlook.percentile[0])
    assert sure.interval == 0.9
    assert sure.hit_from == run().outlooks().hit_from


def test_a_run_that_does_not_say_how_sure_it_is_still_says_the_rest() -> None:
    found = study(run(), "boosting", SONG, outlooks=None, genre_mean=12.5)

    assert found.sureness is None
    assert found.genre_mean == 12.5
    assert found.curves == studied(SONG).curves


def test_an_artist_the_model_has_met_counts_and_another_does_not() -> None:
    predictor = run_that_knows_artists()
    song = {"genre": "Pop", "energy": 0.4}

    def of(artist: str) -> tuple[Study, float]:
        found = studied(song | {"artist": artist}, predictor=predictor)
        points = {c.attribute: c.points for c in found.explanation.contributions}
        assert sum(points.values()) == pytest.approx(found.popularity - found.explanation.base)
        assert found.popularity == pytest.approx(
            predicted(song | {"artist": artist}, predictor=predictor)[0]
        )
        return found, points["artist"]

    met, met_points = of("Artist 1")
    new, new_points = of("Nobody at all")

    assert met.sureness is not None
    assert new.sureness is not None
    assert (met.sureness.known, new.sureness.known) == (True, False)
    assert met_points != 0 == new_points


def best_near(found: Study, curve: Curve) -> float:
    """The best prediction of the part of `curve` that advice may reach."""
    own = next(c.value for c in found.explanation.contributions if c.attribute == curve.attribute)
    amounts = [value for value in curve.values if not isinstance(value, str)]
    most = REACH * (max(amounts) - min(amounts)) if amounts else 0.0
    return max(
        prediction
        for value, prediction in zip(curve.values, curve.predictions, strict=True)
        if isinstance(value, str) or isinstance(own, str | None) or abs(value - own) <= most
    )


def test_advice_keeps_to_what_a_musician_can_change() -> None:
    for genre in run().manifest.inputs.genres[:5]:
        advice = studied({"genre": genre}).advice
        if advice is not None:
            assert 1 <= len({c.attribute for c in advice.changes}) == len(advice.changes) <= 2
            assert {c.attribute for c in advice.changes} <= set(CHANGEABLE)


def test_advice_gains_at_least_as_much_as_the_best_single_change() -> None:
    found = studied(SONG)
    best = max(best_near(found, c) for c in found.curves if c.attribute in CHANGEABLE)

    assert found.advice is not None
    assert found.advice.prediction >= best


def test_advice_stays_near_the_song() -> None:
    for genre in run().manifest.inputs.genres:
        advice = studied({"genre": genre}).advice
        for change in advice.changes if advice else ():
            if isinstance(change.before, float) and isinstance(change.after, float):
                seen = run().manifest.inputs.audio[change.attribute]
                assert abs(change.after - change.before) <= REACH * (seen.high - seen.low) + 1e-9


def test_where_attributes_do_not_act_on_each_other_advice_adds_up_the_two_best() -> None:
    found = studied(SONG, "linear")
    best = sorted(
        best_near(found, curve) - found.popularity
        for curve in found.curves
        if curve.attribute in CHANGEABLE
    )

    assert found.advice is not None
    assert len(found.advice.changes) == 2
    assert found.advice.gain == pytest.approx(best[-1] + best[-2])


def test_what_nothing_changes_gets_no_advice() -> None:
    assert studied(SONG, "baseline").advice is None


def test_a_song_that_cannot_be_is_refused() -> None:
    with pytest.raises(InvalidSong, match="energy is 2"):
        studied({"energy": 2})


def test_the_rows_of_a_study_are_those_of_the_model_matrix() -> None:
    manifest = run().manifest
    ground = Ground.of(manifest, points=3)
    songs = [{}, *({name: value} for name, value in ground.changes)]

    expected = matrix(song_table(songs, manifest.inputs), manifest.columns)

    np.testing.assert_array_equal(ground.rows, expected.to_numpy())


def test_a_study_asks_the_model_twice_and_for_no_more_than_some_hundred_rows() -> None:
    predictor, asked = run(), []

    class Counting(Predictor):
        def said(self, model: str, rows: Any) -> Any:
            asked.append(len(rows))
            return predictor.said(model, rows)

    counting = Counting(predictor.manifest, predictor._read)
    full = {a.name: (a.low + a.high) / 2 for a in AUDIO} | SONG

    study(counting, "boosting", full, outlooks=None, genre_mean=None)

    assert len(asked) == 2
    assert asked[0] < 700
    assert asked[1] <= 200


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (Change("energy", 0.5, 0.8), "energy 0.5 → 0.8"),
        (Change("duration_ms", 222_000.0, 130_000.0), "duration 3:42 → 2:10"),
        (Change("time_signature", "4/4", "3/4"), "time signature 4/4 → 3/4"),
        (Change("loudness", -7.0, -3.5), "loudness −7 dB → −3.5 dB"),
        (Change("key", None, "G"), "key G"),
    ],
)
def test_a_change_is_told_in_words(change: Change, words: str) -> None:
    assert change.words == words


def test_the_popularity_of_a_study_is_what_is_explained() -> None:
    advice = Advice((Change("key", "C", "G"),), prediction=42.5, gain=1.5)

    found = Study(None, None, Explanation(30.0, 41.0, ()), (Curve("key", ("C",), (41.0,)),), advice)

    assert found.popularity == 41.0
