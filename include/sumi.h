/* SPDX-License-Identifier: Apache-2.0 */
/* sumi.h: the public interface of libsumi, simple calls first, advanced ones last. sumi_graph.h has
   the interface for your own networks.

   Generate sixteen digits with a trained model and draw them:

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

   Rules for all calls:
   - A call that can fail returns a sumi_status; sumi_context_message() is the sentence that
   explains the last failure. The library never prints, exits or aborts.
   - Objects belong to the context they were created with and must be freed before it, by their own
   _free call. A _free call accepts NULL. Use a context from one thread at a time; two contexts in
   two threads are independent.
   - Arrays are float32, row-major, channels last: images [n, h, w, c], signals [n, length, c],
     points [n, d]. Images have values from -1 (black) to 1 (white).
   - Options are set by name, with the names of recipes and of diffusers' configuration files, so
   that later versions can add options without breaking callers.
   - Every structure begins with its size, which the caller sets before the library fills or reads
   it: `sumi_option option = {.size = sizeof option};`. The library writes no more than that, and
   treats members beyond it as zero, so that a program continues to work with a library that has
   added members. Without a size nothing is filled or read: a call that returns a sumi_status
   refuses, one that returns bool gives false. sumi_array, sumi_allocator and sumi_convolution have
   no size and never change. */
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

/* Whether the library was built with an optional part: "draw" (sumi_draw_...), "png", "jpeg",
   "download" (sumi_fetch), "archive" (data sets in archives), "text" (tokenizers). Calls that need
   a missing part return SUMI_ERROR_UNSUPPORTED. */
SUMI_API bool sumi_has(const char *part);

/* The result of a call. The numbers are stable. */
typedef enum sumi_status {
    SUMI_OK = 0,
    SUMI_ERROR_ARGUMENT = 1,    /* an argument or option is invalid */
    SUMI_ERROR_MEMORY = 2,      /* the allocator returned NULL */
    SUMI_ERROR_FILE = 3,        /* a file could not be opened, read, written or renamed */
    SUMI_ERROR_FORMAT = 4,      /* the contents of a file are invalid */
    SUMI_ERROR_UNSUPPORTED = 5, /* valid, but not supported by this version */
    SUMI_ERROR_BACKEND = 6,     /* a dependency (oneDNN, cairo, curl) reported a failure */
    SUMI_ERROR_NUMBER = 7,      /* a computation gave NaN or infinity */
    SUMI_STOPPED = 8            /* a callback asked to stop; results so far are kept */
} sumi_status;

/* The name of a status, one lower-case word such as "file". Never NULL. */
SUMI_API const char *sumi_status_name(sumi_status status);

typedef struct sumi_context sumi_context;

/* An allocator for the library. `allocate` returns `size` bytes aligned to `alignment` (a power of
   two), or NULL; `release` frees what `allocate` returned and is never called with NULL. A context
   calls them from one thread at a time, which may be one that the library has started. */
typedef struct sumi_allocator {
    void *user;
    void *(*allocate)(void *user, size_t size, size_t alignment);
    void (*release)(void *user, void *memory);
} sumi_allocator;

/* Creates a context. `allocator` may be NULL for that of the C library. The number of threads is
   initially OMP_NUM_THREADS or else the number of processors. */
SUMI_API sumi_status sumi_context_create(const sumi_allocator *allocator, sumi_context **context);
SUMI_API void sumi_context_free(sumi_context *context);

/* The sentence about the last failure of a call on this context; "" before the first. `context` may
   be NULL: then the sentence is about a failure to create one. Valid until the next call. */
SUMI_API const char *sumi_context_message(const sumi_context *context);

/* Receives a warning: a sentence about something that is not an error but probably not intended,
   such as a scheduler whose steps begin at a time with much signal left. `sentence` is valid during
   the call. It may come from a thread that the library has started; the function must not call the
   library with the same context. */
typedef void (*sumi_warning_function)(void *user, const char *sentence);

/* Sets the function that receives warnings; NULL, the default, drops them. A context does not
   repeat a sentence that is among its last 64. */
SUMI_API void sumi_context_set_warning(sumi_context *context, sumi_warning_function warning,
                                       void *user);

/* Sets the number of threads for computations, from 1 to 1024. The last bits of results depend on
   it. Plans and trainers keep the number that they were created with. */
SUMI_API sumi_status sumi_context_set_threads(sumi_context *context, int threads);
SUMI_API int sumi_context_threads(const sumi_context *context);

/* Sets whether plans and trainers that are created later choose the algorithm of each convolution
   by timing all of them, which takes seconds for a large network the first time; the choices are
   stored in $XDG_CACHE_HOME/sumi/tune. Initially false: a fixed rule chooses. The last bits of
   results depend on the choice. */
SUMI_API void sumi_context_set_tuning(sumi_context *context, bool tuning);

/* Sets whether models that are opened later read their large weights from their file, mapped into
   memory (initially true), or from a copy of the file in memory. Mapping opens a model at once and
   takes no private memory. A mapped file may be replaced by renaming, as sumi_model_save does. If
   another program truncates it or writes into it, later calls that need the weights fail with
   SUMI_ERROR_FILE; only if it truncates the file during such a call, or if the disk fails, the
   system ends the process with SIGBUS. A copy is safe from all of this: choose it if other programs
   may write to the files, or if they are on a network's disk. */
SUMI_API void sumi_context_set_mapping(sumi_context *context, bool mapping);

/* ---- Arrays and their files -------------------------------------------------- */

#define SUMI_MAX_RANK 8

/* The type of the elements of an array. */
typedef enum sumi_element {
    SUMI_FLOAT32,
    SUMI_BFLOAT16, /* the upper half of a float32 */
    SUMI_FLOAT16,  /* IEEE 754 binary16 */
    SUMI_INT32,
    SUMI_INT8
} sumi_element;

/* Numbers with a shape: row-major float32. Release it with sumi_array_release. */
typedef struct sumi_array {
    int rank;
    int64_t shape[SUMI_MAX_RANK];
    float *data;
} sumi_array;

/* Creates an array of zeros with the given shape; does not release the previous contents of
   `array`. */
SUMI_API sumi_status sumi_array_create(sumi_context *context, int rank, const int64_t *shape,
                                       sumi_array *array);
SUMI_API void sumi_array_release(sumi_context *context, sumi_array *array);
SUMI_API int64_t sumi_array_count(const sumi_array *array); /* number of elements */

/* Creates an array of the items of two others in turn, for example of pictures beside their
   reconstructions: [n, ...] and [n, ...] to [2 n, ...]. Refuses arrays of different shapes and
   arrays without items; does not release the previous contents of `pairs`. */
SUMI_API sumi_status sumi_array_interleave(sumi_context *context, const sumi_array *first,
                                           const sumi_array *second, sumi_array *pairs);

/* Reads .npy (any float or integer type), .csv (a table of numbers [rows, columns]), .png or .jpg
   (an image [h, w, c] in [-1, 1], turned upright by its Exif orientation). The format is detected
   from the contents of the file, not from its name. */
SUMI_API sumi_status sumi_array_read(sumi_context *context, const char *path, sumi_array *array);

/* Writes .npy, .csv (rank 1 or 2) or .png ([h, w, c] in [-1, 1], c 1 or 3), by the extension of the
   name. The file appears whole or not at all. */
SUMI_API sumi_status sumi_array_write(sumi_context *context, const char *path,
                                      const sumi_array *array);

/* Reads the bytes of such a file from memory, which remains the caller's; messages have `name`
   instead of the path. */
SUMI_API sumi_status sumi_array_read_memory(sumi_context *context, const void *bytes, size_t size,
                                            const char *name, sumi_array *array);

/* Writes such a file to new memory, *bytes [*size], to be released with sumi_bytes_release;
   `format` is "npy", "csv" or "png". */
SUMI_API sumi_status sumi_array_write_memory(sumi_context *context, const char *format,
                                             const sumi_array *array, void **bytes, size_t *size);
SUMI_API void sumi_bytes_release(sumi_context *context, void *bytes); /* accepts NULL */

/* The kind of an item of a data set, of a model or of an array to be drawn. */
typedef enum sumi_item_kind {
    SUMI_PICTURE = 1,  /* [height, width, channels], values from -1 to 1 */
    SUMI_SIGNAL = 2,   /* [length, channels] */
    SUMI_POINTS = 3,   /* [d]: a point, a row of numbers */
    SUMI_FIELD = 4,    /* [height, width, channels], any values */
    SUMI_SEQUENCE = 5, /* [length, channels]: ordered tokens or steps */
    SUMI_SET = 6,      /* [members, d], unordered */
    SUMI_VIDEO = 7     /* [frames, height, width, channels] */
} sumi_item_kind;

/* The name of a kind: "picture", "signal" ...; never NULL. */
SUMI_API const char *sumi_item_kind_name(sumi_item_kind kind);

/* ---- Progress ----------------------------------------------------------------------------- */

/* The progress of a long call. */
typedef struct sumi_progress {
    size_t size;               /* as the library knows it */
    const char *task;          /* "train", "sample", "fetch" ... */
    int64_t step, steps;       /* steps done, and all steps (0 while unknown) */
    double loss;               /* mean of the recent training loss, or 0 */
    double rate;               /* items (images, bytes ...) per second */
    const char *rate_unit;     /* "images/s", "bytes/s" ... */
    double seconds_left;       /* estimate, or -1 while unknown */
    const sumi_array *preview; /* samples so far (the estimate of x0), or NULL */
} sumi_progress;

/* Called repeatedly during a long call, from the calling thread. Return false to stop: the call
   then returns SUMI_STOPPED and leaves everything in a valid state. */
typedef bool (*sumi_progress_function)(void *user, const sumi_progress *progress);

/* ---- Options ----------------------------------------------------------------------------------
 */

/* An option that can be set by name. */
typedef struct sumi_option {
    size_t size; /* sizeof(sumi_option) */
    const char *name;
    const char *type; /* "flag", "whole", "seed", "number", "choice", "text", "numbers" or, in
                         recipes, "wholes", "flags", "words" separated by commas */
    const char *default_value, *meaning;
    const char *choices; /* for a choice, "one|two|three"; for a whole number, a word that may take
                            its place; else NULL */
    double low, high;    /* bounds of numbers */
    const char *when;    /* condition under which it is read: "path=vp|sub_vp"; "" for always */
    bool read;           /* whether it is read with the current values of the others */
} sumi_option;

/* Reads the text of an option of the caller's own as the library reads its own: to a bool (flag),
   int64_t (whole), uint64_t (seed), double (number) or int (choice: its number from 0) at `value`;
   other types are only checked, and "numbers" not at all. `value` may be NULL. Of the option count
   name, type, choices, low and high; `subject` ("sample: --count"; NULL for its name) begins the
   sentence about a wrong text. */
