# SPDX-License-Identifier: Apache-2.0
"""The peer's side of encoders of texts: CLIP's (Radford et al. 2021) in PyTorch, under the names of its
weights in Sumi's files, on the tokens of bench/text.c."""
import json
import os

import torch


class Attention(torch.nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        for name in ("q_proj", "k_proj", "v_proj", "out_proj"):
            setattr(self, name, torch.nn.Linear(width, width))

    def forward(self, x):
        q, k, v = (layer(x).unflatten(-1, (self.heads, -1)).transpose(1, 2)
                   for layer in (self.q_proj, self.k_proj, self.v_proj))
        h = torch.nn.functional.scaled_dot_product_attention(q, k, v, is_causal=True)
        return self.out_proj(h.transpose(1, 2).flatten(2))


class Feed(torch.nn.Module):
    def __init__(self, width, inner):
        super().__init__()
        self.fc1 = torch.nn.Linear(width, inner)
        self.fc2 = torch.nn.Linear(inner, width)

    def forward(self, x):
        h = self.fc1(x)
        return self.fc2(h * torch.sigmoid(1.702 * h))


class Layer(torch.nn.Module):
    def __init__(self, config):
        super().__init__()
        width, epsilon = config["hidden_size"], config["layer_norm_eps"]
        self.self_attn = Attention(width, config["num_attention_heads"])
        self.layer_norm1 = torch.nn.LayerNorm(width, epsilon)
        self.mlp = Feed(width, config["intermediate_size"])
        self.layer_norm2 = torch.nn.LayerNorm(width, epsilon)

    def forward(self, x):
        x = x + self.self_attn(self.layer_norm1(x))
        return x + self.mlp(self.layer_norm2(x))


class TextEncoder(torch.nn.Module):
    """[n, tokens] to the last states [n, tokens, width]."""

    def __init__(self, config):
        super().__init__()
        width = config["hidden_size"]
        model = self.text_model = torch.nn.Module()
        model.embeddings = torch.nn.Module()
        model.embeddings.token_embedding = torch.nn.Embedding(config["vocab_size"], width)
        model.embeddings.position_embedding = torch.nn.Embedding(
            config["max_position_embeddings"], width)
        model.encoder = torch.nn.Module()
        model.encoder.layers = torch.nn.ModuleList(
            [Layer(config) for _ in range(config["num_hidden_layers"])])
        model.final_layer_norm = torch.nn.LayerNorm(width, config["layer_norm_eps"])

    def forward(self, ids):
        model = self.text_model
        x = model.embeddings.token_embedding(ids) + model.embeddings.position_embedding.weight
        for layer in model.encoder.layers:
            x = layer(x)
        return model.final_layer_norm(x)


def open_text(folder):
    from safetensors.torch import load_file
    with open(os.path.join(folder, "config.json"), encoding="utf-8") as file:
        config = json.load(file)
    if config["hidden_act"] != "quick_gelu":
        raise ValueError("the peer's encoder has no activation but quick_gelu")
    network = TextEncoder(config)
    network.load_state_dict(load_file(
        os.path.join(folder, "diffusion_pytorch_model.safetensors")))
    return network.eval().requires_grad_(False), config


def tokens(config, batch):
    places, words = config["max_position_embeddings"], config["vocab_size"] - 1
    ids = (7 * torch.arange(batch * places) + 3) % words
    ids[places - 1::places] = words
    return ids.reshape(batch, places)


def check_text(folder):
    """Compares the last states with those of Sumi in the folder."""
    import numpy
    network, config = open_text(folder)
    output = torch.from_numpy(numpy.load(os.path.join(folder, "output.npy")))
    with torch.no_grad():
        own = network(tokens(config, len(output)))
    error = (own - output).abs().max() / own.abs().max()
    return {"loss": own.square().mean().item(), "difference": error.item()}


def make_text_class(subject_class):
    """One way of running an encoder of texts, on top of the class for networks."""

    class Text(subject_class):
        def __init__(self, folder, variant, arguments):
            from runtimes import RUNTIMES
            self.network, config = open_text(folder)
            self.bf16, self.forward = variant["precision"] == "bf16", True
            self.inputs = (tokens(config, arguments.batch),)
            self.function = self.evaluate = lambda ids: self.network(ids)
            if variant["compile"] in RUNTIMES:
                self.function = RUNTIMES[variant["compile"]](
                    self.network, self.evaluate, self.inputs, variant["precision"],
                    os.path.join(folder, "runtime"))
            elif variant["compile"] != "eager":
                self.compile(variant["compile"])

    return Text
