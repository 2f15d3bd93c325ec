# SPDX-License-Identifier: Apache-2.0
"""The peer of `make bench`: PyTorch with diffusers' classes, or the same small networks written in
PyTorch, over the weights of a folder that Sumi wrote; and the same by OpenVINO and ONNX Runtime
(runtimes.py). A process that reads commands on standard input, one JSON value per line, and answers
each with one line of JSON.

    python bench/peer.py FOLDER --batch N [--forward] [--threads N] [--picture H,W,C]
    python bench/peer.py FOLDER --cold       one sample in one step, as soon as possible

--picture is the shape of the pictures of an auto-encoder (peer_coder.py).

The training step is complete, as in Sumi: drawing and adding noise, forward, loss, backward, the
gradient clipped to norm 1, AdamW, the average of the weights.
"""
import argparse
import contextlib
import json
import math
import os
import sys
import time

import torch

from peer_coder import check_coder, make_coder_class
from peer_text import check_text, make_text_class
from runtimes import RUNTIMES


# ---- Networks that diffusers does not have, under the names of their weights in Sumi's files ----

def time_features(times, channels):
    """Cosines and sines of the time (Vaswani et al. 2017, 3.5): [n, channels]."""
    half = channels // 2
    rates = torch.exp(-math.log(10000) / half * torch.arange(half, dtype=torch.float32))
    angles = times[:, None] * rates[None, :]
    return torch.cat([torch.cos(angles), torch.sin(angles)], dim=1)