SUMI_API sumi_status sumi_option_read(sumi_context *context, const sumi_option *option,
                                      const char *subject, const char *text, void *value);

/* Which of the words, ended by NULL, was most likely meant by a misspelled one, as suggestions in
   messages are found; NULL where none is near. */
SUMI_API const char *sumi_nearest_word(const char *word, const char *const *words);

/* ---- Recipes: what to train, on which data, how -------------------------------------------- */

typedef struct sumi_recipe sumi_recipe;

/* The names of the built-in recipes, by number from 0; NULL past the last. */
SUMI_API const char *sumi_recipe_name(int number);
SUMI_API const char *sumi_recipe_summary(int number); /* one sentence; NULL past the last */

/* Opens a built-in recipe by name, or a file by path (a name with a '/' or ending in ".ini"). */
SUMI_API sumi_status sumi_recipe_open(sumi_context *context, const char *name_or_path,
                                      sumi_recipe **recipe);

/* Reads a recipe from its text; messages have `name` instead of the path. */
SUMI_API sumi_status sumi_recipe_parse(sumi_context *context, const char *text, const char *name,
                                       sumi_recipe **recipe);
SUMI_API void sumi_recipe_free(sumi_recipe *recipe);

/* Changes one value: "train.steps=2000". Refuses an unknown key and suggests the nearest one. */
SUMI_API sumi_status sumi_recipe_set(sumi_recipe *recipe, const char *assignment);

/* The value of a key ("train.steps") as text, or its default; NULL if there is no such key. */
SUMI_API const char *sumi_recipe_get(const sumi_recipe *recipe, const char *key);

/* All keys by number from 0, with their meaning and default; false past the last. */
typedef struct sumi_recipe_key {
    size_t size; /* sizeof(sumi_recipe_key) */
    const char *key, *default_value, *meaning;
} sumi_recipe_key;
SUMI_API bool sumi_recipe_describe(int number, sumi_recipe_key *key);

/* The same with type and bounds; `read` is whether the key is read with the current values of
   `recipe` (NULL: true). Training refuses a key of [data], [model], [noise] or [train] that is set
   to another value than its default but not read. */
SUMI_API bool sumi_recipe_option(const sumi_recipe *recipe, int number, sumi_option *option);

/* Set one value by its key, as a number or as text. */
SUMI_API sumi_status sumi_recipe_set_number(sumi_recipe *recipe, const char *key, double value);
SUMI_API sumi_status sumi_recipe_set_text(sumi_recipe *recipe, const char *key, const char *value);

/* Makes relative paths of the recipe (of data, a network's configuration, a teacher) absolute if
   they exist in the current folder. */
SUMI_API sumi_status sumi_recipe_settle_paths(sumi_recipe *recipe);

/* Writes the recipe, including defaults, as a file that sumi_recipe_open reads. */
SUMI_API sumi_status sumi_recipe_write(const sumi_recipe *recipe, const char *path);

/* The same as a new text, to be released with sumi_text_release. */
SUMI_API sumi_status sumi_recipe_text(const sumi_recipe *recipe, char **text);

/* ---- Data sets ------------------------------------------------------------------------------ */

typedef struct sumi_data sumi_data;

/* Opens the data set of a recipe (section [data]). */
SUMI_API sumi_status sumi_data_open(sumi_context *context, const sumi_recipe *recipe,
                                    sumi_data **data);

/* Creates a data set from the caller's own items [n, item], which it copies; `kind` is their kind
   (SUMI_PICTURE [h, w, c], SUMI_SIGNAL [length, c], SUMI_POINTS [d] ...). `labels` (n numbers from
   0; NULL for none) are the items' classes; the number of classes is the largest label plus one.
   Values must be finite. */
SUMI_API sumi_status sumi_data_from_array(sumi_context *context, const sumi_array *items,
                                          const int32_t *labels, sumi_item_kind kind,
                                          sumi_data **data);
/* Encodes pictures with the auto-encoder that the recipe names (section [latents]) and opens the
   latents as a data set with the pictures' labels, for training over the frozen auto-encoder. The
   latents are kept in files, in the user's cache folder or in latents.folder; files that are there
   are not made again, so that an interrupted call goes on, and those of another auto-encoder or of
   other pictures are refused. `pictures` is needed only during the call; `progress` may be NULL. */
SUMI_API sumi_status sumi_data_encode(sumi_context *context, const sumi_recipe *recipe,
                                      sumi_data *pictures, sumi_progress_function progress,
                                      void *user, sumi_data **latents);
SUMI_API void sumi_data_free(sumi_data *data);

SUMI_API int64_t sumi_data_count(const sumi_data *data);
SUMI_API int sumi_data_classes(const sumi_data *data); /* 0 if items have no labels */
/* The name of a class by number from 0, such as that of its folder of pictures; NULL if it has
   none. Owned by the data set. */
SUMI_API const char *sumi_data_class_name(const sumi_data *data, int number);
/* The caption of an item by index, UTF-8 without ends of lines, "" where it has none; NULL if the
   data set has no captions, or no such item. Owned by the data set. */
SUMI_API const char *sumi_data_caption(const sumi_data *data, int64_t index);
/* Sets the captions of all items, as many as there are, which it copies; they must be UTF-8. NULL
   among them is "". */
SUMI_API sumi_status sumi_data_set_captions(sumi_data *data, const char *const *captions);
SUMI_API sumi_item_kind sumi_data_kind(const sumi_data *data);
/* The shape of one item ([h,w,c], [length,c] or [d]); returns its rank. */
SUMI_API int sumi_data_shape(const sumi_data *data, int64_t shape[SUMI_MAX_RANK]);
/* Copies the items with the given indices to items[count, item shape], and their labels to
   labels[count] (or NULL), -1 for items without. */
SUMI_API sumi_status sumi_data_read(sumi_data *data, const int64_t *indices, int64_t count,
                                    float *items, int32_t *labels);

/* Downloads a common data set ("mnist", "fashion-mnist", "cifar10") to the user's cache folder,
   checks its sums, and writes the folder's name to folder[folder_size]. `from` is another URL or
   folder to take the files from, or NULL. Continues interrupted downloads. */
SUMI_API sumi_status sumi_fetch(sumi_context *context, const char *name, const char *from,
                                sumi_progress_function progress, void *user, char *folder,
                                size_t folder_size);

/* ---- Solvers: from noise to data, over any denoiser ----------------------------------------- */

typedef struct sumi_solver sumi_solver;

/* A denoiser: reads x[count, item_size] and times[count] (the schedule's own time: 0..T-1, not only
   whole numbers, for most of diffusers' schedules, 0..T for flows, log(sigma)/4 for preconditioned
   networks), and writes its prediction (noise, sample, v or velocity: the solver's
   "prediction_type") to output[count, output_size]. output_size is item_size, or twice that where
   variance_type is "learned" or "learned_range": then the channels double, with the prediction
   before the variance. Any status but SUMI_OK ends the solver with that status. */
typedef sumi_status (*sumi_denoiser)(void *user, int64_t count, int64_t item_size,
                                     int64_t output_size, const float *x, const float *times,
                                     float *output);

/* All solvers by number from 0; false past the last. `order` is the order of the error in the step
   size; for stochastic solvers, that of the error of the samples' mean and deviation. */
typedef struct sumi_solver_info {
    size_t size; /* sizeof(sumi_solver_info) */
    const char *name, *paper;
    int order, evaluations; /* order of accuracy; network evaluations per step */
    bool stochastic;
} sumi_solver_info;
SUMI_API bool sumi_solver_describe(int number, sumi_solver_info *info);

/* The name of a solver, as in sumi_solver_describe. */
SUMI_API const char *sumi_solver_name(const sumi_solver *solver);

/* Creates a solver by name ("ddpm", "ddim", "euler", ... of sumi_solver_describe) or by the
   diffusers class that it implements ("DDIMScheduler": the "_class_name" of a
   scheduler_config.json). Options have the defaults of that class. A solver that is created by the
   name of the class, or configured by a file of that class, reproduces the numbers of diffusers;
   otherwise it may use a way that is better with few steps (docs/theory.md). A number of steps at
   which a method would amplify noise is refused. */
SUMI_API sumi_status sumi_solver_create(sumi_context *context, const char *name,
                                        sumi_solver **solver);
SUMI_API void sumi_solver_free(sumi_solver *solver);

/* The options of a solver by number from 0, with the defaults of its class: those of
   scheduler_config.json and Sumi's own. False past the last. `default_value` is valid until the
   next call on this solver. */
SUMI_API bool sumi_solver_option(sumi_solver *solver, int number, sumi_option *option);

/* Sets one option, with the value as text or JSON: "50", "true" or "yes", "linear", "[0.1, 0.2]";
   "null" unsets a list. An option that this solver does not read is refused: here or, where that
   depends on other options ("beta_min" is read with path "vp"), by sumi_solver_times and every run.
   Each run of a solver draws the same noise. */
SUMI_API sumi_status sumi_solver_set(sumi_solver *solver, const char *option, const char *value);
SUMI_API sumi_status sumi_solver_set_number(sumi_solver *solver, const char *option, double value);
SUMI_API sumi_status sumi_solver_set_flag(sumi_solver *solver, const char *option, bool value);
SUMI_API sumi_status sumi_solver_set_list(sumi_solver *solver, const char *option, int64_t count,
                                          const double *values);

/* The value of an option as text for sumi_solver_set, "" for a list that is not set; NULL if the
   solver has no such option. Valid until the next call on this solver. */
SUMI_API const char *sumi_solver_get(sumi_solver *solver, const char *option);

/* Sets all options in the text of a scheduler_config.json. Ignores keys that are unknown or that
   this solver does not read. The class in the file does not change the solver. */
SUMI_API sumi_status sumi_solver_configure(sumi_solver *solver, const char *json);

/* The times that the solver will visit, in order, one for each evaluation of the denoiser, so that
   methods with two evaluations per step have most times twice. Returns their number, or 0 with a
   message where options contradict each other. `times` has space for `capacity` numbers, or is
   NULL. */
SUMI_API int64_t sumi_solver_times(sumi_solver *solver, double *times, int64_t capacity);

/* The standard deviation of the initial state: 1 for variance-preserving schedules and flows, the
   largest sigma where the state is x0 + sigma e, and sigma / (1 + sigma) where it is (x0 + sigma e)
   / (1 + sigma). Valid after a call that prepares the options, such as sumi_solver_times. */
SUMI_API double sumi_solver_initial_sigma(const sumi_solver *solver);

/* Fills x with the initial noise, from the solver's own random stream. */
SUMI_API sumi_status sumi_solver_start(sumi_solver *solver, int rank, const int64_t *shape,
                                       float *x);

/* Fills noise[count], as many numbers as a state has and laid out like one, with the standard
   normal noise of a draw: 0 for the initial state, then one for each step that adds noise. */
