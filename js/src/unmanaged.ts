// The type of the plain values that make an object of a class.
import type { AnyCollection } from "./collection.js";
import type { AnyList, List } from "./list.js";
import type { RealmObject } from "./object.js";

type NamesOf<T, Kind> = { [K in keyof T]: T[K] extends Kind ? K : never }[keyof T];
type AnyFunction = (...args: never[]) => unknown;

/** `T` without what Realm.Object brings, without methods and without collections. */
export type OmittedRealmTypes<T> = Omit<
  T,
  keyof RealmObject<unknown> | NamesOf<T, AnyFunction> | NamesOf<T, AnyCollection>
>;

type WithRequired<T, Required extends keyof T> = Partial<T> & Pick<T, Required>;

type Lists<T> = {
  [K in NamesOf<T, AnyList>]?: T[K] extends List<infer Element> ? Array<Element | Unmanaged<Element>> : never;
};

/** The values that `realm.create` takes for an object of type `T`. */
export type Unmanaged<T, RequiredProperties extends keyof OmittedRealmTypes<T> = never> = WithRequired<
  OmittedRealmTypes<T>,
  RequiredProperties
> &
  Lists<T>;
