import { fork } from 'node:child_process';
import { createInterface } from 'node:readline';
import { outliveConsole } from '../common/console.js';
import { CrashReport } from '../common/process/crash-report.js';
import { messageOf, UserError } from '../common/errors.js';
import { exitSoon } from '../common/process/exit-now.js';
import { leaveSignalsToParent } from '../common/process/stop-signals.js';

/**
 * Work in a child process of its own: it may take memory and block as it likes, and goes with its parent.
 * The parent calls runChild(), the child's entry file calls serveParent().
 */

type FromChild<Event, Result> =
  | { readonly kind: 'event'; readonly event: Event }
  | { readonly kind: 'done'; readonly result: Result }
  | { readonly kind: 'failed'; readonly message: string; readonly byUser: boolean };

export interface ChildJob<Request, Event> {
  /** Activity for messages: "decoding images". */
  readonly name: string;
  readonly entry: URL;
  readonly request: Request;
  readonly onEvent: (event: Event) => void;
  readonly environment?: Record<string, string>;
  readonly signal?: AbortSignal | undefined;
}

/** Bytes of the child's stderr that are kept to explain its end. */
const STDERR_KEPT = 2000; // characters

/** Rejects with the child's own error, with the signal's reason, or with how the child ended. */
export function runChild<Request extends object, Event, Result>(
  job: ChildJob<Request, Event>,
): Promise<Result> {
  const { name, entry, request, onEvent, environment, signal } = job;
  return new Promise<Result>((resolve, reject) => {
    signal?.throwIfAborted();
    const child = fork(entry, {
      execArgv: [],
      env: { ...process.env, ...environment },
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    let answer: Exclude<FromChild<Event, Result>, { kind: 'event' }> | undefined;
    let stderr = '';
    const crash = new CrashReport();
    if (child.stderr)
      createInterface({ input: child.stderr }).on('line', (line) => {
        if (!crash.take(line)) stderr = `${stderr}${line}\n`.slice(-STDERR_KEPT);
      });
    child.on('message', (message) => {
      const fromChild = message as FromChild<Event, Result>;
      if (fromChild.kind === 'event') onEvent(fromChild.event);
      else answer = fromChild;
    });
    child.on('error', reject); // It could not be started.

    const abort = (): void => void child.kill('SIGKILL');
    signal?.addEventListener('abort', abort, { once: true });
    child.on('close', (code, killedBy) => {
      signal?.removeEventListener('abort', abort);
      if (answer?.kind === 'done') resolve(answer.result);
      else if (signal?.aborted) reject(signal.reason as Error);
      else if (answer) reject(answer.byUser ? new UserError(answer.message) : new Error(answer.message));
      else {
        const end = killedBy ? `was killed by ${killedBy}` : `ended with code ${code}`;
        const why = crash.reason ?? stderr;
        reject(new Error(messageOf(`the process ${name} ${end}${why && `: ${why}`}`)));
      }
    });
    child.send(request, (error) => {
      if (error) abort(); // It is gone already; 'close' tells how.
    });
  });
}

/**
 * Runs the one job of this child process and ends it. When the parent is gone, `leave` removes what is half done
 * and the process ends at once.
 */
export function serveParent<Request>(
  work: (request: Request, emit: (event: object) => void) => Promise<object | undefined>,
  leave: (request: Request) => void = () => undefined,
): void {
  outliveConsole();
  leaveSignalsToParent();
  process.once('message', (message) => {
    const request = message as Request;
    const abandon = (): never => {
      leave(request);
      process.exit(1);
    };
    process.once('disconnect', abandon);
    const answer = (last: FromChild<object, object | undefined>): void => {
      send(last, () => {
        process.off('disconnect', abandon);
        process.disconnect();
        exitSoon(0); // The parent waits for the end, and has the answer.
      });
    };
    work(request, (event) => {
      send({ kind: 'event', event });
    }).then(
      (result) => {
        answer({ kind: 'done', result });
      },
      (error: unknown) => {
        answer({ kind: 'failed', message: messageOf(error), byUser: error instanceof UserError });
      },
    );
  });
}

/** A parent that is gone is told by 'disconnect'; that a message did not reach it is no news. */
function send(message: FromChild<object, object | undefined>, sent: () => void = () => undefined): void {
  process.send?.(message, undefined, undefined, sent);
}
