// The gradient of a convolution for its filter.
#pragma once

#include <cstdint>

namespace dcgan {

/** A convolution of NHWC images without dilation. The filter is [filter_height, filter_width, inputs, outputs]. */
struct Convolution {
  int64_t batch, height, width, inputs;
  int64_t output_height, output_width, outputs;
  int64_t filter_height, filter_width;
  int64_t stride_height, stride_width;
  int64_t pad_top, pad_left;
};

/** `inputs` has to be a multiple of it. */
constexpr int64_t kInputBlock = 16;

/**
 * filter[r, q, i, o] = sum over n, y, x of input[n, y * stride + r - pad, x * stride + q - pad, i] * gradient[n, y, x, o]
 *
 * Every element is summed in the same order, by however many threads. Needs AVX2 and FMA. Throws std::bad_alloc.
 */
void FilterGradient(const Convolution& convolution, const float* input, const float* gradient, float* filter,
                    int threads);

}  // namespace dcgan
