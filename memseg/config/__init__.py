"""Settings of the method: frozen, documented, checked when made. Imports neither torch nor cv2."""

from memseg.config.method import METHOD_VERSION, MethodConfig
from memseg.config.presets import OBJECTS, PRESETS, TEXTURES, resolve
from memseg.config.settings import build, documentation, flatten, flatten_config, known_names

__all__ = [
    "METHOD_VERSION",
    "OBJECTS",
    "PRESETS",
    "TEXTURES",
    "MethodConfig",
    "build",
    "documentation",
    "flatten",
    "flatten_config",
    "known_names",
    "resolve",
]
