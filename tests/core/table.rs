//! Rows of the tables in `tests/data`: printed by the tests that compute them.

/// Prints a quantity beside its reference as a row of a table (`tests/data/make_tables.sh` collects them).
pub(crate) fn row(test: &str, quantity: &str, reference: f64, ours: f64, limit: &str) {
    let error = if reference == 0.0 {
        format!("{:.1e}", ours.abs())
    } else {
        format!("{:+.2} %", 100.0 * (ours / reference - 1.0))
    };
    println!("\n| {test} | {quantity} | {reference:.5} | {ours:.5} | {error} | {limit} |");
}

/// The same for a quantity that should vanish: prints the residual alone.
pub(crate) fn residual(test: &str, quantity: &str, ours: f64, limit: &str) {
    println!("\n| {test} | {quantity} | 0 | {ours:.1e} | | {limit} |");
}

/// The same for a quantity that has no one reference but must keep within a limit.
pub(crate) fn value(test: &str, quantity: &str, ours: f64, limit: &str) {
    println!("\n| {test} | {quantity} | | {ours:.4} | | {limit} |");
}
