/** Looks into a zod schema: what it says of the option at a path. */
import { z } from 'zod';

export type OptionPath = (string | number)[];

/** The schema of the option at a path; undefined where the schema has no such place. */
export function schemaAt(schema: z.ZodType, path: OptionPath): z.ZodType | undefined {
  return schemasAt(schema, path)[0];
}

/** Is the option at the path, or any that it stands in, declared `secret()`? */
export function isSecretAt(schema: z.ZodType, path: OptionPath): boolean {
  return path.some((_, index) =>
    schemasAt(schema, path.slice(0, index + 1)).some((found) => layers(found).some(isWriteOnly)),
  );
}

/** The names of the options of the map at a path. */
export function keysAt(schema: z.ZodType, path: OptionPath): string[] {
  const keys = new Set<string>();
  for (const found of schemasAt(schema, path)) {
    for (const layer of layers(found))
      if (layer instanceof z.ZodObject) for (const key of Object.keys(layer.shape)) keys.add(key);
  }
  return [...keys];
}

/** Whether the option at a path may be a number, or a boolean. */
export function scalarTypesAt(schema: z.ZodType, path: OptionPath): Set<'number' | 'boolean'> {
  const types = new Set<'number' | 'boolean'>();
  for (const layer of schemasAt(schema, path).flatMap(layers)) {
    if (layer instanceof z.ZodNumber) types.add('number');
    if (layer instanceof z.ZodBoolean) types.add('boolean');
  }
  return types;
}

function isWriteOnly(schema: z.ZodType): boolean {
  return schema.meta()?.writeOnly === true;
}

/** All schemas that may judge the value at the path: more than one inside unions. */
export function schemasAt(schema: z.ZodType, path: OptionPath): z.ZodType[] {
  const [key, ...rest] = path;
  if (key === undefined) return [schema];
  const found: z.ZodType[] = [];
  for (const layer of layers(schema)) {
    const inner = child(layer, key);
    if (inner !== undefined) found.push(...schemasAt(inner, rest));
  }
  return found;
}

function child(schema: z.ZodType, key: string | number): z.ZodType | undefined {
  if (schema instanceof z.ZodObject) {
    const shape: Record<string, unknown> = schema.shape;
    const inner = Object.hasOwn(shape, key) ? shape[key] : schema.def.catchall;
    return inner as z.ZodType | undefined;
  }
  if (schema instanceof z.ZodRecord) return schema.def.valueType as z.ZodType;
  if (schema instanceof z.ZodArray) return schema.def.element as z.ZodType;
  return undefined;
}

/** The schema and all that it wraps: optional, default, pipe, union and their like. A lazy schema is left alone: it may recur. */
function layers(schema: z.ZodType): z.ZodType[] {
  const inner: unknown[] = [];
  if (schema instanceof z.ZodUnion) inner.push(...schema.def.options);
  else if (schema instanceof z.ZodIntersection) inner.push(schema.def.left, schema.def.right);
  else if (schema instanceof z.ZodPipe) inner.push(schema.def.in);
  else if ('innerType' in schema.def) inner.push(schema.def.innerType);
  return [schema, ...inner.flatMap((wrapped) => layers(wrapped as z.ZodType))];
}
