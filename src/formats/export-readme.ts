import type { ExportFormat, WeightsConfig } from './weights-config.js';

/** Text of the README in an export folder. */
export function exportReadme(config: WeightsConfig): string {
  const { architecture, imageSize, latentSize, step, program } = config;
  return [
    '# A DCGAN generator',
    '',
    `Weights after step ${step}, written by ${program}: architecture \`${architecture}\`, images of ${imageSize} x ` +
      `${imageSize} pixels from ${latentSize} numbers of N(0, 1). \`config.json\` has all sizes.`,
    '',
    ...USE[config.format](config),
    '',
  ].join('\n');
}

const USE: Readonly<Record<ExportFormat, (config: WeightsConfig) => readonly string[]>> = {
  pytorch: ({ latentSize }) => [
    '`generator.safetensors` and `discriminator.safetensors` are state_dicts of the classes in the DCGAN tutorial',
    '(`main.0.weight`, ...):',
    '',
    '```python',
    'import torch',
    'from safetensors.torch import load_file',
    '',
    'generator.load_state_dict(load_file("generator.safetensors"))',
    'generator.eval()',
    `faces = generator(torch.randn(64, ${latentSize}, 1, 1))  # [64, 3, size, size], in [-1, 1]`,
    '```',
  ],
  tfjs: ({ latentSize }) => [
    '`model.json` is a LayersModel of TensorFlow.js, the `.bin` files are its weights. Serve them together:',
    '',
    '```js',
    "const generator = await tf.loadLayersModel('model.json');",
    `const faces = generator.predict(tf.randomNormal([64, ${latentSize}])); // [64, size, size, 3], in [-1, 1]`,
    '```',
  ],
};
