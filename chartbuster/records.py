"""Stored JSON records: frozen dataclasses written to bytes, and read back with every type checked.

What comes out of a bucket may be cut short, older than this code or written by somebody else, so a
record is believed field by field or not at all.
"""

import dataclasses
import json
import math
import types
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Union, get_args, get_origin, get_type_hints

from chartbuster.errors import Corrupt

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


def to_json(record: "DataclassInstance") -> bytes:
    """`record` as indented JSON, the same bytes for equal records. Numbers must be finite."""
    text = json.dumps(
        dataclasses.asdict(record), indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False
    )
    return f"{text}\n".encode()


def from_json[T](kind: type[T], body: bytes, *, where: str) -> T:
    """The record of class `kind` in `body`; raises `Corrupt` naming `where` and the field.

    A field that `kind` does not know is ignored, so that an older program reads newer records, and
    one that is missing has its default where `kind` gives one, so that a newer reads older ones.
    """
    try:
        value = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Corrupt(f"{where} is not readable JSON: {error}") from error
    record: T = _value(kind, value, where)
    return record


def _value(wanted: Any, value: Any, where: str) -> Any:
    """`value` as the annotation `wanted` asks for it."""
    if dataclasses.is_dataclass(wanted):
        return _record(wanted, value, where)
    origin, arguments = get_origin(wanted), get_args(wanted)
    if origin in (Union, types.UnionType):
        return _one_of(arguments, value, where)
    if origin is tuple and isinstance(value, list):
        return tuple(_value(arguments[0], item, f"{where}[{n}]") for n, item in enumerate(value))
    if origin is Mapping and isinstance(value, dict):
        return {key: _value(arguments[1], item, f"{where}.{key}") for key, item in value.items()}
    if wanted is float and _is_number(value):
        return float(value)
    if wanted is int and isinstance(value, int) and not isinstance(value, bool):
        return value
    if wanted is Any or (wanted is str and isinstance(value, str)):
        return value
    if wanted is bool and isinstance(value, bool):
        return value
    expected = "text" if wanted is str else getattr(origin or wanted, "__name__", str(wanted))
    raise Corrupt(f"{where} is {_shown(value)}; expected {expected}")


def _one_of(wanted: tuple[Any, ...], value: Any, where: str) -> Any:
    if value is None and types.NoneType in wanted:
        return None
    kinds = [kind for kind in wanted if kind is not types.NoneType]
    for kind in kinds[:-1]:
        try:
            return _value(kind, value, where)
        except Corrupt:
            continue
    return _value(kinds[-1], value, where)


def _record(wanted: Any, value: Any, where: str) -> Any:
    if not isinstance(value, dict):
        raise Corrupt(f"{where} is {_shown(value)}; expected an object")
    hints = get_type_hints(wanted)
    fields = dataclasses.fields(wanted)
    missing = [field.name for field in fields if field.name not in value and not _optional(field)]
    if missing:
        raise Corrupt(f"{where} lacks {', '.join(missing)}")
    there = [field.name for field in fields if field.name in value]
    return wanted(**{name: _value(hints[name], value[name], f"{where}.{name}") for name in there})


def _optional(field: "dataclasses.Field[Any]") -> bool:
    missing = dataclasses.MISSING
    return field.default is not missing or field.default_factory is not missing


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:60]}…"
