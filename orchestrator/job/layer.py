"""What one source sets, a job file or a command line, sorted by kind; and two put together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from memseg.config import MethodConfig, flatten, known_names
from memseg.config.settings import convert, unknown_setting
from memseg.errors import SettingError
from orchestrator.job.job import Axis
from orchestrator.job.settings import JobConfig

JOB_NAMES = known_names(JobConfig)
METHOD_NAMES = known_names(MethodConfig)
_BOTH = {**JOB_NAMES, **METHOD_NAMES}
_SPECIAL = ("config", "grid", "per_category")

Names = tuple[str, ...]


@dataclass(frozen=True)
class Layer:
    """Settings of one source; all names are known and values have their types."""

    job: dict[str, Any] = field(default_factory=dict)
    method: dict[str, Any] = field(default_factory=dict)
    grid: dict[Names, Axis | None] = field(default_factory=dict)
    """None drops the axis of that name from a lower layer."""
    whole_grid: bool = False
    """``grid`` was set as one value: nothing of a lower layer's grid stays."""
    per_category: dict[str, dict[str, Any]] = field(default_factory=dict)


def make_layer(tree: Mapping[str, Any]) -> Layer:
    """Sorts a mapping as job files write it; names may be nested, dotted or both.

    Raises SettingError for unknown names, for one name set twice and for wrong types.
    """
    layer = Layer()
    whole_grid = False
    for name, value in tree.items():
        head, _, rest = name.partition(".")
        if head == "grid":
            whole_grid = whole_grid or not rest
            for axis_names, axis in _axes(rest, value).items():
                _put(layer.grid, axis_names, axis, f"grid.{','.join(axis_names)}")
        elif head == "per_category":
            for category, settings in _per_category(rest, value).items():
                row = layer.per_category.setdefault(category, {})
                for setting_name, setting_value in settings.items():
                    full = f"per_category.{category}.{setting_name}"
                    _put(row, setting_name, setting_value, full)
        else:
            for setting_name, setting_value in _open(name, value).items():
                typed = convert(setting_name, setting_value, _BOTH[setting_name])
                kind = layer.job if setting_name in JOB_NAMES else layer.method
                _put(kind, setting_name, typed, setting_name)
    return replace(layer, whole_grid=whole_grid)


def merge(lower: Layer, higher: Layer) -> Layer:
    """Both together; where both set a thing the higher wins."""
    per_category = {category: dict(row) for category, row in lower.per_category.items()}
    for category, row in higher.per_category.items():
        per_category.setdefault(category, {}).update(row)
    grid: dict[Names, Axis | None] = {} if higher.whole_grid else dict(lower.grid)
    for names, axis in higher.grid.items():
        same = [other for other in grid if set(other) == set(names)]
        for other in same:
            # Its place in the order stays, so that a changed list does not reorder trials.
            grid[other] = axis
        if not same:
            grid[names] = axis
    return Layer(
        {**lower.job, **higher.job}, {**lower.method, **higher.method}, grid, False, per_category
    )


def axes(layer: Layer) -> tuple[Axis, ...]:
    """The grid's axes. Raises SettingError where two of them move one setting."""
    kept = tuple(axis for axis in layer.grid.values() if axis is not None)
    owner: dict[str, Axis] = {}
    for axis in kept:
        for name in axis.names:
            if name in owner:
                raise SettingError(
                    f"{name} is in two axes of the grid, {owner[name].name!r} and {axis.name!r}; "
                    f"drop one with --grid.{owner[name].name} null"
                )
            owner[name] = axis
    return kept


def _put(into: dict[Any, Any], name: Any, value: Any, full: str) -> None:
    if name in into:
        raise SettingError(f"{full} is set twice in one place")
    into[name] = value


def _open(name: str, value: Any) -> dict[str, Any]:
    """A setting or a group of settings to {dotted name: value}."""
    if name in _SPECIAL:
        raise SettingError(f"{name} is for the command line only")
    if name not in _BOTH and any(known.startswith(f"{name}.") for known in _BOTH):
        if value is None:
            return {}
        if not isinstance(value, Mapping):
            raise SettingError(f"{name} is a group of settings, a mapping is needed, got {value!r}")
    _check_names(value, name)
    suggestions = {**_BOTH, **dict.fromkeys(_SPECIAL)}
    return flatten({name: value}, suggestions)


