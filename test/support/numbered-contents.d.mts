export function numbered(n: number, inPlace: boolean, size?: number): Buffer;
