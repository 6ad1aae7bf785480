import { PerformanceObserver } from 'node:perf_hooks';
import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Bytes that V8 may make of room for young objects: two halves of 16 MB. */
const YOUNG = 32 * 2 ** 20;

/** How many times as much V8 makes of it at once (its flag-definitions.h). */
const GROWTH = 2;

/** Percent of the room between the heap and its limit that are used up when V8 begins to mark the old objects. */
const MARK_AT = 80;

/**
 * Collects what loading has left. V8 has by then made 16 MB of room for young objects, and gives none of it back before it
 * collects by itself, for which too little happens in a relay most of the time. It takes some 40 ms, before anything could
 * wait for it.
 */
export function collectGarbage(): void {
  // Contexts that are made under this flag have `gc`. Node.js has no other way to ask.
  setFlagsFromString('--expose-gc');
  const gc: (options: object) => void = runInNewContext('gc');
  setFlagsFromString('--no-expose-gc');
  // Only as a last resort does V8 give room back.
  gc({ type: 'major', flavor: 'last-resort' });
}

/**
 * Ends the growth of the room for young objects where more does no good: in a busy relay V8 would go on to 128 MB. When
 * one that was busy rests, V8 takes the room back after some seconds: then it may grow again. The store's thread grows with it.
 */
export function boundYoungObjects(): void {
  let mayGrow = true;
  const look = () => {
    const young = getHeapSpaceStatistics().find(({ space_name }) => space_name === 'new_space');
    const isSmall = young === undefined || young.space_size < YOUNG;
    if (isSmall === mayGrow) return;
    mayGrow = isSmall;
    setFlagsFromString(`--semi-space-growth-factor=${mayGrow ? GROWTH : 1}`);
  };
  new PerformanceObserver(look).observe({ type: 'gc' });
}

/**
 * Lets V8 mark the old objects when most of the room that it gives them is used up. By itself it begins when less is left than
 * the young ones may have, of which bodies on their way take up a part: in a relay that becomes busy after it had little to do
 * it then marks thirty times a second, and acknowledges a third less.
 */
export function markLate(): void {
  setFlagsFromString(`--incremental-marking-hard-trigger=${MARK_AT}`);
}
