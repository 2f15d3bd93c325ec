/* SPDX-License-Identifier: Apache-2.0 */
/* sumi.h: the public interface of libsumi, simple calls first, advanced ones last. Networks of your
   own are in sumi_graph.h.

   Draw sixteen digits from a trained model and look at them:

       sumi_context *context = NULL;
       sumi_model *model = NULL;
       sumi_array images = {0};
       if (sumi_context_create(NULL, &context) == SUMI_OK
           && sumi_model_open(context, "runs/ddpm-mnist", &model) == SUMI_OK
           && sumi_model_sample(model, NULL, 16, NULL, &images) == SUMI_OK
           && sumi_draw_grid(context, &images, 0, "digits.png") == SUMI_OK) puts("see digits.png");
       else fputs(sumi_context_message(context), stderr);
       sumi_array_release(context, &images);
       sumi_model_free(model);
       sumi_context_free(context);

   Rules that hold everywhere:
   - A call that can fail returns a sumi_status; the sentence that explains the last failure is
     sumi_context_message(). The library never prints, exits or aborts.
   - Objects belong to the context they were made with and are freed by their own _free call before
     it. A _free call accepts NULL. A context serves one thread at a time; two contexts in two
     threads do not disturb each other.
   - Arrays are float32, row-major, channels last: images [n, h, w, c], signals [n, length, c],
     points [n, d]. Images hold values from -1 (black) to 1 (white).
   - Options are set by name, with the names of recipes and of diffusers' configuration files, so
     that no later version of a structure can break a caller. */
#ifndef SUMI_H
#define SUMI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(_WIN32)
#define SUMI_API
#else
#define SUMI_API __attribute__((visibility("default")))
#endif

/* ---- Version, status, context ------------------------------------------------------------ */

#define SUMI_VERSION_MAJOR 0
#define SUMI_VERSION_MINOR 1
#define SUMI_VERSION_PATCH 0

/* The version of the linked library, as "major.minor.patch". */
SUMI_API const char *sumi_version(void);

/* Whether the library was built with a part that can be left out: "draw" (sumi_draw_...), "png",
   "jpeg", "download" (sumi_fetch), "archive" (data sets that come as one). Calls that need a part
   which is not there return SUMI_ERROR_UNSUPPORTED. */
SUMI_API bool sumi_has(const char *part);

/* What became of a call. The numbers are stable. */
typedef enum sumi_status {
    SUMI_OK = 0,
    SUMI_ERROR_ARGUMENT = 1,    /* the caller asked for something that has no meaning */
    SUMI_ERROR_MEMORY = 2,      /* the allocator returned NULL */
    SUMI_ERROR_FILE = 3,        /* a file could not be opened, read, written or renamed */
    SUMI_ERROR_FORMAT = 4,      /* a file was read, and its contents are not what they should be */
    SUMI_ERROR_UNSUPPORTED = 5, /* understood, but not something this version can do */
    SUMI_ERROR_BACKEND = 6,     /* a library underneath (oneDNN, cairo, curl) reported a failure */
    SUMI_ERROR_NUMBER = 7,      /* a computation gave NaN or infinity */
    SUMI_STOPPED = 8            /* a callback asked to stop; what was done so far is kept */
} sumi_status;

/* One lower-case word for a status, such as "file". Never NULL. */
SUMI_API const char *sumi_status_name(sumi_status status);

typedef struct sumi_context sumi_context;

/* Where the library gets its memory. `allocate` returns `size` bytes aligned to `alignment` (a
   power of two), or NULL; `release` takes back what `allocate` gave and never gets NULL. A context
   calls them from one thread at a time, which may be one that the library has started. */
typedef struct sumi_allocator {
    void *user;
    void *(*allocate)(void *user, size_t size, size_t alignment);
    void (*release)(void *user, void *memory);
} sumi_allocator;

/* Makes a context. `allocator` may be NULL for the C library's. The number of threads starts at
   OMP_NUM_THREADS or else the number of processors. */
SUMI_API sumi_status sumi_context_create(const sumi_allocator *allocator, sumi_context **context);
SUMI_API void sumi_context_free(sumi_context *context);

/* The sentence about the last failure of a call on this context; "" before the first. `context`
   may be NULL (then the sentence is about creating one). Valid until the next call. */
SUMI_API const char *sumi_context_message(const sumi_context *context);

/* Takes a sentence about something that the library goes on with, but that is probably not what its
   caller wants, such as a scheduler whose steps begin in the middle of the noise. `sentence` is
   valid during the call. It may come from a thread that the library has started; the function must
   not call the library with the same context. */
typedef void (*sumi_warning_function)(void *user, const char *sentence);

/* Sets the function that gets warnings; NULL, the default, drops them. A context gives the same
   sentence once, as long as it is among the last 64. */
SUMI_API void sumi_context_set_warning(sumi_context *context, sumi_warning_function warning,
                                       void *user);

/* Threads that computations may use, from 1 to 1024. Results depend on the count in the last bits.
   Plans and trainers keep the count that they were made with. */
SUMI_API sumi_status sumi_context_set_threads(sumi_context *context, int threads);
SUMI_API int sumi_context_threads(const sumi_context *context);

/* Whether plans and trainers made from now on choose among the algorithms of each convolution by
   timing them, which takes seconds for a large network the first time; the choices are kept in
   $XDG_CACHE_HOME/sumi/tune. Otherwise, and at first, a fixed rule chooses. Results depend on the
   choice in the last bits. */
SUMI_API void sumi_context_set_tuning(sumi_context *context, bool tuning);

/* ---- Arrays and the files that hold them -------------------------------------------------- */

#define SUMI_MAX_RANK 8

