/** PEM texts with which a rank speaks TLS to its neighbours. */
export interface RingTls {
  /** Certificate of this rank, which names the host that others reach it at. */
  readonly cert: string;
  readonly key: string;
  /** Certificates of the authorities that a neighbour's certificate may come from. */
  readonly ca: string;
}

export const MIN_TLS_VERSION = 'TLSv1.2';
