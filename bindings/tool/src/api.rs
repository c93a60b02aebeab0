//! The exported API as text: what Swift and Kotlin see, kept in `bindings/api.txt` so that a change is seen in review.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use camino::Utf8Path;
use uniffi_bindgen::interface::{AsType as _, Callable, ComponentInterface, Field, Type};
use uniffi_bindgen::{BindgenLoader, BindgenPaths};

use crate::generate::{Build, host_library};
use crate::output::line;
use crate::project::Project;

/// Where the API's text is kept.
pub(crate) fn file(project: &Project) -> PathBuf {
    project.root().join("bindings/api.txt")
}

/// `cargo tool api`: writes the file anew.
pub(crate) fn write(project: &Project) -> Result<(), String> {
    let path = file(project);
    fs::write(&path, current(project)?).map_err(|e| format!("{} cannot be written: {e}", path.display()))?;
    line(&format!("wrote {}", path.display()));
    Ok(())
}

/// Whether the file is the API as it is; says what differs.
pub(crate) fn is_current(project: &Project) -> Result<bool, String> {
    let kept = fs::read_to_string(file(project)).unwrap_or_default();
    let now = current(project)?;
    let added =
        now.lines().filter(|text| !kept.lines().any(|other| other == *text)).map(|text| format!("+ {text}"));
    let gone =
        kept.lines().filter(|text| !now.lines().any(|other| other == *text)).map(|text| format!("- {text}"));
    added.chain(gone).for_each(|text| line(&text));
    if kept != now {
        line(
            "the exported API is not what bindings/api.txt says: run `cargo tool api` and review the difference",
        );
    }
    Ok(kept == now)
}

fn current(project: &Project) -> Result<String, String> {
    // The traced library exports the same and is what the bindings' tests run: one build serves both.
    let library = host_library(project, Build::Traced)?;
    Ok(interfaces(&library)?.iter().map(describe).collect())
}

/// The interfaces that a library exports.
fn interfaces(library: &Path) -> Result<Vec<ComponentInterface>, String> {
    let library = Utf8Path::from_path(library).ok_or("the library's path is not UTF-8")?;
    let loader = BindgenLoader::new(BindgenPaths::default(), Default::default());
    let metadata = loader.load_metadata(library).map_err(|e| format!("the library tells no API: {e:#}"))?;
    loader.load_cis(metadata).map_err(|e| format!("the library's API cannot be read: {e:#}"))
}

/// A function that the library exports for Swift and Kotlin to call.
pub(crate) struct Export {
    /// Its symbol.
    pub(crate) symbol: String,
    /// Set for an asynchronous one.
    pub(crate) asynchronous: Option<Asynchronous>,
}

/// What an asynchronous function is called, and the object that it is a method of, if it is one.
pub(crate) struct Asynchronous {
    pub(crate) name: String,
    pub(crate) object: Option<String>,
}

/// Everything that the other language can call. Traits are left out: their methods are the host's.
pub(crate) fn exports(library: &Path) -> Result<Vec<Export>, String> {
    Ok(interfaces(library)?.iter().flat_map(exports_of).collect())
}

fn exports_of(api: &ComponentInterface) -> Vec<Export> {
    let mut all: Vec<Export> =
        api.function_definitions().iter().map(|function| export(function, function.name(), None)).collect();
    for object in api.object_definitions().iter().filter(|object| !object.has_callback_interface()) {
        all.extend(object.constructors().into_iter().map(|c| export(c, c.name(), None)));
        all.extend(object.methods().into_iter().map(|m| export(m, m.name(), Some(object.name()))));
    }
    for record in api.record_definitions() {
        all.extend(record.constructors().iter().map(|c| export(c, c.name(), None)));
        all.extend(record.methods().iter().map(|m| export(m, m.name(), None)));
    }
    for item in api.enum_definitions() {
        all.extend(item.constructors().iter().map(|c| export(c, c.name(), None)));
        all.extend(item.methods().iter().map(|m| export(m, m.name(), None)));
    }
    all
}

fn export(callable: &dyn Callable, name: &str, object: Option<&str>) -> Export {
    let asynchronous = callable
        .is_async()
        .then(|| Asynchronous { name: name.to_owned(), object: object.map(str::to_owned) });
    Export { symbol: callable.ffi_func().name().to_owned(), asynchronous }
}

fn describe(api: &ComponentInterface) -> String {
    let mut items: Vec<String> = Vec::new();
    items
        .extend(api.function_definitions().iter().map(|function| signature("fn", function.name(), function)));
    for object in api.object_definitions() {
        let kind = if object.has_callback_interface() { "trait" } else { "object" };
        let mut text = format!("{kind} {}\n", object.name());
        let constructors = object.constructors().into_iter().map(|c| signature("  new", c.name(), c));
        let methods = object.methods().into_iter().map(|method| signature("  fn", method.name(), method));
        text.extend(constructors.chain(methods));
        items.push(text);
    }
    for record in api.record_definitions() {
        items.push(format!("record {}\n{}", record.name(), fields("  ", record.fields())));
    }
    for item in api.enum_definitions() {
        let mut text = format!(
            "{} {}\n",
            if api.is_name_used_as_error(item.name()) { "error" } else { "enum" },
            item.name()
        );
        for variant in item.variants() {
            let _ = write!(text, "  {}\n{}", variant.name(), fields("    ", variant.fields()));
        }
        items.push(text);
    }
    items.sort();
    items.join("\n")
}

fn signature(kind: &str, name: &str, callable: &dyn Callable) -> String {
    let arguments =
        callable.arguments().into_iter().map(|a| format!("{}: {}", a.name(), type_name(&a.as_type())));
    let arguments = arguments.collect::<Vec<_>>().join(", ");
    let result =
        callable.return_type().map(|result| format!(" -> {}", type_name(result))).unwrap_or_default();
    let throws =
        callable.throws_type().map(|error| format!(" throws {}", type_name(error))).unwrap_or_default();
    let wait = if callable.is_async() { "async " } else { "" };
    let indent = &kind[..kind.len() - kind.trim_start().len()];
    format!("{indent}{wait}{} {name}({arguments}){result}{throws}\n", kind.trim_start())
}

fn fields(indent: &str, fields: &[Field]) -> String {
    let one = |field: &Field| {
        let default = if field.default_value().is_some() { " (has a default)" } else { "" };
        format!("{indent}{}: {}{default}\n", field.name(), type_name(&field.as_type()))
    };
    fields.iter().map(one).collect()
}

fn type_name(of: &Type) -> String {
    match of {
        Type::Optional { inner_type } => format!("{}?", type_name(inner_type)),
        Type::Sequence { inner_type } => format!("[{}]", type_name(inner_type)),
        Type::Object { name, .. } | Type::Record { name, .. } | Type::Enum { name, .. } => name.clone(),
        other => format!("{other:?}").to_lowercase(),
    }
}