/* How the elements of an array are stored. */
typedef enum sumi_element {
    SUMI_FLOAT32,
    SUMI_BFLOAT16, /* the upper half of a float32 */
    SUMI_FLOAT16,  /* IEEE 754 binary16 */
    SUMI_INT32,
    SUMI_INT8
} sumi_element;

/* Numbers with a shape. Row-major float32. Release with sumi_array_release. */
typedef struct sumi_array {
    int rank;
    int64_t shape[SUMI_MAX_RANK];
    float *data;
} sumi_array;

/* Fills `array` with zeros of the given shape; what it held before is not released. */
SUMI_API sumi_status sumi_array_create(sumi_context *context, int rank, const int64_t *shape,
                                       sumi_array *array);
SUMI_API void sumi_array_release(sumi_context *context, sumi_array *array);
SUMI_API int64_t sumi_array_count(const sumi_array *array); /* number of elements */

/* Reads .npy (any float or integer type), .csv (a table of numbers [rows, columns]), .png or .jpg
   (an image [h, w, c] in [-1, 1], turned upright as its Exif orientation says). The contents of
   the file decide its kind, not its name. */
SUMI_API sumi_status sumi_array_read(sumi_context *context, const char *path, sumi_array *array);

/* Writes .npy, .csv (rank 1 or 2) or .png ([h, w, c] in [-1, 1], c 1 or 3), by the name's ending.
   The file appears whole or not at all. */
SUMI_API sumi_status sumi_array_write(sumi_context *context, const char *path,
                                      const sumi_array *array);

/* The same from the bytes of such a file in memory, which stay the caller's; `name` stands for the
   path in messages. */
SUMI_API sumi_status sumi_array_read_memory(sumi_context *context, const void *bytes, size_t size,
                                            const char *name, sumi_array *array);

/* The same into new memory, *bytes [*size], to be released with sumi_bytes_release; `format` is
   "npy", "csv" or "png". */
SUMI_API sumi_status sumi_array_write_memory(sumi_context *context, const char *format,
                                             const sumi_array *array, void **bytes, size_t *size);
SUMI_API void sumi_bytes_release(sumi_context *context, void *bytes); /* accepts NULL */

/* What an item is: of a data set, of a model, of an array that is drawn. */
typedef enum sumi_item_kind {
    SUMI_PICTURE = 1,  /* [height, width, channels], values from -1 to 1 */
    SUMI_SIGNAL = 2,   /* [length, channels] */
    SUMI_POINTS = 3,   /* [d]: a point, a row of numbers */
    SUMI_FIELD = 4,    /* [height, width, channels] of any values */
    SUMI_SEQUENCE = 5, /* [length, channels]: tokens or steps in an order */
    SUMI_SET = 6,      /* [members, d] without an order */
    SUMI_VIDEO = 7     /* [frames, height, width, channels] */
} sumi_item_kind;

/* "picture", "signal" ...; never NULL. */
SUMI_API const char *sumi_item_kind_name(sumi_item_kind kind);

/* ---- Progress ----------------------------------------------------------------------------- */

/* What a long call reports to its caller. */
typedef struct sumi_progress {
    const char *task;          /* "train", "sample", "fetch" ... */
    int64_t step, steps;       /* done and in all; steps is 0 while unknown */
    double loss;               /* mean of the recent training loss, or 0 */
    double rate;               /* items (images, bytes ...) a second */
    const char *rate_unit;     /* "images/s", "bytes/s" ... */
    double seconds_left;       /* estimate, or -1 while unknown */
    const sumi_array *preview; /* what a sampler has so far (x0 estimate), or NULL */
} sumi_progress;

/* Called now and then from the calling thread. Return false to stop; the call then returns
   SUMI_STOPPED after leaving everything in order. */
typedef bool (*sumi_progress_function)(void *user, const sumi_progress *progress);

/* ---- Options ----------------------------------------------------------------------------------
 */

/* An option that can be set by name. */
typedef struct sumi_option {
    const char *name;
    const char *type; /* "flag", "whole", "seed", "number", "choice", "text", "numbers" or, of
                         recipes, "wholes", "flags", "words" with commas between */
    const char *default_value, *meaning;
    const char *choices; /* of a choice, "one|two|three"; else NULL */
    double low, high;    /* of numbers */
    const char *when;    /* what lets it count: "path=vp|sub_vp"; "" where nothing has to */
    bool read;           /* whether it counts with the others as they are set now */
} sumi_option;

/* ---- Recipes: what to train, on which data, how -------------------------------------------- */

typedef struct sumi_recipe sumi_recipe;

/* Names of the recipes built into the library, by number from 0; NULL past the last. */
SUMI_API const char *sumi_recipe_name(int number);
SUMI_API const char *sumi_recipe_summary(int number); /* one sentence; NULL past the last */

/* Opens a built-in recipe by name, or a file by path (a name with a '/' or ending in ".ini"). */
SUMI_API sumi_status sumi_recipe_open(sumi_context *context, const char *name_or_path,
                                      sumi_recipe **recipe);

/* Reads a recipe from its text; `name` stands for the path in messages. */
SUMI_API sumi_status sumi_recipe_parse(sumi_context *context, const char *text, const char *name,
                                       sumi_recipe **recipe);
SUMI_API void sumi_recipe_free(sumi_recipe *recipe);

/* Changes one value: "train.steps=2000". An unknown key is refused, and the nearest known one
   suggested. */
SUMI_API sumi_status sumi_recipe_set(sumi_recipe *recipe, const char *assignment);

/* The text of a key ("train.steps"), with defaults filled in; NULL if there is no such key. */
SUMI_API const char *sumi_recipe_get(const sumi_recipe *recipe, const char *key);

