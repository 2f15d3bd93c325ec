# SPDX-License-Identifier: Apache-2.0
"""Reports the results of `bench/run`: a table on the terminal, and the section of
docs/performance.md."""
from load import OTHERS
from rows import ROWS

# ---- Rows ----

def amount(value, unit):
    if value is None:
        return "-"
    if unit == "bytes":
        return f"{value / 2**20:.0f} MiB"
    return f"{value:.2f} s" if value >= 1 else f"{1e3 * value:.3g} ms"


def verdict(row, result):
    if "unavailable" in result:
        return "not available"
    if "ratio" not in result:
        return "no peer"
    met = result["ratio"] <= row["must"] if row.get("at_most") else result["ratio"] >= row["must"]
    return "met" if met else "not met"


def processor_of(result):
    """The processor of a figure, and whether its products of bfloat16 are faster than of float32."""
    machine = result["machine"]
    fast = machine["bf16_flops"] > 1.2 * machine["f32_flops"]
    return f"{result.get('processor', 'unknown')}, {'fast' if fast else 'no fast'} bf16"


def table_row(name, result):
    row = ROWS[name]
    sign = "<=" if row.get("at_most") else ">="
    spread = "-"
    if "ratio" in result:
        spread = f"{result['ratio']:.2f}"
        if "ratio_least" in result:
            spread += f" ({result['ratio_least']:.2f} to {result['ratio_most']:.2f})"
    other = result.get("peer", result.get("one_thread"))
    return [name, row["title"], processor_of(result), amount(result.get("sumi"), result.get("unit")),
            amount(other, result.get("unit")), result.get("best", "-"), spread,
            f"{sign} {row['must']:g}", verdict(row, result)]


def memory_remark(name, result):
    """The peak memory of both sides."""
    if "sumi_memory" not in result:
        return
    line = f"{name}: peak memory {amount(result['sumi_memory'], 'bytes')}"
    if "peer_memory" in result:
        line += f", the peer's in its fastest way {amount(result['peer_memory'], 'bytes')}"
    most = ROWS[name].get("memory")
    if most:
        met = "met" if result["sumi_memory"] <= most * 2**30 else "not met"
        line += f"; must be at most {most:g} GiB: {met}"
    yield line


TITLES = ["", "workload", "processor", "Sumi", "other side", "its best way", "ratio (spread)", "must", ""]


def remarks(name, result):
    """Remarks on a row: the percentage of the peak, and the floor if the row is not met."""
    if "unavailable" in result:
        yield f"{name}: not available: {result['unavailable']}"
    yield from memory_remark(name, result)
    if result.get("others", 0) > OTHERS:
        yield (f"{name}: others used up to {100 * result['others']:.0f} % of the processors: this is "
               "no figure of an idle machine")
    if "floor" not in result:
        return
    floor, machine = result["floor"], result["machine"]
    yield (f"{name}: {floor['flop'] * 1e-9:.3g} GFLOP and {floor['bytes'] * 1e-6:.3g} MB; "
           f"{100 * result['share_of_peak']:.1f} % of the float32 peak of "
           f"{machine['f32_flops'] * 1e-9:.0f} GFLOP/s, in effective FLOP")
    if name == "B":
        met = "met" if result["share_of_peak"] >= 1 else "not met"
        yield f"{name}: must be at least 100 % of the peak: {met}"
    if verdict(ROWS[name], result) != "met" or (name == "B" and result["share_of_peak"] < 1):
        without = ""
        if floor["direct"] > 1.001 * floor["winograd"]:
            without = (f" with Winograd's F(4x4, 3x3), {amount(floor['direct'], '')} without; "
                       "Sumi takes")
        line = (f"{name}: the floor by count of operations and bytes is "
                f"{amount(floor['winograd'], '')}{without or '; Sumi takes'} "
                f"{result['sumi'] / floor['winograd']:.2f} times {'the first' if without else 'it'}")
        if "peer" in result:
            line += f", where the ratio would be {result['peer'] / floor['winograd']:.2f}"
        yield line


def op_rows(result):
    """The profile of a run as cells: op, calls, ms, share, GFLOP, MB, ms of the floor."""
    total = sum(op["seconds"] for op in result["ops"])
    for op in result["ops"]:
        if op["seconds"] > 0.001 * total:
            yield [op["op"], f"{op['calls']:g}", f"{1e3 * op['seconds']:.2f}",
                   f"{100 * op['seconds'] / total:.1f} %", f"{1e-9 * op['flop']:.2f}",
                   f"{1e-6 * op['bytes']:.1f}", f"{1e3 * op['direct']:.2f}",
                   f"{1e3 * op['winograd']:.2f}"]


OP_TITLES = ["op", "calls", "ms", "share", "GFLOP", "MB", "floor", "with Winograd"]


def op_table(name, result):
    """The profile of workload B."""
    if name != "B" or "ops" not in result:
        return
    yield ""
    for cells in [OP_TITLES, *op_rows(result)]:
        yield f"{cells[0]:32}" + "".join(f"{cell:>10}" for cell in cells[1:-1]) + f"{cells[-1]:>15}"


