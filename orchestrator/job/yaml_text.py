"""YAML in which a scalar is the text that stands there.

YAML 1.1 makes 1 of the category 01, false of the category no, and text of the number 3e-5.
Here plain scalars stay text, but for null; each setting's type decides what the text means
(memseg.config.settings.convert). A key that stands twice in a mapping is refused, where YAML
would keep the last without a word. Nothing but mappings, lists, text and
null can come out.
"""

from __future__ import annotations

from typing import Any

import yaml

from memseg.errors import SettingError

_NULL, _MERGE = "tag:yaml.org,2002:null", "tag:yaml.org,2002:merge"
_KINDS = (None, _NULL, *(f"tag:yaml.org,2002:{kind}" for kind in ("str", "seq", "map")))


class _TextLoader(yaml.SafeLoader):
    """SafeLoader that guesses no types."""

    yaml_implicit_resolvers = {  # noqa: RUF012  as in the base class
        first: [(tag, pattern) for tag, pattern in resolvers if tag in (_NULL, _MERGE)]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }
    # Explicit tags (!!int, !!set) would bring the other kinds back.
    yaml_constructors = {  # noqa: RUF012  as in the base class
        tag: made for tag, made in yaml.SafeLoader.yaml_constructors.items() if tag in _KINDS
    }

    def compose_mapping_node(self, anchor: Any) -> yaml.MappingNode:
        # Before merges (<<) are made part of the mapping, which then may hold a name twice.
        node = super().compose_mapping_node(anchor)
        seen: set[str] = set()
        for key_node, _ in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                raise _refused("a name must be plain text", key_node)
            if key_node.value in seen:
                raise _refused(f"{key_node.value!r} stands here twice", key_node)
            seen.add(key_node.value)
        return node

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        mapping = super().construct_mapping(node, deep=deep)
        if None in mapping:
            raise _refused("a name must not be empty or null", node)
        return mapping


def _refused(reason: str, node: yaml.Node) -> yaml.constructor.ConstructorError:
    return yaml.constructor.ConstructorError(None, None, reason, node.start_mark)


def load_text(text: str | bytes, source: str) -> Any:
    """The document as mappings, lists, text and None. ``source`` names it in errors.

    Raises SettingError with line and column for what is not YAML.
    """
    try:
        return yaml.load(text, Loader=_TextLoader)  # noqa: S506  derived from SafeLoader
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        raise SettingError(f"{source} is not usable YAML: {_where(error)}") from error


def _where(error: Exception) -> str:
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark is not None:
        mark = error.problem_mark
        return f"line {mark.line + 1}, column {mark.column + 1}: {error.problem}"
    if isinstance(error, RecursionError):
        return "nested too deeply"
    return " ".join(str(error).split())
