"""The OpenAPI description of the API, with the bounds of `chartbuster.songs` and today's genres."""

from collections.abc import Mapping, Sequence
from typing import Any

import chartbuster
from chartbuster.explanations import ATTRIBUTES
from chartbuster.scoring import LETTERS, LONGEST_TEXT
from chartbuster.songs import AUDIO, RELEASE_YEAR, Attribute
from webapp.api.asked import MOST_BYTES, MOST_EXPLAINED, MOST_SONGS
from webapp.api.problems import MEDIA_TYPE
from webapp.states import Showing, Shown

type Schema = dict[str, Any]

_ABOUT = f"""Says how popular a song would be, from 0 to 100, by its audio attributes.

One request may hold {MOST_BYTES:,} bytes and ask about {MOST_SONGS:,} songs, about \
{MOST_EXPLAINED} with explanations. What a song leaves out is assumed: the default of its genre, \
else of all songs, and the answer says which. Every answer names the dataset and the run it comes \
from. Errors are RFC 9457 problem details; an invalid request lists everything that is wrong.
"""


def description(state: Showing | None) -> dict[str, Any]:
    """The description as an OpenAPI 3.1 object.

    `state` gives the datasets and genres of its examples, and the genres a song may have: those of
    all datasets, since each run knows its own. None while nothing is shown.
    """
    shown = [found for found in state.datasets if isinstance(found, Shown)] if state else []
    genres = sorted({genre for found in shown for genre in found.run.inputs.genres})
    of_first = shown[0].run.inputs.genres if shown else ()
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "ChartBuster",
            "version": chartbuster.__version__,
            "description": _ABOUT,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "paths": {
            "/api/predict": {"post": _predict(_example(of_first))},
            "/api/model": {"get": _model()},
            "/api/openapi.json": {"get": _describe()},
            "/ready": {"get": _ready()},
        },
        "components": {
            "schemas": {
                "Song": _song(genres),
                "Request": _request(),
                "Answer": _answer(),
                "Predictions": _predictions(),
                "Explanation": _explanation(),
                "Scores": _scores(),
                "Inputs": _inputs(),
                "Model": _model_answer(),
                "Ready": _ready_answer(),
                "Problem": _problem(),
            }
        },
    }


def _predict(example: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "operationId": "predict",
        "summary": "How popular one song, or many, would be",
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": _ref("Request"), "example": example}},
        },
        "responses": {
            "200": _answered("One answer per song, in their order", "Predictions"),
            **_problems(
                {
                    "400": "The body is no JSON",
                    "404": "There is no such dataset, run or model",
                    "405": "Another method",
                    "413": f"The body is larger than {MOST_BYTES:,} bytes",
                    "415": "Another media type than application/json",
                    "422": "Something in the request cannot be right; all of it is listed",
                    "503": "There is no model yet, its file is damaged, or too many are asking",
                }
            ),
        },
    }


def _model() -> dict[str, Any]:
    return {
        "operationId": "model",
        "summary": "The models of a dataset, how good they are, and what a song may be for them",
        "parameters": [
            _parameter("dataset", "A dataset; the one the app shows first unless it is given"),
            _parameter("run", "A run of the dataset; its champion's unless it is given"),
        ],
        "responses": {
            "200": _answered("The run and its models", "Model"),
            **_problems(
                {
                    "404": "There is no such dataset or run",
                    "405": "Another method",
                    "503": "There is no model yet, or its record cannot be read",
                }
            ),
        },
    }


def _describe() -> dict[str, Any]:
    return {
        "operationId": "describe",
        "summary": "This description",
        "responses": {
            "200": {
                "description": "An OpenAPI 3.1 description",
                "content": {
                    "application/json": {
                        "schema": {
                            "type": "object",
                            "required": ["openapi", "info", "paths", "components"],
                        }
                    }
                },
            },
            **_problems({"405": "Another method"}),
        },
    }


def _ready() -> dict[str, Any]:
    return {
        "operationId": "ready",
        "summary": "Whether there is a model to ask",
        "responses": {
            "200": _answered("The app predicts", "Ready"),
            "503": _answered("It does not yet, and the state says why", "Ready"),
            **_problems({"405": "Another method"}),
        },
    }


