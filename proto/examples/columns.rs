//! Prints docs/columns.md, which documents the CSV files of a run's directory.
//!
//! usage: cargo run -p loader-proto --example columns > docs/columns.md
#![expect(clippy::print_stdout, reason = "its output is what it is for")]

fn main() {
    print!("{}", loader_proto::schema::markdown());
}
