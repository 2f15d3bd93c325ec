# SPDX-License-Identifier: Apache-2.0
"""Auto-encoders, conditional networks and DiT's pipeline between Sumi and diffusers, both ways.

Each network is made by diffusers and read by Sumi, from float32, float16 and bfloat16 files; then Sumi
saves it and diffusers reads that. All must give the same output.
"""
import os

import numpy
import torch
from diffusers import (AutoencoderKL, AutoencoderTiny, DDIMScheduler, DiTPipeline,
                       DiTTransformer2DModel, DPMSolverMultistepScheduler,
                       PixArtTransformer2DModel, SD3Transformer2DModel, UNet2DConditionModel,
                       VQModel)

from report import IMAGE_TOLERANCE, report, report_output

FILES = {"float32": torch.float32, "float16": torch.float16, "bfloat16": torch.bfloat16}
CLASSES = [207, 3]  # DiTPipeline's null class is always 1000, so its transformer has 1000 classes
STEPS, SEED, SCALE = 8, 7, 4.0


def numbers(*shape):
    return numpy.random.default_rng(5).standard_normal(shape, numpy.float32)


def to_torch(x):
    return torch.from_numpy(x).permute(0, 3, 1, 2)


def to_numpy(x):
    return x.permute(0, 2, 3, 1).numpy()


def spread(model):
    """Weights of a size that makes every layer matter: new ones are zero in some."""
    generator = torch.Generator().manual_seed(13)
    with torch.no_grad():
        for weight in model.parameters():
            drawn = torch.randn(weight.shape, generator=generator)
            if weight.ndim > 1:
                weight.copy_(drawn / (weight.numel() / weight.shape[0])**0.5)
            else:
                weight.add_(0.1 * drawn)
    return model.eval()


def write(model, dtype, folder):
    """Saves a model in `dtype`; returns it as read from there, in float32."""
    spread(model).to(dtype).save_pretrained(folder)
    return type(model).from_pretrained(folder, torch_dtype=torch.float32).eval()


# ---- Auto-encoders ----

KL = {"block_out_channels": [16, 32], "down_block_types": ["DownEncoderBlock2D"] * 2,
      "up_block_types": ["UpDecoderBlock2D"] * 2, "norm_num_groups": 8, "latent_channels": 4,
      "sample_size": 16, "scaling_factor": 0.5}
CODERS = {
    "AutoencoderKL": (AutoencoderKL, KL),
    "AutoencoderKL with a shift, without quantising convolutions": (AutoencoderKL, {
        **KL, "shift_factor": 0.3, "scaling_factor": 1.5, "use_quant_conv": False,
        "use_post_quant_conv": False, "mid_block_add_attention": False}),
    "VQModel": (VQModel, {
        **KL, "latent_channels": 3, "num_vq_embeddings": 32, "vq_embed_dim": 3,
        "mid_block_add_attention": True}),
    "VQModel with spatial norms": (VQModel, {
        **KL, "block_out_channels": [32, 64], "num_vq_embeddings": 32, "vq_embed_dim": 4,
        "norm_type": "spatial"}),
    "AutoencoderTiny": (AutoencoderTiny, {
        "encoder_block_out_channels": [16, 16], "decoder_block_out_channels": [16, 16],
        "num_encoder_blocks": [1, 1], "num_decoder_blocks": [1, 1]}),
}


def torch_codes(model, pictures, latents):
    """Scaled latents of pictures, and pictures of scaled latents."""
    config = model.config
    factor, shift = config.scaling_factor, getattr(config, "shift_factor", None) or 0
    with torch.no_grad():
        encoded = model.encode(to_torch(pictures))
        z = encoded.latent_dist.mean if hasattr(encoded, "latent_dist") else encoded.latents
        decoded = model.decode(to_torch(latents) / factor + shift).sample
    return to_numpy((z - shift) * factor), to_numpy(decoded)


