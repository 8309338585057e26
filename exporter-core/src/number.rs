//! Numbers as Go prints them: `strconv.FormatFloat(v, 'g', -1, 64)`.
//!
//! Expositions are compared with those of the Go exporters, so `1e+06`, not `1000000`.

/// Appends `value` with the fewest digits that read back as the same number, in scientific form
/// when its decimal exponent is below -4 or above 5.
pub(crate) fn push(out: &mut Vec<u8>, value: f64) {
    if value.is_nan() {
        out.extend_from_slice(b"NaN");
    } else if value.is_infinite() {
        out.extend_from_slice(if value > 0.0 { b"+Inf" } else { b"-Inf" });
    } else if value == 0.0 {
        out.extend_from_slice(if value.is_sign_negative() { b"-0" } else { b"0" });
    } else if value.fract() == 0.0 && value.abs() < 1e6 {
        #[expect(clippy::cast_possible_truncation, reason = "a whole number below a million")]
        let whole = value as i32;
        out.extend_from_slice(itoa::Buffer::new().format(whole).as_bytes());
    } else {
        shortest(out, value);
    }
}

/// Lays the shortest digits out anew.
fn shortest(out: &mut Vec<u8>, value: f64) {
    if value < 0.0 {
        out.push(b'-');
    }
    let mut buffer = ryu::Buffer::new();
    let (digits, exponent) = scientific(buffer.format_finite(value.abs()));
    let digits = digits.as_slice();
    let (first, rest) = digits.split_at(digits.len().min(1));
    if !(-4..6).contains(&exponent) {
        out.extend_from_slice(first);
        if !rest.is_empty() {
            out.push(b'.');
            out.extend_from_slice(rest);
        }
        out.push(b'e');
        out.push(if exponent < 0 { b'-' } else { b'+' });
        let exponent = exponent.unsigned_abs();
        if exponent < 10 {
            out.push(b'0');
        }
        out.extend_from_slice(itoa::Buffer::new().format(exponent).as_bytes());
    } else if exponent < 0 {
        out.extend_from_slice(b"0.");
        out.extend(std::iter::repeat_n(b'0', (exponent.unsigned_abs() as usize) - 1));
        out.extend_from_slice(digits);
    } else {
        let whole = exponent.unsigned_abs() as usize + 1;
        out.extend(digits.iter().copied().chain(std::iter::repeat(b'0')).take(whole));
        if let Some(fraction) = digits.get(whole..).filter(|fraction| !fraction.is_empty()) {
            out.push(b'.');
            out.extend_from_slice(fraction);
        }
    }
}

/// The significant digits of what ryu wrote, without leading or trailing zeros, and the decimal
/// exponent of the first.
fn scientific(written: &str) -> (Vec<u8>, i32) {
    let (mantissa, exponent) = written.split_once('e').unwrap_or((written, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = || whole.bytes().chain(fraction.bytes());
    let leading = digits().take_while(|&digit| digit == b'0').count();
    let mut significant: Vec<u8> = digits().skip(leading).collect();
    while significant.last() == Some(&b'0') {
        significant.pop();
    }
    let place = |count: usize| i32::try_from(count).unwrap_or(i32::MAX);
    (significant, exponent + place(whole.len()) - 1 - place(leading))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_print_as_go_prints_them() {
        for (value, written) in [
            (0.0, "0"),
            (-0.0, "-0"),
            (1.0, "1"),
            (-21.0, "-21"),
            (999_999.0, "999999"),
            (1e6, "1e+06"),
            (1_234_567.0, "1.234567e+06"),
            (123_456_789_012_345_680.0, "1.2345678901234568e+17"),
            (0.5, "0.5"),
            (37.108_000_000_000_004, "37.108000000000004"),
            (123_456.75, "123456.75"),
            (1_234_567.5, "1.2345675e+06"),
            (0.0001, "0.0001"),
            (0.00012, "0.00012"),
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
}
