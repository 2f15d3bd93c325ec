/* SPDX-License-Identifier: Apache-2.0 */
/* Times the overhead around the arithmetic: of a plan from one op to the next, and of a team of
   threads that begins and ends.

   dispatch [--check] [--threads N] [--json FILE]

   Plans and runs a chain of a thousand ops on one number each. With kernels that do nothing, its
   time is the overhead of the plan; with those of the CPU backend it is the whole cost of a tiny
   op. The result of each chain is compared with a known number. --check skips the timing. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/profile.h"
#include "base/team.h"
#include "cpu/cpu.h"
#include "timing.h"

enum { NODES = 1000 };
static const double FACTOR = 0.999, SHIFT = 0.001, START = 3;

/* ---- Chains ---- */

/* A node that continues the chain; `factor` and `shift` are leaves of shape [1, 1] and [1]. */
struct link {
    sumi_graph *graph;
    sumi_node x, factor, shift;
};

static sumi_node link_affine(const struct link *l)
{
    return sumi_op_affine(l->graph, l->x, FACTOR, SHIFT);
}

static sumi_node link_add(const struct link *l)
{
    return sumi_op_add(l->graph, l->x, l->shift);
}

static sumi_node link_sigmoid(const struct link *l)
{
    return sumi_op_sigmoid(l->graph, l->x);
}

static sumi_node link_sum(const struct link *l)
{
    return sumi_op_sum(l->graph, l->x, 1);
}

static sumi_node link_matmul(const struct link *l)
{
    return sumi_op_matmul(l->graph, l->x, l->factor, false, false);
}

static sumi_node link_linear(const struct link *l)
{
    return sumi_op_linear(l->graph, l->x, l->factor, l->shift);
}

/* A backend whose kernels do nothing, for the plan's own time. */
static sumi_status open_idle(sumi_context *context, void **shared)
{
    (void)context, (void)shared;
    return SUMI_OK;
}

static void close_idle(sumi_context *context, void *shared)
{
    (void)context, (void)shared;
}

static sumi_status run_idle(const struct call *call)
{
    (void)call;
    return SUMI_OK;
}

static const struct kernel *find_idle(const struct op *op)
{
    static const struct kernel idle = {.run = run_idle};
    (void)op;
    return &idle;
}

static struct backend idle_backend; /* with the CPU backend's memory; see make_idle */

static void make_idle(void)
{
    idle_backend = cpu_backend;
    idle_backend.open = open_idle;
    idle_backend.close = close_idle;
    idle_backend.find = find_idle;
    idle_backend.rules = NULL;
}

static double line(void)
{
    return 1 + (START - 1) * pow(FACTOR, NODES); /* SHIFT is 1 - FACTOR */
}

static double arithmetic(void)
{
    return START + NODES * SHIFT;
}

static double geometric(void)
{
    return START * pow(FACTOR, NODES);
}

static double fixed_point(void)
{
    return 0.65904606840740; /* of the sigmoid */
}

static double constant(void)
{
    return START;
}

static const struct chain {
    const char *name;
    const struct backend *backend;
    sumi_node (*link)(const struct link *link);
    double (*wanted)(void); /* the result; NULL if nothing is computed */
} chains[] = {{"nothing: the plan alone", &idle_backend, link_affine, NULL},
              {"affine", &cpu_backend, link_affine, line},
              {"add", &cpu_backend, link_add, arithmetic},
              {"sigmoid", &cpu_backend, link_sigmoid, fixed_point},
              {"sum", &cpu_backend, link_sum, constant},
              {"matmul", &cpu_backend, link_matmul, geometric},
              {"linear", &cpu_backend, link_linear, line}};
enum { CHAINS = sizeof chains / sizeof *chains };
static const double TOLERANCE = 1e-4; /* a thousand roundings of float32 */

struct result {
    double error;   /* relative to the known result */
    double seconds; /* of one op; 0 with --check */
};

static sumi_status run_plan(void *user)
{
    return sumi_plan_run(user, 1, 1);
}

