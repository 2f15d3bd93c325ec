# SPDX-License-Identifier: Apache-2.0
"""Measures reference values of UNet2DModel configurations with diffusers and torch, and writes
tests/data/models_more.json. A tool for maintainers; no test runs it.

    python tests/interop/measure_models.py tests/data/models_more.json

The rules (fill of the weights, loss, input) are those of tests/data/README.md. Weights and inputs
are rounded to float32, the arithmetic is float64.
"""
import json
import math
import sys

import diffusers
import numpy
import torch
from diffusers import UNet2DModel

SMALL = {
    "sample_size": 8,
    "block_out_channels": [8, 16],
    "layers_per_block": 1,
    "down_block_types": ["DownBlock2D", "AttnDownBlock2D"],
    "up_block_types": ["AttnUpBlock2D", "UpBlock2D"],
    "norm_num_groups": 4,
}
SKIP = {
    "sample_size": 8,
    "block_out_channels": [32, 64],
    "layers_per_block": 1,
    "down_block_types": ["SkipDownBlock2D", "AttnSkipDownBlock2D"],
    "up_block_types": ["AttnSkipUpBlock2D", "SkipUpBlock2D"],
    "norm_num_groups": 8,
    "time_embedding_type": "fourier",
    "attention_head_dim": None,
    "mid_block_scale_factor": 1.41421356237,
    "norm_eps": 1e-06,
}

# name: (base, changes, times, labels)
ROWS = {
    "three levels, two layers, not square": (SMALL, {
        "sample_size": [8, 16], "block_out_channels": [8, 8, 16], "layers_per_block": 2,
        "down_block_types": ["DownBlock2D", "AttnDownBlock2D", "DownBlock2D"],
        "up_block_types": ["UpBlock2D", "AttnUpBlock2D", "UpBlock2D"]}, [3, 700], None),
    "times between whole numbers": (SMALL, {}, [0.25, 17.5], None),
    "one level": (SMALL, {
        "block_out_channels": [16], "down_block_types": ["AttnDownBlock2D"],
        "up_block_types": ["AttnUpBlock2D"]}, [10, 500], None),
    "ddpm: padding right and below, frequency shift": (SMALL, {
        "downsample_padding": 0, "flip_sin_to_cos": False, "freq_shift": 1, "norm_eps": 1e-06,
        "attention_head_dim": None, "in_channels": 1, "out_channels": 2}, [10, 500], None),
    "scale and shift, classes, attention norm of the middle left out": (SMALL, {
        "resnet_time_scale_shift": "scale_shift", "num_class_embeds": 10,
        "attention_head_dim": 4}, [10, 500], [3, 7]),
    "scale and shift with mish, groups for the attention of the middle": (SMALL, {
        "resnet_time_scale_shift": "scale_shift", "act_fn": "mish",
        "attn_norm_num_groups": 2}, [10, 500], None),
    "residual layers as samplers": (SMALL, {
        "block_out_channels": [8, 12, 16],
        "down_block_types": ["ResnetDownsampleBlock2D", "AttnDownBlock2D", "DownBlock2D"],
        "up_block_types": ["ResnetUpsampleBlock2D", "AttnUpBlock2D", "UpBlock2D"],
        "downsample_type": "resnet", "upsample_type": "resnet", "attention_head_dim": 4,
        "resnet_time_scale_shift": "scale_shift", "num_class_embeds": 5}, [10, 500], [0, 4]),
    "learned times": (SMALL, {
        "time_embedding_type": "learned", "num_train_timesteps": 600}, [10, 500], None),
    "labels embedded as times": (SMALL, {"class_embed_type": "timestep"}, [10, 500], [20, 30]),
    "labels embedded by the caller": (SMALL, {"class_embed_type": "identity"}, [10, 500],
                                      "vector"),
    "head width that does not divide": (SMALL, {
        "block_out_channels": [12, 20], "attention_head_dim": 7}, [10, 500], None),
    "odd head width": (SMALL, {
        "block_out_channels": [12, 20], "attention_head_dim": 5}, [10, 500], None),
    "odd channels": (SMALL, {
        "block_out_channels": [9, 15], "norm_num_groups": 3, "attention_head_dim": 3,
        "time_embedding_dim": 50, "freq_shift": 1}, [10, 500], None),
    "no middle": (SMALL, {"mid_block_type": None}, [10, 500], None),
    "no attention in the middle": (SMALL, {
        "add_attention": False, "act_fn": "gelu", "mid_block_scale_factor": 2}, [10, 500], None),
    "relu": (SMALL, {"act_fn": "relu", "center_input_sample": True}, [10, 500], None),
    "ncsn++": (SKIP, {}, [0.5, 20.0], None),
    "ncsn++ of three levels with scale and shift": (SKIP, {
        "block_out_channels": [32, 32, 32], "center_input_sample": True,
        "down_block_types": ["SkipDownBlock2D", "AttnSkipDownBlock2D", "SkipDownBlock2D"],
        "up_block_types": ["SkipUpBlock2D", "AttnSkipUpBlock2D", "SkipUpBlock2D"],
        "resnet_time_scale_shift": "scale_shift", "attention_head_dim": 8,
        "time_embedding_type": "positional"}, [10, 500], None),
    "skip blocks on the way down only": (SKIP, {
        "down_block_types": ["SkipDownBlock2D", "AttnDownBlock2D"],
        "up_block_types": ["AttnUpBlock2D", "UpBlock2D"]}, [0.5, 20.0], None),
    "a skip block last on the way up": (SKIP, {
        "down_block_types": ["DownBlock2D", "SkipDownBlock2D"],
        "up_block_types": ["UpBlock2D", "SkipUpBlock2D"]}, [0.5, 20.0], None),
}


