# SPDX-License-Identifier: Apache-2.0
"""Measures reference values of further networks with diffusers and torch, and writes
tests/data/networks.json, which build/tests/nets_vectors_test runs. A tool for maintainers; no test
runs it.

    python tests/interop/measure_networks.py tests/data/networks.json

The rules are those of measure_transformers.py.
"""
import json
import math
import sys

import diffusers
import torch
from diffusers import (CogVideoXTransformer3DModel, ControlNetModel, LatteTransformer3DModel,
                       PriorTransformer, UNet1DModel)
from diffusers.models.embeddings import get_3d_rotary_pos_embed
from diffusers.pipelines.deprecated.unclip.text_proj import UnCLIPTextProjModel
from measure_transformers import array, figures, fill, short, values, wave

TIMES = values(10, 500)


def x(*shape):
    return {"shape": list(shape), "formula": "cos(0.3*j+0.0)", "gradient": True}


CONTROL = {"in_channels": 4, "block_out_channels": [16, 32], "layers_per_block": 1,
           "down_block_types": ["CrossAttnDownBlock2D", "DownBlock2D"], "cross_attention_dim": 12,
           "attention_head_dim": 4, "norm_num_groups": 8,
           "conditioning_embedding_out_channels": [4, 6]}
STATE = {"sample": x(2, 4, 8, 8), "timestep": TIMES, "encoder_hidden_states": wave(0.2, 2, 5, 12)}
HINT = {**STATE, "controlnet_cond": wave(0.1, 2, 3, 16, 16), "conditioning_scale": 1.0}
PRIOR = {"num_attention_heads": 2, "attention_head_dim": 12, "num_layers": 2, "embedding_dim": 10,
         "num_embeddings": 5}
EMBEDDED = {"hidden_states": x(2, 10), "timestep": TIMES, "proj_embedding": wave(0.15, 2, 10),
            "encoder_hidden_states": wave(0.2, 2, 5, 10)}
LATTE = {"num_attention_heads": 2, "attention_head_dim": 8, "in_channels": 3, "out_channels": 6,
         "num_layers": 2, "cross_attention_dim": 16, "sample_size": 8, "patch_size": 2,
         "norm_type": "ada_norm_single", "norm_elementwise_affine": False, "caption_channels": 10,
         "video_length": 3, "num_embeds_ada_norm": 1000}
VIDEO = {"hidden_states": x(2, 3, 3, 8, 8), "timestep": TIMES,
         "encoder_hidden_states": wave(0.2, 2, 5, 10)}
COG = {"num_attention_heads": 2, "attention_head_dim": 16, "in_channels": 3, "out_channels": 3,
       "time_embed_dim": 12, "text_embed_dim": 10, "num_layers": 2, "sample_width": 8,
       "sample_height": 4, "sample_frames": 9, "max_text_seq_length": 5}
FILM = {"hidden_states": x(2, 3, 3, 4, 8), "timestep": TIMES,
        "encoder_hidden_states": wave(0.2, 2, 5, 10)}
ROTARY = {**COG, "use_rotary_positional_embeddings": True}
TRAJECTORY = {"sample_size": 16, "in_channels": 3, "out_channels": 3,
              "time_embedding_type": "positional", "use_timestep_embedding": True,
              "down_block_types": ["DownResnetBlock1D", "DownResnetBlock1D"],
              "up_block_types": ["UpResnetBlock1D"], "mid_block_type": "MidResTemporalBlock1D",
              "out_block_type": "OutConv1DBlock", "block_out_channels": [16, 24], "act_fn": "mish"}
SIGNAL = {"sample": x(2, 3, 16), "timestep": TIMES}
SOUND = {"sample_size": 64, "in_channels": 2, "out_channels": 2, "extra_in_channels": 64}

