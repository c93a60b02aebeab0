//! What this process makes last on the disk: each `fsync` and each `rename` in a folder, in order. They go through here, on
//! to the system's own.
#![allow(unsafe_code, reason = "the system's library is C")]

use std::ffi::{CStr, OsStr, c_char, c_int, c_void};
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// A step, with the names in the folder; the folder's own is empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Step {
    /// A file of this length was synced.
    Synced(String, u64),
    /// A file of this length got its name.
    Named(String, u64),
}

/// The folder that is watched, and what happened in it.
static WATCHED: Mutex<Option<(PathBuf, Vec<Step>)>> = Mutex::new(None);

/// Begins to watch a folder.
pub(crate) fn watch(folder: &Path) {
    *watched() = Some((folder.canonicalize().unwrap(), Vec::new()));
}

/// Ends it: what happened.
pub(crate) fn stop() -> Vec<Step> {
    watched().take().unwrap().1
}

fn watched() -> MutexGuard<'static, Option<(PathBuf, Vec<Step>)>> {
    WATCHED.lock().unwrap_or_else(PoisonError::into_inner)
}

fn note(path: &Path, step: impl FnOnce(String, u64) -> Step) {
    if let Some((folder, steps)) = watched().as_mut()
        && let Ok(name) = path.strip_prefix(folder)
    {
        let length = fs::metadata(path).map_or(0, |found| found.len());
        steps.push(step(name.to_str().unwrap().to_owned(), length));
    }
}

unsafe extern "C" {
    fn dlsym(handle: *mut c_void, symbol: *const c_char) -> *mut c_void;
}

/// The system's own function of this name.
fn own(name: &CStr) -> *mut c_void {
    let next = std::ptr::without_provenance_mut(usize::MAX);
    // SAFETY: the handle is `RTLD_NEXT`, the name a C string.
    let found = unsafe { dlsym(next, name.as_ptr()) };
    assert!(!found.is_null());
    found
}

#[unsafe(no_mangle)]
extern "C" fn fsync(file: c_int) -> c_int {
    if let Ok(path) = fs::read_link(format!("/proc/self/fd/{file}")) {
        note(&path, Step::Synced);
    }
    // SAFETY: this is the type of the system's function.
    let own: extern "C" fn(c_int) -> c_int = unsafe { std::mem::transmute(own(c"fsync")) };
    own(file)
}

/// # Safety
/// Both names are C strings.
#[unsafe(no_mangle)]
unsafe extern "C" fn rename(from: *const c_char, to: *const c_char) -> c_int {
    type Rename = unsafe extern "C" fn(*const c_char, *const c_char) -> c_int;
    // SAFETY: this is the type of the system's function; the arguments go on as they came.
    let (done, path) = unsafe {
        let own: Rename = std::mem::transmute(own(c"rename"));
        (own(from, to), Path::new(OsStr::from_bytes(CStr::from_ptr(to).to_bytes())))
    };
    if done == 0 {
        note(path, Step::Named);
    }
    done
}
