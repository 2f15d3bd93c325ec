# SPDX-License-Identifier: Apache-2.0
"""Model folders between Sumi and diffusers, both ways, with the real libraries.

    python tests/interop/interop.py PATH/libsumi.so

DDPMPipeline.from_pretrained opens Sumi's model folders, and Sumi opens those of save_pretrained. Both
must give the same network output, and the same images from the same seed. latents.py does the same
for auto-encoders, transformers and their pipelines.
"""
import os
import sys
import tempfile
import warnings

import diffusers
import numpy
import torch
from diffusers import DDIMPipeline, DDIMScheduler, DDPMPipeline, DDPMScheduler, UNet2DModel

from latents import check_latents
from report import IMAGE_TOLERANCE, finish, report, report_output
from sumi import Sumi

STEPS, SEED, COUNT = 20, 7, 3

SMALL = {
    "sample_size": 8,
    "in_channels": 1,
    "out_channels": 1,
    "block_out_channels": [8, 16],
    "layers_per_block": 1,
    "norm_num_groups": 4,
    "down_block_types": ["DownBlock2D", "AttnDownBlock2D"],
    "up_block_types": ["AttnUpBlock2D", "UpBlock2D"],
}
SKIP = {
    **SMALL,
    "in_channels": 3,
    "out_channels": 3,
    "block_out_channels": [32, 64],
    "norm_num_groups": 8,
    "attention_head_dim": None,
    "down_block_types": ["SkipDownBlock2D", "AttnSkipDownBlock2D"],
    "up_block_types": ["AttnSkipUpBlock2D", "SkipUpBlock2D"],
    "time_embedding_type": "fourier",
    "mid_block_scale_factor": 1.41421356237,
    "norm_eps": 1e-06,
}


def torch_output(unet, x, times, labels):
    with torch.no_grad():
        sample = torch.from_numpy(x).permute(0, 3, 1, 2)
        classes = None if labels is None else torch.tensor(labels)
        output = unet(sample, torch.tensor(times, dtype=torch.float32), class_labels=classes)
    return output.sample.permute(0, 2, 3, 1).numpy()


def check_output(sumi, what, folder, unet):
    """The same output of the network for the same input."""
    unet = unet.float().eval()
    config = unet.config
    size = config.sample_size
    height, width = size if isinstance(size, (list, tuple)) else (size, size)
    generator = numpy.random.default_rng(3)
    x = generator.standard_normal((COUNT, height, width, config.in_channels), numpy.float32)
    times = [1, 17, 900]
    labels = None if not config.num_class_embeds else [0, 2, 1]
    theirs = torch_output(unet, x, times, labels)
    inputs = {} if labels is None else {"class": numpy.array(labels, numpy.int32)}
    ours = sumi.evaluate(folder, x, times, inputs, config.out_channels)
    report_output(f"{what}, output", ours, theirs)


def check_images(sumi, what, folder, pipeline, **options):
    """The same images as the pipeline's, from torch's random numbers of the same seed."""
    pipeline.set_progress_bar_config(disable=True)
    theirs = pipeline(batch_size=COUNT, generator=torch.Generator().manual_seed(SEED),
                      num_inference_steps=STEPS, output_type="np").images
    ours = sumi.sample(folder, COUNT, {"rng": "torch", "seed": SEED, "steps": STEPS, **options})
    ours = numpy.clip(ours / 2 + 0.5, 0, 1)
    report(f"{what}, images", abs(ours - theirs).max(), IMAGE_TOLERANCE)


# ---- From Sumi to diffusers ----

TRAINED = {
    "digits": ["model.class_conditional=no"],
    "digits with classes": ["model.class_conditional=yes"],
    "digits with attention, cosine schedule, v prediction":
        ["model.class_conditional=no", "model.attention=no, yes", "model.head_dim=8",
         "model.scale_shift=yes", "noise.schedule=cosine", "noise.prediction=v_prediction",
         "noise.variance=fixed_large"],
}


def check_trained(sumi, work):
    for number, (name, settings) in enumerate(TRAINED.items()):
        folder = os.path.join(work, f"sumi-{number}")
        sumi.train("digits", ["data.count=64", "data.labels=yes", "train.batch=4",
                              "model.channels=16, 32", *settings], 2, folder)
        pipeline = DDPMPipeline.from_pretrained(folder)
        check_output(sumi, f"Sumi's {name}", folder, pipeline.unet)
        if not pipeline.unet.config.num_class_embeds:
            check_images(sumi, f"Sumi's {name}", folder, pipeline)


