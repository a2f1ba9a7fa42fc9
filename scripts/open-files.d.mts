export function fileLimit(limits?: string): number;
export function lackOfOpenFiles(limits?: string): string | undefined;
