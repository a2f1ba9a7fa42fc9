"""Times rounds of averaging by PyTorch's gloo, and prints one line of JSON.

    python gloo_rounds.py --processes 2 --floats 6337346 --rounds 20

A round is all_reduce of a vector that is ready, and its division by the number of processes. Its time is that of the
process that took longest.
"""

import argparse
import json
import tempfile
import time
from pathlib import Path

import torch
import torch.multiprocessing
from torch import distributed


def average(rank, options, folder):
    torch.set_num_threads(1)
    distributed.init_process_group(
        "gloo", init_method=f"file://{folder}/store", rank=rank, world_size=options.processes
    )
    vector = torch.empty(options.floats)
    milliseconds = []
    for turn in range(options.warm_up + options.rounds):
        if turn == options.warm_up:
            cpu_begun = time.process_time()
        vector.fill_(rank + 1)
        distributed.barrier()
        begun = time.perf_counter()
        distributed.all_reduce(vector)
        vector /= options.processes
        milliseconds.append(1e3 * (time.perf_counter() - begun))
        assert vector[0] == vector[-1] == (options.processes + 1) / 2
    cpu = torch.tensor(1e3 * (time.process_time() - cpu_begun) / options.rounds)
    distributed.all_reduce(cpu)
    slowest = torch.tensor(milliseconds, dtype=torch.float64)
    distributed.all_reduce(slowest, distributed.ReduceOp.MAX)
    if rank == 0:
        print(
            json.dumps(
                {"milliseconds": slowest[options.warm_up :].tolist(), "cpuMilliseconds": cpu.item()}
            )
        )
    distributed.barrier()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    for name in ("processes", "floats", "rounds", "warm-up"):
        parser.add_argument(f"--{name}", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        torch.multiprocessing.spawn(average, (options, Path(folder)), options.processes)
