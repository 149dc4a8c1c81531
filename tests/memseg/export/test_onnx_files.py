"""Opening files: what they say about themselves, and those that are refused."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper
from onnxruntime.capi import onnxruntime_pybind11_state as raised

from memseg.errors import DataError, ExportError
from memseg.export.metadata import FORMAT, Metadata, from_props, preprocessing
from memseg.export.onnx_model import OnnxModel
from memseg.export.to_onnx import MOST_BYTES, to_onnx, with_metadata
from memseg.export.wire import read_contents

Describe = Callable[..., Metadata]


def someone_elses(domain: str = "", size: int = 64) -> onnx.ModelProto:
    """A small valid model that is not one of this program."""
    node = helper.make_node("Identity", ["images"], ["anomaly_map"], domain=domain)
    shape = ["batch", 3, size, size]
    graph = helper.make_graph(
        [node],
        "g",
        [helper.make_tensor_value_info("images", TensorProto.UINT8, shape)],
        [helper.make_tensor_value_info("anomaly_map", TensorProto.UINT8, shape)],
        [helper.make_tensor("weight", TensorProto.FLOAT, [2], [1.0, 2.0])],
    )
    opsets = [helper.make_opsetid("", 20)] + [helper.make_opsetid(domain, 1)] * bool(domain)
    return helper.make_model(graph, opset_imports=opsets, ir_version=10)


def refused(data: bytes, match: str) -> None:
    with pytest.raises(ExportError, match=match) as caught:
        OnnxModel.from_bytes(data, "line7.onnx")
    assert "line7.onnx" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_says_what_it_is(exported: bytes, tmp_path: Path) -> None:
    (tmp_path / "screw.onnx").write_bytes(exported)
    model = OnnxModel(tmp_path / "screw.onnx", threads=1)
    assert (model.category, model.version, model.size) == ("screw", "aaaa0001", 64)
    assert model.top_pixels == 100
    assert model.thresholds == {"image_threshold": 0.3, "pixel_threshold": None}
    assert model.metadata.parity is None
    props = read_contents(exported).props
    assert json.loads(props["memseg.preprocessing"]) == preprocessing(64)
    assert json.loads(props["memseg.precision"]) == {"trained": "fp32", "exported": "fp32"}
    assert json.loads(props["memseg.image_score"])["pixels"] == 100
    assert json.loads(props["memseg.settings"])["image.size"] == 64


def test_a_file_holds_all_it_needs_and_nothing_of_this_machine(exported: bytes) -> None:
    contents = read_contents(exported)
    assert contents.domains == {""}
    assert contents.elsewhere == 0
    assert b"/memseg/" not in exported
    assert str(Path.home()).encode() not in exported
    onnx.checker.check_model(onnx.load_model_from_string(exported))


def test_metadata_survive_and_replace_those_before(metadata_of: Describe) -> None:
    given_ = metadata_of(
        category="каска 01", parity={"images": 2}, thresholds={"ä": None}, warnings=("old",)
    )
    data = with_metadata(someone_elses().SerializeToString(), metadata_of())
    props = read_contents(with_metadata(data, given_)).props
    assert from_props(props, "x") == given_
    del props["memseg.warnings"]  # as files of before have it
    assert from_props(props, "x").warnings == ()


@pytest.mark.parametrize("change", [
    {"category": "\x1b[2J"}, {"category": "a/b"}, {"version": "../x"},
    {"preprocessing": '{"size": 1e999}'}, {"image_score": '{"pixels": Infinity}'},
    {"thresholds": "[" * 100_000}, {"settings": "3"}, {"warnings": '"none"'},
    {"warnings": '["\\u001b[2J"]'},
], ids=lambda change: str(change)[:40])  # fmt: skip
def test_metadata_made_by_someone_else_are_one_message(
    metadata_of: Describe, change: dict[str, str]
) -> None:
    props = metadata_of().to_props() | {f"memseg.{name}": v for name, v in change.items()}
    with pytest.raises(ExportError, match=r"line7\.onnx has damaged metadata"):
        from_props(props, "line7.onnx")


@pytest.mark.parametrize("kind", ["whole images", "an impossible step"])
def test_a_file_that_says_it_is_a_model_and_gives_no_maps_is_one_message(
    metadata_of: Describe, kind: str
) -> None:
    nodes = [
        helper.make_node("Cast", ["images"], ["floats"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMean", ["floats", "axes"], ["image_score"], keepdims=0),
        helper.make_node("Reshape", ["floats", "shape"], ["anomaly_map"]),
    ]
    shape = [0, 3, 64, 64] if kind == "whole images" else [7, 64, 64]
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("images", TensorProto.UINT8, ["batch", 3, 64, 64])],
        [
            helper.make_tensor_value_info("anomaly_map", TensorProto.FLOAT, None),
            helper.make_tensor_value_info("image_score", TensorProto.FLOAT, ["batch"]),
        ],
        [
            helper.make_tensor("axes", TensorProto.INT64, [3], [1, 2, 3]),
            helper.make_tensor("shape", TensorProto.INT64, [len(shape)], shape),
        ],
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
    model = OnnxModel.from_bytes(with_metadata(made.SerializeToString(), metadata_of()), "l7.onnx")
    with pytest.raises(ExportError, match=r"l7\.onnx (gives anomaly_map of|cannot be run)"):
        model.maps(np.zeros((2, 3, 64, 64), np.uint8))


def test_no_memory_is_not_called_a_wrong_file(
    model: OnnxModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Full:
        def run(self, *_: object) -> None:
            raise raised.Fail("Failed to allocate memory for requested buffer of size 1073741824")

    monkeypatch.setattr(model, "_session", Full())
    with pytest.raises(MemoryError, match="requested buffer"):
        model.maps(np.zeros((2, 3, model.size, model.size), np.uint8))


def test_images_that_do_not_fit_are_named(model: OnnxModel) -> None:
    for images in (
        np.zeros((1, 3, 32, 32), np.uint8),
        np.zeros((3, 64, 64), np.uint8),
        np.zeros((1, 64, 64, 3), np.uint8),
        np.zeros((1, 3, 64, 64), np.float32),
    ):
        with pytest.raises(DataError, match=r"uint8 \(B, 3, 64, 64\)"):
            model.maps(images)


def test_no_images_give_no_maps(model: OnnxModel) -> None:
    found = model.run(np.zeros((0, 3, 64, 64), np.uint8))
    assert found.maps.shape == (0, 64, 64)
    assert found.samples is not None
    assert found.samples.shape == (0, 3)


def test_images_may_lie_in_memory_in_any_way(
    model: OnnxModel, images: npt.NDArray[np.uint8]
) -> None:
    other = np.ascontiguousarray(images.transpose(0, 2, 3, 1)).transpose(0, 3, 1, 2)
    np.testing.assert_array_equal(model.maps(other), model.maps(images))


@pytest.mark.parametrize("data", [b"", b"not a model", b"\x89PNG\r\n\x1a\n" * 9, b"\x00" * 50])
def test_what_is_no_onnx_file(data: bytes) -> None:
    refused(data, "not an ONNX file")


def test_a_truncated_file(exported: bytes) -> None:
    refused(exported[: len(exported) // 2], "is damaged: it ends in the middle")


def test_someone_elses_model() -> None:
    refused(someone_elses().SerializeToString(), "not one that this program exported")


def test_a_newer_format(metadata_of: Describe) -> None:
    model = someone_elses()
    helper.set_model_props(model, {**metadata_of().to_props(), "memseg.format": str(FORMAT + 1)})
    refused(model.SerializeToString(), f"format '{FORMAT + 1}', this program reads {FORMAT}")


@pytest.mark.parametrize(
    ("key", "value"),
    [("thresholds", "{"), ("preprocessing", "{}"), ("settings", "3"), ("image_score", "[]")],
)
def test_damaged_metadata(metadata_of: Describe, key: str, value: str) -> None:
    model = someone_elses()
    helper.set_model_props(model, {**metadata_of().to_props(), f"memseg.{key}": value})
    refused(model.SerializeToString(), "damaged metadata")


def test_operators_of_others(metadata_of: Describe) -> None:
    data = with_metadata(someone_elses("com.microsoft").SerializeToString(), metadata_of())
    refused(data, r"not ONNX's own \(com.microsoft\)")


def test_weights_in_other_files(metadata_of: Describe) -> None:
    model = someone_elses()
    tensor = model.graph.initializer[0]
    tensor.ClearField("float_data")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="../../etc/passwd")
    refused(with_metadata(model.SerializeToString(), metadata_of()), "keeps 1 tensors in other")


@pytest.mark.parametrize(
    "field",
    [b"\x70\x01", b"\x70\x81\x80\x80\x80\x10", b"\x70\x02", b"\x6a\x00"],
    ids=["1", "2**32 + 1, which readers cut to 1", "unknown", "only the place"],
)
def test_whatever_else_says_that_weights_are_in_other_files(field: bytes) -> None:
    tensor = helper.make_tensor("weight", TensorProto.FLOAT, [1], [1.0]).SerializeToString()
    for end, expected in ((b"", 0), (b"\x70\x00", 0), (field, 1), (2 * field, 1)):
        inner = tensor + end
        graph = b"\x2a" + bytes([len(inner)]) + inner
        found = read_contents(b"\x3a" + bytes([len(graph)]) + graph)
        assert (found.graphs, found.elsewhere) == (1, expected)


def test_another_signature_than_the_metadata_say(metadata_of: Describe) -> None:
    refused(with_metadata(someone_elses().SerializeToString(), metadata_of()), "image_score")
    data = someone_elses(size=32).SerializeToString()
    refused(with_metadata(data, metadata_of()), "images of 64 pixels")


def test_what_onnxruntime_cannot_open(metadata_of: Describe) -> None:
    model = someone_elses()
    model.graph.node[0].op_type = "NoSuchOperator"
    refused(with_metadata(model.SerializeToString(), metadata_of()), "cannot open")


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(ExportError, match=r"cannot read .*none\.onnx: No such file"):
        OnnxModel(tmp_path / "none.onnx")


def test_a_memory_too_large_for_one_file(
    network: Any, metadata_of: Describe, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert MOST_BYTES < 2**31
    monkeypatch.setattr("memseg.export.to_onnx.MOST_BYTES", 1000)
    with pytest.raises(ExportError, match="--format torch"):
        to_onnx(network, metadata_of())


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=60), st.integers(0, 400), st.binary(max_size=4))
def test_any_bytes_are_read_or_are_a_value_error(junk: bytes, at: int, replaced: bytes) -> None:
    whole = someone_elses("x").SerializeToString()
    for data in (junk, whole[:at] + replaced + whole[at + len(replaced) :], whole[:at]):
        with contextlib.suppress(ValueError):
            read_contents(data)
