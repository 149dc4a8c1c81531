"""Whether a warm start helps a product line that got more images. Prints; asserts nothing.

    python tests/benchmarks/bench_warm_start.py --root DIR --category NAME [--added 20]
        [--champion_steps 2700] [--steps 100 300 900 2700] [--seeds 0] [--work DIR]
        [--NAME VALUE ...]

Some normal images are kept back; a champion is trained without them, by the retrain command itself.
Then they are added, and the line is trained again for each number of steps, afresh and from its
champion: each is a training of its own with its own schedule of learning rates. All other settings
are orchestrator.retrain's (--encoder_weights FILE, --textures DIR, --resources.threads N, ...).

unseen: synthetic score on held-out images that neither the new model nor the champion knows, the
one to compare by. synthetic: on all that the new model holds out; after a warm start the champion
was trained on some of them ("known"), so that it flatters. The champion's own figures on the same
images stand in the first row of each seed.
"""

from __future__ import annotations

import argparse
import random
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from memseg.storage import open_folder
from orchestrator.registry.registry import Registry
from orchestrator.retrain.__main__ import main as retrain
from orchestrator.running.judging import IMAGE, PIXEL, SYNTHETIC

AFRESH, WARM = "afresh", "warm"


def split(root: Path, category: str, train: str, added: int, work: Path) -> tuple[Path, Path]:
    """Data roots before and after ``added`` normal images came, chosen at random."""
    before, after = work / "before", work / "after"
    for place in (before, after):
        shutil.copytree(root / category, place / category)
    files = sorted(path for path in (before / category / train).iterdir() if path.is_file())
    for path in random.Random(0).sample(files, added):
        path.unlink()
    return before, after


def run(root: Path, workspace: Path, steps: int, seed: int, settings: Sequence[str]) -> None:
    """One look of orchestrator.retrain at the data root."""
    code = retrain([
        "--data.root", str(root), "--workspace", str(workspace), "--executor", "inline",
        "--training.max_steps", str(steps), "--seeds", f"[{seed}]", "--retrain.settings", "job",
        *settings,
    ])  # fmt: skip
    if code:
        sys.exit(f"orchestrator.retrain ended with {code}")


def rows(
    roots: tuple[Path, Path], category: str, work: Path, arguments: argparse.Namespace,
    settings: Sequence[str],
) -> Iterator[dict[str, Any]]:  # fmt: skip
    """A row a training, the champion's before those that are compared with it."""
    for seed in arguments.seeds:
        champion = work / f"champion-{seed}"
        run(roots[0], champion, arguments.champion_steps, seed, settings)
        for steps in arguments.steps:
            for start in (AFRESH, WARM):
                workspace = work / f"{start}-{steps}-{seed}"
                for part in ("registry", "contents"):
                    shutil.copytree(champion / part, workspace / part)
                warm = ["--warm_start", str(start == WARM).lower()]
                run(roots[1], workspace, steps, seed, [*settings, *warm])
                yield from _found(workspace, category, seed, steps, start)


def _found(
    workspace: Path, category: str, seed: int, steps: int, start: str
) -> Iterator[dict[str, Any]]:
    registry = Registry(open_folder(workspace).sub("registry"))
    *_, change = registry.history(category)
    if change.evidence is None:
        sys.exit(f"{workspace}: the new model was not judged")
    figures = change.evidence["figures"]
    old = change.before.champion
    (new,) = set(figures) - {old}
    for version, label in ((old, "champion"), (new, start)):
        about = registry.version(category, version)
        synthetic = about.read_json("metrics.json")["synthetic"]
        provenance = about.read_json("provenance.json")
        known = (provenance.get("warm_start") or {}).get("held_out_seen", 0)
        yield {
            "seed": seed, "start": label, "steps": steps if version == new else "-",
            "unseen": figures[version][SYNTHETIC],
            "synthetic": synthetic["score"] if synthetic else None,
            "known": f"{known}/{len(provenance['held_out'] or ())}",
            "image AUROC": figures[version][IMAGE], "pixel AUROC": figures[version][PIXEL],
        }  # fmt: skip


def shown(value: Any) -> str:
    """A cell."""
    if value is None:
        return "-"
    return f"{100 * value:.2f}" if isinstance(value, float) else str(value)


def main() -> None:
    """Runs all trainings and prints a row each."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--root", type=Path, required=True)
    parser.add_argument("--category", required=True)
    parser.add_argument("--train", default="train/good", help="folder of the normal images")
    parser.add_argument("--added", type=int, default=20)
    parser.add_argument("--champion_steps", type=int, default=2700)
    parser.add_argument("--steps", type=int, nargs="+", default=[100, 300, 900, 2700])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--work", type=Path, help="an empty folder that is kept; else a temporary")
    arguments, settings = parser.parse_known_args()
    with tempfile.TemporaryDirectory() as temporary:
        work = arguments.work or Path(temporary)
        roots = split(arguments.root, arguments.category, arguments.train, arguments.added, work)
        table = list(rows(roots, arguments.category, work, arguments, settings))
    print(" | ".join(table[0]))
    said = set()
    for row in table:
        line = " | ".join(shown(value) for value in row.values())
        if row["start"] != "champion" or line not in said:
            print(line)
        said.add(line)


if __name__ == "__main__":
    main()
