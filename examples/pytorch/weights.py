"""state_dicts as safetensors files, without the package `safetensors`. Where you have that,
safetensors.torch.load_file and save_file do the same."""

import json
import struct

import torch

TYPES = {"F32": torch.float32, "I64": torch.int64}
NAMES = {kind: name for name, kind in TYPES.items()}


def load(path):
    """The header's length in 8 bytes, a header in JSON, then the tensors' bytes."""
    with open(path, "rb") as file:
        header = json.loads(file.read(*struct.unpack("<Q", file.read(8))))
        data = bytearray(file.read())
    header.pop("__metadata__", None)
    tensors = {}
    for name, entry in sorted(header.items(), key=lambda item: item[1]["data_offsets"]):
        start, end = entry["data_offsets"]
        flat = torch.frombuffer(data[start:end], dtype=TYPES[entry["dtype"]])
        tensors[name] = flat.reshape(entry["shape"])
    return tensors


def save(tensors, path):
    """Floats as float32: it is what the trainer reads."""
    header, parts, at = {}, [], 0
    for name, tensor in tensors.items():
        tensor = tensor.detach().cpu()
        if tensor.is_floating_point():
            tensor = tensor.float()
        part = tensor.contiguous().numpy().tobytes()
        place = [at, at + len(part)]
        header[name] = {"dtype": NAMES[tensor.dtype], "shape": list(tensor.shape), "data_offsets": place}
        parts.append(part)
        at += len(part)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + b"".join(parts))
