"""``python -m memseg.preview IMAGES --out FILE.png``: is a product's simulation sensible?

Foreground masks and simulated anomalies of a folder of normal images, before anything is
trained. Exit codes: 0 the picture is written; 2 the command or its input is wrong; 130
interrupted.
"""

from __future__ import annotations

import argparse
import json
import sys
import textwrap
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from memseg.command_line import OK, answered, file_to_write
from memseg.config import PRESETS, MethodConfig, documentation, known_names, resolve
from memseg.config.settings import unknown_setting
from memseg.errors import SettingError

if TYPE_CHECKING:
    from memseg.previewing.preview import Preview

GROUPS = ("image", "foreground", "simulation")
"""Settings of the method that change the picture."""


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command and returns its exit code."""

    def work() -> int:
        settings, rest = read_settings(sys.argv[1:] if argv is None else argv)
        arguments = _parser().parse_args(rest)
        preview = _preview(arguments, settings)
        sys.stdout.write("\n".join([*preview.said, f"written to {arguments.out}"]) + "\n")
        return OK

    return answered(work, "interrupted: nothing was written")


def read_settings(tokens: Sequence[str]) -> tuple[dict[str, Any], list[str]]:
    """Dotted options (``--group.name value`` or ``--group.name=value``), and what else there is.

    Values are text, or lists where they start with "[". Raises SettingError for a setting that is
    unknown or changes nothing here, and a value that is missing or no list.
    """
    every = known_names(MethodConfig)
    known = [name for name in every if name.partition(".")[0] in GROUPS]
    found: dict[str, Any] = {}
    others: list[str] = []
    left = list(tokens)
    while left:
        token = left.pop(0)
        name, equals, text = token.removeprefix("--").partition("=")
        if not token.startswith("--") or "." not in name:
            others.append(token)
            continue
        if name in every and name not in known:
            raise SettingError(
                f"{name} changes nothing in a preview: settings of {', '.join(GROUPS)} do"
            )
        if name not in known:
            raise unknown_setting(name, known)
        if not equals:
            if not left or left[0].startswith("--"):
                raise SettingError(f"--{name} needs a value")
            text = left.pop(0)
        found[name] = _value(name, text)
    return found, others


def _value(name: str, text: str) -> Any:
    if not text.lstrip().startswith("["):
        return text
    try:
        return json.loads(text)
    except ValueError as error:
        raise SettingError(f"--{name} is not a list like [1, 2]: {error}") from error


def _preview(arguments: argparse.Namespace, settings: Mapping[str, Any]) -> Preview:
    place, name = file_to_write(arguments.out, ".png")
    resolve(arguments.preset, "", settings)  # what is wrong with them, before images are read
    # PyTorch takes seconds to import: not for --help or a misspelt option.
    from memseg.data.textures import load_textures
    from memseg.previewing.images import category_of, normal_images
    from memseg.previewing.preview import make_preview
    from memseg.storage import open_folder

    category = category_of(arguments.images)
    config = resolve(arguments.preset, category, settings)
    textures = None if arguments.textures is None else open_folder(arguments.textures)
    images = normal_images(arguments.images, config.image.size)
    for folder in (arguments.images, images.location):  # of one file: the folder that it lies in
        _check_place(folder, place)
    preview = make_preview(
        images,
        load_textures(textures, config.image.size),
        config,
        arguments.rows,
        arguments.seed,
        notes=(
            f"settings: preset {arguments.preset}{f' for {category}' if category else ''}"
            + "".join(f", {name} {value}" for name, value in settings.items()),
            f"textures: {'drawn by the program' if textures is None else textures.location}; "
            f"seed {arguments.seed}",
        ),
    )
    open_folder(place).write(name, preview.png)
    return preview


def _check_place(images: str, place: str) -> None:
    """Raises SettingError where the picture would become one of the images."""
    from memseg.storage import local_path

    if "://" in images or "://" in place:
        return
    inside, written = local_path(images).resolve(), local_path(place).resolve()
    if inside in (written, *written.parents):
        raise SettingError(
            f"--out lies in the folder of images {inside}, where the picture would become one that "
            "is trained on: write it beside that folder"
        )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m memseg.preview",
        usage="%(prog)s IMAGES --out FILE.png [--textures DIR] [--preset NAME]\n"
        "           [--rows N] [--seed N] [--GROUP.NAME VALUE ...]",
        description="A picture of foreground masks and simulated anomalies of normal images, to\n"
        "look at before a product is trained.",
        epilog=_settings_help(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument(
        "images",
        metavar="IMAGES",
        help="a category's folder (its train/good or train/ok is taken) or any folder of normal "
        "images",
    )
    parser.add_argument("--out", required=True, metavar="FILE.png")
    parser.add_argument(
        "--textures", metavar="DIR", help="for textural anomalies (default: drawn by the program)"
    )
    parser.add_argument(
        "--preset", choices=tuple(PRESETS), default="default",
        help="settings to start from (default default); for a category's folder with what the "
        "preset knows of the category",
    )  # fmt: skip
    parser.add_argument(
        "--rows", type=_positive, default=6, metavar="N", help="examples (default 6, at most 40)"
    )
    parser.add_argument(
        "--seed", type=int, default=0, metavar="N", help="another one shows other examples"
    )
    return parser


def _settings_help() -> str:
    lines: Mapping[str, tuple[str, Any]] = documentation(MethodConfig)
    shown = [
        f"  --{name}  {list(default) if isinstance(default, tuple) else f'[{default}]'}\n"
        f"{_wrapped(doc)}"
        for name, (doc, default) in lines.items()
        if name.partition(".")[0] in GROUPS
    ]
    return "\n".join(
        ["settings of the method, by the same names as in job files:", *shown, "",
         "exit codes: 0 the picture is written, 2 the command or its input is wrong, 130 stopped"]
    )  # fmt: skip


def _wrapped(text: str) -> str:
    return textwrap.fill(text, 94, initial_indent=" " * 6, subsequent_indent=" " * 6)


def _positive(text: str) -> int:
    value = int(text)
    if not 1 <= value <= 40:
        raise argparse.ArgumentTypeError(f"must be from 1 to 40, got {value}")
    return value


if __name__ == "__main__":
    sys.exit(main())
