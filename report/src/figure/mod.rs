//! A small grammar of figures, and their SVG.
//!
//! A [`Figure`] is plain data: axes, layers of values, and what its caption must say. It comes from a run's directory, from several
//! of them, or from a run under way; where from, it does not know. [`svg`] draws it, [`csv()`] gives the same values as a
//! table. [`panels`] draws several as one.
//!
//! ```text
//! Figure { x, y, layers, shades, marks, limits } ──fit──▶ Frame ──draw──▶ SVG
//!                                                └──────▶ CSV
//! ```

mod axis;
mod curve;
mod data;
mod draw;
mod frame;
mod layer;
mod legend;
mod names;
mod paint;
mod panels;
mod parts;
mod shapes;
mod style;
pub mod text;
mod ticks;

pub use axis::{Axis, Quantity, Scale};
pub use data::csv;
pub use draw::svg;
pub use layer::{Bars, Curve, Heat, Layer, Points, Segment, Whiskers};
pub use panels::{panels, panels_csv};
pub use parts::{Facts, Figure, Mark, Shade};
pub use style::{COLOURS, DARK, Style};

#[cfg(test)]
mod tests;
