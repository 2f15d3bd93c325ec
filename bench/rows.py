# SPDX-License-Identifier: Apache-2.0
"""The rows of the table of workloads: what is measured, and what must be reached. "folder" is where
the model lies: rows with the same network share it. "coder" is the shape of the pictures of an
auto-encoder, "outputs" the number of channels of a result where it is not that of an item, and
"memory" the most GiB that the process may hold, None if only measured."""
import os

HERE = os.path.dirname(os.path.abspath(__file__))

NOISE = ["data.kind=noise", "data.count=256"]
CIFAR = NOISE + ["data.shape=32,32,3", f"model.config={HERE}/cifar10.json"]
def transformer(config):
    return NOISE + ["data.shape=32,32,4", "data.classes=1000", "data.labels=yes",
                    f"model.config={HERE}/{config}.json"]


def coder(picture, config="sd-vae"):
    return ["data.kind=noise", "data.count=16", f"data.shape={picture}", "train.objective=autoencoder",
            f"model.config={HERE}/{config}.json"]


STABLE = NOISE + ["data.shape=64,64,4", f"model.config={HERE}/sd15-unet.json"]
LEARNED = ["noise.variance=learned_range"]
MNIST = NOISE + ["data.shape=28,28,1"]

ROWS = {
    "A": {"title": "ddpm-mnist U-Net, batch 128, training step", "folder": "mnist",
          "recipe": "ddpm-mnist", "sets": MNIST, "batch": 128, "must": 2.8},
    "B": {"title": "ddpm-cifar10 U-Net, batch 16, training step", "folder": "cifar10",
          "recipe": "ddpm-mnist", "sets": CIFAR, "batch": 16, "must": 2.8},
    "B 4": {"title": "ddpm-cifar10 U-Net, batch 4, training step", "folder": "cifar10",
            "recipe": "ddpm-mnist", "sets": CIFAR, "batch": 4, "must": 2.5},
    "C 1": {"title": "ddpm-cifar10 U-Net, batch 1, forward", "folder": "cifar10",
            "recipe": "ddpm-mnist", "sets": CIFAR, "batch": 1, "forward": True, "must": 2},
    "C 16": {"title": "ddpm-cifar10 U-Net, batch 16, forward", "folder": "cifar10",
             "recipe": "ddpm-mnist", "sets": CIFAR, "batch": 16, "forward": True, "must": 2},
    "D": {"title": "ddpm-cifar10 U-Net, batch 16, training step in bfloat16", "folder": "cifar10",
          "recipe": "ddpm-mnist", "sets": CIFAR, "batch": 16, "precision": "bf16", "must": 1.5},
    "D 1": {"title": "ddpm-cifar10 U-Net, batch 1, forward in bfloat16", "folder": "cifar10",
            "recipe": "ddpm-mnist", "sets": CIFAR, "batch": 1, "forward": True,
            "precision": "bf16", "must": 1.5},
    "D 16": {"title": "ddpm-cifar10 U-Net, batch 16, forward in bfloat16", "folder": "cifar10",
             "recipe": "ddpm-mnist", "sets": CIFAR, "batch": 16, "forward": True,
             "precision": "bf16", "must": 1.5},
    "E morlet": {"title": "morlet recipe, batch 64, training step", "folder": "morlet",
                 "recipe": "morlet", "sets": ["data.count=256"], "batch": 64, "must": 10},
    "E points": {"title": "points recipe, 256 points, training step", "folder": "points",
                 "recipe": "points", "sets": ["data.count=256"], "batch": 256, "must": 10},
    "I": {"title": "Stable Diffusion 1.5's U-Net with float16 weights, batch 2 of 64x64x4 and 77 "
                   "tokens, forward",
          "folder": "sd15-unet-f16", "recipe": "ddpm-mnist", "sets": STABLE, "batch": 2,
          "forward": True, "must": 1.5, "memory": 4.5},
    "I bf16": {"title": "Stable Diffusion 1.5's U-Net with float16 weights, batch 2 of 64x64x4 and "
                        "77 tokens, forward in bfloat16",
               "folder": "sd15-unet-f16", "recipe": "ddpm-mnist", "sets": STABLE, "batch": 2,
               "forward": True, "precision": "bf16", "must": 1, "memory": 4.5},
    "K": {"title": "DiT-XL/2, batch 2 of 32x32x4, forward", "folder": "dit-xl2", "sort": "transformer", "outputs": 8,
          "recipe": "ddpm-mnist", "sets": transformer("dit-xl2") + LEARNED, "batch": 2,
          "forward": True, "must": 1, "memory": 4},
    "K bf16": {"title": "DiT-XL/2 with bfloat16 weights, batch 2 of 32x32x4, forward in bfloat16",
               "folder": "dit-xl2-bf16", "sort": "transformer", "outputs": 8, "recipe": "ddpm-mnist",
               "sets": transformer("dit-xl2") + LEARNED, "batch": 2, "forward": True,
               "precision": "bf16", "must": 1, "memory": 2.5},
    "L": {"title": "DiT-S/2, batch 16 of 32x32x4, training step", "folder": "dit-s2", "sort": "transformer",
          "recipe": "ddpm-mnist", "sets": transformer("dit-s2"), "batch": 16, "must": 1.3,
          "memory": None},
    "L bf16": {"title": "DiT-S/2, batch 16 of 32x32x4, training step in bfloat16",
               "folder": "dit-s2", "sort": "transformer", "recipe": "ddpm-mnist", "sets": transformer("dit-s2"),
               "batch": 16, "precision": "bf16", "must": 1.3, "memory": None},
    "N": {"title": "Stable Diffusion's AutoencoderKL, batch 8 of 64x64x3, training step",
          "folder": "sd-vae", "coder": [64, 64, 3], "recipe": "ddpm-mnist",
          "sets": coder("64,64,3"), "batch": 8, "must": 2, "memory": None},
    "N bf16": {"title": "Stable Diffusion's AutoencoderKL, batch 8 of 64x64x3, training step in "
                        "bfloat16",
               "folder": "sd-vae", "coder": [64, 64, 3], "recipe": "ddpm-mnist",
               "sets": coder("64,64,3"), "batch": 8, "precision": "bf16", "must": 2,
               "memory": None},
    "T": {"title": "CLIP-L's encoder of texts, one of 77 tokens", "folder": "clip-l",
          "program": "text", "recipe": "ddpm-mnist",
          "sets": [f"model.config={HERE}/clip-l.json"], "batch": 1, "forward": True, "must": 1,
          "memory": None},
    "T bf16": {"title": "CLIP-L's encoder of texts, one of 77 tokens, in bfloat16",
               "folder": "clip-l", "program": "text", "recipe": "ddpm-mnist",
               "sets": [f"model.config={HERE}/clip-l.json"], "batch": 1, "forward": True,
               "precision": "bf16", "must": 1, "memory": None},
    "V": {"title": "Stable Diffusion's AutoencoderKL, 64x64x4 decoded to 512x512x3",
          "folder": "sd-vae", "coder": [512, 512, 3], "recipe": "ddpm-mnist",
          "sets": coder("512,512,3"), "batch": 1, "forward": True, "must": 1.8, "memory": 2},
    "V bf16": {"title": "Stable Diffusion's AutoencoderKL, 64x64x4 decoded to 512x512x3 in bfloat16",
               "folder": "sd-vae", "coder": [512, 512, 3], "recipe": "ddpm-mnist",
               "sets": coder("512,512,3"), "batch": 1, "forward": True, "precision": "bf16",
               "must": 1, "memory": 2},
    "F": {"title": "cold start: process to first sample, one step, ddpm-mnist U-Net", "work": "A",
          "must": 50},
    "F cifar10": {"title": "cold start: process to first sample, one step, ddpm-cifar10 U-Net",
                  "work": "B", "must": 2},
    "G": {"title": "peak memory of B", "must": 0.5, "at_most": True},
    "H": {"title": "two threads against one, B", "must": 1.85},
}
