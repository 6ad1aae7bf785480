/**
 * A property that is worked out when it is first asked for. It is the object's own: a copy by `...` has it too.
 *
 * A getter in an object literal would do, were it not that V8 makes a hidden class of its own for each such object, among
 * the old objects: that keeps all that the getter sees, bodies above all, until the next major collection.
 */
export function lazily<Owner extends object>(name: keyof Owner, make: (owner: Owner) => unknown): PropertyDescriptor {
  return {
    enumerable: true,
    configurable: true,
    get(this: Owner) {
      const value = make(this);
      // Not of one that a connector has frozen: it works it out each time.
      if (Object.isExtensible(this)) {
        Object.defineProperty(this, name, { value, enumerable: true, configurable: true, writable: true });
      }
      return value;
    },
  };
}