def compare_coder(sumi, what, folder, model, channels, again):
    """Sumi's codes of a folder against diffusers'; saves it to `again`."""
    pictures = numpy.tanh(numbers(2, 16, 24, 3))
    latents = numbers(2, 8, 12, channels)
    ours = sumi.encode_and_decode(folder, pictures, latents, again)
    for part, mine, theirs in zip(("latents", "pictures"), ours,
                                  torch_codes(model, pictures, latents)):
        report_output(f"{what}, {part}", mine, theirs)


def check_coders(sumi, work):
    for number, (name, (kind, config)) in enumerate(CODERS.items()):
        for file, dtype in FILES.items():
            folder = os.path.join(work, f"coder-{number}-{file}")
            model = write(kind(**config), dtype, folder)
            compare_coder(sumi, f"diffusers' {name}, {file}", folder, model,
                          config.get("latent_channels", 4), folder + "-again")
        again = kind.from_pretrained(folder + "-again").eval()
        compare_coder(sumi, f"Sumi's {name}", folder, again, config.get("latent_channels", 4), None)


# ---- Transformers and conditional U-Nets ----

TINY = {"num_attention_heads": 2, "attention_head_dim": 12, "in_channels": 4, "num_layers": 2,
        "sample_size": 8, "patch_size": 2}
SD3 = {**TINY, "out_channels": 4, "joint_attention_dim": 10, "caption_projection_dim": 24,
       "pooled_projection_dim": 14, "pos_embed_max_size": 7}
PIXART = {**TINY, "out_channels": 8, "cross_attention_dim": 24, "caption_channels": 10}
UNET = {"sample_size": 8, "block_out_channels": [16, 32], "layers_per_block": 1,
        "norm_num_groups": 8, "cross_attention_dim": 10, "attention_head_dim": [2, 4],
        "down_block_types": ["CrossAttnDownBlock2D", "DownBlock2D"],
        "up_block_types": ["UpBlock2D", "CrossAttnUpBlock2D"], "out_channels": 4}
NETWORKS = {
    "Stable Diffusion's U-Net": (UNet2DConditionModel, {**UNET, "attention_head_dim": 4}),
    "U-Net with linear projections and time_ids": (UNet2DConditionModel, {
        **UNET, "use_linear_projection": True, "transformer_layers_per_block": [2, 1],
        "addition_embed_type": "text_time", "addition_time_embed_dim": 4,
        "projection_class_embeddings_input_dim": 38}),
    "DiT": (DiTTransformer2DModel, {**TINY, "out_channels": 8, "num_embeds_ada_norm": 5}),
    "DiT with SwiGLU": (DiTTransformer2DModel, {
        **TINY, "out_channels": None, "num_embeds_ada_norm": 5, "activation_fn": "swiglu"}),
    "PixArt": (PixArtTransformer2DModel, PIXART),
    "PixArt with sizes": (PixArtTransformer2DModel, {
        **PIXART, "use_additional_conditions": True, "interpolation_scale": 2}),
    "SD3": (SD3Transformer2DModel, SD3),
    "SD3 with norms of heads and two attentions": (SD3Transformer2DModel, {
        **SD3, "qk_norm": "rms_norm", "dual_attention_layers": [0]}),
}
# the names of Sumi's inputs and of diffusers' arguments
ARGUMENTS = {"class": "class_labels", "states": "encoder_hidden_states",
             "states_mask": "encoder_attention_mask", "pooled": "pooled_projections"}
SIZES = {"resolution", "aspect_ratio"}


def inputs_of(kind, config):
    """The conditions of a transformer for two items."""
    if kind is DiTTransformer2DModel:
        return {"class": numpy.array([2, 5], numpy.int32)}
    states = {"states": numbers(2, 5, 10)}
    if config.get("addition_embed_type"):
        return {**states, "pooled": numbers(2, 14), "time_ids": 100 * abs(numbers(2, 6))}
    if kind is UNet2DConditionModel:
        return states
    if kind is SD3Transformer2DModel:
        return {**states, "pooled": numbers(2, 14)}
    states["states_mask"] = numpy.array([[1, 1, 1, 1, 1], [1, 1, 0, 0, 0]], numpy.float32)
    if config.get("use_additional_conditions"):
        states["resolution"] = numpy.array([[256, 192], [512, 512]], numpy.float32)
        states["aspect_ratio"] = numpy.array([[0.75], [1]], numpy.float32)
    return states


