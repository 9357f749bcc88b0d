"""What a model says is explained by attributes: additive, fair, and asked in one call."""

import itertools
import math
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from chartbuster.errors import InvalidSong, WrongSchema
from chartbuster.explanations import ATTRIBUTES, Explanation, grids
from chartbuster.features import FEATURES, LOGARITHMS
from chartbuster.learn.dataset import inputs_of, matrix, model_columns
from chartbuster.learn.evaluate import clipped
from chartbuster.learn.explain import (
    ATTRIBUTE_OF,
    Predict,
    contributions,
    dependence,
    explained,
    importances,
    what_if,
)
from chartbuster.learn.models import pipeline
from chartbuster.learn.recipes import Boosting, Linear
from chartbuster.runs import AttributeRange, Inputs
from chartbuster.scoring import song_table
from chartbuster.songs import AUDIO
from tests.unit.made_up_songs import ready_songs

type Numbers = NDArray[np.float64]

INPUTS = Inputs(
    audio={a.name: AttributeRange(a.low, a.high, (a.low + a.high) / 2) for a in AUDIO},
    release_year=AttributeRange(1960.0, 2019.0, 2005.0),
    key="C",
    mode="Major",
    time_signature="4/4",
    genres=("Folk", "Pop", "Rock"),
    genre_defaults={},
)
SONG: dict[str, Any] = {
    "genre": "Pop",
    "energy": 0.9,
    "valence": 0.1,
    "danceability": 0.8,
    "liveness": 0.2,
    "speechiness": 0.95,
    "loudness": -5.0,
    "mode": "Minor",
    "title": "Song (Remix)",
    "artist": "Somebody",
}


class Asked:
    """A model that remembers the tables it was asked about."""

    def __init__(self, says: Callable[[pd.DataFrame], Any]) -> None:
        self._says = says
        self.tables: list[pd.DataFrame] = []

    def __call__(self, table: pd.DataFrame) -> Numbers:
        self.tables.append(table)
        return np.asarray(self._says(table), dtype=np.float64)


def additive(table: pd.DataFrame) -> Any:
    known = table["artist"].notna()
    return (
        30
        + 10 * table["energy"] ** 2
        + table["log_loudness"]
        + table["loudness"] / 10
        + 7 * table["genre=Pop"]
        - 3 * table["mode=Minor"]
        - 2 * table["title_remix"]
        + 4 * known
    )


def tangled(table: pd.DataFrame) -> Any:
    """Every attribute acts on every other, and the ends are cut off."""
    together = (
        table["energy"] * (1 - table["valence"]) * table["danceability"] * (1 + table["liveness"])
    )
    factor = (1 + table["genre=Pop"]) * (1 + table["speechiness"]) * (1 + table["mode=Minor"])
    return np.clip(10 + 12 * together * factor, 0, 60)


def one(predict: Predict, song: dict[str, Any], inputs: Inputs = INPUTS, **how: int) -> Explanation:
    (explanation,) = explained(predict, [song], inputs, **how)
    return explanation


def points(explanation: Explanation) -> dict[str, float]:
    return {c.attribute: c.points for c in explanation.contributions}


def by_enumeration(predict: Predict, song: dict[str, Any]) -> dict[str, float]:
    """Shapley values by their definition, every coalition described as a person would."""
    names = list(song)
    subsets = [s for n in range(len(names) + 1) for s in itertools.combinations(names, n)]
    table = song_table([{name: song[name] for name in subset} for subset in subsets], INPUTS)
    worth = dict(zip(map(frozenset, subsets), predict(table).tolist(), strict=True))
    count = len(names)

    values = dict.fromkeys(names, 0.0)
    for without, name in itertools.product(worth, names):
        if name not in without:
            orders = math.factorial(len(without)) * math.factorial(count - len(without) - 1)
            gain = worth[without | {name}] - worth[without]
            values[name] += gain * orders / math.factorial(count)
    return values


