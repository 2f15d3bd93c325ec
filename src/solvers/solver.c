/* SPDX-License-Identifier: Apache-2.0 */
/* Creating and configuring solvers, and the calls that need no denoiser. */
#include "solvers/solver.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/structure.h"
#include "base/text.h"
#include "solvers/forecast.h"
#include "vectors/rows.h"

static const struct solver_type *const types[] = {
    &solver_ddpm,
    &solver_ddim,
    &solver_ddim_inverse,
    &solver_euler,
    &solver_euler_ancestral,
    &solver_heun,
    &solver_midpoint,
    &solver_rk4,
    &solver_rk45,
    &solver_dpm2,
    &solver_dpm2_ancestral,
    &solver_lms,
    &solver_dpmpp_2s,
    &solver_dpmpp_2m,
    &solver_dpmpp_3m,
    &solver_dpmpp_sde,
    &solver_dpmpp_2m_sde,
    &solver_dpmpp_3m_sde,
    &solver_dpmpp_inverse,
    &solver_unipc,
    &solver_deis,
    &solver_sa,
    &solver_pndm,
    &solver_ipndm,
    &solver_edm,
    &solver_edm_euler,
    &solver_edm_dpmpp,
    &solver_em,
    &solver_pc,
    &solver_langevin,
    &solver_annealed_langevin,
    &solver_flow_euler,
    &solver_flow_heun,
    &solver_flow_lcm,
    &solver_lcm,
    &solver_tcd,
    &solver_consistency,
    &solver_unclip,
    &solver_cogvideox_ddim,
    &solver_cogvideox_dpm,
    &solver_binomial,
};
enum { CLASS_SIZE = 80, TYPES = sizeof types / sizeof *types };

const struct solver_type *solver_type_at(int number)
{
    return number >= 0 && number < TYPES ? types[number] : NULL;
}

bool sumi_solver_describe(int number, sumi_solver_info *info)
{
    if (number < 0 || number >= TYPES) return false;
    const struct solver_type *type = types[number];
    const sumi_solver_info all = {.name = type->name,
                                  .paper = type->paper,
                                  .order = type->order,
                                  .evaluations = type->evaluations,
                                  .stochastic = type->stochastic};
    return structure_fill(info, &all, sizeof all);
}

const struct solver_type *solver_type_for_class(const char *class_name)
{
    for (int i = 0; i < TYPES; i++)
        for (int k = 0; k < MOST_CLASSES && types[i]->classes[k]; k++)
            if (strcmp(types[i]->classes[k], class_name) == 0) return types[i];
    return NULL;
}

const char *solver_name_for_class(const char *class_name)
{
    const struct solver_type *type = solver_type_for_class(class_name);
    return type ? type->name : NULL;
}

static sumi_status find_type(sumi_context *context, const char *name,
                             const struct solver_type **type)
{
    const char *names[TYPES + 1] = {NULL};
    *type = name ? solver_type_for_class(name) : NULL;
    if (*type) return SUMI_OK;
    for (int i = 0; i < TYPES; i++) {
        names[i] = types[i]->name;
        if (!name || strcmp(names[i], name) != 0) continue;
        *type = types[i];
        return SUMI_OK;
    }
    return context_fail(context, SUMI_ERROR_ARGUMENT,
                        "there is no solver \"%.100s\"; did you mean \"%s\"? `sumi solvers` lists"
                        " all %d",
                        name ? name : "", text_nearest(name ? name : "ddim", names), TYPES);
}

sumi_status sumi_solver_create(sumi_context *context, const char *name, sumi_solver **solver)
{
    *solver = NULL;
    const struct solver_type *type = NULL;
    TRY(find_type(context, name, &type));
    sumi_solver *made = context_allocate_zeroed(context, 1, sizeof *made);
    if (!made) return SUMI_ERROR_MEMORY;
    made->context = context;
    made->type = type;
    made->follows = strcmp(type->name, name) != 0;
    settings_default(type, &made->options);
    random_seed(&made->random, RANDOM_PHILOX, 0);
    *solver = made;
    return SUMI_OK;
}

static void forget_tables(sumi_solver *solver)
{
    schedule_release(solver->context, &solver->schedule);
    grid_release(solver->context, &solver->grid);
    solver->ready = false;
}

const char *sumi_solver_name(const sumi_solver *solver)
{
    return solver->type->name;
}

