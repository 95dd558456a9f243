import type { SplitName } from '@skipring/protocol';
import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { useClient } from '../client-context.js';

/** A sample's picture. It is fetched with the token, which an address in `src` could not carry. */
export function SamplePicture({
  dataSet,
  split,
  sample,
  title,
}: {
  readonly dataSet: string;
  readonly split: SplitName;
  readonly sample: number;
  readonly title: string;
}): JSX.Element {
  const client = useClient();
  const [url, setUrl] = useState<string | null>(null);
  const [isMissing, setMissing] = useState(false);
  useEffect(() => {
    let isCurrent = true;
    let made: string | null = null;
    client.samplePicture(dataSet, split, sample).then(
      (picture) => {
        if (!isCurrent) return;
        made = URL.createObjectURL(picture);
        setUrl(made);
      },
      () => {
        if (isCurrent) setMissing(true);
      },
    );
    return () => {
      isCurrent = false;
      if (made !== null) URL.revokeObjectURL(made);
    };
  }, [client, dataSet, split, sample]);
  if (url === null) {
    return (
      <span class="picture" role="img" aria-label={`${title}${isMissing ? ', not found' : ''}`} />
    );
  }
  return <img class="picture" src={url} alt={title} title={title} />;
}
