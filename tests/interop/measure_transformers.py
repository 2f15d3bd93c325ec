# SPDX-License-Identifier: Apache-2.0
"""Measures reference values of diffusion transformers with diffusers and torch, and writes
tests/data/transformers.json, which build/tests/nets_vectors_test runs. A tool for maintainers; no
test runs it.

    python tests/interop/measure_transformers.py tests/data/transformers.json

Weights are filled by the rules "mix" and "small" of tests/data/README.md.
"""
import json
import math
import sys

import diffusers
import numpy
import torch
from diffusers import (DiTTransformer2DModel, PixArtTransformer2DModel, SD3Transformer2DModel,
                       Transformer2DModel)

torch.set_num_threads(1)
TINY = {"num_attention_heads": 2, "attention_head_dim": 12, "in_channels": 3, "num_layers": 2,
        "sample_size": 8, "patch_size": 2}
DIT = {**TINY, "out_channels": 6, "num_embeds_ada_norm": 5}
PIXART = {**TINY, "out_channels": 6, "cross_attention_dim": 24, "caption_channels": 10}
SD3 = {**TINY, "out_channels": 3, "joint_attention_dim": 10, "caption_projection_dim": 24,
       "pooled_projection_dim": 14, "pos_embed_max_size": 7}


def x(*shape):
    return {"shape": list(shape), "formula": "cos(0.3*j+0.0)", "gradient": True}


def wave(factor, *shape):
    return {"shape": list(shape), "formula": "cos(%g*j+0.5)" % factor}


def values(*numbers):
    return {"shape": list(numpy.shape(numbers)), "values": list(numbers)}


TIMES = values(10, 500)
IN = {"hidden_states": x(2, 3, 8, 8), "timestep": TIMES}
CLASSES = {**IN, "class_labels": values(2, 5)}
TEXT = {**IN, "encoder_hidden_states": wave(0.2, 2, 5, 10)}
MASK = {"encoder_attention_mask": values([1, 1, 1, 1, 1], [1, 1, 0, 0, 0])}
POOLED = {**TEXT, "pooled_projections": wave(0.15, 2, 14)}
SIZE = {"resolution": values([256.0, 192.0], [512.0, 512.0]), "aspect_ratio": values([0.75], [1.0])}

# id: (class, config, inputs)
ROWS = {
    "dit without biases of attention": (DiTTransformer2DModel, {**DIT, "attention_bias": False},
                                        CLASSES),
    "dit with affine norms, exact gelu": (DiTTransformer2DModel, {
        **DIT, "norm_elementwise_affine": True, "norm_eps": 1e-3, "activation_fn": "gelu"}, CLASSES),
    "dit with geglu": (DiTTransformer2DModel, {**DIT, "activation_fn": "geglu"}, CLASSES),
    "dit with swiglu, channels as given": (DiTTransformer2DModel, {
        **DIT, "activation_fn": "swiglu", "out_channels": None}, CLASSES),
    "dit with quick gelu, patch 4": (DiTTransformer2DModel, {
        **DIT, "activation_fn": "geglu-approximate", "patch_size": 4, "num_layers": 1}, CLASSES),
    "dit with silu, one head": (DiTTransformer2DModel, {
        **DIT, "activation_fn": "linear-silu", "num_attention_heads": 1}, CLASSES),
    "dit under its older name": (Transformer2DModel, {
        **DIT, "norm_type": "ada_norm_zero", "attention_bias": True,
        "norm_elementwise_affine": False, "activation_fn": "gelu-approximate"}, CLASSES),
    "pixart with the size of pictures": (PixArtTransformer2DModel, {
        **PIXART, "use_additional_conditions": True}, {**TEXT, **MASK, **SIZE}),
    "pixart without projection, no mask": (PixArtTransformer2DModel, {
        **PIXART, "caption_channels": None, "cross_attention_dim": 10, "out_channels": None}, TEXT),
    "pixart with scaled positions, another size": (PixArtTransformer2DModel, {
        **PIXART, "interpolation_scale": 2, "norm_elementwise_affine": True},
        {**TEXT, **MASK, "hidden_states": x(2, 3, 12, 6)}),
    "sd3 with rms norms of heads": (SD3Transformer2DModel, {**SD3, "qk_norm": "rms_norm"}, POOLED),
    "sd3 with layer norms of heads": (SD3Transformer2DModel, {**SD3, "qk_norm": "layer_norm"},
                                      POOLED),
    "sd3 with two attentions": (SD3Transformer2DModel, {
        **SD3, "qk_norm": "rms_norm", "dual_attention_layers": [0], "num_layers": 3}, POOLED),
    "sd3 not square": (SD3Transformer2DModel, {**SD3, "dual_attention_layers": [1]},
                       {**POOLED, "hidden_states": x(2, 3, 6, 14)}),
    "sd3 of one block": (SD3Transformer2DModel, {**SD3, "num_layers": 1}, POOLED),
}


