/** What counters and histograms had counted, as Prometheus names it: dcgan_images_total, dcgan_step_seconds_sum, ... */
export type SavedCounters = readonly SavedCount[];

export interface SavedCount {
  readonly name: string;
  readonly labels: Labels;
  readonly value: number;
}

export type Labels = Readonly<Record<string, string | number>>;

/** Something that counts, and can go on from what was counted before. */
export interface Countable {
  counts(): Promise<SavedCount[]>;
  /** Takes what is its own; names and labels that it does not know are not. */
  continueFrom(saved: SavedCounters): void;
}

/** The counts in a checkpoint's metadata: whatever is no count, or cannot be one, is left out. */
export function parseCounters(json: string | undefined): SavedCounters {
  let parsed: unknown;
  try {
    parsed = JSON.parse(json ?? '[]');
  } catch {
    return [];
  }
  return Array.isArray(parsed) ? parsed.filter(isCount) : [];
}

/** Whether two sets of labels are of the same series. Prometheus knows texts only. */
export function sameLabels(one: Labels, other: Labels): boolean {
  const names = Object.keys(one);
  return (
    names.length === Object.keys(other).length &&
    names.every((name) => name in other && String(one[name]) === String(other[name]))
  );
}

function isCount(entry: unknown): entry is SavedCount {
  if (typeof entry !== 'object' || entry === null) return false;
  const { name, labels, value } = entry as Record<string, unknown>;
  const isNumber = typeof value === 'number' && Number.isFinite(value) && value >= 0;
  return isNumber && typeof name === 'string' && isLabels(labels);
}

function isLabels(labels: unknown): boolean {
  if (typeof labels !== 'object' || labels === null) return false;
  return Object.values(labels).every((value) => ['string', 'number'].includes(typeof value));
}
