# SPDX-License-Identifier: Apache-2.0
"""The floor of a workload: the least time by the operations and bytes of its ops, as its profile counts
them, and the measured limits of the machine."""
import re

CACHE = 2 << 20 # bytes that are near a processor


def saves_by_winograd(row):
    """Whether it is a 3x3 convolution of stride one, or a gradient of one."""
    shapes = [text.split(", ") for text in re.findall(r"\[([^]]*)\]", row["shapes"])]
    kernels = [shape for shape in shapes if shape[2:] == ["3", "3"]]
    sides = {shape[1] for shape in shapes if len(shape) == 4 and shape not in kernels}
    return bool(kernels) and len(sides - {"1"}) == 1 # 1: a number for each item and channel


def least_times(row, machine, bf16):
    """The least time of a profile's row by its counts and the machine's limits: computed as defined,
    and with 3x3 convolutions by Winograd's F(4x4, 3x3), which needs a quarter of the multiplications
    (Lavin and Gray 2016). Data that fit a cache cost no bytes of memory."""
    peak = max(machine["f32_flops"], machine["bf16_flops"] if bf16 else 0)
    fits = row["bytes"] / row["calls"] < CACHE * machine["threads"]
    memory = 0 if fits else row["bytes"] / machine["bytes_per_second"]
    products = row["flop"] / peak
    return max(products, memory), max(products / 4 if saves_by_winograd(row) else products, memory)


def summarise(profile, machine, bf16):
    """The floor of a run, and its profile op by op: figures per run."""
    least = {"flop": 0, "bytes": 0, "direct": 0, "winograd": 0}
    ops, steps = {}, profile["steps"]
    for row in profile["rows"]:
        direct, winograd = least_times(row, machine, bf16)
        op = ops.setdefault(row["op"], dict.fromkeys(
            ["calls", "seconds", "flop", "bytes", "direct", "winograd"], 0))
        for name, value in {**row, "direct": direct, "winograd": winograd}.items():
            if name in op:
                op[name] += value / steps
            if name in least:
                least[name] += value / steps
    rows = [{"op": name, **op} for name, op in ops.items()]
    return least, sorted(rows, key=lambda row: -row["seconds"])
