"""What the app tells a program about its datasets and models: values in, JSON objects out."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from chartbuster import wording
from chartbuster.answers import Answer, as_json
from chartbuster.registry import ModelEntry
from chartbuster.runs import Inputs
from chartbuster.scoring import LETTERS
from chartbuster.songs import AUDIO, RELEASE_YEAR, Attribute
from webapp.states import Showing, Shown


def predictions(shown: Shown, model: str, answers: Sequence[Answer]) -> dict[str, Any]:
    """The answers about some songs, and where they come from."""
    sure = next((answer.sureness for answer in answers if answer.sureness), None)
    return {
        **_provenance(shown),
        "model": model,
        "interval": sure.interval if sure else None,
        "hit_from": sure.hit_from if sure else None,
        "songs": [as_json(answer) for answer in answers],
    }


def model(shown: Shown, state: Showing) -> dict[str, Any]:
    """The models of a run, what a song may be for them, and what else could be asked."""
    run, champion = shown.run, shown.champion
    return {
        **_provenance(shown),
        "created": run.created,
        "dataset_version": run.dataset_version,
        "songs": run.songs,
        "artists": run.artists,
        "champion": {
            "run_id": champion.run_id,
            "model": champion.model,
            "since": champion.since,
            "reason": champion.reason,
        },
        "models": [_entry(entry, asked_first=shown.model) for entry in run.models],
        "inputs": _inputs(run.inputs),
        "datasets": [found.dataset for found in state.datasets],
    }


def _provenance(shown: Shown) -> dict[str, Any]:
    return {
        "dataset": shown.dataset,
        "synthetic": wording.is_synthetic(shown.dataset),
        "run_id": shown.run.run_id,
    }


def _entry(entry: ModelEntry, *, asked_first: str) -> dict[str, Any]:
    return {
        "name": entry.name,
        "title": entry.title,
        "asked_first": entry.name == asked_first,
        "new_artists": asdict(entry.new_artists) if entry.new_artists else None,
        "known_artists": asdict(entry.known_artists) if entry.known_artists else None,
    }


def _inputs(inputs: Inputs) -> dict[str, Any]:
    letters = {"key": inputs.key, "mode": inputs.mode, "time_signature": inputs.time_signature}
    seen = dict(inputs.audio)
    if inputs.release_year:
        seen[RELEASE_YEAR.name] = inputs.release_year
    return {
        "numbers": [
            {**_number(attribute), "seen": asdict(seen[attribute.name])}
            for attribute in (*AUDIO, RELEASE_YEAR)
            if attribute.name in seen
        ],
        "choices": [
            {"name": name, "choices": list(choices), "default": letters[name]}
            for name, choices in LETTERS.items()
            if letters[name] is not None
        ],
        "genres": list(inputs.genres),
        "genre_defaults": {name: dict(of) for name, of in inputs.genre_defaults.items()},
    }


def _number(attribute: Attribute) -> dict[str, Any]:
    return {
        "name": attribute.name,
        "meaning": attribute.meaning,
        "unit": attribute.unit or None,
        "minimum": attribute.low,
        "maximum": attribute.high,
    }
