# SPDX-License-Identifier: Apache-2.0
"""libsumi for Python, as far as tests/interop needs it: models, solvers and recipes by ctypes."""
import ctypes
from ctypes import POINTER, byref, c_char_p, c_double, c_int, c_int64, c_uint64, c_void_p

import numpy

MAX_RANK = 8


class Array(ctypes.Structure):
    _fields_ = [("rank", c_int), ("shape", c_int64 * MAX_RANK), ("data", POINTER(ctypes.c_float))]


FUNCTIONS = {
    "sumi_context_create": [c_void_p, POINTER(c_void_p)],
    "sumi_context_set_threads": [c_void_p, c_int],
    "sumi_recipe_open": [c_void_p, c_char_p, POINTER(c_void_p)],
    "sumi_recipe_set": [c_void_p, c_char_p],
    "sumi_data_open": [c_void_p, c_void_p, POINTER(c_void_p)],
    "sumi_model_create_from_recipe": [c_void_p, c_void_p, c_void_p, POINTER(c_void_p)],
    "sumi_model_create": [c_void_p, c_char_p, c_uint64, POINTER(c_void_p)],
    "sumi_model_open": [c_void_p, c_char_p, POINTER(c_void_p)],
    "sumi_model_save": [c_void_p, c_char_p],
    "sumi_model_set_scheduler": [c_void_p, c_char_p],
    "sumi_condition_create": [c_void_p, POINTER(c_void_p)],
    "sumi_condition_set_integers": [c_void_p, c_char_p, c_int, POINTER(c_int64), c_void_p],
    "sumi_session_create": [c_void_p, c_void_p, POINTER(c_void_p)],
    "sumi_session_set_condition": [c_void_p, c_void_p],
    "sumi_condition_set": [c_void_p, c_char_p, c_int, POINTER(c_int64), c_void_p],
    "sumi_session_add_guide": [c_void_p, c_char_p, POINTER(c_void_p)],
    "sumi_guide_set_number": [c_void_p, c_char_p, c_double],
    "sumi_session_sample": [c_void_p, c_void_p, c_int64, c_void_p, c_void_p, POINTER(Array)],
    "sumi_auto_encoder_open": [c_void_p, c_char_p, POINTER(c_void_p)],
    "sumi_auto_encoder_save": [c_void_p, c_char_p],
    "sumi_auto_encoder_encode": [c_void_p, POINTER(Array), POINTER(Array), POINTER(Array)],
    "sumi_auto_encoder_decode": [c_void_p, POINTER(Array), POINTER(Array)],
    "sumi_session_predict": [c_void_p, c_int64, c_void_p, c_void_p, c_void_p],
    "sumi_model_solver": [c_void_p, c_char_p, POINTER(c_void_p)],
    "sumi_model_sample": [c_void_p, c_void_p, c_int64, c_void_p, POINTER(Array)],
    "sumi_solver_set": [c_void_p, c_char_p, c_char_p],
    "sumi_trainer_create": [c_void_p, c_void_p, c_void_p, c_void_p, POINTER(c_void_p)],
    "sumi_trainer_step": [c_void_p, POINTER(c_double)],
}
FREE = ["sumi_context_free", "sumi_recipe_free", "sumi_data_free", "sumi_model_free",
        "sumi_solver_free", "sumi_trainer_free", "sumi_condition_free", "sumi_session_free",
        "sumi_auto_encoder_free"]


def array_of(values):
    """A contiguous float32 numpy array as Sumi's; it must outlive it."""
    array = Array(rank=values.ndim)
    array.shape[:values.ndim] = values.shape
    array.data = values.ctypes.data_as(POINTER(ctypes.c_float))
    return array


