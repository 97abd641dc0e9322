export function receive(_address: string, _listener: { onRecords: (r: readonly never[]) => void; onGap: (a: number, b: number) => void }): void {}
