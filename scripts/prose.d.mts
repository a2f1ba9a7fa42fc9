export interface Idiom {
  readonly line: number;
  readonly name: string;
  readonly words: string;
  readonly instead: string;
}
export function findIdioms(markdown: string): Idiom[];
export function countWords(markdown: string): number;
