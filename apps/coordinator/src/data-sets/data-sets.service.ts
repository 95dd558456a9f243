import { randomBytes } from 'node:crypto';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import {
  linkedSignal,
  type DataSetManifest,
  type DataSetRegistration,
  type DataSetView,
} from '@skipring/protocol';
import {
  StoreError,
  type DataSetRecord,
  type DataSetStore,
  type StoredBytes,
  type WorkQueue,
} from '@skipring/redis';
import type { Logger } from 'pino';
import { requireOwner, type Principal } from '../access/principal.js';
import { HttpProblem } from '../http/problem.js';
import { insideRoots } from './data-roots.js';
import { PreparationRefused, prepareOnThread } from './prepare.js';

const PREPARATION_DEADLINE_MS = 6 * 3_600_000;
/** Jobs that keep a data set from being removed, of which an answer names so many. */
const MAX_NAMED = 10;

/** A data set that can be trained on. */
export interface ReadyDataSet {
  readonly hash: string;
  readonly manifest: DataSetManifest;
  /** Where the shards are. */
  readonly directory: string;
}

export interface DataSetsOptions {
  /** Directory in which each prepared data set has a directory. */
  readonly directory: string;
  readonly roots: readonly string[];
}

/** Registers data sets, and prepares each once, in the background. */
export class DataSetsService {
  /** Called when a data set became ready or failed. */
  onSettled: (name: string) => Promise<void> = () => Promise.resolve();
  /** Names the jobs and sweeps that a data set is needed for. */
  usedBy: (name: string) => Promise<string[]> = () => Promise.resolve([]);
  /** Called when a data set that was ready is gone. */
  onRemoved: (hash: string) => void = () => undefined;
  private readonly byHash = new Map<string, ReadyDataSet>();
  /** Ends the preparation that is under way, if its data set is removed. */
  private preparing: { name: string; abort: AbortController } | null = null;

  constructor(
    private readonly store: DataSetStore,
    private readonly stored: Pick<StoredBytes, 'noteDataSet' | 'forgetDataSet' | 'of'>,
    private readonly queue: WorkQueue<string>,
    private readonly options: DataSetsOptions,
    private readonly log: Logger,
  ) {}

  /** Goes on with what was being prepared or removed when the coordinator stopped. */
  async start(): Promise<void> {
    for (const name of await this.store.removals()) await this.finishRemoval(name);
    for (const record of await this.store.list()) {
      if (record.view.state === 'preparing') await this.enqueue(record);
    }
    this.queue.start((name, signal) => this.prepare(name, signal));
  }

  /**
   * Registers a data set. To register it again changes nothing, or tries again what failed.
   * @throws HttpProblem REQUEST_INVALID for a path outside the roots, DATA_SET_EXISTS; StoreError
   *   QUOTA_EXCEEDED when its owner has stored more than it may already
   */
  async register(
    given: DataSetRegistration,
    principal: Principal,
  ): Promise<{ view: DataSetView; isNew: boolean }> {
    const registration =
      given.format === 'glyphs'
        ? given
        : { ...given, path: await insideRoots(given.path, this.options.roots) };
    await this.finishRemoval(given.name);
    const known = await this.store.get(given.name);
    if (known === null || known.view.state === 'failed') await this.requireRoom(principal);
    const record = newRecord(registration, principal);
    const stored = await this.store.create(record);
    if (stored !== null && stored.view.state !== 'failed' && !isSame(stored, registration)) {
      throw new HttpProblem(
        'DATA_SET_EXISTS',
        `data set ${given.name} is registered as ${JSON.stringify(stored.registration)}`,
      );
    }
    if (stored?.view.state === 'ready') return { view: viewOf(stored), isNew: false };
    if (stored?.view.state === 'failed') await this.store.replace(record, stored.view.createdAt);
    const current = stored?.view.state === 'preparing' ? stored : record;
    await this.enqueue(current);
    return { view: viewOf(current), isNew: stored === null };
  }

  /**
   * Removes a data set and what was prepared of it; the files that it was made of stay. A job that is
   * submitted in the same moment fails at its turn, which says why.
   * @throws HttpProblem DATA_SET_UNKNOWN, FORBIDDEN, DATA_SET_IN_USE
   */
  async remove(name: string, principal: Principal): Promise<void> {
    const known = await this.store.get(name);
    const record = known ?? (await this.store.removed(name));
    if (record === null) throw unknownDataSet(name);
    requireOwner(principal, record.owner, `data set ${name}`);
    if (known !== null) {
      const users = await this.usedBy(name);
      if (users.length > 0) throw inUse(name, users);
      await this.finishRemoval(name);
      await this.store.beginRemoval(name);
    }
    await this.finishRemoval(name);
  }

  /** Removes what is left of a data set whose removal has begun. */
  private async finishRemoval(name: string): Promise<void> {
    const record = await this.store.removed(name);
    if (record === null) return;
    const { view, directory, owner } = record;
    if (this.preparing?.name === name) this.preparing.abort.abort(new Error(`${name} is removed`));
    if (view.hash !== null) {
      this.byHash.delete(view.hash);
      this.onRemoved(view.hash);
    }
    if (directory !== null) await this.removePrepared(directory);
    await this.stored.forgetDataSet(owner, name);
    await this.store.endRemoval(name);
    this.log.info({ dataSet: name }, 'data set removed');
  }

  async list(): Promise<DataSetView[]> {
    return (await this.store.list()).map(viewOf);
  }

  /** Throws HttpProblem DATA_SET_UNKNOWN. */
  async get(name: string): Promise<DataSetView> {
    const record = await this.store.get(name);
    if (record === null) throw unknownDataSet(name);
    return viewOf(record);
  }

