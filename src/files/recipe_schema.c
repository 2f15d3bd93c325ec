/* SPDX-License-Identifier: Apache-2.0 */
/* The table of all recipe keys, and the check of a value against it. */
#include "files/recipe.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"

#define GENERATED                                                                                  \
    "data.kind=morlet|digits|swissroll|moons|gaussians|checkerboard|rings|heartbeat|noise"
#define OF_A_UNET "model.kind=unet2d|unet1d, model.config="
#define NO_DIT "model.kind=unet2d|unet1d|mlp, model.config="
#define A_TABLE "noise.path=table|binomial"
#define NOISED "train.objective=denoising|variational|hybrid|sliced"

const struct option recipe_schema[] = {
    {TEXT_OPTION("recipe.summary", "", "one sentence that `sumi recipes` shows")},
    {CHOICE_OPTION(
        "data.kind", "digits",
        "morlet|digits|swissroll|moons|gaussians|checkerboard|rings|heartbeat|noise|idx|cifar10|"
        "folder|npy|csv",
        "where items come from: a generator or a kind of file")},
    {TEXT_OPTION("data.path", "", "file or folder to read; empty: the user's cache folder"),
     .when = "data.kind=idx|cifar10|folder|npy|csv"},
    {CHOICE_OPTION(
         "data.items", "auto", "auto|images|signals|points",
         "the kind of items in the rows of an npy or csv file; auto: that of the network"),
     .when = "data.kind=npy|csv"},
    {CHOICE_OPTION("data.split", "train", "train|test",
                   "which part of a data set with a training and a test set"),
     .when = "data.kind=idx|cifar10"},
    {WHOLE_OPTION("data.limit", "0", 0, 1e15, "number of items to use, from the first; 0: all")},
    {FLAG_OPTION("data.labels", "no",
                 "read the class of each item, for a class-conditional model")},
    {WHOLE_OPTION("data.count", "20000", 1, 1e9, "number of items of a generator"),
     .when = GENERATED},
    {WHOLE_OPTION("data.length", "128", 8, 1 << 20, "length of a generated signal"),
     .when = "data.kind=morlet"},
    {WHOLE_OPTION("data.bits", "20", 5, 1 << 16, "number of bits of a heartbeat"),
     .when = "data.kind=heartbeat"},
    {NUMBER_OPTION("data.scale", "1", 1e-6, 1e6, "factor for all numbers of an item")},
    {WHOLES_OPTION("data.shape", "32, 32, 3", 1, 1 << 20,
                   "shape of an item of noise, channels last"),
     .when = "data.kind=noise"},
    {WHOLE_OPTION("data.classes", "10", 1, 1 << 20, "number of classes of items of noise"),
     .when = "data.kind=noise"},
    {NUMBER_OPTION("data.noise", "0", 0, 10,
                   "standard deviation of noise that is added to generated items"),
     .when = "data.kind=morlet|swissroll|moons|gaussians|checkerboard|rings"},
    {WHOLE_OPTION("data.width", "32", 0, 8192,
                  "width that pictures of a folder are scaled to; 0: that of the first"),
     .when = "data.kind=folder"},
    {WHOLE_OPTION("data.height", "32", 0, 8192,
                  "height that pictures of a folder are scaled to; 0: that of the first"),
     .when = "data.kind=folder"},
    {CHOICE_OPTION("data.channels", "3", "1|3",
                   "1 reads pictures of a folder as grey, 3 as colour"),
     .when = "data.kind=folder"},
    {FLAG_OPTION("data.flip", "no", "mirror half of the pictures left to right while training")},
    {FLAG_OPTION("data.flip_vertical", "no",
                 "mirror half of the pictures top to bottom while training")},
    {WHOLE_OPTION("data.shift", "0", 0, 4096,
                  "largest random shift of a picture, in pixels, while training")},
    {WHOLE_OPTION(
        "data.memory", "1024", 0, 1e9,
        "largest data set that is kept in memory, in megabytes; others are read on demand")},
    {WHOLE_OPTION("data.readers", "4", 0, 64,
                  "largest number of threads that read the next batch during a step; 0: read it in "
                  "the step")},
    {SEED_OPTION("data.seed", "1", "seed of generated items"), .when = GENERATED},
    {CHOICE_OPTION(
        "model.kind", "unet2d", "unet2d|unet1d|mlp|dit",
        "network: U-Net for pictures or signals, multi-layer perceptron for points, or diffusion "
        "transformer for pictures with classes")},
    {WHOLES_OPTION("model.channels", "32, 64, 64", 1, 8192,
                   "channels of a U-Net at each resolution"),
     .when = OF_A_UNET},
    {WHOLE_OPTION("model.layers_per_block", "2", 1, 16, "residual units in each block of a U-Net"),
     .when = OF_A_UNET},
    {WORDS_OPTION("model.down_blocks", "auto", "diffusers' names of the down blocks, or auto"),
     .when = OF_A_UNET},
    {WORDS_OPTION("model.up_blocks", "auto", "diffusers' names of the up blocks, or auto"),
     .when = OF_A_UNET},
    {FLAGS_OPTION("model.attention", "auto",
                  "attention at each resolution; auto: only in the middle"),
     .when = OF_A_UNET},
    {FLAG_OPTION("model.mid_attention", "yes", "attention at the lowest resolution"),
     .when = OF_A_UNET},
    {WHOLE_OPTION("model.head_dim", "0", 0, 8192, "channels of an attention head; 0: one head"),
     .when = OF_A_UNET},
    {WHOLE_OPTION("model.groups", "8", 1, 8192, "number of groups of group normalisation"),
     .when = OF_A_UNET},
    {NUMBER_OPTION("model.norm_eps", "1e-5", 0, 1,
                   "number added to a variance before its square root"),
     .when = OF_A_UNET},
    {CHOICE_OPTION("model.time_embedding", "positional", "positional|fourier",
                   "encoding of the time"),
     .when = NO_DIT},
    {FLAG_OPTION("model.scale_shift", "no",
                 "scale and shift features by the time embedding, instead of adding it"),
     .when = OF_A_UNET},
    {FLAG_OPTION("model.class_conditional", "no",
                 "give the network the class (needs data.labels = yes)"),
     .when = "model.config="},
    {NUMBER_OPTION("model.dropout", "0", 0, 0.95, "fraction of features dropped while training"),
     .when = "model.config="},
    {CHOICE_OPTION("model.activation", "silu", "silu|relu|gelu|mish",
                   "activation function of the network"),
     .when = NO_DIT},
    {WHOLE_OPTION("model.width", "128", 1, 65536,
                  "features of each hidden layer of an mlp, or of each token of a dit"),
     .when = "model.kind=mlp|dit, model.config="},
    {WHOLE_OPTION("model.depth", "4", 1, 64,
                  "number of hidden layers of an mlp, or of blocks of a dit"),
     .when = "model.kind=mlp|dit, model.config="},
    {WHOLE_OPTION("model.heads", "4", 1, 1024, "attention heads of each block of a dit"),
     .when = "model.kind=dit, model.config="},
    {WHOLE_OPTION("model.patch", "2", 1, 256,
                  "width and height of a patch, which is a token of a dit"),
     .when = "model.kind=dit, model.config="},
    {TEXT_OPTION("model.config", "", "path of a config.json that replaces all other [model] keys")},
    {WHOLE_OPTION("noise.steps", "1000", 2, 100000, "T, the number of noise levels")},
    {CHOICE_OPTION(
        "noise.path", "table", "table|vp|sub_vp|ve|edm|flow|cosine|binomial",
        "from data to noise: a table of betas, one of the SDEs, a flow; or bits that flip")},
    {CHOICE_OPTION("noise.schedule", "linear",
                   "linear|scaled_linear|cosine|quadratic|sigmoid|laplace|"
                   "geometric|binomial",
                   "how beta grows from the first level of a table to the last"),
     .when = A_TABLE},
    {FLAG_OPTION("noise.zero_snr", "no", "rescale a table so that its last level has no signal"),
     .when = A_TABLE},
    {NUMBER_OPTION("noise.beta_min", "0.1", 1e-6, 1e6, "beta at time 0 of vp and sub_vp"),
     .when = "noise.path=vp|sub_vp"},
    {NUMBER_OPTION("noise.beta_max", "20", 1e-6, 1e6, "beta at time 1 of vp and sub_vp"),
     .when = "noise.path=vp|sub_vp"},
    {NUMBER_OPTION("noise.sigma_min", "0", 0, 1e6,
                   "least noise level of ve and edm; 0: 0.01 and 0.002"),
     .when = "noise.path=ve|edm"},
    {NUMBER_OPTION("noise.sigma_max", "0", 0, 1e6,
                   "greatest noise level of ve and edm; 0: 50 and 80"),
     .when = "noise.path=ve|edm"},
    {NUMBER_OPTION("noise.sigma_data", "0.5", 1e-6, 1e6, "standard deviation of the data, for edm"),
     .when = "noise.path=edm"},
    {NUMBER_OPTION("noise.eps", "0", 0, 1,
                   "least time of vp, sub_vp and ve; 0: 1e-3, or 1e-5 for ve"),
     .when = "noise.path=vp|sub_vp|ve"},
    {CHOICE_OPTION("noise.time", "discrete", "discrete|continuous|sigma|consistency",
                   "time input of the network: the time, log(sigma) / 4, sigma or 250 log(sigma)"),
     .when = "noise.path!=binomial"},
    {NUMBER_OPTION("noise.shift", "1", 1e-3, 1e3, "moves the times of a flow towards noise"),
     .when = "noise.path=flow"},
    {NUMBER_OPTION("noise.beta_start", "0.0001", 0, 0.999,
                   "beta of the first level (not for cosine)"),
     .when = "noise.schedule=linear|scaled_linear|quadratic|sigmoid|geometric, "
             "noise.path=table|binomial"},
    {NUMBER_OPTION("noise.beta_end", "0.02", 0, 0.999, "beta of the last level (not for cosine)"),
     .when = "noise.schedule=linear|scaled_linear|quadratic|sigmoid|geometric, "
             "noise.path=table|binomial"},
    {CHOICE_OPTION("noise.prediction", "epsilon",
                   "epsilon|sample|v_prediction|score|flow_prediction|velocity",
                   "what the network predicts: noise, data, v, score, or a velocity"),
     .when = "noise.path!=binomial"},
    {CHOICE_OPTION(
        "noise.variance", "fixed_small", "fixed_small|fixed_large|learned_range",
        "variance of a reverse step: that of the posterior, beta, or learned between the two")},
    {FLAG_OPTION("noise.clip", "yes", "clip the estimate of the clean sample while sampling"),
     .when = "noise.path!=binomial"},
    {NUMBER_OPTION("noise.clip_range", "1", 0, 1e6, "largest absolute value after clipping"),
     .when = "noise.clip=yes, noise.thresholding=no"},
    {FLAG_OPTION("noise.thresholding", "no", "clip at a quantile of each sample instead"),
     .when = "noise.path!=binomial"},
    {NUMBER_OPTION("noise.threshold_ratio", "0.995", 0, 1, "quantile of dynamic thresholding"),
     .when = "noise.thresholding=yes"},
    {NUMBER_OPTION("noise.threshold_max", "1", 0, 1e6, "largest threshold of dynamic thresholding"),
     .when = "noise.thresholding=yes"},
    {WHOLE_OPTION("train.steps", "2000", 1, 1e12, "optimizer steps")},
    {WHOLE_OPTION("train.batch", "64", 1, 1 << 20, "items in each step")},
    {WHOLE_OPTION("train.accumulate", "1", 1, 1 << 20,
                  "number of parts that a batch is computed in, to save memory; their gradients "
                  "are averaged")},
    {CHOICE_OPTION("train.recompute", "auto", "auto|yes|no",
                   "recompute activations for the gradient instead of storing them; auto: if "
                   "memory is short")},
    {NUMBER_OPTION("train.learning_rate", "0.0002", 0, 10, "learning rate after the warm-up")},
    {WHOLE_OPTION("train.warmup", "100", 0, 1e12,
                  "steps over which the learning rate rises from 0")},
    {CHOICE_OPTION("train.decay", "constant", "constant|cosine",
                   "learning rate schedule after the warm-up")},
    {NUMBER_OPTION("train.final_learning_rate", "0", 0, 10, "final learning rate of cosine decay"),
     .when = "train.decay=cosine"},
    {NUMBER_OPTION("train.weight_decay", "0", 0, 10, "decoupled weight decay of AdamW")},
    {NUMBER_OPTION("train.beta1", "0.9", 0, 0.999999, "AdamW's beta1, decay of the mean gradient")},
    {NUMBER_OPTION("train.beta2", "0.999", 0, 0.9999999,
                   "AdamW's beta2, decay of the mean squared gradient")},
    {NUMBER_OPTION("train.epsilon", "1e-8", 1e-20, 1, "AdamW's epsilon, added to the square root")},
    {NUMBER_OPTION("train.clip_gradient", "1", 0, 1e12,
                   "largest norm of the whole gradient; 0: no limit")},
    {NUMBER_OPTION("train.ema", "0.999", 0, 0.9999999,
                   "decay of the averaged weights (EMA); 0: no average")},
    {FLAG_OPTION("train.ema_warmup", "yes", "average over fewer steps at the beginning"),
     .when = "train.ema!=0"},
    {CHOICE_OPTION("train.objective", "denoising",
                   "denoising|variational|hybrid|sliced|bits|"
                   "betas|likelihood",
                   "what the network is trained for")},
    {WHOLE_OPTION("train.segments", "8", 1, 10000,
                  "number of steps of a flow that is trained by likelihood"),
     .when = "train.objective=likelihood"},
    {CHOICE_OPTION("train.method", "midpoint", "euler|midpoint|heun|rk4", "method of these steps"),
     .when = "train.objective=likelihood"},
    {NUMBER_OPTION("train.energy", "0", 0, 1e6, "weight of the flow's energy in the loss"),
     .when = "train.objective=likelihood"},
    {CHOICE_OPTION("train.coupling", "independent", "independent|optimal|reflow",
                   "coupling of noise and items: independent, optimal transport within the batch, "
                   "or pairs from a trained model"),
     .when = NOISED},
    {TEXT_OPTION("train.teacher", "",
                 "folder of the trained model that generates the pairs of reflow"),
     .when = "train.coupling=reflow"},
    {TEXT_OPTION("train.teacher_solver", "flow-heun", "solver for the teacher's flow"),
     .when = "train.coupling=reflow"},
    {WHOLE_OPTION("train.teacher_steps", "50", 1, 100000, "its steps"),
     .when = "train.coupling=reflow"},
    {WHOLE_OPTION("train.pairs", "20000", 1, 1e9, "number of pairs of noise and data for reflow"),
     .when = "train.coupling=reflow"},
    {CHOICE_OPTION("train.times", "auto", "auto|whole|uniform|importance|log_normal",
                   "distribution of the noise levels of a step; auto: the usual one of the path"),
     .when = NOISED},
    {NUMBER_OPTION("train.log_mean", "-1.2", -100, 100, "mean of log(sigma) for log_normal times"),
     .when = "train.times=log_normal|auto"},
    {NUMBER_OPTION("train.log_deviation", "1.2", 1e-6, 100,
                   "standard deviation of log(sigma) for log_normal times"),
     .when = "train.times=log_normal|auto"},
    {CHOICE_OPTION("train.weighting", "simple", "simple|snr|min_snr|sigma2|bound",
                   "weight of each noise level: as in DDPM, signal-to-noise ratio of the data's "
                   "error (at most gamma), as in NCSN, or of the variational bound"),
     .when = "train.objective=denoising"},
    {NUMBER_OPTION("train.gamma", "5", 1e-6, 1e6, "largest signal-to-noise ratio in min_snr"),
     .when = "train.weighting=min_snr, train.objective=denoising"},
    {CHOICE_OPTION("train.precision", "float32", "float32|bf16",
                   "type of stored activations: bf16 halves their memory; weights stay float32")},
    {SEED_OPTION("train.seed", "0", "seed of weights, noise, times, order and dropout")},
    {WHOLE_OPTION("train.checkpoint_every", "500", 1, 1e12, "number of steps between checkpoints")},
    {TEXT_OPTION("sample.solver", "ddpm", "solver for the samples")},
    {WHOLE_OPTION("sample.steps", "0", 0, 100000,
                  "number of steps of the solver; 0: every noise level")},
    {WHOLE_OPTION("sample.count", "16", 1, 1e9, "number of samples")},
    {WHOLE_OPTION("sample.columns", "0", 0, 1000, "columns of the sample grid; 0: automatic")},
    {.name = NULL},
};