# ---- From diffusers to Sumi ----

WRITTEN = {
    "attention": SMALL,
    "three levels, not square": {
        **SMALL, "sample_size": [8, 16], "block_out_channels": [8, 8, 16], "in_channels": 3,
        "out_channels": 3, "down_block_types": ["DownBlock2D", "DownBlock2D", "AttnDownBlock2D"],
        "up_block_types": ["AttnUpBlock2D", "UpBlock2D", "UpBlock2D"]},
    "padding of DDPM": {
        **SMALL, "downsample_padding": 0, "flip_sin_to_cos": False, "freq_shift": 1,
        "norm_eps": 1e-06, "attention_head_dim": None},
    "scale and shift, classes": {
        **SMALL, "resnet_time_scale_shift": "scale_shift", "num_class_embeds": 3},
    "residual samplers": {
        **SMALL, "down_block_types": ["ResnetDownsampleBlock2D", "AttnDownBlock2D"],
        "up_block_types": ["AttnUpBlock2D", "ResnetUpsampleBlock2D"]},
    "NCSN++": SKIP,
}
SCHEDULERS = {
    "usual": {},
    "cosine, v prediction, large variance": {
        "beta_schedule": "squaredcos_cap_v2", "prediction_type": "v_prediction",
        "variance_type": "fixed_large"},
    "sample prediction, trailing": {
        "prediction_type": "sample", "timestep_spacing": "trailing"},
    "thresholding": {"thresholding": True, "sample_max_value": 1.5},
}


def make_pipeline(config, kind=DDPMPipeline, scheduler=None):
    torch.manual_seed(11)
    return kind(unet=UNet2DModel(**config), scheduler=scheduler or DDPMScheduler())


def check_networks(sumi, work):
    for number, (name, config) in enumerate(WRITTEN.items()):
        folder = os.path.join(work, f"diffusers-{number}")
        pipeline = make_pipeline(config)
        pipeline.save_pretrained(folder)
        check_output(sumi, f"diffusers' {name}", folder, pipeline.unet)


def check_files(sumi, work):
    """Half precision, variants and shards; the lone folder of a network."""
    kinds = {
        "float16": (torch.float16, {}),
        "fp16 variant": (torch.float16, {"variant": "fp16"}),
        "bfloat16": (torch.bfloat16, {}),
        "shards": (torch.float32, {"max_shard_size": "20KB"}),
        "shards of the fp16 variant": (torch.float16,
                                       {"max_shard_size": "20KB", "variant": "fp16"}),
    }
    for name, (dtype, options) in kinds.items():
        folder = os.path.join(work, name.replace(" ", "-"))
        pipeline = make_pipeline(SMALL).to(dtype)
        pipeline.save_pretrained(folder, **options)
        check_output(sumi, f"diffusers' {name}", folder, pipeline.unet)
    folder = os.path.join(work, "attention", "unet")
    pipeline = make_pipeline(SMALL)
    pipeline.unet.save_pretrained(folder)
    check_output(sumi, "diffusers' lone network", folder, pipeline.unet)


def check_schedulers(sumi, work):
    for number, (name, options) in enumerate(SCHEDULERS.items()):
        folder = os.path.join(work, f"scheduler-{number}")
        pipeline = make_pipeline(SMALL, scheduler=DDPMScheduler(**options))
        pipeline.save_pretrained(folder)
        check_images(sumi, f"diffusers' {name}", folder, pipeline)
    folder = os.path.join(work, "ddim")
    pipeline = make_pipeline(SMALL, DDIMPipeline, DDIMScheduler())
    pipeline.save_pretrained(folder)
    check_images(sumi, "diffusers' DDIM", folder, pipeline)


def main():
    warnings.filterwarnings("ignore")
    diffusers.utils.logging.set_verbosity_error()
    diffusers.utils.logging.disable_progress_bar()
    torch.set_num_threads(1)  # the networks are tiny
    print(f"diffusers {diffusers.__version__}, torch {torch.__version__}")
    sumi = Sumi(sys.argv[1])
    with tempfile.TemporaryDirectory() as work:
        check_networks(sumi, work)
        check_files(sumi, work)
        check_schedulers(sumi, work)
        check_trained(sumi, work)
        check_latents(sumi, work)
    return finish()


if __name__ == "__main__":
    sys.exit(main())
