"""Columns are recognised by the words of their names, in any order."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chartbuster.columns import FIELDS, recognise
from chartbuster.errors import UnreadableUpload
from chartbuster.songs import AUDIO_NAMES

AUDIO_AS_SPOTIFY_HAS_IT = {
    name: name for name in (*AUDIO_NAMES, "key", "mode", "time_signature", "popularity")
}
NO_KEY = {
    name: column
    for name, column in AUDIO_AS_SPOTIFY_HAS_IT.items()
    if name not in {"key", "mode", "time_signature"}
}

EXPORTS = {
    "SpotifyFeatures": (
        (
            "genre,artist_name,track_name,track_id,popularity,acousticness,danceability,duration_ms,"
            "energy,instrumentalness,key,liveness,loudness,mode,speechiness,tempo,time_signature,"
            "valence"
        ),
        AUDIO_AS_SPOTIFY_HAS_IT
        | {
            "genre": "genre",
            "artist": "artist_name",
            "title": "track_name",
            "song_id": "track_id",
        },
    ),
    "TidyTuesday": (
        (
            "track_id,track_name,track_artist,track_popularity,track_album_id,track_album_name,"
            "track_album_release_date,playlist_name,playlist_id,playlist_genre,playlist_subgenre,"
            "danceability,energy,key,loudness,mode,speechiness,acousticness,instrumentalness,liveness,"
            "valence,tempo,duration_ms"
        ),
        {name: name for name in (*AUDIO_NAMES, "key", "mode")}
        | {
            "song_id": "track_id",
            "title": "track_name",
            "artist": "track_artist",
            "popularity": "track_popularity",
            "release_year": "track_album_release_date",
            "genre": "playlist_genre",
            "subgenre": "playlist_subgenre",
        },
    ),
    "114 genres": (
        (
            ",track_id,artists,album_name,track_name,popularity,duration_ms,explicit,danceability,"
            "energy,key,loudness,mode,speechiness,acousticness,instrumentalness,liveness,valence,tempo,"
            "time_signature,track_genre"
        ),
        AUDIO_AS_SPOTIFY_HAS_IT
        | {
            "song_id": "track_id",
            "artist": "artists",
            "title": "track_name",
            "genre": "track_genre",
        },
    ),
    "Web API": (
        (
            "id,name,popularity,duration_ms,explicit,artists,id_artists,release_date,danceability,"
            "energy,key,loudness,mode,speechiness,acousticness,instrumentalness,liveness,valence,tempo,"
            "time_signature,year"
        ),
        AUDIO_AS_SPOTIFY_HAS_IT
        | {
            "song_id": "id",
            "title": "name",
            "artist": "artists",
            "release_year": "release_date",
        },
    ),
    "playlist export": (
        (
            "Track URI,Track Name,Artist URI(s),Artist Name(s),Album URI,Album Name,"
            "Album Release Date,Disc Number,Track Number,Track Duration (ms),Explicit,Popularity,"
            "Artist Genres,Danceability,Energy,Key,Loudness,Mode,Speechiness,Acousticness,"
            "Instrumentalness,Liveness,Valence,Tempo,Time Signature,Label"
        ),
        {
            name: name.replace("_", " ").title()
            for name in AUDIO_AS_SPOTIFY_HAS_IT
            if name != "duration_ms"
        }
        | {
            "duration_ms": "Track Duration (ms)",
            "song_id": "Track URI",
            "title": "Track Name",
            "artist": "Artist Name(s)",
            "release_year": "Album Release Date",
            "genre": "Artist Genres",
        },
    ),
    "top 2000": (
        (
            "Index,Title,Artist,Top Genre,Year,Beats Per Minute (BPM),Energy,Danceability,"
            "Loudness (dB),Liveness,Valence,Length (Duration),Acousticness,Speechiness,Popularity"
        ),
        {name: name.capitalize() for name in NO_KEY if name != "instrumentalness"}
        | {
            "title": "Title",
            "artist": "Artist",
            "genre": "Top Genre",
            "release_year": "Year",
            "tempo": "Beats Per Minute (BPM)",
            "loudness": "Loudness (dB)",
            "duration_ms": "Length (Duration)",
        },
    ),
    "top of the years": (
        (
            "title,artist,top genre,year released,added,bpm,nrgy,dnce,dB,live,val,dur,acous,spch,"
            "pop,top year,artist type"
        ),
        {
            "title": "title",
            "artist": "artist",
            "genre": "top genre",
            "release_year": "year released",
            "tempo": "bpm",
            "energy": "nrgy",
            "danceability": "dnce",
            "loudness": "dB",
            "liveness": "live",
            "valence": "val",
            "duration_ms": "dur",
            "acousticness": "acous",
            "speechiness": "spch",
            "popularity": "pop",
        },
    ),
    "as R renames it": (
        (
            ",Track.Name,Artist.Name,Genre,Beats.Per.Minute,Energy,Danceability,Loudness..dB..,"
            "Liveness,Valence.,Length.,Acousticness..,Speechiness.,Popularity"
        ),
        {
            "title": "Track.Name",
            "artist": "Artist.Name",
            "genre": "Genre",
            "tempo": "Beats.Per.Minute",
            "energy": "Energy",
            "danceability": "Danceability",
            "loudness": "Loudness..dB..",
            "liveness": "Liveness",
            "valence": "Valence.",
            "duration_ms": "Length.",
            "acousticness": "Acousticness..",
            "speechiness": "Speechiness.",
            "popularity": "Popularity",
        },
    ),
    "prefixed": (
        "song_name,song_popularity,song_duration_ms,audio_mode,audio_valence,trackID,ArtistNames",
        {
            "title": "song_name",
            "popularity": "song_popularity",
            "duration_ms": "song_duration_ms",
            "mode": "audio_mode",
            "valence": "audio_valence",
            "song_id": "trackID",
            "artist": "ArtistNames",
        },
    ),
    "written together": (
        "trackname,artistname,trackid,durationms,timesignature,releasedate,trackgenre,popularity",
        {
            "title": "trackname",
            "artist": "artistname",
            "song_id": "trackid",
            "duration_ms": "durationms",
            "time_signature": "timesignature",
            "release_year": "releasedate",
            "genre": "trackgenre",
            "popularity": "popularity",
        },
    ),
}


def understood(header: list[str]) -> dict[str, str]:
    return {field: found.column for field, found in recognise(header).fields.items()}


@pytest.mark.parametrize("export", EXPORTS)
def test_the_columns_of_public_exports_are_understood(export):
    header, expected = EXPORTS[export]
    assert understood(header.split(",")) == expected


@given(st.sampled_from(sorted(EXPORTS)), st.randoms(use_true_random=False))
def test_the_order_of_the_columns_changes_nothing(export, random):
    header, expected = EXPORTS[export]
    shuffled = header.split(",")
    random.shuffle(shuffled)
    assert understood(shuffled) == expected


@pytest.mark.parametrize(
    "column",
    [
        "artist_popularity",
        "album_popularity",
        "artist_count",
        "album_name",
        "playlist_name",
        "artist_id",
        "track_number",
        "genre_count",
        "key_confidence",
        "Unnamed: 0",
        "streams",
        "released_month",
    ],
)
def test_what_only_sounds_alike_is_ignored(column):
    recognised = recognise([column, "popularity"])
    assert set(recognised.fields) == {"popularity"}
    assert recognised.ignored == (column,)


@pytest.mark.parametrize(
    ("column", "unit"),
    [
        ("duration_ms", "ms"),
        ("duration_s", "s"),
        ("Duration (sec)", "s"),
        ("length_in_minutes", None),
        ("duration_min", "min"),
        ("track_duration_seconds", "s"),
        ("duration", None),
    ],
)
def test_the_unit_of_a_duration_is_in_its_name(column, unit):
    found = recognise([column, "popularity"]).fields.get("duration_ms")
    if found is not None:
        assert found.unit == unit
    else:
        assert column == "length_in_minutes"  # 'in' is no word of ours


def test_percent_in_a_name_is_a_unit():
    found = recognise(["danceability_%", "energy_pct", "Valence (percent)", "popularity"]).fields
    assert {found[name].unit for name in ("danceability", "energy", "valence")} == {"percent"}


def test_of_several_columns_the_plainest_is_used_and_the_others_are_named():
    recognised = recognise(["album_genre", "playlist_genre", "popularity"])
    assert recognised.fields["genre"].column == "playlist_genre"
    assert "'album_genre'" in recognised.notes[0]


@pytest.mark.parametrize("name", ["playlist_subgenre", "sub_genre", "Subgenre", "trackSubGenre"])
def test_a_subgenre_is_a_field_of_its_own(name):
    found = understood([name, "genre", "popularity"])
    assert (found["subgenre"], found["genre"]) == (name, "genre")


def test_milliseconds_win_over_other_durations():
    assert understood(["duration", "duration_min", "duration_ms", "popularity"])["duration_ms"] == (
        "duration_ms"
    )


def test_a_name_written_out_wins_over_an_abbreviation():
    assert understood(["pop", "popularity"])["popularity"] == "popularity"


def test_a_column_that_counts_the_rows_is_no_id():
    assert "song_id" not in recognise(["id", "popularity"], counting={0}).fields
    assert recognise(["id", "popularity"]).fields["song_id"].column == "id"


def test_without_popularity_the_columns_seen_and_the_ones_wanted_are_named():
    with pytest.raises(UnreadableUpload, match=r"'artist', 'streams'.*expected.*track_popularity"):
        recognise(["artist", "streams"])


@given(st.lists(st.text(max_size=30), max_size=8))
def test_any_names_are_recognised_or_ignored(names):
    recognised = recognise([*names, "popularity"])
    assert set(recognised.fields) <= set(FIELDS)
    used = [found.index for found in recognised.fields.values()]
    assert len(set(used)) == len(used)
    assert len(used) + len(recognised.ignored) == len(names) + 1
