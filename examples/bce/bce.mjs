// The tutorial's example of BCELoss, step by step: what it gives for nine outputs of a discriminator.
// node examples/bce/bce.mjs

// D's belief that each of 3 x 3 images is real: what Sigmoid makes of its nine logits.
const probabilities = [
  [0.8172, 0.8648, 0.4122],
  [0.3266, 0.6902, 0.562],
  [0.2024, 0.2884, 0.5554],
];
// 1: the image is real. 0: it is generated.
const targets = [
  [0, 1, 1],
  [1, 1, 0],
  [0, 0, 0],
];

const digits = (value) => value.toFixed(4).padStart(7);

console.log('Sigmoid puts each logit x between 0 and 1: p = 1 / (1 + exp(-x)), so x = log(p / (1 - p)).');
const logits = probabilities.map((row) => row.map((p) => Math.log(p / (1 - p))));
for (const [i, row] of logits.entries())
  console.log(
    `  logits ${row.map(digits).join(' ')}   probabilities ${probabilities[i].map(digits).join(' ')}`,
  );

console.log('\nEach costs r = y * log(p) + (1 - y) * log(1 - p), of which y leaves one half:');
let sum = 0;
for (let i = 0; i < 3; i++)
  for (let j = 0; j < 3; j++) {
    const [p, y] = [probabilities[i][j], targets[i][j]];
    const r = y * Math.log(p) + (1 - y) * Math.log(1 - p);
    sum += r;
    console.log(`  r${i + 1}${j + 1} = ${y === 1 ? `log(${p})` : `log(1 - ${p})`} = ${digits(r)}`);
  }
console.log(`\nBCELoss is minus their mean: -(1/9) * ${digits(sum).trim()} = ${(-sum / 9).toFixed(4)}`);

// The same from the logits: -log(sigmoid(x)) = softplus(-x) and -log(1 - sigmoid(x)) = softplus(x). For a logit of 800,
// p is 1 and log(1 - p) is -Infinity; softplus is 800.
const softplus = (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
let withLogits = 0;
for (let i = 0; i < 3; i++)
  for (let j = 0; j < 3; j++) withLogits += softplus(targets[i][j] === 1 ? -logits[i][j] : logits[i][j]) / 9;
console.log(`BCEWithLogitsLoss, which this trainer computes, needs no Sigmoid: ${withLogits.toFixed(4)}`);
