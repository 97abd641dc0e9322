export type Kind = 'whole' | 'inPlace' | 'lines';
export function contentsOf(kind: Kind, n: number): Buffer;
export function numberOf(kind: Kind, contents: Uint8Array): number;
