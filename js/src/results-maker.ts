// Makes Results without their module and that of ordered collections importing each other.
import type { QueryCore } from "./core.js";
import type { Place } from "./mixed.js";
import type { Results } from "./results.js";
import { ResultsSource } from "./results-source.js";
import { type Element, Source } from "./source.js";
import type { View } from "./view.js";

type Make = (source: Source) => Results<unknown>;
let make: Make;

export function registerResults(constructor: Make): void {
  make = constructor;
}

export function makeResults<T>(source: Source): Results<T>;
export function makeResults<T>(view: View, element: Element, query: QueryCore, order: string, base?: Place): Results<T>;
export function makeResults<T>(
  first: Source | View,
  element?: Element,
  query?: QueryCore,
  order = "",
  base?: Place,
): Results<T> {
  const source =
    first instanceof Source ? first : new ResultsSource(first, element as Element, query as QueryCore, order, base);
  return make(source) as Results<T>;
}
