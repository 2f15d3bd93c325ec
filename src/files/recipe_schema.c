/* SPDX-License-Identifier: Apache-2.0 */
/* The table of everything a recipe can say, and the check of a value against it. */
#include "files/recipe.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"

#define GENERATED                                                                                  \
    "data.kind=morlet|digits|swissroll|moons|gaussians|checkerboard|rings|heartbeat|noise"
#define OF_A_UNET "model.kind=unet2d|unet1d, model.config="
#define A_TABLE "noise.path=table|binomial"
#define NOISED "train.objective=denoising|variational|hybrid|sliced"

const struct option recipe_schema[] = {
    {TEXT_OPTION("recipe.summary", "", "one sentence that `sumi recipes` shows")},
    {CHOICE_OPTION(
        "data.kind", "digits",
        "morlet|digits|swissroll|moons|gaussians|checkerboard|rings|heartbeat|noise|idx|cifar10|"
        "folder|npy|csv",
        "where items come from: a generator or a kind of file")},
    {TEXT_OPTION("data.path", "", "file or folder to read; empty looks in the user's cache folder"),
     .when = "data.kind=idx|cifar10|folder|npy|csv"},
    {CHOICE_OPTION("data.items", "auto", "auto|images|signals|points",
                   "what rows of an npy or csv file are; auto: what the network is for"),
     .when = "data.kind=npy|csv"},
    {CHOICE_OPTION("data.split", "train", "train|test", "which part of a data set that has two"),
     .when = "data.kind=idx|cifar10"},
    {WHOLE_OPTION("data.limit", "0", 0, 1e15, "use only the first so many items; 0 uses all")},
    {FLAG_OPTION("data.labels", "no", "give each item its class, for a class-conditional model")},
    {WHOLE_OPTION("data.count", "20000", 1, 1e9, "how many items a generator makes"),
     .when = GENERATED},
    {WHOLE_OPTION("data.length", "128", 8, 1 << 20, "points of a generated signal"),
     .when = "data.kind=morlet"},
    {WHOLE_OPTION("data.bits", "20", 5, 1 << 16, "bits of a heartbeat"),
     .when = "data.kind=heartbeat"},
    {NUMBER_OPTION("data.scale", "1", 1e-6, 1e6, "what all numbers of an item are multiplied by")},
    {WHOLES_OPTION("data.shape", "32, 32, 3", 1, 1 << 20,
                   "sizes of an item of noise, channels last"),
     .when = "data.kind=noise"},
    {WHOLE_OPTION("data.classes", "10", 1, 1 << 20, "classes of items of noise"),
     .when = "data.kind=noise"},
    {NUMBER_OPTION("data.noise", "0", 0, 10,
                   "standard deviation of measured noise on generated items"),
     .when = "data.kind=morlet|swissroll|moons|gaussians|checkerboard|rings"},
    {WHOLE_OPTION("data.width", "32", 0, 8192,
                  "width that pictures of a folder are brought to; 0: that of the first"),
     .when = "data.kind=folder"},
    {WHOLE_OPTION("data.height", "32", 0, 8192,
                  "height that pictures of a folder are brought to; 0: that of the first"),
     .when = "data.kind=folder"},
    {CHOICE_OPTION("data.channels", "3", "1|3",
                   "1 reads pictures of a folder as grey, 3 as colour"),
     .when = "data.kind=folder"},
    {FLAG_OPTION("data.flip", "no", "mirror half of the pictures left to right while training")},
    {FLAG_OPTION("data.flip_vertical", "no",
                 "mirror half of the pictures top to bottom while training")},
    {WHOLE_OPTION("data.shift", "0", 0, 4096,
                  "largest random move of a picture, in pixels, while training")},
    {WHOLE_OPTION("data.memory", "1024", 0, 1e9,
                  "megabytes above which a set is read as it is needed")},
    {WHOLE_OPTION(
        "data.readers", "4", 0, 64,
        "at most so many threads read the next batch while a step runs; 0 reads it in the step")},
    {SEED_OPTION("data.seed", "1", "seed of generated items"), .when = GENERATED},
    {CHOICE_OPTION(
        "model.kind", "unet2d", "unet2d|unet1d|mlp",
        "network: U-Net for pictures or signals, or a multi-layer perceptron for points")},
    {WHOLES_OPTION("model.channels", "32, 64, 64", 1, 8192,
                   "channels of a U-Net at each resolution"),
     .when = OF_A_UNET},
    {WHOLE_OPTION("model.layers_per_block", "2", 1, 16, "residual units in each block of a U-Net"),
     .when = OF_A_UNET},
    {WORDS_OPTION("model.down_blocks", "auto", "diffusers' block names on the way down, or auto"),
     .when = OF_A_UNET},
    {WORDS_OPTION("model.up_blocks", "auto", "diffusers' block names on the way up, or auto"),
     .when = OF_A_UNET},
    {FLAGS_OPTION("model.attention", "auto",
                  "attention at each resolution; auto: only in the middle"),
     .when = OF_A_UNET},
    {FLAG_OPTION("model.mid_attention", "yes", "attention at the lowest resolution"),
     .when = OF_A_UNET},
    {WHOLE_OPTION("model.head_dim", "0", 0, 8192,
                  "channels of one attention head; 0 makes one head"),
     .when = OF_A_UNET},
    {WHOLE_OPTION("model.groups", "8", 1, 8192, "groups of channels that are normalised together"),
     .when = OF_A_UNET},
    {NUMBER_OPTION("model.norm_eps", "1e-5", 0, 1,
                   "number added to a variance before its root is taken"),
     .when = OF_A_UNET},
    {CHOICE_OPTION("model.time_embedding", "positional", "positional|fourier",
                   "how the time is encoded"),
     .when = "model.config="},
    {FLAG_OPTION("model.scale_shift", "no",
                 "let the time scale and shift features instead of adding"),
     .when = OF_A_UNET},
    {FLAG_OPTION("model.class_conditional", "no",
                 "tell the network the class (needs data.labels = yes)"),
     .when = "model.config="},
    {NUMBER_OPTION("model.dropout", "0", 0, 0.95, "share of features dropped while training"),
     .when = "model.config="},
    {CHOICE_OPTION("model.activation", "silu", "silu|relu|gelu|mish",
                   "non-linearity of the network"),
     .when = "model.config="},
    {WHOLE_OPTION("model.width", "128", 1, 65536, "features of each hidden layer of an mlp"),
     .when = "model.kind=mlp, model.config="},
    {WHOLE_OPTION("model.depth", "4", 1, 64, "hidden layers of an mlp"),
     .when = "model.kind=mlp, model.config="},
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
    {NUMBER_OPTION("noise.sigma_min", "0", 0, 1e6, "least noise of ve and edm; 0: 0.01 and 0.002"),
     .when = "noise.path=ve|edm"},
    {NUMBER_OPTION("noise.sigma_max", "0", 0, 1e6, "most noise of ve and edm; 0: 50 and 80"),
     .when = "noise.path=ve|edm"},
    {NUMBER_OPTION("noise.sigma_data", "0.5", 1e-6, 1e6, "deviation of the data, for edm"),
     .when = "noise.path=edm"},
    {NUMBER_OPTION("noise.eps", "0", 0, 1, "least time of vp, sub_vp and ve; 0: 1e-3, of ve 1e-5"),
     .when = "noise.path=vp|sub_vp|ve"},
    {CHOICE_OPTION("noise.time", "discrete", "discrete|continuous|sigma|consistency",
                   "what the network is told: the time, or of sigma log / 4, itself or 250 log"),
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
    {NUMBER_OPTION("noise.clip_range", "1", 0, 1e6, "largest absolute value that clipping leaves"),
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
                  "parts that a batch is computed in, their gradients averaged; saves memory")},
    {CHOICE_OPTION(
        "train.recompute", "auto", "auto|yes|no",
        "compute values again for the gradient instead of keeping them; auto: where memory lacks")},
    {NUMBER_OPTION("train.learning_rate", "0.0002", 0, 10, "learning rate after the warm-up")},
    {WHOLE_OPTION("train.warmup", "100", 0, 1e12,
                  "steps over which the learning rate rises from 0")},
    {CHOICE_OPTION("train.decay", "constant", "constant|cosine",
                   "course of the learning rate afterwards")},
    {NUMBER_OPTION("train.final_learning_rate", "0", 0, 10, "where cosine decay ends"),
     .when = "train.decay=cosine"},
    {NUMBER_OPTION("train.weight_decay", "0", 0, 10, "decoupled weight decay of AdamW")},
    {NUMBER_OPTION("train.beta1", "0.9", 0, 0.999999, "AdamW's decay of the mean gradient")},
    {NUMBER_OPTION("train.beta2", "0.999", 0, 0.9999999, "AdamW's decay of the squared gradient")},
    {NUMBER_OPTION("train.epsilon", "1e-8", 1e-20, 1, "AdamW's number added to the root")},
    {NUMBER_OPTION("train.clip_gradient", "1", 0, 1e12,
                   "largest norm of the whole gradient; 0 for any")},
    {NUMBER_OPTION("train.ema", "0.999", 0, 0.9999999,
                   "decay of the averaged weights; 0 keeps no average")},
    {FLAG_OPTION("train.ema_warmup", "yes", "average over fewer steps at the beginning"),
     .when = "train.ema!=0"},
    {CHOICE_OPTION("train.objective", "denoising",
                   "denoising|variational|hybrid|sliced|bits|"
                   "betas|likelihood",
                   "what the network is trained to do")},
    {WHOLE_OPTION("train.segments", "8", 1, 10000, "steps of a flow that is trained by likelihood"),
     .when = "train.objective=likelihood"},
    {CHOICE_OPTION("train.method", "midpoint", "euler|midpoint|heun|rk4", "method of these steps"),
     .when = "train.objective=likelihood"},
    {NUMBER_OPTION("train.energy", "0", 0, 1e6,
                   "weight of the flow's energy beside its likelihood"),
     .when = "train.objective=likelihood"},
    {CHOICE_OPTION(
         "train.coupling", "independent", "independent|optimal|reflow",
         "which noise goes with an item: any, the nearest in the batch, or that from which a "
         "trained model makes it"),
     .when = NOISED},
    {TEXT_OPTION("train.teacher", "",
                 "folder of the trained model that reflow takes its pairs from"),
     .when = "train.coupling=reflow"},
    {TEXT_OPTION("train.teacher_solver", "flow-heun", "solver that follows the teacher's flow"),
     .when = "train.coupling=reflow"},
    {WHOLE_OPTION("train.teacher_steps", "50", 1, 100000, "its steps"),
     .when = "train.coupling=reflow"},
    {WHOLE_OPTION("train.pairs", "20000", 1, 1e9, "pairs of noise and data that reflow draws"),
     .when = "train.coupling=reflow"},
    {CHOICE_OPTION("train.times", "auto", "auto|whole|uniform|importance|log_normal",
                   "how the noise levels of a step are drawn; auto: as usual for the path"),
     .when = NOISED},
    {NUMBER_OPTION("train.log_mean", "-1.2", -100, 100, "mean of log(sigma) for log_normal times"),
     .when = "train.times=log_normal|auto"},
    {NUMBER_OPTION("train.log_deviation", "1.2", 1e-6, 100, "its standard deviation"),
     .when = "train.times=log_normal|auto"},
    {CHOICE_OPTION(
         "train.weighting", "simple", "simple|snr|min_snr|sigma2|bound",
         "weight of each noise level: of DDPM, of the data's error by signal to noise (at most "
         "gamma), of NCSN, or of the variational bound"),
     .when = "train.objective=denoising"},
    {NUMBER_OPTION("train.gamma", "5", 1e-6, 1e6,
                   "greatest signal to noise ratio that min_snr counts"),
     .when = "train.weighting=min_snr, train.objective=denoising"},
    {CHOICE_OPTION(
        "train.precision", "float32", "float32|bf16",
        "activations of convolutional networks: bf16 halves their memory; weights are float32")},
    {SEED_OPTION("train.seed", "0", "seed of weights, noise, times, order and dropout")},
    {WHOLE_OPTION("train.checkpoint_every", "500", 1, 1e12, "steps between checkpoints")},
    {TEXT_OPTION("sample.solver", "ddpm", "solver that draws the samples")},
    {WHOLE_OPTION("sample.steps", "0", 0, 100000,
                  "network evaluations; 0 visits every noise level")},
    {WHOLE_OPTION("sample.count", "16", 1, 1e9, "how many samples to draw")},
    {WHOLE_OPTION("sample.columns", "0", 0, 1000, "columns of the sample grid; 0 chooses")},
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

/* ---- What was meant ---- */

static const char *name_of(const char *key)
{
    const char *dot = strchr(key, '.');
    return dot ? dot + 1 : key;
}

/* The key that goes by another name in other programs; NULL where there is none. */
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

/* Every key that has this name, in any section: "train.steps, noise.steps or sample.steps"; returns
   how many. */
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

/* A slip in the name counts more than one in the section, so that a right name in the wrong section
   is the nearest. */
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

/* A section that is nearly right decides among keys of one name. */
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
