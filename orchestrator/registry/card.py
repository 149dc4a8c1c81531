"""The model card: what a person has to know before this model decides anything."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

import jinja2

from orchestrator.aggregation.selection import FIRST_PLANNED, ORACLE
from orchestrator.planning.reported_step import reported_step
from orchestrator.planning.trial import default_settings
from orchestrator.registry.curve import PICTURE, Point, some_of

ENOUGH_STEPS = 1350
"""Half of the paper's 2700: a model of fewer is called a short run."""

_CURVE_ROWS = 10
_PICTURES = (
    ("examples.png", "Test images with their anomaly maps, those that are hardest to tell first"),
    (PICTURE, "Training loss, all reported steps are in losses.csv"),
    ("foreground.png", "Where anomalies were simulated"),
)
_SAID = ("training.max_steps", "training.precision", "image.size")

_METRICS = (
    ("image_auroc", "image AUROC"),
    ("pixel_auroc", "pixel AUROC"),
    ("aupro", "AUPRO"),
    ("image_ap", "image AP"),
    ("pixel_ap", "pixel AP"),
    ("image_f1", "best image F1"),
    ("pixel_f1", "best pixel F1"),
)

_TEMPLATE = """\
# MemSeg for {{ category }}, version {{ key }}

A model that finds surface defects of one product line, {{ category }}. It was trained on normal
images only, with simulated anomalies (MemSeg, arXiv 2205.00908).

{% for warning in warnings %}
> **{{ warning }}**

{% endfor %}
## Figures on the test set

| metric | per cent |
|---|---:|
{% for name, value in metrics %}
| {{ name }} | {{ value }} |
{% endfor %}

- AUPRO is up to a false positive rate of {{ aupro_limit }}
{% for name, reason in undefined %}
- {{ name }} is not defined: {{ reason }}
{% endfor %}
{% if baseline is not none %}
- for comparison, image AUROC of the smallest pixel difference to the memory images: {{ baseline }}
{% endif %}
{% if synthetic is not none %}
- synthetic score, on simulated anomalies of held-out normal images: {{ synthetic }}
{% endif %}
{% for title, name in pictures %}

![{{ title }}]({{ name }})

{{ title }}.
{% endfor %}

## How it was made

- selection: {{ selection }}
{% if reported is not none %}
- reported step: {{ reported }}
{% endif %}
- steps {{ steps }}, seed {{ seed }}, precision {{ precision }}, image size {{ size }}
{% for name, value in grid %}
- {{ name }}: {{ value }}
{% endfor %}
{% for name, value in changed %}
- {{ name }}: {{ value }} (not the default)
{% endfor %}
- encoder weights: {{ encoder_weights }}
{% if warm_start is not none %}
- warm start from version {{ warm_start }} of {{ category }}: training began with its weights
{% endif %}
- trial {{ key }}, method version {{ method_version }}, code {{ git_commit }}

{% if curve %}
| step | loss | L1 | focal |
|---:|---:|---:|---:|
{% for point in curve %}
| {{ point|join(" | ") }} |
{% endfor %}

{% else %}
The training curve was not kept.

{% endif %}
All settings are in `config.json`, everything it was computed from in `provenance.json`.

## Data

- normal images of {{ category }}: {{ training_images }} trained on, {{ memory_samples }} in the
  memory, {{ held_out }} held out; their fingerprint is {{ train_fingerprint }}
- test images by their fingerprint: {{ test_fingerprint }}
- textures of simulated anomalies: {{ textures }}
- licence of the images: {{ licence }}

## Intended use

Images of this one product line, taken like those it was trained on: same camera, light, distance
and position. Image score: mean of the {{ top_pixels }} largest pixel scores of the anomaly map.

## Limits

{% if thresholds is not none %}
- `thresholds.json` holds thresholds that were chosen without test labels, which predictions use
  ({{ thresholds }}), and those of the best F1 *on the test set*, which are optimistic. See what
  they do on images of your own line before the model decides anything.
{% else %}
- `thresholds.json` holds the thresholds of the best F1 *on the test set*. They are optimistic:
  choose your own, on images of your own line, before the model decides anything.
{% endif %}
- A false positive rate is that of held-out normal images, which its trial was chosen by too: of a
  model that was the best of many the rate on new images is likely higher.
- It has seen no real defect. What no simulated anomaly resembles may be missed, and a change of
  light or position may be taken for a defect.
- An AUROC says how well scores are ordered, not how many defects a threshold finds.
- The other product lines need their own models.

## How to load it

```python
from memseg.config import MethodConfig, build
from memseg.model.network import restore_network
from memseg.storage import open_folder
from orchestrator.registry.registry import Registry
from safetensors.torch import load

version = Registry(open_folder("WORKSPACE/registry")).version("{{ category }}", "{{ key }}")
config = build(MethodConfig, version.read_json("config.json")["settings"])
# read() checks the sha256
network = restore_network(config, load(version.read("model.safetensors")))
anomaly_map = network.anomaly_map(images)  # (B, 3, {{ size }}, {{ size }}) RGB in [0, 1]
```
"""

_CARD = jinja2.Environment(
    undefined=jinja2.StrictUndefined, trim_blocks=True, keep_trailing_newline=True
).from_string(_TEMPLATE)