typedef void (*sumi_noise)(void *user, int64_t draw, int64_t count, float *noise);

/* Takes the noise of later runs from the caller instead of the solver's random stream, for example
   to repeat those of another program; NULL for the stream. `user` must outlive the runs. A run that
   follows sumi_solver_start continues to count its draws; any other begins with draw 0. */
SUMI_API void sumi_solver_set_noise(sumi_solver *solver, sumi_noise noise, void *user);

/* The signal and noise coefficients at a time of sumi_solver_times or any other of the schedule:
   a(t) and s(t) of the state a x0 + s e, on the scale of this solver's state, which may differ from
   the network's (euler's is x0 + sigma e). Refuses times outside the schedule, and solvers of bits.
   A denoiser may call it while the solver runs. */
SUMI_API sumi_status sumi_solver_level(sumi_solver *solver, double time, double *signal,
                                       double *noise);

/* Adds noise to clean data: noised = a(t) clean + s(t) noise, with a and s of sumi_solver_level. */
SUMI_API sumi_status sumi_solver_add_noise(sumi_solver *solver, int64_t count, const float *clean,
                                           const float *noise, double time, float *noised);

/* Called after each step (from 0) with the time at which the step began, the state and the current
   estimate of clean data, both of the shape of the run. Return false to stop. The state is the
   memory of the run's caller, who may change it here: the next step goes on with what it is then.
 */
typedef bool (*sumi_solver_watcher)(void *user, int64_t step, int64_t steps, double time,
                                    const float *x, const float *clean);

/* Runs the solver in place on x[shape] with the caller's denoiser. shape[0] is the number of items.
   `watcher` may be NULL. */
SUMI_API sumi_status sumi_solver_run(sumi_solver *solver, sumi_denoiser denoiser, void *user,
                                     int rank, const int64_t *shape, float *x,
                                     sumi_solver_watcher watcher, void *watcher_user);

/* Changes the estimate of clean data, clean[count, item_size], after every evaluation and before
   the solver uses it; this works with every solver. The estimate is that for a state a x0 + s e:
   `signal` is a and `noise` is s. Any status but SUMI_OK ends the run with that status. */
typedef sumi_status (*sumi_correction)(void *user, int64_t count, int64_t item_size, double signal,
                                       double noise, float *clean);

/* Sets the correction of the estimates in later runs; NULL for none. `user` must outlive the runs.
   Solvers of bits refuse it, because they have no such estimate. */
SUMI_API sumi_status sumi_solver_correct(sumi_solver *solver, sumi_correction correction,
                                         void *user);

/* A correction for data of which a part is known: samples from p(x0) r(x0), where r is a normal
   density around the known values (Sohl-Dickstein et al. 2015, section 2.5; for inpainting and
   colouring see Song et al. 2021, appendix I). `user` is a sumi_known. */
typedef struct sumi_known {
    size_t size;         /* sizeof(sumi_known) */
    int64_t items;       /* number of known items; they repeat cyclically over the items of the
                            state */
    int64_t channels;    /* 0: single numbers are known; else their means over this many channels */
    const float *values; /* [items, item_size], or [items, item_size / channels] */
    const float *mask;   /* of the same shape: above 0 where values are known; NULL: all */
    double deviation;    /* of r; 0 for exact values */
} sumi_known;
SUMI_API sumi_status sumi_keep_known(void *known, int64_t count, int64_t item_size, double signal,
                                     double noise, float *clean);

/* The number of evaluations of the denoiser in the last run; for rk45 it depends on the
   tolerance. */
SUMI_API int64_t sumi_solver_evaluations(const sumi_solver *solver);

/* Spherical interpolation between two states of noise: between[count] is from[count] at share 0 and
   to[count] at share 1, along the great circle. Use it to interpolate between samples, with a
   deterministic solver; the solver "ddim-inverse" computes the state that generates given data. */
SUMI_API sumi_status sumi_slerp(sumi_context *context, int64_t count, const float *from,
                                const float *to, double share, float *between);

/* ---- Models --------------------------------------------------------------------------------- */

typedef struct sumi_model sumi_model;

/* Opens a folder written by Sumi or diffusers (with model_index.json or only a config.json), the
   output folder of a training run, or a checkpoint of Stable Diffusion 1.x, 2.x or XL in one file
   with the original names of tensors (safetensors, GGUF, or a file of torch.save, of which nothing
   is executed). */
SUMI_API sumi_status sumi_model_open(sumi_context *context, const char *path, sumi_model **model);

/* Creates a model from its files in memory: the text of config.json, the text of
   scheduler_config.json (NULL for the default, DDPMScheduler), and the bytes of a safetensors file
   with all weights. The caller may release all three afterwards. */
SUMI_API sumi_status sumi_model_read_memory(sumi_context *context, const char *config_json,
                                            const char *scheduler_json, const void *weights,
                                            size_t weights_size, sumi_model **model);

/* Writes the weights as a safetensors file to new memory, *bytes [*size], to be released with
   sumi_bytes_release. The other two files are sumi_model_config and sumi_model_scheduler. */
SUMI_API sumi_status sumi_model_write_weights(const sumi_model *model, void **bytes, size_t *size);

/* Creates an untrained model from the text of a config.json; `seed` keys its initial weights. */
SUMI_API sumi_status sumi_model_create(sumi_context *context, const char *config_json,
                                       uint64_t seed, sumi_model **model);

/* Creates the untrained model that a recipe describes, for the items of `data`. */
SUMI_API sumi_status sumi_model_create_from_recipe(sumi_context *context, const sumi_recipe *recipe,
                                                   const sumi_data *data, sumi_model **model);

/* Writes a pipeline folder that diffusers and Sumi open: model_index.json, unet/, scheduler/. */
SUMI_API sumi_status sumi_model_save(const sumi_model *model, const char *folder);
SUMI_API void sumi_model_free(sumi_model *model);

/* The parts of a model by number from 0: its network, its scheduler, and further parts of the
   folder's model_index.json that this version supports. False past the last. */
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
    size_t size;         /* sizeof(sumi_part) */
    char name[64];       /* as in model_index.json: "unet" */
    char class_name[80]; /* "UNet2DModel" */
    sumi_part_kind kind;
} sumi_part;
SUMI_API bool sumi_model_part(const sumi_model *model, int number, sumi_part *part);
/* The name of a kind of part: "network", "auto-encoder" ...; never NULL. */
SUMI_API const char *sumi_part_kind_name(sumi_part_kind kind);

SUMI_API const char *sumi_model_class(const sumi_model *model);     /* "UNet2DModel" ... */
SUMI_API const char *sumi_model_config(const sumi_model *model);    /* config.json as text */
SUMI_API const char *sumi_model_scheduler(const sumi_model *model); /* scheduler_config.json */
/* A text that identifies the model: a checksum of its configuration, its scheduler and its weights,
   also those of its auto-encoder, of which up to 4096 numbers of each count. In a new string, to be
   released with sumi_text_release. */
SUMI_API sumi_status sumi_model_fingerprint(const sumi_model *model, char **text);
/* Adds a LoRA file (Hu et al. 2021) to the weights: scale (alpha / rank) up down. The layout is
   that of diffusers, PEFT or kohya's programs. Several files add up. SUMI_ERROR_FORMAT for a file
   of another model, with the tensors that do not fit; then no weight has changed. */
SUMI_API sumi_status sumi_model_add_lora(sumi_model *model, const char *path, double scale);
/* Sets the scheduler_config.json with which the model is saved and sampled. */
SUMI_API sumi_status sumi_model_set_scheduler(sumi_model *model, const char *json);
/* The number of classes, without the null class; 0 for an unconditional model. */
SUMI_API int sumi_model_classes(const sumi_model *model);
/* The null class, which follows the other classes in a network that was trained with
   train.label_dropout ("_null_class" in its config.json); -1 if there is none. */
SUMI_API int sumi_model_null_class(const sumi_model *model);
/* The name of a class by number from 0; NULL if it has none. Names come from the training data, or
   from "id2label" or "_id2label" of a model_index.json, where saved models have them. '?' replaces
   bytes that are not UTF-8 and control characters. Owned by the model. */
SUMI_API const char *sumi_model_class_name(const sumi_model *model, int number);
SUMI_API sumi_item_kind sumi_model_kind(const sumi_model *model);
/* The shape of one input item, channels last; returns its rank. A size is 0 if config.json has no
   "sample_size". */
SUMI_API int sumi_model_shape(const sumi_model *model, int64_t shape[SUMI_MAX_RANK]);
/* Sets the size of the items of such a model, before it is used: sizes[count] is [height, width]
   for pictures, [length] for signals. A size that is set cannot be changed, but for transformers,
   which take any that their patches divide. The saved model keeps its "sample_size", or still has
   none. SUMI_ERROR_ARGUMENT for a size that the network does not support. */
SUMI_API sumi_status sumi_model_set_size(sumi_model *model, int count, const int64_t *sizes);

/* The inputs of a network by number from 0: 0 is the state "x" [n, item], 1 the "times" [n]; the
   others, if any, are set by a condition. False past the last. */
typedef struct sumi_input {
    size_t size;          /* sizeof(sumi_input) */
    const char *name;     /* "class", "states" ... (docs/formats.md), or a name of the caller's own
                             network */
    sumi_element element; /* SUMI_FLOAT32, or SUMI_INT32: whole numbers from 0 */
    bool optional;        /* may be omitted */
    int rank;             /* including the first dimension, the number of items */
    int64_t shape[SUMI_MAX_RANK]; /* 0: any size; shape[0], the number of items, is always 0 */
    int64_t limit;                /* integers must be below it; 0 for no limit */
} sumi_input;
SUMI_API bool sumi_model_input(const sumi_model *model, int number, sumi_input *input);

/* The weights by number from 0 in the network's own order, with diffusers' names and shapes
   (convolutions [out,in,kh,kw], linear layers [out,in]). False past the last. The caller may write
   to `data` until the next evaluation of the model; call this function again before writing again,
   because evaluations cache what they compute from the weights until then. Mapped weights, of any
   type, are copied to float32 by this call; false also where that fails. */
typedef struct sumi_weight {
    size_t size; /* sizeof(sumi_weight) */
    const char *name;
    int rank;
    int64_t shape[SUMI_MAX_RANK];
    float *data;
    bool trainable;
} sumi_weight;
SUMI_API bool sumi_model_weight(const sumi_model *model, int64_t number, sumi_weight *weight);

/* Creates the solver that the model's scheduler_config.json describes (`name` NULL), or the solver
   `name` with its options. It belongs to the model's context; see also sumi_session_solver. */
SUMI_API sumi_status sumi_model_solver(const sumi_model *model, const char *name,
                                       sumi_solver **solver);

/* ---- Conditions ------------------------------------------------------------------------------ */

