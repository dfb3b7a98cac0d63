// The type of the plain values that make an object of a class.
import type { Counter } from "./counter.js";
import type { Dictionary, DictionaryMethods } from "./dictionary.js";
import type { List } from "./list.js";
import type { RealmObject } from "./object.js";
import type { Results } from "./results.js";
import type { RealmSet } from "./set.js";

type AnyFunction = (...args: never[]) => unknown;
type Present<T> = Exclude<T, null | undefined>;

type IsAny<T> = 0 extends 1 & T ? true : false;

/** What a property is, by its type. */
type Kind<T> =
  IsAny<T> extends true
    ? "value"
    : [T] extends [never]
      ? "value"
      : [T] extends [List<infer _>]
        ? "list"
        : [T] extends [RealmSet<infer _>]
          ? "set"
          : [T] extends [Results<infer _>]
            ? "results"
            : [T] extends [DictionaryMethods<infer _>]
              ? "dictionary"
              : [Present<T>] extends [Counter]
                ? "counter"
                : [T] extends [AnyFunction]
                  ? "method"
                  : "value";

type Names<T, K> = { [Name in keyof T]-?: Kind<T[Name]> extends K ? Name : never }[keyof T];

type NotAsGiven = "list" | "set" | "results" | "dictionary" | "counter" | "method";

/** `T` without what Realm.Object brings, without methods, collections and counters. */
export type OmittedRealmTypes<T> = Omit<T, keyof RealmObject<unknown> | Names<T, NotAsGiven>>;

type WithRequired<T, Required extends keyof T> = Partial<T> & Pick<T, Required>;

type Lists<T> = {
  [K in Names<T, "list">]?: T[K] extends List<infer Element> ? Array<Element | Unmanaged<Element>> : never;
};
type Sets<T> = {
  [K in Names<T, "set">]?: T[K] extends RealmSet<infer Element> ? Array<Element | Unmanaged<Element>> : never;
};
type Dictionaries<T> = {
  [K in Names<T, "dictionary">]?: T[K] extends Dictionary<infer Value> ? { [key: string]: Value } : never;
};
type Counters<T> = {
  [K in Names<T, "counter">]?: Counter | number | Exclude<T[K], Counter>;
};

/** The values that `realm.create` takes for an object of type `T`. */
export type Unmanaged<T, RequiredProperties extends keyof OmittedRealmTypes<T> = never> = WithRequired<
  OmittedRealmTypes<T>,
  RequiredProperties
> &
  Lists<T> &
  Sets<T> &
  Dictionaries<T> &
  Counters<T>;
