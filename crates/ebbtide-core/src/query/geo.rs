//! Regions on the sphere, and whether a point lies in one.
//!
//! Positions are unit vectors; the edges of polygons are parts of great circles, the sides of boxes are parts of meridians
//! and parallels.

use std::fmt;

use super::sphere::{Vector, angle, edges_cross, inner_crossing, ordered, origin, reference, signed_area};

/// Up to how many vertices a ring's edges are all compared with each other.
const CHECKED_VERTICES: usize = 1_000;

/// A place in degrees.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct GeoPoint {
    /// East of Greenwich.
    pub longitude: f64,
    /// North of the equator.
    pub latitude: f64,
}

/// A region, as it was written.
#[derive(Clone, PartialEq, Debug)]
pub enum GeoShape {
    /// Between two parallels and two meridians; over the date line where the left one is east of the right one.
    Box {
        /// The corner in the south-west.
        bottom_left: GeoPoint,
        /// The corner in the north-east.
        top_right: GeoPoint,
    },
    /// All within a distance.
    Circle {
        /// The middle.
        center: GeoPoint,
        /// In radians.
        distance: f64,
    },
    /// Inside the first ring and outside of the others; each ring ends where it begins.
    Polygon {
        /// The outer ring and the holes.
        rings: Vec<Vec<GeoPoint>>,
    },
}

/// A region that was checked.
#[derive(Clone, Debug)]
pub(super) enum Region {
    Box { bottom_left: GeoPoint, top_right: GeoPoint },
    Circle { center: Vector, distance: f64 },
    Polygon { rings: Vec<Ring> },
}

/// A simple closed line around its smaller side, which is left of its edges, without the repeated vertex at its end.
#[derive(Clone, Debug)]
pub(super) struct Ring {
    vertices: Vec<Vector>,
    /// Whether the place that edges are counted from is inside.
    has_origin: bool,
}

impl GeoShape {
    /// The region, or what is wrong with it.
    pub(super) fn region(&self) -> Result<Region, String> {
        match self {
            GeoShape::Box { bottom_left, top_right } => {
                bottom_left.check()?;
                top_right.check()?;
                if bottom_left.latitude > top_right.latitude {
                    return Err("Invalid rectangle".to_string());
                }
                Ok(Region::Box { bottom_left: *bottom_left, top_right: *top_right })
            }
            GeoShape::Circle { center, distance } => {
                center.check()?;
                if distance.is_nan() || *distance < 0.0 {
                    return Err("The radius of a circle must be a non-negative number".to_string());
                }
                Ok(Region::Circle { center: center.vector(), distance: *distance })
            }
            GeoShape::Polygon { rings } => {
                if rings.is_empty() {
                    return Err("Polygon has no rings.".to_string());
                }
                let rings = rings.iter().enumerate().map(|(index, points)| ring(index, points));
                let rings: Vec<Ring> = rings.collect::<Result<_, _>>()?;
                check_holes(&rings)?;
                Ok(Region::Polygon { rings })
            }
        }
    }
}

impl Region {
    pub(super) fn contains(&self, point: GeoPoint) -> bool {
        if point.check().is_err() {
            return false;
        }
        match self {
            Region::Box { bottom_left: low, top_right: high } => {
                let east = if low.longitude <= high.longitude {
                    (low.longitude..=high.longitude).contains(&point.longitude)
                } else {
                    point.longitude >= low.longitude || point.longitude <= high.longitude
                };
                east && (low.latitude..=high.latitude).contains(&point.latitude)
            }
            Region::Circle { center, distance } => angle(*center, point.vector()) <= *distance,
            Region::Polygon { rings } => {
                let place = point.vector();
                let (outer, holes) = rings.split_first().expect("a polygon has an outer ring");
                outer.contains(place) && !holes.iter().any(|hole| hole.contains(place))
            }
        }
    }
}