/* Every known key by number from 0, with its meaning and default; false past the last. */
typedef struct sumi_recipe_key {
    const char *key, *default_value, *meaning;
} sumi_recipe_key;
SUMI_API bool sumi_recipe_describe(int number, sumi_recipe_key *key);

/* The same with type and range; `read` tells whether the key counts with the others of `recipe` as
   they are (NULL: true). Training refuses a key of [data], [model], [noise] or [train] that was
   given another value than its default and does not count. */
SUMI_API bool sumi_recipe_option(const sumi_recipe *recipe, int number, sumi_option *option);

/* Sets one value by its key, as a number or as text. */
SUMI_API sumi_status sumi_recipe_set_number(sumi_recipe *recipe, const char *key, double value);
SUMI_API sumi_status sumi_recipe_set_text(sumi_recipe *recipe, const char *key, const char *value);

/* Makes relative paths of the recipe (of data, a network's configuration, a teacher) absolute where
   they lead to something from the present folder, so that they mean the same from any other. */
SUMI_API sumi_status sumi_recipe_settle_paths(sumi_recipe *recipe);

/* Writes the recipe, defaults filled in, as a file that sumi_recipe_open reads. */
SUMI_API sumi_status sumi_recipe_write(const sumi_recipe *recipe, const char *path);

/* The same as a new text, to be released with sumi_text_release. */
SUMI_API sumi_status sumi_recipe_text(const sumi_recipe *recipe, char **text);

/* ---- Data sets ------------------------------------------------------------------------------ */

typedef struct sumi_data sumi_data;

/* Opens the data set a recipe names (section [data]). */
SUMI_API sumi_status sumi_data_open(sumi_context *context, const sumi_recipe *recipe,
                                    sumi_data **data);

/* Makes a data set of the caller's own items [n, item], which are copied; `kind` says what they are
   (SUMI_PICTURE [h, w, c], SUMI_SIGNAL [length, c], SUMI_POINTS [d] ...). `labels` (n numbers from
   0; NULL for none) are the items' classes: the largest of them and all below. Values must be
   finite. */
SUMI_API sumi_status sumi_data_from_array(sumi_context *context, const sumi_array *items,
                                          const int32_t *labels, sumi_item_kind kind,
                                          sumi_data **data);
SUMI_API void sumi_data_free(sumi_data *data);

SUMI_API int64_t sumi_data_count(const sumi_data *data);
SUMI_API int sumi_data_classes(const sumi_data *data); /* 0 when items have no labels */
/* The name of a class by number from 0, such as that of its folder of pictures; NULL where it has
   none. It belongs to the data set. */
SUMI_API const char *sumi_data_class_name(const sumi_data *data, int number);
SUMI_API sumi_item_kind sumi_data_kind(const sumi_data *data);
/* Shape of one item ([h,w,c], [length,c] or [d]); returns its rank. */
SUMI_API int sumi_data_shape(const sumi_data *data, int64_t shape[SUMI_MAX_RANK]);
/* Copies the items with the given indices to items[count, item shape]; `labels` (count numbers, -1
   where there is none) may be NULL. */
SUMI_API sumi_status sumi_data_read(sumi_data *data, const int64_t *indices, int64_t count,
                                    float *items, int32_t *labels);

/* Brings a usual data set ("mnist", "fashion-mnist", "cifar10") into the user's cache folder,
   checks its sums, and writes the folder's name to folder[folder_size]. `from` is another URL or a
   folder to take the files from, or NULL. Interrupted downloads resume. */
SUMI_API sumi_status sumi_fetch(sumi_context *context, const char *name, const char *from,
                                sumi_progress_function progress, void *user, char *folder,
                                size_t folder_size);

/* ---- Solvers: from noise to data, over any denoiser ----------------------------------------- */

typedef struct sumi_solver sumi_solver;

/* A denoiser: reads x[count, item_size] and times[count] (the schedule's own time: 0..T-1, also
   between whole ones, for most of diffusers' schedules, 0..T for flows, log(sigma)/4 for
   preconditioned networks), writes its prediction (noise, sample, v or velocity: the
   solver's "prediction_type") to output[count, output_size]. output_size is item_size, or twice
   that where variance_type is "learned" or "learned_range": the channels double, the prediction
   before the variance. Anything but SUMI_OK ends the solver with that status. */
typedef sumi_status (*sumi_denoiser)(void *user, int64_t count, int64_t item_size,
                                     int64_t output_size, const float *x, const float *times,
                                     float *output);

/* Every solver by number from 0; false past the last. The order is that in which its error falls
   with the length of its steps; where noise is drawn, the error of the samples' mean
   and deviation. */
typedef struct sumi_solver_info {
    const char *name, *paper;
    int order, evaluations; /* order of accuracy; network evaluations a step */
    bool stochastic;
} sumi_solver_info;
SUMI_API bool sumi_solver_describe(int number, sumi_solver_info *info);

/* The name of a solver, as in sumi_solver_describe. */
SUMI_API const char *sumi_solver_name(const sumi_solver *solver);

/* Makes a solver by name ("ddpm", "ddim", "euler", ... of sumi_solver_describe) or by the diffusers
   class that it stands for ("DDIMScheduler": the "_class_name" of a scheduler_config.json). Options
   start at the defaults of that class. By the class's name, or configured by a file of that class,
   a solver follows the numbers of diffusers; else, where few steps go better in another way, it
   takes that (docs/theory.md). Steps too few for a method that amplifies noise are refused. */
SUMI_API sumi_status sumi_solver_create(sumi_context *context, const char *name,
                                        sumi_solver **solver);
SUMI_API void sumi_solver_free(sumi_solver *solver);

