/**
 * Keeps a job from overlapping itself. Calls made while it runs share one further run, which starts when this
 * one has ended: so each caller's run begins after its call, and no queue grows.
 */
export function oneAtATime<Result>(job: () => Promise<Result>): () => Promise<Result> {
  let running: Promise<Result> | undefined;
  let next: Promise<Result> | undefined;

  const start = (): Promise<Result> => {
    next = undefined;
    const run = job().finally(() => {
      if (running === run) running = undefined;
    });
    running = run;
    return run;
  };
  return () => {
    if (next !== undefined) return next;
    if (running === undefined) return start();
    return (next = running.then(start, start));
  };
}
