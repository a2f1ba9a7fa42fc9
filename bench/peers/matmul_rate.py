"""The rate at which a library multiplies large square matrices: what a training step can reach at most.

    python matmul_rate.py --library torch --threads 2

Prints one line of JSON: floating-point operations a second, a multiplication and an addition being two.
"""

import argparse
import os
import time

from measure import print_result

os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

SMALLEST_SIDE = 256
LARGEST_SIDE = {"cpu": 2048, "cuda": 8192}
# In seconds. Without bf16 in the processor a large product can take a minute: smaller ones must do.
LONGEST_PRODUCT = 1.0
# Products are repeated for so long, and the fastest counts.
SECONDS = 2.0


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--library", choices=("torch", "tensorflow"), required=True)
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    options = parser.parse_args()
    products = torch_products if options.library == "torch" else tensorflow_products
    product = products(options.device, options.threads)
    print_result(
        {precision: rate(product, precision, LARGEST_SIDE[options.device]) for precision in ("fp32", "bf16")}
    )


def torch_products(device, threads):
    import torch

    torch.set_num_threads(threads)
    # As PyTorch's convolutions have it on a GPU: TF32 counts as fp32.
    torch.backends.cuda.matmul.allow_tf32 = True
    kinds = {"fp32": torch.float32, "bf16": torch.bfloat16}

    def product(precision, side):
        left, right = (torch.rand(side, side, device=device).to(kinds[precision]) for _ in range(2))
        into = torch.empty_like(left)

        def multiply():
            torch.matmul(left, right, out=into)
            if device == "cuda":
                torch.cuda.synchronize()

        return multiply

    return product


def tensorflow_products(device, threads):
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(threads)
    kinds = {"fp32": tf.float32, "bf16": tf.bfloat16}
    place = {"cpu": "CPU:0", "cuda": "GPU:0"}[device]

    def product(precision, side):
        with tf.device(place):
            left, right = (tf.cast(tf.random.uniform((side, side)), kinds[precision]) for _ in range(2))

        def multiply():
            with tf.device(place):
                # To read one number waits for the product, and copies no matrix.
                float(tf.matmul(left, right)[0, 0])

        return multiply

    return product


def rate(product, precision, largest_side):
    side = SMALLEST_SIDE
    multiply = warmed(product(precision, side))
    # Twice the side is eight times the work.
    while side < largest_side and 8 * seconds_of(multiply) < LONGEST_PRODUCT:
        side *= 2
        multiply = warmed(product(precision, side))
    least = seconds_of(multiply)
    end = time.perf_counter() + SECONDS
    while time.perf_counter() < end:
        least = min(least, seconds_of(multiply))
    return 2 * side**3 / least


def warmed(run):
    """The first product builds kernels, and on a GPU the library's context."""
    run()
    return run


def seconds_of(run):
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
