"""Times the training step of PyTorch's DCGAN tutorial on random images, and prints one line of JSON.

    python pytorch_step.py --batch 64 --threads 2 --channels-last
    python pytorch_step.py --batch 64 --threads 1 --processes 2

Where the tutorial leaves speed on the table without meaning to, this does not:

- D's own gradients in the generator's half, which the tutorial computes and throws away, are left out
  (`--unread-gradients` computes them);
- Adam is the fused one;
- losses and scores are read together, at the end of the step;
- with several processes D's gradients travel once a step, after both of its backward passes, and no running
  statistics do.
"""

import sys
import tempfile
from contextlib import nullcontext
from pathlib import Path

import torch
from torch import distributed, nn, optim
from torch.nn.parallel import DistributedDataParallel

from measure import (
    BETA1,
    CHANNELS,
    FEATURES,
    LATENT_SIZE,
    LEARNING_RATE,
    print_result,
    step_arguments,
    time_steps,
)

sys.path.insert(0, str(Path(__file__).parents[2] / "test" / "fixtures" / "pytorch"))
from networks import Discriminator, Generator  # noqa: E402


def pytorch_arguments(description):
    parser = step_arguments(description)
    parser.add_argument("--generator-features", type=int, default=FEATURES)
    parser.add_argument("--discriminator-features", type=int, default=FEATURES)
    parser.add_argument("--channels-last", action="store_true")
    parser.add_argument("--compile", action="store_true", help="both networks by torch.compile")
    parser.add_argument("--processes", type=int, default=1, help="under DDP; they share the batch")
    parser.add_argument("--unread-gradients", action="store_true", help="as the tutorial is written")
    parser.add_argument("--plain-adam", action="store_true", help="not fused; older versions of torch")
    return parser


def parse():
    parser = pytorch_arguments(__doc__.splitlines()[0])
    options = parser.parse_args()
    if options.batch % options.processes:
        parser.error(f"{options.processes} processes cannot share a batch of {options.batch}")
    return options


def main():
    options = parse()
    if options.processes == 1:
        train(0, options, None)
        return
    with tempfile.TemporaryDirectory() as folder:
        torch.multiprocessing.spawn(train, (options, f"file://{folder}/meeting"), options.processes)


def train(rank, options, meeting):
    """One process; with a meeting point, one of several."""
    torch.set_num_threads(options.threads)
    torch.manual_seed(999 + rank)
    torch.backends.cudnn.benchmark = True
    on_gpu = options.device == "cuda"
    device = torch.device(options.device, rank if on_gpu else None)
    if on_gpu:
        torch.cuda.set_device(device)
    if meeting:
        backend = "nccl" if on_gpu else "gloo"
        distributed.init_process_group(
            backend, init_method=meeting, rank=rank, world_size=options.processes
        )
    trainer = Trainer(options, device, meeting is not None)
    size = options.image_size

    def draw():
        images = torch.rand(trainer.batch, CHANNELS, size, size) * 2 - 1
        # As a DataLoader with pin_memory hands them over; to bring them to the GPU is part of the step.
        return images.pin_memory() if on_gpu else images

    result = time_steps(options, draw, trainer.step)
    if meeting:
        check_replicas(trainer)
        distributed.destroy_process_group()
    if rank == 0:
        counts = {"generator": count(trainer.netG), "discriminator": count(trainer.netD)}
        print_result(result | {"parameters": counts, "version": f"torch {torch.__version__}"})


class Trainer:
    def __init__(self, options, device, in_parallel):
        self.options = options
        self.device = device
        self.batch = options.batch // options.processes
        self.layout = torch.channels_last if options.channels_last else torch.contiguous_format
        features = options.generator_features
        netG = Generator(options.architecture, options.image_size, features, LATENT_SIZE)
        netD = Discriminator(options.image_size, options.discriminator_features)
        for net in (netG, netD):
            net.apply(weights_init)
            net.to(device, memory_format=self.layout)
        if options.compile:
            netG.compile(dynamic=False)
            netD.compile(dynamic=False)
        # What the generator's half calls: D's gradients are not wanted there, so nothing is to be averaged.
        self.frozenD = netD
        self.netG = average_gradients(netG) if in_parallel else netG
        self.netD = average_gradients(netD) if in_parallel else netD
        self.criterion = nn.BCELoss()
        adam = {"lr": LEARNING_RATE, "betas": (BETA1, 0.999), "fused": not options.plain_adam}
        self.optimizerD = optim.Adam(netD.parameters(), **adam)
        self.optimizerG = optim.Adam(netG.parameters(), **adam)
        self.real_label = torch.full((self.batch,), 1.0, device=device)
        self.fake_label = torch.full((self.batch,), 0.0, device=device)

    def run(self, network, inputs):
        """The network, under autocast where asked for; the loss stays in float32."""
        autocast = torch.autocast(self.options.device, torch.bfloat16) if self.options.bf16 else nullcontext()
        with autocast:
            return network(inputs)

    def judge(self, network, images):
        return self.run(network, images).view(-1).float()

    def step(self, real):
        """The body of the tutorial's loop."""
        self.optimizerD.zero_grad()
        real = real.to(self.device, memory_format=self.layout, non_blocking=True)
        with self.netD.no_sync() if self.netD is not self.frozenD else nullcontext():
            on_real = self.judge(self.netD, real)
            errD_real = self.criterion(on_real, self.real_label)
            errD_real.backward()
        fake = self.run(self.netG, torch.randn(self.batch, LATENT_SIZE, 1, 1, device=self.device))
        on_fake = self.judge(self.netD, fake.detach())
        errD_fake = self.criterion(on_fake, self.fake_label)
        errD_fake.backward()
        self.optimizerD.step()

        self.optimizerG.zero_grad()
        self.frozenD.requires_grad_(self.options.unread_gradients)
        judged = self.judge(self.frozenD, fake)
        errG = self.criterion(judged, self.real_label)
        errG.backward()
        self.frozenD.requires_grad_(True)
        self.optimizerG.step()
        measures = (errD_real + errD_fake, errG, on_real.mean(), on_fake.mean(), judged.mean())
        return torch.stack(measures).tolist()


def average_gradients(net):
    """Running statistics stay with their process: the trainer does not send them either."""
    return DistributedDataParallel(net, broadcast_buffers=False, gradient_as_bucket_view=True)


def check_replicas(trainer):
    """If they drift apart, gradients were not averaged, and the time is worth nothing."""
    for net in (trainer.netD, trainer.netG):
        own = torch.stack([parameter.detach().sum() for parameter in net.parameters()])
        first = own.clone()
        distributed.broadcast(first, 0)
        if not torch.equal(own, first):
            raise RuntimeError("the processes' weights differ")


def weights_init(m):
    classname = m.__class__.__name__
    if classname.find("Conv") != -1:
        nn.init.normal_(m.weight.data, 0.0, 0.02)
    elif classname.find("BatchNorm") != -1:
        nn.init.normal_(m.weight.data, 1.0, 0.02)
        nn.init.constant_(m.bias.data, 0)


def count(net):
    return sum(parameter.numel() for parameter in net.parameters())


if __name__ == "__main__":
    main()