class Sumi:
    """A context. Calls are made by name; one that fails raises with Sumi's sentence."""

    def __init__(self, path):
        self.library = ctypes.CDLL(path)
        for name, types in FUNCTIONS.items():
            getattr(self.library, name).argtypes = types
        for name in FREE:
            getattr(self.library, name).argtypes = [c_void_p]
            getattr(self.library, name).restype = None
        self.library.sumi_context_message.argtypes = [c_void_p]
        self.library.sumi_context_message.restype = c_char_p
        self.library.sumi_array_release.argtypes = [c_void_p, POINTER(Array)]
        self.library.sumi_array_release.restype = None
        self.context = c_void_p()
        self.call("sumi_context_create", None, byref(self.context))
        self.call("sumi_context_set_threads", self.context, 1)

    def call(self, name, *arguments):
        if getattr(self.library, name)(*arguments) != 0:
            message = self.library.sumi_context_message(self.context)
            raise RuntimeError(f"{name}: {message.decode()}")

    def make(self, name, *arguments):
        made = c_void_p()
        self.call(name, *arguments, byref(made))
        return made

    def free(self, kind, thing):
        getattr(self.library, f"sumi_{kind}_free")(thing)

    def train(self, recipe_name, settings, steps, folder):
        """Trains a recipe's model for a few steps and saves it as a model folder."""
        recipe = self.make("sumi_recipe_open", self.context, recipe_name.encode())
        for setting in settings:
            self.call("sumi_recipe_set", recipe, setting.encode())
        data = self.make("sumi_data_open", self.context, recipe)
        model = self.make("sumi_model_create_from_recipe", self.context, recipe, data)
        trainer = self.make("sumi_trainer_create", self.context, recipe, model, data)
        for _ in range(steps):
            self.call("sumi_trainer_step", trainer, None)
        self.call("sumi_model_save", model, folder.encode())
        self.free("trainer", trainer)
        self.free("model", model)
        self.free("data", data)
        self.free("recipe", recipe)

    def set_condition(self, session, inputs):
        """The condition of a session's items: arrays by name, of int32 or float32."""
        condition = self.make("sumi_condition_create", self.context)
        for name, values in inputs.items():
            whole = values.dtype == numpy.int32
            shape = (c_int64 * values.ndim)(*values.shape)
            self.call("sumi_condition_set_integers" if whole else "sumi_condition_set", condition,
                      name.encode(), values.ndim, shape, values.ctypes.data)
        self.call("sumi_session_set_condition", session, condition)
        self.free("condition", condition)

    def evaluate(self, folder, x, times, inputs, channels, again=None):
        """The network's output for x[n, h, w, c], of as many channels as asked for. Saves the model
        to the folder `again`."""
        model = self.make("sumi_model_open", self.context, folder.encode())
        x = numpy.ascontiguousarray(x, numpy.float32)
        times = numpy.ascontiguousarray(times, numpy.float32)
        output = numpy.empty((*x.shape[:-1], channels), numpy.float32)
        session = self.make("sumi_session_create", self.context, model)
        if inputs:
            self.set_condition(session, inputs)
        self.call("sumi_session_predict", session, len(x), x.ctypes.data, times.ctypes.data,
                  output.ctypes.data)
        if again:
            self.call("sumi_model_save", model, again.encode())
        self.free("session", session)
        self.free("model", model)
        return output

    def take(self, array):
        """An array of Sumi's as numpy's own; releases it."""
        result = numpy.ctypeslib.as_array(array.data, array.shape[:array.rank]).copy()
        self.library.sumi_array_release(self.context, byref(array))
        return result

    def encode_and_decode(self, folder, pictures, latents, again=None):
        """Latents of pictures and pictures of latents. Saves the auto-encoder to `again`."""
        coder = self.make("sumi_auto_encoder_open", self.context, folder.encode())
        encoded, decoded = Array(), Array()
        self.call("sumi_auto_encoder_encode", coder, byref(array_of(pictures)), None,
                  byref(encoded))
        self.call("sumi_auto_encoder_decode", coder, byref(array_of(latents)), byref(decoded))
        if again:
            self.call("sumi_auto_encoder_save", coder, again.encode())
        self.free("auto_encoder", coder)
        return self.take(encoded), self.take(decoded)

    def sample_classes(self, folder, classes, scale, options, again=None):
        """Samples of classes by classifier-free guidance. Saves the model to `again`."""
        model = self.make("sumi_model_open", self.context, folder.encode())
        session = self.make("sumi_session_create", self.context, model)
        solver = self.make("sumi_model_solver", model, None)
        for name, value in options.items():
            self.call("sumi_solver_set", solver, name.encode(), str(value).encode())
        self.set_condition(session, {"class": numpy.array(classes, numpy.int32)})
        guide = self.make("sumi_session_add_guide", session, b"classifier-free")
        self.call("sumi_guide_set_number", guide, b"scale", scale)
        samples = Array()
        self.call("sumi_session_sample", session, solver, len(classes), None, None, byref(samples))
        if again:
            self.call("sumi_model_save", model, again.encode())
        self.free("solver", solver)
        self.free("session", session)
        self.free("model", model)
        return self.take(samples)

    def sample(self, folder, count, options):
        """`count` samples by the model's own solver with some options."""
        model = self.make("sumi_model_open", self.context, folder.encode())
        solver = self.make("sumi_model_solver", model, None)
        for name, value in options.items():
            self.call("sumi_solver_set", solver, name.encode(), str(value).encode())
        samples = Array()
        self.call("sumi_model_sample", model, solver, count, None, byref(samples))
        self.free("solver", solver)
        self.free("model", model)
        return self.take(samples)
