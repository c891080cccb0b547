"""Reads a decoded JSON value as a type of the user's own: a dataclass, a TypedDict, a pydantic model, or what these
hold.

Nothing is coerced: a number is no text. Members that a model does not have are passed over, so that a sender may add
some.
"""

from __future__ import annotations

import dataclasses
import enum
import types
import typing
from typing import TYPE_CHECKING, Any, Literal, Union, cast, get_args, get_origin, get_type_hints

if TYPE_CHECKING:
    from collections.abc import Mapping


class MismatchError(Exception):
    """A value that is not what the model says; its text says where."""


def read(model: Any, value: Any, where: str = "payload") -> Any:
    """The value as the model has it. Raises :class:`MismatchError`, or what a pydantic model raises."""
    if model is Any or model is object:
        return value
    if model is None or model is types.NoneType:
        return _plain(types.NoneType, value, where)
    if isinstance(model, typing.TypeVar):
        return value
    origin = get_origin(model)
    if origin is not None:
        return _generic(model, origin, value, where)
    validate = getattr(model, "model_validate", None)
    if validate is not None:
        return validate(value)
    if isinstance(model, type) and dataclasses.is_dataclass(cast("object", model)):
        return _dataclass(model, value, where)
    if hasattr(model, "__required_keys__") and hasattr(model, "__total__"):
        return _typed_dict(model, value, where)
    if isinstance(model, type) and issubclass(model, enum.Enum):
        try:
            return model(value)
        except ValueError:
            raise MismatchError(f"{where} is {_kind(value)} that {model.__name__} does not have") from None
    if model in _PLAIN:
        return _plain(model, value, where)
    if not isinstance(model, type) and callable(model):
        return model(value)
    raise MismatchError(f"{where}: {model!r} is no model that can be read from JSON; give one, or a function")


_PLAIN: dict[Any, str] = {
    str: "a text",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    types.NoneType: "null",
    dict: "an object",
    list: "a list",
}


def _kind(value: Any) -> str:
    return _PLAIN.get(type(value), type(value).__name__)


def _plain(model: Any, value: Any, where: str) -> Any:
    if type(value) is model or (model is float and type(value) is int):
        return value
    raise MismatchError(f"{where} is {_kind(value)}, and not {_PLAIN[model]}")


def _generic(model: Any, origin: Any, value: Any, where: str) -> Any:
    arguments = get_args(model)
    if origin is typing.Annotated or _mark(model) is not None:
        return read(arguments[0], value, where)
    if origin is Literal:
        if any(value == one and type(value) is type(one) for one in arguments):
            return value
        raise MismatchError(f"{where} is none of {', '.join(map(repr, arguments))}")
    if origin in (Union, types.UnionType):
        reasons: list[str] = []
        for one in arguments:
            try:
                return read(one, value, where)
            except (MismatchError, ValueError) as why:
                reasons.append(str(why))
        raise MismatchError("; ".join(reasons))
    if issubclass(origin, dict) or origin.__name__ == "Mapping":
        members = _object(value, where)
        return {name: read(arguments[1], member, f"{where}.{name}") for name, member in members.items()}
    if issubclass(origin, tuple):
        items = _plain(list, value, where)
        if len(arguments) == 2 and arguments[1] is ...:
            return tuple(read(arguments[0], item, f"{where}[{at}]") for at, item in enumerate(items))
        if len(items) != len(arguments):
            raise MismatchError(f"{where} has {len(items)} items, and not {len(arguments)}")
        return tuple(
            read(one, item, f"{where}[{at}]") for at, (one, item) in enumerate(zip(arguments, items, strict=True))
        )
    if issubclass(origin, list) or origin.__name__ == "Sequence":
        return [read(arguments[0], item, f"{where}[{at}]") for at, item in enumerate(_plain(list, value, where))]
    # A generic class of the user's own: its members as they are written down.
    return read(origin, value, where)


def _object(value: Any, where: str) -> Mapping[str, Any]:
    members: Mapping[str, Any] = _plain(dict, value, where)
    return members


def _dataclass(model: type[Any], value: Any, where: str) -> Any:
    members = _object(value, where)
    hints = get_type_hints(model, include_extras=True)
    given: dict[str, Any] = {}
    for field in dataclasses.fields(model):
        if not field.init:
            continue
        if field.name in members:
            given[field.name] = read(hints[field.name], members[field.name], f"{where}.{field.name}")
        elif field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING:
            raise MismatchError(f"{where}.{field.name} is missing")
    return model(**given)


def _mark(hint: Any) -> str | None:
    """``Required`` or ``NotRequired``: by name, since Python 3.10 has them in a package alone."""
    name = getattr(get_origin(hint), "_name", None)
    return name if name in ("Required", "NotRequired", "ReadOnly") else None


def _typed_dict(model: Any, value: Any, where: str) -> dict[str, Any]:
    members = _object(value, where)
    hints = get_type_hints(model, include_extras=True)
    given: dict[str, Any] = {}
    for name, hint in hints.items():
        if name in members:
            given[name] = read(hint, members[name], f"{where}.{name}")
        # `__required_keys__` does not see marks in annotations that are texts.
        elif _mark(hint) == "Required" or (_mark(hint) is None and name in model.__required_keys__):
            raise MismatchError(f"{where}.{name} is missing")
    return given
