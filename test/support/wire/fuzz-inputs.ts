import { randomStream } from '../../../src/common/random.js';
import { withChecksum } from '../../../src/wire/checksum.js';
import { encode, type Frames } from '../../../src/wire/codec.js';
import { Choice } from './choice.js';
import { anyMessage } from './fuzz-messages.js';
import { anyProtobuf } from './fuzz-protobuf.js';

/** What a socket could receive, from valid messages to random bytes; the same for the same seed. */
export class FuzzInputs {
  readonly #choice: Choice;

  constructor(seed: number) {
    this.#choice = new Choice(randomStream(seed, 'fuzz inputs'));
  }

  next(): Frames {
    const frames = this.#choice.of([this.#valid, this.#harmed, this.#garbage]).call(this);
    // ZeroMQ delivers Buffers, which protobuf reads by other code than it does plain arrays.
    return this.#choice.chance(0.8)
      ? frames.map((frame) => Buffer.from(frame.buffer, frame.byteOffset, frame.length))
      : frames;
  }

  #valid(): Frames {
    return encode(anyMessage(this.#choice));
  }

  /** A message after one to three changes; its checksum is that of before or of after. */
  #harmed(): Frames {
    const choice = this.#choice;
    let frames: Frames = encode(anyMessage(choice)).slice(0, -1);
    const before = withChecksum(frames);
    for (let changes = choice.number(1, 3); changes > 0; changes--)
      frames = choice.chance(0.8) ? this.#harmFrame(frames) : this.#harmOrder(frames);
    return choice.chance(0.7) ? withChecksum(frames) : [...frames, before[before.length - 1]];
  }

  /** Bytes of one frame: some bits, an end cut off or put on, one end of it and the other of another message. */
  #harmFrame(frames: Frames): Frames {
    const choice = this.#choice;
    if (frames.length === 0) return frames;
    const place = choice.number(0, frames.length - 1);
    const frame = frames[place];
    const cut = choice.number(0, frame.length);
    switch (choice.number(0, 4)) {
      case 0:
        return frames.with(place, frame.subarray(0, cut));
      case 1:
        return frames.with(place, Buffer.concat([frame, choice.bytes(choice.number(1, 16))]));
      case 2: {
        const [other] = encode(anyMessage(choice));
        const from = choice.number(0, other.length);
        return frames.with(place, Buffer.concat([frame.subarray(0, cut), other.subarray(from)]));
      }
      case 3:
        return frames.with(
          place,
          Buffer.concat([frame.subarray(0, cut), anyProtobuf(choice), frame.subarray(cut)]),
        );
      default: {
        if (frame.length === 0) return frames;
        const changed = frame.slice();
        for (let bits = choice.number(1, 4); bits > 0; bits--)
          changed[choice.number(0, frame.length - 1)] ^= 1 << choice.number(0, 7);
        return frames.with(place, changed);
      }
    }
  }

  /** Frames twice, missing, in another order, or another message's. */
  #harmOrder(frames: Frames): Frames {
    const choice = this.#choice;
    const place = choice.number(0, frames.length);
    switch (choice.number(0, 3)) {
      case 0:
        return frames.flatMap((frame, index) => (index === place ? [frame, frame] : [frame]));
      case 1:
        return frames.filter((_, index) => index !== place);
      case 2:
        return frames.toReversed();
      default:
        return frames.toSpliced(place, choice.number(0, 1), ...encode(anyMessage(choice)).slice(0, -1));
    }
  }

  /** Bytes that were never a message, some of which protobuf can read. */
  #garbage(): Frames {
    const choice = this.#choice;
    const frames = Array.from({ length: choice.number(0, 3) }, () =>
      choice.chance(0.7) ? anyProtobuf(choice) : choice.bytes(choice.number(0, 64)),
    );
    return choice.chance(0.9) ? withChecksum(frames) : frames;
  }
}
