//! Decimal128: IEEE 754-2008 decimal floating point of 34 digits, in the binary integer encoding (BID) that BSON uses.
//!
//! Only what a database needs is here: comparison, sums, averages and the way to and from other numbers.

use std::cmp::Ordering;

/// The bias of the exponent.
const BIAS: i32 = 6176;
/// The greatest coefficient: 34 nines.
const COEFFICIENT_MAX: u128 = 10u128.pow(34) - 1;
/// The greatest exponent of a coefficient.
const EXPONENT_MAX: i32 = 6111;
/// Decimal digits that 128 bits always hold.
const DIGITS_IN_128: u32 = 38;

/// A decimal128 value: 16 bytes, little-endian, as BSON has them.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Decimal(pub [u8; 16]);

/// What the bytes say.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Parts {
    NotANumber,
    Infinite { negative: bool },
    Finite { negative: bool, coefficient: u128, exponent: i32 },
}

impl Decimal {
    /// Not a number.
    pub const NAN: Decimal = Decimal::of_high(0x7c00_0000_0000_0000);
    /// Positive zero.
    pub const ZERO: Decimal = Decimal::of_high(((BIAS as u64) << 49) & (u64::MAX >> 1));

    const fn of_high(high: u64) -> Decimal {
        let bytes = (high as u128) << 64;
        Decimal(bytes.to_le_bytes())
    }

    fn parts(self) -> Parts {
        let bits = u128::from_le_bytes(self.0);
        let negative = bits >> 127 == 1;
        let top = (bits >> 122) as u8 & 0x1f;
        if top == 0x1f {
            return Parts::NotANumber;
        }
        if top == 0x1e {
            return Parts::Infinite { negative };
        }
        let (exponent, coefficient) = if top >> 3 == 3 {
            // A coefficient of more than 113 bits is above the greatest one, and reads as zero.
            ((bits >> 111) as i32 & 0x3fff, 0)
        } else {
            ((bits >> 113) as i32 & 0x3fff, bits & ((1 << 113) - 1))
        };
        let coefficient = if coefficient > COEFFICIENT_MAX { 0 } else { coefficient };
        Parts::Finite { negative, coefficient, exponent: exponent - BIAS }
    }

    /// The nearest decimal of a sign, a coefficient and an exponent; ties go to the even digit.
    fn from_parts(negative: bool, coefficient: u128, exponent: i32) -> Decimal {
        let (mut coefficient, mut exponent) = (coefficient, exponent);
        if coefficient > COEFFICIENT_MAX {
            let drop = digits(coefficient) - 34;
            coefficient = divide_even(coefficient, 10u128.pow(drop));
            exponent += drop as i32;
            if coefficient > COEFFICIENT_MAX {
                coefficient /= 10;
                exponent += 1;
            }
        }
        while exponent > EXPONENT_MAX && coefficient != 0 && coefficient <= COEFFICIENT_MAX / 10 {
            coefficient *= 10;
            exponent -= 1;
        }
        while exponent < -BIAS && coefficient != 0 {
            coefficient = divide_even(coefficient, 10);
            exponent += 1;
        }
        let sign = u128::from(negative) << 127;
        if exponent > EXPONENT_MAX && coefficient != 0 {
            return Decimal((sign | 0x7800_0000_0000_0000 << 64).to_le_bytes());
        }
        let exponent = exponent.clamp(-BIAS, EXPONENT_MAX);
        Decimal((sign | ((exponent + BIAS) as u128) << 113 | coefficient).to_le_bytes())
    }

    /// Whether this is not a number.
    pub fn is_nan(self) -> bool {
        self.parts() == Parts::NotANumber
    }

    /// An int, exactly.
    pub fn from_int(value: i64) -> Decimal {
        Decimal::from_parts(value < 0, u128::from(value.unsigned_abs()), 0)
    }

    /// The decimal that a double's shortest spelling names.
    pub fn from_double(value: f64) -> Decimal {
        if value.is_nan() {
            return Decimal::NAN;
        }
        if value.is_infinite() {
            let sign = u128::from(value.is_sign_negative()) << 127;
            return Decimal((sign | 0x7800_0000_0000_0000 << 64).to_le_bytes());
        }
        Decimal::parse(&format!("{value:e}")).unwrap_or(Decimal::NAN)
    }

