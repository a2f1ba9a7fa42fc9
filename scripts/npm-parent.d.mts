export function followNpm(script: string): void;
export function followsNpm(): boolean;
