//! The mounts of the machine: `/proc/<pid>/mountinfo`, see `proc_pid_mountinfo(5)`.
//!
//! Parsed as bytes: a mount point may have any name, and an invalid one must not affect others.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use exporter_core::collector::Error;

use crate::host::{self, Host};

/// The content of a mountinfo file.
pub(crate) struct Table {
    path: PathBuf,
    bytes: Vec<u8>,
}

/// Reads the mounts of process 1, which are those of the machine, or the mounts of this process if
/// process 1 is hidden.
pub(crate) fn read(host: &Host) -> Result<Table, Error> {
    let read =
        |file: &str| Ok(Table { path: host.procfs.join(file), bytes: host.proc_bytes(file)? });
    match read("1/mountinfo") {
        Err(Error::Read { source, .. })
            if matches!(source.kind(), ErrorKind::NotFound | ErrorKind::PermissionDenied) =>
        {
            read("self/mountinfo")
        }
        result => result,
    }
}

impl Table {
    /// The mounts in mount order, and the error of the first invalid line.
    pub(crate) fn mounts(&self) -> (Vec<Mount<'_>>, Result<(), Error>) {
        let mut mounts = Vec::new();
        let mut invalid_line = None;
        for line in self.bytes.split(|&byte| byte == b'\n').filter(|line| !line.is_empty()) {
            match Mount::parse(line) {
                Some(mount) => mounts.push(mount),
                None => invalid_line = invalid_line.or(Some(line)),
            }
        }
        // Every machine has mounts.
        let invalid_line = invalid_line.or(mounts.is_empty().then_some(b""));
        let result = invalid_line.map_or(Ok(()), |line| {
            let found = String::from_utf8_lossy(line).chars().take(120).collect();
            Err(Error::Parse { path: self.path.clone(), expected: "a mount", found })
        });
        (mounts, result)
    }
}

/// A line, with escaped fields.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Mount<'a> {
    /// Major and minor number.
    pub(crate) device: [&'a [u8]; 2],
    pub(crate) point: &'a [u8],
    options: &'a [u8],
    pub(crate) fstype: &'a [u8],
    /// The source: a device, or another text that depends on the file system.
    pub(crate) source: &'a [u8],
    super_options: &'a [u8],
}

impl<'a> Mount<'a> {
    /// Fields are separated by one space each, and the source may be empty.
    fn parse(line: &'a [u8]) -> Option<Self> {
        let mut fields = line.split(|&byte| byte == b' ');
        let mut device = fields.nth(2)?.splitn(2, |&byte| byte == b':');
        let device = [device.next()?, device.next()?];
        let point = fields.nth(1)?;
        let options = fields.next()?;
        // Any number of optional fields, and a dash.
        fields.by_ref().find(|field| *field == b"-")?;
        let fstype = fields.next()?;
        let source = fields.next()?;
        let super_options = fields.next()?;
        point.starts_with(b"/").then_some(Self {
            device,
            point,
            options,
            fstype,
            source,
            super_options,
        })
    }

    /// Whether the mount or the file system is read-only; `emergency_ro` is a file system that has
    /// shut down after an error.
    pub(crate) fn is_readonly(&self) -> bool {
        let mut options = self.options.split(|&byte| byte == b',');
        let mut super_options = self.super_options.split(|&byte| byte == b',');
        options.any(|option| option == b"ro")
            || super_options.any(|option| matches!(option, b"ro" | b"emergency_ro"))
    }

    /// The mount point with unescaped spaces and tabs. Other escapes stay, as in `node_exporter`.
    pub(crate) fn point_for_label(&self) -> Vec<u8> {
        unescaped(self.point, |byte| matches!(byte, b' ' | b'\t'))
    }

    /// The mount point for system calls.
    pub(crate) fn point_unescaped(&self) -> Vec<u8> {
        unescaped(self.point, |_| true)
    }
}

