# SPDX-License-Identifier: Apache-2.0
"""Measures reference features of Inception-v3 with torch-fidelity's network, and writes
tests/data/features.json, which build/tests/features_inception_test reads. A tool for maintainers; no
test runs it.

    python tests/interop/measure_features.py tests/data/features.json

Weights are filled by "mix" of tests/data/README.md with the 32-bit FNV-1a hash of a tensor's name for n:
s sqrt(2 / inputs) for convolutions, s / sqrt(inputs) for fc.weight, 1 + 0.1 s for scales and variances,
0.1 s for shifts and means. Byte j of the pictures is round(255 (0.5 + 0.5 cos(0.11 j))).
"""
import json
import sys

import numpy
import torch
import torch.nn.functional as F
import torch_fidelity.feature_extractor_inceptionv3 as fidelity

torch.set_num_threads(2)


def name_hash(name):
    value = 0x811C9DC5
    for byte in name.encode():
        value = (value ^ byte) * 0x01000193 & 0xFFFFFFFF
    return value


def mix(n, count):
    x = (numpy.uint32(n) * numpy.uint64(0x9E3779B9) + numpy.arange(count, dtype=numpy.uint64))
    x = (x & numpy.uint64(0xFFFFFFFF)).astype(numpy.uint32)
    x ^= x >> numpy.uint32(16)
    x *= numpy.uint32(0x7FEB352D)
    x ^= x >> numpy.uint32(15)
    x *= numpy.uint32(0x846CA68B)
    x ^= x >> numpy.uint32(16)
    return numpy.sqrt(3.0) * (2 * (x.astype(numpy.float64) + 0.5) / 2**32 - 1)


def fill(model):
    for name, tensor in model.state_dict().items():
        if not tensor.is_floating_point():
            continue
        s, inputs = mix(name_hash(name), tensor.numel()), tensor.numel() / tensor.shape[0]
        if name.endswith(("bn.weight", "running_var")):
            s = 1 + 0.1 * s
        elif name.endswith(("conv.weight")):
            s = s * numpy.sqrt(2 / inputs)
        elif name.endswith("fc.weight"):
            s = s / numpy.sqrt(inputs)
        else:
            s = 0.1 * s
        tensor.copy_(torch.from_numpy(s.astype(numpy.float32).reshape(tensor.shape)))


def figures(tensor):
    values = tensor.double().numpy().ravel()
    return {"shape": list(tensor.shape), "sum": float(values.sum()),
            "mean_abs": float(abs(values).mean()), "rms": float((values**2).mean()**0.5),
            "first8": [float(v) for v in values[:8]], "last2": [float(v) for v in values[-2:]]}


def resize_of_torch(x, size, align_corners):
    """pytorch-fid's way, on bytes that torch-fidelity's network then maps to (b - 128) / 128."""
    x = F.interpolate(x / 255, size=size, mode="bilinear", align_corners=align_corners)
    return (2 * x - 1) * 128 + 128


def main(path):
    fidelity.torch.load = lambda *args, **kwargs: {}
    fidelity.FeatureExtractorInceptionV3.load_state_dict = lambda self, state: None
    model = fidelity.FeatureExtractorInceptionV3("inception", ["2048", "logits_unbiased"],
                                                 feature_extractor_weights_path="none")
    fill(model)
    rows, resize = [], fidelity.interpolate_bilinear_2d_like_tensorflow1x
    for height, width in ((32, 24), (310, 333)):
        count = 2 * height * width * 3
        values = 0.5 + 0.5 * numpy.cos(0.11 * numpy.arange(count))
        pictures = numpy.rint(255 * values).astype(numpy.uint8).reshape(2, height, width, 3)
        x = torch.from_numpy(pictures).permute(0, 3, 1, 2).contiguous()
        for way, function in (("torch-fidelity", resize), ("pytorch-fid", resize_of_torch)):
            fidelity.interpolate_bilinear_2d_like_tensorflow1x = function
            with torch.no_grad():
                features, logits = model(x)
            rows.append({"id": "%s %dx%d" % (way, height, width), "resize": way, "height": height,
                         "width": width, "features": figures(features), "logits": figures(logits)})
    with open(path, "w") as file:
        file.write('{"versions": %s, "rows": [\n' % json.dumps(
            {"torch": torch.__version__, "torch_fidelity": "0.4.0"}))
        file.write(",\n".join(json.dumps(row) for row in rows) + "\n]}\n")


main(sys.argv[1])
