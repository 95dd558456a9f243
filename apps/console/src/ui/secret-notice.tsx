import type { JSX } from 'preact';
import { useRef, useState } from 'preact/hooks';

/** A secret that the coordinator tells this once: it stays until it is put away. */
export function SecretNotice({
  title,
  secret,
  onDone,
}: {
  readonly title: string;
  readonly secret: string;
  readonly onDone: () => void;
}): JSX.Element {
  const field = useRef<HTMLInputElement>(null);
  const [isCopied, setCopied] = useState(false);
  const copy = async (): Promise<void> => {
    // Browsers have a clipboard only on encrypted pages and this machine's own.
    if ('clipboard' in navigator) {
      await navigator.clipboard.writeText(secret);
      setCopied(true);
    } else field.current?.select();
  };
  return (
    <section class="notice secret" aria-label={title}>
      <p role="status">
        <strong>{title}</strong> It is shown this once and stored nowhere: keep it now.
      </p>
      <input
        ref={field}
        type="text"
        readonly
        aria-label="Secret"
        value={secret}
        onFocus={(event) => {
          event.currentTarget.select();
        }}
      />
      <span class="tools">
        <button type="button" onClick={() => void copy()}>
          {isCopied ? 'Copied' : 'Copy'}
        </button>
        <button type="button" onClick={onDone}>
          I have stored it
        </button>
      </span>
    </section>
  );
}
