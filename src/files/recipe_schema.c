/* SPDX-License-Identifier: Apache-2.0 */
/* The table of everything a recipe can say, and the check of a value against it. */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "files/recipe.h"

#define TEXT(key, value, meaning)                                                                  \
    {                                                                                              \
        key, value, meaning, RECIPE_TEXT, 0, 0, NULL                                               \
    }
#define WHOLE(key, value, low, high, meaning)                                                      \
    {                                                                                              \
        key, value, meaning, RECIPE_WHOLE, low, high, NULL                                         \
    }
#define NUMBER(key, value, low, high, meaning)                                                     \
    {                                                                                              \
        key, value, meaning, RECIPE_NUMBER, low, high, NULL                                        \
    }
#define FLAG(key, value, meaning)                                                                  \
    {                                                                                              \
        key, value, meaning, RECIPE_FLAG, 0, 0, NULL                                               \
    }
#define CHOICE(key, value, choices, meaning)                                                       \
    {                                                                                              \
        key, value, meaning, RECIPE_CHOICE, 0, 0, choices                                          \
    }
#define WHOLES(key, value, low, high, meaning)                                                     \
    {                                                                                              \
        key, value, meaning, RECIPE_WHOLES, low, high, NULL                                        \
    }
#define FLAGS(key, value, meaning)                                                                 \
    {                                                                                              \
        key, value, meaning, RECIPE_FLAGS, 0, 0, NULL                                              \
    }
#define WORDS(key, value, meaning)                                                                 \
    {                                                                                              \
        key, value, meaning, RECIPE_WORDS, 0, 0, NULL                                              \
    }

#define SEED_LIMIT 9007199254740992.0 /* 2^53: exact in a double, as in JSON */