@st.composite
def described(draw: st.DrawFn) -> dict[str, Any]:
    """A song as somebody may describe it, with any of its attributes left out."""
    song: dict[str, Any] = {
        a.name: draw(st.floats(a.low, a.high)) for a in AUDIO if draw(st.booleans())
    }
    optional = {
        "genre": st.sampled_from([["Pop"], ["Folk", "Rock"], []]),
        "mode": st.sampled_from(["Minor", "Major"]),
        "release_year": st.integers(1960, 2019),
        "title": st.sampled_from(["Song", "Song (Live)", "Song - Remix"]),
        "artist": st.sampled_from(["Somebody", "Nobody"]),
    }
    return song | {name: draw(words) for name, words in optional.items() if draw(st.booleans())}


def test_every_column_of_a_ready_table_belongs_to_an_attribute_or_to_none_by_name() -> None:
    rest = {name for name in FEATURES if name not in ATTRIBUTE_OF}

    assert rest == {"song_id", "row_genres", "popularity", "schema_version"}
    assert set(ATTRIBUTE_OF.values()) | {"genre"} == set(ATTRIBUTES)


@settings(max_examples=30, deadline=None)
@given(song=described(), seed=st.integers(0, 5))
def test_contributions_add_up_to_the_prediction_less_the_typical_songs(
    song: dict[str, Any], seed: int
) -> None:
    told = one(tangled, song, seed=seed, pairs=3)
    predicted = tangled(song_table([{}, song], INPUTS))

    assert told.base == pytest.approx(predicted[0], abs=1e-9)
    assert told.prediction == pytest.approx(predicted[1], abs=1e-9)
    assert sum(points(told).values()) == pytest.approx(told.prediction - told.base, abs=1e-9)


def test_an_additive_model_gives_each_attribute_its_own_term_derived_columns_included() -> None:
    found = points(one(additive, SONG, pairs=1))

    middle = (-60 + 5) / 2
    logarithms = math.log(195) - math.log(middle + 200)
    assert found["energy"] == pytest.approx(10 * (0.81 - 0.25))
    assert found["loudness"] == pytest.approx(logarithms + (-5 - middle) / 10, abs=1e-5)
    assert found["genre"] == pytest.approx(7)
    assert found["mode"] == pytest.approx(-3)
    assert found["title"] == pytest.approx(-2)
    assert found["artist"] == pytest.approx(4)


def test_two_attributes_that_act_on_each_other_share_what_they_make_whatever_is_drawn() -> None:
    def pairwise(table: pd.DataFrame) -> Any:
        return 50 * table["energy"] * table["valence"] + 9 * table["genre=Pop"] * table["liveness"]

    exact = by_enumeration(Asked(pairwise), SONG)

    assert points(one(pairwise, SONG, pairs=1)) == pytest.approx(
        {name: exact.get(name, 0.0) for name in ATTRIBUTES}
    )


def test_where_all_act_on_all_the_values_are_near_those_of_full_enumeration() -> None:
    exact = by_enumeration(Asked(tangled), SONG)
    found = points(one(tangled, SONG))
    nearer = points(one(tangled, SONG, pairs=4_000))

    def worst(values: dict[str, float]) -> float:
        return max(abs(values[name] - exact[name]) for name in SONG)

    assert max(map(abs, exact.values())) > 5
    assert worst(found) < 0.6
    assert worst(nearer) < 0.1


def test_up_to_four_attributes_are_exact_whatever_the_model() -> None:
    song = {name: SONG[name] for name in ("genre", "energy", "valence", "danceability")}
    exact = by_enumeration(Asked(tangled), song)
    found = points(one(tangled, song))

    assert {name: found[name] for name in song} == pytest.approx(exact)


