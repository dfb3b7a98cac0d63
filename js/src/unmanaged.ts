// The type of the plain values that make an object of a class.
import type { List } from "./list.js";
import type { RealmObject } from "./object.js";
import type { Results } from "./results.js";

type AnyFunction = (...args: never[]) => unknown;
type IsList<T> = T extends List<infer _> ? true : false;
type IsCollection<T> = T extends List<infer _> ? true : T extends Results<infer _> ? true : false;

type MethodNames<T> = { [K in keyof T]: T[K] extends AnyFunction ? K : never }[keyof T];
type CollectionNames<T> = { [K in keyof T]: IsCollection<T[K]> extends true ? K : never }[keyof T];
type ListNames<T> = { [K in keyof T]: IsList<T[K]> extends true ? K : never }[keyof T];

/** `T` without what Realm.Object brings, without methods and without collections. */
export type OmittedRealmTypes<T> = Omit<T, keyof RealmObject<unknown> | MethodNames<T> | CollectionNames<T>>;

type WithRequired<T, Required extends keyof T> = Partial<T> & Pick<T, Required>;

type Lists<T> = {
  [K in ListNames<T>]?: T[K] extends List<infer Element> ? Array<Element | Unmanaged<Element>> : never;
};

/** The values that `realm.create` takes for an object of type `T`. */
export type Unmanaged<T, RequiredProperties extends keyof OmittedRealmTypes<T> = never> = WithRequired<
  OmittedRealmTypes<T>,
  RequiredProperties
> &
  Lists<T>;
