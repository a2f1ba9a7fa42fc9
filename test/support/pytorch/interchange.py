"""What PyTorch makes of weights that go in and out.

Usage: python3 interchange.py EXAMPLES draw EXPORT NOISE FACES
       python3 interchange.py EXAMPLES train BATCHES FOLDER

EXAMPLES is the folder with the tutorial's classes and the loader that users are shown.
"""

import json
import sys
from pathlib import Path

sys.path.insert(0, sys.argv[1])

import torch
from torch import nn

import dcgan
import weights


def check_counters(folder, config):
    """PyTorch counts each forward pass in training: one of G a step, and three of D."""
    for network, passes in (("generator", 1), ("discriminator", 3)):
        state = weights.load(folder / f"{network}.safetensors")
        counted = {v.item() for k, v in state.items() if k.endswith("num_batches_tracked")}
        assert counted == {passes * config["step"]}, (network, counted)


def draw(folder, noise, out):
    folder = Path(folder)
    config = json.loads((folder / "config.json").read_text())
    dcgan.nz, dcgan.ngf = config["latentSize"], config["generatorFeatures"]
    dcgan.ndf = config["discriminatorFeatures"]
    check_counters(folder, config)
    generator, discriminator = dcgan.Generator(0), dcgan.Discriminator(0)
    generator.load_state_dict(weights.load(folder / "generator.safetensors"))
    discriminator.load_state_dict(weights.load(folder / "discriminator.safetensors"))
    generator.eval()
    discriminator.eval()
    with torch.no_grad():
        faces = generator(weights.load(noise)["noise"][:, :, None, None])
        scores = discriminator(faces).flatten()
    torch.manual_seed(4)
    example = torch.randn(10, dcgan.nz, 1, 1).flatten(1)
    weights.save({"faces": faces, "scores": scores, "noise of seed 4": example}, out)


def step(G, D, optimizerG, optimizerD, real, noise):
    """The tutorial's training loop, one iteration. Returns what it prints."""
    criterion = nn.BCELoss()
    label = torch.full((real.size(0),), 1.0)
    D.zero_grad()
    output = D(real).view(-1)
    errD_real = criterion(output, label)
    errD_real.backward()
    D_x = output.mean().item()
    fake = G(noise)
    label.fill_(0.0)
    output = D(fake.detach()).view(-1)
    errD_fake = criterion(output, label)
    errD_fake.backward()
    D_G_z1 = output.mean().item()
    optimizerD.step()
    G.zero_grad()
    label.fill_(1.0)
    output = D(fake).view(-1)
    errG = criterion(output, label)
    errG.backward()
    D_G_z2 = output.mean().item()
    optimizerG.step()
    return {
        "discriminatorLoss": (errD_real + errD_fake).item(),
        "generatorLoss": errG.item(),
        "realScore": D_x,
        "fakeScoreBefore": D_G_z1,
        "fakeScoreAfter": D_G_z2,
    }


def weights_init(m):
    """The tutorial's, but for wider kernels: small networks of the tutorial's draw grey."""
    classname = m.__class__.__name__
    if classname.find("Conv") != -1:
        nn.init.normal_(m.weight.data, 0.0, 0.2)
    elif classname.find("BatchNorm") != -1:
        nn.init.normal_(m.weight.data, 1.0, 0.02)
        nn.init.constant_(m.bias.data, 0)


def optimizers(*networks):
    return [torch.optim.Adam(n.parameters(), lr=2e-4, betas=(0.5, 0.999)) for n in networks]


def train(batches, folder):
    """Trains a little, saves, and goes on with a new Adam on the given batches: its losses."""
    given = weights.load(batches)
    noises, reals = given["noises"], given["reals"]  # [step, batch, ...]
    dcgan.nz, dcgan.ngf, dcgan.ndf = noises.shape[2], 2, 4
    torch.manual_seed(1)
    G, D = dcgan.Generator(0).apply(weights_init), dcgan.Discriminator(0).apply(weights_init)
    before = optimizers(G, D)
    for _ in range(5):
        real = torch.rand_like(reals[0]) * 2 - 1
        step(G, D, *before, real, torch.randn(*noises[0].shape, 1, 1))
    weights.save(G.state_dict(), f"{folder}/generator.safetensors")
    weights.save(D.state_dict(), f"{folder}/discriminator.safetensors")
    torch.save(G.state_dict(), f"{folder}/../generator.pth")
    after = optimizers(G, D)
    print(json.dumps([step(G, D, *after, r, n[:, :, None, None]) for r, n in zip(reals, noises)]))


if __name__ == "__main__":
    torch.set_num_threads(1)
    {"draw": draw, "train": train}[sys.argv[2]](*sys.argv[3:])