/* The options of a solver by number from 0, with the defaults of its class: those of
   scheduler_config.json and Sumi's own. False past the last. `default_value` is valid until the
   next call on this solver. */
SUMI_API bool sumi_solver_option(sumi_solver *solver, int number, sumi_option *option);

/* Sets one option, the value as text or JSON: "50", "true" or "yes", "linear", "[0.1, 0.2]"; "null"
   takes a list away. An option that this solver does not read is refused, here or, where that hangs
   on other options ("beta_min" counts with path "vp"), when they are put together: by
   sumi_solver_times and every run. A solver run twice draws the same noise twice. */
SUMI_API sumi_status sumi_solver_set(sumi_solver *solver, const char *option, const char *value);
SUMI_API sumi_status sumi_solver_set_number(sumi_solver *solver, const char *option, double value);
SUMI_API sumi_status sumi_solver_set_flag(sumi_solver *solver, const char *option, bool value);
SUMI_API sumi_status sumi_solver_set_list(sumi_solver *solver, const char *option, int64_t count,
                                          const double *values);

/* The value of an option as text that sumi_solver_set takes, "" of a list that is not given; NULL
   where the solver has no such option. Valid until the next call on this solver. */
SUMI_API const char *sumi_solver_get(sumi_solver *solver, const char *option);

/* Sets every option of a scheduler_config.json, given as text. Keys that are unknown, or that this
   solver does not read, are tolerated. The class named there does not change the solver. */
SUMI_API sumi_status sumi_solver_configure(sumi_solver *solver, const char *json);

/* The time list the solver will visit, in order, an entry for every evaluation of the denoiser, so
   that methods with two a step name most times twice; returns its length, or 0 with a message where
   the options do not fit together. `times` may be NULL, else it holds `capacity` numbers. */
SUMI_API int64_t sumi_solver_times(sumi_solver *solver, double *times, int64_t capacity);

/* Standard deviation that the state starts with: 1 for variance-preserving schedules and flows, the
   largest sigma where the state is x0 + sigma e, and sigma / (1 + sigma) where a solver keeps it at
   (x0 + sigma e) / (1 + sigma). Known once the options have been put together, as by
   sumi_solver_times. */
SUMI_API double sumi_solver_initial_sigma(const sumi_solver *solver);

/* Fills x with the noise a sampler starts from, of the solver's own random stream. */
SUMI_API sumi_status sumi_solver_start(sumi_solver *solver, int rank, const int64_t *shape,
                                       float *x);

/* How much data and noise a state holds at a time, one as sumi_solver_times lists them or any other
   of the schedule: a(t) and s(t) of the state a x0 + s e, on the scale that this solver keeps its
   state in, which is not always the network's (euler's is x0 + sigma e). Times outside of the
   schedule are refused, and so are solvers of bits. A denoiser may ask, too, while the solver
   runs. */
SUMI_API sumi_status sumi_solver_level(sumi_solver *solver, double time, double *signal,
                                       double *noise);

/* Noises clean data to a time: noised = a(t) clean + s(t) noise, as sumi_solver_level tells. */
SUMI_API sumi_status sumi_solver_add_noise(sumi_solver *solver, int64_t count, const float *clean,
                                           const float *noise, double time, float *noised);

/* Called after each step (counted from 0) with the time it began at, the state and the current
   estimate of clean data, both of the solver's shape. Return false to stop. */
typedef bool (*sumi_solver_watcher)(void *user, int64_t step, int64_t steps, double time,
                                    const float *x, const float *clean);

/* Runs the loop in place on x[shape] with the caller's denoiser. shape[0] counts items. `watcher`
   may be NULL. */
SUMI_API sumi_status sumi_solver_run(sumi_solver *solver, sumi_denoiser denoiser, void *user,
                                     int rank, const int64_t *shape, float *x,
                                     sumi_solver_watcher watcher, void *watcher_user);

/* Changes an estimate of clean data, clean[count, item_size], after every evaluation and before the
   solver goes on with it, so that every solver follows. The estimate is of a state a x0 + s e:
   `signal` is a and `noise` is s. Anything but SUMI_OK ends the run with that status. */
typedef sumi_status (*sumi_correction)(void *user, int64_t count, int64_t item_size, double signal,
                                       double noise, float *clean);

/* Makes later runs correct their estimates; NULL for no correction. `user` must outlive the runs.
   Solvers of bits have no estimate to correct and refuse. */
SUMI_API sumi_status sumi_solver_correct(sumi_solver *solver, sumi_correction correction,
                                         void *user);

/* A correction for data of which a part is known: samples from p(x0) r(x0), where r is normal
   around what is known (Sohl-Dickstein et al. 2015, section 2.5; part of a picture and its greys as
   in Song et al. 2021, appendix I). `user` is a sumi_known. */
typedef struct sumi_known {
    int64_t items;       /* that are known; a state's further items begin again with the first */
    int64_t channels;    /* 0: each number by itself; else the mean over so many channels */
    const float *values; /* [items, item_size], or [items, item_size / channels] */
    const float *mask;   /* of the same shape: above 0 where values are known; NULL: everywhere */
    double deviation;    /* of r; 0 where values are known exactly */
} sumi_known;
SUMI_API sumi_status sumi_keep_known(void *known, int64_t count, int64_t item_size, double signal,
                                     double noise, float *clean);

/* How often the last run asked the denoiser; for rk45 that depends on its tolerance. */
SUMI_API int64_t sumi_solver_evaluations(const sumi_solver *solver);

/* Spherical interpolation between two states of noise: between[count] is from[count] at share 0 and
   to[count] at share 1, along the great circle. For samples between samples, with a solver that
   draws no noise; a solver "ddim-inverse" finds the state that data come from. */