  /** The view, or null when there is none of this name. */
  async find(name: string): Promise<DataSetView | null> {
    const record = await this.store.get(name);
    return record === null ? null : viewOf(record);
  }

  /** The ready data set of this name, else null. */
  async ready(name: string): Promise<ReadyDataSet | null> {
    const record = await this.store.get(name);
    return record === null ? null : this.remember(record);
  }

  /** The ready data set with this hash, else null. */
  async readyByHash(hash: string): Promise<ReadyDataSet | null> {
    if (!this.byHash.has(hash)) {
      for (const record of await this.store.list()) this.remember(record);
    }
    return this.byHash.get(hash) ?? null;
  }

  private remember({ view, directory }: DataSetRecord): ReadyDataSet | null {
    const { hash, manifest } = view;
    if (hash === null || manifest === null || directory === null) return null;
    const ready = { hash, manifest, directory: join(this.options.directory, directory) };
    this.byHash.set(hash, ready);
    return ready;
  }

  /** A registration after a failure has an entry of its own: the one before may not be gone yet. */
  private async enqueue({ view: { name, createdAt } }: DataSetRecord): Promise<void> {
    await this.queue.add(`prepare-${name}-${Date.parse(createdAt)}`, name);
  }

  private async prepare(name: string, signal: AbortSignal): Promise<void> {
    const record = await this.store.get(name);
    if (record?.view.state !== 'preparing') return;
    const { registration } = record;
    const directory = `${name}-${randomBytes(6).toString('hex')}`;
    const outDir = join(this.options.directory, directory);
    const abort = new AbortController();
    const ended = linkedSignal([signal, abort.signal]);
    this.preparing = { name, abort };
    const { createdAt } = record.view;
    try {
      const { hash, manifest } = await prepareOnThread(
        { registration: await this.checked(registration), outDir },
        ended.signal,
        PREPARATION_DEADLINE_MS,
      );
      await this.takeRoom(record, manifest);
      const view = { ...record.view, state: 'ready' as const, hash, manifest };
      if (await this.store.replace({ ...record, view, directory }, createdAt)) {
        this.log.info({ dataSet: name, hash }, 'data set prepared');
      } else {
        await this.removePrepared(directory);
        await this.stored.forgetDataSet(record.owner, name);
      }
    } catch (error) {
      await this.removePrepared(directory);
      if (abort.signal.aborted) return;
      if (!(error instanceof PreparationRefused)) throw error;
      const view = { ...record.view, state: 'failed' as const, reason: error.message };
      await this.store.replace({ ...record, view }, createdAt);
      this.log.warn({ dataSet: name, reason: error.message }, 'data set refused');
    } finally {
      ended.release();
      this.preparing = null;
    }
    await this.onSettled(name);
  }

  /** Also what a preparation that was ended has begun to write. */
  private async removePrepared(directory: string): Promise<void> {
    const all = this.options.directory;
    for (const name of await readdir(all).catch(() => [])) {
      if (name !== directory && !name.startsWith(`${directory}.partial-`)) continue;
      await rm(join(all, name), { recursive: true, force: true });
    }
  }

  /** Throws StoreError QUOTA_EXCEEDED. How much a data set takes is known once it is prepared. */
  private async requireRoom({ name, limits: { storageBytes } }: Principal): Promise<void> {
    if (storageBytes === null || (await this.stored.of(name)) <= storageBytes) return;
    throw new StoreError(
      'QUOTA_EXCEEDED',
      `${name} may have storageBytes of at most ${storageBytes}`,
    );
  }

  /** Throws PreparationRefused when its owner may not store so much. */
  private async takeRoom(record: DataSetRecord, { splits }: DataSetManifest): Promise<void> {
    const { owner, storageLimitBytes: limit, view } = record;
    const bytes = [...splits.train.shards, ...splits.test.shards].reduce(
      (sum, shard) => sum + shard.bytes,
      0,
    );
    const before = await this.stored.of(owner);
    if (limit !== null && before + bytes > limit) {
      throw new PreparationRefused(
        `it takes ${bytes} bytes; ${owner} has stored ${before} and may have storageBytes of at most ${limit}`,
      );
    }
    await this.stored.noteDataSet(owner, view.name, bytes);
  }

  /** Links may have changed since the registration. */
  private async checked(registration: DataSetRegistration): Promise<DataSetRegistration> {
    if (registration.format === 'glyphs') return registration;
    try {
      const path = await insideRoots(registration.path, this.options.roots);
      return { ...registration, path };
    } catch {
      throw new PreparationRefused(`${registration.path} is no longer inside the data roots`);
    }
  }
}

function unknownDataSet(name: string): HttpProblem {
  return new HttpProblem('DATA_SET_UNKNOWN', `no data set ${name}`);
}

function inUse(name: string, users: readonly string[]): HttpProblem {
  const named = users.slice(0, MAX_NAMED).join(', ');
  const others = users.length > MAX_NAMED ? ` and ${users.length - MAX_NAMED} more` : '';
  const detail = `data set ${name} is used by ${named}${others}, which have not ended`;
  return new HttpProblem('DATA_SET_IN_USE', detail);
}

function newRecord(
  registration: DataSetRegistration,
  { name: owner, limits }: Principal,
): DataSetRecord {
  return {
    view: {
      name: registration.name,
      state: 'preparing',
      reason: '',
      hash: null,
      manifest: null,
      createdAt: new Date().toISOString(),
    },
    registration,
    directory: null,
    owner,
    storageLimitBytes: limits.storageBytes,
  };
}

function viewOf({ view, owner }: DataSetRecord): DataSetView {
  return { ...view, owner };
}

function isSame(record: DataSetRecord, registration: DataSetRegistration): boolean {
  const entries = (value: DataSetRegistration) => JSON.stringify(Object.entries(value).sort());
  return entries(record.registration) === entries(registration);
}
