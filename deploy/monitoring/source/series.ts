import {
  METRICS,
  type LabelOf,
  type MetricName,
  type MetricOfType,
  type ProcessMetricName,
} from '../../../src/monitoring/metrics/definitions.js';

type Definitions = typeof METRICS;
/** Labels of a metric, each with a value that it can have. */
type Labels<Name extends MetricName> = {
  readonly [Label in LabelOf<Name>]?: Label extends keyof Definitions[Name]['labels']
    ? Definitions[Name]['labels'][Label] extends readonly (infer Value)[]
      ? Value
      : never
    : never;
};

/** Series of the trainer, written as PromQL: a name or a label that the trainer does not have is a type error. */
export class Selection {
  /** `matchers` of labels that Prometheus adds, such as instance="a". */
  constructor(private readonly matchers: readonly string[] = []) {}

  /** dcgan_fake_score{instance="a",update="before"} */
  of<Name extends MetricName>(name: Name, labels: Labels<Name> = {}): string {
    return this.#select(name, matching('=', labels));
  }

  /** The series that have other labels. */
  except<Name extends MetricName>(name: Name, labels: Labels<Name>): string {
    return this.#select(name, matching('!=', labels));
  }

  sumOf<Name extends MetricOfType<'histogram'>>(name: Name, labels: Labels<Name> = {}): string {
    return this.#select(`${name}_sum`, matching('=', labels));
  }

  countOf<Name extends MetricOfType<'histogram'>>(name: Name, labels: Labels<Name> = {}): string {
    return this.#select(`${name}_count`, matching('=', labels));
  }

  bucketsOf(name: MetricOfType<'histogram'>): string {
    return this.#select(`${name}_bucket`);
  }

  ofProcess(name: ProcessMetricName): string {
    return this.#select(name);
  }

  /** What is not the trainer's own: recorded series, up, ALERTS. */
  other(name: string, ...matchers: readonly string[]): string {
    return this.#select(name, matchers);
  }

  #select(name: string, matchers: readonly string[] = []): string {
    const all = [...this.matchers, ...matchers];
    return all.length === 0 ? name : `${name}{${all.join(',')}}`;
  }
}

function matching(operator: '=' | '!=', labels: object): string[] {
  return Object.entries(labels).map(([label, value]) => `${label}${operator}"${String(value)}"`);
}

/** Increase of a counter, without what increase() adds by extrapolation: counts of losses are whole. */
export function increase(counter: string, window: string): string {
  return `round(increase(${counter}[${window}]))`;
}

/** Increase per second. */
export function rate(counter: string, window: string): string {
  return `rate(${counter}[${window}])`;
}

/** Mean of a histogram's observations in a window. */
export function mean(sum: string, count: string, window: string): string {
  return `rate(${sum}[${window}]) / rate(${count}[${window}])`;
}
