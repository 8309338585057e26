//! Numbers as Go prints them: `strconv.FormatFloat(v, 'g', -1, 64)`.
//!
//! The output is compared with that of the Go exporters, so it is `1e+06`, not `1000000`.

/// All integers below this are exact floats, so their digits are the shortest representation.
const EXACT_INTEGER_LIMIT: i64 = 1 << 53;

/// Appends `value` with the fewest digits that parse to the same number, in scientific notation if
/// its decimal exponent is below -4 or above 5.
pub(crate) fn push(out: &mut Vec<u8>, value: f64) {
    push_shortest(out, value);
}

/// Like [`push`], but always with a `.` or an `e`: `OpenMetrics` distinguishes floats from integers
/// by them, and requires floats in `le` and `quantile`.
pub(crate) fn push_float(out: &mut Vec<u8>, value: f64) {
    if push_shortest(out, value) == Notation::Integer {
        out.extend_from_slice(b".0");
    }
}

/// The notation of a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Notation {
    Float,
    /// Digits only.
    Integer,
}

fn push_shortest(out: &mut Vec<u8>, value: f64) -> Notation {
    #[expect(clippy::cast_possible_truncation, reason = "saturates, and is compared at once")]
    let whole = value as i64;
    #[expect(clippy::float_cmp, reason = "whether the cast lost anything")]
    if whole as f64 == value && (-EXACT_INTEGER_LIMIT..EXACT_INTEGER_LIMIT).contains(&whole) {
        return push_whole(out, whole, value.is_sign_negative());
    }
    if value.is_finite() {
        push_fraction(out, value);
    } else if value.is_nan() {
        out.extend_from_slice(b"NaN");
    } else {
        out.extend_from_slice(if value > 0.0 { b"+Inf" } else { b"-Inf" });
    }
    Notation::Float
}

/// A count with all its digits.
pub(crate) fn push_count(out: &mut Vec<u8>, count: u64) {
    out.extend_from_slice(itoa::Buffer::new().format(count).as_bytes());
}

fn push_whole(out: &mut Vec<u8>, whole: i64, negative: bool) -> Notation {
    if negative {
        out.push(b'-'); // also before zero
    }
    let mut buffer = itoa::Buffer::new();
    let digits = buffer.format(whole.unsigned_abs()).as_bytes();
    if digits.len() <= 6 {
        out.extend_from_slice(digits);
        return Notation::Integer;
    }
    let significant = digits.iter().rposition(|&digit| digit != b'0').map_or(1, |last| last + 1);
    push_scientific(out, digits.get(..significant).unwrap_or(digits), place(digits.len()) - 1);
    Notation::Float
}

fn push_fraction(out: &mut Vec<u8>, value: f64) {
    let mut buffer = zmij::Buffer::new();
    let written = buffer.format_finite(value);
    // Between these, both use decimal notation.
    if (1e-4..1e6).contains(&value.abs()) && !written.contains('e') {
        out.extend_from_slice(written.as_bytes());
        return;
    }
    if value < 0.0 {
        out.push(b'-');
    }
    let (digits, exponent) = Digits::of(written.trim_start_matches('-'));
    if (-4..6).contains(&exponent) {
        push_plain(out, digits.as_slice(), exponent);
    } else {
        push_scientific(out, digits.as_slice(), exponent);
    }
}

fn push_scientific(out: &mut Vec<u8>, digits: &[u8], exponent: i32) {
    let (first, rest) = digits.split_at(digits.len().min(1));
    out.extend_from_slice(first);
    if !rest.is_empty() {
        out.push(b'.');
        out.extend_from_slice(rest);
    }
    out.extend_from_slice(if exponent < 0 { b"e-" } else { b"e+" });
    let exponent = exponent.unsigned_abs();
    if exponent < 10 {
        out.push(b'0');
    }
    push_count(out, exponent.into());
}

