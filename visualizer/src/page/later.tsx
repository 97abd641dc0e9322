/**
 * @module later: a part of the page that is loaded when it is shown. The page opens with no
 * recording, so what only recordings have is no part of the first load.
 */
import type { ComponentType } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { notice } from '../store.ts';

interface Props {
  /** The same function each time. */
  readonly load: () => Promise<ComponentType>;
}

export function Later({ load }: Props) {
  const [Part, setPart] = useState<ComponentType | null>(null);
  useEffect(() => {
    load().then(
      (part) => setPart(() => part),
      (error: Error) => {
        notice.value = `A part of the page could not be loaded: ${error.message}`;
      },
    );
  }, [load]);
  return Part && <Part />;
}