static sumi_status build_chain(const struct chain *chain, sumi_graph *graph, sumi_node ends[2],
                               sumi_plan **plan)
{
    const float factor = (float)FACTOR, shift = (float)SHIFT;
    struct link l = {.graph = graph};
    ends[0] = l.x = sumi_graph_input(graph, "x", 2, (int64_t[]){1, 1});
    l.factor = sumi_graph_constant(graph, 2, (int64_t[]){1, 1}, &factor);
    l.shift = sumi_graph_constant(graph, 1, (int64_t[]){1}, &shift);
    for (int i = 0; i < NODES; i++) l.x = chain->link(&l);
    ends[1] = l.x;
    return plan_create(graph, chain->backend, 1, &l.x, plan);
}

static sumi_status measure_chain(sumi_context *context, const struct chain *chain, bool timed,
                                 struct result *result)
{
    sumi_graph *graph = NULL;
    sumi_plan *plan = NULL;
    sumi_node ends[2];
    TRY(sumi_graph_create(context, NULL, false, &graph));
    sumi_status status = build_chain(chain, graph, ends, &plan);
    if (status == SUMI_OK) {
        *sumi_plan_data(plan, ends[0]) = (float)START;
        status = sumi_plan_run(plan, 1, 1);
    }
    if (status == SUMI_OK) {
        double end = (double)*sumi_plan_data(plan, ends[1]);
        result->error = chain->wanted ? fabs(end / chain->wanted() - 1) : 0;
        if (timed) result->seconds = time_runs(run_plan, plan, 0) / plan_steps(plan, NULL);
    }
    sumi_plan_free(plan);
    sumi_graph_free(graph);
    return status;
}

/* ---- Teams ---- */

/* The threshold for using all threads, by the rule and as measured. In seconds. */
struct team {
    int threads;
    int64_t threshold;    /* elementary operations from which on all threads are used */
    double awake, asleep; /* of a team that begins and ends: directly after another, and after a
                             rest */
    double below, above;  /* one operation less, with one thread; that number, with all */
};

static void do_nothing(void)
{
}

static sumi_status run_team(void *user)
{
    BY_TEAM(*(const int *)user, do_nothing());
    return SUMI_OK;
}

/* The least work for which all threads are used. */
static int64_t find_threshold(int threads)
{
    int64_t few = 0, enough = (int64_t)1 << 40;
    while (enough - few > 1) {
        int64_t between = few + (enough - few) / 2;
        if (worthwhile_threads(threads, between) > 1) enough = between;
        else few = between;
    }
    return enough;
}

/* Measures one op over a number of elements, with one elementary operation each. */
static sumi_status time_elements(sumi_context *context, int64_t count, double *seconds)
{
    sumi_graph *graph = NULL;
    sumi_plan *plan = NULL;
    TRY(sumi_graph_create(context, NULL, false, &graph));
    sumi_node x = sumi_graph_input(graph, "x", 1, &count);
    sumi_node y = sumi_op_affine(graph, x, FACTOR, SHIFT);
    sumi_status status = sumi_plan_create(graph, 1, &y, &plan);
    if (status == SUMI_OK) *seconds = time_runs(run_plan, plan, 0);
    sumi_plan_free(plan);
    sumi_graph_free(graph);
    return status;
}

static sumi_status measure_team(sumi_context *context, struct team *team)
{
    const long rest = 2000000; /* nanoseconds: longer than waiting threads spin */
    team->threads = sumi_context_threads(context);
    if (team->threads < 2) return SUMI_OK;
    team->threshold = find_threshold(team->threads);
    team->awake = time_runs(run_team, &team->threads, 0);
    team->asleep = time_runs(run_team, &team->threads, rest);
    TRY(time_elements(context, team->threshold - 1, &team->below));
    return time_elements(context, team->threshold, &team->above);
}

/* The number of operations that takes as long with one thread as with all, given the overhead of a
   team in seconds. */
static double break_even(const struct team *team, double seconds)
{
    double share = 1 - 1.0 / team->threads; /* fraction of one thread's time that a team saves */
    return seconds / share / team->below * (double)(team->threshold - 1);
}

/* ---- The program ---- */

struct arguments {
    bool check_only;
    int threads;
    const char *json;
};

static bool read_arguments(int argc, char **argv, struct arguments *a)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--check") == 0) a->check_only = true;
        else if (strcmp(argv[i], "--threads") == 0 && i + 1 < argc) a->threads = atoi(argv[++i]);
        else if (strcmp(argv[i], "--json") == 0 && i + 1 < argc) a->json = argv[++i];
        else return false;
    }
    return true;
}

