// Makes the lists and dictionaries inside a mixed without their modules and that of mixed values importing each other.
import type { Place } from "./mixed.js";

type Make = (place: Place) => unknown;
let makeList: Make;
let makeDictionary: Make;

export function registerNestedList(make: Make): void {
  makeList = make;
}

export function registerNestedDictionary(make: Make): void {
  makeDictionary = make;
}

export function nestedList(place: Place): unknown {
  return makeList(place);
}

export function nestedDictionary(place: Place): unknown {
  return makeDictionary(place);
}
