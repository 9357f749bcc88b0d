"""The demo catalogue against the published figures it is drawn from."""

import gzip
import hashlib
import io
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.metrics import r2_score
from sklearn.model_selection import GroupKFold, cross_val_predict
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from chartbuster.demo import COLUMNS, as_csv, generate
from chartbuster.demo.__main__ import main
from chartbuster.demo.figures import Figures, published
from chartbuster.errors import Misconfigured

# Of all 232,725 rows: major modes; time signatures 4/4, 3/4 and 5/4.
MAJOR = 0.652
SIGNATURES = [0.863, 0.104, 0.023]


@pytest.fixture(scope="module")
def songs() -> pd.DataFrame:
    return generate()


@pytest.fixture(scope="module")
def figures() -> Figures:
    return published()


def numbers(songs: pd.DataFrame, figures: Figures) -> pd.DataFrame:
    return songs[list(figures.attributes)]


def artist_share_of_variance(songs: pd.DataFrame) -> float:
    """The intraclass correlation of popularity within genres, artists with five songs or more."""
    usual = songs.groupby("genre")["popularity"].transform("mean")
    table = songs.assign(rest=songs["popularity"] - usual)
    table = table[table.groupby("artist_name")["rest"].transform("size") >= 5]
    groups = table.groupby("artist_name")["rest"]
    size, count, total = groups.size(), groups.ngroups, len(table)
    between = (size * (groups.mean() - table["rest"].mean()) ** 2).sum() / (count - 1)
    within = ((table["rest"] - groups.transform("mean")) ** 2).sum() / (total - count)
    typical = (total - (size**2).sum() / total) / (count - 1)
    return float((between - within) / (between + (typical - 1) * within))


def test_every_genre_has_the_published_means_within_two_percent(
    songs: pd.DataFrame, figures: Figures
) -> None:
    means = numbers(songs, figures).groupby(songs["genre"]).mean().loc[list(figures.genres)]

    # Of the mean itself, also where it is near zero (Comedy's instrumentalness is .0006).
    off = np.argwhere(np.abs(means.to_numpy() / figures.mean - 1) > 0.02)

    assert [(figures.genres[row], figures.attributes[column]) for row, column in off] == []


def test_correlations_over_the_catalogue_are_the_published_ones_within_five_hundredths(
    songs: pd.DataFrame, figures: Figures
) -> None:
    correlations = numbers(songs, figures).corr().to_numpy()

    assert np.abs(correlations - figures.pearson).max() < 0.05


def test_the_share_of_songs_nobody_plays_is_within_one_point(
    songs: pd.DataFrame, figures: Figures
) -> None:
    wanted = np.average(figures.zero_share, weights=figures.songs)

    assert abs((songs["popularity"] == 0).mean() - wanted) < 0.01


def test_attributes_vary_as_much_as_published(songs: pd.DataFrame, figures: Figures) -> None:
    ratio = numbers(songs, figures).std().to_numpy() / figures.overall_std

    assert abs(ratio[0] - 1) < 0.02, "popularity"
    assert np.abs(ratio - 1).max() < 0.08


def test_genres_have_the_published_numbers_of_songs(songs: pd.DataFrame, figures: Figures) -> None:
    counts = songs["genre"].value_counts().loc[list(figures.genres)]

    assert counts.to_list() == figures.songs.tolist()


def test_modes_keys_and_time_signatures_have_the_published_shares(
    songs: pd.DataFrame, figures: Figures
) -> None:
    keys = np.array([MAJOR, 1 - MAJOR]) @ figures.key_given_mode
    country = songs.loc[songs["genre"] == "Country", "mode"]

    def shares(column: str, values: tuple[str, ...]) -> list[float]:
        share = songs[column].value_counts(normalize=True)
        return [float(share.get(value, 0.0)) for value in values]

    assert shares("mode", ("Major",)) == pytest.approx([MAJOR], abs=0.015)
    assert (country == "Major").mean() == pytest.approx(0.884, abs=0.04)
    assert shares("key", figures.keys) == pytest.approx(keys, abs=0.01)
    assert shares("time_signature", ("4/4", "3/4", "5/4")) == pytest.approx(SIGNATURES, abs=0.01)


def test_artists_are_as_many_and_as_unequal_as_published(
    songs: pd.DataFrame, figures: Figures
) -> None:
    records = songs.groupby("artist_name").size()

    assert len(records) == pytest.approx(figures.artists_in_sample, rel=0.03)
    assert records.quantile([0.5, 0.75, 0.9]).to_list() == pytest.approx([2, 3, 7], abs=1)
    assert 15 <= records.quantile(0.99) <= 25
    assert 40 <= records.max() <= 200
    assert songs.groupby("artist_name")["genre"].nunique().max() == 1


def test_an_artist_explains_as_much_of_popularity_within_a_genre_as_published(
    songs: pd.DataFrame, figures: Figures
) -> None:
    assert artist_share_of_variance(songs) == pytest.approx(figures.artist_share, abs=0.05)


