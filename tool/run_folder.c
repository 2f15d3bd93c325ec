/* SPDX-License-Identifier: Apache-2.0 */
/* Checking and creating run folders; see run_folder.h. */
#include "run_folder.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

static const char CHECKPOINT[] = "checkpoint.safetensors", RECIPE[] = "recipe.ini";

const char *run_folder_file(const struct run_folder *folder, const char *name, char *path)
{
    snprintf(path, RUN_PATH_SIZE, "%s/%s", folder->path, name);
    return path;
}

static bool holds(const struct run_folder *folder, const char *name)
{
    char path[RUN_PATH_SIZE];
    return access(run_folder_file(folder, name, path), F_OK) == 0;
}

/* ---- The path ---- */

/* Chooses --out, or runs/ and the recipe's name without folder and extension. */
static int choose_path(const struct run_wish *wish, struct run_folder *folder)
{
    int length;
    if (wish->out) {
        length = snprintf(folder->path, sizeof folder->path, "%s", wish->out);
    } else if (wish->recipe) {
        const char *slash = strrchr(wish->recipe, '/');
        const char *name = slash ? slash + 1 : wish->recipe;
        int kept = (int)strlen(name) - (has_ending(name, ".ini") ? 4 : 0);
        length = snprintf(folder->path, sizeof folder->path, "runs/%.*s", kept, name);
    } else {
        return fail(EXIT_USAGE, "train needs a RECIPE, or --resume with --out DIR; see `sumi train "
                                "--help`");
    }
    if (length == 0) return fail(EXIT_USAGE, "train: --out needs the name of a folder");
    if (length >= (int)sizeof folder->path)
        return fail(EXIT_FAILED, "%.80s...: too long a name", folder->path);
    while (length > 1 && folder->path[length - 1] == '/') folder->path[--length] = '\0';
    snprintf(folder->title, sizeof folder->title, "loss of %.100s", folder->path);
    run_folder_file(folder, CHECKPOINT, folder->checkpoint);
    return EXIT_DONE;
}

/* ---- The recipe ---- */

static sumi_status set(sumi_recipe *recipe, const char *key, const char *value)
{
    char text[96];
    snprintf(text, sizeof text, "%s=%.63s", key, value);
    return sumi_recipe_set(recipe, text);
}

static sumi_status apply(const struct run_wish *wish, sumi_recipe *recipe)
{
    sumi_status status = SUMI_OK;
    for (int i = 0; i < wish->sets->count && status == SUMI_OK; i++)
        status = sumi_recipe_set(recipe, wish->sets->items[i]);
    if (status == SUMI_OK && wish->seed) status = set(recipe, "train.seed", wish->seed);
    if (status == SUMI_OK && wish->precision)
        status = set(recipe, "train.precision", wish->precision);
    return status == SUMI_OK ? sumi_recipe_settle_paths(recipe) : status;
}

/* Whether --set changes the key. */
static bool was_set(const struct run_wish *wish, const char *key)
{
    for (int i = 0; i < wish->sets->count; i++) {
        const char *name = wish->sets->items[i] + strspn(wish->sets->items[i], " \t");
        if (strncmp(name, key, strlen(key)) == 0 && strchr(" \t=", name[strlen(key)])) return true;
    }
    return false;
}

/* Keys that a resumed run may change: they change the end of the training, or do not affect it. */
static bool may_change(const char *key)
{
    static const char *const KEYS[] = {"recipe.summary", "data.path", "data.memory", "train.steps",
                                       "train.checkpoint_every"};
    for (size_t i = 0; i < sizeof KEYS / sizeof *KEYS; i++) {
        if (strcmp(key, KEYS[i]) == 0) return true;
    }
    return strncmp(key, "sample.", 7) == 0;
}

/* Refuses to resume with another recipe. Keys that are not read may differ. */
static int check_agreement(const struct run_wish *wish, const struct run_folder *folder,
                           const sumi_recipe *kept, const sumi_recipe *wanted)
{
    sumi_recipe_key key = {.size = sizeof key};
    for (int i = 0; sumi_recipe_describe(i, &key); i++) {
        sumi_option option = {.size = sizeof option};
        if (sumi_recipe_option(wanted, i, &option) && !option.read) continue;
        const char *before = sumi_recipe_get(kept, key.key);
        const char *now = sumi_recipe_get(wanted, key.key);
        if (strcmp(before, now) == 0 || (was_set(wish, key.key) && may_change(key.key))) continue;
        return fail(EXIT_FAILED,
                    "the run in %s began with %s = %s, not %s; leave out RECIPE and what differs, "
                    "or train into another folder",
                    folder->path, key.key, before, now);
    }
    return EXIT_DONE;
}

