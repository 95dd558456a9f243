import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const script = fileURLToPath(new URL('../../scripts/check-gpu.mjs', import.meta.url));

// A machine with a driver runs the check itself: `npm run check:gpu`.
it.skipIf(existsSync('/proc/driver/nvidia'))(
  'npm run check:gpu says that there is no GPU and exits with 7',
  () => {
    const { status, stderr } = spawnSync(process.execPath, [script], {
      encoding: 'utf8',
      env: { PATH: '' },
    });
    expect(status).toBe(7);
    expect(stderr).toContain('no NVIDIA GPU is found here');
  },
);
