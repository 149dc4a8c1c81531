"""What an ONNX file consists of, read from its bytes (protobuf) before a runtime trusts it.

Only the few fields that decide whether to open it: the operators' domains, tensors that lie in
other files, and the metadata. No weight is copied.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

_DEEPEST = 40
"""Graphs inside of graphs; a file that goes deeper is no model of anybody."""
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_MOST_VARINT = 10
_HERE = 0

# Field numbers of onnx.proto: what each kind of message holds of other messages.
_HOLDS: Mapping[str, Mapping[int, str]] = {
    "model": {7: "graph", 8: "opset", 14: "text", 25: "function"},
    "graph": {1: "node", 5: "tensor", 15: "sparse"},
    "function": {7: "node", 9: "opset", 11: "attribute"},
    "node": {5: "attribute"},
    "attribute": {5: "tensor", 6: "graph", 10: "tensor", 11: "graph", 22: "sparse", 23: "sparse"},
    "sparse": {1: "tensor", 2: "tensor"},
    "tensor": {},
    "opset": {},
    "text": {},
}
_DOMAIN = {"opset": 1, "node": 7, "function": 10}
_EXTERNAL_DATA, _LOCATION = 13, 14


@dataclass
class Contents:
    """Of one file."""

    graphs: int = 0
    """Graphs at any depth; a model has at least one."""
    domains: set[str] = field(default_factory=set)
    """Of operators and functions; "" is ONNX's own."""
    elsewhere: int = 0
    """Tensors whose values lie in other files."""
    props: dict[str, str] = field(default_factory=dict)
    """The metadata."""


def read_contents(data: bytes) -> Contents:
    """Contents of an ONNX file's bytes. Raises ValueError for what is no protobuf message."""
    found = Contents()
    _read(memoryview(data), "model", found, 0)
    return found


def _read(data: memoryview, kind: str, found: Contents, depth: int) -> None:
    if depth > _DEEPEST:
        raise ValueError("messages lie too deep in one another")
    found.graphs += kind == "graph"
    text: dict[int, str] = {}
    elsewhere = False
    for number, value in _fields(data):
        inner = _HOLDS[kind].get(number)
        if kind == "tensor" and (number, value) != (_LOCATION, _HERE):
            # Whatever else it says: readers cut the number to 32 bits, or look at the other field.
            elsewhere |= number in (_LOCATION, _EXTERNAL_DATA)
        if isinstance(value, int):
            continue
        if inner is not None:
            _read(value, inner, found, depth + 1)
        elif kind == "text" or number == _DOMAIN.get(kind):
            text[number] = bytes(value).decode()
    found.elsewhere += elsewhere
    if kind == "text":
        found.props[text.get(1, "")] = text.get(2, "")
    elif kind in _DOMAIN:
        found.domains.add(text.get(_DOMAIN[kind], ""))


def _fields(data: memoryview) -> Iterator[tuple[int, int | memoryview]]:
    """Number and value of each field of a message."""
    place = 0
    while place < len(data):
        tag, place = _varint(data, place)
        kind = tag & 7
        if kind == _VARINT:
            value, place = _varint(data, place)
            yield tag >> 3, value
            continue
        if kind == _BYTES:
            size, place = _varint(data, place)
        elif kind in (_FIXED64, _FIXED32):
            size = 8 if kind == _FIXED64 else 4
        else:
            raise ValueError(f"a field is of unknown kind {kind}")
        if size > len(data) - place:
            raise ValueError("it ends in the middle of a field")
        yield tag >> 3, data[place : place + size]
        place += size


def _varint(data: memoryview, place: int) -> tuple[int, int]:
    value = 0
    for index in range(_MOST_VARINT):
        if place + index >= len(data):
            raise ValueError("it ends in the middle of a number")
        byte = data[place + index]
        value |= (byte & 0x7F) << (7 * index)
        if byte < 0x80:
            return value, place + index + 1
    raise ValueError("a number is too long")