SUMI_API sumi_status sumi_slerp(sumi_context *context, int64_t count, const float *from,
                                const float *to, double share, float *between);

/* ---- Models --------------------------------------------------------------------------------- */

typedef struct sumi_model sumi_model;

/* Opens a folder written by Sumi or diffusers (model_index.json, or a lone config.json), or the
   output folder of a training run. */
SUMI_API sumi_status sumi_model_open(sumi_context *context, const char *path, sumi_model **model);

/* Makes a model from its files in memory: the text of config.json, the text of
   scheduler_config.json (NULL for the default, DDPMScheduler), and the bytes of a safetensors file
   that has all weights. All three stay the caller's, who may release them afterwards. */
SUMI_API sumi_status sumi_model_read_memory(sumi_context *context, const char *config_json,
                                            const char *scheduler_json, const void *weights,
                                            size_t weights_size, sumi_model **model);

/* The weights as a safetensors file in new memory, *bytes [*size], to be released with
   sumi_bytes_release. The other two files are sumi_model_config and sumi_model_scheduler. */
SUMI_API sumi_status sumi_model_write_weights(const sumi_model *model, void **bytes, size_t *size);

/* Builds a fresh model from the text of a config.json; `seed` keys its initial weights. */
SUMI_API sumi_status sumi_model_create(sumi_context *context, const char *config_json,
                                       uint64_t seed, sumi_model **model);

/* Builds the fresh model that a recipe describes, for the items of `data`. */
SUMI_API sumi_status sumi_model_create_from_recipe(sumi_context *context, const sumi_recipe *recipe,
                                                   const sumi_data *data, sumi_model **model);

/* Writes a pipeline folder that diffusers and Sumi open: model_index.json, unet/, scheduler/. */
SUMI_API sumi_status sumi_model_save(const sumi_model *model, const char *folder);
SUMI_API void sumi_model_free(sumi_model *model);

/* The parts that a model is made of, by number from 0: its network and its scheduler, and more
   where the folder's model_index.json names more that this version can run. False past the last. */
typedef enum sumi_part_kind {
    SUMI_PART_NETWORK = 1,
    SUMI_PART_SCHEDULER = 2,
    SUMI_PART_AUTO_ENCODER = 3,
    SUMI_PART_TEXT_ENCODER = 4,
    SUMI_PART_TOKENIZER = 5,
    SUMI_PART_IMAGE_ENCODER = 6,
    SUMI_PART_PRIOR = 7
} sumi_part_kind;
typedef struct sumi_part {
    char name[64];       /* as in model_index.json: "unet" */
    char class_name[80]; /* "UNet2DModel" */
    sumi_part_kind kind;
} sumi_part;
SUMI_API bool sumi_model_part(const sumi_model *model, int number, sumi_part *part);
/* "network", "auto-encoder" ...; never NULL. */
SUMI_API const char *sumi_part_kind_name(sumi_part_kind kind);

SUMI_API const char *sumi_model_class(const sumi_model *model);     /* "UNet2DModel" ... */
SUMI_API const char *sumi_model_config(const sumi_model *model);    /* config.json as text */
SUMI_API const char *sumi_model_scheduler(const sumi_model *model); /* scheduler_config.json */
/* Sets the scheduler_config.json that the model is saved and sampled with. */
SUMI_API sumi_status sumi_model_set_scheduler(sumi_model *model, const char *json);
SUMI_API int sumi_model_classes(const sumi_model *model); /* 0 for an unconditional model */
/* The name of a class by number from 0; NULL where it has none. Names come from the data that a
   model is made for, or from "id2label" or "_id2label" of a model_index.json, where a saved model
   keeps them. In a name '?' stands for what is no UTF-8 or steers a terminal. It belongs to the
   model. */
SUMI_API const char *sumi_model_class_name(const sumi_model *model, int number);
SUMI_API sumi_item_kind sumi_model_kind(const sumi_model *model);
/* Shape of one input item, channels last; returns its rank. A size is 0 where config.json leaves
   "sample_size" open. */
SUMI_API int sumi_model_shape(const sumi_model *model, int64_t shape[SUMI_MAX_RANK]);
/* Gives the items of such a model their size, before it is used: sizes[count] is [height, width] of
   pictures, [length] of signals. Once it has a size, only the same is taken. Saved, it is as open
   as it was. SUMI_ERROR_ARGUMENT for a size that the network does not take. */
SUMI_API sumi_status sumi_model_set_size(sumi_model *model, int count, const int64_t *sizes);

/* The inputs of a network, by number from 0: 0 is the state "x" [n, item], 1 the "times" [n]; the
   others make a condition. Without classes there may be nothing. False past the last. */
typedef struct sumi_input {
    const char *name; /* "class", "class_time", "embedding", or what a network of one's own says */
    sumi_element element;         /* SUMI_FLOAT32, or SUMI_INT32: whole numbers from 0 */
    bool optional;                /* may be left out */
    int rank;                     /* the items' dimension, the first, included */
    int64_t shape[SUMI_MAX_RANK]; /* 0: any size; shape[0], the number of items, always is */
    int64_t limit;                /* integers are below it; 0 for no limit */
} sumi_input;
SUMI_API bool sumi_model_input(const sumi_model *model, int number, sumi_input *input);

/* The weights, by number from 0 in the network's own order, under diffusers' names and shapes
   (convolutions [out,in,kh,kw], linears [out,in]). False past the last. `data` may be written until
   the model is next evaluated: ask again before writing again, since what an evaluation makes from
   the weights is kept until they are asked for or trained. Weights that lie in a file, of whatever
   type, are copied to float32 when they are asked for; false also where that fails. */
