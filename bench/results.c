/* SPDX-License-Identifier: Apache-2.0 */
/* Printing results; see results.h. */
#include "results.h"

void results_print_head(const sumi_machine *machine)
{
    if (machine) {
        printf("machine: %s, %d threads: %.0f GFLOP/s in float32 (%.0f by one thread), %.0f in "
               "bfloat16 dot products, %.1f GB/s of memory (%.1f by one thread)\n\n",
               machine->instructions, machine->threads, machine->f32_all * 1e-9,
               machine->f32_one * 1e-9, machine->bf16_all * 1e-9, machine->bytes_all * 1e-9,
               machine->bytes_one * 1e-9);
    }
    printf("%-31s%-21s%9s  %-6s", "problem", "shape", "error", "");
    if (machine) printf("%9s%9s%8s%8s%8s", "ms", "GFLOP/s", "% peak", "GB/s", "% mem");
    putchar('\n');
}

void results_print(const struct result *r, const sumi_machine *machine)
{
    printf("%-31s%-21s%9.1e  %-6s", r->name, r->shape, r->error,
           r->error <= r->tolerance ? "passed" : "FAILED");
    if (r->seconds > 0) {
        double flops = r->cost.operations / r->seconds, bytes = r->cost.bytes / r->seconds;
        printf("%9.3f%9.1f%8.1f%8.1f%8.1f", r->seconds * 1e3, flops * 1e-9,
               100 * flops / machine->f32_all, bytes * 1e-9, 100 * bytes / machine->bytes_all);
    }
    putchar('\n');
    fflush(stdout);
}

static void write_result(FILE *stream, const struct result *r, const sumi_machine *machine)
{
    fprintf(stream,
            "    {\"name\": \"%s\", \"shape\": \"%s\", \"error\": %.3g, "
            "\"tolerance\": %.3g",
            r->name, r->shape, r->error, r->tolerance);
    if (r->seconds > 0) {
        fprintf(stream,
                ", \"seconds\": %.6g, \"flop\": %.9g, \"bytes\": %.9g, "
                "\"share_of_peak\": %.4g, \"share_of_memory\": %.4g",
                r->seconds, r->cost.operations, r->cost.bytes,
                r->cost.operations / r->seconds / machine->f32_all,
                r->cost.bytes / r->seconds / machine->bytes_all);
    }
    fputs("}", stream);
}

void results_write(FILE *stream, int count, const struct result *results,
                   const sumi_machine *machine)
{
    fputs("{\n", stream);
    if (machine) {
        fprintf(stream,
                "  \"machine\": {\"instructions\": \"%s\", \"threads\": %d, \"f32_one\": "
                "%.6g, \"f32_all\": %.6g, \"bf16_one\": %.6g, \"bf16_all\": %.6g, \"bytes_one\": "
                "%.6g, \"bytes_all\": %.6g},\n",
                machine->instructions, machine->threads, machine->f32_one, machine->f32_all,
                machine->bf16_one, machine->bf16_all, machine->bytes_one, machine->bytes_all);
    }
    fputs("  \"ops\": [\n", stream);
    for (int i = 0; i < count; i++) {
        write_result(stream, &results[i], machine);
        fputs(i + 1 < count ? ",\n" : "\n", stream);
    }
    fputs("  ]\n}\n", stream);
}