    /// The nearest double.
    pub fn to_double(self) -> f64 {
        match self.parts() {
            Parts::NotANumber => f64::NAN,
            Parts::Infinite { negative: false } => f64::INFINITY,
            Parts::Infinite { negative: true } => f64::NEG_INFINITY,
            Parts::Finite { .. } => self.to_string().parse().unwrap_or(f64::NAN),
        }
    }

    /// Reads digits with an optional sign, point and exponent, `inf` or `nan`; `None` for anything else.
    pub fn parse(text: &str) -> Option<Decimal> {
        let (negative, rest) = match text.as_bytes().first()? {
            b'-' => (true, &text[1..]),
            b'+' => (false, &text[1..]),
            _ => (false, text),
        };
        if rest.eq_ignore_ascii_case("inf") || rest.eq_ignore_ascii_case("infinity") {
            return Some(Decimal::from_double(if negative { f64::NEG_INFINITY } else { f64::INFINITY }));
        }
        if rest.eq_ignore_ascii_case("nan") {
            return Some(Decimal::NAN);
        }
        let (mantissa, mut exponent) = match rest.find(['e', 'E']) {
            Some(at) => (&rest[..at], rest[at + 1..].parse::<i32>().ok()?),
            None => (rest, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        if whole.is_empty() && fraction.is_empty() {
            return None;
        }
        let mut coefficient = 0u128;
        let mut sticky = false;
        for (index, digit) in whole.bytes().chain(fraction.bytes()).enumerate() {
            if !digit.is_ascii_digit() {
                return None;
            }
            let is_fraction = index >= whole.len();
            if digits(coefficient) < DIGITS_IN_128 - 1 {
                coefficient = coefficient * 10 + u128::from(digit - b'0');
                exponent = exponent.saturating_sub(i32::from(is_fraction));
            } else {
                sticky |= digit != b'0';
                exponent = exponent.saturating_add(i32::from(!is_fraction));
            }
        }
        // What was cut off decides a tie and nothing else.
        if sticky && coefficient.is_multiple_of(10) {
            coefficient += 1;
        }
        Some(Decimal::from_parts(negative, coefficient, exponent))
    }

    /// The sum, rounded to 34 digits.
    pub fn plus(self, other: Decimal) -> Decimal {
        let (a, b) = match (self.parts(), other.parts()) {
            (Parts::NotANumber, _) | (_, Parts::NotANumber) => return Decimal::NAN,
            (Parts::Infinite { negative: a }, Parts::Infinite { negative: b }) if a != b => return Decimal::NAN,
            (Parts::Infinite { .. }, _) => return self,
            (_, Parts::Infinite { .. }) => return other,
            (
                Parts::Finite { negative: na, coefficient: ca, exponent: ea },
                Parts::Finite { negative: nb, coefficient: cb, exponent: eb },
            ) => ((na, ca, ea), (nb, cb, eb)),
        };
        let (high, low) = if a.2 >= b.2 { (a, b) } else { (b, a) };
        if high.1 == 0 {
            return Decimal::from_parts(low.0, low.1, low.2);
        }
        let room = DIGITS_IN_128 - 1 - digits(high.1);
        let shift = ((high.2 - low.2) as u32).min(room);
        let exponent = high.2 - shift as i32;
        let high_scaled = high.1 * 10u128.pow(shift);
        let drop = (exponent - low.2) as u32;
        let low_scaled = if drop > DIGITS_IN_128 { 0 } else { divide_even(low.1, 10u128.pow(drop)) };
        if high.0 == low.0 {
            return Decimal::from_parts(high.0, high_scaled + low_scaled, exponent);
        }
        match high_scaled.cmp(&low_scaled) {
            Ordering::Greater => Decimal::from_parts(high.0, high_scaled - low_scaled, exponent),
            Ordering::Less => Decimal::from_parts(low.0, low_scaled - high_scaled, exponent),
            Ordering::Equal => Decimal::from_parts(false, 0, exponent),
        }
    }

    /// The number with the other sign.
    pub fn negate(self) -> Decimal {
        match self.parts() {
            Parts::NotANumber => self,
            Parts::Infinite { .. } | Parts::Finite { .. } => {
                Decimal((u128::from_le_bytes(self.0) ^ 1 << 127).to_le_bytes())
            }
        }
    }

    /// The product, rounded to 34 digits.
    pub fn multiply(self, other: Decimal) -> Decimal {
        let (a, b) = match (self.parts(), other.parts()) {
            (Parts::NotANumber, _) | (_, Parts::NotANumber) => return Decimal::NAN,
            (
                Parts::Finite { negative: na, coefficient: ca, exponent: ea },
                Parts::Finite { negative: nb, coefficient: cb, exponent: eb },
            ) => ((na, ca, ea), (nb, cb, eb)),
            (a, b) => {
                let is_zero = |parts| matches!(parts, Parts::Finite { coefficient: 0, .. });
                return if is_zero(a) || is_zero(b) {
                    Decimal::NAN
                } else {
                    infinite(a.is_negative() != b.is_negative())
                };
            }
        };
        // Schoolbook multiplication with digits of nine decimal digits; what is read back is rounded once.
        const LIMB: u128 = 1_000_000_000;
        let limbs = |value: u128| [0, 1, 2, 3].map(|at| value / LIMB.pow(at) % LIMB);
        let mut product = [0u128; 9];
        for (i, x) in limbs(a.1).iter().enumerate() {
            for (j, y) in limbs(b.1).iter().enumerate() {
                product[i + j] += x * y;
            }
        }
        let mut text = String::from(if a.0 != b.0 { "-" } else { "" });
        for at in 0..8 {
            product[at + 1] += product[at] / LIMB;
            product[at] %= LIMB;
        }
        for limb in product.iter().rev() {
            text.push_str(&format!("{limb:09}"));
        }
        Decimal::parse(&format!("{text}e{}", a.2 + b.2)).unwrap_or(Decimal::NAN)
    }

    /// The quotient, rounded to 34 digits.
    pub fn divide(self, other: Decimal) -> Decimal {
        match (self.parts(), other.parts()) {
            (Parts::NotANumber, _) | (_, Parts::NotANumber) | (Parts::Infinite { .. }, Parts::Infinite { .. }) => {
                Decimal::NAN
            }
            (Parts::Finite { coefficient: 0, .. }, Parts::Finite { coefficient: 0, .. }) => Decimal::NAN,
            (a, b @ Parts::Finite { coefficient: 0, .. }) | (a @ Parts::Infinite { .. }, b) => {
                infinite(a.is_negative() != b.is_negative())
            }
            (Parts::Finite { .. }, Parts::Infinite { .. }) => Decimal::ZERO,
            (
                Parts::Finite { negative: na, coefficient: ca, exponent: ea },
                Parts::Finite { negative: nb, coefficient: cb, exponent: eb },
            ) => {
                let (mut quotient, mut rest, mut exponent) = (ca / cb, ca % cb, ea - eb);
                while rest != 0 && digits(quotient) < 36 {
                    rest *= 10;
                    quotient = quotient * 10 + rest / cb;
                    rest %= cb;
                    exponent -= 1;
                }
                if rest != 0 && quotient.is_multiple_of(10) {
                    quotient += 1;
                }
                Decimal::from_parts(na != nb, quotient, exponent)
            }
        }
    }

    /// The quotient by a count, rounded to 34 digits.
    pub fn divide_by(self, count: u64) -> Decimal {
        match self.parts() {
            Parts::Finite { negative, mut coefficient, mut exponent } if count > 0 => {
                let mut quotient = coefficient / u128::from(count);
                coefficient %= u128::from(count);
                while coefficient != 0 && digits(quotient) < 36 {
                    coefficient *= 10;
                    quotient = quotient * 10 + coefficient / u128::from(count);
                    coefficient %= u128::from(count);
                    exponent -= 1;
                }
                Decimal::from_parts(negative, quotient, exponent)
            }
            Parts::Finite { .. } => Decimal::NAN,
            Parts::NotANumber | Parts::Infinite { .. } => self,
        }
    }

    /// The order of the numbers; NaN comes first and equals itself, zeros of all signs and exponents are equal.
    pub fn order(self, other: Decimal) -> Ordering {
        let rank = |parts: Parts| match parts {
            Parts::NotANumber => -3,
            Parts::Infinite { negative: true } => -2,
            Parts::Finite { negative: true, coefficient, .. } if coefficient > 0 => -1,
            Parts::Finite { coefficient: 0, .. } => 0,
            Parts::Finite { .. } => 1,
            Parts::Infinite { negative: false } => 2,
        };
        let (a, b) = (self.parts(), other.parts());
        let (Parts::Finite { negative, .. }, Parts::Finite { .. }, true) = (a, b, rank(a) == rank(b)) else {
            return rank(a).cmp(&rank(b));
        };
        let order = magnitude(a, b);
        if negative { order.reverse() } else { order }
    }
}

impl Parts {
    fn is_negative(self) -> bool {
        match self {
            Parts::NotANumber => false,
            Parts::Infinite { negative } | Parts::Finite { negative, .. } => negative,
        }
    }
}

/// Compares two finite numbers, the signs aside.
fn magnitude(a: Parts, b: Parts) -> Ordering {
    let (Parts::Finite { coefficient: ca, exponent: ea, .. }, Parts::Finite { coefficient: cb, exponent: eb, .. }) =
        (a, b)
    else {
        return Ordering::Equal;
    };
    if ca == 0 || cb == 0 {
        return ca.cmp(&cb);
    }
    let size = |coefficient: u128, exponent: i32| digits(coefficient) as i32 + exponent;
    size(ca, ea).cmp(&size(cb, eb)).then_with(|| {
        // Both have their first digit in the same place, so that the scaled one has no more digits than the other.
        let scale = |coefficient: u128, by: i32| coefficient * 10u128.pow(by.max(0) as u32);
        scale(ca, ea - eb).cmp(&scale(cb, eb - ea))
    })
}

fn infinite(negative: bool) -> Decimal {
    Decimal::from_double(if negative { f64::NEG_INFINITY } else { f64::INFINITY })
}

fn digits(value: u128) -> u32 {
    value.checked_ilog10().map_or(1, |log| log + 1)
}

fn divide_even(value: u128, by: u128) -> u128 {
    let (quotient, rest) = (value / by, value % by);
    let up = match (rest * 2).cmp(&by) {
        Ordering::Less => false,
        Ordering::Equal => quotient % 2 == 1,
        Ordering::Greater => true,
    };
    quotient + u128::from(up)
}

impl std::fmt::Display for Decimal {
    /// As the General Decimal Arithmetic specification's "to-scientific-string" has it.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (negative, coefficient, exponent) = match self.parts() {
            Parts::NotANumber => return f.write_str("NaN"),
            Parts::Infinite { negative } => return f.write_str(if negative { "-Infinity" } else { "Infinity" }),
            Parts::Finite { negative, coefficient, exponent } => (negative, coefficient, exponent),
        };
        if negative {
            f.write_str("-")?;
        }
        let digits = coefficient.to_string();
        let adjusted = exponent + digits.len() as i32 - 1;
        if exponent > 0 || adjusted < -6 {
            let (first, rest) = digits.split_at(1);
            let point = if rest.is_empty() { "" } else { "." };
            return write!(f, "{first}{point}{rest}E{adjusted:+}");
        }
        if exponent == 0 {
            return f.write_str(&digits);
        }
        let fraction = exponent.unsigned_abs() as usize;
        if digits.len() > fraction {
            let (whole, rest) = digits.split_at(digits.len() - fraction);
            write!(f, "{whole}.{rest}")
        } else {
            write!(f, "0.{digits:0>fraction$}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn of(text: &str) -> Decimal {
        Decimal::parse(text).unwrap_or_else(|| panic!("{text} is a decimal"))
    }

    #[test]
    fn texts_come_back() {
        for text in [
            "0",
            "1",
            "-1",
            "1.5",
            "-0.001",
            "1E+3",
            "1.23E-10",
            "0.000001",
            "9999999999999999999999999999999999",
            "Infinity",
            "-Infinity",
            "NaN",
            "1E+6111",
            "1E-6176",
            "-0",
        ] {
            assert_eq!(of(text).to_string(), text);
        }
        for bad in ["", "-", ".", "1e", "1.2.3", "x", "1x", "e5"] {
            assert_eq!(Decimal::parse(bad), None, "{bad}");
        }
        assert_eq!(Decimal::ZERO, of("0"));
    }

    #[test]
    fn the_bytes_are_those_of_bson() {
        // The encoding of 1.5 in the specification of BSON's decimal128: 0x30 3e 0 ... 0f.
        let mut bytes = [0u8; 16];
        (bytes[0], bytes[14], bytes[15]) = (15, 0x3e, 0x30);
        assert_eq!(of("1.5").0, bytes);
    }

    #[test]
    fn numbers_order_by_value_whatever_their_exponents() {
        let ascending =
            ["NaN", "-Infinity", "-1E+10", "-1.5", "-1", "0", "1E-6176", "0.1", "1", "1.5", "1E+10", "Infinity"];
        for (i, a) in ascending.iter().enumerate() {
            for (j, b) in ascending.iter().enumerate() {
                assert_eq!(of(a).order(of(b)), i.cmp(&j), "{a} and {b}");
            }
        }
        assert_eq!(of("1.50").order(of("1.5")), Ordering::Equal);
        assert_eq!(of("-0").order(of("0E+5")), Ordering::Equal);
        assert_eq!(of("9999999999999999999999999999999999").order(of("1E+34")), Ordering::Less);
    }

    #[test]
    fn sums_and_averages_are_rounded_to_34_digits() {
        assert_eq!(of("1.5").plus(of("2.25")).to_string(), "3.75");
        assert_eq!(of("1").plus(of("-1")).to_string(), "0");
        assert_eq!(of("1E+40").plus(of("1")).order(of("1E+40")), Ordering::Equal);
        assert_eq!(of("9999999999999999999999999999999999").plus(of("1")).order(of("1E+34")), Ordering::Equal);
        assert_eq!(of("10").divide_by(4).to_string(), "2.5");
        assert_eq!(of("1").divide_by(3).to_string(), "0.3333333333333333333333333333333333");
        assert!(of("Infinity").plus(of("-Infinity")).is_nan());
    }

    #[test]
    fn products_and_quotients_are_rounded_to_34_digits() {
        let product = |a: &str, b: &str| of(a).multiply(of(b));
        assert_eq!(product("1.5", "-2.5").to_string(), "-3.75");
        assert_eq!(product("0.1", "0.2").to_string(), "0.02");
        let nines = "9999999999999999999999999999999999";
        assert_eq!(product(nines, nines).to_string(), "9.999999999999999999999999999999998E+67");
        assert_eq!(product("1E+6000", "1E+6000").to_string(), "Infinity");
        assert!(product("0", "Infinity").is_nan());
        assert_eq!(product("-2", "Infinity").to_string(), "-Infinity");
        let quotient = |a: &str, b: &str| of(a).divide(of(b)).to_string();
        assert_eq!(quotient("10", "4"), "2.5");
        assert_eq!(quotient("-2", "3"), "-0.6666666666666666666666666666666667");
        assert_eq!(quotient("1", "0"), "Infinity");
        assert_eq!(quotient("0", "0"), "NaN");
        assert_eq!(quotient("1", "Infinity"), "0");
        assert_eq!(of("-0.5").negate().to_string(), "0.5");
    }

    proptest! {
        #[test]
        fn ints_keep_their_order_and_their_sums(a in -1_000_000_000_000i64..1_000_000_000_000, b in -1_000_000_000_000i64..1_000_000_000_000) {
            let (x, y) = (Decimal::from_int(a), Decimal::from_int(b));
            prop_assert_eq!(x.order(y), a.cmp(&b));
            prop_assert_eq!(x.plus(y).order(Decimal::from_int(a + b)), Ordering::Equal);
            prop_assert_eq!(x.to_double(), a as f64);
        }

        #[test]
        fn doubles_come_back(value: f64) {
            let back = Decimal::from_double(value).to_double();
            prop_assert!(back == value || value.is_nan() && back.is_nan());
        }

        #[test]
        fn any_bytes_have_an_order(a: [u8; 16], b: [u8; 16]) {
            let (a, b) = (Decimal(a), Decimal(b));
            prop_assert_eq!(a.order(b), b.order(a).reverse());
            prop_assert_eq!(a.order(a), Ordering::Equal);
            let _ = a.plus(b).to_string();
        }
    }
}