static void print_chain(const struct chain *chain, const struct result *result)
{
    printf("%-31s", chain->name);
    if (!chain->wanted) printf("%9s  %-6s", "", "");
    else printf("%9.1e  %-6s", result->error, result->error <= TOLERANCE ? "passed" : "FAILED");
    if (result->seconds > 0) printf("%9.1f", result->seconds * 1e9);
    putchar('\n');
    fflush(stdout);
}

static void print_team(const struct team *team)
{
    if (team->threads < 2) {
        puts("\none thread: there is no team");
        return;
    }
    printf(
        "\na team of %d begins and ends in %.0f ns while its threads are awake, in %.0f ns after "
        "they slept\n",
        team->threads, team->awake * 1e9, team->asleep * 1e9);
    printf("break-even at %.0f and %.0f elementary operations, at the speed of one thread; the "
           "rule uses all threads from %lld on\n",
           break_even(team, team->awake), break_even(team, team->asleep),
           (long long)team->threshold);
    printf("one operation less takes %.0f ns with one thread, that number %.0f ns with all\n",
           team->below * 1e9, team->above * 1e9);
}

static bool write_json(const char *path, const struct result results[CHAINS],
                       const struct team *team)
{
    FILE *stream = fopen(path, "w");
    if (!stream) return false;
    fprintf(stream, "{\n  \"nodes\": %d,\n  \"chains\": [\n", NODES);
    for (int i = 0; i < CHAINS; i++) {
        fprintf(stream, "    {\"name\": \"%s\", \"error\": %.3g, \"seconds\": %.4g}%s\n",
                chains[i].name, results[i].error, results[i].seconds, i + 1 < CHAINS ? "," : "");
    }
    fprintf(stream, "  ],\n  \"team\": {\"threads\": %d", team->threads);
    if (team->threads > 1) {
        fprintf(stream,
                ", \"awake\": %.4g, \"asleep\": %.4g, \"threshold\": %lld, "
                "\"worth_awake\": %.4g, \"worth_asleep\": %.4g, \"below\": %.4g, "
                "\"above\": %.4g",
                team->awake, team->asleep, (long long)team->threshold,
                break_even(team, team->awake), break_even(team, team->asleep), team->below,
                team->above);
    }
    fputs("}\n}\n", stream);
    return fclose(stream) == 0;
}

static sumi_status measure(sumi_context *context, const struct arguments *a,
                           struct result results[CHAINS], struct team *team)
{
    if (a->threads) TRY(sumi_context_set_threads(context, a->threads));
    printf("%-31s%9s  %-6s%9s\n", "an op on one number", "error", "", a->check_only ? "" : "ns");
    for (int i = 0; i < CHAINS; i++) {
        TRY(measure_chain(context, &chains[i], !a->check_only, &results[i]));
        print_chain(&chains[i], &results[i]);
    }
    if (a->check_only) return SUMI_OK;
    TRY(measure_team(context, team));
    print_team(team);
    return SUMI_OK;
}

static int run(sumi_context *context, const struct arguments *a)
{
    struct result results[CHAINS] = {{0, 0}};
    struct team team = {.threads = 1};
    if (measure(context, a, results, &team) != SUMI_OK) {
        fprintf(stderr, "dispatch: %s\n", sumi_context_message(context));
        return 1;
    }
    if (a->json && !write_json(a->json, results, &team)) {
        fprintf(stderr, "dispatch: cannot write %s\n", a->json);
        return 1;
    }
    for (int i = 0; i < CHAINS; i++) {
        if (!(results[i].error <= TOLERANCE)) return 1;
    }
    return 0;
}

int main(int argc, char **argv)
{
    struct arguments arguments = {.threads = 0};
    sumi_context *context = NULL;
    if (!read_arguments(argc, argv, &arguments)) {
        fputs("usage: dispatch [--check] [--threads N] [--json FILE]\n", stderr);
        return 2;
    }
    if (sumi_context_create(NULL, &context) != SUMI_OK) return 1;
    make_idle();
    int code = run(context, &arguments);
    sumi_context_free(context);
    return code;
}
