export function numbered(n: number, inPlace: boolean): Buffer;