@settings(max_examples=25, deadline=None)
@given(value=st.floats(0, 1), other=st.floats(0, 1), power=st.integers(1, 5))
def test_attributes_that_play_the_same_part_contribute_the_same(
    value: float, other: float, power: int
) -> None:
    def symmetric(table: pd.DataFrame) -> Any:
        return np.clip((table["energy"] + table["valence"] + table["liveness"]) ** power, 0, 5)

    found = points(one(symmetric, {"energy": value, "valence": value, "liveness": other}))

    assert found["energy"] == pytest.approx(found["valence"], abs=1e-9)


@settings(max_examples=25, deadline=None)
@given(song=described())
def test_what_the_model_does_not_look_at_contributes_nothing(song: dict[str, Any]) -> None:
    found = points(one(tangled, song, pairs=3))

    for name in ("tempo", "duration_ms", "key", "release_year", "title", "artist"):
        assert found[name] == 0


def test_what_the_song_shares_with_the_typical_one_contributes_nothing() -> None:
    told = one(tangled, {"energy": 0.5, "key": "C", "title": "No flag here"})

    assert told.prediction == told.base
    assert not any(points(told).values())


def test_any_number_of_songs_is_explained_in_one_call_and_each_as_if_it_were_alone() -> None:
    asked = Asked(tangled)
    other = {"energy": 0.2, "artist": "Else"}

    together = explained(asked, [SONG, other, {}], INPUTS)

    assert len(asked.tables) == 1
    assert together == (one(tangled, SONG), one(tangled, other), one(tangled, {}))
    assert explained(asked, [], INPUTS) == ()


def test_equal_seeds_give_equal_explanations_and_others_do_not() -> None:
    assert one(tangled, SONG, seed=3) == one(tangled, SONG, seed=3)
    assert one(tangled, SONG, seed=3) != one(tangled, SONG, seed=4)


def test_the_model_is_asked_with_ready_tables_whose_derived_columns_fit() -> None:
    asked = Asked(tangled)
    one(asked, SONG)
    what_if(asked, SONG, INPUTS, grids(INPUTS, points=3))
    songs = ready_songs(30)
    dependence(Asked(lambda t: t["energy"]), songs, inputs_of(songs))
    importances(asked, songs.assign(**{"genre=Rock": 0}), repeats=1, most=20)

    assert len(asked.tables) > 3
    for table in asked.tables:
        assert tuple(table.columns[: len(FEATURES)]) == FEATURES
        assert all(name.startswith("genre=") for name in table.columns[len(FEATURES) :])
        assert table["popularity"].isna().all()
        assert list(table.index) == list(range(len(table)))
        for name in LOGARITHMS:
            assert np.allclose(table[f"log_{name}"], np.log(table[name] + 200), atol=1e-5)


def test_contributions_carry_the_values_and_say_which_of_them_were_assumed() -> None:
    inputs = Inputs(**{**INPUTS.__dict__, "genre_defaults": {"Pop": {"energy": 0.7, "key": "G"}}})
    told = one(additive, {"genre": "Pop", "valence": 0.1, "title": "A (Live) - Remix"}, inputs)
    by_name = {c.attribute: c for c in told.contributions}

    assert [abs(c.points) for c in told.contributions] == sorted(
        (abs(c.points) for c in told.contributions), reverse=True
    )
    assert set(by_name) == set(ATTRIBUTES)
    energy, title, artist = by_name["energy"], by_name["title"], by_name["artist"]
    assert (energy.value, energy.typical, energy.assumed) == (0.7, 0.5, True)
    assert (by_name["key"].value, by_name["key"].typical) == ("G", "C")
    assert (by_name["genre"].value, by_name["genre"].typical) == ("Pop", None)
    assert not by_name["valence"].assumed
    assert (title.value, title.assumed) == ("remix, live", False)
    assert (artist.value, artist.assumed) == (None, False)


def test_a_genre_the_run_never_met_is_refused_as_in_scoring() -> None:
    with pytest.raises(InvalidSong, match="unknown genre 'Gabber'; expected one of Folk"):
        explained(tangled, [{"genre": "Gabber"}], INPUTS)


