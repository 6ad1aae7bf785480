import type { Connector } from '../connector.ts';
import type { JsonObject } from '../model.ts';
import type { Secret } from '../options.ts';
import type { Filter } from '../route/filter.ts';
import type { Table } from '../route/table.ts';
import type { Include } from './include.ts';

/** A config that was read whole and found right. */
export interface Config {
  /** Absolute. */
  file: string;
  /** Absolute paths of all files that it was read from, or looked for: a change of one of them changes it. */
  files: string[];
  /** What it includes. */
  include: Include;
  /** When reading began, epoch milliseconds: a file that changed later was perhaps not read. */
  readAt: number;
  server: ServerConfig;
  /** IANA name. */
  timezone: string;
  /** Absolute path of the store's file, or the address of its database: which people see as `shownStore` gives it. */
  store: string;
  /** Milliseconds that the body and the deliveries of a settled event are kept; undefined keeps them. */
  retention: number | undefined;
  sources: Map<string, SourceConfig>;
  destinations: Map<string, DestinationConfig>;
  table: Table;
  /** Names of the destinations that are told of failures. */
  onFailure: string[];
  /** Those of `tests:`; none where they were not asked for, as by a running relay. */
  tests: RoutingTest[];
  /** Texts that must not be seen anywhere, longest first. */
  secrets: string[];
  /** A hash that is equal when two relays deliver alike: of all but `server`, `store` and `tests`. */
  fingerprint: string;
}

export interface ServerConfig {
  host: string;
  port: number;
  /** Bytes. */
  bodyLimit: number;
  trustProxy: boolean | string;
  /** Without a last slash; may have a path prefix. */
  publicUrl: string | undefined;
  metricsToken: Secret | undefined;
}

export interface SourceConfig {
  name: string;
  secrets: Secret[];
  when: Filter | undefined;
}

export interface DestinationConfig {
  name: string;
  connector: Connector;
  /** As the connector's schema gives them, templates compiled. */
  options: unknown;
  /** Milliseconds from one attempt to the next; as many retries as it has entries. */
  retry: number[];
  /** Milliseconds that one call may take. */
  timeout: number;
  /** Milliseconds in which a write may still land after its call; undefined leaves it to the connector. */
  settles: number | undefined;
  /** Overrides the connector's pace. */
  pace: { calls: number; per: number } | undefined;
  enabled: boolean;
  renamedFrom: string | undefined;
  /** Equal when nothing of the destination changed: a reload leaves such a lane alone. */
  fingerprint: string;
}

/** One of `tests:`: an event, and what must become of it. */
export interface RoutingTest {
  name: string;
  /** As messages name it: the config, or a file of tests. */
  file: string;
  /** One-based. */
  line: number;
  /** Name of the source that the event comes from. */
  source: string;
  /** The fields that are given, or the absolute path of a file with a payload. */
  event: { fields: JsonObject } | { file: string };
  /** All destinations that it must go to, [] for none; undefined when the test does not say. */
  to: string[] | undefined;
  /** By destination. */
  renders: Map<string, RenderExpectation>;
}

/** What the texts that a destination is sent must have in them, and what not. */
export interface RenderExpectation {
  contains: string[];
  notContains: string[];
}