def added_inputs(model, given):
    """Those that diffusers takes as added_cond_kwargs."""
    if isinstance(model, UNet2DConditionModel):
        return {"text_embeds": given.pop("pooled"), "time_ids": given.pop("time_ids")}
    sizes = {name: value for name, value in given.items() if name in SIZES}
    return sizes or {"resolution": None, "aspect_ratio": None}


def torch_output(model, x, times, inputs):
    given = {name: torch.from_numpy(value) for name, value in inputs.items()}
    added = {}
    if isinstance(model, PixArtTransformer2DModel) or "time_ids" in given:
        added = {"added_cond_kwargs": added_inputs(model, given)}
    arguments = {ARGUMENTS[name]: value for name, value in given.items() if name in ARGUMENTS}
    arguments.update(added)
    if "class_labels" in arguments:
        arguments["class_labels"] = arguments["class_labels"].long()
    with torch.no_grad():
        output = model(to_torch(x), timestep=torch.tensor(times, dtype=torch.float32), **arguments)
    return to_numpy(output.sample)


def compare_network(sumi, what, folder, model, config, again):
    x, times = numbers(2, 8, 8, 4), [3, 700]
    inputs = inputs_of(type(model), config)
    ours = sumi.evaluate(folder, x, times, inputs, config["out_channels"] or 4, again)
    report_output(what, ours, torch_output(model, x, times, inputs))


def check_networks(sumi, work):
    for number, (name, (kind, config)) in enumerate(NETWORKS.items()):
        for file, dtype in FILES.items():
            folder = os.path.join(work, f"network-{number}-{file}")
            model = write(kind(**config), dtype, folder)
            compare_network(sumi, f"diffusers' {name}, {file}", folder, model, config,
                                folder + "-again")
        part = "unet" if kind is UNet2DConditionModel else "transformer"
        again = kind.from_pretrained(os.path.join(folder + "-again", part)).eval()
        compare_network(sumi, f"Sumi's {name}", folder, again, config, None)


# ---- Pipelines ----

SCHEDULERS = {"DDIM": DDIMScheduler(clip_sample=False),
              "DPM-Solver++": DPMSolverMultistepScheduler()}


def compare_pipeline(sumi, what, folder, pipeline, again=None):
    """The pictures of guided classes, from torch's random numbers of the same seed."""
    pipeline.set_progress_bar_config(disable=True)
    theirs = pipeline(class_labels=CLASSES, guidance_scale=SCALE, num_inference_steps=STEPS,
                      generator=torch.Generator().manual_seed(SEED), output_type="np").images
    ours = sumi.sample_classes(folder, CLASSES, SCALE,
                               {"rng": "torch", "seed": SEED, "steps": STEPS}, again)
    ours = numpy.clip(ours / 2 + 0.5, 0, 1)
    report(f"{what}, images", abs(ours - theirs).max(), IMAGE_TOLERANCE)


def check_pipelines(sumi, work):
    transformer = spread(DiTTransformer2DModel(**TINY, out_channels=8, num_embeds_ada_norm=1000))
    coder = spread(AutoencoderKL(**KL))
    for name, scheduler in SCHEDULERS.items():
        folder = os.path.join(work, f"dit-{name}")
        pipeline = DiTPipeline(transformer=transformer, vae=coder, scheduler=scheduler)
        pipeline.save_pretrained(folder)
        compare_pipeline(sumi, f"diffusers' DiTPipeline, {name}", folder, pipeline,
                         folder + "-again")
    pipeline = DiTPipeline.from_pretrained(folder + "-again")
    compare_pipeline(sumi, "Sumi's DiTPipeline", folder, pipeline)


def check_latents(sumi, work):
    check_coders(sumi, work)
    check_networks(sumi, work)
    check_pipelines(sumi, work)
