"""Settings: fields of frozen dataclasses that are documented, typed and checked when made.

A setting's dotted name ("loss.focal_gamma") is its group's field name in ``MethodConfig``
and its own. The same names serve YAML files, the command line, grids and error messages.
"""

from __future__ import annotations

import contextlib
import dataclasses
import difflib
import math
import types
import typing
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal, TypeVar, Union

from memseg.errors import SettingError

T = TypeVar("T")


def setting(
    default: T,
    doc: str,
    *,
    low: float | None = None,
    high: float | None = None,
    above: float | None = None,
) -> T:
    """A dataclass field with a line of documentation and its limits.

    ``low`` and ``high`` are inclusive, ``above`` is exclusive; for a tuple they hold for
    each element.
    """
    limits = {"low": low, "high": high, "above": above}
    made: T = field(default=default, metadata={"doc": doc, **limits})
    return made


@dataclass(frozen=True)
class Group:
    """A group of settings; raises SettingError when made with a value out of its range."""

    NAME: ClassVar[str] = ""

    def __post_init__(self) -> None:
        for spec in dataclasses.fields(self):
            name = f"{self.NAME}.{spec.name}" if self.NAME else spec.name
            hint = type_of(type(self), spec.name)
            if dataclasses.is_dataclass(hint):
                continue
            value = getattr(self, spec.name)
            checked = convert(name, value, hint)
            _check_limits(name, checked, spec.metadata)
            if checked is not value:
                object.__setattr__(self, spec.name, checked)


_HINTS: dict[type, dict[str, Any]] = {}


def type_of(owner: type, name: str) -> Any:
    """The resolved type annotation of a field."""
    if owner not in _HINTS:
        _HINTS[owner] = typing.get_type_hints(owner)
    return _HINTS[owner][name]


def known_names(owner: type, prefix: str = "") -> dict[str, Any]:
    """Dotted names of all settings below a dataclass, with their types, in field order."""
    names: dict[str, Any] = {}
    for spec in dataclasses.fields(owner):
        hint = type_of(owner, spec.name)
        if isinstance(hint, type) and dataclasses.is_dataclass(hint):
            names.update(known_names(hint, f"{prefix}{spec.name}."))
        else:
            names[prefix + spec.name] = hint
    return names


_KNOWN: dict[type, dict[str, Any]] = {}


def _known_names(owner: type) -> Mapping[str, Any]:
    if owner not in _KNOWN:
        _KNOWN[owner] = known_names(owner)
    return _KNOWN[owner]


def documentation(owner: type, prefix: str = "") -> dict[str, tuple[str, Any]]:
    """Dotted name -> (line of documentation, default) of all settings below a dataclass."""
    lines: dict[str, tuple[str, Any]] = {}
    for spec in dataclasses.fields(owner):
        hint = type_of(owner, spec.name)
        if isinstance(hint, type) and dataclasses.is_dataclass(hint):
            lines.update(documentation(hint, f"{prefix}{spec.name}."))
        else:
            lines[prefix + spec.name] = (spec.metadata.get("doc", ""), spec.default)
    return lines


def unknown_setting(name: str, known: Iterable[str], kind: str = "setting") -> SettingError:
    """The error for a name that is not a setting (or preset), with the nearest one that is."""
    near = difflib.get_close_matches(name, list(known), n=1, cutoff=0.5)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    return SettingError(f"unknown {kind} {name!r}{hint}")