/// Replaces escapes such as `\040` by the bytes for which `should_unescape` returns true.
fn unescaped(text: &[u8], should_unescape: impl Fn(u8) -> bool) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let [first, tail @ ..] = rest {
        match rest {
            [b'\\', high @ b'0'..=b'3', mid @ b'0'..=b'7', low @ b'0'..=b'7', tail @ ..]
                if should_unescape(octal(*high, *mid, *low)) =>
            {
                out.push(octal(*high, *mid, *low));
                rest = tail;
            }
            _ => {
                out.push(*first);
                rest = tail;
            }
        }
    }
    out
}

fn octal(high: u8, mid: u8, low: u8) -> u8 {
    ((high - b'0') << 6) | ((mid - b'0') << 3) | (low - b'0')
}

/// Strips the prefix `root` from a mount point. A mount point without the prefix comes from process
/// 1 and is already relative to the root of the machine.
pub(crate) fn below(root: &Path, point: &[u8]) -> Vec<u8> {
    match host::path_of(point).strip_prefix(root) {
        Ok(rest) => [b"/", rest.as_os_str().as_encoded_bytes()].concat(),
        Err(_) => point.to_owned(),
    }
}

/// The mounts of file systems that are not local, with their indices. They may hang, and so may all
/// mounts below them.
pub(crate) struct NonLocalMounts<'a>(Vec<(usize, &'a [u8])>);

pub(crate) fn non_local_mounts<'a>(mounts: &[Mount<'a>]) -> NonLocalMounts<'a> {
    let non_local_mounts = mounts.iter().enumerate().filter(|(_, mount)| !is_local(mount.fstype));
    NonLocalMounts(non_local_mounts.map(|(index, mount)| (index, mount.point)).collect())
}

impl NonLocalMounts<'_> {
    /// Whether querying the mount at this index may block.
    pub(crate) fn may_hang(&self, index: usize, mount: &Mount<'_>) -> bool {
        !is_local(mount.fstype)
            || self.0.iter().any(|(other, point)| match mount.point.strip_prefix(*point) {
                Some(b"") => *other > index,
                Some(rest) => point.ends_with(b"/") || rest.starts_with(b"/"),
                None => false,
            })
    }
}