def test_boosting_predicts_songs_of_new_artists_about_as_well_as_on_real_data(
    songs: pd.DataFrame,
) -> None:
    # Both spellings of Children's Music are one genre, as they are after cleaning.
    genre = songs["genre"].str.replace("’", "'").astype("category")
    attributes = songs.drop(columns=["artist_name", "track_name", "track_id", "popularity"])
    table = attributes.assign(genre=genre).astype(
        dict.fromkeys(("key", "mode", "time_signature"), "category")
    )
    model = HistGradientBoostingRegressor(
        categorical_features="from_dtype", max_iter=60, random_state=0
    )

    # One thread: on a busy machine the others wait for each other, and 1 second becomes 50.
    with threadpool_limits(limits=1):
        predicted = cross_val_predict(
            model, table, songs["popularity"], groups=songs["artist_name"], cv=GroupKFold(5)
        )

    assert 0.55 < r2_score(songs["popularity"], predicted) < 0.75


def test_the_table_has_the_original_columns_types_and_ranges(
    songs: pd.DataFrame, figures: Figures
) -> None:
    assert tuple(songs.columns) == COLUMNS
    assert songs.shape == (20_000, 18)
    assert not songs.isna().any(axis=None)
    assert songs[["popularity", "duration_ms"]].dtypes.map(str).to_list() == ["int64", "int64"]
    assert songs["popularity"].between(0, 100).all()
    assert songs["track_id"].is_unique
    assert songs["track_id"].str.fullmatch("[0-9A-Za-z]{22}").all()
    assert (numbers(songs, figures).max().to_numpy() <= figures.highest).all()
    assert not songs["genre"].is_monotonic_increasing


def test_a_small_share_of_titles_is_a_version_or_has_a_guest(songs: pd.DataFrame) -> None:
    title = songs["track_name"]

    for mark in (" - Remix", " - Live", " - Acoustic", " - Remastered", " - Instrumental"):
        assert 0.002 < title.str.endswith(mark).mean() < 0.03, mark
    assert 0.02 < title.str.contains("(feat. ", regex=False).mean() < 0.05


def test_the_same_seed_gives_the_same_bytes_in_another_process_and_on_a_plainer_processor(
    tmp_path: Path,
) -> None:
    file = tmp_path / "songs.csv"
    # Without these instructions NumPy computes powers and logarithms by other code.
    optional = np.show_config(mode="dicts")["SIMD Extensions"].get("found", [])
    plain = {"NPY_DISABLE_CPU_FEATURES": " ".join(optional)}

    subprocess.run(
        [sys.executable, "-m", "chartbuster.demo", str(file), "--songs", "3000"],
        check=True,
        cwd=Path(__file__).parents[2],
        env={**os.environ, **plain, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
    )

    assert digest(file.read_bytes()) == digest(as_csv(generate(3000)))


def digest(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


def test_another_seed_gives_other_songs() -> None:
    ours, theirs = generate(500, seed=1), generate(500, seed=2)

    assert as_csv(ours) != as_csv(theirs)
    assert not set(ours["track_id"]) & set(theirs["track_id"])


def test_the_csv_reads_back_as_the_same_table() -> None:
    made = generate(400)

    assert pd.read_csv(io.BytesIO(as_csv(made))).equals(made)


@pytest.mark.parametrize("count", [1, 7, 100])
def test_a_catalogue_can_be_small(count: int) -> None:
    assert len(generate(count)) == count


def test_a_catalogue_can_be_as_large_as_the_real_one() -> None:
    large = generate(177_000)

    assert len(large) == 177_000
    assert large["track_id"].is_unique


@pytest.mark.parametrize(("count", "seed", "reason"), [(0, 1, "0 songs"), (10, -1, "seed -1")])
def test_a_senseless_request_says_what_would_be_right(count: int, seed: int, reason: str) -> None:
    with pytest.raises(Misconfigured, match=f"{reason}; expected"):
        generate(count, seed)


def test_the_program_writes_gzip_without_a_time_so_its_bytes_repeat(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = tmp_path / "first.csv.gz", tmp_path / "second.csv.gz"

    assert main([str(first), "--songs", "50"]) == 0
    assert main([str(second), "--songs", "50"]) == 0

    assert first.read_bytes() == second.read_bytes()
    assert first.read_bytes()[4:8] == bytes(4)
    assert gzip.decompress(first.read_bytes()) == as_csv(generate(50))
    assert "50 synthetic songs" in capsys.readouterr().out


def test_the_program_refuses_a_name_that_is_no_csv(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(tmp_path / "songs.parquet")]) == 1

    assert "expected a name ending in .csv or .csv.gz" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_help_shows_an_example(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["--help"])

    assert stopped.value.code == 0
    assert "example: python -m chartbuster.demo" in capsys.readouterr().out


def test_the_figures_say_where_they_come_from_and_stay_small() -> None:
    file = Path(__file__).parents[2] / "chartbuster" / "demo" / "figures.json"

    assert file.stat().st_size < 100_000
    assert "No row, title, artist name or track id" in file.read_text(encoding="utf-8")