def mix(n, count):
    h = (numpy.arange(count, dtype=numpy.uint64) + numpy.uint64(n * 0x9E3779B9)) & 0xFFFFFFFF
    h = h.astype(numpy.uint32)
    for shift, factor in ((16, 0x7FEB352D), (15, 0x846CA68B)):
        h = (h ^ (h >> shift)) * numpy.uint32(factor)
    h ^= h >> 16
    return math.sqrt(3) * (2 * (h + 0.5) / 2.0**32 - 1)


def fill(model, small):
    state = model.state_dict()
    for n, name in enumerate(sorted(state)):
        tensor, s = state[name], mix(n, state[name].numel())
        if tensor.ndim >= 2:
            s = s / math.sqrt(tensor.numel() / tensor.shape[0]) * (0.02 if small else 1)
        elif name.endswith(".weight"):
            s = 1 + 0.1 * s
        else:
            s = s * (0.002 if small else 0.1)
        tensor.copy_(torch.from_numpy(s.astype(numpy.float32)).reshape(tensor.shape))


def array(given):
    if "values" in given:
        return torch.tensor(given["values"])
    factor, shift = given["formula"][4:-1].split("*j+")
    j = numpy.arange(math.prod(given["shape"]), dtype=numpy.float64)
    flat = numpy.cos(float(factor) * j + float(shift)).astype(numpy.float32)
    return torch.from_numpy(flat).reshape(given["shape"]).requires_grad_("gradient" in given)


def figures(tensor):
    flat = tensor.detach().double().flatten()
    return {"shape": list(tensor.shape), "sum": flat.sum().item(),
            "mean_abs": flat.abs().mean().item(), "rms": flat.pow(2).mean().sqrt().item(),
            "first8": flat[:8].tolist(), "last2": flat[-2:].tolist()}


def short(number):
    return float("%.7g" % number)


def run(model, arrays):
    added = {name: arrays.pop(name) for name in SIZE if name in arrays}
    if added:
        arrays["added_cond_kwargs"] = added
    return model(**arrays).sample


def measure(name, kind, config, inputs):
    torch.manual_seed(0)
    model = kind(**config).eval()
    row = {"id": name, "class_": kind.__name__, "config": config, "inputs": inputs,
           "num_tensors": len(model.state_dict()),
           "param_count": sum(p.numel() for p in model.state_dict().values()), "fills": {}}
    for rule in ("mix", "small"):
        with torch.no_grad():
            fill(model, rule == "small")
        arrays = {k: array(v) for k, v in inputs.items()}
        state = arrays["hidden_states"]
        output = run(model, arrays)
        row["fills"][rule] = {"outputs": {"sample": figures(output)}}
        if rule == "small":
            continue
        model.zero_grad()
        loss = output.double().pow(2).mean()
        loss.backward()
        weights = dict(model.named_parameters())
        norms = [None if n not in weights else
                 0.0 if weights[n].grad is None else short(weights[n].grad.double().norm().item())
                 for n in sorted(model.state_dict())]
        flat = state.grad.double().flatten()
        row["fills"][rule].update(
            loss=loss.item(), grad_norms=norms,
            grad_l2_norm=math.sqrt(sum(n * n for n in norms if n)),
            grads={"input:hidden_states": {"sum_abs": flat.abs().sum().item(),
                                           "first3": flat[:3].tolist()}})
    return row


def main():
    rows = [measure(name, *row) for name, row in ROWS.items()]
    with open(sys.argv[1], "w") as file:
        file.write('{\n"measured_with": "diffusers %s, torch %s, CPU, float32, one thread",\n"models": [\n'
                   % (diffusers.__version__, torch.__version__.split("+")[0]))
        file.write(",\n".join(json.dumps(row) for row in rows))
        file.write("\n]\n}\n")


if __name__ == "__main__":
    main()