const int recipe_schema_count = (int)(sizeof recipe_schema / sizeof *recipe_schema) - 1;

int recipe_key_number(const char *key)
{
    for (int i = 0; i < recipe_schema_count; i++) {
        if (strcmp(recipe_schema[i].name, key) == 0) return i;
    }
    return -1;
}

/* ---- Suggestions ---- */

static const char *name_of(const char *key)
{
    const char *dot = strchr(key, '.');
    return dot ? dot + 1 : key;
}

/* The key for a name that other programs use; NULL where there is none. */
static const char *usual_key(const char *name)
{
    static const char *const names[][2] = {
        {"lr", "train.learning_rate"},
        {"epochs", "train.steps (optimizer steps: epochs times items, divided by train.batch)"},
        {"epoch", "train.steps (optimizer steps: epochs times items, divided by train.batch)"},
        {"iterations", "train.steps"},
        {"max_steps", "train.steps"},
        {"batch_size", "train.batch"},
        {"timesteps", "noise.steps"},
        {"num_train_timesteps", "noise.steps"},
        {"num_inference_steps", "sample.steps"},
        {"beta_schedule", "noise.schedule"},
        {"prediction_type", "noise.prediction"},
        {"ema_decay", "train.ema"},
        {"grad_clip", "train.clip_gradient"},
        {"max_grad_norm", "train.clip_gradient"},
        {"dataset", "data.kind"},
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(names[i][0], name) == 0) return names[i][1];
    return NULL;
}

