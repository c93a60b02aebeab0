//! Reads the trace of a library built with the feature `traced`: which functions were called, and which objects the
//! other language still holds.

use std::collections::BTreeMap;

/// What the trace amounts to.
#[derive(Debug, Default)]
pub(crate) struct Trace {
    calls: BTreeMap<String, u64>,
    objects: BTreeMap<String, Held>,
}

/// References to one kind of object: handed to the other language, and given back by it.
#[derive(Debug, Default)]
struct Held {
    given: u64,
    returned: u64,
}

/// The first words of the lines that the library prints.
const NOISE: [&str; 7] = [
    "lift_args success: ",
    "call success: ",
    "lower_return success: ",
    "RustFuture::",
    "rust_future_",
    "freeing trait: ",
    "clonining trait: ",
];

impl Trace {
    /// Takes one line of output; `false` when it is not the library's.
    pub(crate) fn read(&mut self, line: &str) -> bool {
        let Some((what, rest)) = line.split_once(": ") else {
            return NOISE.iter().any(|start| line.starts_with(start));
        };
        let name = rest.split(' ').next().unwrap_or_default();
        match what {
            "calling" => *self.calls.entry(name.to_owned()).or_default() += 1,
            "lower" | "clone" => self.object(name).given += 1,
            "lift" | "free" => self.object(name).returned += 1,
            _ => return NOISE.iter().any(|start| line.starts_with(start)),
        }
        true
    }

    /// How often each exported function was called.
    pub(crate) fn calls(&self) -> &BTreeMap<String, u64> {
        &self.calls
    }

    /// How many kinds of objects were handed out.
    pub(crate) fn kinds(&self) -> usize {
        self.objects.len()
    }

    /// The kinds of objects of which as many references came back as were handed out do not match, in words.
    pub(crate) fn leaks(&self) -> Vec<String> {
        let unequal = self.objects.iter().filter(|(_, held)| held.given != held.returned);
        unequal
            .map(|(name, held)| format!("{name}: {} handed out, {} given back", held.given, held.returned))
            .collect()
    }

    fn object(&mut self, name: &str) -> &mut Held {
        self.objects.entry(name.to_owned()).or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(output: &str) -> Trace {
        let mut trace = Trace::default();
        output.lines().for_each(|line| assert!(trace.read(line), "{line}"));
        trace
    }

    const METHOD: &str = "calling: uniffi_gate_new\nlower: Gate 0x1\nclone: Gate (Handle(1))\n\
        calling: uniffi_gate_check\nlift: Gate (Handle(1))\nlift_args success: uniffi_gate_check";

    #[test]
    fn an_object_that_is_not_freed_is_seen() {
        let trace = read(METHOD);
        assert_eq!(trace.leaks(), ["Gate: 2 handed out, 1 given back"]);
        assert_eq!((trace.kinds(), trace.calls().len()), (1, 2));
    }

    #[test]
    fn an_object_that_is_freed_is_no_leak_and_one_freed_twice_is() {
        assert!(read(&format!("{METHOD}\nfree: Gate (Handle(1))")).leaks().is_empty());
        let twice = read(&format!("{METHOD}\nfree: Gate (Handle(1))\nfree: Gate (Handle(1))"));
        assert_eq!(twice.leaks(), ["Gate: 2 handed out, 3 given back"]);
    }

    #[test]
    fn other_lines_are_not_the_librarys() {
        let mut trace = Trace::default();
        assert!(!trace.read("Test Case 'A.test_x' started at 2026"));
        assert!(!trace.read("note: lower"));
        assert!(trace.calls().is_empty() && trace.kinds() == 0);
    }
}