/* The inputs of a network beside the state and the time: a set of named arrays, with the names and
   shapes of sumi_model_input. shape[0] of each is the number of items; in a larger batch they
   repeat cyclically. Values are copied. Setting a name again replaces its array. */
typedef struct sumi_condition sumi_condition;
SUMI_API sumi_status sumi_condition_create(sumi_context *context, sumi_condition **condition);
SUMI_API void sumi_condition_free(sumi_condition *condition);
SUMI_API sumi_status sumi_condition_set(sumi_condition *condition, const char *name, int rank,
                                        const int64_t *shape, const float *values);
SUMI_API sumi_status sumi_condition_set_integers(sumi_condition *condition, const char *name,
                                                 int rank, const int64_t *shape,
                                                 const int32_t *values);

/* The arrays of a condition by number from 0; false past the last. The pointers are valid until it
   is changed. */
typedef struct sumi_condition_entry {
    size_t size; /* sizeof(sumi_condition_entry) */
    const char *name;
    int rank;
    int64_t shape[SUMI_MAX_RANK];
    const float *numbers;    /* [shape], or NULL */
    const int32_t *integers; /* [shape], or NULL */
} sumi_condition_entry;
SUMI_API bool sumi_condition_get(const sumi_condition *condition, int number,
                                 sumi_condition_entry *entry);

/* ---- Sessions -------------------------------------------------------------------------------- */

/* A session runs a model. It has a condition and caches plans for the sizes of its calls. It only
   reads the model, so that several sessions in several threads may run one model at the same time,
   each with its own context; none may run while the model is trained or its weights are written.
   The model must outlive its sessions. */
typedef struct sumi_session sumi_session;
SUMI_API sumi_status sumi_session_create(sumi_context *context, const sumi_model *model,
                                         sumi_session **session);
SUMI_API void sumi_session_free(sumi_session *session);

/* The options of a session by number from 0; false past the last. */
SUMI_API bool sumi_session_option(const sumi_session *session, int number, sumi_option *option);

/* Sets "precision", the type in which activations are stored and multiplied: "float32", the
   default, or "bf16", which halves their memory (weights, sums and results stay float32, but where
   the processor multiplies bfloat16 faster, weights of linear layers are rounded to it as they are
   multiplied; a network for points is entirely float32); "memory", the budget of cached plans in
   bytes, 1 GiB by default, beyond which the least recently used plans are released, but never the
   last two; or how sumi_session_set_prompts reads texts: "prompt_weights", "long_prompts",
   "clip_skip". */
SUMI_API sumi_status sumi_session_set(sumi_session *session, const char *option, const char *value);
SUMI_API sumi_status sumi_session_set_number(sumi_session *session, const char *option,
                                             double value);

/* The value of an option as text; NULL if there is no such option. Valid until the next call on
   this session. */
SUMI_API const char *sumi_session_get(sumi_session *session, const char *option);

/* The plans that a session has cached, by number from 0 in no particular order; false past the
   last. */
typedef struct sumi_plan_info {
    size_t size; /* sizeof(sumi_plan_info) */
    int64_t items;
    bool bf16;
    int64_t bytes; /* of its values, and of what kernels keep of the weights */
    int64_t kept;  /* the second part of them */
} sumi_plan_info;
SUMI_API bool sumi_session_plan(const sumi_session *session, int number, sumi_plan_info *info);

/* Sets the condition of later calls. It is checked against the network's inputs and copied; NULL
   for none. */
SUMI_API sumi_status sumi_session_set_condition(sumi_session *session,
                                                const sumi_condition *condition);

/* Sets the null condition, which guides compare with the condition: the same arrays, with items of
   the same shape. NULL, the default: the model's null class, if it has one. A negative condition,
   such as a class that samples should not look like, can take its place. */
SUMI_API sumi_status sumi_session_set_null(sumi_session *session, const sumi_condition *condition);

/* Sets both conditions from texts, by the model's tokenizers and text encoders: a prompt for each
   item, prompts[count], which repeat cyclically, and for the null condition negatives[count], or
   NULL: the empty text, or zeros in a pipeline with "force_zeros_for_empty_prompt". All are UTF-8
   of at most 256 KiB. Set the size of the model's items before, which some networks have in their
   condition.

   "(words:1.3)" gives words a weight: their states are moved away from those of the empty text, or
   towards them, by that factor; "\(" and "\)" are parentheses. With the option "prompt_weights"
   "false" all of it is text. Of a prompt with too many tokens the rest is left out with a warning;
   with "long_prompts" "chunks" several encodings follow each other. "clip_skip" is the number of
   last layers of text encoders that are left out for the prompts. SUMI_ERROR_UNSUPPORTED for a
   model without text encoders. */
SUMI_API sumi_status sumi_session_set_prompts(sumi_session *session, int64_t count,
                                              const char *const *prompts,
                                              const char *const *negatives);

/* Makes later samples begin with items [n, item] instead of noise: those that the network denoises,
   which are latents in a model with an auto-encoder. They repeat cyclically. The last int(strength
   * steps) steps are made, from the items with the noise of the time where these begin; `strength`
   is above 0 and at most 1. `mask` [n, h, w, 1] or NULL is above 0 where items are made anew;
   elsewhere each step is followed by the items with the noise of its end, as if they had been its
   result, and with strength 1 the first state is noise alone. Both are copied. `items` NULL: noise
   again. */
SUMI_API sumi_status sumi_session_set_start(sumi_session *session, const sumi_array *items,
                                            double strength, const sumi_array *mask);

/* Sets the input "extra_channels" [n, h, w, c] of later calls of sumi_session_set_prompts, for
   networks with more input channels than those that they denoise. NULL: none. */
SUMI_API sumi_status sumi_session_set_channels(sumi_session *session, const sumi_array *channels);

/* Makes later samples begin with pictures [n, h, w, c], as sumi_session_set_start, which are
   encoded where the model has an auto-encoder. `mask` [n, h, w, 1] or NULL is of their size. A
   network for inpainting, with 1 + c extra channels, gets the mask and the picture without what is
   made anew, and needs a mask; call this function before sumi_session_set_prompts. NULL: noise
   again. */
SUMI_API sumi_status sumi_session_set_picture(sumi_session *session, const sumi_array *pictures,
                                              double strength, const sumi_array *mask);

/* One evaluation, with the session's guides: x[count, item] and times[count] to
   output[count, output item]. */
SUMI_API sumi_status sumi_session_predict(sumi_session *session, int64_t count, const float *x,
                                          const float *times, float *output);

/* The score of noised data, the gradient of their log-density, at a time: x[count, item], on the
   network's scale, to score[count, item]. */
SUMI_API sumi_status sumi_session_score(sumi_session *session, int64_t count, const float *x,
                                        double time, float *score);

/* The loss mean(output^2) and its gradient by every weight, in the order of sumi_model_weight:
   gradients[i] is memory of the size of weight i, or NULL. For tests; guides are not applied. */
SUMI_API sumi_status sumi_session_gradient(sumi_session *session, int64_t count, const float *x,
                                           const float *times, double *loss,
                                           float *const *gradients);

/* The same as sumi_model_solver, in the session's context. */
SUMI_API sumi_status sumi_session_solver(sumi_session *session, const char *name,
                                         sumi_solver **solver);

/* Generates `count` samples in a new array [count, item]; those of a model with an auto-encoder are
   the decoded pictures. `solver` NULL means the model's own
   scheduler. Without a condition, a class-conditional model generates its classes cyclically.
   `watcher` may be NULL; if it stops the run, `samples` has the current states and the status is
   SUMI_STOPPED. */
SUMI_API sumi_status sumi_session_sample(sumi_session *session, sumi_solver *solver, int64_t count,
                                         sumi_solver_watcher watcher, void *user,
                                         sumi_array *samples);

/* The same with a temporary session; `condition` may be NULL. */
SUMI_API sumi_status sumi_model_sample(sumi_model *model, sumi_solver *solver, int64_t count,
                                       const sumi_condition *condition, sumi_array *samples);

/* A session as a sumi_denoiser, for sumi_solver_run: `user` is the sumi_session. */
SUMI_API sumi_status sumi_session_denoiser(void *session, int64_t count, int64_t item_size,
                                           int64_t output_size, const float *x, const float *times,
                                           float *output);

/* ---- Classifiers ----------------------------------------------------------------------------- */

/* A classifier of noised items: a model that was trained with train.objective = classification, for
   the guide "classifier". The model must outlive it. */
typedef struct sumi_classifier sumi_classifier;
SUMI_API sumi_status sumi_classifier_create(sumi_context *context, const sumi_model *model,
                                            sumi_classifier **classifier);
SUMI_API void sumi_classifier_free(sumi_classifier *classifier);
SUMI_API int sumi_classifier_classes(const sumi_classifier *classifier);

/* The likeliest class of each of x[count, item], noised to a time of the model's scheduler and on
   its network's scale, and its probability (or NULL). */
SUMI_API sumi_status sumi_classifier_judge(sumi_classifier *classifier, int64_t count,
                                           const float *x, double time, int32_t *classes,
                                           float *probabilities);

/* ---- Guides ---------------------------------------------------------------------------------- */

/* A guide steers a session: it wraps the network, or the guides added before, and changes the
   prediction. It applies to all computations of the session: samples, scores and likelihoods.
   Classifier-free guidance:

       sumi_guide *guide = NULL;
       if (sumi_session_add_guide(session, "classifier-free", &guide) == SUMI_OK
           && sumi_guide_set_number(guide, "scale", 3) == SUMI_OK) ...

   "classifier-free" evaluates the network with the condition and with the null condition, in one
   batch, and predicts null + scale (condition - null). "sigma_low" and "sigma_high" limit it to an
   interval of the noise level sigma = s / a; "rescale" is the share of the prediction whose
   standard deviation is set to that of the conditional one; "channels" is the number of guided
   channels. sumi_guide_describe lists the other kinds; "interval" and "rescale" act on the guides
   that were added before them. */
typedef struct sumi_guide sumi_guide;

/* The kinds of guides by number from 0; false past the last. */
typedef struct sumi_guide_info {
    size_t size; /* sizeof(sumi_guide_info) */
    const char *name, *paper;
    const char *needs; /* beside a denoiser: "a null condition" ...; "" for nothing */
    int evaluations;   /* more for each of the network */
} sumi_guide_info;
SUMI_API bool sumi_guide_describe(int number, sumi_guide_info *info);

/* Adds a guide of that kind as the outermost, at most eight. The session owns it; *guide (may be
   NULL) is for setting its options, and valid until the guides are removed. SUMI_ERROR_ARGUMENT if
   it compares conditions and there is no null condition. */
SUMI_API sumi_status sumi_session_add_guide(sumi_session *session, const char *name,
                                            sumi_guide **guide);
