# SPDX-License-Identifier: Apache-2.0
"""The rows of the table of workloads: what is measured, and what must be reached. "folder" is where
the model lies: rows with the same network share it."""
import os

HERE = os.path.dirname(os.path.abspath(__file__))

NOISE = ["data.kind=noise", "data.count=256"]
CIFAR = NOISE + ["data.shape=32,32,3", f"model.config={HERE}/cifar10.json"]
MNIST = NOISE + ["data.shape=28,28,1"]

ROWS = {
    "A": {"title": "ddpm-mnist U-Net, batch 128, training step", "folder": "mnist",
          "recipe": "ddpm-mnist", "sets": MNIST, "batch": 128, "must": 3},
    "B": {"title": "ddpm-cifar10 U-Net, batch 16, training step", "folder": "cifar10",
          "recipe": "ddpm-mnist", "sets": CIFAR, "batch": 16, "must": 3},
    "C 1": {"title": "ddpm-cifar10 U-Net, batch 1, forward", "folder": "cifar10",
            "recipe": "ddpm-mnist", "sets": CIFAR, "batch": 1, "forward": True, "must": 3},
    "C 16": {"title": "ddpm-cifar10 U-Net, batch 16, forward", "folder": "cifar10",
             "recipe": "ddpm-mnist", "sets": CIFAR, "batch": 16, "forward": True, "must": 3},
    "D": {"title": "ddpm-cifar10 U-Net, batch 16, training step in bfloat16", "folder": "cifar10",
          "recipe": "ddpm-mnist", "sets": CIFAR, "batch": 16, "precision": "bf16", "must": 2},
    "D 1": {"title": "ddpm-cifar10 U-Net, batch 1, forward in bfloat16", "folder": "cifar10",
            "recipe": "ddpm-mnist", "sets": CIFAR, "batch": 1, "forward": True,
            "precision": "bf16", "must": 2},
    "D 16": {"title": "ddpm-cifar10 U-Net, batch 16, forward in bfloat16", "folder": "cifar10",
             "recipe": "ddpm-mnist", "sets": CIFAR, "batch": 16, "forward": True,
             "precision": "bf16", "must": 2},
    "E morlet": {"title": "morlet recipe, batch 64, training step", "folder": "morlet",
                 "recipe": "morlet", "sets": ["data.count=256"], "batch": 64, "must": 10},
    "E points": {"title": "points recipe, 256 points, training step", "folder": "points",
                 "recipe": "points", "sets": ["data.count=256"], "batch": 256, "must": 10},
    "F": {"title": "cold start: process to first sample, one step, ddpm-mnist U-Net", "must": 50},
    "G": {"title": "peak memory of B", "must": 0.5, "at_most": True},
    "H": {"title": "two threads against one, B", "must": 1.85},
}