typedef struct sumi_weight {
    const char *name;
    int rank;
    int64_t shape[SUMI_MAX_RANK];
    float *data;
    bool trainable;
} sumi_weight;
SUMI_API bool sumi_model_weight(const sumi_model *model, int64_t number, sumi_weight *weight);

/* Makes the solver that the model's scheduler_config.json describes, or of another name with the
   same options (NULL keeps the class named there). It belongs to the model's context; see also
   sumi_session_solver. */
SUMI_API sumi_status sumi_model_solver(const sumi_model *model, const char *name,
                                       sumi_solver **solver);

/* ---- Conditions ------------------------------------------------------------------------------ */

/* What a network takes beside the state and the time: a set of named arrays, by the names and
   shapes of sumi_model_input. shape[0] of each counts items; where more items are computed, they
   begin again with the first. Values are copied. Setting a name again replaces its array. */
typedef struct sumi_condition sumi_condition;
SUMI_API sumi_status sumi_condition_create(sumi_context *context, sumi_condition **condition);
SUMI_API void sumi_condition_free(sumi_condition *condition);
SUMI_API sumi_status sumi_condition_set(sumi_condition *condition, const char *name, int rank,
                                        const int64_t *shape, const float *values);
SUMI_API sumi_status sumi_condition_set_integers(sumi_condition *condition, const char *name,
                                                 int rank, const int64_t *shape,
                                                 const int32_t *values);

/* Its arrays by number from 0; false past the last. The pointers live until it is changed. */
typedef struct sumi_condition_entry {
    const char *name;
    int rank;
    int64_t shape[SUMI_MAX_RANK];
    const float *numbers;    /* [shape], or NULL */
    const int32_t *integers; /* [shape], or NULL */
} sumi_condition_entry;
SUMI_API bool sumi_condition_get(const sumi_condition *condition, int number,
                                 sumi_condition_entry *entry);

/* ---- Sessions -------------------------------------------------------------------------------- */

/* What runs a model: plans for the sizes that were asked for, kept for the next call, and the
   condition. The model is only read, so that several sessions in several threads may run one model
   at once, each with a context of its own; none may be at work while the model is trained or its
   weights are written. The model must outlive its sessions. */
typedef struct sumi_session sumi_session;
SUMI_API sumi_status sumi_session_create(sumi_context *context, const sumi_model *model,
                                         sumi_session **session);
SUMI_API void sumi_session_free(sumi_session *session);

/* Sets "precision": how activations are kept and multiplied, "float32" at first, or "bf16", which
   halves their memory (weights, sums and results stay float32; a network without convolutions is
   float32 all through); "memory": bytes that kept plans may take, 1 GiB at first. Plans that were
   used least recently are given up beyond that, but never the last two. */
SUMI_API sumi_status sumi_session_set(sumi_session *session, const char *option, const char *value);

/* The condition of later calls, and the one that stands for "no condition" (for guides, which
   compare the two). Checked against what the network takes, and copied; NULL for none. */
SUMI_API sumi_status sumi_session_set_condition(sumi_session *session,
                                                const sumi_condition *condition);
SUMI_API sumi_status sumi_session_set_null(sumi_session *session, const sumi_condition *condition);

/* One evaluation: x[count, item] and times[count] to output[count, output item]. */
SUMI_API sumi_status sumi_session_predict(sumi_session *session, int64_t count, const float *x,
                                          const float *times, float *output);

/* The score of noised data, the gradient of their log density, at a time on the network's scale:
   x[count, item] to score[count, item]. */
SUMI_API sumi_status sumi_session_score(sumi_session *session, int64_t count, const float *x,
                                        double time, float *score);

/* The loss mean(output^2) and the gradient of it for every weight, in the order of
   sumi_model_weight: gradients[i] is memory of the size of weight i, or NULL. For tests. */
SUMI_API sumi_status sumi_session_gradient(sumi_session *session, int64_t count, const float *x,
                                           const float *times, double *loss,
                                           float *const *gradients);

/* As sumi_model_solver, in the session's context. */
SUMI_API sumi_status sumi_session_solver(sumi_session *session, const char *name,
                                         sumi_solver **solver);

/* Draws `count` samples into a new array [count, item]. `solver` NULL means the model's own
   scheduler. Without a condition a model with classes draws each class in turn. `watcher` may be
   NULL; where it stops the run, the states of that moment are in `samples` and the status is
   SUMI_STOPPED. */
SUMI_API sumi_status sumi_session_sample(sumi_session *session, sumi_solver *solver, int64_t count,
                                         sumi_solver_watcher watcher, void *user,
                                         sumi_array *samples);

/* The same by a session for this call alone; `condition` may be NULL. */
SUMI_API sumi_status sumi_model_sample(sumi_model *model, sumi_solver *solver, int64_t count,
                                       const sumi_condition *condition, sumi_array *samples);

/* A sumi_denoiser over a session, for sumi_solver_run: `user` is the sumi_session. */
SUMI_API sumi_status sumi_session_denoiser(void *session, int64_t count, int64_t item_size,
                                           int64_t output_size, const float *x, const float *times,
                                           float *output);

/* ---- Likelihoods ----------------------------------------------------------------------------- */

/* How probable data are under what a solver and a denoiser generate together: a measurement with
   settings by name, and the numbers that it found. */
typedef struct sumi_likelihood sumi_likelihood;

/* `solver` gives schedule, prediction, limits and variances; it must outlive the measurement.
   Times that it would skip are not skipped here. */
SUMI_API sumi_status sumi_likelihood_create(sumi_context *context, sumi_solver *solver,
                                            sumi_likelihood **likelihood);
SUMI_API void sumi_likelihood_free(sumi_likelihood *likelihood);

