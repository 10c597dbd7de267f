//! Fewer points of the same curve.

/// At most about `most` points: of each stretch its least and its greatest value, in their order, and one gap where it has some.
pub(super) fn thinned(points: &[(f64, Option<f64>)], most: usize) -> Vec<(f64, Option<f64>)> {
    if points.len() <= most {
        return points.to_vec();
    }
    let stretch = points.len().div_ceil(most / 2);
    let mut kept: Vec<(f64, Option<f64>)> = Vec::with_capacity(most + 2);
    kept.extend(points.first());
    for stretch in points.chunks(stretch) {
        let known = || stretch.iter().enumerate().filter_map(|(place, (_, y))| Some((place, (*y)?)));
        let least = known().min_by(|one, other| one.1.total_cmp(&other.1));
        let greatest = known().max_by(|one, other| one.1.total_cmp(&other.1));
        let mut places: Vec<usize> = [least, greatest].into_iter().flatten().map(|(place, _)| place).collect();
        if places.is_empty() {
            places.push(0);
        }
        places.sort_unstable();
        places.dedup();
        kept.extend(places.into_iter().filter_map(|place| stretch.get(place)));
    }
    kept.extend(points.last());
    kept.dedup();
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_peak_is_lost() {
        let mut points: Vec<_> = (0..10_000).map(|x| (f64::from(x), Some(f64::from(x % 7)))).collect();
        points[4321].1 = Some(900.0);
        points[4322].1 = Some(-900.0);
        let thin = thinned(&points, 200);
        assert!(thin.len() <= 204 && thin.is_sorted_by(|one, other| one.0 <= other.0), "{}", thin.len());
        for kept in [(4321.0, Some(900.0)), (4322.0, Some(-900.0)), points[0], points[9_999]] {
            assert!(thin.contains(&kept), "{kept:?}");
        }
        assert_eq!(thinned(&points[..50], 200), points[..50]);
        let gaps = vec![(1.0, None); 1000];
        assert!(thinned(&gaps, 100).iter().all(|(_, y)| y.is_none()));
    }
}
