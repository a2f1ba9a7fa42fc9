"""Times the DCGAN training step in Keras under tf.function on random images, and prints one line of JSON.

    python keras_step.py --batch 64 --threads 2 [--bf16]

The networks and the order of the work are those of pytorch_step.py.
"""

import os

# Without AVX512-VNNI in the processor TensorFlow leaves oneDNN's kernels off, and takes twice as long.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

from math import log2  # noqa: E402

import keras  # noqa: E402
import tensorflow as tf  # noqa: E402
from keras import layers  # noqa: E402

from measure import (  # noqa: E402
    BETA1,
    CHANNELS,
    FEATURES,
    LATENT_SIZE,
    LEARNING_RATE,
    print_result,
    step_arguments,
    time_steps,
)

# The logits and the images are float32 under mixed_bfloat16 too, as Keras's guide has it.
FULL = "float32"


def stages(image_size):
    return int(log2(image_size // 4))


def normal(mean=0.0):
    """A new one for each layer: Keras's initializers draw the same numbers each time they are asked."""
    return keras.initializers.RandomNormal(mean, 0.02)


def batch_norm():
    return layers.BatchNormalization(momentum=0.9, epsilon=1e-5, gamma_initializer=normal(1.0))


def convolution(kind, channels, strides=2, padding="same"):
    return kind(channels, 4, strides, padding, use_bias=False, kernel_initializer=normal())


def build_generator(architecture, image_size):
    widest = stages(image_size) - (1 if architecture == "tutorial" else 0)
    channels = [FEATURES * 2 ** (widest - i) for i in range(stages(image_size))]
    # A transposed convolution of a 1 x 1 map is a matrix product.
    net = [
        layers.Dense(4 * 4 * channels[0], use_bias=False, kernel_initializer=normal()),
        layers.Reshape((4, 4, channels[0])),
        batch_norm(),
        layers.ReLU(),
    ]
    for width in channels[1:]:
        net += [convolution(layers.Conv2DTranspose, width), batch_norm(), layers.ReLU()]
    net += [convolution(layers.Conv2DTranspose, CHANNELS), layers.Activation("tanh", dtype=FULL)]
    return keras.Sequential([keras.Input((LATENT_SIZE,)), *net])


def build_discriminator(image_size):
    net = [convolution(layers.Conv2D, FEATURES), layers.LeakyReLU(0.2)]
    for stage in range(1, stages(image_size)):
        net += [convolution(layers.Conv2D, FEATURES * 2**stage), batch_norm(), layers.LeakyReLU(0.2)]
    net += [convolution(layers.Conv2D, 1, 1, "valid"), layers.Flatten(dtype=FULL)]
    return keras.Sequential([keras.Input((image_size, image_size, CHANNELS)), *net])


def build_step(generator, discriminator, batch):
    adams = [keras.optimizers.Adam(LEARNING_RATE, BETA1, epsilon=1e-8) for _ in range(2)]
    weights = [[weight.value for weight in net.trainable_variables] for net in (discriminator, generator)]
    for adam, variables in zip(adams, weights):
        adam.build(variables)

    def loss(logits, label):
        return tf.reduce_mean(
            tf.nn.sigmoid_cross_entropy_with_logits(tf.fill(tf.shape(logits), label), logits)
        )

    @tf.function
    def step(real):
        """D on real and on fake images as two batches, then G through the new D, on the same images."""
        noise = tf.random.normal((batch, LATENT_SIZE))
        with tf.GradientTape(watch_accessed_variables=False) as tapeG:
            tapeG.watch(weights[1])
            fake = generator(noise, training=True)
            with tapeG.stop_recording():
                with tf.GradientTape(watch_accessed_variables=False) as tapeD:
                    tapeD.watch(weights[0])
                    on_real = discriminator(real, training=True)
                    on_fake = discriminator(fake, training=True)
                    errD = loss(on_real, 1.0) + loss(on_fake, 0.0)
                adams[0].apply(tapeD.gradient(errD, weights[0]), weights[0])
            judged = discriminator(fake, training=True)
            errG = loss(judged, 1.0)
        adams[1].apply(tapeG.gradient(errG, weights[1]), weights[1])
        scores = [tf.reduce_mean(tf.sigmoid(logits)) for logits in (on_real, on_fake, judged)]
        return tf.stack([errD, errG, *scores])

    return lambda real: step(real).numpy().tolist()


def main():
    options = step_arguments(__doc__.splitlines()[0]).parse_args()
    if options.device == "cpu":
        tf.config.set_visible_devices([], "GPU")
    elif not tf.config.list_physical_devices("GPU"):
        raise SystemExit("TensorFlow sees no GPU")
    tf.config.threading.set_intra_op_parallelism_threads(options.threads)
    keras.utils.set_random_seed(999)
    if options.bf16:
        keras.mixed_precision.set_dtype_policy("mixed_bfloat16")
    generator = build_generator(options.architecture, options.image_size)
    discriminator = build_discriminator(options.image_size)
    step = build_step(generator, discriminator, options.batch)
    shape = (options.batch, options.image_size, options.image_size, CHANNELS)

    def draw():
        # To bring them to the GPU is part of the step.
        with tf.device("CPU:0"):
            return tf.random.uniform(shape, -1, 1)

    result = time_steps(options, draw, step)
    counts = {"generator": count(generator), "discriminator": count(discriminator)}
    version = f"tensorflow {tf.__version__}, keras {keras.__version__}"
    print_result(result | {"parameters": counts, "version": version})


def count(net):
    return sum(int(tf.size(weight)) for weight in net.trainable_variables)


if __name__ == "__main__":
    main()
