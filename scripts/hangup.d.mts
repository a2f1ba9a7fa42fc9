export function heedHangups(): void;
export function onHangup(listener: (signal: 'SIGHUP') => void): void;
export function offHangup(listener: (signal: 'SIGHUP') => void): void;
export function mayOutliveHangups(): boolean;
export function hasOutlivedHangup(): boolean;