/* Removes all guides. */
SUMI_API void sumi_session_remove_guides(sumi_session *session);

SUMI_API const char *sumi_guide_name(const sumi_guide *guide);

/* The options of a guide by number from 0; false past the last. */
SUMI_API bool sumi_guide_option(const sumi_guide *guide, int number, sumi_option *option);

/* Sets an option, the value as text. One that has no effect with the other options, such as
   "rescale" with scale 1, or that the model cannot have, such as more channels than its items, is
   refused and changes nothing; so set "scale" first. */
SUMI_API sumi_status sumi_guide_set(sumi_guide *guide, const char *option, const char *value);
SUMI_API sumi_status sumi_guide_set_number(sumi_guide *guide, const char *option, double value);

/* The value of an option as text; NULL if there is no such option. Valid until the next call on
   this guide. */
SUMI_API const char *sumi_guide_get(sumi_guide *guide, const char *option);

/* What a guide needs beside options (sumi_guide_info.needs). Each is refused by guides that have no
   use for it; an evaluation without it is refused with a sentence. */

/* A denoiser with vector-Jacobian products: writes output[count, output_size] like a sumi_denoiser,
   and products[count, item_size] = v^T d output / d x with the v of each item in vectors[count,
   output_size]. */
typedef sumi_status (*sumi_denoiser_product)(void *user, int64_t count, int64_t item_size,
                                             int64_t output_size, const float *x,
                                             const float *times, const float *vectors,
                                             float *output, float *products);

/* A denoiser of the caller. `predict` is as for sumi_solver_run; `product` (or NULL) also gives
   vector-Jacobian products; `set_condition` (or NULL) sets the condition of later calls; `channels`
   is the number along an item's last axis, 0 if there are none. */
typedef struct sumi_own_denoiser {
    size_t size; /* sizeof(sumi_own_denoiser) */
    void *user;
    sumi_denoiser predict;
    sumi_denoiser_product product;
    sumi_status (*set_condition)(void *user, const sumi_condition *condition);
    int64_t channels;
} sumi_own_denoiser;

/* "autoguidance": the weak denoiser, with the path and the prediction of the strong one. The second
   is that of another session, which must outlive the guide. */
SUMI_API sumi_status sumi_guide_set_denoiser(sumi_guide *guide, const sumi_own_denoiser *denoiser);
SUMI_API sumi_status sumi_guide_set_session(sumi_guide *guide, sumi_session *session);

/* "classifier": log p(y | x) of noised items, written to log_likelihoods[count], and its gradients
   by x, to gradients[count, item_size]; x and times are those that the denoiser gets. */
typedef sumi_status (*sumi_log_likelihood)(void *user, int64_t count, int64_t item_size,
                                           const float *x, const float *times,
                                           float *log_likelihoods, float *gradients);
SUMI_API sumi_status sumi_guide_set_likelihood(sumi_guide *guide, sumi_log_likelihood likelihood,
                                               void *user);
/* That of classes[count], which repeat cyclically over items, by a trained classifier, also of
   another path; it must outlive the guide. */
SUMI_API sumi_status sumi_guide_set_classifier(sumi_guide *guide, sumi_classifier *classifier,
                                               int64_t count, const int32_t *classes);

/* "negative": the condition that stands in place of the null condition; it is copied. */
SUMI_API sumi_status sumi_guide_set_condition(sumi_guide *guide, const sumi_condition *condition);

/* "cfg++": the solver that will run; its levels are copied. */
SUMI_API sumi_status sumi_guide_follow(sumi_guide *guide, sumi_solver *solver);

/* Guides around a denoiser of the caller. `solver` (or NULL) has the path and the prediction; the
   conditions (or NULL) are copied. sumi_guided_add is as sumi_session_add_guide. */
typedef struct sumi_guided sumi_guided;
SUMI_API sumi_status sumi_guided_create(sumi_context *context, const sumi_own_denoiser *denoiser,
                                        sumi_solver *solver, const sumi_condition *condition,
                                        const sumi_condition *null, sumi_guided **guided);
SUMI_API void sumi_guided_free(sumi_guided *guided);
SUMI_API sumi_status sumi_guided_add(sumi_guided *guided, const char *name, sumi_guide **guide);

/* The guided denoiser for sumi_solver_run, and with products: `user` is the sumi_guided. */
SUMI_API sumi_status sumi_guided_denoiser(void *guided, int64_t count, int64_t item_size,
                                          int64_t output_size, const float *x, const float *times,
                                          float *output);
SUMI_API sumi_status sumi_guided_product(void *guided, int64_t count, int64_t item_size,
                                         int64_t output_size, const float *x, const float *times,
                                         const float *vectors, float *output, float *products);

/* ---- Inverse problems ------------------------------------------------------------------------ */

/* A linear operator A of measurements y = A x0 + n, n normal with deviation "noise": what is
   measured of an item. By name, for items of a shape ([h,w,c], [length,c] or [d]):

       blur:S       a Gaussian of deviation S numbers, cut and scaled at the borders
       down:F       means of F numbers along each axis but the channels
       bicubic:F    the same with the cubic kernel (a = -1/2) that F widens
       grey         the mean of the channels
       mask:FILE    the numbers where the file, [item] or [n, item], is above 0; y has the shape of
                    an item, and its other numbers are not read
       matrix:FILE  a matrix [measured, item] in a file
       identity     everything

   An operator has work space, so that only one thread uses it at a time. */
typedef struct sumi_operator sumi_operator;
SUMI_API sumi_status sumi_operator_create(sumi_context *context, const char *name, int rank,
                                          const int64_t *shape, sumi_operator **made);

/* The same by a mask [masks, item], above 0 where numbers are measured; masks repeat cyclically. */
SUMI_API sumi_status sumi_operator_create_mask(sumi_context *context, int rank,
                                               const int64_t *shape, int64_t masks,
                                               const float *mask, sumi_operator **made);

/* The same by functions of the caller: output = A x, its transpose, and the pseudo-inverse (or
   NULL) from `measured` numbers to an item and back. Any status but SUMI_OK ends the call. */
typedef sumi_status (*sumi_linear)(void *user, const float *input, float *output);
typedef struct sumi_own_operator {
    size_t size; /* sizeof(sumi_own_operator) */
    int64_t measured;
    void *user;
    sumi_linear apply, adjoint, inverse;
} sumi_own_operator;
SUMI_API sumi_status sumi_operator_create_own(sumi_context *context, int rank, const int64_t *shape,
                                              const sumi_own_operator *functions,
                                              sumi_operator **made);
SUMI_API void sumi_operator_free(sumi_operator *linear);

/* The shape of a measurement; returns its rank. */
SUMI_API int sumi_operator_measured(const sumi_operator *linear, int64_t shape[SUMI_MAX_RANK]);

/* y = A x, x = A^T y and x = A^+ y for `count` items. SUMI_ERROR_UNSUPPORTED where there is no
   pseudo-inverse. */
SUMI_API sumi_status sumi_operator_apply(const sumi_operator *linear, int64_t count, const float *x,
                                         float *y);
SUMI_API sumi_status sumi_operator_adjoint(const sumi_operator *linear, int64_t count,
                                           const float *y, float *x);
SUMI_API sumi_status sumi_operator_inverse(const sumi_operator *linear, int64_t count,
                                           const float *y, float *x);

/* The methods that sample x0 given y, by number from 0; false past the last. */
typedef struct sumi_method_info {
    size_t size; /* sizeof(sumi_method_info) */
    const char *name, *paper;
    int evaluations; /* of the network for each of the solver; a product counts as two */
    bool needs_product, needs_inverse, needs_noise; /* products of the denoiser, the pseudo-inverse
                                                       of the operator, "noise" above 0 */
} sumi_method_info;
SUMI_API bool sumi_method_describe(int number, sumi_method_info *info);

/* A restorer samples items whose measurements are given, with options by name: "method" and "noise"
   (the deviation of n); "variance" of the data for pigdm and smc, "zeta" of dps, "jump" and
   "resample" of repaint, "particles" of smc. `method` NULL is pigdm. The operator must outlive
   it. */
typedef struct sumi_restorer sumi_restorer;
SUMI_API sumi_status sumi_restorer_create(sumi_context *context, const sumi_operator *linear,
                                          const char *method, sumi_restorer **restorer);
SUMI_API void sumi_restorer_free(sumi_restorer *restorer);
SUMI_API bool sumi_restorer_option(const sumi_restorer *restorer, int number, sumi_option *option);
SUMI_API sumi_status sumi_restorer_set(sumi_restorer *restorer, const char *option,
                                       const char *value);
SUMI_API sumi_status sumi_restorer_set_number(sumi_restorer *restorer, const char *option,
                                              double value);
/* The value of an option as text; NULL if there is no such option. Valid until the next call. */
SUMI_API const char *sumi_restorer_get(sumi_restorer *restorer, const char *option);

/* Draws samples of x0 given each of measured[items, measurement]: a new array [draws items, item],
   all items of the first draw, then all of the next. `solver` runs with the denoiser; smc uses only
   its levels, seed and prediction. The watcher may be NULL; if it stops the run, the status is
   SUMI_STOPPED and `samples` has the states. */
SUMI_API sumi_status sumi_restore(sumi_restorer *restorer, sumi_solver *solver,
                                  const sumi_own_denoiser *denoiser, const sumi_array *measured,
                                  int64_t draws, sumi_solver_watcher watcher, void *user,
                                  sumi_array *samples);
/* The same for a session's model, with its guides; draw d of item i has item d items + i of the
   session's condition, with smc item i. Samples of a model over latents are latents. */
SUMI_API sumi_status sumi_session_restore(sumi_session *session, sumi_restorer *restorer,
                                          sumi_solver *solver, const sumi_array *measured,
                                          int64_t draws, sumi_solver_watcher watcher, void *user,
                                          sumi_array *samples);

/* What smc says of a measurement: the effective number of its particles, 1 / sum of squared
   weights, at the end and at its least; how often they were resampled; and an estimate of log p(y),
   the evidence of the model. False for other methods, and past the last measurement. */
typedef struct sumi_evidence {
    size_t size; /* sizeof(sumi_evidence) */
    int64_t particles;
    double effective, least_effective;
    int64_t resampled;
    double log_evidence;
} sumi_evidence;
SUMI_API bool sumi_restorer_evidence(const sumi_restorer *restorer, int64_t item,
                                     sumi_evidence *evidence);

/* ---- Auto-encoders ----------------------------------------------------------------------------
 */

/* An auto-encoder with its weights: an encoder from pictures [n, h, w, c] to latents [n, h/factor,
   w/factor, latent_channels], and a decoder. The classes are AutoencoderKL, VQModel and
   AutoencoderTiny. Latents are scaled for diffusion: (z - shift_factor) scaling_factor for the
   encoder's output z. Plans for the sizes of past calls are kept for later ones. */
