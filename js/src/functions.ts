// The types of functions that run on a server, and how an application calls them.

export type AppServicesFunction<R, A extends unknown[]> = (...args: A) => Promise<R>;

/** Any functions. */
export type AnyFunctionsFactory = { [name: string]: (...args: never[]) => Promise<unknown> };

/** Functions of which nothing is known but that they may be called. */
export type DefaultFunctionsFactory = { [name: string]: AppServicesFunction<unknown, unknown[]> };

/** An object on which every name is a function that calls the server's. */
export function functionsFactory<T>(call: (name: string, ...args: unknown[]) => Promise<unknown>): T {
  return new Proxy(Object.create(null), {
    get: (_target, name) =>
      // Whoever awaits the factory itself asks whether it is a promise.
      typeof name === "string" && name !== "then" ? (...args: unknown[]) => call(name, ...args) : undefined,
  }) as T;
}
