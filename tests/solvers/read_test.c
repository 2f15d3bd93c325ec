/* SPDX-License-Identifier: Apache-2.0 */
/* Every option of every solver with other values than its default: where a value is accepted, what
   a run starts from, visits, asks the network or ends with is another in some setting of the other
   options; else it is refused. */
#include "check.h"
#include "solvers/solver.h"

enum { ITEMS = 3, ITEM = 4 * 4 * 2, TOTAL = ITEMS * ITEM, MOST_VALUES = 8, VALUE_SIZE = 96 };

static sumi_context *context;

/* FNV-1a of 64 bits over all that a run shows. */
static void mix(uint64_t *hash, const void *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++)
        *hash = (*hash ^ ((const unsigned char *)bytes)[i]) * 0x100000001b3;
}

/* A network that is not linear, and depends on the time. */
static sumi_status denoise(void *user, int64_t count, int64_t item_size, int64_t output_size,
                           const float *x, const float *times, float *output)
{
    mix(user, &output_size, sizeof output_size);
    mix(user, times, (size_t)count * sizeof *times);
    mix(user, x, (size_t)(count * item_size) * sizeof *x);
    for (int64_t i = 0; i < count; i++) {
        for (int64_t k = 0; k < output_size; k++) {
            float from = x[i * item_size + k % item_size];
            output[i * output_size + k] =
                tanhf(0.7F * from) + 0.3F * sinf(times[i] + (float)(k / item_size));
        }
    }
    return SUMI_OK;
}

/* ---- Settings of the other options ---- */

/* Sets "name=value; name=value"; false where the solver refuses one. */
static bool set_all(sumi_solver *solver, const char *settings)
{
    while (*settings) {
        char name[64], value[VALUE_SIZE];
        size_t length = strcspn(settings, "="), end = strcspn(settings, ";");
        snprintf(name, sizeof name, "%.*s", (int)length, settings);
        snprintf(value, sizeof value, "%.*s", (int)(end - length - 1), settings + length + 1);
        if (sumi_solver_set(solver, name, value) != SUMI_OK) return false;
        settings += end + (settings[end] == ';' ? 2 : 0);
    }
    return true;
}

/* The first alternative of a condition, "path=vp|sub_vp, steps!=0", as settings; "a!=b" is left to
   the other settings. */
static void settings_of(const char *when, char text[512])
{
    size_t used = 0;
    text[0] = '\0';
    for (const char *term = when; *term;) {
        size_t length = strcspn(term, ","), equals = strcspn(term, "="), value = equals + 1;
        const char *other = strstr(term, " or ");
        if (other && (size_t)(other - term) < length) length = (size_t)(other - term);
        size_t size = strcspn(term + value, "|, ");
        bool list = strncmp(term, "trained_betas", 13) == 0 || strncmp(term, "timesteps", 9) == 0
                    || strncmp(term, "sigmas", 6) == 0;
        if (term[equals - 1] != '!' && !list)
            used += (size_t)snprintf(text + used, 512 - used, "%s%.*s", used ? "; " : "",
                                     (int)(value + size), term);
        if (term[length] != ',') break;
        term += length + 2;
    }
}

