import { Content, type Message } from './message.js';

const OF_ONE_GENERATION: readonly Content[] = [Content.GRADIENT, Content.AVERAGE, Content.OPERAND];

/**
 * Returns whether a message belongs to one generation of the run, and means nothing in another: what computes and averages.
 * Copies, images and signs of life are the same in all.
 */
export function isOfOneGeneration(message: Message): boolean {
  switch (message.kind) {
    case 'prepared':
    case 'compute':
    case 'shardDone':
    case 'apply':
    case 'averaged':
    case 'unreachable':
    case 'greeting':
    case 'sharedChunk':
      return true;
    case 'chunk':
      return OF_ONE_GENERATION.includes(message.body.content);
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
