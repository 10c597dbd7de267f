//! The histogram of a distribution.

use loader_proto::v1::{HistogramBucket, RunSummary};

use super::units::{micros, span};

/// Columns of the longest bar.
const COLUMNS: usize = 40;

/// A column from an eighth to all of it.
const EIGHTHS: [char; 8] = ['▏', '▎', '▍', '▌', '▋', '▊', '▉', '█'];

/// Response times, a line a bucket; empty where there are none.
pub(super) fn responses(summary: &RunSummary) -> String {
    let buckets = &summary.response_histogram;
    let Some(most) = buckets.iter().map(|bucket| bucket.count).max().filter(|most| *most > 0) else {
        return String::new();
    };
    let edges: Vec<_> = buckets.iter().map(|HistogramBucket { from, to, .. }| span(*from, *to)).collect();
    let width = edges.iter().map(|edge| edge.chars().count()).max().unwrap_or_default();
    let lines = buckets.iter().zip(&edges).map(|(bucket, edge)| {
        let bar = bar(bucket.count as f64 / most as f64);
        format!("  {edge:>width$}  {bar}{}{}\n", if bar.is_empty() { "" } else { " " }, bucket.count)
    });
    let until = buckets.last().map(|bucket| micros(bucket.to)).unwrap_or_default();
    format!("Response from send, of those that succeeded, up to {until}\n{}", lines.collect::<String>())
}

/// A bar of a share of all columns. What is not nothing can be seen.
fn bar(share: f64) -> String {
    let eighths = super::units::whole((share * (COLUMNS * EIGHTHS.len()) as f64).round());
    let eighths = usize::try_from(eighths).unwrap_or_default().max(usize::from(share > 0.0));
    let (whole, part) = (eighths / EIGHTHS.len(), eighths % EIGHTHS.len());
    let whole = std::iter::repeat_n('█', whole);
    whole.chain(part.checked_sub(1).and_then(|part| EIGHTHS.get(part)).copied()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_bucket_has_a_bar() {
        let bucket = |from, to, count| HistogramBucket { from, to, count };
        let buckets =
            vec![bucket(900, 1_000, 1), bucket(1_000, 1_100, 0), bucket(1_100, 1_200, 80), bucket(1_200, 1_300, 41)];
        let summary = RunSummary { response_histogram: buckets, ..RunSummary::default() };
        let text = responses(&summary);
        let bars: Vec<_> = text.lines().skip(1).map(|line| line.matches('█').count()).collect();
        assert_eq!(bars, [0, 0, 40, 20], "{text}");
        assert!(text.lines().nth(1).is_some_and(|line| line.ends_with("▌ 1")), "{text}");
        assert!(text.lines().nth(2).is_some_and(|line| line.ends_with("  0")), "{text}");
        assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
        assert_eq!(responses(&RunSummary::default()), "", "summaries of earlier versions have none");
    }
}
