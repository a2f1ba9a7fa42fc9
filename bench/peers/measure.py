"""What the peers' training steps share: their options, their clock, their line of JSON."""

import argparse
import json
import os
import statistics
import time

CHANNELS = 3
FEATURES = 64
LATENT_SIZE = 100
LEARNING_RATE = 2e-4
BETA1 = 0.5


def step_arguments(description):
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--architecture", choices=("tutorial", "paper"), default="tutorial")
    parser.add_argument("--image-size", type=int, choices=(32, 64, 128), default=64)
    parser.add_argument("--batch", type=int, default=64, help="images a step")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--threads", type=int, default=os.cpu_count(), help="of a process")
    parser.add_argument("--bf16", action="store_true")
    parser.add_argument("--steps", type=int, default=12, help="steps timed")
    parser.add_argument("--warm-up", type=int, default=3, help="steps before them")
    return parser


def time_steps(options, draw, step):
    """Times step(draw()) again and again; drawing is no part of it. A step returns its losses and scores."""
    seconds = []
    for number in range(options.warm_up + options.steps):
        real = draw()
        start = time.perf_counter()
        measures = step(real)
        seconds.append(time.perf_counter() - start)
        if number == 0:
            first_step_at, first = time.time(), measures
    return {
        "imagesPerSecond": round(options.batch / statistics.median(seconds[options.warm_up :]), 3),
        # Seconds since 1970: only the caller knows when it gave the command.
        "firstStepAt": first_step_at,
        "firstStep": dict(zip(("errD", "errG", "D_x", "D_G_z1", "D_G_z2"), first)),
    }


def print_result(result):
    print(json.dumps(result), flush=True)
