/**
 * Why a message is dropped; the label of dcgan_wire_rejected_total.
 *
 * handshake: not ZeroMQ, or not this security. undecodable: not one of our messages. out_of_range: a field that
 * cannot be. out_of_sequence: one before it is missing, or it came before. unknown_sender: not a worker of this run.
 * wrong_run, wrong_generation: meant for another. unexpected: nothing that was asked for.
 */
export const REJECTION_REASONS = [
  'handshake',
  'undecodable',
  'out_of_range',
  'out_of_sequence',
  'unknown_sender',
  'wrong_run',
  'wrong_generation',
  'unexpected',
] as const;
export type RejectionReason = (typeof REJECTION_REASONS)[number];

/** Thrown for a message that is to be dropped and counted. It costs its sender only. */
export class Rejection extends Error {
  override readonly name = 'Rejection';

  constructor(
    readonly reason: RejectionReason,
    message: string,
  ) {
    super(message);
  }
}
