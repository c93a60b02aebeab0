//! Reads `tests/requirements.txt`.

/// One pinned Python package.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Pin<'a> {
    /// The package's name.
    pub(crate) name: &'a str,
    /// Its exact version.
    pub(crate) version: &'a str,
    /// What it is for.
    pub(crate) why: &'a str,
}

/// The pins of a requirements file: lines `name==version  # why`.
pub(crate) fn pins(text: &str) -> Vec<Pin<'_>> {
    text.lines().filter_map(pin).collect()
}

fn pin(line: &str) -> Option<Pin<'_>> {
    let (requirement, why) = line.split_once('#').unwrap_or((line, ""));
    let (name, version) = requirement.trim().split_once("==")?;
    Some(Pin { name, version, why: why.trim() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_pins_and_their_reasons() {
        let text = "# heading with a==b\nzxing-cpp==3.1.1   # reads pictures\n\ncffi==2.1.1\n";
        let expected = [
            Pin { name: "zxing-cpp", version: "3.1.1", why: "reads pictures" },
            Pin { name: "cffi", version: "2.1.1", why: "" },
        ];
        assert_eq!(pins(text), expected);
    }

    #[test]
    fn the_projects_own_file_pins_everything_and_says_why() {
        let text = include_str!("../../../tests/requirements.txt");
        let packages = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).count();
        assert_eq!(pins(text).len(), packages);
        assert!(pins(text).iter().all(|pin| !pin.why.is_empty()));
    }
}