impl GeoPoint {
    fn vector(self) -> Vector {
        let (longitude, latitude) = (self.longitude.to_radians(), self.latitude.to_radians());
        [latitude.cos() * longitude.cos(), latitude.cos() * longitude.sin(), latitude.sin()]
    }

    fn check(self) -> Result<(), String> {
        let GeoPoint { longitude, latitude } = self;
        if longitude.abs() <= 180.0 && latitude.abs() <= 90.0 {
            return Ok(());
        }
        Err(format!("Longitude/latitude is out of bounds, lng: {longitude} lat: {latitude}"))
    }
}

fn ring(index: usize, points: &[GeoPoint]) -> Result<Ring, String> {
    let (Some(first), Some(last)) = (points.first(), points.last()) else {
        return Err("Ring has no vertices".to_string());
    };
    if first != last {
        return Err(format!(
            "Ring is not closed, first vertex 'GeoPoint({first})' does not equal last vertex 'GeoPoint({last})'"
        ));
    }
    points.iter().try_for_each(|point| point.check())?;
    let mut unique = points[..points.len() - 1].to_vec();
    unique.dedup();
    if unique.len() < 3 {
        return Err(format!(
            "Ring {index} must have at least 3 different vertices, {} unique vertices were provided",
            unique.len()
        ));
    }
    let invalid = |what: String| format!("Ring {index} is not valid: '{what}'");
    if let Some((a, b)) = repeated(&unique) {
        return Err(invalid(format!("Duplicate vertices: {a} and {b}")));
    }
    let mut vertices: Vec<Vector> = unique.iter().map(|point| point.vector()).collect();
    if let Some((a, b)) = crossing(&vertices) {
        let edge = |at: usize| {
            let (from, to) = (unique[at], unique[(at + 1) % unique.len()]);
            format!("[{:.7}, {:.7}]-[{:.7}, {:.7}]", from.latitude, from.longitude, to.latitude, to.longitude)
        };
        let (first, second) = (edge(a), edge(b));
        return Err(invalid(format!("Edges {a} and {b} cross. Edge locations in degrees: {first} and {second}")));
    }
    if signed_area(&vertices) < 0.0 {
        vertices.reverse();
    }
    Ok(Ring::new(vertices))
}

/// The first vertex that comes again, and where.
fn repeated(points: &[GeoPoint]) -> Option<(usize, usize)> {
    if points.len() > CHECKED_VERTICES {
        return None;
    }
    (0..points.len()).find_map(|later| {
        let earlier = points[..later].iter().position(|point| *point == points[later]);
        earlier.map(|earlier| (earlier, later))
    })
}

/// The first two edges that cross inside of both.
fn crossing(vertices: &[Vector]) -> Option<(usize, usize)> {
    if vertices.len() > CHECKED_VERTICES {
        return None;
    }
    let edge = |at: usize| (vertices[at], vertices[(at + 1) % vertices.len()]);
    (0..vertices.len()).find_map(|first| {
        let (a, b) = edge(first);
        let later = (first + 2..vertices.len()).find(|second| {
            let (c, d) = edge(*second);
            inner_crossing(a, b, c, d) == Some(true)
        });
        later.map(|second| (first, second))
    })
}

