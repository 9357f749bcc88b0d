"""What the page Data says in words and in tables, without a page."""

import dataclasses

import pytest

from chartbuster.layout import RawKey
from chartbuster.learn.distributions import GenreSongs
from chartbuster.preparing import READY, REFUSED, prepare, report_json
from chartbuster.quality import Upload, UploadReport, read_report
from chartbuster.report import GenreScore
from tests.unit.made_up_run import made_up_run
from tests.unit.test_drift_command import report as drift_report
from webapp.data import drawings, sentences, tables


def read(csv: str) -> UploadReport:
    return read_report(report_json(prepare(csv.encode(), "songs.csv").report), where="here")


def genre(name: str, songs: int, median: float = 50) -> GenreSongs:
    return GenreSongs(name, songs, median, (median - 5, median, median + 5))


def test_rows_are_counted_with_what_became_of_them() -> None:
    tidy = read("track_id,popularity\na,1\nb,2\n")
    merged = read("track_id,popularity\na,1\na,2\nb,\n")

    assert sentences.rows([tidy]) == "2 rows read; none rejected."
    assert sentences.rows([tidy, merged]) == (
        "5 rows read, 1 of them more of a song that was already there; 1 row rejected."
    )


def test_what_is_missing_is_named_the_worst_first_and_no_more_than_asked() -> None:
    report = read("popularity,tempo,energy,valence,mode\n1,,2,,\n2,,1,1,\n3,,,1,\n")

    said = sentences.incomplete([report], most=2)

    assert said.startswith(
        "Values are missing or cannot be read: mode in 3 rows and tempo in 3 rows (2 more below)."
    )
    assert said.endswith("10 attributes have no column.")


def test_a_column_in_one_of_two_files_is_not_said_to_be_nowhere() -> None:
    one, other = read("popularity,tempo\n1,100\n"), read("popularity,energy\n1,0.5\n")

    said = sentences.incomplete([one, other], most=20)

    assert "tempo" not in said
    assert "energy" not in said
    assert "danceability" in said


def test_the_champion_comes_from_the_files_as_they_are_or_it_is_said() -> None:
    run = dataclasses.replace(made_up_run(), uploads=("u1", "u2"))
    one, two, refused = (
        Upload(RawKey("demo", f"{upload}.csv"), status, upload)
        for upload, status in (("u1", READY), ("u2", READY), ("u3", REFUSED))
    )

    assert sentences.changed(run, [one, two, refused]) == ""
    assert "have changed" in sentences.changed(run, [one])


def test_what_is_known_without_a_champion() -> None:
    assert "None of the files" in sentences.songs(None, [])
    said = sentences.songs(None, [read("track_id,popularity\na,1\n")])
    assert said.startswith("**1 song** in 1 file.")


def test_new_and_vanished_genres_are_letters_and_no_markdown() -> None:
    report = dataclasses.replace(
        drift_report("demo", 0.5, genres=0), new_genres={"*Loud*": 0.25}, vanished_genres={}
    )

    assert sentences.genres(report) == r"**New genres:** \*Loud\* (25.0% of the songs)."
    many = dataclasses.replace(report, vanished_genres={f"G{n}": 0.01 for n in range(12)})
    assert "and 2 more." in sentences.genres(many)
    none = dataclasses.replace(report, new_genres={})
    assert sentences.genres(none) == "No genre is new, and none has vanished."


@pytest.mark.parametrize(
    ("names", "said"),
    [([], ""), (["a"], "a"), (["a", "b"], "a and b"), (["a", "b", "c"], "a, b and c")],
)
def test_names_are_listed_as_people_do(names: list[str], said: str) -> None:
    assert sentences.listed(names) == said


def test_nothing_short_of_complete_is_called_complete() -> None:
    rows = "".join(f"{n % 100},{n % 90 + 60}\n" for n in range(5_000))

    report = read(f"popularity,tempo\n{rows}50,fast\n")

    (tempo,) = tables.lost(report).to_numpy().tolist()
    assert tempo == ["Tempo", 0.999, 0, 1, "fast"]


def test_the_genres_with_the_most_songs_are_drawn_the_most_popular_first() -> None:
    found = [genre(f"G{n:02}", songs=n, median=n) for n in range(40)]

    drawn = drawings.most_songs(found)

    assert [each.genre for each in drawn] == [f"G{n}" for n in range(39, 9, -1)]
    assert "G39" in drawings.genres(found)


def test_errors_stand_beside_the_genres_they_were_measured_in() -> None:
    scores = [GenreScore("Pop", 10, 6.0, 7.0, -0.5, 0.9, 30.0)]

    with_errors = tables.genre_table([genre("Pop", 5), genre("Rock", 9)], scores)
    without = tables.genre_table([genre("Pop", 5)], [])

    assert list(with_errors["Genre"]) == ["Rock", "Pop"]
    assert with_errors["Error"].tolist()[1] == 6.0
    assert with_errors["Error"].isna().tolist() == [True, False]
    assert "Error" not in without.columns


def test_lengths_are_shown_in_minutes() -> None:
    assert sentences.label("duration_ms") == "Length (minutes)"
    assert sentences.shown("duration_ms", 210_000) == 3.5
    assert sentences.shown("tempo", 120) == 120
