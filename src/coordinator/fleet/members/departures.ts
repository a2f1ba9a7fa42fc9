import type { Membership } from './admission.js';
import type { Recovery } from './recovery.js';
import type { Member, Roster } from './roster.js';

export interface DeparturesParts {
  readonly roster: Roster;
  readonly recovery: Recovery;
  readonly membership: Pick<Membership, 'lose'>;
}

/**
 * Workers that are about to leave, and have what nobody else has: what int8 left of their shards' gradients. They hand it
 * on first. A round that is under way they compute to its end.
 */
export class Departures {
  readonly #reasons = new Map<Member, string>();

  constructor(private readonly parts: DeparturesParts) {}

  announced(member: Member, reason: string): void {
    this.#reasons.set(member, reason);
    if (!this.parts.recovery.isGrouped(member.number)) this.#dismiss(member);
  }

  /** Before a round: those that leave have no part in it, and their shards go to the others while they can be asked. */
  begin(): void {
    const { roster, recovery } = this.parts;
    for (const member of this.#reasons.keys())
      if (roster.get(member.number) !== member) this.#reasons.delete(member);
    const leaving = [...this.#reasons.keys()];
    const stays = (worker: number): boolean => leaving.every(({ number }) => number !== worker);
    const isLeftToOthers = recovery.holders().some(stays);
    for (const member of leaving)
      if (isLeftToOthers) recovery.leave(member.number);
      // Nobody could take what it has, with or without its state.
      else this.#dismiss(member);
  }

  /** A membership without them is complete. */
  end(): void {
    for (const member of this.#reasons.keys())
      if (!this.parts.recovery.isGrouped(member.number)) this.#dismiss(member);
  }

  #dismiss(member: Member): void {
    const reason = this.#reasons.get(member) ?? '';
    this.#reasons.delete(member);
    this.parts.membership.lose(member, 'exited', `cannot go on: ${reason}`);
  }
}
