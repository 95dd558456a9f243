/** A dashboard apart from Grafana's own form of it. */
export interface Board {
  /** Stable: links and bookmarks go by it. */
  readonly uid: string;
  readonly title: string;
  readonly description: string;
  readonly variables: readonly Variable[];
  /** Mark the moments at which a job's generation changed. */
  readonly marksGenerations: boolean;
  readonly rows: readonly Row[];
}

/** `job` chooses values of `job_id`, `worker` of a worker target's `instance`. */
export type Variable = 'job' | 'worker';

export interface Row {
  readonly title: string;
  readonly panels: readonly Panel[];
}

export interface Panel {
  readonly title: string;
  /** What the reader sees and what to make of it. */
  readonly help: string;
  readonly kind: 'lines' | 'stacked' | 'number';
  readonly unit: Unit;
  readonly queries: readonly Query[];
  /** Of 24 columns. */
  readonly width: number;
  readonly max?: number;
  /** Values from which on the panel turns from green to another colour. */
  readonly thresholds?: readonly {
    readonly from: number;
    readonly color: 'orange' | 'red' | 'green';
  }[];
}

/** Grafana's names: seconds, bytes (SI) per second, bytes (IEC), share of one, a plain number. */
export type Unit = 's' | 'Bps' | 'bytes' | 'percentunit' | 'short' | 'reqps' | 'none';

export interface Query {
  readonly expression: string;
  readonly legend: string;
}
