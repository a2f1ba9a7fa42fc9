/** From tanh's range to 0 .. 255: the same face has the same bytes whatever is drawn beside it. */
export function faceBytes(images: Float32Array): Uint8Array {
  const bytes = new Uint8Array(images.length);
  images.forEach((value, index) => {
    bytes[index] = Math.round((value + 1) * 127.5);
  });
  return bytes;
}
