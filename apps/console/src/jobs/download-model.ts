import type { SkipringClient } from '@skipring/client';
import type { JobView } from '@skipring/protocol';

/**
 * Saves a job's model as a file, once its SHA-256 is that of the job.
 * @throws Error when it is another
 */
export async function downloadModel(client: SkipringClient, job: JobView): Promise<void> {
  const bytes = await new Response(await client.model(job.id)).arrayBuffer();
  const sha256 = await sha256Of(bytes);
  if (sha256 !== null && sha256 !== job.modelSha256) {
    throw new Error(
      `the model that arrived has the SHA-256 ${sha256}, expected ${job.modelSha256 ?? 'none'}`,
    );
  }
  const url = URL.createObjectURL(new Blob([bytes], { type: 'application/octet-stream' }));
  const link = document.createElement('a');
  link.href = url;
  link.download = `${job.name}.safetensors`;
  link.click();
  setTimeout(() => {
    URL.revokeObjectURL(url);
  }, 60_000);
}

/** Null on a page without encryption and not of this machine: browsers hash nothing there. */
async function sha256Of(bytes: ArrayBuffer): Promise<string | null> {
  if (!isSecureContext) return null;
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
