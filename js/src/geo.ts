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
