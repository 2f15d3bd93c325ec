# SPDX-License-Identifier: Apache-2.0
"""Changes the weights of model folders that Sumi wrote, without other packages: fills those that
begin as zeros, and makes float32 to bfloat16 or float16."""
import array
import glob
import json
import os
import random
import shutil
import struct

PIECE = 1 << 24 # bytes at a time


def read_header(file):
    """The header of a safetensors file, which is then at its numbers."""
    return json.loads(file.read(struct.unpack("<Q", file.read(8))[0]))


def fill_file(path):
    draw = random.Random(1)
    numbers = array.array("f", (draw.gauss(0, 0.02) for _ in range(100003))).tobytes()
    with open(path, "r+b") as file:
        header = read_header(file)
        begin = file.tell()
        for name, tensor in header.items():
            if name == "__metadata__":
                continue
            first, end = (begin + offset for offset in tensor["data_offsets"])
            file.seek(first)
            if file.read(min(end - first, PIECE)).strip(b"\0"):
                continue
            file.seek(first)
            for at in range(first, end, len(numbers)):
                file.write(numbers[:end - at])


def fill_zeros(folder):
    """Fills weights that are zeros, as the last layers of a transformer are, with small numbers, for
    else its output is zero."""
    for path in glob.glob(os.path.join(folder, "**", "*.safetensors"), recursive=True):
        fill_file(path)


def to_bfloat16(piece):
    """The upper half of each number."""
    return array.array("H", piece)[1::2].tobytes()


def to_float16(piece):
    numbers = array.array("f", piece)
    return struct.pack(f"<{len(numbers)}e", *numbers)


TYPES = {"BF16": to_bfloat16, "F16": to_float16}


def narrow_file(source, target, dtype):
    """The safetensors file with each F32 tensor in that type of 16 bits."""
    with open(source, "rb") as file, open(target, "wb") as result:
        header = read_header(file)
        for name, tensor in header.items():
            if name == "__metadata__":
                continue
            if tensor["dtype"] != "F32":
                raise ValueError(f"{source}: {name} is of {tensor['dtype']}, not of F32")
            tensor["dtype"] = dtype
            tensor["data_offsets"] = [offset // 2 for offset in tensor["data_offsets"]]
        text = json.dumps(header).encode()
        text += b" " * (-len(text) % 8)
        result.write(struct.pack("<Q", len(text)) + text)
        while piece := file.read(PIECE):
            result.write(TYPES[dtype](piece))


def copy(source, target, dtype):
    """A copy of the folder with all weights in that type of 16 bits."""
    part = target + ".part"
    shutil.rmtree(part, ignore_errors=True)
    for folder, _, files in os.walk(source):
        to = os.path.join(part, os.path.relpath(folder, source))
        os.makedirs(to, exist_ok=True)
        for name in files:
            if name.endswith(".safetensors"):
                narrow_file(os.path.join(folder, name), os.path.join(to, name), dtype)
            elif name.endswith(".json"):
                shutil.copy(os.path.join(folder, name), to)
    os.replace(part, target)