class TimeEmbedding(torch.nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.channels = channels
        self.linear_1 = torch.nn.Linear(channels, 4 * channels)
        self.linear_2 = torch.nn.Linear(4 * channels, 4 * channels)

    def forward(self, times):
        hidden = self.linear_1(time_features(times, self.channels))
        return self.linear_2(torch.nn.functional.silu(hidden))


def convolution(planar, before, after, size=3, stride=1):
    """Along the length: of signals [n, c, length], or of planes of one row [n, c, 1, length], which
    PyTorch can compute channels last."""
    if planar:
        return torch.nn.Conv2d(before, after, (1, size), (1, stride), (0, size // 2))
    return torch.nn.Conv1d(before, after, size, stride, size // 2)


class Resnet(torch.nn.Module):
    def __init__(self, planar, before, after, time_channels, groups, epsilon):
        super().__init__()
        self.norm1 = torch.nn.GroupNorm(groups, before, epsilon)
        self.conv1 = convolution(planar, before, after)
        self.time_emb_proj = torch.nn.Linear(time_channels, after)
        self.norm2 = torch.nn.GroupNorm(groups, after, epsilon)
        self.conv2 = convolution(planar, after, after)
        if before != after:
            self.conv_shortcut = convolution(planar, before, after, 1)

    def forward(self, x, embedding):
        silu = torch.nn.functional.silu
        shift = self.time_emb_proj(embedding)
        h = self.conv1(silu(self.norm1(x))) + shift.reshape(shift.shape + (1,) * (x.ndim - 2))
        h = self.conv2(silu(self.norm2(h)))
        return h + (self.conv_shortcut(x) if hasattr(self, "conv_shortcut") else x)


class Attention(torch.nn.Module):
    def __init__(self, channels, groups, epsilon):
        super().__init__()
        self.group_norm = torch.nn.GroupNorm(groups, channels, epsilon)
        self.to_q = torch.nn.Linear(channels, channels)
        self.to_k = torch.nn.Linear(channels, channels)
        self.to_v = torch.nn.Linear(channels, channels)
        self.to_out = torch.nn.ModuleList([torch.nn.Linear(channels, channels)])

    def forward(self, x):
        h = self.group_norm(x).flatten(2).transpose(1, 2)
        h = torch.nn.functional.scaled_dot_product_attention(self.to_q(h), self.to_k(h),
                                                             self.to_v(h))
        return x + self.to_out[0](h).transpose(1, 2).reshape(x.shape)


class Sampler(torch.nn.Module):
    def __init__(self, planar, channels, stride):
        super().__init__()
        self.conv = convolution(planar, channels, channels, 3, stride)


class Block(torch.nn.Module):
    """Residual layers, then a sampler: stride two in down blocks, doubled length in up blocks."""

    def __init__(self, planar, sizes, time_channels, groups, epsilon, sampler):
        super().__init__()
        self.resnets = torch.nn.ModuleList(
            [Resnet(planar, before, after, time_channels, groups, epsilon)
             for before, after in sizes])
        last = sizes[-1][1]
        if sampler == "down":
            self.downsamplers = torch.nn.ModuleList([Sampler(planar, last, 2)])
        if sampler == "up":
            self.upsamplers = torch.nn.ModuleList([Sampler(planar, last, 1)])


class Middle(torch.nn.Module):
    def __init__(self, planar, channels, time_channels, groups, epsilon):
        super().__init__()
        self.resnets = torch.nn.ModuleList(
            [Resnet(planar, channels, channels, time_channels, groups, epsilon) for _ in range(2)])
        self.attentions = torch.nn.ModuleList([Attention(channels, groups, epsilon)])


class UNet1D(torch.nn.Module):
    """Sumi's U-Net for signals [n, c, length], or `planar` ones [n, c, 1, length], with attention in
    the middle only."""

    def __init__(self, config, planar):
        super().__init__()
        self.growth = (1.0, 2.0) if planar else 2.0
        widths, layers = config["block_out_channels"], config["layers_per_block"]
        groups, epsilon = config["norm_num_groups"], config["norm_eps"]
        embedded = 4 * widths[0]
        self.time_embedding = TimeEmbedding(widths[0])
        self.conv_in = convolution(planar, config["in_channels"], widths[0])
        skips, channels = [widths[0]], widths[0]
        self.down_blocks = torch.nn.ModuleList()
        for level, width in enumerate(widths):
            last = level + 1 == len(widths)
            sizes = [(channels if i == 0 else width, width) for i in range(layers)]
            self.down_blocks.append(
                Block(planar, sizes, embedded, groups, epsilon, None if last else "down"))
            skips += [width] * (layers + (0 if last else 1))
            channels = width
        self.mid_block = Middle(planar, channels, embedded, groups, epsilon)
        self.up_blocks = torch.nn.ModuleList()
        for level, width in enumerate(reversed(widths)):
            sizes = []
            for _ in range(layers + 1):
                sizes.append((channels + skips.pop(), width))
                channels = width
            last = level + 1 == len(widths)
            self.up_blocks.append(
                Block(planar, sizes, embedded, groups, epsilon, None if last else "up"))
        self.conv_norm_out = torch.nn.GroupNorm(groups, widths[0], epsilon)
        self.conv_out = convolution(planar, widths[0], config["out_channels"])

    def forward(self, x, times):
        silu = torch.nn.functional.silu
        embedding = silu(self.time_embedding(times))
        x = self.conv_in(x)
        skips = [x]
        for block in self.down_blocks:
            for resnet in block.resnets:
                x = resnet(x, embedding)
                skips.append(x)
            if hasattr(block, "downsamplers"):
                x = block.downsamplers[0].conv(x)
                skips.append(x)
        x = self.mid_block.resnets[0](x, embedding)
        x = self.mid_block.resnets[1](self.mid_block.attentions[0](x), embedding)
        for block in self.up_blocks:
            for resnet in block.resnets:
                x = resnet(torch.cat([x, skips.pop()], dim=1), embedding)
            if hasattr(block, "upsamplers"):
                x = torch.nn.functional.interpolate(x, scale_factor=self.growth)
                x = block.upsamplers[0].conv(x)
        return self.conv_out(silu(self.conv_norm_out(x)))


class Layer(torch.nn.Module):
    def __init__(self, width, time_channels):
        super().__init__()
        self.time_emb_proj = torch.nn.Linear(time_channels, width)
        self.linear_1 = torch.nn.Linear(width, width)
        self.linear_2 = torch.nn.Linear(width, width)

    def forward(self, x, embedding):
        hidden = self.linear_1(x) + self.time_emb_proj(embedding)
        return x + self.linear_2(torch.nn.functional.silu(hidden))


class MLP(torch.nn.Module):
    """Sumi's network for points [n, d]."""

    def __init__(self, config):
        super().__init__()
        width = config["width"]
        self.time_embedding = TimeEmbedding(width)
        self.linear_in = torch.nn.Linear(config["in_channels"], width)
        self.layers = torch.nn.ModuleList(
            [Layer(width, 4 * width) for _ in range(config["depth"])])
        self.linear_out = torch.nn.Linear(width, config["out_channels"])

    def forward(self, x, times):
        embedding = torch.nn.functional.silu(self.time_embedding(times))
        x = self.linear_in(x)
        for layer in self.layers:
            x = layer(x, embedding)
        return self.linear_out(torch.nn.functional.silu(x))


# ---- The folder ----

def read_json(*path):
    with open(os.path.join(*path), encoding="utf-8") as file:
        return json.load(file)


def read_config(folder):
    name = "transformer" if os.path.exists(os.path.join(folder, "transformer")) else "unet"
    return read_json(folder, name, "config.json")


def open_transformer(folder, classes):
    """A transformer whose items are of the classes that bench/workload.c gives them."""
    from diffusers import DiTTransformer2DModel
    network = DiTTransformer2DModel.from_pretrained(os.path.join(folder, "transformer"),
                                                    low_cpu_mem_usage=False)
    labels = (7 * torch.arange(256) + 3) % classes
    return network, lambda x, times: network(x, times, class_labels=labels[:x.shape[0]],
                                             return_dict=False)[0]


def open_network(folder, planar=False):
    """The network of a folder that Sumi wrote, channels first, called as network(x, times)."""
    config = read_config(folder)
    if config["_class_name"] == "DiTTransformer2DModel":
        return open_transformer(folder, config["num_embeds_ada_norm"])
    if config["_class_name"] == "UNet2DConditionModel":
        from diffusers import UNet2DConditionModel
        network = UNet2DConditionModel.from_pretrained(os.path.join(folder, "unet"),
                                                       low_cpu_mem_usage=False)
        return network, lambda x, times, states: network(x, times, states, return_dict=False)[0]
    if config["_class_name"] == "UNet2DModel":
        from diffusers import UNet2DModel
        network = UNet2DModel.from_pretrained(os.path.join(folder, "unet"),
                                              low_cpu_mem_usage=False)
        return network, lambda x, times: network(x, times, return_dict=False)[0]
    from safetensors.torch import load_file
    points = config["_class_name"] == "SumiMLPModel"
    network = MLP(config) if points else UNet1D(config, planar)
    weights = load_file(os.path.join(folder, "unet", "diffusion_pytorch_model.safetensors"))
    if planar: # kernels of one row
        weights = {name: w[:, :, None] if w.ndim == 3 else w for name, w in weights.items()}
    network.load_state_dict(weights)
    return network, network


def further_inputs(config, count):
    """What the network takes beside x and times: states of a text, as bench/workload.c fills
    them."""
    if config["_class_name"] != "UNet2DConditionModel":
        return ()
    shape = [count, 77, config["cross_attention_dim"]]
    numbers = torch.arange(math.prod(shape), dtype=torch.float64)
    return (torch.sin(0.37 * numbers).float().reshape(shape),)


def item_shape(config, planar):
    if config["_class_name"] == "SumiMLPModel":
        return [config["in_channels"]]
    size = config["sample_size"]
    if config["_class_name"] in ("UNet2DModel", "UNet2DConditionModel", "DiTTransformer2DModel"):
        return [config["in_channels"], size, size]
    return [config["in_channels"]] + ([1, size] if planar else [size])


def signal_levels(folder):
    """The coefficients of the clean item and of the noise at each time."""
    scheduler = read_json(folder, "scheduler", "scheduler_config.json")
    betas = torch.linspace(scheduler["beta_start"], scheduler["beta_end"],
                           scheduler["num_train_timesteps"], dtype=torch.float64)
    kept = torch.cumprod(1 - betas, 0)
    return kept.sqrt().float(), (1 - kept).sqrt().float()


# ---- Timing ----

class Subject:
    """One way of running the network: a training step, or an evaluation."""

    def __init__(self, folder, variant, arguments):
        config, batch, forward = read_config(folder), arguments.batch, arguments.forward
        planar = variant["layout"] == "planar"
        self.network, self.evaluate = open_network(folder, planar)
        self.last = planar or variant["layout"] == "channels_last"
        self.bf16, self.batch, self.forward = variant["precision"] == "bf16", batch, forward
        if self.last:
            self.network = self.network.to(memory_format=torch.channels_last)
        self.signal, self.noise = signal_levels(folder)
        torch.manual_seed(1)
        self.pool = self.arrange(torch.randn([256] + item_shape(config, planar)))
        self.function = self.predict if forward else self.loss
        if forward:
            self.network.eval().requires_grad_(False)
            self.x = self.pool[torch.arange(batch) % 256]
            self.times = torch.arange(batch).float() % 100
            self.inputs = (self.x, self.times, *further_inputs(config, batch))
        else:
            self.prepare_training()
        if variant["compile"] in RUNTIMES:
            self.function = RUNTIMES[variant["compile"]](
                self.network, self.evaluate, self.inputs, variant["precision"],
                os.path.join(folder, "runtime"))
        elif variant["compile"] != "eager":
            self.compile(variant["compile"])

    def arrange(self, x):
        return x.contiguous(memory_format=torch.channels_last) if self.last else x

    def precision(self):
        return torch.autocast("cpu", torch.bfloat16) if self.bf16 else contextlib.nullcontext()

    def predict(self, *inputs):
        return self.evaluate(*inputs)

    def loss(self, x, times, target):
        return torch.nn.functional.mse_loss(self.evaluate(x, times).float(), target)

    def compile(self, mode):
        if mode == "freezing":
            from torch._inductor import config
            config.freezing = True # weights are constant and may be repacked
        options = {} if mode in ("default", "freezing") else {"mode": mode}
        self.function = torch.compile(self.function, dynamic=False, **options)

    def prepare_training(self):
        self.network.train()
        self.weights = list(self.network.parameters())
        self.averages = [weight.detach().clone() for weight in self.weights]
        self.optimizer = torch.optim.AdamW(self.weights, lr=1e-4, weight_decay=0, fused=True)

    def train(self):
        clean = self.pool[torch.randint(256, [self.batch])]
        noise = torch.randn_like(clean)
        times = torch.randint(len(self.signal), [self.batch])
        shape = [self.batch] + [1] * (clean.ndim - 1)
        x = self.signal[times].view(shape) * clean + self.noise[times].view(shape) * noise
        with self.precision():
            loss = self.function(x, times.float(), noise)
        return self.step(loss)

    def step(self, loss):
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.weights, 1.0, foreach=True)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        with torch.no_grad():
            torch._foreach_lerp_(self.averages, self.weights, 0.001)
        return loss

    def run(self):
        if not self.forward:
            return self.train()
        with torch.no_grad(), self.precision():
            return self.function(*self.inputs)

    def difference(self):
        """The relative difference of this way's result from that of the plain one."""
        with torch.no_grad():
            if self.forward:
                plain = self.evaluate(*self.inputs)
                return ((self.run().float() - plain).abs().max() / plain.abs().max()).item()
            x, times = self.pool[:self.batch], torch.arange(self.batch).float() % 100
            x = torch.cat([x] * -(-self.batch // len(x)))[:self.batch]
            plain = self.loss(x, times, x)
        with self.precision():
            own = self.function(x, times, x)
        return abs(own.item() / plain.item() - 1)


def check(folder, forward):
    """Compares with Sumi's inputs and output in the folder; answers with the loss, and with the norm
    of its gradient unless the network is only evaluated."""
    import numpy
    network, evaluate = open_network(folder)
    x, output = (torch.from_numpy(numpy.load(os.path.join(folder, name))).movedim(-1, 1)
                 for name in ("x.npy", "output.npy"))
    times = torch.from_numpy(numpy.load(os.path.join(folder, "times.npy")))
    inputs = (x.contiguous(), times, *further_inputs(read_config(folder), len(x)))
    with torch.set_grad_enabled(not forward):
        own = evaluate(*inputs)
        loss = own.square().mean()
    error = (own - output).abs().max() / own.abs().max()
    result = {"loss": loss.item(), "difference": error.item()}
    if not forward:
        loss.backward()
        result["norm"] = math.sqrt(sum(w.grad.double().square().sum().item()
                                       for w in network.parameters()))
    return result


def most_memory():
    with open("/proc/self/status", encoding="ascii") as file:
        line = next(line for line in file if line.startswith("VmHWM:"))
    return int(line.split()[1]) * 1024


def timed(subject, count):
    seconds = []
    for _ in range(count):
        begin = time.perf_counter()
        subject.run()
        seconds.append(time.perf_counter() - begin)
    return seconds


def class_of(folder):
    """The class of a folder with one network; "" for one of a model with several parts."""
    if not os.path.exists(os.path.join(folder, "config.json")):
        return ""
    config = read_json(folder, "config.json")
    return config.get("_class_name") or config["architectures"][0]


def subject_class(folder):
    """The class of what is timed."""
    if class_of(folder).startswith("CLIPText"):
        return make_text_class(Subject)
    return make_coder_class(Subject) if class_of(folder) else Subject


def check_folder(folder, forward):
    if class_of(folder).startswith("CLIPText"):
        return check_text(folder)
    return check_coder(folder) if class_of(folder) else check(folder, forward)


def obey(order, state, arguments):
    if order["do"] == "check":
        return check_folder(arguments.folder, arguments.forward)
    if order["do"] == "memory":
        return {"bytes": most_memory()}
    if order["do"] == "prepare":
        name, begin = order["variant"]["name"], time.perf_counter()
        for other in [other for other in state if other != order.get("keep")]:
            del state[other] # keeps only the best so far in memory
        state[name] = subject_class(arguments.folder)(arguments.folder, order["variant"], arguments)
        difference = state[name].difference()
        state[name].run()
        return {"seconds": time.perf_counter() - begin, "difference": difference}
    if order["do"] == "time":
        return {"seconds": timed(state[order["name"]], order["count"])}
    raise ValueError("there is no such command: " + order["do"])


def draw_cold(folder):
    """One step of DDIM from pure noise: the estimate of the clean item."""
    network, evaluate = open_network(folder)
    network.eval()
    signal, noise = signal_levels(folder)
    config = read_json(folder, "unet", "config.json")
    x = torch.randn([1] + item_shape(config, planar=False))
    with torch.inference_mode():
        prediction = evaluate(x, torch.tensor([float(len(signal) - 1)]))
        sample = (x - noise[-1] * prediction) / signal[-1]
        sample = sample.clamp(-1, 1)
    print(json.dumps({"mean": sample.mean().item()}), flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder")
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--forward", action="store_true")
    parser.add_argument("--picture", type=lambda text: [int(word) for word in text.split(",")])
    parser.add_argument("--cold", action="store_true")
    arguments = parser.parse_args()
    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    if arguments.cold:
        return draw_cold(arguments.folder)
    state = {}
    print(json.dumps({"ready": True, "threads": torch.get_num_threads(),
                      "torch": torch.__version__}), flush=True)
    for line in sys.stdin:
        try:
            answer = obey(json.loads(line), state, arguments)
        except Exception as error: # reported to bench/run, which continues without it
            answer = {"error": f"{type(error).__name__}: {error}"[:500]}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
