import { element, made } from './dom.js';

/** Options of a run, by name. */
export function showOptions(info: {
  engine: string;
  version: string;
  options: Readonly<Record<string, string>>;
}): void {
  const all = { ...info.options, engine: info.engine || info.options['engine'], version: info.version };
  const entries = Object.entries(all).filter(([, value]) => value);
  element('options').replaceChildren(
    ...entries
      .sort(([one], [other]) => one.localeCompare(other))
      .map(([name, value]) => {
        const pair = made('div');
        pair.append(made('dt', spoken(name)), made('dd', value));
        return pair;
      }),
  );
}

/** sampleEvery -> "sample every" */
function spoken(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}
