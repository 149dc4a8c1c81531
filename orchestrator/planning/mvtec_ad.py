"""MVTec AD as it is published: how many images, so that its costs can be told without them."""

from __future__ import annotations

from collections.abc import Mapping

from orchestrator.planning.inventory import CategoryInventory, Inventory

IMAGES: Mapping[str, tuple[int, int, int]] = {
    "carpet": (280, 28, 89),
    "grid": (264, 21, 57),
    "leather": (245, 32, 92),
    "tile": (230, 33, 84),
    "wood": (247, 19, 60),
    "bottle": (209, 20, 63),
    "cable": (224, 58, 92),
    "capsule": (219, 23, 109),
    "hazelnut": (391, 40, 70),
    "metal_nut": (220, 22, 93),
    "pill": (267, 26, 141),
    "screw": (320, 41, 119),
    "toothbrush": (60, 12, 30),
    "transistor": (213, 60, 40),
    "zipper": (240, 32, 119),
}
"""Category -> images of train/good, test/good and all other test folders."""

DTD_IMAGES = 5640
"""Of the Describable Textures Dataset."""


def published_inventory() -> Inventory:
    """All fifteen categories with made-up contents: for costs, never to train from."""
    return Inventory(
        tuple(_category(name, *counts) for name, counts in IMAGES.items()),
        textures="sha256:" + "0" * 64,
        texture_images=DTD_IMAGES,
        encoder_weights="imagenet:published",
    )


def _category(name: str, normal: int, test_normal: int, test_anomalous: int) -> CategoryInventory:
    return CategoryInventory(
        category=name,
        normal=normal,
        test_normal=test_normal,
        test_anomalous=test_anomalous,
        has_masks=True,
        train_fingerprint=f"published train images of {name}",
        test_fingerprint=f"published test images of {name}",
        train_hashes=tuple(f"{name}/{index:03d}" for index in range(normal)),
    )
