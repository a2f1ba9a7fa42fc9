import { Counter, type Histogram, type Registry } from 'prom-client';
import {
  sameLabels,
  type Countable,
  type Labels,
  type SavedCount,
  type SavedCounters,
} from '../../run/checkpoint/saved-counters.js';

export interface MetricOptions<Label extends string> {
  readonly name: string;
  readonly help: string;
  readonly labelNames?: readonly Label[];
  readonly registry: Registry;
}

/** prom-client's counter, which can be set to what was counted before. */
export class ContinuedCounter<Label extends string = never> implements Countable {
  readonly #counter: Counter<Label>;
  readonly #name: string;
  readonly #labelNames: readonly string[];

  constructor({ name, help, labelNames = [], registry }: MetricOptions<Label>) {
    this.#counter = new Counter({ name, help, labelNames, registers: [registry] });
    this.#name = name;
    this.#labelNames = labelNames;
  }

  inc(labels: Readonly<Record<Label, string>>, by = 1): void {
    this.#counter.inc(labels, by);
  }

  async counts(): Promise<SavedCount[]> {
    const { values } = await this.#counter.get();
    return values.map(({ labels, value }) => ({ name: this.#name, labels: labels as Labels, value }));
  }

  continueFrom(saved: SavedCounters): void {
    for (const { name, labels, value } of saved) {
      const given = Object.keys(labels);
      const isOurs = name === this.#name && given.length === this.#labelNames.length;
      if (isOurs && given.every((label) => this.#labelNames.includes(label)))
        this.#counter.inc(labels as Record<Label, string>, value);
    }
  }
}

interface Series {
  readonly labels: Labels;
  /** Of each bucket with the smaller ones, as Prometheus wants it; the last one's bound is infinite. */
  readonly counts: number[];
  sum: number;
}

/** A histogram that can go on from what was counted before, which prom-client's cannot. */
export class ContinuedHistogram<Label extends string = never> implements Countable {
  readonly #series: Series[] = [];
  readonly #bounds: readonly (number | string)[];

  constructor(
    private readonly options: MetricOptions<Label>,
    buckets: readonly number[],
  ) {
    this.#bounds = [...buckets, '+Inf'];
    if ((options.labelNames ?? []).length === 0) this.#seriesOf({});
    const { name, help } = options;
    // The registry asks for no more than this of a metric.
    const metric = { name, help, type: 'histogram', get: () => this.#get() };
    options.registry.registerMetric(metric as unknown as Histogram);
  }

  /** A series that has nothing in it yet. */
  zero(labels: Readonly<Record<Label, string>>): void {
    this.#seriesOf(labels);
  }

  observe(labels: Readonly<Record<Label, string>>, value: number): void {
    const series = this.#seriesOf(labels);
    for (const [index, bound] of this.#bounds.entries())
      if (typeof bound === 'string' || value <= bound) series.counts[index]++;
    series.sum += value;
  }

  counts(): Promise<SavedCount[]> {
    const { name } = this.options;
    const counts = this.#series.flatMap(({ labels, counts, sum }) => [
      ...this.#bounds.map((le, index) => ({
        name: `${name}_bucket`,
        labels: { le, ...labels },
        value: counts[index],
      })),
      { name: `${name}_sum`, labels, value: sum },
      { name: `${name}_count`, labels, value: counts[counts.length - 1] },
    ]);
    return Promise.resolve(counts);
  }

  continueFrom(saved: SavedCounters): void {
    const { name } = this.options;
    for (const series of this.#series)
      for (const count of saved) {
        const { le, ...labels } = count.labels;
        if (!sameLabels(labels, series.labels)) continue;
        const bucket = this.#bounds.findIndex((bound) => String(bound) === String(le));
        if (count.name === `${name}_sum`) series.sum += count.value;
        else if (count.name === `${name}_bucket` && bucket >= 0) series.counts[bucket] += count.value;
      }
  }

  #seriesOf(labels: Labels): Series {
    const known = this.#series.find((series) => sameLabels(series.labels, labels));
    if (known) return known;
    const series = { labels, counts: this.#bounds.map(() => 0), sum: 0 };
    this.#series.push(series);
    return series;
  }

  async #get(): Promise<object> {
    const { name, help } = this.options;
    const values = (await this.counts()).map(({ name: metricName, ...rest }) => ({ metricName, ...rest }));
    return { name, help, type: 'histogram', values };
  }
}