/* The settings by number from 0: "items", "draws" and "decoder" of the bound; "method", "steps",
   "tolerance", "probe", "probes" and "dequantise" of the density; "seed" and "batch" of both. False
   past the last. */
SUMI_API bool sumi_likelihood_option(sumi_likelihood *likelihood, int number, sumi_option *option);

/* Sets one of them, the value as text. One that has no effect with the others as they are, such as
   "steps" with the method rk45, is refused when it is measured. */
SUMI_API sumi_status sumi_likelihood_set(sumi_likelihood *likelihood, const char *option,
                                         const char *value);
SUMI_API sumi_status sumi_likelihood_set_number(sumi_likelihood *likelihood, const char *option,
                                                double value);

/* The value of a setting as text; NULL where there is no such setting. Valid until the next call on
   this likelihood. */
SUMI_API const char *sumi_likelihood_setting(sumi_likelihood *likelihood, const char *option);

/* What was found, in bits of one item. Number 0 is the whole: -log2 p(x0), or a bound above it. For
   a bound there follow "prior" (L_T), "data" (L_0), "steps" (the sum of the others), and each of
   these, "step", by its time. `error` is the standard error that comes of measuring few items and
   draws. */
typedef struct sumi_likelihood_term {
    const char *name;
    int64_t time; /* of the schedule, from 0; -1 for sums */
    double bits, error;
    int64_t draws;
} sumi_likelihood_term;
/* False past the last. */
SUMI_API bool sumi_likelihood_get(const sumi_likelihood *likelihood, int64_t number,
                                  sumi_likelihood_term *term);

/* The denoiser of a solver and its vector-Jacobian products: output[count, output_size] as a
   sumi_denoiser writes it, and products[count, item_size] = v^T d output / d x with the v of each
   item in vectors[count, output_size]. */
typedef sumi_status (*sumi_denoiser_product)(void *user, int64_t count, int64_t item_size,
                                             int64_t output_size, const float *x,
                                             const float *times, const float *vectors,
                                             float *output, float *products);
/* A session's: `user` is the sumi_session. */
SUMI_API sumi_status sumi_session_product(void *session, int64_t count, int64_t item_size,
                                          int64_t output_size, const float *x, const float *times,
                                          const float *vectors, float *output, float *products);

/* -log2 of the density of x[count, item], shape[0] being the count, to bits[count] (NULL where it
   is not wanted): each item is brought to noise along the probability-flow ODE, and the divergence
   of the flow is added up on the way (Song et al. 2021, eq. 39; Chen et al. 2018). What the noise
   is taken for is what a sampler starts from. Limits such as clipping have no part in it. With the
   trace "exact" the answer is, but for the integrator, that density; with probes it is an estimate
   without bias (Hutchinson; Grathwohl et al. 2019). Number 0 of sumi_likelihood_get is the mean
   over the items. */
SUMI_API sumi_status sumi_likelihood_density(sumi_likelihood *likelihood,
                                             sumi_denoiser_product denoiser, void *user, int rank,
                                             const int64_t *shape, const float *x, double *bits,
                                             sumi_progress_function progress, void *progress_user);

/* The same of a session's model; item i takes item i of the session's condition. */
SUMI_API sumi_status sumi_session_density(sumi_session *session, sumi_likelihood *likelihood,
                                          int rank, const int64_t *shape, const float *x,
                                          double *bits, sumi_progress_function progress,
                                          void *user);

/* The variational bound over a data set (Ho et al. 2020, eq. 5; with its sign turned the K of
   Sohl-Dickstein et al. 2015), Gaussian or of bits as the solver is. */
SUMI_API sumi_status sumi_likelihood_bound(sumi_likelihood *likelihood, sumi_denoiser denoiser,
                                           void *user, sumi_data *data,
                                           sumi_progress_function progress, void *progress_user);
/* The same of a session's model, which gets the items' classes if it takes them. */
SUMI_API sumi_status sumi_session_bound(sumi_session *session, sumi_likelihood *likelihood,
                                        sumi_data *data, sumi_progress_function progress,
                                        void *user);

/* How the error of a solver falls with the number of its steps, on data whose flow is known: a
   mixture of two Gaussians, x0 + sigma e from sigma 10 to 0.02. The first call sets the solver's
   options to that; others, such as "solver_order", may be set between the two calls. The second
   solves the flow in steps[i] steps each, which grow, and gives the root mean square distance of 32
   states from the truth to errors[count], and the order to *order (may be NULL): the slope through
   the logarithms of the last three errors that float32 does not round off, NAN where fewer than two
   are left. SUMI_ERROR_ARGUMENT for a solver that draws noise, chooses its own steps or leads to
   noise. The solver keeps these options. */
SUMI_API sumi_status sumi_convergence_prepare(sumi_solver *solver);
SUMI_API sumi_status sumi_convergence_measure(sumi_solver *solver, int count, const int64_t *steps,
                                              double *errors, double *order);

/* ---- Training ------------------------------------------------------------------------------- */

typedef struct sumi_trainer sumi_trainer;

/* Prepares to train `model` on `data` as `recipe` says. The three must outlive the trainer. */
SUMI_API sumi_status sumi_trainer_create(sumi_context *context, const sumi_recipe *recipe,
                                         sumi_model *model, sumi_data *data,
                                         sumi_trainer **trainer);
SUMI_API void sumi_trainer_free(sumi_trainer *trainer);

/* One optimizer step; `loss` may be NULL. */
SUMI_API sumi_status sumi_trainer_step(sumi_trainer *trainer, double *loss);
SUMI_API int64_t sumi_trainer_steps_done(const sumi_trainer *trainer);

/* Losses of all steps so far, oldest first; returns how many. */
SUMI_API int64_t sumi_trainer_losses(const sumi_trainer *trainer, const float **losses);

