import type PQueue from 'p-queue';
import type { DestinationConfig } from '../config/config.ts';
import type { Destination, Log } from '../connector.ts';
import type { Metrics } from '../metrics.ts';
import type { News } from '../news.ts';
import type { Store } from '../store/store.ts';
import type { Pace } from './pace.ts';

/** What a lane is made of. */
export interface LaneParts {
  config: DestinationConfig;
  destination: Destination;
  store: Store;
  pace: Pace;
  /** Tasks of one serial key run one at a time. */
  serial: PQueue | undefined;
  timezone: string;
  log: Log;
  metrics: Metrics;
  scrub: (text: string) => string;
  report: (news: News) => void;
  /** Aborts when the process must end, whether or not the store could commit. */
  giveUp: AbortSignal;
  /** Aborts the destination's calls: the same controller that its `fetch` listens to. */
  abort: AbortController;
}
