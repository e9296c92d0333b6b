//! Keys as the Falcon specification writes them (version 1.2, section 3.11), and what makes them keys.
//!
//! The examples of draft-ietf-cose-falcon have this form. `fn-dsa` 0.4 writes what it expects of FIPS 206: it fills bytes from
//! their least significant bit, has the values of h at some points instead of its coefficients, and keeps a hash of the
//! public key behind a private one.

use fn_dsa::{SigningKey as _, sign_key_size, vrfy_key_size};

use crate::auth::token::signature::fn_dsa::Degree;

const Q: i64 = 12_289;
/// The bits of a number below q.
const PUBLIC_WIDTH: usize = 14;

/// From which bit on a byte is filled.
#[derive(Clone, Copy)]
enum Order {
    /// The most significant one.
    Falcon,
    /// The least significant one.
    FnDsa,
}

/// The polynomials modulo q and x^n + 1.
pub(super) struct Ring {
    n: usize,
    /// The bits of a coefficient of f and g (section 3.11.5).
    width: usize,
    /// Where `fn-dsa` evaluates h.
    points: Vec<i64>,
}

impl Ring {
    pub(super) fn of<D: Degree>() -> Self {
        let (n, width) = (1 << D::LOGN, if D::LOGN == 10 { 5 } else { 6 });
        // The values of g / f, where g is x and f is 1.
        let mut private = vec![0; sign_key_size(D::LOGN)];
        private[0] = 0x50 + u8::try_from(D::LOGN).expect("9 or 10");
        private[1] = 1;
        private[1 + n * width / 8] = 1 << width;
        let mut public = vec![0; vrfy_key_size(D::LOGN)];
        D::Private::decode(&private).expect("1 has an inverse").to_verifying_key(&mut public);
        Self { n, width, points: fields(&public[1..], PUBLIC_WIDTH, Order::FnDsa) }
    }

    /// A public key of Falcon's form in that of `fn-dsa`. Its first byte tells the degree.
    pub(super) fn public(&self, key: &[u8]) -> Option<Vec<u8>> {
        let h = fields(&key[1..], PUBLIC_WIDTH, Order::Falcon);
        let values = h.iter().all(|coefficient| *coefficient < Q).then(|| self.evaluated(&h))?;
        Some([&key[..1], &packed(&values, PUBLIC_WIDTH)].concat())
    }

    /// A private key of Falcon's form in that of `fn-dsa`, without its hash: a byte for the degree, then f, g and F.
    pub(super) fn private(&self, key: &[u8]) -> Vec<u8> {
        let (degree, f, g, f_capital) = self.parts(key);
        let [f, g] = [f, g].map(|part| packed(&fields(part, self.width, Order::Falcon), self.width));
        [degree, &f, &g, f_capital].concat()
    }

    /// Whether f * G - g * F = q, where G is h * F modulo q (section 3.8.2). Nothing of F is in a public key, and signing
    /// with another F takes minutes, if it ends. Both keys are of the form of `fn-dsa`.
    pub(super) fn solves_ntru_equation(&self, public: &[u8], private: &[u8]) -> bool {
        let (_, f, g, f_capital) = self.parts(private);
        let [f, g, f_capital] = [(f, self.width), (g, self.width), (f_capital, 8)].map(|(part, width)| {
            let sign = 1 << (width - 1);
            let numbers = fields(part, width, Order::FnDsa).into_iter();
            numbers.map(|number| (number ^ sign) - sign).collect::<Vec<_>>()
        });
        let h = fields(&public[1..], PUBLIC_WIDTH, Order::FnDsa);
        let values: Vec<_> = h.iter().zip(self.evaluated(&f_capital)).map(|(h, f)| h * f).collect();
        let g_capital = self.interpolated(&values);
        let left = product(&f, &g_capital).into_iter().zip(product(&g, &f_capital)).map(|(a, b)| a - b);
        left.eq(std::iter::once(Q).chain(std::iter::repeat_n(0, self.n - 1)))
    }

    fn parts<'a>(&self, key: &'a [u8]) -> (&'a [u8], &'a [u8], &'a [u8], &'a [u8]) {
        let (degree, rest) = key.split_at(1);
        let (f, rest) = rest.split_at(self.n * self.width / 8);
        let (g, f_capital) = rest.split_at(f.len());
        (degree, f, g, f_capital)
    }

    fn evaluated(&self, coefficients: &[i64]) -> Vec<i64> {
        let at = |point: &i64| {
            coefficients.iter().rev().fold(0, |sum, next| (sum * point + next) % Q).rem_euclid(Q)
        };
        self.points.iter().map(at).collect()
    }

    /// The coefficients between -q / 2 and q / 2 of what has these values. The points are the roots of x^n + 1.
    fn interpolated(&self, values: &[i64]) -> Vec<i64> {
        let power = |number: i64, exponent| (0..exponent).fold(1, |power, _| power * number % Q);
        let inverses: Vec<_> = self.points.iter().map(|point| power(*point, 2 * self.n - 1)).collect();
        let mut terms = values.to_vec();
        // A half, as often as n has the factor 2.
        let by_n = power(Q / 2 + 1, self.n.ilog2() as usize);
        let coefficients = (0..self.n).map(|_| {
            let sum = terms.iter().sum::<i64>() % Q * by_n;
            terms.iter_mut().zip(&inverses).for_each(|(term, inverse)| *term = *term * inverse % Q);
            (sum + Q / 2).rem_euclid(Q) - Q / 2
        });
        coefficients.collect()
    }
}

fn fields(bytes: &[u8], width: usize, order: Order) -> Vec<i64> {
    let bit = |field: usize, bit: usize| match order {
        Order::Falcon => {
            let at = field + width - 1 - bit;
            i64::from(bytes[at / 8] >> (7 - at % 8) & 1) << bit
        }
        Order::FnDsa => i64::from(bytes[(field + bit) / 8] >> ((field + bit) % 8) & 1) << bit,
    };
    (0..bytes.len() * 8).step_by(width).map(|field| (0..width).map(|place| bit(field, place)).sum()).collect()
}

/// In the order of `fn-dsa`.
fn packed(numbers: &[i64], width: usize) -> Vec<u8> {
    let mut bytes = vec![0; numbers.len() * width / 8];
    for (number, field) in numbers.iter().zip((0..).step_by(width)) {
        for bit in 0..width {
            bytes[(field + bit) / 8] |= u8::from(number >> bit & 1 == 1) << ((field + bit) % 8);
        }
    }
    bytes
}

/// Modulo x^n + 1, exactly.
fn product(a: &[i64], b: &[i64]) -> Vec<i64> {
    let n = a.len();
    let mut product = vec![0; n];
    for (i, a) in a.iter().enumerate() {
        for (j, b) in b.iter().enumerate() {
            let sign = if i + j < n { 1 } else { -1 };
            product[(i + j) % n] += sign * a * b;
        }
    }
    product
}
