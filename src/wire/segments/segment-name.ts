import { randomBytes } from 'node:crypto';

/** Name under which other processes of this machine find a segment. */
export interface SegmentName {
  readonly process: number;
  readonly descriptor: number;
  readonly bytes: number;
  /** Random token that identifies the segment among all processes, machines and containers. */
  readonly token: string;
}

const FORM = /^(?<process>\d{1,10}):(?<descriptor>\d{1,7}):(?<bytes>\d{1,10}):(?<token>[0-9a-f]{32})$/;

export function newToken(): string {
  return randomBytes(TOKEN_BYTES).toString('hex');
}

export function formatSegmentName({ process: pid, descriptor, bytes, token }: SegmentName): string {
  return [pid, descriptor, bytes, token].join(':');
}

/** Undefined where it is none. */
export function parseSegmentName(text: string): SegmentName | undefined {
  const groups = FORM.exec(text)?.groups;
  if (!groups) return undefined;
  return {
    process: Number(groups['process']),
    descriptor: Number(groups['descriptor']),
    bytes: Number(groups['bytes']),
    token: groups['token'],
  };
}

/** Bytes of a token in a segment's header. */
export const TOKEN_BYTES = 16;
