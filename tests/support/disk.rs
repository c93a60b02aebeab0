//! A disk under test: every file that SQLite writes goes through here, on to the real one. It remembers what was not
//! synced yet, so that a power cut can be had at any write, and it can be full.
#![allow(unsafe_code, reason = "SQLite's interface to the operating system is C")]

use std::collections::BTreeMap;
use std::ffi::{CStr, c_char, c_int, c_void};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use rusqlite::ffi::{self, sqlite3_file, sqlite3_int64, sqlite3_io_methods, sqlite3_vfs};

const SECTOR: usize = 512;

/// What happened to a file since it was last synced.
#[derive(Debug, Clone)]
pub(crate) enum Change {
    Write(usize, Vec<u8>),
    Truncate(usize),
}

/// A file as the disk may have it: surely `synced`, and any part of what came after.
#[derive(Debug, Clone, Default)]
pub(crate) struct OnDisk {
    pub(crate) synced: Vec<u8>,
    pub(crate) pending: Vec<Change>,
}

/// What a disk keeps in mind.
#[derive(Default)]
pub(crate) struct Disk {
    /// Files in this folder are remembered.
    watched: Option<PathBuf>,
    files: BTreeMap<String, OnDisk>,
    /// Whether a sync makes anything last.
    pub(crate) syncs: bool,
    /// Writes and syncs so far.
    pub(crate) steps: usize,
    cut_at: usize,
    cut: Option<Cut>,
    /// What the test has been promised; the cut keeps how much that was.
    pub(crate) acknowledged: usize,
    /// Bytes by which files in the folder may still grow.
    pub(crate) space: Option<usize>,
}

/// The disk at the moment of a power cut.
#[derive(Clone)]
pub(crate) struct Cut {
    pub(crate) files: BTreeMap<String, OnDisk>,
    /// Files that SQLite did not write.
    pub(crate) others: BTreeMap<String, Vec<u8>>,
    pub(crate) acknowledged: usize,
}

static DISK: Mutex<Option<Disk>> = Mutex::new(None);
static REAL: OnceLock<usize> = OnceLock::new();

/// Puts the disk below every connection that this process opens from now on.
pub(crate) fn insert() {
    REAL.get_or_init(|| {
        // SAFETY: null asks for the default VFS, which lives as long as the process.
        let real = unsafe { ffi::sqlite3_vfs_find(std::ptr::null()) };
        // SAFETY: SQLite's own VFS is there and valid; a copy keeps all of its functions but `xOpen` and `xDelete`.
        let mut ours = unsafe { *real };
        ours.szOsFile += c_int::try_from(size_of::<File>()).unwrap();
        ours.zName = c"disk-under-test".as_ptr();
        ours.pNext = std::ptr::null_mut();
        ours.xOpen = Some(open);
        ours.xDelete = Some(delete);
        // SAFETY: the copy is never freed.
        let done = unsafe { ffi::sqlite3_vfs_register(Box::leak(Box::new(ours)), 1) };
        assert_eq!(done, ffi::SQLITE_OK);
        real as usize
    });
}

fn real() -> *mut sqlite3_vfs {
    *REAL.get().unwrap() as *mut sqlite3_vfs
}

fn disk() -> MutexGuard<'static, Option<Disk>> {
    DISK.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Begins to watch a folder. The power is cut at the step with that number.
pub(crate) fn watch(folder: &Path, cut_at: usize, syncs: bool) {
    *disk() = Some(Disk { watched: Some(folder.to_owned()), syncs, cut_at, ..Disk::default() });
}

/// Lets the files of the watched folder grow by so many bytes more, all together.
pub(crate) fn limit(space: Option<usize>) {
    with(|disk| disk.space = space);
}

pub(crate) fn with<T>(work: impl FnOnce(&mut Disk) -> T) -> T {
    work(disk().get_or_insert_default())
}

/// Ends the watch: the disk at the cut, or as it is now where that was not reached.
pub(crate) fn stop() -> Cut {
    let mut disk = disk().take().unwrap();
    disk.cut();
    disk.cut.unwrap()
}

impl Disk {
    fn name(&self, path: &Path) -> Option<String> {
        let name = path.file_name()?.to_str()?;
        let remembered = path.parent() == self.watched.as_deref() && !name.ends_with("-shm");
        remembered.then(|| name.to_owned())
    }

    fn opened(&mut self, path: &Path) {
        if let Some(name) = self.name(path) {
            let synced = || OnDisk { synced: fs::read(path).unwrap_or_default(), pending: Vec::new() };
            self.files.entry(name).or_insert_with(synced);
        }
    }

