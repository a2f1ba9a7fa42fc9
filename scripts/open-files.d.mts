export function lackOfOpenFiles(limits?: string): string | undefined;