typedef struct sumi_auto_encoder sumi_auto_encoder;

/* Opens the folder with its config.json and weights, or the part "vae", "vqvae" or "movq" of a
   pipeline's folder. */
SUMI_API sumi_status sumi_auto_encoder_open(sumi_context *context, const char *folder,
                                            sumi_auto_encoder **auto_encoder);
/* Returns the auto-encoder of a model whose items are latents; the model must outlive it. */
SUMI_API sumi_status sumi_auto_encoder_of(sumi_context *context, const sumi_model *model,
                                          sumi_auto_encoder **auto_encoder);
/* Creates a new one from the text of a config.json, with initial weights drawn from `seed`. */
SUMI_API sumi_status sumi_auto_encoder_create(sumi_context *context, const char *config_json,
                                              uint64_t seed, sumi_auto_encoder **auto_encoder);
/* Creates the untrained auto-encoder that a recipe describes, for the pictures of `data`. */
SUMI_API sumi_status sumi_auto_encoder_create_from_recipe(sumi_context *context,
                                                          const sumi_recipe *recipe,
                                                          const sumi_data *data,
                                                          sumi_auto_encoder **auto_encoder);
SUMI_API void sumi_auto_encoder_free(sumi_auto_encoder *auto_encoder);
/* Writes its folder, config.json and weights, in diffusers' format. */
SUMI_API sumi_status sumi_auto_encoder_save(const sumi_auto_encoder *auto_encoder,
                                            const char *folder);

typedef struct sumi_auto_encoder_info {
    size_t size;                       /* sizeof(sumi_auto_encoder_info) */
    const char *class_name;            /* "AutoencoderKL" ... */
    const char *config;                /* config.json as text */
    int64_t in_channels, out_channels; /* of pictures */
    int64_t latent_channels;
    int64_t factor;      /* heights and widths of pictures are multiples of it */
    int64_t sample_size; /* side of the training pictures; 0 if unknown */
    int64_t codes;       /* rows of a codebook; 0 for none */
    bool draws;          /* whether latents can be sampled from a posterior */
} sumi_auto_encoder_info;
/* False if info->size is not set. The texts belong to the auto-encoder. */
SUMI_API bool sumi_auto_encoder_describe(const sumi_auto_encoder *auto_encoder,
                                         sumi_auto_encoder_info *info);
/* Its weights by number from 0, like sumi_model_weight; do not write to them while other threads
   use it. */
SUMI_API bool sumi_auto_encoder_weight(sumi_auto_encoder *auto_encoder, int64_t number,
                                       sumi_weight *weight);
/* A text that identifies it, a checksum of its weights and scale; it belongs to the auto-encoder.
   NULL if memory runs out. */
SUMI_API const char *sumi_auto_encoder_fingerprint(sumi_auto_encoder *auto_encoder);

/* The options of an auto-encoder by number from 0; false past the last. */
SUMI_API bool sumi_auto_encoder_option(const sumi_auto_encoder *auto_encoder, int number,
                                       sumi_option *option);

/* Sets an option. "precision" is "float32" (default) or "bf16". "tile" is the side in pixels of
   overlapping tiles, a quarter of which is blended, for larger pictures; "auto" is the sample_size,
   "0" (default) computes whole pictures. Tiled results are not exactly those of the whole picture.
   "slices" is "true" to compute one item at a time, with the same bits. "posterior" is "mean"
   (default) or "sample", and "seed" is the seed of its noise. */
SUMI_API sumi_status sumi_auto_encoder_set(sumi_auto_encoder *auto_encoder, const char *option,
                                           const char *value);
SUMI_API sumi_status sumi_auto_encoder_set_number(sumi_auto_encoder *auto_encoder,
                                                  const char *option, double value);
SUMI_API sumi_status sumi_auto_encoder_set_flag(sumi_auto_encoder *auto_encoder, const char *option,
                                                bool value);

/* The value of an option as text; NULL if there is no such option. Valid until the next call on
   this auto-encoder. */
SUMI_API const char *sumi_auto_encoder_get(sumi_auto_encoder *auto_encoder, const char *option);

/* Encodes pictures [n, h, w, in_channels] to a new array of latents. `noise` has the shape of the
   latents; with NULL the option "posterior" applies. SUMI_ERROR_ARGUMENT if height or width is not
   a multiple of the factor. */
SUMI_API sumi_status sumi_auto_encoder_encode(sumi_auto_encoder *auto_encoder,
                                              const sumi_array *pictures, const sumi_array *noise,
                                              sumi_array *latents);
/* Decodes latents [n, h, w, latent_channels] to a new array of pictures; values are not clipped. */
SUMI_API sumi_status sumi_auto_encoder_decode(sumi_auto_encoder *auto_encoder,
                                              const sumi_array *latents, sumi_array *pictures);

/* Write latents as safetensors, a tensor "latents" [n, c, h, w], with the fingerprint in the
   metadata, and read them; latents of another auto-encoder are refused. */
SUMI_API sumi_status sumi_auto_encoder_write_latents(sumi_auto_encoder *auto_encoder,
                                                     const char *path, const sumi_array *latents);
SUMI_API sumi_status sumi_auto_encoder_read_latents(sumi_auto_encoder *auto_encoder,
                                                    const char *path, sumi_array *latents);

/* ---- Texts ----------------------------------------------------------------------------------- */

/* A tokenizer: from a text to the numbers (ids) of its tokens, which text encoders take. The class
   is CLIPTokenizer; the ids are those of the fast tokenizer of the transformers library. */
typedef struct sumi_tokenizer sumi_tokenizer;

/* Opens a folder with vocab.json and merges.txt, or with tokenizer.json, and the special tokens of
   its tokenizer_config.json, special_tokens_map.json and added_tokens.json, if there are any. */
SUMI_API sumi_status sumi_tokenizer_open(sumi_context *context, const char *folder,
                                         sumi_tokenizer **tokenizer);
SUMI_API void sumi_tokenizer_free(sumi_tokenizer *tokenizer);
/* Writes the first of these forms, which both versions 4 and 5 of transformers read. */
SUMI_API sumi_status sumi_tokenizer_save(const sumi_tokenizer *tokenizer, const char *folder);

typedef struct sumi_tokenizer_info {
    size_t size;            /* sizeof(sumi_tokenizer_info) */
    const char *class_name; /* "CLIPTokenizer" */
    int64_t tokens;         /* ids are below it */
    int64_t length;         /* tokens of a text, with those that begin and end it: 77 */
    int32_t begin, end, pad;
} sumi_tokenizer_info;
/* False if info->size is not set. */
SUMI_API bool sumi_tokenizer_describe(const sumi_tokenizer *tokenizer, sumi_tokenizer_info *info);

/* Writes the ids of text[size], UTF-8, to ids[length]: the token that begins a text, those of the
   text, the one that ends it, and padding. The last tokens of a text that is too long are left out;
   *whole (may be NULL) becomes the number of all its tokens with the first and the last.
   SUMI_ERROR_ARGUMENT for bytes that are not UTF-8, and for more than 256 KiB. */
SUMI_API sumi_status sumi_tokenizer_encode(const sumi_tokenizer *tokenizer, const char *text,
                                           size_t size, int64_t length, int32_t *ids,
                                           int64_t *whole);

/* The text of ids[count], lower-case and with a blank between words, as a new text to be released
   with sumi_text_release; '?' replaces bytes that are not UTF-8 by themselves. */
SUMI_API sumi_status sumi_tokenizer_decode(const sumi_tokenizer *tokenizer, int64_t count,
                                           const int32_t *ids, char **text);

/* A text encoder with its weights, of class CLIPTextModel or CLIPTextModelWithProjection: from the
   ids of texts to their states, which networks attend to. */
typedef struct sumi_text_encoder sumi_text_encoder;

/* Opens the folder with its config.json and model.safetensors. */
SUMI_API sumi_status sumi_text_encoder_open(sumi_context *context, const char *folder,
                                            sumi_text_encoder **text_encoder);
/* Creates a new one from the text of a config.json, with initial weights drawn from `seed`. */
SUMI_API sumi_status sumi_text_encoder_create(sumi_context *context, const char *config_json,
                                              uint64_t seed, sumi_text_encoder **text_encoder);
SUMI_API void sumi_text_encoder_free(sumi_text_encoder *text_encoder);
/* Writes its folder in the format of transformers. */
SUMI_API sumi_status sumi_text_encoder_save(const sumi_text_encoder *text_encoder,
                                            const char *folder);

typedef struct sumi_text_encoder_info {
    size_t size;            /* sizeof(sumi_text_encoder_info) */
    const char *class_name; /* "CLIPTextModel" ... */
    const char *config;     /* config.json as text */
    int64_t tokens;         /* ids are below it */
    int64_t length;         /* most tokens of a text */
    int64_t width, layers;
    int64_t projection; /* size of a projected vector; 0 for a class that has none */
} sumi_text_encoder_info;
/* False if info->size is not set. The texts belong to the text encoder. */
SUMI_API bool sumi_text_encoder_describe(const sumi_text_encoder *text_encoder,
                                         sumi_text_encoder_info *info);
/* Its weights by number from 0, like sumi_model_weight. */
SUMI_API bool sumi_text_encoder_weight(sumi_text_encoder *text_encoder, int64_t number,
                                       sumi_weight *weight);

/* Sets an option: "precision", as of a session; "skip", the number of last layers that are left out
   of the states; "norm", whether the final norm is applied to these, by default "true". */
SUMI_API sumi_status sumi_text_encoder_set(sumi_text_encoder *text_encoder, const char *option,
                                           const char *value);

/* Encodes ids[items, tokens] to two new arrays, either of which may be NULL: the states [items,
   tokens, width], and the vector of each text [items, projection], or [items, width] in a class
   without projection, which is that of its end token after the final norm. */
SUMI_API sumi_status sumi_text_encoder_encode(sumi_text_encoder *text_encoder, int64_t items,
                                              int64_t tokens, const int32_t *ids,
                                              sumi_array *states, sumi_array *pooled);

/* ---- Likelihoods ----------------------------------------------------------------------------- */

/* A measurement of the likelihood of data under a solver and a denoiser, with settings by name and
   results. */
typedef struct sumi_likelihood sumi_likelihood;

/* `solver` determines schedule, prediction, limits and variances; it must outlive the measurement.
   Its choice of times does not matter: measurements use all times of the schedule. */
SUMI_API sumi_status sumi_likelihood_create(sumi_context *context, sumi_solver *solver,
                                            sumi_likelihood **likelihood);
SUMI_API void sumi_likelihood_free(sumi_likelihood *likelihood);

/* The settings by number from 0: "seed" and "batch"; "items", "decoder" and "times" of both bounds,
   "draws" of the one term by term and "trajectories" of the importance-weighted one; "method",
   "steps", "tolerance", "probe", "probes" and "dequantise" of the density. False past the last. */