/* Lists the keys of this name in all sections: "train.steps, noise.steps or sample.steps"; returns
   their number. */
static int keys_of_name(const char *name, char *text, size_t size)
{
    int all = 0, count = 0;
    size_t used = 0;
    for (int i = 0; i < recipe_schema_count; i++)
        all += strcmp(name_of(recipe_schema[i].name), name) == 0;
    for (int i = 0; i < recipe_schema_count && used < size; i++) {
        if (strcmp(name_of(recipe_schema[i].name), name) != 0) continue;
        const char *between = !count ? "" : count + 1 == all ? " or " : ", ";
        used += (size_t)snprintf(text + used, size - used, "%s%s", between, recipe_schema[i].name);
        count++;
    }
    return count;
}

/* The nearest key. An error in the name counts more than one in the section, so that a right name
   in the wrong section is the nearest. */
static const char *nearest_key(const char *key)
{
    int nearest = 0, shortest = 1 << 20;
    for (int i = 0; i < recipe_schema_count; i++) {
        const char *known = recipe_schema[i].name;
        int name = text_distance(name_of(key), name_of(known));
        int distance = 4 * name + text_distance(key, known);
        if (distance >= shortest) continue;
        shortest = distance;
        nearest = i;
    }
    return recipe_schema[nearest].name;
}

