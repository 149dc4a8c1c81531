"""Encoder weights come from where they are said to come from, and fit."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.error import URLError

import pytest
import torch
import torchvision
from safetensors.torch import save as save_tensors

from memseg.config.encoder import encoder_identity
from memseg.errors import StorageError, WeightsError
from memseg.model.weights import EncoderWeights, load_encoder_weights

State = dict[str, Any]


@pytest.fixture(scope="module")
def resnet() -> State:
    """The state of a whole ResNet18."""
    return dict(torchvision.models.resnet18(weights=None).state_dict())


def saved(state: object) -> bytes:
    stream = io.BytesIO()
    torch.save(state, stream)
    return stream.getvalue()


def without(state: State, *starts: str) -> State:
    return {n: v for n, v in state.items() if not n.startswith(starts)}


@pytest.mark.parametrize("starts", [(), ("fc.",), ("layer4.", "fc.")])
def test_a_file_may_lack_layer4_as_a_whole_and_fc(
    tmp_path: Path, resnet: State, starts: tuple[str, ...]
) -> None:
    state = without(resnet, *starts) if starts else resnet
    path = tmp_path / "weights.pth"
    path.write_bytes(saved(state))
    found = load_encoder_weights(str(path))
    assert found.has_layer4 == ("layer4." not in starts)
    assert found.identity == "sha256:" + hashlib.sha256(path.read_bytes()).hexdigest()
    assert found.identity == encoder_identity(str(path))
    assert found.state is not None
    assert all(torch.equal(found.state[name], value) for name, value in state.items())


def test_a_file_may_lack_counters_that_eval_mode_never_reads(resnet: State) -> None:
    state = {n: v for n, v in resnet.items() if not n.endswith("num_batches_tracked")}
    assert load_encoder_weights("weights.pth", saved(state)).has_layer4


def test_safetensors_are_read_too(resnet: State) -> None:
    found = load_encoder_weights("weights.safetensors", save_tensors(resnet))
    assert found.state is not None
    assert torch.equal(found.state["conv1.weight"], resnet["conv1.weight"])


def test_random_is_said_to_be_random() -> None:
    assert load_encoder_weights("random") == EncoderWeights("random", None)
    assert encoder_identity("random") == "random"
    assert not load_encoder_weights("random").has_layer4


def test_imagenet_is_identified_without_a_download() -> None:
    assert encoder_identity("imagenet") == "imagenet:f37072fd"
    url = torchvision.models.ResNet18_Weights.IMAGENET1K_V1.url
    assert url.endswith("resnet18-f37072fd.pth")


def test_a_failed_download_is_a_message(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: object, **kwargs: object) -> None:
        raise URLError("no route to host")

    monkeypatch.setattr(torchvision.models.ResNet18_Weights, "get_state_dict", fail)
    with pytest.raises(StorageError, match=r"no route to host.*--encoder_weights FILE"):
        load_encoder_weights("imagenet")


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda s: without(s, "layer2.0.conv1"), "1 missing: layer2.0.conv1.weight"),
        (lambda s: without(s, "layer2."), r"missing: layer2\.0\.conv1\.weight, .*, …"),
        (lambda s: without(s, "layer4.1."), "missing: layer4.1.conv1.weight"),
        (lambda s: {f"module.{n}": v for n, v in s.items()}, "unexpected: module.conv1.weight"),
        (
            lambda s: {**s, "conv1.weight": torch.zeros(64, 1, 7, 7)},
            r"conv1\.weight is \(64, 1, 7, 7\), not \(64, 3, 7, 7\)",
        ),
        (
            lambda s: {**s, "conv1.weight": s["conv1.weight"] * torch.inf},
            "not finite: conv1.weight",
        ),
        (lambda s: {"state_dict": s}, "state_dict.*'state_dict'"),
        (lambda s: list(s.values()), "state_dict.*list"),
        (lambda s: {0: s["conv1.weight"]}, "mapping of names"),
        (lambda s: Path("pickled"), "not a file of weights"),
    ],
)
def test_a_file_that_does_not_fit_is_refused_by_name(
    resnet: State, spoil: Callable[[State], object], words: str
) -> None:
    with pytest.raises(WeightsError, match=f"(?s)weights.pth.*{words}"):
        load_encoder_weights("weights.pth", saved(spoil(resnet)))


@pytest.mark.parametrize("name", ["weights.pth", "weights.safetensors"])
@pytest.mark.parametrize("data", [b"", b"not weights", b"PK\x03\x04", bytes(100)])
def test_a_file_that_holds_no_weights_is_refused(name: str, data: bytes) -> None:
    with pytest.raises(WeightsError, match=f"{name} is not a file of weights"):
        load_encoder_weights(name, data)


@pytest.mark.parametrize("name", ["weights.pth", "weights.safetensors"])
def test_a_truncated_file_is_refused(resnet: State, name: str) -> None:
    data = saved(resnet) if name.endswith("pth") else save_tensors(resnet)
    with pytest.raises(WeightsError, match=f"{name} is not a file of weights"):
        load_encoder_weights(name, data[: len(data) // 2])


@pytest.mark.parametrize("read", [load_encoder_weights, encoder_identity])
def test_a_file_that_is_not_there_is_a_message(
    tmp_path: Path, read: Callable[[str], object]
) -> None:
    for source in (str(tmp_path / "none.pth"), str(tmp_path), f"{tmp_path}/none/none.pth"):
        with pytest.raises(StorageError, match="cannot be read"):
            read(source)


def test_a_bare_file_name_means_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "weights.pth").write_bytes(b"content")
    monkeypatch.chdir(tmp_path)
    expected = "sha256:" + hashlib.sha256(b"content").hexdigest()
    assert encoder_identity("weights.pth") == expected
    assert encoder_identity(str(tmp_path / "weights.pth")) == expected
