import { decode, type Frames } from '../../../src/wire/codec.js';
import { Rejection, type RejectionReason } from '../../../src/wire/rejection.js';

/** What becomes of these frames: a message, or the reason they are rejected for. Whatever else is thrown goes on. */
export function fate(frames: Frames): 'message' | RejectionReason {
  try {
    decode(frames);
    return 'message';
  } catch (error) {
    if (error instanceof Rejection) return error.reason;
    throw error;
  }
}
