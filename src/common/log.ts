import { printable } from '#printable';
import { explainLackOfMemory } from './process/address-space.js';
import { report } from './console.js';
import { messageOf } from './errors.js';

/** Log formats: text, or JSON objects for log collectors. */
export const LOG_FORMATS = ['text', 'json'] as const;
export type LogFormat = (typeof LOG_FORMATS)[number];

/** Structured fields of a log line. */
export interface LogFields {
  /** Severity. `debug` lines reach listeners only, not the log. */
  readonly level?: 'debug' | 'info' | 'warn' | 'error';
  /** Kind of event for the run's time line, see EVENT_KINDS. */
  readonly event?: string;
  /** The run's id. */
  readonly run?: string;
  /** The worker's number. */
  readonly worker?: number;
  readonly [name: string]: unknown;
}

/** Reports one event. */
export type Log = (message: string, fields?: LogFields) => void;

/** One for the process, as stderr is. */
let format: LogFormat = 'text';
let context: LogFields = {};

/** From now on lines are written so. */
export function setLogFormat(next: LogFormat): void {
  format = next;
}

export function logsJson(): boolean {
  return format === 'json';
}

/** Adds these fields to every later line. */
export function addLogContext(fields: LogFields): void {
  context = { ...context, ...fields };
}

/** A message as a line, with its end. What names, paths and peers put into it does nothing to a terminal. */
export function logLine(message: string, fields: LogFields = {}): string {
  if (format === 'text') return `${printable(message)}\n`;
  const time = new Date().toISOString();
  return `${printable(JSON.stringify({ time, level: 'info', ...context, ...fields, message }))}\n`;
}

/** A line on stderr, before anything else is shown there. */
export function say(message: string, fields?: LogFields): void {
  report(logLine(message, fields));
}

/** A program's last word: why it failed. */
export function sayFailure(program: string, error: unknown): void {
  const message = explainLackOfMemory(messageOf(error));
  say(format === 'text' ? `${program}: ${message}` : message, { level: 'error' });
}
