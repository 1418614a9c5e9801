//! Banded symmetric matrices and their Cholesky factor.

/// Lower half of a symmetric banded matrix, row by row: row `i` holds the columns `i - half ..= i`.
#[derive(Clone, Debug, Default)]
pub struct Banded {
    n: usize,
    half: usize,
    data: Vec<f64>,
}

impl Banded {
    /// Sets the size and zeroes everything.
    pub fn reset(&mut self, n: usize, half_bandwidth: usize) {
        (self.n, self.half) = (n, half_bandwidth);
        self.data.clear();
        self.data.resize(n * (half_bandwidth + 1), 0.0);
    }

    /// Rows.
    pub fn size(&self) -> usize {
        self.n
    }

    /// Adds to the entry (row, column) and so to its mirror; the pair must lie in the band.
    #[inline]
    pub fn add(&mut self, row: usize, column: usize, value: f64) {
        let (hi, lo) = if row >= column { (row, column) } else { (column, row) };
        debug_assert!(hi - lo <= self.half, "({hi}, {lo}) outside of half-bandwidth {}", self.half);
        self.data[hi * (self.half + 1) + lo + self.half - hi] += value;
    }

    /// An entry; 0 outside of the band.
    pub fn get(&self, row: usize, column: usize) -> f64 {
        let (hi, lo) = if row >= column { (row, column) } else { (column, row) };
        if hi - lo > self.half { 0.0 } else { self.data[hi * (self.half + 1) + lo + self.half - hi] }
    }

    /// Largest diagonal entry, at least 0.
    pub fn max_diagonal(&self) -> f64 {
        (0..self.n).map(|i| self.data[i * (self.half + 1) + self.half]).fold(0.0, f64::max)
    }

    /// Factors `self + shift I = L L^T` into `factor`; `false` if it is not positive definite (or not finite).
    ///
    /// Cost about `n half^2` multiplications. `factor` may hold anything before.
    pub fn factor_shifted(&self, shift: f64, factor: &mut Self) -> bool {
        let width = self.half + 1;
        factor.n = self.n;
        factor.half = self.half;
        factor.data.clear();
        factor.data.extend_from_slice(&self.data);
        for i in 0..self.n {
            let (done, rest) = factor.data.split_at_mut(i * width);
            let row = &mut rest[..width];
            row[self.half] += shift;
            let first = i.saturating_sub(self.half);
            for j in first..i {
                // L_ij = (A_ij - sum_k L_ik L_jk) / L_jj over the columns that both rows hold.
                let other = &done[j * width..(j + 1) * width];
                let at = j + self.half - i;
                let from = first + self.half - i;
                let length = at - from;
                let dot: f64 = dot(&row[from..at], &other[self.half - length..self.half]);
                row[at] = (row[at] - dot) / other[self.half];
            }
            let from = first + self.half - i;
            let pivot = row[self.half] - dot(&row[from..self.half], &row[from..self.half]);
            if pivot.is_nan() || pivot <= 0.0 || pivot.is_infinite() {
                return false;
            }
            row[self.half] = pivot.sqrt();
        }
        true
    }

    /// Solves `L L^T x = b` in place, `self` being a factor.
    pub fn solve(&self, b: &mut [f64]) {
        let width = self.half + 1;
        for i in 0..self.n {
            let row = &self.data[i * width..(i + 1) * width];
            let first = i.saturating_sub(self.half);
            let from = first + self.half - i;
            b[i] = (b[i] - dot(&row[from..self.half], &b[first..i])) / row[self.half];
        }
        for i in (0..self.n).rev() {
            let row = &self.data[i * width..(i + 1) * width];
            let first = i.saturating_sub(self.half);
            let from = first + self.half - i;
            b[i] /= row[self.half];
            let x = b[i];
            for (value, l) in b[first..i].iter_mut().zip(&row[from..self.half]) {
                *value -= l * x;
            }
        }
    }
}

/// Dot product in four interleaved sums (a fixed order, so the same bits everywhere).
#[inline]
fn dot(a: &[f64], b: &[f64]) -> f64 {
    let mut sums = [0.0; 4];
    let (ca, cb) = (a.chunks_exact(4), b.chunks_exact(4));
    let tail: f64 = ca.remainder().iter().zip(cb.remainder()).map(|(x, y)| x * y).sum();
    for (x, y) in ca.zip(cb) {
        for k in 0..4 {
            sums[k] += x[k] * y[k];
        }
    }
    (sums[0] + sums[1]) + (sums[2] + sums[3]) + tail
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn solves_a_banded_system_and_refuses_an_indefinite_one() {
        let (n, half) = (23, 5);
        let entry = |i: usize, j: usize| {
            if i == j { 9.0 + i as f64 * 0.1 } else { ((i * 7 + j * 3) % 5) as f64 * 0.3 - 0.6 }
        };
        let mut a = Banded::default();
        a.reset(n, half);
        for i in 0..n {
            for j in i.saturating_sub(half)..=i {
                a.add(i, j, entry(i, j));
            }
        }
        let x: Vec<f64> = (0..n).map(|i| (i as f64 * 0.7).sin()).collect();
        let mut b = vec![0.0; n];
        for (i, sum) in b.iter_mut().enumerate() {
            let near = x.iter().enumerate().filter(|(j, _)| i.abs_diff(*j) <= half);
            *sum = near.map(|(j, x)| entry(i.max(j), i.min(j)) * x).sum();
        }
        let mut factor = Banded::default();
        assert!(a.factor_shifted(0.0, &mut factor));
        factor.solve(&mut b);
        let worst = x.iter().zip(&b).map(|(p, q)| (p - q).abs()).fold(0.0, f64::max);
        assert!(worst < 1e-13, "{worst}");
        assert!(!a.factor_shifted(-30.0, &mut factor));
    }
}
