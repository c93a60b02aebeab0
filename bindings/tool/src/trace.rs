//! Reads the trace of a library built with the feature `traced`: which functions were called, and which objects the
//! other language still holds.

use std::collections::BTreeMap;
use std::path::Path;

use crate::api::Export;
use crate::files;

/// What the trace amounts to.
#[derive(Debug, Default)]
pub(crate) struct Trace {
    calls: BTreeMap<String, u64>,
    objects: BTreeMap<String, Held>,
    asynchronous: Vec<Method>,
    /// Names of asynchronous methods that were called, until the object that they were called on is told.
    pending: Vec<String>,
}

/// An asynchronous function. The trace tells its name instead of its symbol, and of a method the object one line later.
#[derive(Debug)]
struct Method {
    name: String,
    object: Option<String>,
    symbol: String,
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
    /// A trace that is still empty, of a library with these exports.
    pub(crate) fn of(exports: &[Export]) -> Self {
        let method = |export: &Export| {
            let asynchronous = export.asynchronous.as_ref()?;
            Some(Method {
                name: asynchronous.name.clone(),
                object: asynchronous.object.clone(),
                symbol: export.symbol.clone(),
            })
        };
        Self { asynchronous: exports.iter().filter_map(method).collect(), ..Self::default() }
    }

    /// Takes one line of output; `false` when it is not the library's.
    pub(crate) fn read(&mut self, line: &str) -> bool {
        let Some((what, rest)) = line.split_once(": ") else {
            return NOISE.iter().any(|start| line.starts_with(start));
        };
        let name = rest.split(' ').next().unwrap_or_default();
        match what {
            "calling" => self.called(name),
            "lower" | "clone" => self.object(name).given += 1,
            "lift" => {
                self.taken(name);
                self.object(name).returned += 1;
            }
            "free" => self.object(name).returned += 1,
            _ => return NOISE.iter().any(|start| line.starts_with(start)),
        }
        true
    }

    /// Writes how often each exported function was called: a line `COUNT SYMBOL` each. A run without any call, such as
    /// one that does not compile, leaves no file.
    pub(crate) fn write_calls(&self, path: &Path) -> Result<(), String> {
        if self.calls.is_empty() {
            return Ok(());
        }
        let lines: String =
            self.calls.iter().map(|(symbol, count)| format!("{count:>8} {symbol}\n")).collect();
        files::write(path, &lines)
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

    fn called(&mut self, name: &str) {
        match self.asynchronous.iter().find(|method| method.name == name) {
            None => self.count(name.to_owned()),
            Some(Method { object: None, symbol, .. }) => self.count(symbol.clone()),
            Some(_) => self.pending.push(name.to_owned()),
        }
    }

    /// An object arrived as an argument: it may be the one that an asynchronous method was called on.
    fn taken(&mut self, object: &str) {
        let waiting = self.pending.iter().enumerate().find_map(|(at, name)| {
            let fits = |method: &&Method| method.name == *name && method.object.as_deref() == Some(object);
            self.asynchronous.iter().find(fits).map(|method| (at, method.symbol.clone()))
        });
        if let Some((at, symbol)) = waiting {
            self.pending.remove(at);
            self.count(symbol);
        }
    }

    fn count(&mut self, symbol: String) {
        *self.calls.entry(symbol).or_default() += 1;
    }

    fn object(&mut self, name: &str) -> &mut Held {
        self.objects.entry(name.to_owned()).or_default()
    }
}

/// The symbols in a file that [`Trace::write_calls`] wrote.
pub(crate) fn symbols(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter_map(|line| line.split_whitespace().nth(1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::Asynchronous;

    fn read(output: &str) -> Trace {
        read_into(Trace::default(), output)
    }

    fn read_into(mut trace: Trace, output: &str) -> Trace {
        output.lines().for_each(|line| assert!(trace.read(line), "{line}"));
        trace
    }

    fn export(symbol: &str, name: &str, object: Option<&str>) -> Export {
        let asynchronous = Asynchronous { name: name.to_owned(), object: object.map(str::to_owned) };
        Export { symbol: symbol.to_owned(), asynchronous: Some(asynchronous) }
    }

    const METHOD: &str = "calling: uniffi_gate_new\nlower: Gate 0x1\nclone: Gate (Handle(1))\n\
        calling: uniffi_gate_check\nlift: Gate (Handle(1))\nlift_args success: uniffi_gate_check";

    #[test]
    fn an_object_that_is_not_freed_is_seen() {
        let trace = read(METHOD);
        assert_eq!(trace.leaks(), ["Gate: 2 handed out, 1 given back"]);
        assert_eq!((trace.kinds(), trace.calls.len()), (1, 2));
    }

    #[test]
    fn an_object_that_is_freed_is_no_leak_and_one_freed_twice_is() {
        assert!(read(&format!("{METHOD}\nfree: Gate (Handle(1))")).leaks().is_empty());
        let twice = read(&format!("{METHOD}\nfree: Gate (Handle(1))\nfree: Gate (Handle(1))"));
        assert_eq!(twice.leaks(), ["Gate: 2 handed out, 3 given back"]);
    }

    #[test]
    fn asynchronous_methods_of_one_name_are_told_apart_by_their_object() {
        let exports = [
            export("method_gate_sync", "sync", Some("Gate")),
            export("method_wallet_sync", "sync", Some("Wallet")),
            export("func_ping", "ping", None),
        ];
        let output = "calling: sync\nlift: Issuer (Handle(1))\nlift: Wallet (Handle(2))\ncalling: ping\n\
            lift: Gate (Handle(3))\ncalling: sync";
        let trace = read_into(Trace::of(&exports), output);
        let expected = [("func_ping".to_owned(), 1), ("method_wallet_sync".to_owned(), 1)];
        assert_eq!(trace.calls.into_iter().collect::<Vec<_>>(), expected);
    }

    #[test]
    fn counts_are_written_and_read_again() {
        let path = std::env::temp_dir().join(format!("ticket-wallet-calls-{}.txt", std::process::id()));
        read(METHOD).write_calls(&path).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::remove_file(&path).unwrap();
        assert_eq!(Trace::default().write_calls(&path), Ok(()));
        assert!(!path.exists(), "nothing was called");
        assert_eq!(symbols(&text).collect::<Vec<_>>(), ["uniffi_gate_check", "uniffi_gate_new"]);
    }

    #[test]
    fn other_lines_are_not_the_librarys() {
        let mut trace = Trace::default();
        assert!(!trace.read("Test Case 'A.test_x' started at 2026"));
        assert!(!trace.read("note: lower"));
        assert!(trace.calls.is_empty() && trace.kinds() == 0);
    }
}
