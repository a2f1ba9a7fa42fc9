import { hasOutlivedHangup } from './hangup.mjs';

/** Milliseconds between looks for the parent process. */
const LOOK_EVERY = 500;

let isFollowed = false;

/**
 * Ends this process by SIGTERM when npm, which has started it as the script of this name, is gone: npm was killed, and
 * whoever did that meant all of it.
 */
export function followNpm(script) {
  if (process.env.npm_lifecycle_event !== script) return;
  isFollowed = true;
  const npm = process.ppid;
  let isMissed = false;
  const timer = setInterval(() => {
    if (process.ppid === npm) return;
    // The hangup that has ended npm may be on its way to this process: it decides what that means for both.
    if (!isMissed) {
      isMissed = true;
      return;
    }
    clearInterval(timer);
    if (!hasOutlivedHangup()) process.kill(process.pid, 'SIGTERM');
  }, LOOK_EVERY);
  timer.unref();
}

/** Tells whether npm passes its own signals on to this process: those that went to the whole group come twice then. */
export function followsNpm() {
  return isFollowed;
}
