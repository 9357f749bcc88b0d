"""Drift is told in the usual figures, and never from chance alone."""

import math

import numpy as np
import pandas as pd
import pytest
from scipy.stats import chi2, ks_2samp

from chartbuster.drift import AttributeDrift, DriftReport, chance, level_of, psi
from chartbuster.learn.catalogue import catalogue
from chartbuster.learn.drift import compared, read_songs
from chartbuster.records import from_json, to_json
from tests.unit.made_up_songs import ready_songs


def songs(count: int = 2000, *, seed: int = 1, first: int = 0) -> pd.DataFrame:
    """The songs of a run as it stores them."""
    return read_songs(catalogue(ready_songs(count, seed=seed, first=first)))


def report(before: pd.DataFrame, now: pd.DataFrame) -> DriftReport:
    return compared(
        before, now, dataset="demo", version="v2", champion="run1", at="2026-03-01T12:00:00+00:00"
    )


def of(found: DriftReport, name: str) -> AttributeDrift:
    (one,) = (each for each in (found.popularity, *found.features) if each.name == name)
    return one


@pytest.fixture(scope="module")
def before() -> pd.DataFrame:
    return songs()


@pytest.fixture(scope="module")
def alike() -> pd.DataFrame:
    return songs(seed=2, first=5000)


def test_psi_is_what_a_hand_calculates():
    # Shares 1/2 and 1/2, then 4/5 and 1/5: 0.3 ln 1.6 - 0.3 ln 0.4.
    assert psi([50_000, 50_000], [80_000, 20_000]) == pytest.approx(0.41589, abs=1e-4)
    # With half a song more per bin: 1.5/5 and 3.5/5, then 3.5/5 and 1.5/5, so 0.8 ln (7/3).
    assert psi([1, 3], [3, 1]) == pytest.approx(0.8 * math.log(7 / 3))


def test_psi_of_the_same_counts_is_none_and_empty_bins_do_not_count():
    assert psi([10, 20, 30], [10, 20, 30]) == 0
    assert psi([10, 0, 20], [5, 0, 40]) == psi([10, 20], [5, 40])
    assert psi([10], [400]) == 0


def test_psi_of_a_bin_that_was_empty_is_finite_and_large():
    assert 1 < psi([1000, 0], [500, 500]) < 5


def test_chance_is_the_mean_and_three_deviations_of_chi_square():
    law = chi2(9)
    expected = (law.mean() + 3 * law.std()) * (1 / 200 + 1 / 300)
    assert chance(10, before=200, now=300) == pytest.approx(expected)
    assert chance(1, before=200, now=300) == 0


@pytest.mark.parametrize(
    ("excess", "level"), [(-1, "none"), (0.0999, "none"), (0.1, "some"), (0.25, "much")]
)
def test_the_usual_limits_make_the_level(excess: float, level: str):
    assert level_of(excess) == level


def test_samples_without_drift_are_rarely_taken_for_drifted_however_small():
    draw = np.random.default_rng(3)
    for size in (60, 300, 3000):
        raw = wrong = 0
        for _ in range(200):
            one, other = (draw.multinomial(size, [0.1] * 10) for _ in range(2))
            found = psi(one.tolist(), other.tolist())
            raw += level_of(found) != "none"
            wrong += level_of(found - chance(10, before=size, now=size)) != "none"
        assert wrong <= 2, size
        if size == 60:
            assert raw > 150, "without regard to the size nearly all of them would be"


def test_the_ks_statistic_is_scipys(before: pd.DataFrame, alike: pd.DataFrame):
    now = alike.assign(energy=alike["energy"] ** 2)
    found = report(before, now)
    for name in ("energy", "tempo", "release_year", "popularity"):
        expected = ks_2samp(before[name].dropna(), now[name].dropna()).statistic
        assert of(found, name).ks == pytest.approx(expected, abs=1e-6)


def test_psi_of_a_number_is_that_of_the_deciles_before(before: pd.DataFrame, alike: pd.DataFrame):
    now = alike.assign(valence=alike["valence"] ** 1.5)
    cuts = before["valence"].quantile(np.arange(1, 10) / 10, interpolation="lower")
    bins = [-np.inf, *cuts, np.inf]
    counts = [
        pd.cut(side["valence"], bins).value_counts(sort=False).tolist() for side in (before, now)
    ]
    # A decile among 2,000 songs may be the song below or the one above.
    assert of(report(before, now), "valence").psi == pytest.approx(psi(*counts), abs=0.01)


@pytest.mark.parametrize("count", [60, 300, 2000])
def test_songs_of_the_same_kind_have_not_drifted_however_few(before: pd.DataFrame, count: int):
    found = report(before, songs(count, seed=count + 7, first=5000))
    assert found.level == "none", found.sentence
    assert found.sentence.startswith(f"The {count:,} songs are like the 2,000")
    assert ("among so few" in found.sentence) == (count < 300)


