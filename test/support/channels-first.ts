/** [batch, size, size, channels] -> [batch, channels, size, size], as PyTorch lays images out. */
export function channelsFirst(images: Float32Array, size: number, channels = 3): Float32Array {
  const image = size * size * channels;
  return images.map((_, i) => {
    const channel = Math.floor((i % image) / (size * size));
    const pixel = i % (size * size);
    return images[i - (i % image) + pixel * channels + channel];
  });
}