def _check_names(value: Any, where: str) -> None:
    if isinstance(value, Mapping):
        for key in value:
            if not isinstance(key, str):
                raise SettingError(f"{where}: a name must be text, got {key!r}")


def _axes(name: str, value: Any) -> dict[Names, Axis | None]:
    """The axes in ``grid.<name>: value``; name "" is the whole grid."""
    names = tuple(part.strip() for part in name.split(",")) if name else ()
    if names and (len(names) > 1 or names[0] in METHOD_NAMES):
        return {names: _axis(names, value)}
    if value is None and not name:
        return {}
    is_group = not name or any(known.startswith(f"{name}.") for known in METHOD_NAMES)
    if not is_group:
        raise _unknown_axis(name)
    if not isinstance(value, Mapping):
        raise SettingError(
            f"grid{'.' if name else ''}{name} must be a mapping from settings to lists, "
            f"got {value!r}"
        )
    found: dict[Names, Axis | None] = {}
    for key, inner in value.items():
        for axis_names, axis in _axes(f"{name}.{key}" if name else str(key), inner).items():
            _put(found, axis_names, axis, f"grid.{','.join(axis_names)}")
    return found


def _axis(names: Names, value: Any) -> Axis | None:
    full = f"grid.{','.join(names)}"
    for name in names:
        if name not in METHOD_NAMES:
            raise _unknown_axis(name)
    if len(set(names)) < len(names):
        raise SettingError(f"{full} names a setting twice")
    if value is None or value == []:
        return None
    if not isinstance(value, list):
        raise SettingError(f"{full} must be a list of values, got {value!r}")
    return Axis(names, tuple(_axis_value(names, full, i, item) for i, item in enumerate(value)))


def _axis_value(names: Names, full: str, index: int, item: Any) -> tuple[Any, ...]:
    if len(names) == 1:
        return (convert(f"{full}[{index}]", item, METHOD_NAMES[names[0]]),)
    if not isinstance(item, list) or len(item) != len(names):
        raise SettingError(f"{full}[{index}] must be a list of {len(names)} values, got {item!r}")
    return tuple(
        convert(f"{full}[{index}] ({name})", part, METHOD_NAMES[name])
        for name, part in zip(names, item)
    )


def _unknown_axis(name: str) -> SettingError:
    return unknown_setting(f"grid.{name}", (f"grid.{known}" for known in METHOD_NAMES))


def _per_category(name: str, value: Any) -> dict[str, dict[str, Any]]:
    """{category: settings} of ``per_category.<name>: value``; name "" is all of it."""
    if not name:
        if value is None:
            return {}
        if not isinstance(value, Mapping):
            raise SettingError(
                f"per_category must be a mapping from categories to settings, got {value!r}"
            )
        return {str(key): _category_settings(str(key), inner) for key, inner in value.items()}
    # A category's name may hold dots: "a.b.memory.samples" is memory.samples of "a.b".
    parts = name.split(".")
    for cut in range(1, len(parts)):
        rest = ".".join(parts[cut:])
        if rest in METHOD_NAMES:
            category = ".".join(parts[:cut])
            return {category: _category_settings(category, {rest: value})}
    if isinstance(value, Mapping) or value is None:
        return {name: _category_settings(name, value)}
    raise unknown_setting(
        f"per_category.{name}", (f"per_category.{parts[0]}.{known}" for known in METHOD_NAMES)
    )


def _category_settings(category: str, value: Any) -> dict[str, Any]:
    where = f"per_category.{category}"
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise SettingError(f"{where} must be a mapping of settings, got {value!r}")
    _check_names(value, where)
    settings: dict[str, Any] = {}
    for key, inner in value.items():
        if key in JOB_NAMES:
            raise SettingError(f"{where}: {key} is a setting of the whole job, not of a category")
        for name, raw in flatten({key: inner}, METHOD_NAMES).items():
            _put(settings, name, convert(f"{where}.{name}", raw, METHOD_NAMES[name]), name)
    return settings
