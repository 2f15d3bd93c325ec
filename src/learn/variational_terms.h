/* SPDX-License-Identifier: Apache-2.0 */
/* The terms of the variational bound as graphs, for each number and in nats (Ho et al. 2020, eq. 5;
   Nichol & Dhariwal 2021, section 3.1). Shapes broadcast; x, means and results are [n, item]. */
#ifndef SUMI_LEARN_VARIATIONAL_TERMS_H
#define SUMI_LEARN_VARIATIONAL_TERMS_H

#include "graph/graph.h"

/* KL(N(m_q, v_q) || N(m_p, v_p)) of each number; `square` is (m_q - m_p)^2, the others log v. */
sumi_node variational_divergence(sumi_graph *graph, sumi_node square, sumi_node log_variance_q,
                                 sumi_node log_variance_p);

/* -log of the normal density at a distance whose square is given. */
sumi_node variational_density(sumi_graph *graph, sumi_node square, sumi_node log_variance);

/* -log of the discretised decoder (Ho et al. 2020, eq. 13): the probability under the normal
   distribution of the interval within 1/255 of clean[n, item], open at -1 and 1, where the mean is
   clean - difference. */
sumi_node variational_decoder(sumi_graph *graph, sumi_node clean, sumi_node difference,
                              sumi_node log_variance);

#endif
