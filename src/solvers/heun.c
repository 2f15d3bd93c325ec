/* Heun's method on the probability flow in sigma: Karras et al. 2022, algorithm 1. Every time but
   the first stands twice in the list, once for each evaluation; the last step, to sigma 0, is
   Euler's. */
#include "noise/rows.h"
#include "solvers/defaults.h"
#include "solvers/solver.h"

/* t0 t1 t1 t2 t2 ...: a trial step ends at the first copy and the true one starts at the second. */
static sumi_status heun_arrange(sumi_context *context, const struct solver_options *options,
                                const struct noise_path *path, struct grid *grid)
{
    (void)path;
    (void)options;
    int64_t count = grid->count;
    double last = grid->sigmas[count];
    TRY(grid_resize(context, grid, 2 * count - 1));
    for (int64_t place = grid->count - 1; place > 0; place--) {
        grid->times[place] = grid->times[(place + 1) / 2];
        grid->sigmas[place] = grid->sigmas[(place + 1) / 2];
    }
    grid->sigmas[grid->count] = last;
    return SUMI_OK;
}

static sumi_status heun_step(struct solver_run *run)
{
    double sigma = run->sigmas[run->place], next = run->sigmas[run->place + 1];
    float *first = run->row[0], *start = run->row[1], *second = run->row[2];
    bool trial = run->place % 2 == 0;
    TRY(run_evaluate_here(run));
    if (!trial && run_made(run) == 0) return SUMI_OK; /* begun between the two: go from here */
    run_slope(run, sigma, trial ? first : second);
    if (trial) {
        rows_combine(run->threads, run->total, start, 1, &(struct row_term){1, run->x});
        rows_combine(run->threads, run->total, run->x, 2,
                     (struct row_term[]){{1, run->x}, {next - sigma, first}});
    } else {
        double half = (sigma - run->sigmas[run->place - 1]) / 2;
        rows_combine(run->threads, run->total, run->x, 3,
                     (struct row_term[]){{1, start}, {half, first}, {half, second}});
    }
    return SUMI_OK;
}

const struct solver_type solver_heun = {
    .name = "heun",
    .paper = "Karras, Aittala, Aila, Laine 2022, Elucidating the design space",
    .classes = {"HeunDiscreteScheduler", "SumiPathScheduler"},
    .order = 2,
    .evaluations = 2,
    .rows = 3,
    .scale = SCALE_EXPLODING,
    .family = TIMES_REAL,
    .defaults = defaults_latent,
    .arrange = heun_arrange,
    .step = heun_step,
};

const struct solver_type solver_flow_heun = {
    .name = "flow-heun",
    .paper = "Liu, Gong, Liu 2022, Flow straight and fast",
    .classes = {"FlowMatchHeunDiscreteScheduler"},
    .order = 2,
    .evaluations = 2,
    .rows = 3,
    .scale = SCALE_STRAIGHT,
    .family = TIMES_REAL,
    .defaults = defaults_flow,
    .arrange = heun_arrange,
    .step = heun_step,
};