# ---- For the terminal ----


def print_table(results):
    rows = [TITLES] + [table_row(name, results[name]) for name in ROWS if name in results]
    widths = [max(len(row[i]) for row in rows) for i in range(len(TITLES))]
    print()
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip())
    print()
    for name in ROWS:
        for line in remarks(name, results.get(name, {})):
            print(line)


# ---- For docs/performance.md ----


def dispatch_markdown(dispatch):
    """The overhead around the arithmetic."""
    yield f"\nOne op on one number, of a plan of {dispatch['nodes']}:\n"
    yield "| op | ns |\n| --- | --- |"
    for chain in dispatch["chains"]:
        yield f"| {chain['name']} | {1e9 * chain['seconds']:.0f} |"
    team = dispatch["team"]
    if team["threads"] > 1:
        yield (f"\nA team of {team['threads']} threads begins and ends in {1e9 * team['awake']:.0f} ns "
               f"while its threads are awake, and in {1e9 * team['asleep']:.0f} ns after they slept: "
               f"break-even at {team['worth_awake']:.0f} and {team['worth_asleep']:.0f} elementary "
               f"operations. The rule uses all threads from {team['threshold']} on; one operation less "
               f"takes {1e9 * team['below']:.0f} ns with one thread, that number "
               f"{1e9 * team['above']:.0f} ns with all.")


def commits(revisions):
    """The commit at which each row was measured, grouped by commit."""
    return "; ".join(f"{', '.join(name for name in revisions if revisions[name] == one)} at {one}"
                     for one in dict.fromkeys(revisions.values()))


def markdown(kept):
    results, machine = kept["workloads"], kept["machine"]
    yield "## Results\n"
    yield f"Commits: {commits(kept['revisions'])}.\n"
    yield (f"Last measured {kept['date']} on {kept['processor']}, {machine['threads']} threads, with "
           f"{', '.join(f'{name} {version}' for name, version in kept['versions'].items())}. "
           f"In the same run the machine reached {machine['f32_flops'] * 1e-9:.0f} GFLOP/s in "
           f"float32 ({machine['f32_flops_one_thread'] * 1e-9:.0f} by one thread), "
           f"{machine['bf16_flops'] * 1e-9:.0f} GFLOP/s by bfloat16 dot products, and "
           f"{machine['bytes_per_second'] * 1e-9:.1f} GB/s of memory.\n")
    yield "| " + " | ".join(TITLES) + " |\n|" + " --- |" * len(TITLES)
    for name in ROWS:
        if name in results:
            yield "| " + " | ".join(table_row(name, results[name])) + " |"
    yield ""
    for name in ROWS:
        for line in remarks(name, results.get(name, {})):
            yield f"- {line}"
    yield "\nAll ways of the peer that were tried, in ms:\n\n| | way | time | differs by |\n" \
          "| --- | --- | --- | --- |"
    for name in ROWS:
        for variant in results.get(name, {}).get("variants", []):
            yield (f"| {name} | {variant['name']} | {1e3 * variant['seconds']:.2f} | "
                   f"{variant['difference']:.1e} |")
    if "ops" in results.get("B", {}):
        yield "\nThe profile of workload B, in ms:\n"
        yield "| " + " | ".join(OP_TITLES) + " |\n|" + " --- |" * len(OP_TITLES)
        for cells in op_rows(results["B"]):
            yield "| " + " | ".join(cells) + " |"
    if "dispatch" in kept:
        yield from dispatch_markdown(kept["dispatch"])
    yield "\nSingle ops:\n\n| op | shape | error | ms | GFLOP/s | of peak | of memory |\n" \
          "| --- | --- | --- | --- | --- | --- | --- |"
    for op in kept["ops"]:
        yield (f"| {op['name']} | {op['shape']} | {op['error']:.1e} | {1e3 * op['seconds']:.3f} | "
               f"{op['flop'] / op['seconds'] * 1e-9:.1f} | {100 * op['share_of_peak']:.1f} % | "
               f"{100 * op['share_of_memory']:.1f} % |")
    if "solvers" in kept:
        yield from solver_table(kept["solvers"])
    yield ""


def solver_table(measured):
    """The time of each solver per evaluation, relative to the network."""
    yield (f"\nSolvers, relative to one evaluation of the ddpm-mnist U-Net for 64 items, "
           f"{1e3 * measured['network']:.1f} ms by {measured['threads']} threads:\n")
    yield "| solver | microseconds | of the network | states kept |\n| --- | --- | --- | --- |"
    for solver in measured["solvers"]:
        yield (f"| {solver['name']} | {1e6 * solver['seconds']:.0f} | "
               f"{100 * solver['share']:.2f} % | {solver['states']:.1f} |")


def write_markdown(kept, path):
    with open(path, encoding="utf-8") as file:
        text = file.read()
    begin, end = "<!-- results begin -->\n", "<!-- results end -->\n"
    before, rest = text.split(begin)
    after = rest.split(end)[1]
    with open(path, "w", encoding="utf-8") as file:
        file.write(before + begin + "\n".join(markdown(kept)) + end + after)
