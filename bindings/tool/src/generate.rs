//! The bindings: a host library, and the Swift and Kotlin sources that call it.

use std::path::{Path, PathBuf};

use camino::Utf8PathBuf;
use uniffi_bindgen::bindings::{GenerateOptions, TargetLanguage, generate};

use crate::output::line;
use crate::process::succeeds;
use crate::project::Project;

/// A language to generate for.
#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Language {
    /// For the JVM and Android.
    Kotlin,
    /// For iOS and macOS.
    Swift,
}

impl Language {
    /// Its name in folders and messages.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Kotlin => "kotlin",
            Self::Swift => "swift",
        }
    }

    fn target(self) -> TargetLanguage {
        match self {
            Self::Kotlin => TargetLanguage::Kotlin,
            Self::Swift => TargetLanguage::Swift,
        }
    }
}

/// How the library is built.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Build {
    /// As cargo builds by default.
    Plain,
    /// It prints a line for each call from Swift or Kotlin.
    Traced,
    /// Optimised, as it is packaged.
    Release,
}

/// Builds the library for this machine, unstripped. Returns its path.
/// It has a target folder of its own: in the common one, building it as another kind of library would make cargo build
/// everything that depends on it anew each time.
pub(crate) fn host_library(project: &Project, build: Build) -> Result<PathBuf, String> {
    let folder = project.root().join("target/bindings-build");
    let mut cargo =
        project.cargo(&["rustc", "--quiet", "--package", "ticket-wallet", "--lib", "--crate-type", "cdylib"]);
    cargo.env("CARGO_TARGET_DIR", &folder);
    let profile = match build {
        Build::Plain => "debug",
        Build::Traced => {
            cargo.args(["--features", "traced"]);
            "debug"
        }
        Build::Release => {
            cargo.arg("--release");
            "release"
        }
    };
    let library = folder.join(profile).join(library_name("ticket_wallet"));
    if succeeds(&mut cargo)? && library.is_file() {
        Ok(library)
    } else {
        Err("the host library was not built".to_owned())
    }
}

/// Writes the sources for a language into `out` from an unstripped library.
pub(crate) fn sources(
    project: &Project,
    library: &Path,
    language: Language,
    out: &Path,
) -> Result<(), String> {
    let config = project.root().join("bindings").join(language.name()).join("uniffi.toml");
    let options = GenerateOptions {
        languages: vec![language.target()],
        source: utf8(library)?,
        out_dir: utf8(out)?,
        config_override: Some(utf8(&config)?),
        format: false,
        crate_filter: None,
        metadata_no_deps: true,
    };
    generate(options).map_err(|e| format!("the {} sources were not generated: {e:#}", language.name()))
}

/// `cargo tool generate`: the library and the sources of the languages, into `out` or `target/bindings`.
pub(crate) fn run(project: &Project, languages: &[Language], out: Option<PathBuf>) -> Result<(), String> {
    let out = out.unwrap_or_else(|| project.root().join("target/bindings"));
    line("building the library for this machine");
    let library = host_library(project, Build::Plain)?;
    for language in languages {
        let folder = out.join(language.name());
        sources(project, &library, *language, &folder)?;
        line(&format!("{}: {}", language.name(), folder.display()));
    }
    Ok(())
}

fn library_name(name: &str) -> String {
    format!("{}{name}{}", std::env::consts::DLL_PREFIX, std::env::consts::DLL_SUFFIX)
}

fn utf8(path: &Path) -> Result<Utf8PathBuf, String> {
    Utf8PathBuf::from_path_buf(path.to_owned()).map_err(|path| format!("{} is not UTF-8", path.display()))
}