fn push_plain(out: &mut Vec<u8>, digits: &[u8], exponent: i32) {
    if exponent < 0 {
        out.extend_from_slice(b"0.");
        out.extend(std::iter::repeat_n(b'0', (exponent.unsigned_abs() as usize) - 1));
        out.extend_from_slice(digits);
        return;
    }
    let whole = exponent.unsigned_abs() as usize + 1;
    out.extend(digits.iter().copied().chain(std::iter::repeat(b'0')).take(whole));
    if let Some(fraction) = digits.get(whole..).filter(|fraction| !fraction.is_empty()) {
        out.push(b'.');
        out.extend_from_slice(fraction);
    }
}

/// Significant digits, without leading or trailing zeros. A float has 17 at most.
#[derive(Default)]
struct Digits {
    bytes: [u8; 24],
    len: usize,
}

impl Digits {
    /// The digits of a decimal number, and the decimal exponent of the first.
    fn of(written: &str) -> (Self, i32) {
        let (mantissa, exponent) = written.split_once('e').unwrap_or((written, "0"));
        let exponent: i32 = exponent.parse().unwrap_or(0);
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let all = || whole.bytes().chain(fraction.bytes());
        let leading = all().take_while(|&digit| digit == b'0').count();
        let mut digits = Self::default();
        for (at, digit) in all().skip(leading).enumerate() {
            if let Some(byte) = digits.bytes.get_mut(at) {
                *byte = digit;
                if digit != b'0' {
                    digits.len = at + 1;
                }
            }
        }
        (digits, exponent + place(whole.len()) - 1 - place(leading))
    }

    fn as_slice(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }
}

fn place(count: usize) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_printed_as_by_go() {
        for (value, written) in [
            (0.0, "0"),
            (-0.0, "-0"),
            (1.0, "1"),
            (-21.0, "-21"),
            (999_999.0, "999999"),
            (1e6, "1e+06"),
            (-1_000_001.0, "-1.000001e+06"),
            (9_007_199_254_740_991.0, "9.007199254740991e+15"),
            (9_007_199_254_740_992.0, "9.007199254740992e+15"),
            (-9_223_372_036_854_775_808.0, "-9.223372036854776e+18"),
            (18_446_744_073_709_551_615.0, "1.8446744073709552e+19"),
            (1_234_567.0, "1.234567e+06"),
            (123_456_789_012_345_680.0, "1.2345678901234568e+17"),
            (0.5, "0.5"),
            (37.108_000_000_000_004, "37.108000000000004"),
            (123_456.75, "123456.75"),
            (1_234_567.5, "1.2345675e+06"),
            (0.0001, "0.0001"),
            (0.00012, "0.00012"),
            (0.000_099_5, "9.95e-05"),
            (-0.75, "-0.75"),
            (999_999.999, "999999.999"),
            (0.00001, "1e-05"),
            (1e-7, "1e-07"),
            (1e21, "1e+21"),
            (1e100, "1e+100"),
            (f64::MAX, "1.7976931348623157e+308"),
            (5e-324, "5e-324"),
            (f64::NAN, "NaN"),
            (f64::INFINITY, "+Inf"),
            (f64::NEG_INFINITY, "-Inf"),
        ] {
            let mut out = Vec::new();
            push(&mut out, value);
            assert_eq!(String::from_utf8(out).unwrap(), written);
        }
    }
    #[test]
    fn open_metrics_floats_have_a_point_or_exponent() {
        for (value, written) in [
            (0.0, "0.0"),
            (-1.0, "-1.0"),
            (0.5, "0.5"),
            (1e6, "1e+06"),
            (f64::INFINITY, "+Inf"),
            (f64::NAN, "NaN"),
        ] {
            let mut out = Vec::new();
            push_float(&mut out, value);
            assert_eq!(String::from_utf8(out).unwrap(), written);
        }
    }

    proptest::proptest! {
        #[test]
        fn numbers_round_trip(bits: u64, small: i32, cents: i32) {
            for value in [f64::from_bits(bits), f64::from(small), f64::from(cents) / 100.0] {
                let mut out = Vec::new();
                push(&mut out, value);
                let read: f64 = std::str::from_utf8(&out).unwrap().parse().unwrap();
                assert!(read.to_bits() == value.to_bits() || (read.is_nan() && value.is_nan()));
            }
        }
    }
}
