# SPDX-License-Identifier: Apache-2.0
"""Measures loops of diffusers' schedulers with options that no test of theirs has, and writes
tests/data/schedulers_more.json. A tool for maintainers; no test runs it.

    python tests/interop/measure_schedulers.py tests/data/schedulers_more.json

State [4, 3, 8, 8], start, model and sums are those of "extra_vectors" in schedulers.json (see
tests/data/README.md); float32 on the CPU.
"""
import json
import sys

import diffusers
import numpy
import torch

SHAPE, COUNT = (4, 3, 8, 8), 768

# class, config, arguments of set_timesteps and of step, place to start at, compat
ROWS = [
    ("PNDMScheduler", {}, {"num_inference_steps": 40}, {}, 0, None),
    ("PNDMScheduler", {"timestep_spacing": "linspace"}, {"num_inference_steps": 10}, {}, 0,
     "diffusers"),
    ("PNDMScheduler", {"timestep_spacing": "trailing", "skip_prk_steps": True},
     {"num_inference_steps": 13}, {}, 0, "diffusers"),
    ("PNDMScheduler", {"skip_prk_steps": True}, {"num_inference_steps": 10}, {}, 4, "diffusers"),
    ("EulerDiscreteScheduler", {"interpolation_type": "log_linear"}, {"num_inference_steps": 7},
     {}, 0, None),
    ("EulerDiscreteScheduler", {"interpolation_type": "log_linear", "use_beta_sigmas": True},
     {"num_inference_steps": 7}, {}, 0, None),
    ("EulerDiscreteScheduler", {"timestep_type": "continuous"}, {"num_inference_steps": 5}, {}, 0,
     None),
    ("EulerDiscreteScheduler", {"timestep_type": "continuous", "prediction_type": "v_prediction"},
     {"num_inference_steps": 5}, {}, 0, None),
    ("EulerDiscreteScheduler", {"use_beta_sigmas": True},
     {"sigmas": [11.3572, 4.8863, 1.6248, 0.9386, 0.0]}, {}, 0, None),
    ("EulerDiscreteScheduler", {"prediction_type": "v_prediction"}, {"num_inference_steps": 7},
     {"s_churn": 4.0, "s_tmin": 0.05, "s_tmax": 50.0, "s_noise": 1.003}, 0, None),
    ("EulerDiscreteScheduler", {}, {"num_inference_steps": 1}, {}, 0, "diffusers"),
    ("EulerAncestralDiscreteScheduler",
     {"num_train_timesteps": 1100, "rescale_betas_zero_snr": True,
      "prediction_type": "v_prediction", "timestep_spacing": "leading"},
     {"num_inference_steps": 10}, {}, 0, None),
    ("EulerDiscreteScheduler",
     {"rescale_betas_zero_snr": True, "timestep_spacing": "trailing"},
     {"num_inference_steps": 7}, {}, 0, "diffusers"),
    ("DPMSolverMultistepScheduler",
     {"beta_schedule": "squaredcos_cap_v2", "use_lu_lambdas": True, "solver_order": 3},
     {"num_inference_steps": 13}, {}, 0, None),
    ("DPMSolverMultistepScheduler",
     {"use_flow_sigmas": True, "prediction_type": "flow_prediction", "flow_shift": 3.0},
     {"num_inference_steps": 7}, {}, 0, None),
    ("DPMSolverMultistepScheduler",
     {"use_flow_sigmas": True, "prediction_type": "flow_prediction",
      "final_sigmas_type": "sigma_min"}, {"num_inference_steps": 7}, {}, 0, None),
    ("DPMSolverMultistepScheduler",
     {"beta_schedule": "squaredcos_cap_v2", "timestep_spacing": "trailing",
      "lambda_min_clipped": -3.0}, {"num_inference_steps": 20}, {}, 0, None),
    ("DPMSolverMultistepScheduler", {"num_train_timesteps": 50, "use_karras_sigmas": True},
     {"num_inference_steps": 60}, {}, 0, None),
    ("DPMSolverSinglestepScheduler",
     {"use_flow_sigmas": True, "prediction_type": "flow_prediction", "solver_order": 3},
     {"num_inference_steps": 10}, {}, 0, None),
    ("DEISMultistepScheduler",
     {"use_flow_sigmas": True, "prediction_type": "flow_prediction", "flow_shift": 3.0},
     {"num_inference_steps": 10}, {}, 0, None),
    ("UniPCMultistepScheduler",
     {"thresholding": True, "sample_max_value": 3.0, "predict_x0": False,
      "final_sigmas_type": "sigma_min"}, {"num_inference_steps": 10}, {}, 0, None),
    ("FlowMatchEulerDiscreteScheduler", {"invert_sigmas": True, "use_dynamic_shifting": True},
     {"num_inference_steps": 25, "mu": 1.15}, {}, 0, None),
    ("TCDScheduler", {"clip_sample": True}, {"num_inference_steps": 4}, {"eta": 0.0}, 0, None),
]


def counter():
    index = numpy.arange(COUNT)
    item = COUNT // SHAPE[0]
    return index % item * SHAPE[0] + index // item


def model(x, time):
    return 0.7 * torch.tanh(x) + 0.05 * torch.cos(0.01 * time)


def measure(number, name, config, arguments, step, start, compat):
    torch.manual_seed(0)
    scheduler = getattr(diffusers, name)(**config)
    scheduler.set_timesteps(**arguments)
    sigma = float(getattr(scheduler, "init_noise_sigma", 1))
    scale = getattr(scheduler, "scale_model_input", lambda x, time: x)
    values = (2 * (counter() / COUNT) - 1).astype(numpy.float32).reshape(SHAPE)
    x = torch.from_numpy(values) * sigma
    if start and hasattr(scheduler, "set_begin_index"):
        scheduler.set_begin_index(start)
    sums, times = [], scheduler.timesteps[start:]
    for time in times:
        prediction = model(scale(x, time), time.float())
        x = scheduler.step(prediction, time, x, **step).prev_sample
        sums.append(x.double().abs().sum().item())
    flat = x.double().flatten()
    row = {"id": f"m{number:02}", "scheduler": name, "config": config, "set_timesteps": arguments,
           "step_kwargs": step, "model": "B", "init_noise_sigma": sigma, "num_steps": len(times),
           "timesteps": scheduler.timesteps.tolist(), "step_sum_abs": sums,
           "first8": flat[:8].tolist(), "last2": flat[-2:].tolist()}
    if start:
        row["start_index"] = start
    if compat:
        row["compat"] = compat
    return row


def main():
    rows = [measure(number, *row) for number, row in enumerate(ROWS)]
    with open(sys.argv[1], "w") as file:
        file.write('{\n"measured_with": "diffusers %s, torch %s, CPU, float32",\n'
                   '"extra_vectors": [\n'
                   % (diffusers.__version__, torch.__version__.split("+")[0]))
        file.write(",\n".join(json.dumps(row) for row in rows))
        file.write("\n]\n}\n")


if __name__ == "__main__":
    main()
