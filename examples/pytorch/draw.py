"""Draws faces with a generator that `coordinator export --format pytorch` has written.

Usage: python3 draw.py FOLDER [--count 64] [--seed 0] [--out faces.png]
"""

import argparse
import struct
import zlib

import torch

import dcgan
import weights


def write_png(path, pixels):
    """pixels: [height, width, 3], bytes"""
    height, width, _ = pixels.shape
    rows = b"".join(b"\0" + row.numpy().tobytes() for row in pixels.contiguous())
    chunks = [
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)),
        (b"IDAT", zlib.compress(rows)),
        (b"IEND", b""),
    ]
    with open(path, "wb") as file:
        file.write(b"\x89PNG\r\n\x1a\n")
        for kind, data in chunks:
            check = zlib.crc32(kind + data)
            file.write(struct.pack(">I", len(data)) + kind + data + struct.pack(">I", check))


def main():
    parser = argparse.ArgumentParser(description="Draws faces with an exported generator.")
    parser.add_argument("folder")
    parser.add_argument("--count", type=int, default=64)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", default="faces.png")
    given = parser.parse_args()

    generator = dcgan.generator_of(weights.load(f"{given.folder}/generator.safetensors"))
    latent = generator.main[0].in_channels
    torch.manual_seed(given.seed)
    noise = torch.randn(given.count, latent, 1, 1)
    with torch.no_grad():
        faces = generator(noise)  # [count, 3, size, size], in [-1, 1]

    size, columns = faces.shape[-1], min(8, given.count)
    rows = -(-given.count // columns)
    grid = torch.zeros(rows * size, columns * size, 3, dtype=torch.uint8)
    bytes_ = ((faces + 1) * 127.5).round().clamp(0, 255).to(torch.uint8).permute(0, 2, 3, 1)
    for i, face in enumerate(bytes_):
        y, x = i // columns * size, i % columns * size
        grid[y : y + size, x : x + size] = face
    write_png(given.out, grid)
    print(f"{given.out}: {given.count} faces")


if __name__ == "__main__":
    main()