/* Whether the section is nearly right, which decides among keys of one name. */
static bool section_is_near(const char *key)
{
    const char *near = nearest_key(key), *dot = strchr(key, '.');
    char section[OPTION_WORD_SIZE], known[OPTION_WORD_SIZE];
    if (!dot) return false;
    snprintf(section, sizeof section, "%.*s", (int)(dot - key), key);
    snprintf(known, sizeof known, "%.*s", (int)strcspn(near, "."), near);
    return text_distance(section, known) <= 2;
}

void recipe_suggest(const char *key, char *text, size_t size)
{
    const char *usual = usual_key(name_of(key));
    if (!usual && !section_is_near(key) && keys_of_name(name_of(key), text, size)) return;
    snprintf(text, size, "%s", usual ? usual : nearest_key(key));
}

/* ---- Values ---- */

sumi_status recipe_check_value(sumi_context *context, const char *source, int number,
                               const char *value)
{
    const struct option *entry = &recipe_schema[number];
    char subject[512];
    for (const char *letter = value; *letter; letter++) {
        bool comment = *letter == ';' && (letter == value || letter[-1] == ' ');
        if ((unsigned char)*letter >= ' ' && !comment) continue;
        return context_fail(context, SUMI_ERROR_ARGUMENT,
                            "%s: the value of %s contains %s, which a recipe file cannot store",
                            source, entry->name,
                            comment ? "a comment (';')" : "a control character");
    }
    snprintf(subject, sizeof subject, "%s: %s", source, entry->name);
    return option_from_plain(context, subject, entry, value);
}