    fn step(&mut self) {
        self.steps += 1;
        if self.steps == self.cut_at {
            self.cut();
        }
    }

    fn cut(&mut self) {
        let Some(folder) = self.watched.clone().filter(|_| self.cut.is_none()) else { return };
        let mut others = BTreeMap::new();
        for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
            let name = entry.file_name().into_string().unwrap();
            if entry.path().is_file() && !name.starts_with("wallet.db") {
                others.insert(name, fs::read(entry.path()).unwrap());
            }
        }
        self.cut = Some(Cut { files: self.files.clone(), others, acknowledged: self.acknowledged });
    }

    fn changed(&mut self, path: &Path, change: Change) {
        if let Some(name) = self.name(path) {
            self.files.entry(name).or_default().pending.push(change);
            self.step();
        }
    }

    fn synced(&mut self, path: &Path) {
        if let Some(name) = self.name(path).filter(|_| self.syncs) {
            let file = self.files.entry(name).or_default();
            file.synced = file.after(&mut |_| true);
            file.pending.clear();
        }
        self.step();
    }

    /// Whether a file may grow to that length.
    fn has_room(&mut self, path: &Path, length: u64) -> bool {
        let Some(space) = self.space.filter(|_| self.name(path).is_some()) else { return true };
        let now = fs::metadata(path).map_or(0, |found| found.len());
        let more = usize::try_from(length.saturating_sub(now)).unwrap();
        self.space = space.checked_sub(more).or(Some(space));
        more <= space
    }
}

impl OnDisk {
    /// What the disk has where `lands` says of each sector of each change whether it reached it.
    pub(crate) fn after(&self, lands: &mut impl FnMut(usize) -> bool) -> Vec<u8> {
        let mut bytes = self.synced.clone();
        for (number, change) in self.pending.iter().enumerate() {
            match change {
                Change::Truncate(length) if lands(number) => bytes.truncate(*length),
                Change::Truncate(_) => {}
                Change::Write(offset, written) => land(&mut bytes, *offset, written, &mut || lands(number)),
            }
        }
        bytes
    }
}

fn land(bytes: &mut Vec<u8>, offset: usize, written: &[u8], lands: &mut impl FnMut() -> bool) {
    let mut at = 0;
    while at < written.len() {
        let end = (at + SECTOR - (offset + at) % SECTOR).min(written.len());
        if lands() {
            bytes.resize(bytes.len().max(offset + end), 0);
            bytes[offset + at..offset + end].copy_from_slice(&written[at..end]);
        }
        at = end;
    }
}

/// A file as SQLite sees it; the real one follows it in memory.
#[repr(C)]
struct File {
    base: sqlite3_file,
    path: *mut PathBuf,
}

unsafe extern "C" fn open(
    _: *mut sqlite3_vfs,
    name: *const c_char,
    file: *mut sqlite3_file,
    flags: c_int,
    out_flags: *mut c_int,
) -> c_int {
    // SAFETY: SQLite gives memory of `szOsFile` bytes: ours, and after it the real file's. A name is a C string that
    // lives as long as the file.
    unsafe {
        (*file).pMethods = std::ptr::null();
        let done = (*real()).xOpen.unwrap()(real(), name, inner(file), flags, out_flags);
        if done == ffi::SQLITE_OK {
            let path = if name.is_null() { PathBuf::new() } else { path_of(name) };
            with(|disk| disk.opened(&path));
            (*file.cast::<File>()).path = Box::into_raw(Box::new(path));
            (*file).pMethods = &METHODS;
        }
        done
    }
}

unsafe extern "C" fn delete(_: *mut sqlite3_vfs, name: *const c_char, sync: c_int) -> c_int {
    // SAFETY: SQLite's arguments go on as they came.
    unsafe {
        let path = path_of(name);
        with(|disk| {
            if let Some(name) = disk.name(&path) {
                disk.files.remove(&name);
            }
        });
        (*real()).xDelete.unwrap()(real(), name, sync)
    }
}

/// # Safety
/// `name` is a C string.
unsafe fn path_of(name: *const c_char) -> PathBuf {
    // SAFETY: the caller vouches for it.
    PathBuf::from(unsafe { CStr::from_ptr(name) }.to_str().unwrap())
}

/// # Safety
/// `file` was opened by [`open`].
unsafe fn inner(file: *mut sqlite3_file) -> *mut sqlite3_file {
    // SAFETY: the memory goes on behind our part: see [`open`].
    unsafe { file.cast::<File>().add(1).cast() }
}

