import type { JobSpec } from '@skipring/protocol';
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { stringify } from 'yaml';

export function SpecTab({ spec }: { readonly spec: JobSpec }): JSX.Element {
  const [form, setForm] = useState<'yaml' | 'json'>('yaml');
  const [isCopied, setCopied] = useState(false);
  const text = form === 'yaml' ? stringify(spec) : JSON.stringify(spec, undefined, 2);
  return (
    <>
      <div class="tools">
        <label>
          As{' '}
          <select
            value={form}
            onChange={(event) => {
              setForm(event.currentTarget.value as 'yaml' | 'json');
            }}
          >
            <option value="yaml">YAML</option>
            <option value="json">JSON</option>
          </select>
        </label>
        <button
          type="button"
          onClick={() => {
            void navigator.clipboard.writeText(text).then(() => {
              setCopied(true);
            });
          }}
        >
          {isCopied ? 'Copied' : 'Copy'}
        </button>
      </div>
      <pre class="code" tabIndex={0} aria-label="Job spec">
        {text}
      </pre>
    </>
  );
}
