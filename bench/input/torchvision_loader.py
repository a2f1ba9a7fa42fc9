"""One epoch of the tutorial's input pipeline: prints images a second. Imports are not counted, workers are.

    python torchvision_loader.py FOLDER SIZE BATCH WORKERS
"""

import sys
import time

import torch
from torchvision import datasets, transforms

folder, size, batch, workers = sys.argv[1], *map(int, sys.argv[2:])
dataset = datasets.ImageFolder(
    root=folder,
    transform=transforms.Compose(
        [
            transforms.Resize(size),
            transforms.CenterCrop(size),
            transforms.ToTensor(),
            transforms.Normalize((0.5, 0.5, 0.5), (0.5, 0.5, 0.5)),
        ]
    ),
)
loader = torch.utils.data.DataLoader(dataset, batch_size=batch, shuffle=True, num_workers=workers)
start = time.perf_counter()
images = sum(len(faces) for faces, _ in loader)
print(images / (time.perf_counter() - start))