/// What is wrong unless every ring but the first lies inside the first one and outside of the others.
fn check_holes(rings: &[Ring]) -> Result<(), String> {
    let Some((outer, holes)) = rings.split_first() else { return Ok(()) };
    if rings.iter().map(|ring| ring.vertices.len()).sum::<usize>() > CHECKED_VERTICES {
        return Ok(());
    }
    if let Some(index) = holes.iter().position(|hole| !outer.surrounds(hole)) {
        return Err(format!(
            "Secondary ring {} not contained by first exterior ring - secondary rings must be holes in the first ring",
            index + 1
        ));
    }
    for (index, ring) in rings.iter().enumerate() {
        for (earlier, other) in rings[..index].iter().enumerate() {
            if let Some((edge, same)) = ring.shared_edge(other) {
                return Err(format!(
                    "Polygon isn't valid: 'Duplicate edge: ring {index}, edge {edge} and ring {earlier}, edge {same}'"
                ));
            }
            if ring.crosses(other) {
                return Err(format!("Polygon isn't valid: 'Ring {earlier} crosses ring {index}'"));
            }
        }
    }
    for (index, hole) in holes.iter().enumerate() {
        let is_nested = |(other, around): (usize, &Ring)| other != index && around.surrounds(hole);
        if holes.iter().enumerate().any(is_nested) {
            return Err(format!("Polygon interior rings cannot be nested: {}", index + 1));
        }
    }
    Ok(())
}

impl Ring {
    fn new(vertices: Vec<Vector>) -> Self {
        let mut ring = Ring { vertices, has_origin: false };
        // A vertex is inside if the direction that belongs to it is left of the two edges that meet there.
        let (before, vertex, after) = (ring.vertices[0], ring.vertices[1], ring.vertices[2]);
        ring.has_origin = ordered(reference(vertex), before, after, vertex) != ring.contains(vertex);
        ring
    }

    fn edges(&self) -> impl Iterator<Item = (Vector, Vector)> {
        self.vertices.iter().copied().zip(self.vertices.iter().copied().cycle().skip(1))
    }

    /// Whether a place lies inside: then an odd number of edges lies between it and what is outside.
    fn contains(&self, place: Vector) -> bool {
        let origin = origin();
        let crossed = self.edges().filter(|(from, to)| edges_cross(origin, place, *from, *to)).count();
        self.has_origin != (crossed % 2 == 1)
    }

    /// Whether another ring lies inside. Both may have vertices in common.
    fn surrounds(&self, other: &Ring) -> bool {
        let own = |vertex: &&Vector| !self.vertices.contains(vertex);
        !self.crosses(other) && other.vertices.iter().filter(own).all(|vertex| self.contains(*vertex))
    }

    fn crosses(&self, other: &Ring) -> bool {
        self.edges().any(|(a, b)| other.edges().any(|(c, d)| inner_crossing(a, b, c, d) == Some(true)))
    }

    /// The first edge that another ring has as well, and where.
    fn shared_edge(&self, other: &Ring) -> Option<(usize, usize)> {
        self.edges()
            .enumerate()
            .find_map(|(at, edge)| other.edges().position(|same| same == edge).map(|same| (at, same)))
    }
}

impl fmt::Display for GeoPoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{}, {}]", self.longitude, self.latitude)
    }
}

