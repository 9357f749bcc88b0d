"""Public exports as people have them. CHARTBUSTER_DATA names the folder they are in."""

import io
import os
from functools import cache
from pathlib import Path

import pandas as pd
import pytest

from chartbuster.features import genre_columns, read_ready
from chartbuster.preparing import Prepared, prepare

HEAD = "SpotifyFeatures_head19829.csv.gz"
SAMPLE = "SpotifyFeatures_sample20000.csv.gz"
TIDY_TUESDAY = "spotify_songs_tidytuesday.csv.gz"


@cache
def prepared(file: str) -> Prepared:
    folder = os.environ.get("CHARTBUSTER_DATA")
    if not folder:
        pytest.skip("CHARTBUSTER_DATA is not set; it names the folder with the real files")
    return prepare(Path(folder, file).read_bytes(), file)


def cleaned(file: str) -> pd.DataFrame:
    body = prepared(file).cleaned
    return pd.read_csv(io.BytesIO(body), keep_default_na=False, na_values={"tempo": [""]})


def test_the_head_of_spotifyfeatures_loses_only_its_cut_row():
    report = prepared(HEAD).report
    assert report["rows"] == {"read": 19_829, "rejected": 1, "merged": 668}
    assert report["songs"] == 19_160
    assert b"19830,the row has 11 fields; expected 18," in prepared(HEAD).rejects


def test_signatures_excel_took_for_dates_are_read_and_the_impossible_one_is_counted():
    assert prepared(HEAD).report["attributes"]["time_signature"] == {
        "missing": 0,
        "unreadable": 1,
        "examples": ["0/4"],
    }
    counts = cleaned(HEAD)["time_signature"].value_counts()
    assert set(counts.index) == {"4/4", "3/4", "5/4", "1/4", ""}
    assert counts[""] == 1
    assert counts["4/4"] > counts["3/4"] > counts["5/4"] > counts["1/4"] > 60


def test_a_song_in_several_genres_has_the_median_of_its_popularities():
    songs = cleaned(HEAD)
    assert songs["genres"].str.contains("; ").sum() > 600
    assert songs["song_id"].is_unique


def test_the_sample_has_every_genre_and_durations_in_minutes():
    report = prepared(SAMPLE).report
    assert report["rows"] == {"read": 20_000, "rejected": 0, "merged": 0}
    assert {each["field"]: each["unit"] for each in report["columns"]["understood"]}[
        "duration_ms"
    ] == "min"
    assert report["genres"]["Children's Music"] == 619 + 138
    assert cleaned(SAMPLE)["duration_ms"].median() == pytest.approx(220_000, rel=0.1)


def test_tidytuesday_becomes_one_row_per_song():
    report = prepared(TIDY_TUESDAY).report
    assert report["rows"] == {"read": 32_833, "rejected": 0, "merged": 4_477}
    assert report["songs"] == 28_356
    # Six genres and 24 subgenres.
    assert {"EDM", "Latin", "Pop", "R&B", "Rap", "Rock", "Dance Pop"} < set(report["genres"])
    assert len(report["genres"]) == 30
    assert report["attributes"]["release_year"]["missing"] == 0
    assert report["attributes"]["tempo"] == {"missing": 0, "unreadable": 1, "examples": ["0"]}
    assert (cleaned(TIDY_TUESDAY)["artist"] == "").sum() == 4


@pytest.mark.parametrize("file", [HEAD, SAMPLE, TIDY_TUESDAY])
def test_the_ready_table_reads_back_with_a_column_per_genre(file):
    ready = read_ready(prepared(file).ready)
    report = prepared(file).report
    assert len(ready) == report["songs"]
    counts = {name.removeprefix("genre="): int(ready[name].sum()) for name in genre_columns(ready)}
    assert counts == report["genres"]
