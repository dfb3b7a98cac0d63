//! Points on the unit sphere, and on which side of each other they lie.
//!
//! Three points never count as lying on one line unless two of them are equal: where rounding leaves it open, all points
//! are thought of as moved by the same tiny step, so that every answer agrees with every other. So a point on the edge
//! between two regions is in one of them, and not in both.

use std::cmp::Ordering;

/// A place, as a vector of length one.
pub(super) type Vector = [f64; 3];

/// What a determinant of unit vectors may be off by.
const ROUNDING: f64 = 1.6e-15;

/// From where edges are counted to tell inside from outside: a place that hardly any vertex is at.
const ORIGIN: Vector = [0.00457, 1.0, 0.0321];

pub(super) fn dot(a: Vector, b: Vector) -> f64 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

pub(super) fn cross(a: Vector, b: Vector) -> Vector {
    [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]]
}

/// The angle between two places, in radians.
pub(super) fn angle(a: Vector, b: Vector) -> f64 {
    let across = cross(a, b);
    dot(across, across).sqrt().atan2(dot(a, b))
}

/// The area left of the edges less the area that makes the sphere whole, between -2 pi and 2 pi.
pub(super) fn signed_area(vertices: &[Vector]) -> f64 {
    use std::f64::consts::PI;
    let first = vertices[0];
    let area: f64 = vertices[1..]
        .windows(2)
        .map(|pair| {
            let (b, c) = (pair[0], pair[1]);
            2.0 * dot(first, cross(b, c)).atan2(1.0 + dot(first, b) + dot(b, c) + dot(c, first))
        })
        .sum();
    (area + 2.0 * PI).rem_euclid(4.0 * PI) - 2.0 * PI
}

/// The origin of [`ORIGIN`].
pub(super) fn origin() -> Vector {
    normalized(ORIGIN)
}

/// Whether the edge from `a` to `b` crosses the one from `c` to `d`. Where they share a vertex they cross if that makes
/// each edge that begins or ends in it be counted once.
pub(super) fn edges_cross(a: Vector, b: Vector, c: Vector, d: Vector) -> bool {
    if let Some(crosses) = inner_crossing(a, b, c, d) {
        return crosses;
    }
    if a == b || c == d {
        return false;
    }
    if a == d {
        ordered(reference(a), c, b, a)
    } else if b == c {
        ordered(reference(b), d, a, b)
    } else if a == c {
        ordered(reference(a), d, b, a)
    } else {
        ordered(reference(b), c, a, b)
    }
}

/// Whether two edges cross inside of both; `None` if they share a vertex.
pub(super) fn inner_crossing(a: Vector, b: Vector, c: Vector, d: Vector) -> Option<bool> {
    // The triangles ACB, BDA, CBD and DAC must all turn the same way.
    let (acb, bda) = (-side(a, b, c), side(a, b, d));
    if acb == 0 || bda == 0 {
        return None;
    }
    if acb != bda {
        return Some(false);
    }
    let (cbd, dac) = (-side(c, d, b), side(c, d, a));
    if cbd == 0 || dac == 0 {
        return None;
    }
    Some(cbd == acb && dac == acb)
}

/// Whether `a`, `b` and `c` come in this order counterclockwise around `o`.
pub(super) fn ordered(a: Vector, b: Vector, c: Vector, o: Vector) -> bool {
    let holds = [side(b, o, a) >= 0, side(c, o, b) >= 0, side(a, o, c) > 0];
    holds.into_iter().filter(|holds| *holds).count() >= 2
}

/// A fixed direction for a vertex, across it.
pub(super) fn reference(a: Vector) -> Vector {
    let longest = (0..3).max_by(|x, y| a[*x].abs().total_cmp(&a[*y].abs())).unwrap_or(0);
    let mut other = [0.012, 0.0053, 0.00457];
    other[(longest + 2) % 3] = 1.0;
    normalized(cross(a, other))
}

/// 1 if the points turn left, -1 if right, 0 if two of them are equal.
fn side(a: Vector, b: Vector, c: Vector) -> i32 {
    let determinant = dot(cross(a, b), c);
    if determinant > ROUNDING {
        return 1;
    }
    if determinant < -ROUNDING {
        return -1;
    }
    close_side(a, b, c)
}

/// The same for points that nearly lie on one line.
fn close_side(a: Vector, b: Vector, c: Vector) -> i32 {
    if a == b || b == c || c == a {
        return 0;
    }
    // Of nearly equal or opposite points the difference or the sum is exact: it takes the place of one of them.
    let ((ab, sab), (bc, sbc), (ca, sca)) = (shorter(a, b), shorter(b, c), shorter(c, a));
    let (dab, dbc, dca) = (dot(ab, ab), dot(bc, bc), dot(ca, ca));
    let less = |a: Vector, b: Vector| lexical(&a, &b) == Ordering::Less;
    let (bc_over_ca, bc_over_ab) = (dca < dbc || dca == dbc && less(a, b), dab < dbc || dab == dbc && less(a, c));
    let ca_over_ab = dab < dca || dab == dca && less(b, c);
    let determinant = match (bc_over_ca, bc_over_ab, ca_over_ab) {
        (true, true, _) => dot(cross(ab, ca), a) * sab,
        (false, _, true) => dot(cross(bc, ab), b) * sbc,
        (true, false, _) | (false, _, false) => dot(cross(ca, bc), c) * sca,
    };
    match determinant.partial_cmp(&0.0) {
        Some(Ordering::Greater) => 1,
        Some(Ordering::Less) => -1,
        Some(Ordering::Equal) | None => moved_side(a, b, c),
    }
}

/// The same for points on one line, after moving each by a step that is small in x, smaller in y and smallest in z.
fn moved_side(a: Vector, b: Vector, c: Vector) -> i32 {
    [(1, 2), (2, 0), (0, 1)]
        .into_iter()
        .map(|(x, y)| {
            let (a, b, c) = ([a[x], a[y]], [b[x], b[y]], [c[x], c[y]]);
            (flat_side(a, b) + flat_side(b, c) + flat_side(c, a)).signum()
        })
        .find(|side| *side != 0)
        .unwrap_or(0)
}

/// 1 if two points of a plane turn left around its origin, -1 if right.
fn flat_side(a: [f64; 2], b: [f64; 2]) -> i32 {
    let along = |a: [f64; 2], b: [f64; 2]| a[0] * b[0] + a[1] * b[1];
    let across = |a: [f64; 2], b: [f64; 2]| a[0] * b[1] - a[1] * b[0];
    let sign = if along(a, b) > 0.0 { -1.0 } else { 1.0 };
    let ab = [a[0] + sign * b[0], a[1] + sign * b[1]];
    let (da, db) = (along(a, a), along(b, b));
    let determinant =
        if da < db || da == db && lexical(&a, &b) == Ordering::Less { across(a, ab) * sign } else { across(ab, b) };
    i32::from(determinant > 0.0) - i32::from(determinant < 0.0)
}

/// The shorter of the difference and the sum of two vectors, and the sign of the second in it.
fn shorter(a: Vector, b: Vector) -> (Vector, f64) {
    let sign = if dot(a, b) > 0.0 { -1.0 } else { 1.0 };
    ([a[0] + sign * b[0], a[1] + sign * b[1], a[2] + sign * b[2]], sign)
}

fn lexical<const N: usize>(a: &[f64; N], b: &[f64; N]) -> Ordering {
    a.partial_cmp(b).unwrap_or(Ordering::Equal)
}

fn normalized(a: Vector) -> Vector {
    let length = dot(a, a).sqrt();
    a.map(|part| part * (1.0 / length))
}
