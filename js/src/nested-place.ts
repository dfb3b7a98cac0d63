// Where collections inside a mixed lie: their positions change with those of the elements that they are in.
import type { CorePath } from "./core.js";
import type { Place } from "./mixed.js";

/** How many moves are remembered for collections that were read before them. */
const MOVES_MAX = 10_000;

/** An element of a list that came, went or moved. */
interface Move {
  readonly place: Place;
  readonly from: number | undefined;
  readonly to: number | undefined;
}

/** What has been moved in this page within the values of mixed properties. */
export class NestedMoves {
  private moves: Move[] = [];
  /** How many were made before the first one that is remembered. */
  private forgotten = 0;
  private atBegin = 0;

  get count(): number {
    return this.forgotten + this.moves.length;
  }

  inserted(place: Place, at: number): void {
    this.add({ place, from: undefined, to: at });
  }

  removed(place: Place, at: number): void {
    this.add({ place, from: at, to: undefined });
  }

  moved(place: Place, from: number, to: number): void {
    this.add({ place, from, to });
  }

  /** Marks where a transaction begins. */
  begin(): void {
    this.atBegin = this.count;
  }

  /** Takes back what was moved since the transaction began. */
  undo(): void {
    for (const { place, from, to } of this.since(this.atBegin).reverse()) this.add({ place, from: to, to: from });
  }

  since(count: number): Move[] {
    return this.moves.slice(Math.max(count - this.forgotten, 0));
  }

  private add(move: Move): void {
    this.moves.push(move);
    if (this.moves.length <= 2 * MOVES_MAX) return;
    this.forgotten += this.moves.length - MOVES_MAX;
    this.moves = this.moves.slice(-MOVES_MAX);
  }
}

/** The place of one collection, which follows the elements that it is in. */
export class NestedPlace {
  private seen: number;
  private current: Place | undefined;

  constructor(place: Place) {
    this.current = place;
    this.seen = movesOf(place)?.count ?? 0;
  }

  /** Undefined once the element that the collection is in has been taken out. */
  get(): Place | undefined {
    const moves = this.current && movesOf(this.current);
    if (moves === undefined || moves.count === this.seen) return this.current;
    for (const move of moves.since(this.seen)) if (this.current) this.current = after(this.current, move);
    this.seen = moves.count;
    return this.current;
  }

  /** The path within the property; one that leads nowhere if the collection is gone. */
  get path(): CorePath {
    return this.get()?.path ?? [NOWHERE];
  }
}

/** No list has so many elements, and a dictionary is not asked by number. */
const NOWHERE = 0xffff_ffff;

function movesOf({ owner }: Place): NestedMoves | undefined {
  return owner.view.coordinator?.moves;
}

function after(place: Place, { place: list, from, to }: Move): Place | undefined {
  const depth = list.path.length;
  const index = place.path[depth];
  const isInside =
    typeof index === "number" &&
    place.key === list.key &&
    place.owner.index === list.owner.index &&
    place.property.column === list.property.column &&
    list.path.every((step, at) => step === place.path[at]);
  if (!isInside) return place;
  if (index === from && to === undefined) return undefined;
  const left = from !== undefined && index > from ? index - 1 : index;
  const moved = index === from ? to : to !== undefined && left >= to ? left + 1 : left;
  const path = [...place.path];
  path[depth] = moved as number;
  return { ...place, path };
}
