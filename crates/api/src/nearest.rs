//! The known name a mistyped one was probably meant to be.

/// The one of `known` nearest to `name`, if it is near enough to be meant: at most a third of its
/// letters typed wrong, left out, added or swapped for others.
pub(crate) fn did_you_mean<'a>(name: &str, known: &[&'a str]) -> Option<&'a str> {
    known
        .iter()
        .map(|known| (distance(name, known), *known))
        .filter(|(distance, known)| *distance <= known.chars().count().div_ceil(3))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, known)| known)
}

/// Edit distance (Levenshtein), row by row.
fn distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (i, a) in left.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, b) in right.iter().enumerate() {
            let substituted = diagonal + usize::from(a != *b);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[right.len()]
}

#[cfg(test)]
mod tests {
    use super::did_you_mean;

    #[test]
    fn near_names_are_found_and_far_ones_are_not() {
        let known = ["min", "max", "initial", "role"];
        assert_eq!(did_you_mean("inital", &known), Some("initial"));
        assert_eq!(did_you_mean("mim", &known), Some("min"));
        assert_eq!(did_you_mean("replicas", &known), None);
        assert_eq!(did_you_mean("", &known), None);
    }
}
