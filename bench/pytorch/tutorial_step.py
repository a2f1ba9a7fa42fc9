"""Times the training step of PyTorch's DCGAN tutorial on the CPU, on random images.

Usage: python tutorial_step.py --architecture tutorial --batch 64 --threads 2
Prints one line of JSON; imagesPerSecond is the median over the steps.
"""

import argparse
import json
import statistics
import sys
import time
from contextlib import nullcontext
from pathlib import Path

import torch
from torch import nn, optim

sys.path.insert(0, str(Path(__file__).parents[2] / "test" / "fixtures" / "pytorch"))
from networks import ARCHITECTURES, CHANNELS, Discriminator, Generator  # noqa: E402

FEATURES = 64
LATENT_SIZE = 100


def weights_init(m):
    classname = m.__class__.__name__
    if classname.find("Conv") != -1:
        nn.init.normal_(m.weight.data, 0.0, 0.02)
    elif classname.find("BatchNorm") != -1:
        nn.init.normal_(m.weight.data, 1.0, 0.02)
        nn.init.constant_(m.bias.data, 0)


def parse():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--architecture", choices=ARCHITECTURES, default="tutorial")
    parser.add_argument("--image-size", type=int, choices=(32, 64, 128), default=64)
    parser.add_argument("--batch", type=int, default=64, help="images a step")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--channels-last", action="store_true")
    parser.add_argument("--bf16", action="store_true", help="both networks under autocast")
    parser.add_argument("--steps", type=int, default=15, help="steps timed")
    parser.add_argument("--warm-up", type=int, default=3, help="steps before them")
    return parser.parse_args()


def main():
    options = parse()
    torch.set_num_threads(options.threads)
    torch.manual_seed(999)
    netG = Generator(options.architecture, options.image_size, FEATURES, LATENT_SIZE)
    netD = Discriminator(options.image_size, FEATURES)
    netG.apply(weights_init)
    netD.apply(weights_init)
    layout = torch.channels_last if options.channels_last else torch.contiguous_format
    netG.to(memory_format=layout)
    netD.to(memory_format=layout)

    criterion = nn.BCELoss()
    optimizerD = optim.Adam(netD.parameters(), lr=0.0002, betas=(0.5, 0.999))
    optimizerG = optim.Adam(netG.parameters(), lr=0.0002, betas=(0.5, 0.999))

    def run(network, inputs):
        """The network, under autocast where asked for; the loss stays in float32."""
        with torch.autocast("cpu", torch.bfloat16) if options.bf16 else nullcontext():
            return network(inputs)

    def judge(images):
        return run(netD, images).view(-1).float()

    def step(real):
        """The body of the tutorial's loop; every loss and score is read, as there."""
        label = torch.full((options.batch,), 1.0)
        netD.zero_grad()
        output = judge(real)
        errD_real = criterion(output, label)
        errD_real.backward()
        D_x = output.mean().item()
        noise = torch.randn(options.batch, LATENT_SIZE, 1, 1)
        fake = run(netG, noise)
        label.fill_(0.0)
        output = judge(fake.detach())
        errD_fake = criterion(output, label)
        errD_fake.backward()
        D_G_z1 = output.mean().item()
        errD = errD_real + errD_fake
        optimizerD.step()

        netG.zero_grad()
        label.fill_(1.0)
        output = judge(fake)
        errG = criterion(output, label)
        errG.backward()
        D_G_z2 = output.mean().item()
        optimizerG.step()
        return errD.item(), errG.item(), D_x, D_G_z1, D_G_z2

    size = options.image_size
    seconds = []
    for _ in range(options.warm_up + options.steps):
        real = torch.rand(options.batch, CHANNELS, size, size) * 2 - 1
        real = real.contiguous(memory_format=layout)
        start = time.perf_counter()
        losses = step(real)
        seconds.append(time.perf_counter() - start)
    timed = seconds[options.warm_up :]

    print(
        json.dumps(
            {
                "imagesPerSecond": round(options.batch / statistics.median(timed), 2),
                "fastest": round(options.batch / min(timed), 2),
                "slowest": round(options.batch / max(timed), 2),
                "architecture": options.architecture,
                "imageSize": size,
                "batch": options.batch,
                "threads": options.threads,
                "channelsLast": options.channels_last,
                "bf16": options.bf16,
                "steps": options.steps,
                "errD": losses[0],
                "errG": losses[1],
                "torch": torch.__version__,
            }
        )
    )


if __name__ == "__main__":
    main()