/* The whole state (weights, moments, averages, step, losses) to one file and back. Written whole
   or not at all; training continues bit for bit after a load. A load refuses a file of another
   network, of another seed, of data from files that have changed since, or of more steps than the
   recipe has. */
SUMI_API sumi_status sumi_trainer_save(const sumi_trainer *trainer, const char *path);
SUMI_API sumi_status sumi_trainer_load(sumi_trainer *trainer, const char *path);

/* Copies the averaged (EMA) weights into the model, or puts the raw ones back. */
SUMI_API sumi_status sumi_trainer_use_average(sumi_trainer *trainer, bool average);

/* Runs all remaining steps of the recipe, keeping `folder` (may be NULL) up to date: checkpoint,
   recipe (with paths as sumi_recipe_settle_paths makes them), losses and the model itself. At the
   end the model holds the averaged weights. */
SUMI_API sumi_status sumi_trainer_run(sumi_trainer *trainer, const char *folder,
                                      sumi_progress_function progress, void *user);

/* ---- Pictures ------------------------------------------------------------------------------- */

/* Images [n,h,w,c], signals [n,length,c] or points [n,d] as one PNG: a grid of images, a grid of
   curves, a scatter plot. One channel is grey, three are a colour, others stand side by side in
   grey; slices of [n,d,h,w,c] stand one below the other. Of signals of more than 64 channels each
   is an image, a row of pixels for each time. Single numbers, [n] or [n,1], are a histogram; points
   of 3 or 4 coordinates a scatter plot for each pair; longer rows one picture. `columns` 0
   chooses. */
SUMI_API sumi_status sumi_draw_grid(sumi_context *context, const sumi_array *items, int columns,
                                    const char *path);

/* Points [n,2] twice, as they are and as a density. Over the density, where they are not NULL:
   lines through the places of paths[steps,m,2], each ending in a dot, and arrows[k,4] of a field
   (x, y and its direction), their lengths in proportion while they are short. */
SUMI_API sumi_status sumi_draw_points(sumi_context *context, const sumi_array *points,
                                      const sumi_array *paths, const sumi_array *arrows,
                                      const char *path);

/* A loss curve: raw values faint, their running mean bold, logarithmic when it helps. */
SUMI_API sumi_status sumi_draw_losses(sumi_context *context, const float *losses, int64_t count,
                                      const char *title, const char *path);

/* Numbers over numbers, all above 0, with both axes logarithmic; others are left out. */
typedef struct sumi_line {
    const char *name;
    int64_t count;
    const double *x, *y; /* [count] */
} sumi_line;
SUMI_API sumi_status sumi_draw_lines(sumi_context *context, const sumi_line *lines, int count,
                                     const char *title, const char *x_title, const char *y_title,
                                     const char *path);

/* Rows of the same few items along the reverse process: frames[steps, n, item]; labels[steps] are
   written above. */
SUMI_API sumi_status sumi_draw_filmstrip(sumi_context *context, const sumi_array *frames,
                                         const char *const *labels, const char *path);

/* A table of items with column titles: cells[rows, columns, item]; row titles may be NULL. */
SUMI_API sumi_status sumi_draw_table(sumi_context *context, const sumi_array *cells,
                                     const char *const *column_titles,
                                     const char *const *row_titles, const char *path);

/* ---- Looking into files --------------------------------------------------------------------- */

/* Describes a model folder, safetensors, npy or image file as JSON text in a new string, to be
   released with sumi_text_release. */
SUMI_API sumi_status sumi_describe(sumi_context *context, const char *path, char **json);
SUMI_API void sumi_text_release(sumi_context *context, char *text);

/* ---- Measuring where the time goes ----------------------------------------------------------- */

/* From now on everything that objects of this context compute is timed: each op of a network, and
   what a training step does besides. Forgets what was timed before. While nothing is timed, it
   costs nothing. */
SUMI_API sumi_status sumi_profile_start(sumi_context *context);
/* Ends the timing; the rows stay until the next start. */
SUMI_API void sumi_profile_stop(sumi_context *context);

/* Where the time went, a row for each op and its shapes; both texts live until the next call that
   computes. */
typedef struct sumi_profile_row {
    const char *name;   /* "convolution" ...; "optimizer" and others for what is not an op */
    const char *shapes; /* "[2, 8, 8, 3] [4, 3, 3, 3] [4] -> [2, 8, 8, 4]": inputs, result; or "" */
    int64_t calls;
    double seconds;    /* wall-clock time of all calls */
    double operations; /* additions and multiplications of floating-point numbers, by definition of
                          the op, whatever algorithm it is computed by; a function of one number,
                          such as an exponential, counts as one */
    double bytes;      /* each input read once and each result written once */
} sumi_profile_row;
/* Row by number from 0; false past the last. */
SUMI_API bool sumi_profile_get(const sumi_context *context, int64_t number, sumi_profile_row *row);

/* What this machine can do at most, by one thread and by all of the context's together. */
typedef struct sumi_machine {
    int threads;
    const char *instructions;    /* "AVX-512" ...: the vectors it was measured with */
    double f32_one, f32_all;     /* float32 operations a second, all of them multiply-adds */
    double bf16_one, bf16_all;   /* the same of bf16 products, 0 without an instruction for it */
    double bytes_one, bytes_all; /* bytes a second to and from memory: two arrays read, one made */
} sumi_machine;
/* Measures that, in less than a second; it takes 192 MiB meanwhile. Other work on the machine makes
   the figures smaller. */
SUMI_API sumi_status sumi_machine_measure(sumi_context *context, sumi_machine *machine);

#ifdef __cplusplus
}
#endif

#endif