/// # Safety
/// `file` was opened by [`open`] and is not closed.
unsafe fn path<'a>(file: *mut sqlite3_file) -> &'a Path {
    // SAFETY: the path is freed when the file is closed.
    unsafe { &*(*file.cast::<File>()).path }
}

unsafe extern "C" fn close(file: *mut sqlite3_file) -> c_int {
    // SAFETY: SQLite closes what it opened, once.
    unsafe {
        drop(Box::from_raw((*file.cast::<File>()).path));
        (*(*inner(file)).pMethods).xClose.unwrap()(inner(file))
    }
}

unsafe extern "C" fn write(
    file: *mut sqlite3_file,
    data: *const c_void,
    n: c_int,
    at: sqlite3_int64,
) -> c_int {
    // SAFETY: `data` points to `n` readable bytes; the rest goes on as it came.
    unsafe {
        let (length, offset) = (usize::try_from(n).unwrap(), usize::try_from(at).unwrap());
        let path = path(file);
        if !with(|disk| disk.has_room(path, (offset + length) as u64)) {
            return ffi::SQLITE_FULL;
        }
        let written = std::slice::from_raw_parts(data.cast::<u8>(), length).to_vec();
        with(|disk| disk.changed(path, Change::Write(offset, written)));
        (*(*inner(file)).pMethods).xWrite.unwrap()(inner(file), data, n, at)
    }
}

unsafe extern "C" fn truncate(file: *mut sqlite3_file, length: sqlite3_int64) -> c_int {
    // SAFETY: the arguments go on as they came.
    unsafe {
        with(|disk| disk.changed(path(file), Change::Truncate(usize::try_from(length).unwrap())));
        (*(*inner(file)).pMethods).xTruncate.unwrap()(inner(file), length)
    }
}

unsafe extern "C" fn sync(file: *mut sqlite3_file, flags: c_int) -> c_int {
    // SAFETY: the arguments go on as they came.
    unsafe {
        with(|disk| disk.synced(path(file)));
        (*(*inner(file)).pMethods).xSync.unwrap()(inner(file), flags)
    }
}

/// Functions that only hand their arguments on.
macro_rules! handed_on {
    ($($name:ident = $method:ident($($argument:ident: $kind:ty),*) $(-> $result:ty)?;)*) => {
        $(unsafe extern "C" fn $name(file: *mut sqlite3_file, $($argument: $kind),*) $(-> $result)? {
            // SAFETY: the arguments go on as they came, to the file that is behind ours.
            unsafe { (*(*inner(file)).pMethods).$method.unwrap()(inner(file), $($argument),*) }
        })*
    };
}

handed_on! {
    read = xRead(data: *mut c_void, n: c_int, at: sqlite3_int64) -> c_int;
    file_size = xFileSize(size: *mut sqlite3_int64) -> c_int;
    lock = xLock(level: c_int) -> c_int;
    unlock = xUnlock(level: c_int) -> c_int;
    check_lock = xCheckReservedLock(locked: *mut c_int) -> c_int;
    control = xFileControl(op: c_int, argument: *mut c_void) -> c_int;
    sector_size = xSectorSize() -> c_int;
    characteristics = xDeviceCharacteristics() -> c_int;
    shm_map = xShmMap(region: c_int, size: c_int, extend: c_int, memory: *mut *mut c_void) -> c_int;
    shm_lock = xShmLock(offset: c_int, n: c_int, flags: c_int) -> c_int;
    shm_barrier = xShmBarrier();
    shm_unmap = xShmUnmap(delete: c_int) -> c_int;
}

/// Version 2: with shared memory for the log, without reading by mapped memory.
static METHODS: sqlite3_io_methods = sqlite3_io_methods {
    iVersion: 2,
    xClose: Some(close),
    xRead: Some(read),
    xWrite: Some(write),
    xTruncate: Some(truncate),
    xSync: Some(sync),
    xFileSize: Some(file_size),
    xLock: Some(lock),
    xUnlock: Some(unlock),
    xCheckReservedLock: Some(check_lock),
    xFileControl: Some(control),
    xSectorSize: Some(sector_size),
    xDeviceCharacteristics: Some(characteristics),
    xShmMap: Some(shm_map),
    xShmLock: Some(shm_lock),
    xShmBarrier: Some(shm_barrier),
    xShmUnmap: Some(shm_unmap),
    xFetch: None,
    xUnfetch: None,
};