/// Whether statfs on a file system of this type accesses only memory or a disk. Other types may
/// wait for a server or a process.
pub(crate) fn is_local(fstype: &[u8]) -> bool {
    matches!(
        fstype,
        b"bcachefs"
            | b"bfs"
            | b"binfmt_misc"
            | b"bpf"
            | b"btrfs"
            | b"cgroup"
            | b"cgroup2"
            | b"configfs"
            | b"cramfs"
            | b"debugfs"
            | b"devpts"
            | b"devtmpfs"
            | b"efivarfs"
            | b"erofs"
            | b"exfat"
            | b"ext2"
            | b"ext3"
            | b"ext4"
            | b"f2fs"
            | b"fusectl"
            | b"hfs"
            | b"hfsplus"
            | b"hugetlbfs"
            | b"iso9660"
            | b"jffs2"
            | b"jfs"
            | b"mqueue"
            | b"msdos"
            | b"nilfs2"
            | b"nsfs"
            | b"ntfs3"
            | b"overlay"
            | b"proc"
            | b"pstore"
            | b"ramfs"
            | b"reiserfs"
            | b"romfs"
            | b"rootfs"
            | b"securityfs"
            | b"selinuxfs"
            | b"squashfs"
            | b"sysfs"
            | b"tmpfs"
            | b"tracefs"
            | b"ubifs"
            | b"udf"
            | b"ufs"
            | b"vfat"
            | b"xfs"
            | b"zfs"
            | b"zonefs"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &[u8] =
        b"36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 shared:2 - ext3 /dev/root rw,errors=continue";

    #[test]
    fn lines_are_parsed() {
        let mount = Mount {
            device: [b"98", b"0"],
            point: b"/mnt2",
            options: b"rw,noatime",
            fstype: b"ext3",
            source: b"/dev/root",
            super_options: b"rw,errors=continue",
        };
        assert_eq!(Mount::parse(LINE), Some(mount));
        let line = b"36 35 98:0 / /mnt2 rw - tmpfs  rw";
        assert_eq!(Mount::parse(line).unwrap().source, b"", "an empty name of a device");
        let line = b"36 35 0:98 / /a\xffb\\040c rw - tmpfs - rw";
        assert_eq!(Mount::parse(line).unwrap().point, b"/a\xffb\\040c");
        assert_eq!(Mount::parse(line).unwrap().source, b"-");
    }

    #[test]
    fn invalid_lines_are_errors() {
        for end in 0..LINE.len() - b" rw,errors=continue".len() {
            assert_eq!(Mount::parse(&LINE[..end]), None);
        }
        for line in [b"".as_slice(), b"- - - - - - - - -", b"1 2 8:1 / mnt rw - ext4 a rw"] {
            assert_eq!(Mount::parse(line), None);
        }
    }

    #[test]
    fn read_only_mounts_are_detected() {
        for (options, super_options, expected) in [
            ("rw", "rw", false),
            ("ro,relatime", "rw", true),
            ("rw,relatime", "seclabel,ro", true),
            ("rw", "rw,emergency_ro", true),
            ("rw,errors=remount-ro", "rw,errors=ro", false),
        ] {
            let line = format!("1 2 8:1 / / {options} - ext4 /dev/sda1 {super_options}");
            assert_eq!(Mount::parse(line.as_bytes()).unwrap().is_readonly(), expected, "{line}");
        }
    }

    #[test]
    fn escapes_are_replaced() {
        for (escaped, label, name) in [
            (r"/a\040b\011c", "/a b\tc", "/a b\tc"),
            (r"/a\134b\012", r"/a\134b\012", "/a\\b\n"),
            (r"/a\04", r"/a\04", r"/a\04"),
            (r"/a\999\777\", r"/a\999\777\", r"/a\999\777\"),
        ] {
            let line = format!("1 2 8:1 / {escaped} rw - ext4 /dev/sda1 rw");
            let mount = Mount::parse(line.as_bytes()).unwrap();
            assert_eq!(mount.point_for_label(), label.as_bytes());
            assert_eq!(mount.point_unescaped(), name.as_bytes());
        }
    }

    #[test]
    fn mount_points_are_relative_to_the_root() {
        for (root, point, expected) in [
            ("/", "/", "/"),
            ("/", "/boot", "/boot"),
            ("/host", "/host", "/"),
            ("/host", "/host/boot", "/boot"),
            ("/host", "/hostage", "/hostage"),
            ("/host", "/boot", "/boot"),
        ] {
            assert_eq!(below(Path::new(root), point.as_bytes()), expected.as_bytes());
        }
    }

    #[test]
    fn network_file_systems_may_hang() {
        let text = "\
1 0 8:1 / / rw - ext4 /dev/sda1 rw
2 1 8:2 / /srv rw - xfs /dev/sdb rw
3 2 0:50 / /srv/nfs rw - nfs4 server:/ rw
4 3 8:3 / /srv/nfs/local rw - xfs /dev/sdc rw
5 2 8:4 / /srv/nfs2 rw - xfs /dev/sdd rw
6 1 8:5 / /covered rw - xfs /dev/sde rw
7 6 0:51 / /covered rw - fuse.sshfs host: rw
8 1 0:52 / /over rw - autofs systemd-1 rw
9 8 8:6 / /over rw - vfat /dev/sdf rw";
        let mounts: Vec<_> =
            text.lines().map(|line| Mount::parse(line.as_bytes()).unwrap()).collect();
        let non_local_mounts = non_local_mounts(&mounts);
        let hang: Vec<_> = mounts
            .iter()
            .enumerate()
            .map(|(index, mount)| non_local_mounts.may_hang(index, mount))
            .collect();
        assert_eq!(hang, [false, false, true, true, false, true, true, true, false]);
    }
}
