# SPDX-License-Identifier: Apache-2.0
"""Evaluations of a PyTorch network by OpenVINO and by ONNX Runtime. Each function takes the network,
evaluate(*inputs) over it, example inputs, the precision and a folder for files, and returns a
function of the same inputs."""
import os
import shutil

import torch


class Whole(torch.nn.Module):
    """The evaluation as a module, for exporters."""

    def __init__(self, network, evaluate):
        super().__init__()
        self.network, self.evaluate = network, evaluate

    def forward(self, *inputs):
        return self.evaluate(*inputs)


def arrays(inputs):
    return [x.contiguous().numpy() for x in inputs]


def by_openvino(network, evaluate, inputs, precision, folder):
    import openvino
    with torch.no_grad():
        model = openvino.convert_model(Whole(network, evaluate), example_input=inputs,
                                       input=[list(x.shape) for x in inputs])
    compiled = openvino.Core().compile_model(model, "CPU", {
        "INFERENCE_PRECISION_HINT": precision, "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_NUM_THREADS": torch.get_num_threads()})
    return lambda *given: torch.from_numpy(compiled(arrays(given))[0])


def by_onnx_runtime(network, evaluate, inputs, precision, folder):
    import onnxruntime
    if precision != "f32":
        raise ValueError("ONNX Runtime has no arithmetic in bf16 here")
    os.makedirs(folder, exist_ok=True)
    path = os.path.join(folder, "network.onnx")
    try:
        torch.onnx.export(Whole(network, evaluate), inputs, path, dynamo=True, external_data=True,
                          verbose=False)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = torch.get_num_threads()
        session = onnxruntime.InferenceSession(path, options, ["CPUExecutionProvider"])
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    names = [node.name for node in session.get_inputs()]
    return lambda *given: torch.from_numpy(
        session.run(None, dict(zip(names, arrays(given))))[0])


RUNTIMES = {"openvino": by_openvino, "onnxruntime": by_onnx_runtime}
