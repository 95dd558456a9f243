import type { DataSetRegistration } from '@skipring/protocol';
import { DEFAULT_LIMITS, type ReadLimits } from './limits.js';
import { openCifar10, openCifar100 } from './readers/cifar.js';
import { openGlyphs } from './readers/glyphs.js';
import { openIdx } from './readers/idx.js';
import { openImageFolder } from './readers/image-folder.js';
import type { DataSource } from './source.js';

/**
 * Opens what a user registered: reads and checks headers, counts and names; samples come later.
 * The caller has checked that `path` lies inside its configured roots.
 *
 * @throws DataError naming the file and position of what is wrong
 */
export async function openSource(
  registration: DataSetRegistration,
  limits: ReadLimits = DEFAULT_LIMITS,
): Promise<DataSource> {
  switch (registration.format) {
    case 'idx':
      return openIdx(registration.path, limits);
    case 'cifar10':
      return openCifar10(registration.path, limits);
    case 'cifar100':
      return openCifar100(registration.path, limits);
    case 'images':
      return openImageFolder(registration.path, limits);
    case 'glyphs':
      return openGlyphs(registration);
  }
}
