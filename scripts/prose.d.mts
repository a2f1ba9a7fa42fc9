export interface Idiom {
  readonly line: number;
  readonly name: string;
  readonly words: string;
  readonly instead: string;
}
export function findIdioms(markdown: string): Idiom[];
export function countWords(markdown: string): number;
export interface DocComment {
  readonly line: number;
  readonly text: string;
  readonly isWeak: boolean;
}
export function docComments(source: string): DocComment[];
