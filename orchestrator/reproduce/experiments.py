"""Every experiment that ``reproduce`` offers, in the paper's order. A new one is one more here."""

from __future__ import annotations

from collections.abc import Mapping

from orchestrator.reproduce.curve import make_curve
from orchestrator.reproduce.experiment import BTAD, MVTEC_AD, Experiment, Row
from orchestrator.reproduce.pictures import (
    make_attention,
    make_edges,
    make_feature_space,
    make_localisation,
    make_simulation,
)
from orchestrator.reproduce.speed import make_speed
from orchestrator.reproduce.tables import make_ablation, make_per_category
from orchestrator.reproduce.toy import make_toy

_ON, _OFF = "✓", ""
_WHOLE = Row("all", weights=True)
"""The job's own settings, whose networks the pictures show."""
_FOCAL: Mapping[str, float] = {"loss.l1_weight": 0.0}

TABLE_1 = Experiment(
    "table1",
    "Table 1: MVTec AD, each category",
    MVTEC_AD,
    (_WHOLE,),
    make_per_category,
    from_results=True,
    only_its_data=True,
    remarks=(
        "the paper's figures in lines of averages are computed from its categories, the last line "
        "has what it prints; of its columns MemSeg's pixel one gives 98.85, SPADE's 95.83, "
        "CutPaste's 92.07 / 95.71 and P-SVDD's 95.24 / 95.97",
    ),
)

TABLE_2 = Experiment(
    "table2", "Table 2: BeanTech AD, each category", BTAD, (_WHOLE,), make_per_category,
    from_results=True, only_its_data=True,
)  # fmt: skip

TABLE_3 = Experiment(
    "table3",
    "Table 3: components of the anomaly simulation",
    MVTEC_AD,
    (
        Row("without texture", ("w/o texture",), {"simulation.texture_share": 0.0}),
        Row("without structure", ("w/o structure",), {"simulation.texture_share": 1.0}),
        Row("without foreground", ("w/o foreground",), {"foreground.mode": "off"}),
        Row("all", ("all",), weights=True),
    ),
    make_ablation,
    from_results=True,
    headings=("simulation",),
    remarks=(
        "w/o texture: all anomalies are structural; w/o structure: all are textural; w/o "
        "foreground: anomalies anywhere, which changes nothing in a category whose foreground is "
        "off in the full method too",
    ),
)

TABLE_4 = Experiment(
    "table4",
    "Table 4: loss functions",
    MVTEC_AD,
    (
        Row("L1", (_ON, _OFF), {"loss.focal_weight": 0.0}),
        Row("focal", (_OFF, _ON), _FOCAL, weights=True),  # figure 7 shows it
        Row("L1 and focal", (_ON, _ON), weights=True),
    ),
    make_ablation,
    from_results=True,
    headings=("L1", "focal"),
    remarks=("a loss alone keeps its lambda",),
)


def _components(name: str, memory: bool, multi_scale: bool, spatial: bool, coordinate: bool) -> Row:
    on = (memory, multi_scale, spatial, coordinate)
    # Written out also where they are as in the whole method, so that a job that has one of them
    # off does not change what a row of table 5 is.
    settings = dict(zip(_COMPONENTS.values(), on))
    return Row(name, tuple(_ON if one else _OFF for one in on), settings, weights=all(on))


_COMPONENTS: Mapping[str, str] = {
    "memory": "model.memory",
    "multi-\nscale": "model.multi_scale",
    "spatial\nattention": "model.spatial_attention",
    "coordinate\nattention": "model.coordinate_attention",
}

TABLE_5 = Experiment(
    "table5",
    "Table 5: module components",
    MVTEC_AD,
    (
        _components("none", False, False, False, False),
        _components("memory", True, False, False, False),
        _components("without spatial attention", True, True, False, True),
        _components("without coordinate attention", True, True, True, False),
        _components("without multi-scale", True, False, True, True),
        _components("all", True, True, True, True),
    ),
    make_ablation,
    from_results=True,
    headings=tuple(_COMPONENTS),
    remarks=(
        "without memory the network sees the image's features alone; the images that would be the "
        "memory are left out of training all the same",
    ),
)

TABLE_6 = Experiment(
    "table6",
    "Table 6: toy dataset of regular shapes, with figure 10",
    MVTEC_AD,
    (_WHOLE,),
    make_toy,
    pictures="figure10",
)

FIGURE_3 = Experiment(
    "figure3",
    "Figure 3: steps of the anomaly simulation",
    MVTEC_AD,
    (Row("all"),),
    make_simulation,
    remarks=("nothing is trained for it",),
    trains=False,
)

FIGURE_5 = Experiment(
    "figure5", "Figure 5: anomaly maps of each type of defect", MVTEC_AD, (_WHOLE,),
    make_localisation,
)  # fmt: skip

FIGURE_6 = Experiment(
    "figure6", "Figure 6: normal, simulated and real in feature space", MVTEC_AD, (_WHOLE,),
    make_feature_space, pages=True,
)  # fmt: skip

FIGURE_7 = Experiment(
    "figure7",
    "Figure 7: edges with and without the L1 loss",
    MVTEC_AD,
    (Row("focal", settings=_FOCAL, weights=True), _WHOLE),
    make_edges,
    remarks=("without the L1 loss: table 4's row of the focal loss alone",),
)

SAMPLES = (1, 15, 30, 70)

FIGURE_8 = Experiment(
    "figure8",
    "Figure 8: number of memory samples",
    MVTEC_AD,
    tuple(
        # The number is meant as it stands: no share of the normal images may cut it. With 30 it is
        # the whole method of preset paper.
        Row(str(n), (str(n),), {"memory.samples": n, "memory.most_share": 1.0})
        for n in SAMPLES
    ),
    make_curve,
    from_results=True,
    headings=("memory\nsamples",),
    needs_memory=True,
    leaves_out=("screw", "toothbrush"),
    remarks=("the paper's figure is a drawing, none of its values is printed",),
)

FIGURE_9 = Experiment(
    "figure9", "Figure 9: from differences to spatial attention", MVTEC_AD, (_WHOLE,),
    make_attention, needs_memory=True,
)  # fmt: skip

SPEED = Experiment("speed", "Section 4.8: inference speed", MVTEC_AD, (_WHOLE,), make_speed)

EXPERIMENTS: tuple[Experiment, ...] = (
    TABLE_1, TABLE_2, TABLE_3, TABLE_4, TABLE_5, TABLE_6,
    FIGURE_3, FIGURE_5, FIGURE_6, FIGURE_7, FIGURE_8, FIGURE_9,
    SPEED,
)  # fmt: skip