def flatten(tree: Mapping[str, Any], known: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested mappings to dotted names: {"loss": {"focal_gamma": 4}} -> {"loss.focal_gamma": 4}.

    Only mappings that are not a setting's own value are opened. Raises SettingError for a
    name that is not in ``known``.
    """
    flat: dict[str, Any] = {}
    for key, value in tree.items():
        name = f"{prefix}{key}"
        if name in known:
            flat[name] = value
        elif isinstance(value, Mapping) and any(k.startswith(name + ".") for k in known):
            flat.update(flatten(value, known, name + "."))
        else:
            raise unknown_setting(name, known)
    return flat


def flatten_config(config: Any, prefix: str = "") -> dict[str, Any]:
    """A configuration made of dataclasses to {dotted name: value}, in field order."""
    flat: dict[str, Any] = {}
    for spec in dataclasses.fields(config):
        value = getattr(config, spec.name)
        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            flat.update(flatten_config(value, f"{prefix}{spec.name}."))
        else:
            flat[prefix + spec.name] = value
    return flat


def build(owner: type[T], flat: Mapping[str, Any], prefix: str = "") -> T:
    """A configuration dataclass from {dotted name: value}; what is absent keeps its default.

    Raises SettingError for unknown names, wrong types and values out of range.
    """
    if not prefix:
        known = _known_names(owner)
        for name in flat:
            if name not in known:
                raise unknown_setting(name, known)
    values: dict[str, Any] = {}
    for spec in dataclasses.fields(owner):  # type: ignore[arg-type]
        hint = type_of(owner, spec.name)
        name = prefix + spec.name
        if isinstance(hint, type) and dataclasses.is_dataclass(hint):
            values[spec.name] = build(hint, flat, name + ".")
        elif name in flat:
            values[spec.name] = convert(name, flat[name], hint)
    return owner(**values)


def convert(name: str, value: Any, hint: Any) -> Any:
    """A value as its setting's type, from Python, YAML or the text of a command line.

    Text is accepted for numbers ("3e-5", which YAML 1.1 reads as text) and booleans; nothing
    that would lose information is. Raises SettingError.
    """
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin in (Union, types.UnionType):
        inner = [a for a in args if a is not type(None)]
        none_allowed = len(inner) < len(args)
        if value is None or (none_allowed and value in ("null", "none", "None", "~")):
            if none_allowed:
                return None
            raise SettingError(f"{name} must not be empty")
        return convert(name, value, inner[0])
    if origin is Literal:
        if value is False and "off" in args:  # YAML 1.1 reads off as false
            return "off"
        if value not in args:
            raise SettingError(f"{name} must be one of {', '.join(map(str, args))}, got {value!r}")
        return value
    if origin is tuple:
        return _convert_tuple(name, value, args)
    if hint is bool:
        return _convert_bool(name, value)
    if hint is int:
        return _convert_int(name, value)
    if hint is float:
        return _convert_float(name, value)
    if hint is str:
        if isinstance(value, (Mapping, list, tuple)) or value is None:
            raise SettingError(f"{name} must be text, got {value!r}")
        return str(value)
    return value


def _convert_tuple(name: str, value: Any, args: tuple[Any, ...]) -> tuple[Any, ...]:
    if not isinstance(value, (list, tuple)):
        raise SettingError(f"{name} must be a list, got {value!r}")
    items = list(value)
    if len(args) == 2 and args[1] is Ellipsis:
        return tuple(convert(f"{name}[{i}]", v, args[0]) for i, v in enumerate(items))
    if len(items) != len(args):
        raise SettingError(f"{name} must be a list of {len(args)} values, got {items!r}")
    return tuple(convert(f"{name}[{i}]", v, a) for i, (v, a) in enumerate(zip(items, args)))


def _convert_bool(name: str, value: Any) -> bool:
    if isinstance(value, bool):
        return value
    text = str(value).lower()
    if text in ("true", "false"):
        return text == "true"
    raise SettingError(f"{name} must be true or false, got {value!r}")


def _convert_int(name: str, value: Any) -> int:
    number = _whole(name, value)
    if not -(2**63) <= number < 2**63:
        raise SettingError(f"{name} must be a whole number of at most 64 bits, got {number}")
    return number


def _whole(name: str, value: Any) -> int:
    try:
        if isinstance(value, bool):
            raise ValueError
        if isinstance(value, str):
            # Digits first: a float would lose those of a long seed. "3e2" is a number too.
            with contextlib.suppress(ValueError):
                return int(value)
        number = float(value) if not isinstance(value, int) else value
        if number != int(number):
            raise ValueError
        return int(number)
    except (TypeError, ValueError, OverflowError):
        raise SettingError(f"{name} must be a whole number, got {value!r}") from None


def _convert_float(name: str, value: Any) -> float:
    try:
        if isinstance(value, bool):
            raise ValueError
        number = float(value)
    except OverflowError:
        raise SettingError(f"{name} must be a finite number, got one that is too large") from None
    except (TypeError, ValueError):
        raise SettingError(f"{name} must be a number, got {value!r}") from None
    if not math.isfinite(number):
        raise SettingError(f"{name} must be a finite number, got {value!r}")
    return number


def _check_limits(name: str, value: Any, limits: Mapping[str, Any]) -> None:
    if isinstance(value, tuple):
        for item in value:
            _check_limits(name, item, limits)
        return
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return
    low, high, above = limits.get("low"), limits.get("high"), limits.get("above")
    if low is not None and value < low:
        raise SettingError(f"{name} must be at least {low}, got {value}")
    if high is not None and value > high:
        raise SettingError(f"{name} must be at most {high}, got {value}")
    if above is not None and value <= above:
        raise SettingError(f"{name} must be above {above}, got {value}")
