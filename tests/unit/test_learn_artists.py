"""An artist's record counts for those who have one, and a song's own popularity never does."""

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression

from chartbuster.learn import stored
from chartbuster.learn.artists import ArtistHistory, ByArtist, artist_codes, knows
from chartbuster.learn.blend import Blend
from chartbuster.learn.bootstrap import Numbers
from chartbuster.learn.dataset import matrix, merged, model_columns
from chartbuster.learn.models import pipeline
from chartbuster.learn.recipes import Boosting, Linear
from tests.unit.made_up_songs import ready_songs

ARTIST_1 = 117308664387166.0
DRAW = np.random.default_rng(3)
ARTISTS = np.repeat(np.arange(100.0), 20)
FAME = DRAW.uniform(20, 80, 100)
POPULARITY = FAME[ARTISTS.astype(int)] + DRAW.normal(0, 5, 2_000)


def test_an_artist_has_one_code_however_spelt_and_nobody_has_none() -> None:
    codes = artist_codes(
        pd.Series(["Nina  Simone", "nina simone; Somebody", "Nina", None, " "], dtype="str")
    )

    assert codes[0] == codes[1] != codes[2]
    assert np.isnan(codes[3:]).all()
    # Known by heart: stored models hold these numbers.
    assert artist_codes(pd.Series(["Artist 1"])).tolist() == [ARTIST_1]
    assert ARTIST_1 == int(ARTIST_1) < 2**48


def test_history_says_the_mean_of_an_artists_songs_and_how_many_there_are() -> None:
    history = ArtistHistory().fit(ARTISTS[:, None], POPULARITY)

    said = history.transform([[4.0], [12345.0], [np.nan]])

    assert said[0, 0] == pytest.approx(FAME[4], abs=3)
    assert said[0, 1] == pytest.approx(np.log(21))
    assert said[1:, 0] == pytest.approx([POPULARITY.mean()] * 2)
    assert said[1:, 1].tolist() == [0, 0]
    assert history.known(np.array([4.0, 12345.0, np.nan])).tolist() == [True, False, False]


def test_a_song_does_not_find_its_own_popularity_in_its_artists_mean() -> None:
    noise = DRAW.normal(50, 20, 2_000)
    pairs = np.repeat(np.arange(1_000.0), 2)

    seen = ArtistHistory().fit_transform(pairs[:, None], noise)[:, 0]

    # Were a song's own popularity in it, noise would seem to be explained by half.
    assert abs(np.corrcoef(seen, noise)[0, 1]) < 0.1
    leaking = ArtistHistory().fit(pairs[:, None], noise).transform(pairs[:, None])[:, 0]
    assert np.corrcoef(leaking, noise)[0, 1] > 0.5


def test_an_artist_with_one_song_has_no_history_when_fitting() -> None:
    artists = np.append(ARTISTS, 777.0)

    seen = ArtistHistory().fit_transform(artists[:, None], np.append(POPULARITY, 99.0))

    assert seen[-1, 1] == 0
    assert seen[-1, 0] == pytest.approx(POPULARITY.mean(), abs=2)


def test_songs_of_nobody_can_be_learnt_from() -> None:
    nobody = np.full((50, 1), np.nan)

    history = ArtistHistory().fit(nobody, POPULARITY[:50])

    assert history.known(np.array([1.0, np.nan])).tolist() == [False, False]
    assert history.transform(nobody)[:, 0] == pytest.approx([POPULARITY[:50].mean()] * 50)


def both_parts() -> tuple[ByArtist, pd.DataFrame, Numbers]:
    songs = merged([ready_songs(300)])
    columns = model_columns(songs)
    features, popularity = matrix(songs, columns), songs["popularity"].to_numpy(dtype=float)
    model = ByArtist(
        pipeline(Linear(), columns, seed=1),
        Blend(
            [
                pipeline(Linear(), columns, seed=1, history=True),
                pipeline(Boosting(trees=5), columns, seed=1, history=True),
            ]
        ),
    )
    return model.fit(features.iloc[:200], popularity[:200]), features, popularity


def test_known_artists_go_to_the_model_that_knows_them_and_others_to_the_other() -> None:
    model, features, _ = both_parts()
    features.loc[features.index[-3:], "artist"] = [1.5, np.nan, 2.5]

    said = model.predict(features)

    assert model.knows(features).tolist() == [True] * 297 + [False] * 3
    np.testing.assert_array_equal(said[:297], model.known.predict(features.iloc[:297]))
    np.testing.assert_array_equal(said[-3:], model.debut.predict(features.iloc[-3:]))
    assert not knows(model.debut, features["artist"].to_numpy()).any()


def test_a_model_of_both_parts_and_a_blend_survives_being_stored() -> None:
    model, features, _ = both_parts()

    body = stored.dump(model)
    loaded = stored.load(body)

    np.testing.assert_array_equal(loaded.predict(features), model.predict(features))
    assert stored.dump(both_parts()[0]) == body


def test_a_blend_says_the_mean_of_its_members_each_within_the_scale() -> None:
    high = LinearRegression().fit([[0.0], [1.0]], [150.0, 150.0])
    low = LinearRegression().fit([[0.0], [1.0]], [20.0, 40.0])

    said = Blend([high, low]).predict(pd.DataFrame([[0.0], [1.0]]).to_numpy())
    assert said.tolist() == pytest.approx([60, 70])


def test_what_is_no_column_of_codes_is_refused() -> None:
    with pytest.raises(ValueError, match="expected one column"):
        ArtistHistory().fit([[1.0, 2.0]], [1.0])
