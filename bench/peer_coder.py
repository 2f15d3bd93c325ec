# SPDX-License-Identifier: Apache-2.0
"""The peer's side of auto-encoders: diffusers' AutoencoderKL, whose decoder is evaluated or which is
trained, as in bench/coder.c."""
import os

import torch


def open_coder(folder):
    """The auto-encoder, and decode(latents), which are scaled as for diffusion."""
    from diffusers import AutoencoderKL
    coder = AutoencoderKL.from_pretrained(folder, low_cpu_mem_usage=False)
    scale = coder.config.scaling_factor
    return coder, lambda latents: coder.decode(latents / scale, return_dict=False)[0]


def check_coder(folder):
    """Compares decoded pictures with those of Sumi in the folder."""
    import numpy
    _, decode = open_coder(folder)
    x, output = (torch.from_numpy(numpy.load(os.path.join(folder, name))).movedim(-1, 1)
                 for name in ("x.npy", "output.npy"))
    with torch.no_grad():
        own = decode(x.contiguous())
    error = (own - output).abs().max() / own.abs().max()
    return {"loss": own.square().mean().item(), "difference": error.item()}


def make_coder_class(subject_class):
    """One way of running an auto-encoder, on top of the class for networks."""

    class Coder(subject_class):
        def __init__(self, folder, variant, arguments):
            from runtimes import RUNTIMES
            self.network, decode = open_coder(folder)
            self.last = variant["layout"] == "channels_last"
            self.bf16, self.batch = variant["precision"] == "bf16", arguments.batch
            self.forward = arguments.forward
            if self.last:
                self.network = self.network.to(memory_format=torch.channels_last)
            height, width, channels = arguments.picture
            torch.manual_seed(1)
            if self.forward:
                self.network.eval().requires_grad_(False)
                latents = self.network.config.latent_channels
                self.inputs = (self.arrange(torch.randn(self.batch, latents, height // 8,
                                                        width // 8)),)
                self.plain = self.function = decode
            else:
                self.pool = self.arrange(torch.randn(16, channels, height, width))
                self.log_variance = torch.nn.Parameter(torch.zeros(()))
                self.prepare_training()
                self.plain = self.function = self.loss
            if variant["compile"] in RUNTIMES:
                self.function = RUNTIMES[variant["compile"]](
                    self.network, decode, self.inputs, variant["precision"],
                    os.path.join(folder, "runtime"))
            elif variant["compile"] != "eager":
                self.compile(variant["compile"])

        def prepare_training(self):
            super().prepare_training()
            self.weights.append(self.log_variance)
            self.optimizer.add_param_group({"params": [self.log_variance]})
            self.averages.append(self.log_variance.detach().clone())

        def loss(self, pictures, noise):
            """Absolute difference over a learned variance, and the KL divergence."""
            posterior = self.network.encode(pictures).latent_dist
            latents = posterior.mean + posterior.std * noise
            made = self.network.decode(latents, return_dict=False)[0].float()
            error = (pictures - made).abs().mean() / self.log_variance.exp() + self.log_variance
            return error + 1e-6 * posterior.kl().sum() / pictures.numel()

        def noise_of(self, pictures):
            channels = self.network.config.latent_channels
            return torch.randn(len(pictures), channels, pictures.shape[2] // 8,
                               pictures.shape[3] // 8)

        def train(self):
            pictures = self.pool[torch.randint(len(self.pool), [self.batch])]
            with self.precision():
                loss = self.function(pictures, self.noise_of(pictures))
            return self.step(loss)

        def run(self):
            if not self.forward:
                return self.train()
            with torch.no_grad(), self.precision():
                return self.function(*self.inputs)

        def difference(self):
            inputs = self.inputs if self.forward else \
                (self.pool[:self.batch], self.noise_of(self.pool[:self.batch]))
            with torch.no_grad():
                plain = self.plain(*inputs)
                with self.precision():
                    own = self.function(*inputs).float()
            return ((own - plain).abs().max() / plain.abs().max()).item()

    return Coder
