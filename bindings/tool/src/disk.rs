//! How much room is left on the disk.

use std::process::Command;

use crate::output::line;
use crate::process::answer;
use crate::project::Project;

/// What a run of every suite writes from nothing, in GB of a thousand million bytes, with some room.
const NEEDED_GB: f64 = 8.0;

/// Says how much room there is, and that it may not do for every suite where nothing is built yet.
pub(crate) fn tell(project: &Project) {
    let answered = answer(Command::new("df").arg("-Pk").arg(project.root()));
    if let Some(free) = answered.as_deref().and_then(free_gb) {
        line(&told(free));
    }
}

fn told(free: f64) -> String {
    let short = if free < NEEDED_GB {
        format!(" Building every suite from nothing takes up to {NEEDED_GB} GB: `cargo clean` makes room.")
    } else {
        String::new()
    };
    format!("{free:.1} GB of disk are free.{short}")
}

/// The fourth column of the second line, in kibibytes (POSIX, `df -P`).
fn free_gb(printed: &str) -> Option<f64> {
    let kibibytes: f64 = printed.lines().nth(1)?.split_whitespace().nth(3)?.parse().ok()?;
    Some(kibibytes * 1024.0 / 1e9)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_room_is_read_and_too_little_is_said() {
        let printed =
            "Filesystem 1024-blocks Used Available Capacity Mounted on\n/dev/vda 264000000 100 9765625 37% /";
        assert_eq!(free_gb(printed).map(told).as_deref(), Some("10.0 GB of disk are free."));
        assert!(told(0.3).starts_with("0.3 GB of disk are free. Building every suite"));
        assert_eq!(free_gb("df: no such file"), None);
    }
}