def fill(model):
    state = model.state_dict()
    for n, name in enumerate(sorted(state)):
        tensor = state[name]
        s = numpy.sin(0.7071 * numpy.arange(tensor.numel(), dtype=numpy.float64) + 1.3 * n)
        if tensor.ndim >= 2:
            s /= math.sqrt(tensor.numel() / tensor.shape[0])
        elif name.endswith(".weight"):
            s = 1 + 0.1 * s
        else:
            s = 0.1 * s
        values = torch.from_numpy(s.astype(numpy.float32)).reshape(tensor.shape)
        tensor.copy_(values)
    return model


def wave(rate, shape):
    values = numpy.cos(rate * numpy.arange(math.prod(shape), dtype=numpy.float64))
    return torch.from_numpy(values.astype(numpy.float32)).double().reshape(shape)


def describe(tensor):
    flat = tensor.detach().double().flatten()
    return {"sum_abs": flat.abs().sum().item(), "first3": flat[:3].tolist()}


def evaluate(config, times, labels, dtype):
    """Output, loss, gradients and size of the state of one model in one precision."""
    torch.manual_seed(0)
    model = UNet2DModel(**config).eval()
    with torch.no_grad():
        fill(model)
    model = model.to(dtype)
    model.time_proj.register_forward_hook(lambda module, given, output: output.to(dtype))
    size = config["sample_size"]
    height, width = size if isinstance(size, list) else (size, size)
    shape = [len(times), config.get("in_channels", 3), height, width]
    whole = all(isinstance(t, int) for t in times)
    t = torch.tensor(times, dtype=torch.int64 if whole else dtype)
    given = {}
    if labels == "vector":
        width = model.time_embedding.linear_2.out_features
        given["class_labels"] = wave(0.1, [len(times), width]).to(dtype)
    elif labels:
        given["class_labels"] = torch.tensor(labels)
    output = model(wave(0.3, shape).to(dtype), t, **given).sample
    loss = (output**2).mean()
    loss.backward()
    grads = {n: p.grad for n, p in sorted(model.named_parameters()) if p.grad is not None}
    sizes = [v.numel() for v in model.state_dict().values()]
    return shape, output.detach(), loss.item(), grads, sizes


def is_steady(gradient, rounded):
    """Whether float32 gives what float64 gives: gradients that are small differences of large
    sums depend on rounding and cannot be compared."""
    exact, other = describe(gradient), describe(rounded)
    mean = exact["sum_abs"] / gradient.numel()
    pairs = [(exact["sum_abs"], other["sum_abs"], 0)]
    pairs += [(a, b, mean) for a, b in zip(exact["first3"], other["first3"])]
    return all(abs(a - b) <= 1e-5 * max(abs(a), scale) for a, b, scale in pairs)


def measure(name, base, changes, times, labels):
    config = {**base, **changes}
    shape, output, loss, grads, sizes = evaluate(config, times, labels, torch.float64)
    rounded = evaluate(config, times, labels, torch.float32)[3]
    steady = [n for n in grads if is_steady(grads[n], rounded[n])]
    chosen = steady[:: max(1, len(steady) // 12)]
    flat = output.flatten()
    return {
        "id": name,
        "config": config,
        "x_shape": shape,
        "times": times,
        "labels": labels,
        "num_tensors": len(sizes),
        "param_count": sum(sizes),
        "output_shape": list(output.shape),
        "output_sum": flat.sum().item(),
        "output_sum_abs": flat.abs().sum().item(),
        "first8": flat[:8].tolist(),
        "last2": flat[-2:].tolist(),
        "loss_mean_sq": loss,
        "grad_l2_norm": math.sqrt(sum((g**2).sum().item() for g in grads.values())),
        "grads": {n: describe(grads[n]) for n in chosen},
    }


def main():
    rows = []
    for name, row in ROWS.items():
        rows.append(measure(name, *row))
        print(rows[-1]["param_count"], len(rows[-1]["grads"]), name, file=sys.stderr)
    with open(sys.argv[1], "w") as file:
        file.write('{\n"measured_with": "diffusers %s, torch %s, CPU, float64",\n"models": [\n'
                   % (diffusers.__version__, torch.__version__.split("+")[0]))
        file.write(",\n".join(json.dumps(row) for row in rows))
        file.write("\n]\n}\n")


if __name__ == "__main__":
    main()