def render_card(
    result: Mapping[str, Any],
    selection: str,
    curve: Sequence[Point] = (),
    files: Collection[str] = (),
) -> str:
    """``MODEL_CARD.md`` of a trial's result. Pure. Needs all that ``result.json`` holds.

    ``curve``: its training curve; ``files``: names of the version's other files: pictures among
    them are shown.
    """
    settings, values = result["settings"], result["metrics"]
    synthetic, baseline = result.get("synthetic"), result.get("baseline_image_auroc")
    reasons = result.get("undefined") or {}
    text: str = _CARD.render(
        category=result["category"],
        key=result["key"],
        warnings=list(_warnings(result, selection)),
        metrics=[(name, _percent(values.get(key))) for key, name in _METRICS],
        undefined=[
            (name, _line(reasons.get(key, "no reason was recorded")))
            for key, name in _METRICS
            if values.get(key) is None
        ],
        baseline=None if baseline is None else _percent(baseline),
        synthetic=_percent(synthetic["score"]) if synthetic else None,
        aupro_limit=settings["evaluation.aupro_limit"],
        top_pixels=settings["evaluation.top_pixels"],
        selection=selection,
        reported=_reported(result.get("reported_step")),
        steps=result["steps"],
        seed=result["seed"],
        precision=result.get("precision"),
        size=settings["image.size"],
        thresholds=_thresholds(result.get("thresholds")),
        encoder_weights=result["encoder_weights"],
        warm_start=(result.get("warm_start") or {}).get("version"),
        textures=result["inputs"]["textures"],
        train_fingerprint=result["inputs"]["train_fingerprint"],
        test_fingerprint=result["inputs"]["test_fingerprint"],
        licence=_licence(result),
        pictures=[(title, name) for name, title in _PICTURES if name in files],
        curve=[
            (p.step, f"{p.loss:.4g}", f"{p.l1:.4g}", f"{p.focal:.4g}")
            for p in some_of(curve, _CURVE_ROWS)
        ],
        changed=list(_changed(settings, result.get("grid") or {})),
        memory_samples=len(result.get("memory_samples") or ()),
        held_out=len(result.get("held_out") or ()),
        training_images=result.get("training_images", "unknown"),
        method_version=result["method_version"],
        git_commit=result.get("git_commit") or "unknown",
        grid=sorted((result.get("grid") or {}).items()),
    )
    return text


def _warnings(result: Mapping[str, Any], selection: str) -> Iterator[str]:
    if result["encoder_weights"] == "random":
        yield "RANDOM ENCODER WEIGHTS: for tests and demonstrations only, not for products."
    elif result.get("bottleneck_weights") == "random":
        yield "RANDOM BLOCK 4: the encoder's file had no layer4; the bottleneck began from random."
    yield from _of_warm_start(result)
    chosen_by = selection.split(", ")[0]
    if chosen_by == ORACLE:
        yield "ORACLE SELECTION: this trial was chosen by the test set, so its figures flatter."
    if reported_step(result["settings"]).oracle:
        yield "ORACLE STEP: its step was chosen by the test set, so its figures flatter."
    if chosen_by == FIRST_PLANNED:
        yield "NOT CHOSEN: there was nothing to compare trials by; this is the first of the plan."
    if result["steps"] < ENOUGH_STEPS:
        yield f"SHORT RUN: {result['steps']} steps; the paper trains 2700."
    if any(result["metrics"].get(key) is None for key, _ in _METRICS):
        yield "METRICS MISSING: the test set does not define all of them, see below."


def _of_warm_start(result: Mapping[str, Any]) -> Iterator[str]:
    start, held_out = result.get("warm_start"), len(result.get("held_out") or ())
    if start is None or start["held_out_seen"] == 0:
        return
    count = start["held_out_seen"]
    yield (
        f"WARM START: {'an unknown number' if count is None else count} of the {held_out} held-out "
        f"images were known to version {start['version']}, so the synthetic score and the "
        "thresholds chosen on them flatter."
    )


def _reported(chosen: Mapping[str, Any] | None) -> str | None:
    """None where it is the last, which nobody chose."""
    if chosen is None:
        return None
    of = "the test set" if chosen["by"] == "test" else "synthetic validation"
    return f"{chosen['step']}, the best of {len(chosen['scores'])} on {of}"


def _changed(settings: Mapping[str, Any], grid: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Settings that are not the default; steps, size and the grid's are said anyway."""
    default = default_settings()
    for name, value in sorted(settings.items()):
        if name not in (*_SAID, *grid) and value != default.get(name):
            yield name, value


def _thresholds(chosen: Mapping[str, Any] | None) -> str | None:
    """Those that serve by default; None for a result of an earlier program, which has none."""
    if chosen is None:
        return None
    served = [
        f"{unit} {chosen['policies'][policy][unit]['threshold']:.4g} by {policy}"
        for unit, policy in chosen["default"].items()
        if policy
    ]
    return ", ".join(served) or "none"


def _licence(result: Mapping[str, Any]) -> str:
    if "data_licence" not in result:  # of an earlier program
        return "not recorded"
    found = result["data_licence"]
    if found is None:
        return "no licence file found"
    return _line(f"{found['file']}: {found['first_line'] or 'no text'}")


def _percent(value: float | None) -> str:
    return "not defined" if value is None else f"{100 * value:.2f}"


def _line(text: str) -> str:
    return " ".join(text.split())