static const char *const others[] = {
    "",
    "rng=torch",
    "rng=torch; channels=first",
    "steps=3",
    "timesteps=[900, 500, 100]",
    "timesteps=[500]",
    "steps=1",
    "steps=1; timestep_spacing=linspace",
    "rescale_betas_zero_snr=true",
    "compat=diffusers; final_sigmas_type=sigma_min",
    "compat=diffusers; final_sigmas_type=sigma_min; solver_order=3",
    "rng=torch; steps=20",
    "final_sigmas_type=sigma_min; use_lu_lambdas=true",
    "final_sigmas_type=sigma_min; use_lu_lambdas=true; steps=20",
    "final_sigmas_type=sigma_min; steps=20",
    "compat=diffusers; final_sigmas_type=sigma_min; timestep_spacing=trailing",
    "compat=diffusers; final_sigmas_type=sigma_min; timestep_spacing=trailing; steps=20",
    "compat=diffusers; lower_order_final=false; final_sigmas_type=sigma_min; sigmas=[10, 1, 0.5]",
    "lower_order_final=false; final_sigmas_type=sigma_min; sigmas=[10, 5, 2.5, 1.2]",
    "final_sigmas_type=sigma_min; sigmas=[10, 5, 2, 0.7, 0.2, 0.05]",
    "lower_order_final=false; final_sigmas_type=sigma_min; sigmas=[0.16, 0.08, 0.04, 0.02]",
    "lower_order_final=false; final_sigmas_type=sigma_min; sigmas=[0.032, 0.016, 0.008, 0.004]",
    "shift=3",
    "sigmas=[0.5]",
    "beta_schedule=linear",
    "path=table; rescale_betas_zero_snr=true",
    "thresholding=true",
    "thresholding=true; sample_max_value=3",
    "clip_sample=false",
    "path=vp",
    "path=ve",
    "path=edm",
    "path=flow; prediction_type=flow_prediction",
    "prediction_type=v_prediction",
    "prediction_type=sample",
    "use_karras_sigmas=true",
    "use_exponential_sigmas=true",
    "path=flow; prediction_type=flow_prediction; mu=0.7",
    "path=flow; prediction_type=flow_prediction; use_dynamic_shifting=true; mu=0.7",
    "timestep_spacing=leading",
    "timestep_spacing=trailing",
    "eta=1",
    "s_churn=5",
    "solver_order=3",
    "solver_order=3; lower_order_final=false",
    "algorithm_type=dpmsolver",
    "algorithm_type=sde-dpmsolver++",
    "algorithm_type=sde-dpmsolver",
    "solver_type=heun",
    "predict_x0=false",
    "variance_type=learned_range",
    "beta_schedule=squaredcos_cap_v2",
    "beta_schedule=squaredcos_cap_v2; compat=diffusers",
    "final_sigmas_type=sigma_min",
    "set_alpha_to_one=false",
    "steps=12; passes=2",
    "predictor=euler",
    "steps=20",
};
enum { OTHERS = sizeof others / sizeof *others };

/* ---- A run ---- */

enum outcome { REFUSED, RAN };

/* What a solver of that name does with settings, and with the option unless `name` is NULL. */
static enum outcome run(const char *solver_name, const char *when, const char *other,
                        const char *name, const char *value, uint64_t *hash)
{
    const int64_t shape[] = {ITEMS, 4, 4, 2};
    float x[TOTAL];
    sumi_solver *solver = NULL;
    enum outcome outcome = REFUSED;
    *hash = 0xcbf29ce484222325;
    CHECK_OK(context, sumi_solver_create(context, solver_name, &solver));
    solver_set_resolution(solver, 4);
    bool lists = strstr(other, "s=[") || (name && value[0] == '['); /* which say how many */
    if (!lists) CHECK_OK(context, sumi_solver_set(solver, "steps", "6"));
    bool set = set_all(solver, when) && set_all(solver, other);
    if (set && name) set = sumi_solver_set(solver, name, value) == SUMI_OK;
    if (set && sumi_solver_times(solver, NULL, 0) > 0
        && sumi_solver_start(solver, 4, shape, x) == SUMI_OK) {
        double sigma = sumi_solver_initial_sigma(solver);
        mix(hash, &sigma, sizeof sigma);
        mix(hash, x, sizeof x);
        if (sumi_solver_run(solver, denoise, hash, 4, shape, x, NULL, NULL) == SUMI_OK)
            outcome = RAN;
        mix(hash, x, sizeof x);
    }
    sumi_solver_free(solver);
    return outcome;
}

/* ---- Values ---- */

static void add_number(const sumi_option *option, double number, char values[][VALUE_SIZE],
                       int *count)
{
    bool whole = strcmp(option->type, "whole") == 0;
    if (number < option->low || number > option->high) return;
    snprintf(values[*count], VALUE_SIZE, whole ? "%.0f" : "%g", number);
    if (strcmp(values[*count], option->default_value) != 0) ++*count;
}

/* Values other than the default. */
static int other_values(const sumi_option *option, char values[MOST_VALUES][VALUE_SIZE])
{
    int count = 0;
    if (strcmp(option->type, "flag") == 0) {
        bool now = strcmp(option->default_value, "true") == 0;
        snprintf(values[count++], VALUE_SIZE, "%s", now ? "false" : "true");
    } else if (strcmp(option->type, "seed") == 0) {
        snprintf(values[count++], VALUE_SIZE, "7");
    } else if (strcmp(option->type, "numbers") == 0) {
        bool small = option->high <= 1;
        snprintf(values[count++], VALUE_SIZE, small ? "[0.01, 0.02, 0.03, 0.2]" : "[2, 1, 0]");
        if (!small) snprintf(values[count++], VALUE_SIZE, "[800, 300, 20]");
    } else if (strcmp(option->type, "choice") == 0) {
        for (const char *choice = option->choices; choice && count < MOST_VALUES;) {
            size_t length = strcspn(choice, "|");
            snprintf(values[count], VALUE_SIZE, "%.*s", (int)length, choice);
            count += strcmp(values[count], option->default_value) != 0;
            choice = choice[length] ? choice + length + 1 : NULL;
        }
    } else {
        const double tried[] = {2, 3, 0.4, 500, 7.5, 0.01};
        for (size_t i = 0; i < sizeof tried / sizeof *tried && count < MOST_VALUES; i++)
            if (strcmp(option->type, "whole") != 0 || tried[i] == floor(tried[i]))
                add_number(option, tried[i], values, &count);
    }
    return count;
}

