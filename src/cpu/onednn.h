/* The one file that speaks to oneDNN, 2.x and 3.x: float32 convolutions in channels-last layout
   with weights in torch's layout, and matrix products. */
#ifndef SUMI_CPU_ONEDNN_H
#define SUMI_CPU_ONEDNN_H

#include "base/context.h"

/* Opens and closes a CPU engine and stream (the backend's shared state). */
sumi_status onednn_open(sumi_context *context, void **shared);
void onednn_close(sumi_context *context, void *shared);

enum onednn_direction { ONEDNN_FORWARD, ONEDNN_DATA_GRADIENT, ONEDNN_WEIGHT_GRADIENT };

/* Sizes of a convolution x[n,h,w,in] * weight[out,in,kh,kw] -> y[n,oh,ow,out]. */
struct onednn_problem {
    enum onednn_direction direction;
    bool bias; /* forward only */
    int64_t batch, height, width, channels_in, out_height, out_width, channels_out;
    int64_t kernel[2], stride[2], before[2], after[2];
};

struct onednn_convolution;
sumi_status onednn_convolution_create(sumi_context *context, void *shared,
                                      const struct onednn_problem *problem,
                                      struct onednn_convolution **convolution,
                                      size_t *scratch);
/* The operand that the direction computes is written, the other two are read. */
sumi_status onednn_convolution_run(struct onednn_convolution *convolution, float *x, float *weight,
                                   const float *bias, float *y, void *scratch);
void onednn_convolution_free(struct onednn_convolution *convolution);

/* c[m,n] = a[m,k] b[k,n], each with a row stride, a and b optionally stored transposed. May be
   called from several threads at once and so leaves the message alone: once they are together
   again, onednn_explain_product sets the one that goes with the status, which it returns. */
sumi_status onednn_product(bool transpose_a, bool transpose_b, int64_t m, int64_t n, int64_t k,
                           const float *a, int64_t stride_a, const float *b, int64_t stride_b,
                           float *c, int64_t stride_c);
sumi_status onednn_explain_product(sumi_context *context, sumi_status status);

#endif