/* Earlier versions saved relative paths unchanged, so that they depend on the current folder. */
static int check_path(const struct run_folder *folder, const sumi_recipe *recipe)
{
    const char *path = sumi_recipe_get(recipe, "data.path");
    if (path[0] == '/' || !strpbrk(path, "/.") || access(path, F_OK) == 0) return EXIT_DONE;
    return fail(EXIT_FAILED,
                "the run in %s has data.path = %s, which does not exist relative to this folder; "
                "resume from the folder where the run began, or --set data.path=PATH",
                folder->path, path);
}

static int open_kept(sumi_context *context, const struct run_wish *wish,
                     const struct run_folder *folder, sumi_recipe **recipe)
{
    char path[RUN_PATH_SIZE];
    sumi_recipe *kept = NULL;
    /* has a '/', so that it is not read as the name of a built-in recipe */
    run_folder_file(folder, RECIPE, path);
    if (sumi_recipe_open(context, path, &kept) != SUMI_OK) return fail_context(context);
    sumi_status status = sumi_recipe_settle_paths(kept);
    if (status == SUMI_OK)
        status = sumi_recipe_open(context, wish->recipe ? wish->recipe : path, recipe);
    if (status == SUMI_OK) status = apply(wish, *recipe);
    int code = status == SUMI_OK ? check_agreement(wish, folder, kept, *recipe)
                                 : fail_recipe(context, status);
    if (code == EXIT_DONE) code = check_path(folder, *recipe);
    sumi_recipe_free(kept);
    return code;
}

static int open_wanted(sumi_context *context, const struct run_wish *wish,
                       const struct run_folder *folder, sumi_recipe **recipe)
{
    if (!wish->recipe && wish->resume) {
        return fail(EXIT_FAILED, "%s: there is no run to resume: it has no recipe.ini",
                    folder->path);
    }
    if (!wish->recipe) return fail(EXIT_USAGE, "train needs a RECIPE; see `sumi train --help`");
    sumi_status status = sumi_recipe_open(context, wish->recipe, recipe);
    if (status == SUMI_OK) status = apply(wish, *recipe);
    return status == SUMI_OK ? EXIT_DONE : fail_recipe(context, status);
}

int run_folder_prepare(sumi_context *context, const struct run_wish *wish,
                       struct run_folder *folder, sumi_recipe **recipe)
{
    if (wish->resume && wish->force)
        return fail(EXIT_USAGE,
                    "train: --resume continues a run and --force starts a new one; choose one");
    int code = choose_path(wish, folder);
    if (code != EXIT_DONE) return code;
    folder->force = wish->force;
    folder->has_checkpoint = wish->resume && holds(folder, CHECKPOINT);
    if (wish->resume && holds(folder, RECIPE)) return open_kept(context, wish, folder, recipe);
    code = open_wanted(context, wish, folder, recipe);
    bool used = holds(folder, CHECKPOINT) || holds(folder, "model_index.json");
    if (code == EXIT_DONE && used && !wish->force && !wish->resume) {
        return fail(EXIT_FAILED,
                    "%s already has a run: --resume continues it, --force replaces it, --out names "
                    "another folder",
                    folder->path);
    }
    return code;
}

/* ---- Starting ---- */

/* Creates the folder and its parents. */
static int make_folder(const char *path)
{
    char part[RUN_PATH_SIZE];
    snprintf(part, sizeof part, "%s", path);
    for (char *end = strchr(part + 1, '/');; end = strchr(end + 1, '/')) {
        if (end) *end = '\0';
        if (mkdir(part, 0777) != 0 && errno != EEXIST)
            return fail(EXIT_FAILED, "%s: cannot create this folder: %s", part, strerror(errno));
        if (!end) return EXIT_DONE;
        *end = '/';
    }
}

/* Locks the folder; a killed run's lock is released by the system. Does nothing where the file
   system has no locks. */