def test_a_shifted_attribute_has_drifted_much_and_comes_first(
    before: pd.DataFrame, alike: pd.DataFrame
):
    found = report(before, alike.assign(tempo=alike["tempo"] * 0.5))
    tempo = found.features[0]
    assert (tempo.name, tempo.kind, tempo.level, found.level) == ("tempo", "number", "much", "much")
    assert tempo.median_now == pytest.approx(alike["tempo"].median() / 2)
    assert tempo.median_before == before["tempo"].median()
    assert {each.level for each in found.features[1:]} == {"none"}
    assert found.sentence.startswith(
        "The songs differ much from those the champion comes from: tempo (median"
    )


def test_popularity_drifts_like_an_attribute(before: pd.DataFrame, alike: pd.DataFrame):
    found = report(before, alike.assign(popularity=alike["popularity"] / 2))
    assert found.popularity.level == found.level == "much"
    assert "popularity" not in {each.name for each in found.features}


def test_many_songs_show_a_change_that_few_cannot(before: pd.DataFrame):
    def shifted(count: int) -> DriftReport:
        now = songs(count, seed=4, first=5000)
        return report(before.head(count), now.assign(energy=now["energy"] ** 1.6))

    assert of(shifted(2000), "energy").level == "some"
    assert of(shifted(60), "energy").level == "none"


def test_a_constant_that_moves_is_seen_in_either_direction(
    before: pd.DataFrame, alike: pd.DataFrame
):
    for now in (0.4, 0.6):
        found = report(before.assign(liveness=0.5), alike.assign(liveness=now))
        assert of(found, "liveness").level == "much"


def test_a_new_genre_is_named_with_its_share(before: pd.DataFrame, alike: pd.DataFrame):
    genres = alike["genres"].map(list)
    genres.iloc[:500] = [["Amapiano", "Pop"]] * 500
    found = report(before, alike.assign(genres=genres))
    assert found.new_genres == {"Amapiano": 0.25}
    assert found.vanished_genres == {}
    assert of(found, "genres").level != "none"
    assert "genres (25% are Amapiano, which is new)" in found.sentence


def test_a_genre_has_vanished_only_where_it_was_to_be_expected(before: pd.DataFrame):
    genres = before["genres"].map(list)
    genres.iloc[:500] = [["Fado"]] * 500
    genres.iloc[500] = ["Yodel"]
    found = report(before.assign(genres=genres), songs(300, seed=2, first=5000))
    assert found.vanished_genres == {"Fado": 0.25}


def test_a_column_that_is_gone_has_drifted_much_and_has_no_figures(
    before: pd.DataFrame, alike: pd.DataFrame
):
    for now in (alike.drop(columns="energy"), alike.assign(energy=np.nan)):
        energy = of(report(before, now), "energy")
        assert energy.level == "much"
        assert (energy.missing_before, energy.missing_now) == (0, 1)
        assert (energy.ks, energy.median_now) == (None, None)
        assert energy.median_before is not None
    gone = report(before.drop(columns=["genres", "mode"]), alike)
    assert of(gone, "genres").level == of(gone, "mode").level == "much"


def test_a_column_missing_on_both_sides_has_not_drifted(before: pd.DataFrame, alike: pd.DataFrame):
    lacking = ["energy", "key", "genres"]
    found = report(before.drop(columns=lacking), alike.drop(columns=lacking))
    assert {of(found, name).psi for name in lacking} == {0}
    assert found.level == "none"


def test_words_drift_by_their_shares(before: pd.DataFrame, alike: pd.DataFrame):
    mode = of(report(before, alike.assign(mode="Major")), "mode")
    counts = before["mode"].value_counts()
    assert mode.psi == pytest.approx(psi([counts["Major"], counts["Minor"]], [2000, 0]), abs=1e-6)
    assert (mode.kind, mode.level, mode.ks, mode.median_now) == ("word", "much", None, None)


def test_songs_on_both_sides_are_counted(before: pd.DataFrame):
    found = report(before, songs(2000, seed=2, first=1500))
    assert (found.songs_before, found.songs_now, found.songs_shared) == (2000, 2000, 500)


def test_the_same_songs_in_any_order_make_the_same_bytes(before: pd.DataFrame, alike: pd.DataFrame):
    found = report(before, alike)
    assert to_json(found) == to_json(
        report(before.iloc[::-1], alike.sample(frac=1, random_state=1))
    )
    assert from_json(DriftReport, to_json(found), where="here") == found


def test_no_songs_cannot_be_compared(before: pd.DataFrame):
    with pytest.raises(ValueError, match="2000 songs to compare with 0"):
        report(before, before.head(0))
