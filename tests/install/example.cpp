/* SPDX-License-Identifier: Apache-2.0 */
// A program of someone else's, built against the installed library in C++.
#include <sumi_graph.h>

#include <iostream>
#include <string>

static bool make_graph()
{
    sumi_context *context = nullptr;
    sumi_graph *graph = nullptr;
    bool made = sumi_context_create(nullptr, &context) == SUMI_OK
                && sumi_graph_create(context, nullptr, false, &graph) == SUMI_OK;
    const sumi_node sum = made ? sumi_op_exp(graph, sumi_graph_number(graph, 1)) : -1;
    if (sum == 1) std::cout << "a graph of two nodes\n";
    sumi_graph_free(graph);
    sumi_context_free(context);
    return sum == 1;
}

int main(int count, char **arguments)
{
    const std::string version = sumi_version();
    const std::string header = std::to_string(SUMI_VERSION_MAJOR) + "."
                               + std::to_string(SUMI_VERSION_MINOR) + "."
                               + std::to_string(SUMI_VERSION_PATCH);
    std::cout << version << " in C++\n";
    return make_graph() && count == 2 && version == arguments[1] && version == header ? 0 : 1;
}