SUMI_API bool sumi_likelihood_option(sumi_likelihood *likelihood, int number, sumi_option *option);

/* Set one of them, as text or as a number. A setting that has no effect with the others, such as
   "steps" with the method rk45, is refused by the measurement. */
SUMI_API sumi_status sumi_likelihood_set(sumi_likelihood *likelihood, const char *option,
                                         const char *value);
SUMI_API sumi_status sumi_likelihood_set_number(sumi_likelihood *likelihood, const char *option,
                                                double value);

/* The value of a setting as text; NULL if there is no such setting. Valid until the next call on
   this likelihood. */
SUMI_API const char *sumi_likelihood_setting(sumi_likelihood *likelihood, const char *option);

/* The results, in bits per item. Number 0 is the whole: -log2 p(x0), or an upper bound of it. For a
   bound there follow "prior" (L_T), "data" (L_0), "steps" (the sum of the others), and each of the
   others, "step", with its time. `error` is the standard error due to the limited number of items
   and draws. */
typedef struct sumi_likelihood_term {
    size_t size; /* sizeof(sumi_likelihood_term) */
    const char *name;
    int64_t time; /* of the schedule, from 0; -1 for sums */
    double bits, error;
    int64_t draws;
} sumi_likelihood_term;
/* False past the last. */
SUMI_API bool sumi_likelihood_get(const sumi_likelihood *likelihood, int64_t number,
                                  sumi_likelihood_term *term);

/* A session's vector-Jacobian products: `user` is the sumi_session. Guides are applied;
   SUMI_ERROR_UNSUPPORTED if one of them has no such products. */
SUMI_API sumi_status sumi_session_product(void *session, int64_t count, int64_t item_size,
                                          int64_t output_size, const float *x, const float *times,
                                          const float *vectors, float *output, float *products);

/* Writes -log2 of the density of x[count, item], count being shape[0], to bits[count] (or NULL):
   integrates the probability-flow ODE from each item to noise, and the divergence of the flow along
   it (Song et al. 2021, eq. 39; Chen et al. 2018). The density of the noise is that of the solver's
   initial state. Limits such as clipping are not applied. With "probe" exact, the result is exact
   up to the error of the integrator; with random probes it is an unbiased estimate (Hutchinson;
   Grathwohl et al. 2019). Number 0 of sumi_likelihood_get is the mean over the items. */
SUMI_API sumi_status sumi_likelihood_density(sumi_likelihood *likelihood,
                                             sumi_denoiser_product denoiser, void *user, int rank,
                                             const int64_t *shape, const float *x, double *bits,
                                             sumi_progress_function progress, void *progress_user);

/* The same for a session's model; item i has item i of the session's condition. */
SUMI_API sumi_status sumi_session_density(sumi_session *session, sumi_likelihood *likelihood,
                                          int rank, const int64_t *shape, const float *x,
                                          double *bits, sumi_progress_function progress,
                                          void *user);

/* The variational bound over a data set (Ho et al. 2020, eq. 5; its negative is the K of
   Sohl-Dickstein et al. 2015), for a Gaussian or binomial diffusion like the solver's. A path in
   continuous time, such as that of a flow, is divided into the number of steps of the setting
   "times". */
SUMI_API sumi_status sumi_likelihood_bound(sumi_likelihood *likelihood, sumi_denoiser denoiser,
                                           void *user, sumi_data *data,
                                           sumi_progress_function progress, void *progress_user);
/* The same for a session's model, which gets the items' classes if it takes classes. */
SUMI_API sumi_status sumi_session_bound(sumi_session *session, sumi_likelihood *likelihood,
                                        sumi_data *data, sumi_progress_function progress,
                                        void *user);

/* The importance-weighted bound (Burda et al. 2016) with the setting "trajectories", K: the mean
   over items of -log2 of the mean of K weights p(x_0 ... x_T) / q(x_1 ... x_T | x_0), each with an
   evaluation of the denoiser at every time. It falls from the bound, at K = 1, to -log2 p(x0).
   Number 0 of sumi_likelihood_get is this mean, number 1, "one", that of single trajectories. The
   decoder is "discretised" or "gaussian". */
SUMI_API sumi_status sumi_likelihood_importance(sumi_likelihood *likelihood, sumi_denoiser denoiser,
                                                void *user, sumi_data *data,
                                                sumi_progress_function progress,
                                                void *progress_user);
/* The same for a session's model, which gets the items' classes if it takes classes. */
SUMI_API sumi_status sumi_session_importance(sumi_session *session, sumi_likelihood *likelihood,
                                             sumi_data *data, sumi_progress_function progress,
                                             void *user);

/* Measures how the error of a solver decreases with its number of steps, on data whose flow is
   known: a mixture of two Gaussians, x0 + sigma e from sigma 10 to 0.02. The first call sets the
   solver's options for that; others, such as "solver_order", may be set between the two calls. The
   second call solves the flow with each of the increasing numbers steps[count], and writes the root
   mean square error of 32 states to errors[count] and the order to *order (or NULL): the negative
   slope through the logarithms of the last three errors above float32 rounding, NAN if fewer than
   two are left. SUMI_ERROR_ARGUMENT for a solver that adds noise, adapts its steps or runs from
   data to noise. The solver keeps these options. */
SUMI_API sumi_status sumi_convergence_prepare(sumi_solver *solver);
SUMI_API sumi_status sumi_convergence_measure(sumi_solver *solver, int count, const int64_t *steps,
                                              double *errors, double *order);

/* ---- Measures of samples ----------------------------------------------------------------------
 */

/* A measure of a set of samples, mostly against a reference set, with settings by name and results:
   the Frechet distance, KID, precision and recall, power spectra, SSIM ... */
typedef struct sumi_measure sumi_measure;

/* The measures by number from 0; false past the last. */
typedef struct sumi_measure_info {
    size_t size; /* sizeof(sumi_measure_info) */
    const char *name, *meaning, *paper;
    const char *items; /* "pictures" [n, h, w, c] or "signals" [n, length, c] for those alone, else
                          "": any items, as rows of numbers */
    int sets;          /* 2 with a reference set, 1 without */
    bool paired;       /* item i of the samples is compared with item i of the reference */
    int best;          /* of the first result: -1 less is better, 1 more, 0 neither */
    bool features;     /* published numbers are of features of pictures (sumi_features_measure) */
    bool logits;       /* the items are logits of classes */
} sumi_measure_info;
SUMI_API bool sumi_measure_describe(int number, sumi_measure_info *info);

/* Creates a measure by name. An unknown name is refused, and the nearest suggested. */
SUMI_API sumi_status sumi_measure_create(sumi_context *context, const char *name,
                                         sumi_measure **measure);
SUMI_API void sumi_measure_free(sumi_measure *measure);

/* Its settings by number from 0, such as "k" of prdc or "degree" of kid; false past the last. */
SUMI_API bool sumi_measure_option(sumi_measure *measure, int number, sumi_option *option);
SUMI_API sumi_status sumi_measure_set(sumi_measure *measure, const char *option, const char *value);
SUMI_API sumi_status sumi_measure_set_number(sumi_measure *measure, const char *option,
                                             double value);
/* The value of a setting as text; NULL if there is no such setting. Valid until the next call. */
SUMI_API const char *sumi_measure_setting(sumi_measure *measure, const char *option);

/* Measures samples[n, item] against reference[m, item] (NULL for a measure of one set), items of
   the same shape: items themselves or their features. Sums are double; pairs of rows are computed
   in blocks, so that memory grows with the sets and not with their product. Too few samples,
   numbers that are not finite and shapes that do not fit are refused with a sentence. */
SUMI_API sumi_status sumi_measure_run(sumi_measure *measure, const sumi_array *samples,
                                      const sumi_array *reference, sumi_progress_function progress,
                                      void *user);

/* The results of the last run by number from 0, single numbers before lists; false past the last.
   Owned by the measure until its next run. */
typedef struct sumi_measured {
    size_t size; /* sizeof(sumi_measured) */
    const char *name;
    int64_t count; /* 1 for a single number */
    const double *values;
} sumi_measured;
SUMI_API bool sumi_measure_get(const sumi_measure *measure, int number, sumi_measured *measured);

/* A network that turns pictures into features, for measures of them: Inception-v3 as the FID has
   it, CLIP's encoder of pictures, or a classifier that Sumi has trained. */
typedef struct sumi_features sumi_features;

/* Opens one: a safetensors file with the tensors of pytorch-fid's and torch-fidelity's Inception-v3
   ("Conv2d_1a_3x3.conv.weight" ...), or a folder with such a file, model.safetensors; or a folder
   with the config.json of a CLIPVisionModel or CLIPVisionModelWithProjection beside it, where other
   tensors in the file are ignored; or the folder of a model that was trained with
   train.objective = classification, of which the features are means over the places of its last
   layer. */
SUMI_API sumi_status sumi_features_open(sumi_context *context, const char *path,
                                        sumi_features **features);
SUMI_API void sumi_features_free(sumi_features *features); /* accepts NULL */

typedef struct sumi_features_info {
    size_t size;             /* sizeof(sumi_features_info) */
    const char *name;        /* "inception-v3", "clip", "classifier" */
    int64_t count;           /* features of a picture */
    int64_t classes;         /* logits of a picture; 0 for none */
    int side;                /* pixels that pictures are resized to */
    const char *fingerprint; /* a checksum of the weights */
} sumi_features_info;
/* False if info->size is not set. The texts belong to the object. */
SUMI_API bool sumi_features_describe(const sumi_features *features, sumi_features_info *info);

/* Its options by number from 0, false past the last: "batch"; "output", features or logits (of
   Inception without their bias, as inception-score takes them); and of Inception "resize", how
   pictures get their size: as by torch-fidelity (the default) or by pytorch-fid. */
SUMI_API bool sumi_features_option(sumi_features *features, int number, sumi_option *option);
SUMI_API sumi_status sumi_features_set(sumi_features *features, const char *option,
                                       const char *value);
/* The value of an option as text; NULL if there is no such option. Valid until the next call. */
SUMI_API const char *sumi_features_setting(sumi_features *features, const char *option);

/* Writes the features of pictures[n, h, w, 1 or 3] to a new array [n, count]. The pictures are
   rounded to bytes first, so that they have the features of their PNG files. */
SUMI_API sumi_status sumi_features_measure(sumi_features *features, const sumi_array *pictures,
                                           sumi_progress_function progress, void *user,
                                           sumi_array *result);

/* The mean and the covariance of a set of items or features, which "frechet" compares. */
typedef struct sumi_statistics sumi_statistics;

/* Measures those of items[n, item], n >= 2. With `cache`, they are kept in the user's cache folder
   (sumi/statistics) by a checksum of the items, and read from there the next time. */