def test_a_genre_column_the_typical_song_lacks_counts_as_absent_there() -> None:
    (typical,) = (song_table([{}], INPUTS),)
    songs = song_table([{"genre": "Pop"}], INPUTS).assign(**{"genre=Gabber": 1})

    found = contributions(
        lambda table: 5 * table["genre=Gabber"].to_numpy() + tangled(table), songs, typical
    )

    assert found.points[0, ATTRIBUTES.index("genre")] == pytest.approx(
        found.predictions[0] - found.base
    )


def test_a_column_that_is_no_part_of_a_ready_table_is_refused() -> None:
    songs = ready_songs(20).assign(fold=1)

    with pytest.raises(WrongSchema, match=r"\['fold'\]; expected those of a ready table"):
        importances(Asked(lambda t: t["energy"]), songs)


def test_missing_values_move_the_prediction_where_the_model_says_so() -> None:
    def forgiving(table: pd.DataFrame) -> Any:
        return table["energy"].fillna(2.0) + table["tempo"].fillna(0.0)

    typical = song_table([{}], INPUTS).assign(tempo=np.nan, log_tempo=np.nan)
    songs = typical.assign(energy=np.nan)
    found = contributions(forgiving, songs, typical)

    assert found.points[0, ATTRIBUTES.index("energy")] == pytest.approx(1.5)
    assert found.points[0, ATTRIBUTES.index("tempo")] == 0


def test_what_the_data_never_had_is_none_and_contributes_nothing() -> None:
    bare = Inputs({}, None, None, None, None, (), {})
    asked = Asked(lambda table: np.full(len(table), 40.0))
    told = one(asked, {"energy": 0.3}, bare)

    assert {c.attribute: c.typical for c in told.contributions}["energy"] is None
    assert (told.base, told.prediction) == (40.0, 40.0)
    assert not any(points(told).values())
    # The typical song, and this one without and with its energy: nothing is asked of the rest.
    assert len(asked.tables[0]) == 3


def test_curves_for_all_sliders_take_one_call_and_pass_through_the_prediction() -> None:
    asked = Asked(tangled)
    wanted = {**grids(INPUTS), "energy": (0.0, 0.9, 1.0), "genre": ("Folk", "Pop")}

    curves = {curve.attribute: curve for curve in what_if(asked, SONG, INPUTS, wanted)}

    assert len(asked.tables) == 1
    assert set(curves) == set(wanted)
    assert curves["energy"].values == (0.0, 0.9, 1.0)
    prediction = one(tangled, SONG).prediction
    assert curves["energy"].predictions[1] == pytest.approx(prediction)
    assert curves["genre"].predictions[1] == pytest.approx(prediction)
    assert curves["energy"].predictions[0] < prediction


def test_another_genre_leaves_what_the_songs_own_genre_made_us_assume() -> None:
    defaults = {"Pop": {"energy": 0.7}, "Folk": {"energy": 0.1}}
    inputs = Inputs(**{**INPUTS.__dict__, "genre_defaults": defaults})

    (curve,) = what_if(
        lambda table: table["energy"].to_numpy(), {"genre": "Pop"}, inputs, {"genre": ["Folk"]}
    )

    assert curve.predictions == (0.7,)


def test_a_value_out_of_range_is_refused_in_a_curve() -> None:
    with pytest.raises(InvalidSong, match="out of range"):
        what_if(tangled, SONG, INPUTS, {"energy": [1.5]})


@cache
def made_up() -> tuple[pd.DataFrame, Inputs]:
    songs = ready_songs(400)
    return songs, inputs_of(songs)


@cache
def fitted(recipe: Boosting | Linear) -> Predict:
    songs, _ = made_up()
    columns = model_columns(songs)
    model = pipeline(recipe, columns, seed=7)
    model.fit(matrix(songs, columns), songs["popularity"].to_numpy())
    return lambda table: clipped(model.predict(matrix(table, columns)))


