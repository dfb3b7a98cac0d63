// Places on the Earth, as queries take them for arguments.

/** Longitude, latitude and, if known, altitude. */
export type GeoPosition = [number, number] | [number, number, number];

/** A polygon as GeoJSON has it: the outer ring first, then the holes. */
export interface CanonicalGeoPolygon {
  coordinates: GeoPosition[][];
  type: "Polygon";
}

/** A point as GeoJSON has it. */
export interface CanonicalGeoPoint {
  coordinates: GeoPosition;
  type: "Point";
}

export type GeoPoint = { latitude: number; longitude: number; altitude?: number } | CanonicalGeoPoint | GeoPosition;

/** What is within a distance, in radians, of a point. */
export type GeoCircle = { center: GeoPoint; distance: number };

export type GeoPolygon = { outerRing: GeoPoint[]; holes?: GeoPoint[][] } | CanonicalGeoPolygon;

export type GeoBox = { bottomLeft: GeoPoint; topRight: GeoPoint };

const EARTH_RADIUS_KM = 6378.1;
const EARTH_RADIUS_MI = 3963.16760121;

/** The angle, in radians, that a distance on the Earth's surface spans. */
export function kmToRadians(km: number): number {
  return km / EARTH_RADIUS_KM;
}

/** The same for a distance in miles. */
export function miToRadians(mi: number): number {
  return mi / EARTH_RADIUS_MI;
}

/** @internal A circle, box or polygon in the engine's form; undefined for what is none. */
export function lowerGeo(value: object): object | undefined {
  if ("center" in value && "distance" in value && typeof value.distance === "number") {
    return { circle: [...position((value as GeoCircle).center), value.distance] };
  }
  if ("bottomLeft" in value && "topRight" in value) {
    const { bottomLeft, topRight } = value as GeoBox;
    return { box: [...position(bottomLeft), ...position(topRight)] };
  }
  if ("type" in value && value.type === "Polygon" && "coordinates" in value && Array.isArray(value.coordinates)) {
    return { polygon: (value as CanonicalGeoPolygon).coordinates.map(ring) };
  }
  if ("outerRing" in value && Array.isArray(value.outerRing)) {
    const { outerRing, holes = [] } = value as Exclude<GeoPolygon, CanonicalGeoPolygon>;
    return { polygon: [outerRing, ...holes].map(ring) };
  }
  return undefined;
}

const ring = (points: GeoPoint[]): number[] => points.flatMap(position);

function position(point: GeoPoint): [number, number] {
  if (Array.isArray(point)) return [point[0], point[1]];
  return "coordinates" in point ? [point.coordinates[0], point.coordinates[1]] : [point.longitude, point.latitude];
}
