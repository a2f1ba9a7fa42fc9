#include "filter_gradient.h"

#if defined(__x86_64__)

#include <immintrin.h>

#include <algorithm>
#include <cstdlib>
#include <exception>
#include <memory>
#include <new>
#include <thread>
#include <vector>

#define AVX2 __attribute__((target("avx2,fma")))

// The sum is a product of matrices, columns(input)^T * gradient, blocked as in Goto and van de Geijn 2008: a tile of
// sums stays in registers while a block of places goes by, whose part of the input lies in the first cache and whose
// part of the gradient in the second. The columns are never made whole: a block of them is gathered when its turn comes.

namespace dcgan {
namespace {

/** A tile of sums: so many inputs, in two registers, by so many outputs. 12 registers of sums hide FMA's latency. */
constexpr int64_t kTileInputs = kInputBlock;
constexpr int64_t kTileOutputs = 6;
/** Places (n, y, x) of a block: 16 KiB of the input's columns, and 1 KiB of the gradient for each output. */
constexpr int64_t kPlaces = 256;
constexpr int64_t kTileSize = kTileInputs * kTileOutputs;

struct Free {
  void operator()(float* memory) const { std::free(memory); }
};
using Floats = std::unique_ptr<float[], Free>;

Floats Allocate(int64_t count) {
  constexpr size_t kCacheLine = 64;
  const size_t bytes = (count * sizeof(float) + kCacheLine - 1) / kCacheLine * kCacheLine;
  void* memory = std::aligned_alloc(kCacheLine, bytes);
  if (memory == nullptr) throw std::bad_alloc();
  return Floats(static_cast<float*>(memory));
}

/** sums[output][input] += sum over places of columns[place][input] * gradient[place][output] */
AVX2 void AddToTile(int64_t places, const float* columns, const float* gradient, float* sums) {
  __m256 tile[kTileOutputs][2];
#pragma GCC unroll 6
  for (int j = 0; j < kTileOutputs; j++) tile[j][0] = tile[j][1] = _mm256_setzero_ps();
  for (int64_t place = 0; place < places; place++) {
    const __m256 low = _mm256_load_ps(columns);
    const __m256 high = _mm256_load_ps(columns + 8);
#pragma GCC unroll 6
    for (int j = 0; j < kTileOutputs; j++) {
      const __m256 factor = _mm256_broadcast_ss(gradient + j);
      tile[j][0] = _mm256_fmadd_ps(low, factor, tile[j][0]);
      tile[j][1] = _mm256_fmadd_ps(high, factor, tile[j][1]);
    }
    columns += kTileInputs;
    gradient += kTileOutputs;
  }
#pragma GCC unroll 6
  for (int j = 0; j < kTileOutputs; j++) {
    float* sum = sums + j * kTileInputs;
    _mm256_store_ps(sum, _mm256_add_ps(_mm256_load_ps(sum), tile[j][0]));
    _mm256_store_ps(sum + 8, _mm256_add_ps(_mm256_load_ps(sum + 8), tile[j][1]));
  }
}

/** Outputs in tiles, the last one filled up with zeros: [tile][place][kTileOutputs] */
void PackGradient(const Convolution& c, const float* gradient, int64_t first, int64_t places, float* packed) {
  for (int64_t output = 0; output < c.outputs; output += kTileOutputs) {
    const int64_t present = std::min(kTileOutputs, c.outputs - output);
    for (int64_t place = 0; place < places; place++) {
      const float* from = gradient + (first + place) * c.outputs + output;
      for (int64_t j = 0; j < kTileOutputs; j++) *packed++ = j < present ? from[j] : 0.0f;
    }
  }
}

AVX2 inline void Copy(const float* from, float* to) {
  _mm256_store_ps(to, _mm256_loadu_ps(from));
  _mm256_store_ps(to + 8, _mm256_loadu_ps(from + 8));
}

AVX2 inline void Clear(float* to) {
  _mm256_store_ps(to, _mm256_setzero_ps());
  _mm256_store_ps(to + 8, _mm256_setzero_ps());
}

/** What one place of the filter sees of a block of inputs, zeros beyond the image: [place][kTileInputs] */
AVX2 void GatherColumns(const Convolution& c, const float* input, int64_t row, int64_t column, int64_t first_input,
                        int64_t first, int64_t places, float* columns) {
  const int64_t last = first + places;
  // Line by line of the output.
  for (int64_t place = first; place < last;) {
    const int64_t line = place / c.output_width;
    const int64_t x = place % c.output_width;
    const int64_t end = std::min(c.output_width, x + last - place);
    const int64_t y = line % c.output_height * c.stride_height + row - c.pad_top;
    const int64_t n = line / c.output_height;
    place += end - x;
    const bool is_inside = y >= 0 && y < c.height;
    for (int64_t i = x; i < end; i++, columns += kTileInputs) {
      const int64_t from_x = i * c.stride_width + column - c.pad_left;
      if (is_inside && from_x >= 0 && from_x < c.width)
        Copy(input + ((n * c.height + y) * c.width + from_x) * c.inputs + first_input, columns);
      else
        Clear(columns);
    }
  }
}

/** Rows [first, last) of the filter, a row being one block of inputs at one place of the filter. */
void FilterRows(const Convolution& c, const float* input, const float* gradient, float* filter, int64_t first,
                int64_t last) {
  const int64_t all_places = c.batch * c.output_height * c.output_width;
  const int64_t tiles = (c.outputs + kTileOutputs - 1) / kTileOutputs;
  const int64_t blocks = c.inputs / kInputBlock;
  const Floats columns = Allocate(kPlaces * kTileInputs);
  const Floats packed = Allocate(tiles * kPlaces * kTileOutputs);
  const Floats sums = Allocate((last - first) * tiles * kTileSize);
  std::fill_n(sums.get(), (last - first) * tiles * kTileSize, 0.0f);

  for (int64_t place = 0; place < all_places; place += kPlaces) {
    const int64_t places = std::min(kPlaces, all_places - place);
    PackGradient(c, gradient, place, places, packed.get());
    for (int64_t row = first; row < last; row++) {
      const int64_t tap = row / blocks;
      GatherColumns(c, input, tap / c.filter_width, tap % c.filter_width, row % blocks * kInputBlock, place, places,
                    columns.get());
      for (int64_t tile = 0; tile < tiles; tile++)
        AddToTile(places, columns.get(), packed.get() + tile * places * kTileOutputs,
                  sums.get() + ((row - first) * tiles + tile) * kTileSize);
    }
  }

  for (int64_t row = first; row < last; row++)
    for (int64_t i = 0; i < kTileInputs; i++)
      for (int64_t output = 0; output < c.outputs; output++) {
        const float* tile = sums.get() + ((row - first) * tiles + output / kTileOutputs) * kTileSize;
        filter[(row * kTileInputs + i) * c.outputs + output] = tile[output % kTileOutputs * kTileInputs + i];
      }
}

}  // namespace

void FilterGradient(const Convolution& convolution, const float* input, const float* gradient, float* filter,
                    int threads) {
  const int64_t rows = convolution.filter_height * convolution.filter_width * convolution.inputs / kInputBlock;
  const int64_t parts = std::clamp<int64_t>(threads, 1, rows);
  std::vector<std::exception_ptr> failures(parts);
  const auto compute = [&](int64_t part) {
    try {
      FilterRows(convolution, input, gradient, filter, rows * part / parts, rows * (part + 1) / parts);
    } catch (...) {
      failures[part] = std::current_exception();
    }
  };
  std::vector<std::thread> others;
  for (int64_t part = 1; part < parts; part++) others.emplace_back(compute, part);
  compute(0);
  for (std::thread& other : others) other.join();
  for (const std::exception_ptr& failure : failures)
    if (failure) std::rethrow_exception(failure);
}

}  // namespace dcgan

#endif  // __x86_64__
