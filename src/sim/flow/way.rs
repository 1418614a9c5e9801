//! The way that most of the blood takes, along which a column of contrast clears.

use super::network::{NONE, Network};

impl Network {
    /// Works out the way from every cell: the outlets' resting flows summed up towards the roots, loops left out.
    pub(super) fn lay_ways(&mut self) {
        let mut resting = vec![0.0; self.cells()];
        for outlet in &self.outlets {
            let mut cell = outlet.cell;
            // Origins lead to roots; the count guards against a circle.
            for _ in 0..self.branches.len() {
                let b = &self.branches[self.cell_branch[cell as usize] as usize];
                for c in b.cell0..=cell {
                    resting[c as usize] += outlet.resting_flow_ml_per_s;
                }
                if b.from == NONE {
                    break;
                }
                cell = b.from;
            }
        }
        self.way = vec![NONE; self.cells()];
        for b in &self.branches {
            for c in b.cell0..b.cell0 + b.cells - 1 {
                self.way[c as usize] = c + 1;
            }
        }
        for b in &self.branches {
            let on = if b.from == NONE { NONE } else { self.way[b.from as usize] };
            if on != NONE && resting[b.cell0 as usize] > resting[on as usize] {
                self.way[b.from as usize] = b.cell0;
            }
        }
    }
}
