import { messageOf } from '../../common/errors.js';
import type { Log } from '../../common/log.js';
import { Rejection } from '../rejection.js';
import { loadLibc, type Libc } from './libc.js';
import { OtherSegment } from './other-segment.js';
import { OwnSegment, type Place } from './own-segment.js';
import { parseSegmentName } from './segment-name.js';

/** Opens this process's segment with room for so many bytes; undefined where there is to be none, or can be none. */
export type OpenSegments = (room: number) => Promise<Segments | undefined>;

/**
 * Opens the process's segments. If the system has no shared memory, all data travel in messages, and the log has the
 * reason.
 */
export function openSegments(log: Log): OpenSegments {
  return (room) =>
    Segments.open(room).catch((error: unknown) => {
      log(`no memory to share with other processes of this machine: ${messageOf(error)}`, { level: 'debug' });
      return undefined;
    });
}

/**
 * This process's segment, and those of others of its machine that it reads. What one process places, another one reads
 * where it lies, so that it is copied once instead of into a socket and out of it again. Either can do without: each says
 * in its own segment whose it reads, and what is for a process that does not say so comes by message.
 */
export class Segments {
  readonly #others = new Map<string, OtherSegment>();

  private constructor(
    private readonly libc: Libc,
    private readonly own: OwnSegment,
  ) {}

  /** Room for so many bytes. Rejects where this system has no such memory, or gives none. */
  static async open(room: number): Promise<Segments> {
    const libc = await loadLibc();
    return new Segments(libc, new OwnSegment(libc, room));
  }

  /** For others to read this process's segment; see `readOnly`. */
  get name(): string {
    return this.own.name;
  }

  /** Reads these segments from now on, as far as they can be read here, and no others. */
  readOnly(names: readonly string[]): void {
    for (const [name, other] of this.#others)
      if (!names.includes(name)) {
        this.#others.delete(name);
        other.close();
      }
    for (const name of names) this.#open(name);
    this.own.header.sayReads([...this.#others.values()].map((other) => other.name.token));
  }

  /** To be called when all readers have read, or will not use, the earlier data. */
  beginAnew(): void {
    this.own.beginAnew();
  }

  /** Puts a payload where the owner of this segment reads it; undefined where it does not, or there is no room. */
  placeFor(name: string, payload: Uint8Array): Place | undefined {
    return this.#others.get(name)?.header.reads(this.own.tokenBytes) ? this.own.place(payload) : undefined;
  }

  /** Returns data that its owner placed; see OtherSegment. Throws a Rejection. */
  view(name: string, place: Place): Uint8Array {
    return this.#of(name).view(place);
  }

  requireUnchanged(name: string, place: Place): void {
    this.#of(name).requireUnchanged(place);
  }

  close(): void {
    this.readOnly([]);
    this.own.close();
  }

  #of(name: string): OtherSegment {
    const other = this.#others.get(name);
    if (!other) throw new Rejection('unexpected', 'a place in a segment that is not read here');
    return other;
  }

  #open(name: string): void {
    const parsed = parseSegmentName(name);
    if (!parsed || this.#others.has(name)) return;
    try {
      this.#others.set(name, new OtherSegment(this.libc, parsed));
    } catch {
      // It is another machine's, container's or user's: that is as it should be, and is told to nobody.
    }
  }
}
