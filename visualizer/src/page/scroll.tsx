/**
 * @module scroll: a part that scrolls by itself, so it takes the focus: else no keyboard would
 * reach what is out of view (WCAG 2.1.1).
 */
import type { ComponentChildren } from 'preact';

interface Props {
  readonly label: string;
  readonly className?: string;
  readonly children: ComponentChildren;
}

export function Scroll({ label, className = 'scroll', children }: Props) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: see above
    <section class={className} tabIndex={0} aria-label={label}>
      {children}
    </section>
  );
}
