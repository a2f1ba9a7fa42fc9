"""Trains PyTorch's DCGAN tutorial on a pack of faces; writes its losses and faces that it draws then.

    python pytorch_train.py --pack FILE --steps 1240 --seed 0 --losses losses.jsonl --faces faces.raw

The images are the pixels that the trainer decoded (src/data/pack/pack-format.ts). Everything else is the tutorial's:
weights, the order of the images and the noise come from torch's own generator under the seed.
"""

import json
import struct
import sys
from pathlib import Path

import numpy
import torch

sys.path.insert(0, str(Path(__file__).parents[1] / "peers"))
from measure import CHANNELS, LATENT_SIZE  # noqa: E402
from pytorch_step import Trainer, pytorch_arguments  # noqa: E402

HEADER_BYTES = 64
MAGIC = b"DCGANPK1"

# What a step returns, by the names of stats.jsonl.
MEASURES = ("discriminatorLoss", "generatorLoss", "realScore", "fakeScoreBefore", "fakeScoreAfter")


def parse():
    parser = pytorch_arguments(__doc__.splitlines()[0])
    parser.add_argument("--pack", required=True, help="decoded faces")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--samples", type=int, default=1000, help="faces to draw at the end")
    parser.add_argument("--losses", required=True, help="a line of JSON for each step")
    parser.add_argument("--faces", required=True, help="uint8 [samples, size, size, 3]")
    # As the tutorial is written.
    parser.set_defaults(unread_gradients=True, plain_adam=True)
    return parser.parse_args()


def main():
    options = parse()
    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    faces = read_pack(options.pack)
    if faces.shape[1] != options.image_size:
        sys.exit(f"{options.pack} has faces of {faces.shape[1]} pixels, not {options.image_size}")
    trainer = Trainer(options, torch.device(options.device), False)
    with open(options.losses, "w") as losses:
        for number, real in zip(range(1, options.steps + 1), batches(faces, options.batch)):
            measures = dict(zip(MEASURES, trainer.step(real)))
            losses.write(json.dumps({"step": number, **measures}) + "\n")
    draw(trainer.netG, options).tofile(options.faces)
    print(json.dumps({"version": f"torch {torch.__version__}"}), flush=True)


def read_pack(path):
    """uint8 [count, size, size, 3]"""
    with open(path, "rb") as file:
        header = file.read(HEADER_BYTES)
    if header[:8] != MAGIC:
        sys.exit(f"{path} is not a pack of faces")
    size, count = struct.unpack_from("<II", header, 8)
    pixels = numpy.fromfile(path, dtype=numpy.uint8, offset=HEADER_BYTES)
    return pixels.reshape(count, size, size, CHANNELS)


def batches(faces, batch):
    """Whole batches without end, shuffled anew each epoch. [batch, 3, size, size] in [-1, 1]"""
    if len(faces) < batch:
        sys.exit(f"{len(faces)} faces are fewer than a batch of {batch}")
    while True:
        order = torch.randperm(len(faces))
        for start in range(0, len(faces) - batch + 1, batch):
            chosen = torch.from_numpy(faces[order[start : start + batch].numpy()])
            # ToTensor and Normalize(0.5, 0.5)
            yield chosen.permute(0, 3, 1, 2).float().div(255).sub(0.5).div(0.5).contiguous()


@torch.no_grad()
def draw(netG, options):
    """With the running statistics, as `coordinator generate` does. uint8 [samples, size, size, 3]"""
    netG.eval()
    drawn = []
    for start in range(0, options.samples, options.batch):
        count = min(options.batch, options.samples - start)
        images = netG(torch.randn(count, LATENT_SIZE, 1, 1, device=options.device))
        drawn.append(((images + 1) * 127.5).round().byte().permute(0, 2, 3, 1).cpu().numpy())
    return numpy.concatenate(drawn)


if __name__ == "__main__":
    main()
