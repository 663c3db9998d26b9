//! Logarithm, power and sine from the four operations, so that a draw is the same bits on every
//! machine; the standard library's are the platform's own. Nothing here is drawn.

const LN_2: f64 = std::f64::consts::LN_2;

/// Natural logarithm of a positive normal number.
pub(super) fn ln(x: f64) -> f64 {
    let bits = x.to_bits();
    let exponent = ((bits >> 52) & 0x7ff).cast_signed() - 1_023;
    let mantissa = f64::from_bits((bits & ((1 << 52) - 1)) | (1_023 << 52));
    let z = (mantissa - 1.0) / (mantissa + 1.0);
    let square = z * z;
    let mut power = z;
    let mut sum = 0.0;
    for odd in (1..=31).step_by(2) {
        sum += power / f64::from(odd);
        power *= square;
    }
    2.0 * sum + exponent as f64 * LN_2
}

/// `e^x` for |x| below 700.
fn exp(x: f64) -> f64 {
    let doublings = (x / LN_2).floor();
    let rest = x - doublings * LN_2;
    let mut term = 1.0;
    let mut sum = 1.0;
    for n in 1..=20 {
        term *= rest / f64::from(n);
        sum += term;
    }
    sum * f64::from_bits(((doublings as i64 + 1_023) as u64) << 52)
}

/// `x^y` for a positive `x`.
pub(super) fn power(x: f64, y: f64) -> f64 {
    exp(y * ln(x))
}

/// Sine of a full turn's share: `turns` = 1 is once around.
pub(super) fn sine(turns: f64) -> f64 {
    let around = turns - turns.floor();
    // The second half mirrors the first, the second quarter the first quarter.
    let (half, sign) = if around < 0.5 {
        (around, 1.0)
    } else {
        (around - 0.5, -1.0)
    };
    let quarter = if half < 0.25 { half } else { 0.5 - half };
    let angle = quarter * std::f64::consts::TAU;
    let mut term = angle;
    let mut sum = angle;
    for n in 1..=9 {
        term *= -angle * angle / f64::from(2 * n * (2 * n + 1));
        sum += term;
    }
    sign * sum
}

#[cfg(test)]
mod tests {
    use super::{ln, power, sine};

    #[test]
    fn they_agree_with_the_standard_library() {
        for step in 1..2_000 {
            let x = f64::from(step) * 0.013;
            assert!((ln(x) - x.ln()).abs() < 1e-12, "ln {x}");
            assert!((power(x, -0.7) / x.powf(-0.7) - 1.0).abs() < 1e-12, "{x}");
            let turn = (x * std::f64::consts::TAU).sin();
            assert!((sine(x) - turn).abs() < 1e-9, "sine {x}");
        }
    }
}