const struct recipe_entry recipe_schema[] = {
    TEXT("recipe.summary", "", "one sentence that `sumi recipes` shows"),

    CHOICE("data.kind", "digits",
           "morlet|digits|swissroll|moons|gaussians|checkerboard|rings|heartbeat|noise|idx|cifar10|"
           "folder|npy|csv",
           "where items come from: a generator or a kind of file"),
    TEXT("data.path", "", "file or folder to read; empty looks in the user's cache folder"),
    CHOICE("data.items", "auto", "auto|images|signals|points",
           "what rows of an npy or csv file are; auto: what the network is for"),
    CHOICE("data.split", "train", "train|test", "which part of a data set that has two"),
    WHOLE("data.limit", "0", 0, 1e15, "use only the first so many items; 0 uses all"),
    FLAG("data.labels", "no", "give each item its class, for a class-conditional model"),
    WHOLE("data.count", "20000", 1, 1e9, "how many items a generator makes"),
    WHOLE("data.length", "128", 8, 1 << 20, "points of a generated signal"),
    WHOLE("data.bits", "20", 5, 1 << 16, "bits of a heartbeat"),
    NUMBER("data.scale", "1", 1e-6, 1e6, "what all numbers of an item are multiplied by"),
    WHOLES("data.shape", "32, 32, 3", 1, 1 << 20, "sizes of an item of noise, channels last"),
    WHOLE("data.classes", "10", 1, 1 << 20, "classes of items of noise"),
    NUMBER("data.noise", "0", 0, 10, "standard deviation of measured noise on generated items"),
    WHOLE("data.width", "32", 1, 8192, "width that pictures of a folder are brought to"),
    WHOLE("data.height", "32", 1, 8192, "height that pictures of a folder are brought to"),
    CHOICE("data.channels", "3", "1|3", "1 reads pictures of a folder as grey, 3 as colour"),
    FLAG("data.flip", "no", "mirror half of the pictures left to right while training"),
    FLAG("data.flip_vertical", "no", "mirror half of the pictures top to bottom while training"),
    WHOLE("data.shift", "0", 0, 4096,
          "largest random move of a picture, in pixels, while training"),
    WHOLE("data.memory", "1024", 0, 1e9, "megabytes above which a set is read as it is needed"),
    WHOLE("data.readers", "4", 0, 64,
          "at most so many threads read the next batch while a step runs; 0 reads it in the step"),
    WHOLE("data.seed", "1", 0, SEED_LIMIT, "seed of generated items"),

    CHOICE("model.kind", "unet2d", "unet2d|unet1d|mlp",
           "network: U-Net for pictures or signals, or a multi-layer perceptron for points"),
    WHOLES("model.channels", "32, 64, 64", 1, 8192, "channels of a U-Net at each resolution"),
    WHOLE("model.layers_per_block", "2", 1, 16, "residual units in each block of a U-Net"),
    WORDS("model.down_blocks", "auto", "diffusers' block names on the way down, or auto"),
    WORDS("model.up_blocks", "auto", "diffusers' block names on the way up, or auto"),
    FLAGS("model.attention", "auto", "attention at each resolution; auto: only in the middle"),
    FLAG("model.mid_attention", "yes", "attention at the lowest resolution"),
    WHOLE("model.head_dim", "0", 0, 8192, "channels of one attention head; 0 makes one head"),
    WHOLE("model.groups", "8", 1, 8192, "groups of channels that are normalised together"),
    NUMBER("model.norm_eps", "1e-5", 0, 1, "number added to a variance before its root is taken"),
    CHOICE("model.time_embedding", "positional", "positional|fourier", "how the time is encoded"),
    FLAG("model.scale_shift", "no", "let the time scale and shift features instead of adding"),
    FLAG("model.class_conditional", "no", "tell the network the class (needs data.labels = yes)"),
    NUMBER("model.dropout", "0", 0, 0.95, "share of features dropped while training"),
    CHOICE("model.activation", "silu", "silu|relu|gelu|mish", "non-linearity of the network"),
    WHOLE("model.width", "128", 1, 65536, "features of each hidden layer of an mlp"),
    WHOLE("model.depth", "4", 1, 64, "hidden layers of an mlp"),
    TEXT("model.config", "", "path of a config.json that replaces all other [model] keys"),

    WHOLE("noise.steps", "1000", 2, 100000, "T, the number of noise levels"),
    CHOICE("noise.path", "table", "table|vp|sub_vp|ve|edm|flow|cosine|binomial",
           "from data to noise: a table of betas, one of the SDEs, a flow; or bits that flip"),
    CHOICE("noise.schedule", "linear",
           "linear|scaled_linear|cosine|quadratic|sigmoid|laplace|"
           "geometric|binomial",
           "how beta grows from the first level of a table to the last"),
    FLAG("noise.zero_snr", "no", "rescale a table so that its last level has no signal"),
    NUMBER("noise.beta_min", "0.1", 1e-6, 1e6, "beta at time 0 of vp and sub_vp"),
    NUMBER("noise.beta_max", "20", 1e-6, 1e6, "beta at time 1 of vp and sub_vp"),
    NUMBER("noise.sigma_min", "0", 0, 1e6, "least noise of ve and edm; 0: 0.01 and 0.002"),
    NUMBER("noise.sigma_max", "0", 0, 1e6, "most noise of ve and edm; 0: 50 and 80"),
    NUMBER("noise.sigma_data", "0.5", 1e-6, 1e6, "deviation of the data, for edm"),
    NUMBER("noise.eps", "0", 0, 1, "least time of vp, sub_vp and ve; 0: 1e-3, of ve 1e-5"),
    CHOICE("noise.time", "discrete", "discrete|continuous|sigma|consistency",
           "what the network is told: the time, or of sigma log / 4, itself or 250 log"),
    NUMBER("noise.shift", "1", 1e-3, 1e3, "moves the times of a flow towards noise"),
    NUMBER("noise.beta_start", "0.0001", 0, 0.999, "beta of the first level (not for cosine)"),
    NUMBER("noise.beta_end", "0.02", 0, 0.999, "beta of the last level (not for cosine)"),
    CHOICE("noise.prediction", "epsilon",
           "epsilon|sample|v_prediction|score|flow_prediction|velocity",
           "what the network predicts: noise, data, v, score, or a velocity"),
    CHOICE("noise.variance", "fixed_small", "fixed_small|fixed_large|learned_range",
           "variance of a reverse step: that of the posterior, beta, or learned between the two"),
    FLAG("noise.clip", "yes", "clip the estimate of the clean sample while sampling"),
    NUMBER("noise.clip_range", "1", 0, 1e6, "largest absolute value that clipping leaves"),
    FLAG("noise.thresholding", "no", "clip at a quantile of each sample instead"),
    NUMBER("noise.threshold_ratio", "0.995", 0, 1, "quantile of dynamic thresholding"),
    NUMBER("noise.threshold_max", "1", 0, 1e6, "largest threshold of dynamic thresholding"),

    WHOLE("train.steps", "2000", 1, 1e12, "optimizer steps"),
    WHOLE("train.batch", "64", 1, 1 << 20, "items in each step"),
    WHOLE("train.accumulate", "1", 1, 1 << 20,
          "parts that a batch is computed in, their gradients averaged; saves memory"),
    CHOICE(
        "train.recompute", "auto", "auto|yes|no",
        "compute values again for the gradient instead of keeping them; auto: where memory lacks"),
    NUMBER("train.learning_rate", "0.0002", 0, 10, "learning rate after the warm-up"),
    WHOLE("train.warmup", "100", 0, 1e12, "steps over which the learning rate rises from 0"),
    CHOICE("train.decay", "constant", "constant|cosine", "course of the learning rate afterwards"),
    NUMBER("train.final_learning_rate", "0", 0, 10, "where cosine decay ends"),
    NUMBER("train.weight_decay", "0", 0, 10, "decoupled weight decay of AdamW"),
    NUMBER("train.beta1", "0.9", 0, 0.999999, "AdamW's decay of the mean gradient"),
    NUMBER("train.beta2", "0.999", 0, 0.9999999, "AdamW's decay of the squared gradient"),
    NUMBER("train.epsilon", "1e-8", 1e-20, 1, "AdamW's number added to the root"),
    NUMBER("train.clip_gradient", "1", 0, 1e12, "largest norm of the whole gradient; 0 for any"),
    NUMBER("train.ema", "0.999", 0, 0.9999999, "decay of the averaged weights; 0 keeps no average"),
    FLAG("train.ema_warmup", "yes", "average over fewer steps at the beginning"),
    CHOICE("train.objective", "denoising",
           "denoising|variational|hybrid|sliced|bits|"
           "betas|likelihood",
           "what the network is trained to do"),
    WHOLE("train.segments", "8", 1, 10000, "steps of a flow that is trained by likelihood"),
    CHOICE("train.method", "midpoint", "euler|midpoint|heun|rk4", "method of these steps"),
    NUMBER("train.energy", "0", 0, 1e6, "weight of the flow's energy beside its likelihood"),
    CHOICE("train.coupling", "independent", "independent|optimal|reflow",
           "which noise goes with an item: any, the nearest in the batch, or that from which a "
           "trained model makes it"),
    TEXT("train.teacher", "", "folder of the trained model that reflow takes its pairs from"),
    TEXT("train.teacher_solver", "flow-heun", "solver that follows the teacher's flow"),
    WHOLE("train.teacher_steps", "50", 1, 100000, "its steps"),
    WHOLE("train.pairs", "20000", 1, 1e9, "pairs of noise and data that reflow draws"),
    CHOICE("train.times", "auto", "auto|whole|uniform|importance|log_normal",
           "how the noise levels of a step are drawn; auto: as usual for the path"),
    NUMBER("train.log_mean", "-1.2", -100, 100, "mean of log(sigma) for log_normal times"),
    NUMBER("train.log_deviation", "1.2", 1e-6, 100, "its standard deviation"),
    CHOICE("train.weighting", "simple", "simple|snr|min_snr|sigma2|bound",
           "weight of each noise level: of DDPM, of the data's error by signal to noise (at most "
           "gamma), of NCSN, or of the variational bound"),
    NUMBER("train.gamma", "5", 1e-6, 1e6, "greatest signal to noise ratio that min_snr counts"),
    CHOICE("train.precision", "float32", "float32|bf16",
           "activations of convolutional networks: bf16 halves their memory; weights are float32"),
    WHOLE("train.seed", "0", 0, SEED_LIMIT, "seed of weights, noise, times, order and dropout"),
    WHOLE("train.checkpoint_every", "500", 1, 1e12, "steps between checkpoints"),

    TEXT("sample.solver", "ddpm", "solver that draws the samples"),
    WHOLE("sample.steps", "0", 0, 100000, "network evaluations; 0 visits every noise level"),
    WHOLE("sample.count", "16", 1, 1e9, "how many samples to draw"),
    WHOLE("sample.columns", "0", 0, 1000, "columns of the sample grid; 0 chooses"),
};

