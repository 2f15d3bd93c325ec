# SPDX-License-Identifier: Apache-2.0
"""One sample in one step by a runtime, as soon as possible: imports no more than that takes.

    python bench/peer_cold.py FOLDER make          writes the runtimes' files beside the weights
    python bench/peer_cold.py FOLDER onnxruntime   or openvino: draws a sample with them

The runtimes have the whole network in one file of their own format, which is made beforehand.
"""
import json
import os
import sys

import numpy

THREADS = int(os.environ.get("OMP_NUM_THREADS", "0"))


def read_json(*path):
    with open(os.path.join(*path), encoding="utf-8") as file:
        return json.load(file)


def make(folder):
    import openvino
    import torch
    from peer import item_shape, open_network, read_config
    from runtimes import Whole
    network, evaluate = open_network(folder)
    network.eval().requires_grad_(False)
    inputs = (torch.randn([1] + item_shape(read_config(folder), False)), torch.zeros(1))
    os.makedirs(os.path.join(folder, "cold"), exist_ok=True)
    torch.onnx.export(Whole(network, evaluate), inputs, os.path.join(folder, "cold", "network.onnx"),
                      dynamo=True, external_data=True, verbose=False)
    with torch.no_grad():
        model = openvino.convert_model(Whole(network, evaluate), example_input=inputs,
                                       input=[list(x.shape) for x in inputs])
    openvino.save_model(model, os.path.join(folder, "cold", "network.xml"), compress_to_fp16=False)


def by_onnxruntime(path):
    import onnxruntime
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = THREADS
    session = onnxruntime.InferenceSession(path + ".onnx", options, ["CPUExecutionProvider"])
    names = [node.name for node in session.get_inputs()]
    return lambda *inputs: session.run(None, dict(zip(names, inputs)))[0]


def by_openvino(path):
    import openvino
    compiled = openvino.Core().compile_model(path + ".xml", "CPU", {
        "INFERENCE_PRECISION_HINT": "f32", "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_NUM_THREADS": THREADS})
    return lambda *inputs: compiled(list(inputs))[0]


def draw(folder, runtime):
    """One step of DDIM from pure noise: the estimate of the clean item."""
    evaluate = {"onnxruntime": by_onnxruntime, "openvino": by_openvino}[runtime](
        os.path.join(folder, "cold", "network"))
    config = read_json(folder, "unet", "config.json")
    scheduler = read_json(folder, "scheduler", "scheduler_config.json")
    steps = scheduler["num_train_timesteps"]
    betas = numpy.linspace(scheduler["beta_start"], scheduler["beta_end"], steps)
    kept = numpy.prod(1 - betas)
    size = config["sample_size"]
    x = numpy.random.default_rng(0).standard_normal((1, config["in_channels"], size, size),
                                                    dtype=numpy.float32)
    prediction = evaluate(x, numpy.array([steps - 1], dtype=numpy.float32))
    sample = numpy.clip((x - (1 - kept) ** 0.5 * prediction) / kept ** 0.5, -1, 1)
    print(json.dumps({"mean": float(sample.mean())}), flush=True)


if __name__ == "__main__":
    if sys.argv[2] == "make":
        make(sys.argv[1])
    else:
        draw(sys.argv[1], sys.argv[2])