# id: (class, config, inputs)
ROWS = {
    "control by a picture of four times the size, bgr": (ControlNetModel, {
        **CONTROL, "conditioning_embedding_out_channels": [4, 6, 8],
        "controlnet_conditioning_channel_order": "bgr", "use_linear_projection": True},
        {**HINT, "controlnet_cond": wave(0.1, 2, 3, 32, 32), "conditioning_scale": 0.7}),
    "control without a text to go by": (ControlNetModel, {
        **CONTROL, "layers_per_block": 2, "attention_head_dim": [2, 4],
        "transformer_layers_per_block": [2, 1]}, {**HINT, "guess_mode": True}),
    "control, one residual layer in the middle, means": (ControlNetModel, {
        **CONTROL, "mid_block_type": "UNetMidBlock2D", "global_pool_conditions": True,
        "conditioning_channels": 1}, {**HINT, "controlnet_cond": wave(0.1, 2, 1, 16, 16)}),
    "control of SDXL": (ControlNetModel, {
        **CONTROL, "addition_embed_type": "text_time", "addition_time_embed_dim": 6,
        "projection_class_embeddings_input_dim": 22, "use_linear_projection": True},
        {**HINT, "text_embeds": wave(0.15, 2, 10), "time_ids": values([64.0, 32.0], [16.0, 0.0])}),
    "control with classes": (ControlNetModel, {
        **CONTROL, "num_class_embeds": 7, "flip_sin_to_cos": False},
        {**HINT, "class_labels": values(2, 5)}),
    "control with heads by their own key": (ControlNetModel, {
        **CONTROL, "num_attention_heads": 2, "only_cross_attention": True,
        "cross_attention_dim": 12, "resnet_time_scale_shift": "scale_shift"}, HINT),
    "prior without mask": (PriorTransformer, PRIOR, EMBEDDED),
    "prior with parts of other widths": (PriorTransformer, {
        **PRIOR, "embedding_proj_dim": 7, "clip_embed_dim": 9, "time_embed_dim": 20,
        "time_embed_act_fn": "mish", "norm_in_type": "layer"},
        {**EMBEDDED, "proj_embedding": wave(0.15, 2, 7),
         "attention_mask": values([True] * 5, [True, True, False, False, False])}),
    "prior of sequences": (PriorTransformer, {
        **PRIOR, "added_emb_type": None, "encoder_hid_proj_type": None, "additional_embeddings": 0,
        "embedding_proj_norm_type": "layer"},
        {"hidden_states": x(2, 5, 10), "timestep": TIMES, "proj_embedding": wave(0.15, 2, 10)}),
    "text projection without guidance": (UnCLIPTextProjModel, {
        "clip_extra_context_tokens": 3, "clip_embeddings_dim": 10, "time_embed_dim": 14,
        "cross_attention_dim": 8},
        {"image_embeddings": x(2, 10), "prompt_embeds": wave(0.15, 2, 10),
         "text_encoder_hidden_states": wave(0.2, 2, 4, 10), "do_classifier_free_guidance": False}),
    "latte with geglu and affine norms": (LatteTransformer3DModel, {
        **LATTE, "norm_elementwise_affine": True, "norm_eps": 1e-3, "attention_bias": True}, VIDEO),
    "latte without cross-attention": (LatteTransformer3DModel, {
        **LATTE, "cross_attention_dim": None, "activation_fn": "gelu", "out_channels": None}, VIDEO),
    "latte of one frame": (LatteTransformer3DModel, LATTE,
                           {**VIDEO, "hidden_states": x(2, 3, 1, 8, 8)}),
    "latte not square": (LatteTransformer3DModel, {**LATTE, "num_layers": 1},
                         {**VIDEO, "hidden_states": x(2, 3, 3, 4, 12)}),
    "cogvideox with rotary positions": (CogVideoXTransformer3DModel, ROTARY, FILM),
    "cogvideox with learned positions and offsets": (CogVideoXTransformer3DModel, {
        **ROTARY, "use_learned_positional_embeddings": True, "ofs_embed_dim": 12,
        "patch_bias": False}, {**FILM, "ofs": values(2.0, 2.0)}),
    "cogvideox with patches of two frames": (CogVideoXTransformer3DModel, {
        **ROTARY, "patch_size_t": 2, "attention_bias": False, "out_channels": 2},
        {**FILM, "hidden_states": x(2, 4, 3, 4, 8)}),
    "cogvideox plain, of another size": (CogVideoXTransformer3DModel, {
        **COG, "norm_elementwise_affine": False, "timestep_activation_fn": "gelu",
        "activation_fn": "geglu", "flip_sin_to_cos": False, "freq_shift": 1},
        {**FILM, "hidden_states": x(2, 2, 3, 8, 4)}),
    "trajectories with more layers": (UNet1DModel, {
        **TRAJECTORY, "layers_per_block": 2, "act_fn": "gelu", "norm_num_groups": 4}, SIGNAL),
    "trajectories without the last convolution": (UNet1DModel, {
        **TRAJECTORY, "out_block_type": None, "block_out_channels": [16, 24, 32],
        "down_block_types": ["DownResnetBlock1D"] * 3, "up_block_types": ["UpResnetBlock1D"] * 3,
        "out_channels": 16}, {**SIGNAL, "sample": x(2, 3, 16)}),
    "value of a trajectory": (UNet1DModel, {
        **TRAJECTORY, "block_out_channels": [16, 32], "up_block_types": [],
        "mid_block_type": "ValueFunctionMidBlock1D", "out_block_type": "ValueFunction",
        "downsample_each_block": True}, SIGNAL),
    "sounds": (UNet1DModel, SOUND, {"sample": x(2, 2, 64), "timestep": values(0.3, 0.8)}),
    "sounds with positional times": (UNet1DModel, {
        **SOUND, "time_embedding_type": "positional", "extra_in_channels": 32,
        "down_block_types": ["DownBlock1DNoSkip", "AttnDownBlock1D"],
        "up_block_types": ["UpBlock1D", "UpBlock1DNoSkip"], "block_out_channels": [32, 64]},
        {"sample": x(2, 2, 32), "timestep": TIMES}),
}
ADDED = ("text_embeds", "time_ids")