/* Whether settings set the option themselves. */
static bool names(const char *settings, const char *option)
{
    size_t length = strlen(option);
    for (const char *at = settings; (at = strstr(at, option)) != NULL; at += length)
        if ((at == settings || at[-1] == ' ') && at[length] == '=') return true;
    return false;
}

/* Other names of what a solver does by default; langevin stays at the first level of a table, which
   is the same of all schedules that begin with beta_start. */
static bool is_other_name(const char *solver, const char *option, const char *value)
{
    static const char *const names_of_defaults[][3] = {
        {"ddpm", "variance_type", "fixed_small_log"},
        {"unclip", "variance_type", "fixed_small"},
        {"unclip", "beta_schedule", "cosine"},
        {"lcm", "beta_schedule", "quadratic"},
        {"tcd", "beta_schedule", "quadratic"},
        {"pc", "predictor", "ancestral"},
        {"cogvideox-ddim", "beta_schedule", "quadratic"},
        {"langevin", "beta_schedule", "scaled_linear"},
        {"langevin", "beta_schedule", "quadratic"},
        {"langevin", "beta_schedule", "geometric"},
        {"cogvideox-dpm", "beta_schedule", "quadratic"},
    };
    for (size_t i = 0; i < sizeof names_of_defaults / sizeof *names_of_defaults; i++) {
        const char *const *name = names_of_defaults[i];
        if (strcmp(name[0], solver) == 0 && strcmp(name[1], option) == 0
            && strcmp(name[2], value) == 0)
            return true;
    }
    return false;
}

/* Whether a value changes a run in some setting of the others, or is refused in all. */
static bool counts_or_is_refused(const char *solver, const sumi_option *option, const char *value)
{
    char when[512];
    bool accepted = false;
    settings_of(option->when, when);
    for (int i = 0; i < OTHERS; i++) {
        uint64_t plain, changed;
        if (names(others[i], option->name)) continue;
        if (run(solver, when, others[i], option->name, value, &changed) == REFUSED) continue;
        if (run(solver, when, others[i], NULL, NULL, &plain) == REFUSED) return true;
        if (plain != changed) return true;
        accepted = true;
    }
    return !accepted;
}

static void an_option_changes_a_run_or_is_refused(void **state)
{
    (void)state;
    sumi_solver_info info = {.size = sizeof info};
    int faults = 0;
    for (int i = 0; sumi_solver_describe(i, &info); i++) {
        sumi_solver *solver = NULL;
        sumi_option option = {.size = sizeof option};
        CHECK_OK(context, sumi_solver_create(context, info.name, &solver));
        for (int k = 0; sumi_solver_option(solver, k, &option); k++) {
            char values[MOST_VALUES][VALUE_SIZE];
            int count = other_values(&option, values);
            bool each = strcmp(option.type, "choice") == 0 || strcmp(option.type, "flag") == 0;
            int wrong = 0;
            for (int v = 0; v < count; v++) {
                if (is_other_name(info.name, option.name, values[v])
                    || counts_or_is_refused(info.name, &option, values[v]))
                    continue;
                wrong++;
                if (!each && wrong < count) continue; /* another number may do */
                print_error("%s: %s = %s is accepted and changes nothing\n", info.name, option.name,
                            values[v]);
                faults++;
            }
        }
        sumi_solver_free(solver);
    }
    assert_int_equal(faults, 0);
}

static int make(void **state)
{
    (void)state;
    if (sumi_context_create(NULL, &context) != SUMI_OK) return -1;
    return sumi_context_set_threads(context, 1) == SUMI_OK ? 0 : -1;
}

static int leave(void **state)
{
    (void)state;
    sumi_context_free(context);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(an_option_changes_a_run_or_is_refused)};
    return cmocka_run_group_tests(tests, make, leave);
}