SUMI_API sumi_status sumi_statistics_measure(sumi_context *context, const sumi_array *items,
                                             bool cache, sumi_progress_function progress,
                                             void *user, sumi_statistics **statistics);
SUMI_API void sumi_statistics_free(sumi_statistics *statistics); /* accepts NULL */

/* The same of the features of pictures; the cache is looked up by a checksum of the pictures, of
   the network and of its options, before the network runs. */
SUMI_API sumi_status sumi_statistics_of_features(sumi_features *features,
                                                 const sumi_array *pictures, bool cache,
                                                 sumi_progress_function progress, void *user,
                                                 sumi_statistics **statistics);

/* Read and write them as .npz with the arrays "mu" [d] and "sigma" [d, d], like pytorch-fid and
   torch-fidelity. A file whose sigma is not a covariance (symmetric, finite, no negative variance)
   is refused. */
SUMI_API sumi_status sumi_statistics_read(sumi_context *context, const char *path,
                                          sumi_statistics **statistics);
SUMI_API sumi_status sumi_statistics_write(const sumi_statistics *statistics, const char *path);

/* Number of features, and of the samples that were measured (0 where a file does not say). */
SUMI_API int64_t sumi_statistics_features(const sumi_statistics *statistics);
SUMI_API int64_t sumi_statistics_samples(const sumi_statistics *statistics);

/* The Frechet distance of two of the same number of features; `mean_term` (or NULL) is the part of
   it that is due to the means. */
SUMI_API sumi_status sumi_statistics_distance(const sumi_statistics *first,
                                              const sumi_statistics *second, double *distance,
                                              double *mean_term);

/* A flat universe with a cosmological constant. */
typedef struct sumi_cosmology {
    size_t size;            /* sizeof(sumi_cosmology) */
    double hubble;          /* H0 in km/s/Mpc */
    double matter, baryons; /* shares of the critical density today, Omega_m and Omega_b */
    double sigma8, tilt;    /* amplitude and n_s */
    double temperature;     /* of the microwave background in K: 2.7255 */
    double neutrinos;       /* effective number of massless species: 3.046 */
    bool smooth;            /* without acoustic oscillations */
} sumi_cosmology;
/* Writes the linear power spectrum of matter in (Mpc/h)^3 at wave numbers k[count] in h/Mpc and a
   redshift (Eisenstein & Hu 1998), with which power spectra of fields can be compared. */
SUMI_API sumi_status sumi_matter_power(sumi_context *context, const sumi_cosmology *cosmology,
                                       double redshift, int64_t count, const double *k,
                                       double *power);

/* ---- Training ------------------------------------------------------------------------------- */

typedef struct sumi_trainer sumi_trainer;

/* Creates a trainer for `model` on `data` by `recipe`. All three must outlive the trainer. */
SUMI_API sumi_status sumi_trainer_create(sumi_context *context, const sumi_recipe *recipe,
                                         sumi_model *model, sumi_data *data,
                                         sumi_trainer **trainer);
/* The same for an auto-encoder that the caller has created or opened (not one of a model), with
   train.objective = autoencoder. Saving it, during a run and at its end, sets its scaling_factor to
   1 / standard deviation of the latents of the first batch. */
SUMI_API sumi_status sumi_trainer_create_auto_encoder(sumi_context *context,
                                                      const sumi_recipe *recipe,
                                                      sumi_auto_encoder *auto_encoder,
                                                      sumi_data *data, sumi_trainer **trainer);
SUMI_API void sumi_trainer_free(sumi_trainer *trainer);

/* Makes one optimizer step; `loss` may be NULL. */
SUMI_API sumi_status sumi_trainer_step(sumi_trainer *trainer, double *loss);
SUMI_API int64_t sumi_trainer_steps_done(const sumi_trainer *trainer);

/* The losses of all steps so far, oldest first; returns their number. */
SUMI_API int64_t sumi_trainer_losses(const sumi_trainer *trainer, const float **losses);

/* Save and load the whole state (weights, moments, averages, step, losses) in one file. The file
   appears whole or not at all; after a load, training continues bit for bit. A load refuses a file
   of another network, of another seed, of data files that have changed since, or with more steps
   than the recipe has. */
SUMI_API sumi_status sumi_trainer_save(const sumi_trainer *trainer, const char *path);
SUMI_API sumi_status sumi_trainer_load(sumi_trainer *trainer, const char *path);

/* Puts the averaged (EMA) weights into the model, or restores the trained ones. */
SUMI_API sumi_status sumi_trainer_use_average(sumi_trainer *trainer, bool average);

/* Runs all remaining steps of the recipe and saves to `folder` (or NULL): checkpoints, the recipe
   (with paths as by sumi_recipe_settle_paths), losses and the model. At the end the model has the
   averaged weights. */
SUMI_API sumi_status sumi_trainer_run(sumi_trainer *trainer, const char *folder,
                                      sumi_progress_function progress, void *user);

/* ---- Pictures ------------------------------------------------------------------------------- */

/* Draws images [n,h,w,c], signals [n,length,c] or points [n,d] as one PNG: a grid of images, a grid
   of curves, or a scatter plot. One channel is grey, three are a colour, others are drawn side by
   side in grey; slices of [n,d,h,w,c] are drawn one below the other. A signal with more than 64
   channels is drawn as an image, with a row of pixels for each time. Single numbers, [n] or [n,1],
   become a histogram; points with 3 or 4 coordinates a scatter plot for each pair; longer rows one
   picture. `columns` 0 chooses a number. */
SUMI_API sumi_status sumi_draw_grid(sumi_context *context, const sumi_array *items, int columns,
                                    const char *path);

/* The same into new memory, *bytes [*size]; release it with sumi_bytes_release. */
SUMI_API sumi_status sumi_draw_grid_memory(sumi_context *context, const sumi_array *items,
                                           int columns, void **bytes, size_t *size);

/* Draws points [n,2] in two panels, as points and as a density. Over the density, unless NULL:
   lines through paths[steps,m,2], each with a dot at its end, and arrows[k,4] of a field (x, y and
   a direction), with lengths in proportion up to a limit. */
SUMI_API sumi_status sumi_draw_points(sumi_context *context, const sumi_array *points,
                                      const sumi_array *paths, const sumi_array *arrows,
                                      const char *path);

/* Draws a loss curve: faint raw values and their running mean in bold, on a logarithmic axis if the
   values span a wide range. */
SUMI_API sumi_status sumi_draw_losses(sumi_context *context, const float *losses, int64_t count,
                                      const char *title, const char *path);

/* A curve of numbers over numbers for sumi_draw_lines, which has logarithmic axes and omits numbers
   that are not above 0. */
typedef struct sumi_line {
    size_t size; /* sizeof(sumi_line) */
    const char *name;
    int64_t count;
    const double *x, *y; /* [count] */
} sumi_line;
SUMI_API sumi_status sumi_draw_lines(sumi_context *context, const sumi_line *lines, int count,
                                     const char *title, const char *x_title, const char *y_title,
                                     const char *path);

/* Draws the same items along the reverse process, a row for each: frames[steps, n, item];
   labels[steps] are written above the columns. */
SUMI_API sumi_status sumi_draw_filmstrip(sumi_context *context, const sumi_array *frames,
                                         const char *const *labels, const char *path);

/* Draws a table of items with column titles: cells[rows, columns, item]; row titles may be NULL. */
SUMI_API sumi_status sumi_draw_table(sumi_context *context, const sumi_array *cells,
                                     const char *const *column_titles,
                                     const char *const *row_titles, const char *path);

/* A text in a PNG file: a keyword of 1 to 79 letters of ASCII, and UTF-8. `sumi sample` writes the
   settings of its samples as JSON with the keyword "sumi", and what made the file as "Software". */
typedef struct sumi_png_text {
    size_t size; /* sizeof(sumi_png_text) */
    const char *keyword, *text;
} sumi_png_text;
/* Writes texts[count], at most 16, into a PNG file; its pixels stay as they are. A text replaces
   those that had its keyword. The file changes whole or not at all. */
SUMI_API sumi_status sumi_png_set_texts(sumi_context *context, const char *path,
                                        const sumi_png_text *texts, int count);
/* Reads the text of a keyword as UTF-8 into a new string, to be released with sumi_text_release;
 *text is NULL if there is none. */
SUMI_API sumi_status sumi_png_get_text(sumi_context *context, const char *path, const char *keyword,
                                       char **text);

/* ---- Describing files --------------------------------------------------------------------- */

/* Describes a model folder, safetensors, npy or image file as JSON text in a new string, to be
   released with sumi_text_release. */
SUMI_API sumi_status sumi_describe(sumi_context *context, const char *path, char **json);
SUMI_API void sumi_text_release(sumi_context *context, char *text);

/* ---- Profiling ----------------------------------------------------------- */

/* Starts to time all computations of this context's objects: each op of a network, and the other
   work of a training step. Discards earlier rows. While it is off, profiling costs nothing. */
SUMI_API sumi_status sumi_profile_start(sumi_context *context);
/* Stops timing; the rows stay until the next start. */
SUMI_API void sumi_profile_stop(sumi_context *context);

/* A row of the profile, for an op with its shapes; both texts are valid until the next call that
   computes. */
typedef struct sumi_profile_row {
    size_t size;        /* sizeof(sumi_profile_row) */
    const char *name;   /* "convolution" ...; "optimizer" and others for work that is not an op */
    const char *shapes; /* "[2, 8, 8, 3] [4, 3, 3, 3] [4] -> [2, 8, 8, 4]": inputs, result; or "" */
    int64_t calls;
    double seconds;    /* wall-clock time of all calls */
    double operations; /* floating-point additions and multiplications by the definition of the op,
                          for any algorithm that computes it; a function of one number, such as an
                          exponential, counts as one */
    double bytes;      /* each input read once and each result written once */
} sumi_profile_row;
/* The rows by number from 0; false past the last. */
SUMI_API bool sumi_profile_get(const sumi_context *context, int64_t number, sumi_profile_row *row);

/* The peak performance of this machine, with one thread and with all of the context's threads. */
typedef struct sumi_machine {
    size_t size; /* sizeof(sumi_machine) */
    int threads;
    const char *instructions;    /* "AVX-512" ...: the instruction set that was used */
    double f32_one, f32_all;     /* float32 operations per second, in multiply-adds */
    double bf16_one, bf16_all;   /* the same for bf16 products; 0 without an instruction for them */
    double bytes_one, bytes_all; /* bytes per second to and from memory: two arrays read, one
                                    written */
} sumi_machine;
/* Measures it in less than a second, with 192 MiB of memory. Other work on the machine makes the
   figures smaller. */
SUMI_API sumi_status sumi_machine_measure(sumi_context *context, sumi_machine *machine);

#ifdef __cplusplus
}
#endif

#endif
