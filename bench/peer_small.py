#!/usr/bin/env python3
"""The training steps of the recipes `morlet` and `points` in PyTorch, for comparison: the same
networks under the same parameter names, the same losses, clipping, AdamW and averaged weights.

Run as a program it prints one line of JSON for each way of running a step. As a module it offers
`steps(name)`, which gives pairs of (way, function that takes one step).
"""
import argparse
import json
import math
import os
import statistics
import sys
import time

import torch
from torch import nn
from torch.nn import functional as F


class Time(nn.Module):
    """Sines and cosines of the time, then two linear layers, as diffusers has them."""

    def __init__(self, channels, width):
        super().__init__()
        self.linear_1 = nn.Linear(channels, width)
        self.linear_2 = nn.Linear(width, width)
        half = channels // 2
        table = torch.exp(-math.log(10000) * torch.arange(half) / half)
        self.register_buffer("table", table, persistent=False)

    def forward(self, times):
        angle = times[:, None] * self.table
        waves = torch.cat([angle.cos(), angle.sin()], dim=1)
        return self.linear_2(F.silu(self.linear_1(waves)))


class Layer(nn.Module):
    def __init__(self, width, time_width):
        super().__init__()
        self.time_emb_proj = nn.Linear(time_width, width)
        self.linear_1 = nn.Linear(width, width)
        self.linear_2 = nn.Linear(width, width)

    def forward(self, x, time):
        return x + self.linear_2(F.silu(self.linear_1(x) + self.time_emb_proj(time)))


class Points(nn.Module):
    """SumiMLPModel with its defaults."""

    item = (2,)
    times = 100
    batch = 256

    def __init__(self, width=128, depth=4):
        super().__init__()
        self.time_embedding = Time(width, 4 * width)
        self.linear_in = nn.Linear(2, width)
        self.layers = nn.ModuleList(Layer(width, 4 * width) for _ in range(depth))
        self.linear_out = nn.Linear(width, 2)

    def forward(self, x, times):
        time = F.silu(self.time_embedding(times))
        x = self.linear_in(x)
        for layer in self.layers:
            x = layer(x, time)
        return self.linear_out(F.silu(x))