def rotary(model, state):
    """The tables that the pipeline makes for a video of the size of training."""
    c = model.config
    patch, frames = c.patch_size, state.shape[1]
    height, width = state.shape[3] // patch, state.shape[4] // patch
    if c.patch_size_t is None:
        return get_3d_rotary_pos_embed(c.attention_head_dim, ((0, 0), (height, width)),
                                       (height, width), frames)
    return get_3d_rotary_pos_embed(c.attention_head_dim, None, (height, width),
                                   (frames + c.patch_size_t - 1) // c.patch_size_t,
                                   grid_type="slice", max_size=(height, width))


def run(model, arrays):
    """Outputs by the names of the records."""
    added = {name: arrays.pop(name) for name in ADDED if name in arrays}
    if added:
        arrays["added_cond_kwargs"] = added
    if isinstance(model, CogVideoXTransformer3DModel):
        if model.config.use_rotary_positional_embeddings:
            arrays["image_rotary_emb"] = rotary(model, arrays["hidden_states"])
        return {"sample": model(**arrays).sample}
    if isinstance(model, ControlNetModel):
        result = model(**arrays)
        outputs = {"down.%d" % i: t for i, t in enumerate(result.down_block_res_samples)}
        return {**outputs, "mid": result.mid_block_res_sample}
    if isinstance(model, UnCLIPTextProjModel):
        states, added = model(**arrays)
        return {"text_encoder_hidden_states": states, "additive_clip_time_embeddings": added}
    if isinstance(model, PriorTransformer):
        return {"sample": model(**arrays).predicted_image_embedding}
    return {"sample": model(**arrays).sample}


def refill(model, small):
    """Fills the weights but the taps of filters, which keep their values."""
    state = model.state_dict()
    kept = {n: t.clone() for n, t in state.items() if n.endswith(".kernel")}
    fill(model, small)
    for name, tensor in kept.items():
        state[name].copy_(tensor)


def measure(name, kind, config, inputs):
    torch.manual_seed(0)
    model = kind(**config).eval()
    state = model.state_dict()
    names = sorted(state)
    row = {"id": name, "class_": kind.__name__, "config": config, "inputs": inputs,
           "num_tensors": len(names),
           "param_count": sum(p.numel() for p in state.values()), "fills": {}}
    for rule in ("mix", "small"):
        with torch.no_grad():
            refill(model, rule == "small")
        arrays = {k: array(v) if isinstance(v, dict) else v for k, v in inputs.items()}
        leaves = {k: v for k, v in arrays.items() if torch.is_tensor(v) and v.requires_grad}
        outputs = run(model, dict(arrays))
        row["fills"][rule] = {"outputs": {k: figures(v) for k, v in outputs.items()}}
        if rule == "small":
            continue
        model.zero_grad()
        loss = sum(v.double().pow(2).mean() for v in outputs.values())
        loss.backward()
        weights = {n: p for n, p in model.named_parameters() if p.requires_grad}
        norms = [None if n not in weights else
                 0.0 if weights[n].grad is None else short(weights[n].grad.double().norm().item())
                 for n in names]
        grads = {}
        for key, leaf in leaves.items():
            flat = leaf.grad.double().flatten()
            grads["input:" + key] = {"sum_abs": flat.abs().sum().item(),
                                     "first3": flat[:3].tolist()}
        row["fills"][rule].update(loss=loss.item(), grad_norms=norms, grads=grads,
                                  grad_l2_norm=math.sqrt(sum(n * n for n in norms if n)))
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
