"""The command line as a mapping: ``--name value``, ``--name=value``, or ``--name`` for true."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from memseg.errors import SettingError
from orchestrator.job.layer import JOB_NAMES, METHOD_NAMES
from orchestrator.job.yaml_text import load_text

HELP = ("--help", "-h")
_TYPES = {**JOB_NAMES, **METHOD_NAMES}


def wants_help(argv: Sequence[str]) -> bool:
    """Whether the command line asks for help."""
    return any(token in HELP for token in argv)


def parse_arguments(argv: Sequence[str]) -> Mapping[str, Any]:
    """{name: value}; values are YAML (see yaml_text), and the last of equal names counts.

    Raises SettingError for what is not an option, a missing value, or a value that is not YAML.
    """
    found: dict[str, Any] = {}
    position = 0
    while position < len(argv):
        token = argv[position]
        position += 1
        if not token.startswith("--") or token == "--":
            raise SettingError(f"{token!r} is not an option: write --name value")
        name, equals, text = token[2:].partition("=")
        if equals:
            found[name] = _value(name, text)
        elif position < len(argv) and not argv[position].startswith("--"):
            found[name] = _value(name, argv[position])
            position += 1
        elif _TYPES.get(name) is bool:
            found[name] = "true"
        else:
            raise SettingError(f"--{name} needs a value")
    return found


def _value(name: str, text: str) -> Any:
    # A path or a name is taken as it stands: YAML would cut it at " #" or read "a: b".
    if name == "config" or _TYPES.get(name) in (str, str | None):
        return text
    return load_text(text, f"the value of --{name}")