const int recipe_schema_count = (int)(sizeof recipe_schema / sizeof *recipe_schema);

int recipe_key_number(const char *key)
{
    for (int i = 0; i < recipe_schema_count; i++) {
        if (strcmp(recipe_schema[i].key, key) == 0) return i;
    }
    return -1;
}

static const char *name_of(const char *key)
{
    const char *dot = strchr(key, '.');
    return dot ? dot + 1 : key;
}

/* A slip in the name counts more than one in the section, so that a right name in the wrong section
   is the nearest. */
const char *recipe_nearest_key(const char *key)
{
    int nearest = 0, shortest = 1 << 20;
    for (int i = 0; i < recipe_schema_count; i++) {
        const char *known = recipe_schema[i].key;
        int name = text_distance(name_of(key), name_of(known));
        int distance = 4 * name + text_distance(key, known);
        if (distance >= shortest) continue;
        shortest = distance;
        nearest = i;
    }
    return recipe_schema[nearest].key;
}

static bool is_flag(const char *word)
{
    return strcmp(word, "yes") == 0 || strcmp(word, "no") == 0;
}

static bool is_choice(const char *choices, const char *word)
{
    size_t length = strlen(word);
    if (strchr(word, '|')) return false;
    for (const char *choice = choices; choice; choice = strchr(choice, '|')) {
        if (*choice == '|') choice++;
        if (strncmp(choice, word, length) == 0 && (choice[length] == '|' || !choice[length])) {
            return length > 0;
        }
    }
    return false;
}