void sumi_solver_free(sumi_solver *solver)
{
    if (!solver) return;
    forget_tables(solver);
    options_release(solver->context, &solver->options);
    context_release(solver->context, solver->text);
    context_release(solver->context, solver);
}

sumi_status sumi_solver_configure(sumi_solver *solver, const char *json)
{
    if (!json) {
        return context_fail(solver->context, SUMI_ERROR_ARGUMENT,
                            "a scheduler's configuration must be a text, not NULL");
    }
    solver->ready = false;
    struct solver_options trained;
    char class_name[CLASS_SIZE] = "";
    TRY(options_class(solver->context, json, class_name, sizeof class_name));
    const struct solver_type *type = solver_type_for_class(class_name);
    bool own = !type || type == solver->type;
    solver->follows = own && strncmp(class_name, "Sumi", 4) != 0;
    if (!own) settings_default(type, &trained);
    TRY(settings_configure(solver, own ? NULL : &trained, json));
    /* this class gives its network log(sigma) / 4 with that prediction only */
    bool euler = (type ? type : solver->type) == &solver_euler;
    if (euler && solver->options.prediction_type != PREDICTION_V)
        solver->options.timestep_type = TIME_DISCRETE;
    return SUMI_OK;
}

/* Whether to reproduce a class of diffusers exactly: for solvers that were created by the name of
   the class or configured by its file, on a path that the class has. */
static bool is_class(const sumi_solver *solver)
{
    struct solver_options usual;
    settings_default(solver->type, &usual);
    bool followed = solver->follows || solver->options.compat == COMPATIBLE_DIFFUSERS;
    return solver->type->classes[0] && followed && solver->options.path == usual.path;
}

sumi_status solver_prepare(sumi_solver *solver)
{
    if (solver->ready) return SUMI_OK;
    forget_tables(solver);
    solver->options.as_class = is_class(solver);
    TRY(settings_check(solver));
    struct schedule_options options = options_schedule(&solver->options);
    TRY(schedule_create(solver->context, &options, &solver->schedule));
    solver->path = options_path(&solver->options, &solver->schedule);
    TRY(path_check(solver->context, &solver->path));
    TRY(grid_build(solver->context, &solver->options, &solver->path,
                   grid_scale(&solver->options, &solver->path, solver->type->scale),
                   solver->type->family, &solver->grid));
    if (solver->type->arrange)
        TRY(solver->type->arrange(solver->context, &solver->options, &solver->path, &solver->grid));
    if (solver->options.start_index >= solver->grid.count) {
        return context_fail(solver->context, SUMI_ERROR_ARGUMENT,
                            "start_index %lld is past the end of the %lld times to visit",
                            (long long)solver->options.start_index, (long long)solver->grid.count);
    }
    solver->ready = true;
    sumi_status status = forecast_check(solver);
    solver->ready = status == SUMI_OK;
    return status;
}

sumi_status solver_schedule(sumi_solver *solver, const struct schedule **schedule)
{
    TRY(solver_prepare(solver));
    *schedule = &solver->schedule;
    return SUMI_OK;
}

sumi_status solver_path(sumi_solver *solver, const struct noise_path **path)
{
    TRY(solver_prepare(solver));
    *path = &solver->path;
    return SUMI_OK;
}

const struct solver_options *solver_options(const sumi_solver *solver)
{
    return &solver->options;
}

void solver_set_resolution(sumi_solver *solver, double resolution)
{
    solver->ready &= solver->options.resolution == resolution;
    solver->options.resolution = resolution;
}

bool solver_is_binomial(const sumi_solver *solver)
{
    return solver->type->add_noise_to_bits;
}

int64_t sumi_solver_times(sumi_solver *solver, double *times, int64_t capacity)
{
    if (solver_prepare(solver) != SUMI_OK) return 0;
    int64_t start = solver->options.start_index, count = solver->grid.count - start;
    for (int64_t i = 0; times && i < count && i < capacity; i++)
        times[i] = solver->grid.times[start + i];
    return count;
}

int64_t sumi_solver_evaluations(const sumi_solver *solver)
{
    return solver->evaluations;
}

void sumi_solver_set_noise(sumi_solver *solver, sumi_noise noise, void *user)
{
    solver->random.given = noise;
    solver->random.given_user = user;
}

sumi_status sumi_solver_correct(sumi_solver *solver, sumi_correction correction, void *user)
{
    if (correction && solver_is_binomial(solver)) {
        return context_fail(solver->context, SUMI_ERROR_ARGUMENT,
                            "the solver %s flips bits and has no estimate to correct",
                            solver->type->name);
    }
    solver->correction = correction;
    solver->correction_user = user;
    return SUMI_OK;
}