def convolution(planar, inputs, outputs, kernel=3, stride=1):
    """A convolution along the length: 1-D, or 2-D with a kernel of one row, which PyTorch can
    run channels last."""
    if planar:
        return nn.Conv2d(inputs, outputs, (1, kernel), (1, stride), (0, kernel // 2))
    return nn.Conv1d(inputs, outputs, kernel, stride, kernel // 2)


class Resnet(nn.Module):
    def __init__(self, planar, inputs, outputs, time_width):
        super().__init__()
        self.norm1 = nn.GroupNorm(8, inputs)
        self.conv1 = convolution(planar, inputs, outputs)
        self.time_emb_proj = nn.Linear(time_width, outputs)
        self.norm2 = nn.GroupNorm(8, outputs)
        self.conv2 = convolution(planar, outputs, outputs)
        self.conv_shortcut = convolution(planar, inputs, outputs, 1) if inputs != outputs else None

    def forward(self, x, time):
        h = self.conv1(F.silu(self.norm1(x)))
        shift = self.time_emb_proj(time)
        h = h + shift.reshape(shift.shape + (1,) * (x.dim() - 2))
        h = self.conv2(F.silu(self.norm2(h)))
        return (x if self.conv_shortcut is None else self.conv_shortcut(x)) + h


class Attention(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.group_norm = nn.GroupNorm(8, channels)
        self.to_q = nn.Linear(channels, channels)
        self.to_k = nn.Linear(channels, channels)
        self.to_v = nn.Linear(channels, channels)
        self.to_out = nn.ModuleList([nn.Linear(channels, channels)])

    def forward(self, x):
        h = self.group_norm(x).flatten(2).transpose(1, 2)[:, None]
        h = F.scaled_dot_product_attention(self.to_q(h), self.to_k(h), self.to_v(h))
        return x + self.to_out[0](h)[:, 0].transpose(1, 2).reshape(x.shape)


class Sampler(nn.Module):
    def __init__(self, planar, channels, stride):
        super().__init__()
        self.conv = convolution(planar, channels, channels, 3, stride)


class Block(nn.Module):
    def __init__(self, planar, sizes, time_width, sampler, stride):
        super().__init__()
        self.resnets = nn.ModuleList(Resnet(planar, a, b, time_width) for a, b in sizes)
        name = "downsamplers" if stride == 2 else "upsamplers"
        if sampler:
            self.add_module(name, nn.ModuleList([Sampler(planar, sizes[-1][1], stride)]))


class Middle(nn.Module):
    def __init__(self, planar, channels, time_width):
        super().__init__()
        self.resnets = nn.ModuleList(
            Resnet(planar, channels, channels, time_width) for _ in range(2))
        self.attentions = nn.ModuleList([Attention(channels)])


class Morlet(nn.Module):
    """SumiUNet1DModel with the channels of the recipe `morlet`."""

    length = 128
    times = 1000
    batch = 64

    def __init__(self, planar=False, channels=(32, 64, 64)):
        super().__init__()
        self.item = (1, 1, self.length) if planar else (1, self.length)
        self.scale = (1, 2) if planar else 2
        first, width, last = channels[0], 4 * channels[0], len(channels) - 1
        self.time_embedding = Time(first, width)
        self.conv_in = convolution(planar, 1, first)
        self.down_blocks = nn.ModuleList()
        skips, now = [first], first
        for i, size in enumerate(channels):
            self.down_blocks.append(Block(planar, [(now, size)], width, i < last, 2))
            skips += [size] * (2 if i < last else 1)
            now = size
        self.mid_block = Middle(planar, now, width)
        self.up_blocks = nn.ModuleList()
        for i, size in enumerate(reversed(channels)):
            sizes = []
            for _ in range(2):
                sizes.append((now + skips.pop(), size))
                now = size
            self.up_blocks.append(Block(planar, sizes, width, i < last, 1))
        self.conv_norm_out = nn.GroupNorm(8, now)
        self.conv_out = convolution(planar, now, 1)

    def forward(self, x, times):
        time = F.silu(self.time_embedding(times))
        x = self.conv_in(x)
        skips = [x]
        for block in self.down_blocks:
            for resnet in block.resnets:
                x = resnet(x, time)
                skips.append(x)
            if hasattr(block, "downsamplers"):
                x = block.downsamplers[0].conv(x)
                skips.append(x)
        x = self.mid_block.resnets[0](x, time)
        x = self.mid_block.attentions[0](x)
        x = self.mid_block.resnets[1](x, time)
        for block in self.up_blocks:
            for resnet in block.resnets:
                x = resnet(torch.cat([x, skips.pop()], dim=1), time)
            if hasattr(block, "upsamplers"):
                x = F.interpolate(x, scale_factor=self.scale, mode="nearest")
                x = block.upsamplers[0].conv(x)
        return self.conv_out(F.silu(self.conv_norm_out(x)))


def training_step(model, compiled, channels_last=False):
    """A function that takes one training step: noise, loss, gradient, clipping, AdamW, average."""
    clean = torch.randn((model.batch,) + model.item)
    if channels_last:
        model = model.to(memory_format=torch.channels_last)
        clean = clean.to(memory_format=torch.channels_last)
    weights = list(model.parameters())
    average = [w.detach().clone() for w in weights]
    optimizer = torch.optim.AdamW(weights, lr=1e-3, fused=True)
    kept = torch.cumprod(1 - torch.linspace(1e-4, 0.02, model.times), 0)
    signal, level = kept.sqrt(), (1 - kept).sqrt()

    def loss_of(clean, noise, times):
        shape = (-1,) + (1,) * (clean.dim() - 1)
        mixed = signal[times].reshape(shape) * clean + level[times].reshape(shape) * noise
        return F.mse_loss(model(mixed, times.float()), noise)

    loss_of = torch.compile(loss_of, mode=compiled) if compiled else loss_of

    def step():
        noise = torch.randn_like(clean)
        times = torch.randint(model.times, (model.batch,))
        loss = loss_of(clean, noise, times)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(weights, 1.0, foreach=True)
        optimizer.step()
        with torch.no_grad():
            torch._foreach_lerp_(average, weights, 0.001)
        return loss.item()

    return step


def steps(name, ways=("eager", "compiled")):
    """(way, step) for every way of running the recipe `name` in PyTorch."""
    for way in ways:
        mode = None if way == "eager" else "default"
        if name == "points":
            yield way, training_step(Points(), mode)
            continue
        yield way, training_step(Morlet(), mode)
        yield way + " channels last", training_step(Morlet(planar=True), mode, True)


def time_step(step, seconds):
    """Median seconds of a step, after two that warm up."""
    step(), step()
    begin, times = time.perf_counter(), []
    while time.perf_counter() - begin < seconds or len(times) < 5:
        start = time.perf_counter()
        step()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("recipe", choices=["morlet", "points"])
    parser.add_argument("--seconds", type=float, default=3, help="for each way")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    arguments = parser.parse_args()
    torch.manual_seed(0)
    torch.set_num_threads(arguments.threads)
    for way, step in steps(arguments.recipe):
        print(json.dumps({"recipe": arguments.recipe, "peer": "torch " + torch.__version__,
                          "way": way, "threads": arguments.threads,
                          "seconds": time_step(step, arguments.seconds)}), flush=True)


if __name__ == "__main__":
    sys.exit(main())