impl fmt::Display for GeoShape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            GeoShape::Box { bottom_left, top_right } => write!(f, "GeoBox({bottom_left}, {top_right})"),
            GeoShape::Circle { center, distance } => write!(f, "GeoCircle({center}, {distance})"),
            GeoShape::Polygon { rings } => {
                let ring = |points: &Vec<GeoPoint>| {
                    let points: Vec<String> = points.iter().map(GeoPoint::to_string).collect();
                    format!("{{{}}}", points.join(", "))
                };
                let rings: Vec<String> = rings.iter().map(ring).collect();
                write!(f, "GeoPolygon({})", rings.join(", "))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::f64::consts::PI;

    use super::*;

    fn at(longitude: f64, latitude: f64) -> GeoPoint {
        GeoPoint { longitude, latitude }
    }

    fn polygon(rings: &[&[(f64, f64)]]) -> GeoShape {
        let ring = |points: &&[(f64, f64)]| points.iter().map(|(x, y)| at(*x, *y)).collect();
        GeoShape::Polygon { rings: rings.iter().map(ring).collect() }
    }

    const SQUARE: &[(f64, f64)] = &[(0.0, 0.0), (4.0, 0.0), (4.0, 8.0), (0.0, 8.0), (0.0, 0.0)];

    #[test]
    fn a_polygon_is_its_smaller_side_whichever_way_it_is_drawn() {
        let mut backwards = SQUARE.to_vec();
        backwards.reverse();
        for points in [SQUARE, &backwards] {
            let region = polygon(&[points]).region().unwrap();
            for (x, y, inside) in [
                (1.0, 2.0, true),
                (3.9, 7.9, true),
                (4.1, 2.0, false),
                (-0.1, 2.0, false),
                (181.0 - 360.0, -2.0, false),
                (2.0, 8.1, false),
            ] {
                assert_eq!(region.contains(at(x, y)), inside, "{x} {y}");
            }
        }
    }

    #[test]
    fn the_edges_of_polygons_are_great_circles_and_those_of_boxes_parallels() {
        let corners = &[(-60.0, 50.0), (60.0, 50.0), (60.0, 70.0), (-60.0, 70.0), (-60.0, 50.0)];
        let shape = polygon(&[corners]).region().unwrap();
        let rectangle = GeoShape::Box { bottom_left: at(-60.0, 50.0), top_right: at(60.0, 70.0) }.region().unwrap();
        let (south, north) = (at(0.0, 55.0), at(0.0, 75.0));
        assert!(rectangle.contains(south) && !shape.contains(south));
        assert!(!rectangle.contains(north) && shape.contains(north));
    }

    #[test]
    fn regions_reach_over_the_date_line_and_the_poles() {
        let fiji = at(179.0, -18.0);
        let samoa = at(-172.0, -14.0);
        let across = GeoShape::Box { bottom_left: at(170.0, -20.0), top_right: at(-170.0, -10.0) }.region().unwrap();
        assert!(across.contains(fiji) && across.contains(samoa) && !across.contains(at(0.0, -15.0)));
        let ring = &[(170.0, -20.0), (-170.0, -20.0), (-170.0, -10.0), (170.0, -10.0), (170.0, -20.0)];
        let across = polygon(&[ring]).region().unwrap();
        assert!(across.contains(fiji) && across.contains(samoa) && !across.contains(at(0.0, -15.0)));
        let arctic = polygon(&[&[(0.0, 66.0), (120.0, 66.0), (-120.0, 66.0), (0.0, 66.0)]]).region().unwrap();
        assert!(arctic.contains(at(45.0, 89.0)) && !arctic.contains(at(45.0, -89.0)));
    }

    #[test]
    fn a_circle_is_measured_in_radians() {
        let circle = GeoShape::Circle { center: at(12.0, 55.0), distance: 100.0 / 6378.1 }.region().unwrap();
        assert!(circle.contains(at(12.0, 55.85)) && !circle.contains(at(12.0, 55.95)));
        let all = GeoShape::Circle { center: at(0.0, 0.0), distance: PI }.region().unwrap();
        assert!(all.contains(at(180.0, 0.0)));
    }

    fn square(low: f64, high: f64) -> Vec<(f64, f64)> {
        vec![(low, low), (high, low), (high, high), (low, high), (low, low)]
    }

    #[test]
    fn a_point_on_an_edge_is_inside_where_realm_has_it() {
        let around = polygon(&[&square(-2.0, 2.0)]).region().unwrap();
        let beside = polygon(&[&square(0.0, 4.0)]).region().unwrap();
        for (region, x, y, inside) in [
            (&around, 0.0, 0.0, true),
            (&around, -2.0, 0.0, true),
            (&around, 2.0, 0.0, true),
            (&around, 2.0, -2.0, true),
            (&around, -2.0, -2.0, false),
            (&around, 2.0, 2.0, false),
            (&beside, 2.0, 0.0, false),
            (&beside, 0.0, 2.0, false),
            (&beside, 4.0, 0.0, true),
            (&beside, 0.0, 0.0, false),
        ] {
            assert_eq!(region.contains(at(x, y)), inside, "{x} {y}");
        }
    }

    #[test]
    fn every_point_lies_in_one_of_four_regions_that_meet() {
        let corner = |x: f64, y: f64| {
            let points = [(0.0, 0.0), (x, 0.0), (x, y), (0.0, y), (0.0, 0.0)];
            polygon(&[&points]).region().unwrap()
        };
        let regions = [corner(5.0, 5.0), corner(-5.0, 5.0), corner(-5.0, -5.0), corner(5.0, -5.0)];
        for x in -4..=4 {
            for y in -4..=4 {
                let place = at(f64::from(x), f64::from(y));
                assert_eq!(regions.iter().filter(|region| region.contains(place)).count(), 1, "{place}");
            }
        }
    }

    #[test]
    fn holes_lie_in_the_first_ring_and_beside_each_other() {
        let check = |holes: &[&[(f64, f64)]], message: &str| {
            let outer = square(-5.0, 5.0);
            let rings: Vec<&[(f64, f64)]> = std::iter::once(outer.as_slice()).chain(holes.iter().copied()).collect();
            assert_eq!(polygon(&rings).region().unwrap_err(), message);
        };
        let outside = "Secondary ring 1 not contained by first exterior ring - \
                       secondary rings must be holes in the first ring";
        for hole in [square(4.0, 6.0), square(-6.0, 6.0), square(7.0, 8.0)] {
            check(&[&hole], outside);
        }
        check(&[&square(-5.0, 5.0)], "Polygon isn't valid: 'Duplicate edge: ring 1, edge 0 and ring 0, edge 0'");
        check(&[&square(-3.0, 3.0), &square(2.0, 4.0)], "Polygon isn't valid: 'Ring 1 crosses ring 2'");
        check(&[&square(-3.0, 3.0), &square(-1.0, 1.0)], "Polygon interior rings cannot be nested: 2");
    }

    #[test]
    fn what_is_no_region_says_why() {
        let check = |shape: GeoShape, message: &str| assert_eq!(shape.region().unwrap_err(), message);
        let open = &SQUARE[..4];
        check(
            polygon(&[open]),
            "Ring is not closed, first vertex 'GeoPoint([0, 0])' does not equal last vertex 'GeoPoint([0, 8])'",
        );
        check(
            polygon(&[&[(0.0, 0.0), (4.0, 0.0), (0.0, 0.0)]]),
            "Ring 0 must have at least 3 different vertices, 2 unique vertices were provided",
        );
        check(
            polygon(&[SQUARE, &[(0.0, 0.0), (4.0, 4.0), (4.0, 0.0), (0.0, 4.0), (0.0, 0.0)]]),
            "Ring 1 is not valid: 'Edges 0 and 2 cross. Edge locations in degrees: \
             [0.0000000, 0.0000000]-[4.0000000, 4.0000000] and [0.0000000, 4.0000000]-[4.0000000, 0.0000000]'",
        );
        check(
            polygon(&[&[(0.0, 0.0), (4.0, 0.0), (2.0, 2.0), (4.0, 4.0), (0.0, 4.0), (2.0, 2.0), (0.0, 0.0)]]),
            "Ring 0 is not valid: 'Duplicate vertices: 2 and 5'",
        );
        check(GeoShape::Box { bottom_left: at(4.0, 7.0), top_right: at(0.0, 0.0) }, "Invalid rectangle");
        let circle = |x, y, distance| GeoShape::Circle { center: at(x, y), distance };
        check(circle(1000.0, 2.0, 1.0), "Longitude/latitude is out of bounds, lng: 1000 lat: 2");
        check(circle(f64::NAN, 2.0, 1.0), "Longitude/latitude is out of bounds, lng: NaN lat: 2");
        check(circle(1.0, 2.0, -1.0), "The radius of a circle must be a non-negative number");
        check(polygon(&[]), "Polygon has no rings.");
    }
}
