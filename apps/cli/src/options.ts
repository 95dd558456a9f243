import { homedir } from 'node:os';
import { join } from 'node:path';

/** What the command takes from its environment; flags override it. */
export interface CliEnvironment {
  readonly url: string | null;
  readonly token: string | null;
  readonly dataDirectory: string;
  /** Addresses and tokens of clusters. */
  readonly contextsFile: string;
  /** Whether terminals get colours. */
  readonly colour: boolean;
  /** The rest of the environment, for child processes. */
  readonly inherited: NodeJS.ProcessEnv;
}

/** Reads the environment once. */
export function readEnvironment(environment: NodeJS.ProcessEnv): CliEnvironment {
  const dataHome = environment.XDG_DATA_HOME ?? join(homedir(), '.local', 'share');
  return Object.freeze({
    url: environment.SKIPRING_URL ?? null,
    token: environment.SKIPRING_TOKEN ?? null,
    dataDirectory: environment.SKIPRING_DATA_DIR ?? join(dataHome, 'skipring'),
    contextsFile: join(
      environment.XDG_CONFIG_HOME ?? join(homedir(), '.config'),
      'skipring',
      'contexts.json',
    ),
    // https://no-color.org: any value but the empty one counts.
    colour: (environment.NO_COLOR ?? '') === '' && environment.TERM !== 'dumb',
    inherited: environment,
  });
}
