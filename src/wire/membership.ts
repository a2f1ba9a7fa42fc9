import { Content, type Message } from './message.js';

/**
 * Whether a message belongs to one membership of the run, and means nothing in another: what computes and averages.
 * Copies, images and signs of life are the same in all.
 */
export function isOfOneGeneration(message: Message): boolean {
  switch (message.kind) {
    case 'prepared':
    case 'compute':
    case 'shardDone':
    case 'apply':
      return true;
    case 'chunk':
      return message.body.content === Content.GRADIENT || message.body.content === Content.AVERAGE;
    case 'hello':
    case 'welcome':
    case 'refusal':
    case 'ready':
    case 'assignment':
    case 'snapshot':
    case 'snapshotTaken':
    case 'fetch':
    case 'stop':
    case 'failure':
    case 'ping':
      return false;
  }
}