def _song(genres: Sequence[str]) -> Schema:
    genre: Schema = {"type": "string", **({"enum": list(genres)} if genres else {})}
    texts = {
        "title": "Its title; remix, live and the like are recognised",
        "artist": "Its artist; one the model has met is told from a debut",
    }
    return {
        "description": "A song as far as it is known; null is the same as not given.",
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "genre": {
                "description": "A genre, or several. Those of every dataset are named here, and "
                "each dataset knows its own: GET /api/model tells which.",
                "anyOf": [genre, {"type": "array", "items": genre}, {"type": "null"}],
            },
            **{a.name: _nullable(_bounds(a)) for a in (*AUDIO, RELEASE_YEAR)},
            **{name: {"enum": [*choices, None]} for name, choices in LETTERS.items()},
            **{
                name: _nullable(
                    {"type": "string", "maxLength": LONGEST_TEXT, "description": meaning}
                )
                for name, meaning in texts.items()
            },
        },
    }


def _request() -> Schema:
    return {
        "type": "object",
        "additionalProperties": False,
        "required": ["songs"],
        "properties": {
            "songs": {
                "type": "array",
                "minItems": 1,
                "maxItems": MOST_SONGS,
                "items": _ref("Song"),
            },
            "dataset": _optional("A dataset; the one the app shows first unless it is given"),
            "run": _optional("A run of the dataset; its champion's unless it is given"),
            "model": _optional(
                "A model of the run; the champion, or the run's best, unless it is given"
            ),
            "explain": {
                "type": "boolean",
                "default": False,
                "description": "Whether the answer tells by how many points each attribute moves "
                f"the prediction; of at most {MOST_EXPLAINED} songs",
            },
        },
        "if": {"properties": {"explain": {"const": True}}, "required": ["explain"]},
        "then": {"properties": {"songs": {"maxItems": MOST_EXPLAINED}}},
    }


def _answer() -> Schema:
    unless = "; null where the run is older than such figures"
    return _object(
        {
            "popularity": _number("The prediction", 0, 100),
            "low": _nullable(_number(f"Where the interval begins{unless}", 0, 100)),
            "high": _nullable(_number(f"Where the interval ends{unless}", 0, 100)),
            "hit_probability": _nullable(_number(f"The probability of being a hit{unless}", 0, 1)),
            "percentile": _nullable(
                _number(
                    "The percentage of songs of its genres, of all without any, that are less "
                    f"popular than the prediction{unless}",
                    0,
                    100,
                )
            ),
            "artist_known": _nullable(
                {"type": "boolean", "description": f"Whether the model has met the artist{unless}"}
            ),
            "assumed": {
                "description": "What was taken for the attributes that were not given",
                "type": "object",
                "additionalProperties": {"type": ["number", "string"]},
            },
            "explanation": _ref("Explanation"),
        },
        optional=("explanation",),
    )


def _predictions() -> Schema:
    return _object(
        {
            **_provenance(),
            "model": _text("The model that answered"),
            "interval": _nullable(
                _number("In this share of cases a song is between low and high", 0, 1)
            ),
            "hit_from": _nullable(_number("The popularity a hit has at least", 0, 100)),
            "songs": {"type": "array", "items": _ref("Answer")},
        }
    )


def _explanation() -> Schema:
    value = {"type": ["number", "string", "null"]}
    return _object(
        {
            "base": _number("The prediction for a typical song", 0, 100),
            "prediction": _number("The base and all points", 0, 100),
            "contributions": {
                "type": "array",
                "items": _object(
                    {
                        "attribute": {"enum": list(ATTRIBUTES)},
                        "value": value,
                        "typical": value,
                        "assumed": {"type": "boolean"},
                        "points": {
                            "type": "number",
                            "description": "By how much it moves the prediction",
                        },
                    }
                ),
            },
            "why": {"type": "array", "items": {"type": "string"}},
        }
    )


def _scores() -> Schema:
    numbers = ("r2", "mae", "rmse")
    return {
        "description": "How good a model is on songs it was not fitted on; null where the data "
        "does not allow to say",
        "type": ["object", "null"],
        "required": [*numbers, "songs"],
        "properties": {
            **{name: {"type": "number"} for name in numbers},
            "spearman": {"type": ["number", "null"]},
            "songs": {"type": "integer", "minimum": 0},
            "covered": _nullable(_number("The share of songs within their interval", 0, 1)),
            "width": {"type": ["number", "null"]},
            "hits": {"type": ["object", "null"]},
            "intervals": {
                "description": "95 % intervals of the figures",
                "type": "object",
                "additionalProperties": _object(
                    {"low": {"type": "number"}, "high": {"type": "number"}}
                ),
            },
        },
    }