static bool is_whole(const struct recipe_entry *entry, const char *word)
{
    int64_t value;
    return text_to_whole(word, &value) && (double)value >= entry->low
           && (double)value <= entry->high;
}

static bool is_number(const struct recipe_entry *entry, const char *word)
{
    double value;
    return text_to_number(word, &value) && value >= entry->low && value <= entry->high;
}

static bool is_list(const struct recipe_entry *entry, const char *value)
{
    if (strcmp(value, "auto") == 0) return true;
    char word[RECIPE_WORD_SIZE];
    int count = 0;
    for (const char *rest = value; rest; count++) {
        const char *comma = strchr(rest, ',');
        const char *end = comma ? comma : rest + strlen(rest);
        while (rest < end && *rest == ' ') rest++;
        while (end > rest && end[-1] == ' ') end--;
        size_t length = (size_t)(end - rest);
        if (length == 0 || length >= sizeof word || count == RECIPE_LIST_LIMIT) return false;
        memcpy(word, rest, length);
        word[length] = 0;
        if (entry->type == RECIPE_WHOLES && !is_whole(entry, word)) return false;
        if (entry->type == RECIPE_FLAGS && !is_flag(word)) return false;
        rest = comma ? comma + 1 : NULL;
    }
    return true;
}

static bool is_allowed(const struct recipe_entry *entry, const char *value)
{
    switch (entry->type) {
    case RECIPE_TEXT: return true;
    case RECIPE_WHOLE: return is_whole(entry, value);
    case RECIPE_NUMBER: return is_number(entry, value);
    case RECIPE_FLAG: return is_flag(value);
    case RECIPE_CHOICE: return is_choice(entry->choices, value);
    case RECIPE_WHOLES:
    case RECIPE_FLAGS:
    case RECIPE_WORDS: return is_list(entry, value);
    }
    return false;
}

/* What the key takes, to end the sentence "... must be". */
static void describe_allowed(const struct recipe_entry *entry, char *text, size_t size)
{
    switch (entry->type) {
    case RECIPE_TEXT: snprintf(text, size, "a text"); break;
    case RECIPE_WHOLE:
        snprintf(text, size, "a whole number from %.0f to %.0f", entry->low, entry->high);
        break;
    case RECIPE_NUMBER:
        snprintf(text, size, "a number from %.15g to %.15g", entry->low, entry->high);
        break;
    case RECIPE_FLAG: snprintf(text, size, "yes or no"); break;
    case RECIPE_CHOICE: {
        int length = snprintf(text, size, "one of %s", entry->choices);
        for (int i = 0; i < length && (size_t)i < size; i++) {
            if (text[i] == '|') text[i] = ' ';
        }
        break;
    }
    case RECIPE_WHOLES:
        snprintf(text, size,
                 "auto, or at most %d whole numbers from %.15g to %.15g with commas "
                 "between",
                 RECIPE_LIST_LIMIT, entry->low, entry->high);
        break;
    case RECIPE_FLAGS:
        snprintf(text, size, "auto, or at most %d times yes or no with commas between",
                 RECIPE_LIST_LIMIT);
        break;
    case RECIPE_WORDS:
        snprintf(text, size, "auto, or at most %d words with commas between", RECIPE_LIST_LIMIT);
        break;
    }
}

sumi_status recipe_check_value(sumi_context *context, const char *source, int number,
                               const char *value)
{
    const struct recipe_entry *entry = &recipe_schema[number];
    for (const char *letter = value; *letter; letter++) {
        bool comment = *letter == ';' && (letter == value || letter[-1] == ' ');
        if ((unsigned char)*letter >= ' ' && !comment) continue;
        return context_fail(context, SUMI_ERROR_ARGUMENT,
                            "%s: the value of %s holds %s, which a recipe file cannot keep", source,
                            entry->key, comment ? "a comment (';')" : "a control character");
    }
    if (is_allowed(entry, value)) return SUMI_OK;
    char allowed[256];
    describe_allowed(entry, allowed, sizeof allowed);
    return context_fail(context, SUMI_ERROR_ARGUMENT, "%s: %s must be %s, not '%.80s'", source,
                        entry->key, allowed, value);
}