static int take_lock(struct run_folder *folder)
{
    folder->lock = open(folder->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder->lock < 0)
        return fail(EXIT_FAILED, "%s: cannot be opened: %s", folder->path, strerror(errno));
    if (flock(folder->lock, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK) return EXIT_DONE;
    return fail(EXIT_FAILED, "%s: another run is using this folder", folder->path);
}

/* Files are written as NAME.PROCESS.part and then renamed. */
static bool is_half_written(const char *name)
{
    size_t length = strlen(name);
    if (length < 8 || strcmp(name + length - 5, ".part") != 0) return false;
    const char *digit = name + length - 6;
    while (digit > name && isdigit((unsigned char)*digit)) digit--;
    return *digit == '.' && digit < name + length - 6;
}

static void clear_half_written(const struct run_folder *folder, const char *part)
{
    char path[RUN_PATH_SIZE];
    DIR *directory = opendir(run_folder_file(folder, part, path));
    if (!directory) return;
    for (struct dirent *entry; (entry = readdir(directory)) != NULL;) {
        if (is_half_written(entry->d_name)) unlinkat(dirfd(directory), entry->d_name, 0);
    }
    closedir(directory);
}

/* Those of the parts of a saved model. */
static const char *const FOLDERS[] = {"unet", "transformer", "scheduler", "vqvae", "vae"};

/* Refuses a folder in which something other than a file has the name of one of the run's files. */
static int check_files(const struct run_folder *folder)
{
    static const char *const FILES[] = {"checkpoint.safetensors",
                                        "model_index.json",
                                        "recipe.ini",
                                        "losses.npy",
                                        "losses.csv",
                                        "config.json",
                                        "diffusion_pytorch_model.safetensors"};
    static const char *const PICTURES[] = {"losses.png", "samples.png", "filmstrip.png"};
    char path[RUN_PATH_SIZE];
    struct stat present;
    for (size_t i = 0; i < sizeof FILES / sizeof *FILES; i++) {
        int code = check_output(run_folder_file(folder, FILES[i], path));
        if (code != EXIT_DONE) return code;
    }
    for (size_t i = 0; i < sizeof PICTURES / sizeof *PICTURES && sumi_has("draw"); i++) {
        int code = check_output(run_folder_file(folder, PICTURES[i], path));
        if (code != EXIT_DONE) return code;
    }
    for (size_t i = 0; i < sizeof FOLDERS / sizeof *FOLDERS; i++) {
        run_folder_file(folder, FOLDERS[i], path);
        if (stat(path, &present) != 0) continue;
        if (!S_ISDIR(present.st_mode)) return fail(EXIT_FAILED, "%s: is not a folder", path);
        if (access(path, W_OK | X_OK) != 0)
            return fail(EXIT_FAILED, "%s: cannot be written: %s", path, strerror(errno));
    }
    return EXIT_DONE;
}

/* Checks the free space. A checkpoint has four numbers for each weight, the model one; while a file
   is written, its previous version remains. Does nothing where the free space is unknown. */
static int check_room(const struct run_folder *folder)
{
    enum { CHECKPOINT_BYTES = 16, MODEL_BYTES = 4, MEGABYTE = 1000000 };
    struct statvfs about;
    if (statvfs(folder->path, &about) != 0 || about.f_blocks == 0) return EXIT_DONE;
    double available = (double)about.f_bavail * (double)about.f_frsize;
    double once = (double)folder->weights * (CHECKPOINT_BYTES + MODEL_BYTES);
    double beside =
        folder->has_checkpoint ? once : once + (double)folder->weights * CHECKPOINT_BYTES;
    if (available < once) {
        return fail(EXIT_FAILED,
                    "%s: has %.1f MB of free space, but a checkpoint and the model of %lld weights "
                    "take %.1f MB; choose another folder with --out",
                    folder->path, available / MEGABYTE, (long long)folder->weights,
                    once / MEGABYTE);
    }
    if (available < beside) {
        char text[RUN_PATH_SIZE + 256];
        snprintf(text, sizeof text,
                 "%s: has %.1f MB of free space, enough for one checkpoint; from the second on, "
                 "which is written before the first is removed, the run takes %.1f MB",
                 folder->path, available / MEGABYTE, beside / MEGABYTE);
        print_warning(NULL, text);
    }
    return EXIT_DONE;
}

/* Removes what a run to be replaced would be continued or opened by: its checkpoint, and the index
   of a model, beside which a new auto-encoder would not be found. */
static int remove_old_run(const struct run_folder *folder)
{
    static const char *const NAMES[] = {CHECKPOINT, "model_index.json"};
    char path[RUN_PATH_SIZE];
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++) {
        if (unlink(run_folder_file(folder, NAMES[i], path)) == 0 || errno == ENOENT) continue;
        return fail(EXIT_FAILED, "%s: cannot be removed: %s", path, strerror(errno));
    }
    return EXIT_DONE;
}

int run_folder_begin(sumi_context *context, struct run_folder *folder, const sumi_recipe *recipe)
{
    char path[RUN_PATH_SIZE];
    int code = make_folder(folder->path);
    if (code == EXIT_DONE) code = take_lock(folder);
    if (code != EXIT_DONE) return code;
    clear_half_written(folder, ".");
    for (size_t i = 0; i < sizeof FOLDERS / sizeof *FOLDERS; i++)
        clear_half_written(folder, FOLDERS[i]);
    code = check_files(folder);
    if (code == EXIT_DONE) code = check_room(folder);
    if (code == EXIT_DONE && folder->force) code = remove_old_run(folder);
    if (code != EXIT_DONE) return code;
    sumi_status status = sumi_recipe_write(recipe, run_folder_file(folder, RECIPE, path));
    return status == SUMI_OK ? EXIT_DONE : fail_context(context);
}

void run_folder_end(struct run_folder *folder)
{
    if (folder->lock >= 0) close(folder->lock);
    folder->lock = -1;
}