RECIPES = [Boosting(trees=60, leaf=10), Linear()]


@pytest.mark.parametrize("recipe", RECIPES)
def test_fitted_models_are_explained_by_what_their_songs_were_made_of(
    recipe: Boosting | Linear,
) -> None:
    _, inputs = made_up()
    told = one(fitted(recipe), {"genre": "Pop", "energy": 0.95}, inputs)

    assert {c.attribute for c in told.contributions[:2]} == {"genre", "energy"}
    assert all(c.points > 3 for c in told.contributions[:2])
    assert sum(points(told).values()) == pytest.approx(told.prediction - told.base)


@pytest.mark.parametrize("recipe", RECIPES)
def test_importances_find_what_the_popularity_follows_from(recipe: Boosting | Linear) -> None:
    held_out = ready_songs(300, seed=2, first=1000)
    found = importances(fitted(recipe), held_out)

    assert [i.attribute for i in found[:2]] == ["genre", "energy"]
    assert {i.attribute for i in found} == set(ATTRIBUTES)
    assert found[1].rise > 3 > 1 > max(abs(i.rise) for i in found[2:])
    assert found[0].spread > 0
    # Every song of this table is in 4/4.
    assert [(i.rise, i.spread) for i in found if i.attribute == "time_signature"] == [(0, 0)]


def test_importances_are_the_rise_of_the_error_over_as_many_songs_as_are_wanted() -> None:
    songs = ready_songs(200)
    songs["popularity"] = songs["energy"]
    asked = Asked(lambda table: table["energy"])

    found = importances(asked, songs, seed=4, most=50)

    assert {len(table) for table in asked.tables} == {50}
    rises = {i.attribute: i.rise for i in found}
    # Two numbers drawn evenly from 0 to 1 are a third apart on average.
    assert rises.pop("energy") == pytest.approx(1 / 3, abs=0.1)
    assert set(rises.values()) == {0}
    assert found == importances(asked, songs, seed=4, most=50)
    assert found != importances(asked, songs, seed=5, most=50)


def test_dependence_is_the_mean_over_songs_that_keep_everything_else() -> None:
    songs, inputs = made_up()
    model = Asked(lambda t: 40 * t["energy"] * t["valence"] + 5 * t["genre=Pop"] + t["log_tempo"])
    curves = {c.attribute: c for c in dependence(model, songs, inputs, most=10_000, points=7)}

    for name in ("energy", "tempo"):
        expected = []
        for value in curves[name].values:
            changed = songs.copy()
            changed[name] = value
            if name in LOGARITHMS:
                changed[f"log_{name}"] = np.log(float(value) + 200)
            expected.append(model(changed).mean())
        assert curves[name].predictions == pytest.approx(expected, abs=1e-5)
    folk, pop = curves["genre"].predictions
    assert curves["genre"].values == ("Folk", "Pop")
    assert pop - folk == pytest.approx(5)


def test_dependence_has_no_curve_for_what_is_the_same_in_all_songs_or_missing() -> None:
    songs, inputs = made_up()
    songs = songs.assign(liveness=0.3, valence=np.nan)
    names = [c.attribute for c in dependence(Asked(lambda t: t["energy"]), songs, inputs)]

    assert not {"liveness", "valence", "time_signature", "title", "artist"} & set(names)
    assert {"genre", "energy", "key", "mode", "release_year"} <= set(names)


def test_dependence_draws_the_same_few_songs_for_the_same_seed() -> None:
    songs, inputs = made_up()
    asked = Asked(lambda t: t["energy"])

    first = dependence(asked, songs, inputs, seed=1, most=20)

    assert max(len(table) for table in asked.tables) <= 20 * 20
    assert first == dependence(asked, songs, inputs, seed=1, most=20)
    assert first != dependence(asked, songs, inputs, seed=2, most=20)