def _inputs() -> Schema:
    number = {"type": "number"}
    return _object(
        {
            "numbers": {
                "type": "array",
                "items": _object(
                    {
                        "name": {"type": "string"},
                        "meaning": {"type": "string"},
                        "unit": {"type": ["string", "null"]},
                        "minimum": number,
                        "maximum": number,
                        "seen": _object({"low": number, "high": number, "default": number}),
                    }
                ),
            },
            "choices": {
                "type": "array",
                "items": _object(
                    {
                        "name": {"type": "string"},
                        "choices": {"type": "array", "items": {"type": "string"}},
                        "default": {"type": "string"},
                    }
                ),
            },
            "genres": {"type": "array", "items": {"type": "string"}},
            "genre_defaults": {
                "type": "object",
                "additionalProperties": {
                    "type": "object",
                    "additionalProperties": {"type": ["number", "string"]},
                },
            },
        }
    )


def _model_answer() -> Schema:
    return _object(
        {
            **_provenance(),
            "created": {"type": "string", "format": "date-time"},
            "dataset_version": _text("The identity of the data the run learnt from"),
            "songs": {"type": "integer", "minimum": 0},
            "artists": {"type": "integer", "minimum": 0},
            "champion": _object(
                {name: {"type": "string"} for name in ("run_id", "model", "since", "reason")}
            ),
            "models": {
                "type": "array",
                "items": _object(
                    {
                        "name": {"type": "string"},
                        "title": {"type": "string"},
                        "asked_first": {
                            "type": "boolean",
                            "description": "Whether it answers where no model is named",
                        },
                        "new_artists": _ref("Scores"),
                        "known_artists": _ref("Scores"),
                    }
                ),
            },
            "inputs": _ref("Inputs"),
            "datasets": {"type": "array", "items": {"type": "string"}},
        }
    )


def _ready_answer() -> Schema:
    states = ["connecting", "store-away", "no-champion", "store-asleep", "serving"]
    return _object({"ready": {"type": "boolean"}, "state": {"enum": states}})


def _problem() -> Schema:
    fault = _object(
        {
            "pointer": _text("A JSON pointer to what is wrong"),
            "song": {"type": "integer", "description": "The place of the song, from 0"},
            "attribute": {"type": "string"},
            "value": {"description": "What was given, cut short where it is long"},
            "expected": _text("What would have been right"),
            "detail": _text("All of it in a sentence"),
        },
        optional=("song", "attribute"),
    )
    return _object(
        {
            "type": _text("The kind of problem, a URN"),
            "title": {"type": "string"},
            "status": {"type": "integer"},
            "detail": {"type": "string"},
            "errors": {"type": "array", "items": fault},
        },
        optional=("errors",),
    )


def _provenance() -> dict[str, Schema]:
    return {
        "dataset": {"type": "string"},
        "synthetic": {"type": "boolean", "description": "Whether the dataset's songs are made up"},
        "run_id": _text("The training run the answer comes from"),
    }


def _example(genres: Sequence[str]) -> dict[str, Any]:
    song: dict[str, Any] = {"danceability": 0.8, "energy": 0.7, "tempo": 120, "key": "A"}
    return {"songs": [song | ({"genre": genres[0]} if genres else {}), {"title": "Song (Live)"}]}


def _bounds(attribute: Attribute) -> Schema:
    unit = f", in {attribute.unit}" if attribute.unit else ""
    return _number(f"{attribute.meaning}{unit}", attribute.low, attribute.high)


def _number(meaning: str, low: float, high: float) -> Schema:
    return {"type": "number", "minimum": low, "maximum": high, "description": meaning}


def _text(meaning: str) -> Schema:
    return {"type": "string", "description": meaning}


def _optional(meaning: str) -> Schema:
    return _nullable(_text(meaning))


def _nullable(schema: Schema) -> Schema:
    return {**schema, "type": [schema["type"], "null"]}


def _object(properties: Mapping[str, Schema], *, optional: Sequence[str] = ()) -> Schema:
    return {
        "type": "object",
        "required": [name for name in properties if name not in optional],
        "properties": dict(properties),
    }


def _parameter(name: str, meaning: str) -> dict[str, Any]:
    return {
        "name": name,
        "in": "query",
        "required": False,
        "description": meaning,
        "schema": {"type": "string"},
    }


def _ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def _answered(meaning: str, schema: str) -> dict[str, Any]:
    return {"description": meaning, "content": {"application/json": {"schema": _ref(schema)}}}


def _problems(meanings: Mapping[str, str]) -> dict[str, Any]:
    """The answers that are problems, by status; each says so in one form."""
    headers = {
        "405": {"Allow": "The methods that are answered"},
        "503": {"Retry-After": "After how many seconds to ask again"},
    }
    return {
        status: {
            "description": meaning,
            **(
                {
                    "headers": {
                        name: {"description": about, "schema": {"type": "string"}}
                        for name, about in headers[status].items()
                    }
                }
                if status in headers
                else {}
            ),
            "content": {MEDIA_TYPE: {"schema": _ref("Problem")}},
        }
        for status, meaning in meanings.items()
    }
