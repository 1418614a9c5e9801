//! Sparse symmetric factorization for the pressure network: symbolic once, numeric every solve.

use std::collections::BTreeSet;

/// L D L^T of a symmetric positive definite matrix whose pattern is a graph; eliminated in minimum-degree order, so
/// that a tree has no fill at all and each loop adds only a few entries.
#[derive(Clone, Debug, Default)]
pub struct SparseLdl {
    /// Elimination order: position to unknown.
    order: Vec<u32>,
    /// Where the off-diagonal entries of each column start.
    column_start: Vec<u32>,
    /// Unknown (row) of each off-diagonal entry.
    row: Vec<u32>,
    /// Entry of each edge of the graph, in the order given to `new`.
    edge_entry: Vec<u32>,
    /// Where the updates of each column start.
    update_start: Vec<u32>,
    /// Off-diagonal updates `l[target] -= l[a] * l[b] * d`.
    update: Vec<(u32, u32, u32)>,
}

impl SparseLdl {
    /// Symbolic factorization of a graph of `n` unknowns with these edges (no loops onto itself).
    pub fn new(n: usize, edges: &[(u32, u32)]) -> Self {
        let mut adjacent: Vec<BTreeSet<u32>> = vec![BTreeSet::new(); n];
        for &(a, b) in edges {
            adjacent[a as usize].insert(b);
            adjacent[b as usize].insert(a);
        }
        let mut queue: BTreeSet<(usize, u32)> = (0..n).map(|i| (adjacent[i].len(), i as u32)).collect();
        let mut out = Self { column_start: vec![0], update_start: vec![0], ..Self::default() };
        let mut columns: Vec<Vec<u32>> = vec![Vec::new(); n];
        let mut entry_of: Vec<Vec<(u32, u32)>> = vec![Vec::new(); n];
        while let Some((_, v)) = queue.pop_first() {
            let near: Vec<u32> = std::mem::take(&mut adjacent[v as usize]).into_iter().collect();
            for &a in &near {
                queue.remove(&(adjacent[a as usize].len(), a));
                adjacent[a as usize].remove(&v);
                for &b in &near {
                    if a != b {
                        adjacent[a as usize].insert(b);
                    }
                }
                queue.insert((adjacent[a as usize].len(), a));
            }
            for &a in &near {
                entry_of[v as usize].push((a, out.row.len() as u32));
                out.row.push(a);
            }
            out.order.push(v);
            out.column_start.push(out.row.len() as u32);
            columns[v as usize] = near;
        }
        let entry = |a: u32, b: u32| -> u32 {
            let find = |u: u32, w: u32| entry_of[u as usize].iter().find(|e| e.0 == w).map(|e| e.1);
            find(a, b).or_else(|| find(b, a)).expect("the elimination graph holds every edge it made")
        };
        for &v in &out.order {
            let near = &columns[v as usize];
            for (i, &a) in near.iter().enumerate() {
                for &b in &near[i + 1..] {
                    out.update.push((entry(a, b), entry(v, a), entry(v, b)));
                }
            }
            out.update_start.push(out.update.len() as u32);
        }
        out.edge_entry = edges.iter().map(|&(a, b)| entry(a, b)).collect();
        out
    }

    /// Number of edges, as given to [`SparseLdl::new`].
    pub fn edges(&self) -> usize {
        self.edge_entry.len()
    }

    /// Solves `A x = b`: `diagonal` and `edge` (off-diagonal values per edge, summed if an edge is given twice) are
    /// the matrix, `b` becomes `x`, `work` is scratch.
    pub fn solve(&self, diagonal: &mut [f64], edge: &[f64], b: &mut [f64], work: &mut Vec<f64>) {
        work.clear();
        work.resize(self.row.len(), 0.0);
        for (e, &value) in self.edge_entry.iter().zip(edge) {
            work[*e as usize] += value;
        }
        for (k, &v) in self.order.iter().enumerate() {
            let (from, to) = (self.column_start[k] as usize, self.column_start[k + 1] as usize);
            let inverse = 1.0 / diagonal[v as usize];
            let y = b[v as usize];
            for (&a, &entry) in self.row[from..to].iter().zip(&work[from..to]) {
                let scaled = entry * inverse;
                diagonal[a as usize] -= entry * scaled;
                b[a as usize] -= scaled * y;
            }
            let (from_u, to_u) = (self.update_start[k] as usize, self.update_start[k + 1] as usize);
            for &(target, a, c) in &self.update[from_u..to_u] {
                work[target as usize] -= work[a as usize] * work[c as usize] * inverse;
            }
        }
        for (k, &v) in self.order.iter().enumerate().rev() {
            let (from, to) = (self.column_start[k] as usize, self.column_start[k + 1] as usize);
            let mut sum = b[v as usize];
            for (&row, &entry) in self.row[from..to].iter().zip(&work[from..to]) {
                sum -= entry * b[row as usize];
            }
            b[v as usize] = sum / diagonal[v as usize];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn solves_a_graph_with_loops() {
        let n = 40;
        let mut edges: Vec<(u32, u32)> = (1..n as u32).map(|i| (i / 2, i)).collect();
        edges.extend([(7, 30), (12, 25), (3, 39), (39, 38)]);
        let values: Vec<f64> = (0..edges.len()).map(|i| -0.5 - (i % 7) as f64 * 0.3).collect();
        let mut diagonal = vec![0.1; n];
        for (&(a, b), v) in edges.iter().zip(&values) {
            diagonal[a as usize] -= v;
            diagonal[b as usize] -= v;
        }
        let x: Vec<f64> = (0..n).map(|i| (i as f64 * 0.37).sin()).collect();
        let mut b: Vec<f64> = (0..n).map(|i| diagonal[i] * x[i]).collect();
        for (&(p, q), v) in edges.iter().zip(&values) {
            b[p as usize] += v * x[q as usize];
            b[q as usize] += v * x[p as usize];
        }
        let mut d = diagonal.clone();
        SparseLdl::new(n, &edges).solve(&mut d, &values, &mut b, &mut Vec::new());
        let error = b.iter().zip(&x).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        assert!(error < 1e-12, "{error}");
    }

    #[test]
    fn a_tree_has_no_fill_and_loops_add_little() {
        for n in [1000, 2000, 4000_u32] {
            let mut edges: Vec<(u32, u32)> = (1..n).map(|i| (i / 2, i)).collect();
            let tree = SparseLdl::new(n as usize, &edges);
            assert!(tree.row.len() == edges.len() && tree.update.is_empty());
            // Every twentieth leaf joined to the next.
            edges.extend((n / 2..n - 1).step_by(20).map(|i| (i, i + 1)));
            let looped = SparseLdl::new(n as usize, &edges);
            let fill = looped.row.len() - edges.len();
            assert!(fill < edges.len() / 4 && looped.update.len() < edges.len());
        }
    }
}