void solver_set_shift(sumi_solver *solver, solver_shift shift, void *user)
{
    solver->shift = shift;
    solver->shift_user = user;
}

double sumi_solver_initial_sigma(const sumi_solver *solver)
{
    return solver->ready ? solver->grid.init_noise_sigma : 1;
}

sumi_status solver_shape(sumi_solver *solver, int rank, const int64_t *shape,
                         struct random_shape *layout)
{
    if (!shape || rank < 1 || rank > SUMI_MAX_RANK) {
        return context_fail(solver->context, SUMI_ERROR_ARGUMENT,
                            "a solver's state has from 1 to %d dimensions, not %d", SUMI_MAX_RANK,
                            rank);
    }
    int64_t total = 1;
    for (int axis = 0; axis < rank; axis++) {
        if (shape[axis] < 1 || __builtin_mul_overflow(total, shape[axis], &total)
            || total > INT64_MAX / 64) {
            return context_fail(solver->context, SUMI_ERROR_ARGUMENT,
                                "dimension %d of a solver's state is %lld: all must be positive "
                                "and the state must fit in memory",
                                axis, (long long)shape[axis]);
        }
    }
    int64_t item_size = total / shape[0];
    bool interleaved = rank >= 2 && solver->options.channels == CHANNELS_LAST;
    *layout = (struct random_shape){
        .first_item = solver->options.first_item,
        .items = shape[0],
        .item_size = item_size,
        .channels = interleaved ? shape[rank - 1] : item_size,
    };
    return SUMI_OK;
}

void solver_seed(sumi_solver *solver, bool always)
{
    struct random_source *random = &solver->random;
    enum random_kind kind = random->given ? RANDOM_GIVEN : (enum random_kind)solver->options.rng;
    if (always || random->kind != kind || random->seed != solver->options.seed)
        random_seed(random, kind, solver->options.seed);
}

/* Warns where a run from pure noise begins at a time with much signal left because of
   timestep_spacing: the network then takes noise for noised data. */
static void warn_of_start(const sumi_solver *solver)
{
    static const double much = 0.05;
    const struct solver_options *options = &solver->options;
    const struct noise_path *path = &solver->path;
    const struct grid *grid = &solver->grid;
    bool listed = options->timesteps.values || options->sigmas.values;
    bool inverse = grid->count > 1 && grid->times[grid->count - 1] > grid->times[0];
    if (path->kind != PATH_TABLE || listed || inverse || options->start_index > 0
        || isfinite(options->start_time) || solver->type == &solver_langevin)
        return;
    double first = path_sigma(path, grid->times[0]), last = path_most(path);
    double signal = 1 / sqrt(1 + first * first);
    if (signal - 1 / sqrt(1 + last * last) <= much) return;
    context_warn(
        solver->context,
        "with timestep_spacing and steps_offset of this scheduler, sampling begins at time %g, "
        "where %.0f %% of the signal is left, but pure noise is the state of the last time, %g; "
        "set timestep_spacing to \"trailing\", or use another number of steps",
        grid->times[0], 100 * signal, path_last(path));
}

sumi_status sumi_solver_start(sumi_solver *solver, int rank, const int64_t *shape, float *x)
{
    struct random_shape layout;
    TRY(solver_prepare(solver));
    TRY(solver_shape(solver, rank, shape, &layout));
    if (!x) {
        return context_fail(solver->context, SUMI_ERROR_ARGUMENT,
                            "sumi_solver_start needs memory for the state, not NULL");
    }
    warn_of_start(solver);
    int64_t total = layout.items * layout.item_size;
    solver_seed(solver, layout.first_item == 0);
    float *scratch = NULL;
    if (random_needs_scratch(&solver->random, &layout)) {
        scratch = context_allocate(solver->context, (size_t)total, sizeof *scratch);
        if (!scratch) return SUMI_ERROR_MEMORY;
    }
    random_normal(&solver->random, solver->context->threads, PURPOSE_START, 0, &layout, scratch, x);
    context_release(solver->context, scratch);
    double sigma = solver->grid.init_noise_sigma;
    if (sigma != 1)
        rows_combine(solver->context->threads, total, x, 1, &(struct row_term){sigma, x});
    solver->started = true;
    return SUMI_OK;
}
