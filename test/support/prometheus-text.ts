export interface Family {
  readonly type: string;
  readonly help: string;
  /** By name and labels as they stand in the text: dcgan_fake_score{update="before"}. */
  readonly samples: Map<string, number>;
}

/** Parses the Prometheus text format 0.0.4 strictly: every sample belongs to the family that was announced last. */
export function parsePrometheusText(text: string): Map<string, Family> {
  const families = new Map<string, Family>();
  const helps = new Map<string, string>();
  let current = '';
  for (const line of text.split('\n')) {
    if (line === '') continue;
    const help = /^# HELP (\w+) (.+)$/.exec(line);
    const type = /^# TYPE (\w+) (counter|gauge|histogram|summary)$/.exec(line);
    const sample = /^(\w+)(?:\{(?:\w+="[^"\\]*",?)*\})? (\S+)$/.exec(line);
    if (help) {
      helps.set(help[1], help[2]);
    } else if (type) {
      current = type[1];
      families.set(current, { type: type[2], help: helps.get(current) ?? '', samples: new Map() });
    } else if (sample?.[1].startsWith(current)) {
      const name = line.slice(0, line.lastIndexOf(' '));
      families.get(current)?.samples.set(name, parseNumber(sample[2]));
    } else {
      throw new Error(`not a line of the Prometheus text format: ${line}`);
    }
  }
  return families;
}

function parseNumber(text: string): number {
  const number = Number(text.replace(/Inf$/, 'Infinity'));
  if (Number.isNaN(number) && !/^nan$/i.test(text)) throw new Error(`not a number: ${text}`);
  return number;
}
