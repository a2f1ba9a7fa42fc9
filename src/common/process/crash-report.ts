/** Lines with which V8, Node and TensorFlow begin to report that they abort the process. Stack traces follow. */
const BEGINNING =
  /^(<--- |FATAL ERROR: |# Fatal |-+ Native stack trace -+$|\*\*\* Check failure stack trace)/;

/** V8 names its own source on the line before. */
const FATAL = /^(?:FATAL ERROR: |# (?!Fatal error in)(?:Fatal )?)(?<reason>\S.*)$/;

/** Takes the report of a crash out of what a process writes to stderr, some 50 lines, and keeps the reason. */
export class CrashReport {
  #hasBegun = false;
  #reason: string | undefined;

  /** Returns whether the line is a part of the report. */
  take(line: string): boolean {
    this.#hasBegun ||= BEGINNING.test(line);
    const reason = this.#hasBegun ? FATAL.exec(line)?.groups?.['reason'] : undefined;
    if (reason !== undefined)
      this.#reason ??= /out of memory/i.test(reason) ? `it ran out of memory (${reason})` : reason;
    return this.#hasBegun;
  }

  /** Undefined if the process did not report a crash. */
  get reason(): string | undefined {
    return this.#reason;
  }
}
