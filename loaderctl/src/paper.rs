//! SVG as PDF and PNG. Text stays text in a PDF, with the fonts that it needs inside, as outlines of glyphs and not as pictures.

use std::sync::Arc;

use resvg::{tiny_skia, usvg};
use svg2pdf::{ConversionOptions, PageOptions};

/// Pixels of an inch in SVG.
const DPI: f32 = 96.0;

/// Families that are taken for text, in this order: those whose metrics papers know first.
const FAMILIES: [&str; 8] =
    ["Liberation Sans", "Arial", "Helvetica", "Nimbus Sans", "DejaVu Sans", "Noto Sans", "FreeSans", "Open Sans"];

/// The figure as PDF.
///
/// # Errors
/// No font, or an SVG that can't be converted, as text.
pub(crate) fn pdf(svg: &str) -> Result<Vec<u8>, String> {
    let tree = tree(svg)?;
    svg2pdf::to_pdf(&tree, ConversionOptions::default(), PageOptions { dpi: DPI })
        .map_err(|error| format!("cannot make a PDF: {error}"))
}

/// The figure as PNG on white, with that many dots per inch.
///
/// # Errors
/// No font, or a picture that is too large, as text.
pub(crate) fn png(svg: &str, dpi: u32) -> Result<Vec<u8>, String> {
    let tree = tree(svg)?;
    #[expect(clippy::cast_precision_loss, reason = "at most 1200")]
    let factor = dpi as f32 / DPI;
    let size = tree.size().to_int_size().scale_by(factor).ok_or("the picture would be too large")?;
    let mut pixels = tiny_skia::Pixmap::new(size.width(), size.height()).ok_or("the picture would be too large")?;
    pixels.fill(tiny_skia::Color::WHITE);
    resvg::render(&tree, tiny_skia::Transform::from_scale(factor, factor), &mut pixels.as_mut());
    pixels.encode_png().map_err(|error| format!("cannot make a PNG: {error}"))
}

fn tree(svg: &str) -> Result<usvg::Tree, String> {
    let mut fonts = usvg::fontdb::Database::new();
    fonts.load_system_fonts();
    let has = |family: &str| fonts.faces().any(|face| face.families.iter().any(|(name, _)| name == family));
    let known = FAMILIES.into_iter().find(|family| has(family)).map(str::to_owned);
    let any = || fonts.faces().find_map(|face| face.families.first()).map(|(name, _)| name.clone());
    let family = known.or_else(any);
    let family =
        family.ok_or("there is no font on this machine; install one, such as fonts-liberation, or write .svg")?;
    fonts.set_sans_serif_family(&family);
    let options = usvg::Options { font_family: family, fontdb: Arc::new(fonts), ..usvg::Options::default() };
    usvg::Tree::from_str(svg, &options).map_err(|error| format!("cannot read the figure: {error}"))
}
