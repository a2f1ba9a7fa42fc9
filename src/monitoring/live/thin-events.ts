/**
 * Drops events until at most `keep` are left: each time the oldest of the kind that there is most of. What happened a
 * thousand times loses its beginning before what happened once is lost. Their order stays.
 */
export function thinned<Event extends { readonly kind: string }>(
  events: readonly Event[],
  keep: number,
): Event[] {
  const places = new Map<string, number[]>(); // of each kind's events, newest first
  for (let place = events.length - 1; place >= 0; place--) {
    const { kind } = events[place];
    const known = places.get(kind);
    if (known) known.push(place);
    else places.set(kind, [place]);
  }
  const dropped = new Set<number>();
  while (events.length - dropped.size > keep) {
    const commonest = [...places.values()].reduce((one, other) => (other.length > one.length ? other : one));
    dropped.add(commonest.pop() as number);
  }
  return events.filter((_, place) => !dropped.has(place));
}
