//! The exported API as text: what Swift and Kotlin see, kept in `bindings/api.txt` so that a change is seen in review.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use camino::Utf8Path;
use uniffi_bindgen::interface::{AsType as _, Callable, ComponentInterface, Field, Type};
use uniffi_bindgen::{BindgenLoader, BindgenPaths};

use crate::generate::host_library;
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
    let library = host_library(project, true)?;
    Ok(interfaces(&library)?.iter().map(describe).collect())
}

/// The interfaces that a library exports.
pub(crate) fn interfaces(library: &Path) -> Result<Vec<ComponentInterface>, String> {
    let library = Utf8Path::from_path(library).ok_or("the library's path is not UTF-8")?;
    let loader = BindgenLoader::new(BindgenPaths::default(), Default::default());
    let metadata = loader.load_metadata(library).map_err(|e| format!("the library tells no API: {e:#}"))?;
    loader.load_cis(metadata).map_err(|e| format!("the library's API cannot be read: {e:#}"))
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
